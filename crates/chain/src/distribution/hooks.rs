//! What the module does when stakes change.

use crypto::keys::Address;

use super::{MODULE, keys, rewards, state};
use crate::bank;
use crate::context::Context;
use crate::decimal::Dec;
use crate::error::{ChainError, TxError};
use crate::staking;

/// Begins the records of a validator.
pub(crate) fn validator_created(ctx: &mut Context, validator: &Address) {
    rewards::initialize_validator(ctx, validator);
}

/// Pays a validator's commission, gives what is left to the community pool and drops the records.
pub(crate) fn validator_removed(ctx: &mut Context, validator: &Address) -> Result<(), TxError> {
    let mut outstanding = state::outstanding(ctx, validator)?;
    let commission = state::commission(ctx, validator)?;
    if !commission.is_empty() {
        outstanding = outstanding.minus(&commission)?;
        let (coins, rest) = commission.truncate()?;
        state::add_to_community(ctx, &rest)?;
        if !coins.is_empty() {
            let to = state::withdraw_address(ctx, validator)?;
            bank::module_to_account(ctx, MODULE, &to, &coins.to_proto())?;
        }
    }
    state::add_to_community(ctx, &outstanding)?;
    ctx.remove(&keys::outstanding(validator));
    ctx.remove(&keys::commission(validator));
    remove_all(ctx, &keys::slashes_of(validator))?;
    remove_all(ctx, &keys::historical_of(validator))?;
    ctx.remove(&keys::current(validator));
    Ok(())
}

fn remove_all(ctx: &mut Context, prefix: &[u8]) -> Result<(), ChainError> {
    let found: Result<Vec<_>, ChainError> = ctx.iter(prefix).collect();
    for (key, _) in found? {
        ctx.remove(&key);
    }
    Ok(())
}

/// A new delegation changes the stake, which ends a period.
pub(crate) fn before_delegation_created(
    ctx: &mut Context,
    operator: &Address,
) -> Result<(), TxError> {
    let validator = staking::existing_validator(ctx, operator)?;
    rewards::end_period(ctx, &validator)?;
    Ok(())
}

/// A delegation that changes is paid first.
pub(crate) fn before_shares_modified(
    ctx: &mut Context,
    delegator: &Address,
    operator: &Address,
) -> Result<(), TxError> {
    let validator = staking::existing_validator(ctx, operator)?;
    let delegation = staking::existing_delegation(ctx, delegator, operator)?;
    rewards::withdraw(ctx, &validator, &delegation)?;
    Ok(())
}

/// A delegation that changed starts to earn anew.
pub(crate) fn delegation_modified(
    ctx: &mut Context,
    delegator: &Address,
    operator: &Address,
) -> Result<(), TxError> {
    rewards::start(ctx, delegator, operator)
}

/// Records a slash before the tokens are gone.
pub(crate) fn before_validator_slashed(
    ctx: &mut Context,
    operator: &Address,
    fraction: &Dec,
) -> Result<(), TxError> {
    rewards::record_slash(ctx, operator, fraction)
}
