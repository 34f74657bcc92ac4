//! `MsgUnstakeGateway`: stop after this session and get the stake back after the unbonding period.

use proto::pocket::gateway::{EventGatewayUnbondingBegin, MsgUnstakeGateway};

use super::error::Error;
use super::state;
use crate::context::Context;
use crate::error::{GrpcCode, TxError};
use crate::modules::shared::{self, grid};

/// Checks the message without state.
pub(super) fn check(message: &MsgUnstakeGateway) -> Result<(), TxError> {
    super::check_address(&message.address)
}

/// Starts unbonding.
pub(super) fn execute(ctx: &mut Context<'_>, message: MsgUnstakeGateway) -> Result<(), TxError> {
    check(&message).map_err(|error| TxError::status(GrpcCode::InvalidArgument, error))?;
    let subject = format!("gateway with address {}", message.address);
    let Some(mut gateway) = state::get(ctx, &message.address)? else {
        return Err(Error::NotFound.status(GrpcCode::NotFound, subject));
    };
    if gateway.unstake_session_end_height != 0 {
        return Err(Error::IsUnstaking.status(
            GrpcCode::FailedPrecondition,
            format_args!("gateway with address {:?}", message.address),
        ));
    }
    let shared = shared::current(ctx)?;
    let session_end_height = grid::end(&shared, ctx.block.height);
    gateway.unstake_session_end_height = grid::unsigned(session_end_height);
    state::save(ctx, &gateway)?;
    ctx.emit(&EventGatewayUnbondingBegin {
        gateway: Some(state::without_card(&gateway)),
        session_end_height,
        unbonding_end_height: grid::unbonding_end(
            &shared,
            session_end_height,
            shared.gateway_unbonding_period_sessions,
        ),
    })?;
    Ok(())
}
