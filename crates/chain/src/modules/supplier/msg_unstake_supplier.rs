//! `MsgUnstakeSupplier`: stop after this session and get the stake back after the unbonding period.

use proto::pocket::shared::Supplier;
use proto::pocket::supplier::{
    EventSupplierUnbondingBegin, MsgUnstakeSupplier, SupplierUnbondingReason,
};

use super::error::Error;
use super::state;
use crate::context::Context;
use crate::error::{GrpcCode, TxError};
use crate::modules::shared::error::Error as SharedError;
use crate::modules::shared::{self, address, grid};

/// Checks the message without state.
pub(super) fn check(message: &MsgUnstakeSupplier) -> Result<(), TxError> {
    for (role, text) in [
        ("signer", &message.signer),
        ("operator", &message.operator_address),
    ] {
        address::parse(text).map_err(|reason| {
            Error::InvalidAddress.because(format_args!("invalid {role} address ({reason})"))
        })?;
    }
    Ok(())
}

/// Starts unbonding and ends all configurations with this session.
pub(super) fn execute(ctx: &mut Context<'_>, message: MsgUnstakeSupplier) -> Result<(), TxError> {
    check(&message).map_err(|error| TxError::status(GrpcCode::InvalidArgument, error))?;
    let MsgUnstakeSupplier {
        signer,
        operator_address: operator,
    } = message;
    let subject = format!("supplier with operator address {operator:?}");
    let Some(mut supplier) = state::get(ctx, &operator)? else {
        return Err(Error::NotFound.status(GrpcCode::NotFound, subject));
    };
    if signer != supplier.owner_address && signer != supplier.operator_address {
        return Err(SharedError::UnauthorizedSupplierUpdate.status(
            GrpcCode::PermissionDenied,
            format_args!(
                "signer {signer:?} is not allowed to unstake supplier with owner {:?} and operator {operator:?}",
                supplier.owner_address
            ),
        ));
    }
    if supplier.unstake_session_end_height != 0 {
        return Err(Error::IsUnstaking.status(GrpcCode::FailedPrecondition, subject));
    }
    let shared = shared::current(ctx)?;
    let session_end_height = grid::end(&shared, ctx.block.height);
    begin_unbonding(ctx, &mut supplier, session_end_height)?;
    ctx.emit(&EventSupplierUnbondingBegin {
        supplier: Some(supplier),
        reason: SupplierUnbondingReason::Voluntary.into(),
        session_end_height,
        unbonding_end_height: grid::unbonding_end(
            &shared,
            session_end_height,
            shared.supplier_unbonding_period_sessions,
        ),
    })?;
    Ok(())
}

/// Writes that a supplier stops at a session's end. In the reference its configurations that were closed earlier, and
/// are still remembered, end then too, so that they count again until then; the rule `closed_configs_stay_closed` mends
/// that.
pub(super) fn begin_unbonding(
    ctx: &mut Context<'_>,
    supplier: &mut Supplier,
    session_end_height: i64,
) -> Result<(), crate::error::ChainError> {
    supplier.unstake_session_end_height = grid::unsigned(session_end_height);
    state::save(ctx, supplier);
    state::mark_unbonding(ctx, supplier);
    let next_start = session_end_height.saturating_add(1);
    if ctx.rules.closed_configs_stay_closed {
        state::close_configs(ctx, &supplier.operator_address, next_start)
    } else {
        state::end_configs(ctx, &supplier.operator_address, next_start)
    }
}
