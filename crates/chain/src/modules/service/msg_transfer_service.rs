//! `MsgTransferService`: give a service to another owner.

use proto::pocket::service::MsgTransferService;

use super::error::Error;
use super::state;
use crate::context::Context;
use crate::error::{GrpcCode, TxError};

/// Checks the message without state.
pub(super) fn check(message: &MsgTransferService) -> Result<(), TxError> {
    super::check_address("owner", &message.owner_address)?;
    super::check_address("new owner", &message.new_owner_address)?;
    if message.service_id.is_empty() {
        return Err(Error::MissingId.because("service ID cannot be empty"));
    }
    if message.new_owner_address == message.owner_address {
        return Err(Error::InvalidOwnerAddress
            .because("new owner address cannot be the same as the current owner address"));
    }
    Ok(())
}

/// Changes the owner.
pub(super) fn execute(ctx: &mut Context<'_>, message: MsgTransferService) -> Result<(), TxError> {
    check(&message).map_err(|error| TxError::status(GrpcCode::InvalidArgument, error))?;
    let MsgTransferService {
        owner_address: signer,
        service_id,
        new_owner_address,
    } = message;
    let mut service = state::get(ctx, &service_id)?.ok_or_else(|| {
        Error::NotFound.status(GrpcCode::NotFound, format_args!("service ID: {service_id}"))
    })?;
    if service.owner_address != signer {
        return Err(Error::Unauthorized.status(
            GrpcCode::PermissionDenied,
            format_args!(
                "signer {signer:?} is not the owner of service {service_id:?} (owner: {:?})",
                service.owner_address
            ),
        ));
    }
    service.owner_address = new_owner_address;
    state::save(ctx, &service);
    Ok(())
}
