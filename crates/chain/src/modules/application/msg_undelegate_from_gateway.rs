//! `MsgUndelegateFromGateway`: take a gateway's permission away, for the sessions after this one.

use proto::pocket::application::{Application, EventRedelegation, MsgUndelegateFromGateway};

use super::error::Error;
use super::state;
use crate::context::Context;
use crate::error::{GrpcCode, TxError};
use crate::modules::shared::{self, grid};

/// Checks the message without state.
pub(super) fn check(message: &MsgUndelegateFromGateway) -> Result<(), TxError> {
    super::check_address(&message.app_address)?;
    super::check_gateway_address(&message.gateway_address)
}

/// Moves the gateway to the pending undelegations of this session.
pub(super) fn execute(
    ctx: &mut Context<'_>,
    message: MsgUndelegateFromGateway,
) -> Result<(), TxError> {
    check(&message).map_err(|error| TxError::status(GrpcCode::InvalidArgument, error))?;
    let MsgUndelegateFromGateway {
        app_address,
        gateway_address,
    } = message;
    let mut application = state::get(ctx, &app_address)?.ok_or_else(|| {
        Error::NotFound.status(
            GrpcCode::NotFound,
            format_args!("application with address: {app_address:?}"),
        )
    })?;
    let session_end_height = grid::end(&shared::current(ctx)?, ctx.block.height);
    if !undelegate(&mut application, &gateway_address, session_end_height) {
        return Err(Error::NotDelegated.status(
            GrpcCode::FailedPrecondition,
            format_args!(
                "application with address {app_address:?} not delegated to gateway with address: {gateway_address:?}"
            ),
        ));
    }
    state::save(ctx, &application)?;
    ctx.emit(&EventRedelegation {
        application: Some(application),
        session_end_height,
    })?;
    Ok(())
}

/// Removes a gateway and remembers it under the session's end; whether it was there.
pub(super) fn undelegate(application: &mut Application, gateway: &str, session_end: i64) -> bool {
    let delegatees = &mut application.delegatee_gateway_addresses;
    let Some(index) = delegatees.iter().position(|delegatee| delegatee == gateway) else {
        return false;
    };
    let gateway = delegatees.remove(index);
    let pending = application
        .pending_undelegations
        .entry(grid::unsigned(session_end))
        .or_default();
    // A merged application may have it there already.
    if !pending.gateway_addresses.contains(&gateway) {
        pending.gateway_addresses.push(gateway);
    }
    true
}
