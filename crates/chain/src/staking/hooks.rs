//! What other modules do when stakes change, in the reference's order: distribution, then slashing.

use crypto::keys::Address;

use super::validator::Validator;
use crate::context::Context;
use crate::decimal::Dec;
use crate::error::{ChainError, TxError};
use crate::{distribution, slashing};

/// A validator's record was made.
pub(super) fn validator_created(
    ctx: &mut Context,
    validator: &Validator,
) -> Result<(), ChainError> {
    distribution::hooks::validator_created(ctx, &validator.operator);
    slashing::hooks::validator_created(ctx, validator)
}

/// A validator's record was removed. In the reference a failure here does not stop the removal.
pub(super) fn validator_removed(
    ctx: &mut Context,
    validator: &Validator,
) -> Result<(), ChainError> {
    let consensus = validator.consensus_address()?;
    // What was done before a failure stays, as in the reference.
    if let Err(error) = distribution::hooks::validator_removed(ctx, &validator.operator) {
        tracing::error!(%error, validator = %validator.operator_text(), "hook after removal");
        return Ok(());
    }
    slashing::hooks::validator_removed(ctx, &consensus);
    Ok(())
}

/// A validator became part of consensus.
pub(super) fn validator_bonded(ctx: &mut Context, validator: &Validator) -> Result<(), ChainError> {
    slashing::hooks::validator_bonded(ctx, &validator.consensus_address()?)
}

/// A delegation is about to be made.
pub(super) fn before_delegation_created(
    ctx: &mut Context,
    validator: &Address,
) -> Result<(), TxError> {
    distribution::hooks::before_delegation_created(ctx, validator)
}

/// The shares of a delegation are about to change.
pub(super) fn before_shares_modified(
    ctx: &mut Context,
    delegator: &Address,
    validator: &Address,
) -> Result<(), TxError> {
    distribution::hooks::before_shares_modified(ctx, delegator, validator)
}

/// The shares of a delegation changed.
pub(super) fn delegation_modified(
    ctx: &mut Context,
    delegator: &Address,
    validator: &Address,
) -> Result<(), TxError> {
    distribution::hooks::delegation_modified(ctx, delegator, validator)
}

/// A validator is about to lose a fraction of its tokens.
pub(super) fn before_validator_slashed(
    ctx: &mut Context,
    validator: &Address,
    fraction: &Dec,
) -> Result<(), TxError> {
    distribution::hooks::before_validator_slashed(ctx, validator, fraction)
}
