//! `MsgTransferApplication`: hand an application over to another address once its session has settled.

use proto::pocket::application::{
    EventTransferBegin, MsgTransferApplication, PendingApplicationTransfer,
};

use super::error::Error;
use super::state;
use crate::context::Context;
use crate::error::{GrpcCode, TxError};
use crate::modules::shared::{self, address, grid};

/// Checks the message without state.
pub(super) fn check(message: &MsgTransferApplication) -> Result<(), TxError> {
    for (role, text) in [
        ("source", &message.source_address),
        ("destination", &message.destination_address),
    ] {
        if text.is_empty() {
            return Err(
                Error::InvalidAddress.because(format_args!("empty {role} application address"))
            );
        }
        address::parse(text).map_err(|reason| {
            Error::InvalidAddress.because(format_args!(
                "invalid {role} application address ({text}): {reason}"
            ))
        })?;
    }
    if message.source_address == message.destination_address {
        return Err(Error::DuplicateAddress.because(format_args!(
            "source and destination application addresses are the same: {}",
            message.source_address
        )));
    }
    Ok(())
}

/// Marks the source as being transferred; it serves to the end of this session.
pub(super) fn execute(
    ctx: &mut Context<'_>,
    message: MsgTransferApplication,
) -> Result<(), TxError> {
    check(&message).map_err(|error| TxError::status(GrpcCode::InvalidArgument, error))?;
    let MsgTransferApplication {
        source_address,
        destination_address,
    } = message;
    if state::get(ctx, &destination_address)?.is_some() {
        return Err(Error::DuplicateAddress.status(
            GrpcCode::FailedPrecondition,
            format_args!("destination application ({destination_address}) exists"),
        ));
    }
    let Some(mut source) = state::get(ctx, &source_address)? else {
        return Err(Error::NotFound.status(
            GrpcCode::InvalidArgument,
            format_args!("source application ({source_address}) not found"),
        ));
    };
    if source.unstake_session_end_height != 0 {
        return Err(Error::IsUnstaking.status(
            GrpcCode::FailedPrecondition,
            format_args!(
                "cannot transfer stake of unbonding source application {source_address:?}"
            ),
        ));
    }
    let shared = shared::current(ctx)?;
    let session_end_height = grid::end(&shared, ctx.block.height);
    source.pending_transfer = Some(PendingApplicationTransfer {
        destination_address: destination_address.clone(),
        session_end_height: grid::unsigned(session_end_height),
    });
    state::save(ctx, &source)?;
    ctx.emit(&EventTransferBegin {
        source_address,
        destination_address,
        source_application: Some(source),
        session_end_height,
        transfer_end_height: grid::settlement(&shared, session_end_height),
    })?;
    Ok(())
}
