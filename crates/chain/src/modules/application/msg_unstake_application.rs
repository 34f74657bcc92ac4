//! `MsgUnstakeApplication`: stop after this session and get the stake back after the unbonding period.

use proto::pocket::application::{
    ApplicationUnbondingReason, EventApplicationUnbondingBegin, MsgUnstakeApplication,
};

use super::error::Error;
use super::state;
use crate::context::Context;
use crate::error::{GrpcCode, TxError};
use crate::modules::shared::{self, address, grid};

/// Checks the message without state.
pub(super) fn check(message: &MsgUnstakeApplication) -> Result<(), TxError> {
    address::parse(&message.address)
        .map(|_| ())
        .map_err(|reason| {
            Error::InvalidAddress.because(format_args!("invalid address address ({reason})"))
        })
}

/// Starts unbonding.
pub(super) fn execute(
    ctx: &mut Context<'_>,
    message: MsgUnstakeApplication,
) -> Result<(), TxError> {
    check(&message).map_err(|error| TxError::status(GrpcCode::InvalidArgument, error))?;
    let subject = format!("application with address {:?}", message.address);
    let Some(mut application) = state::get(ctx, &message.address)? else {
        return Err(Error::NotFound.status(GrpcCode::NotFound, subject));
    };
    if application.unstake_session_end_height != 0 {
        return Err(Error::IsUnstaking.status(GrpcCode::FailedPrecondition, subject));
    }
    if application.pending_transfer.is_some() {
        return Err(Error::HasPendingTransfer.status(GrpcCode::FailedPrecondition, subject));
    }
    let shared = shared::current(ctx)?;
    let session_end_height = grid::end(&shared, ctx.block.height);
    application.unstake_session_end_height = grid::unsigned(session_end_height);
    state::save(ctx, &application)?;
    ctx.emit(&EventApplicationUnbondingBegin {
        application: Some(application),
        reason: ApplicationUnbondingReason::Elective.into(),
        session_end_height,
        unbonding_end_height: grid::unbonding_end(
            &shared,
            session_end_height,
            shared.application_unbonding_period_sessions,
        ),
    })?;
    Ok(())
}
