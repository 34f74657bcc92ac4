//! Taking a part of the stake that stood behind an infraction: of what is unbonding since, of what was moved elsewhere
//! since, and the rest of the validator itself.

use crypto::keys::Address;

use super::delegation::{Redelegation, UnbondingDelegation};
use super::validator::{POWER_REDUCTION, Validator};
use super::{delegate, hooks, pools, state, updates};
use crate::context::Context;
use crate::decimal::Dec;
use crate::error::{ChainError, TxError};

/// Slashes a validator for what it did at a height with a power; gives the tokens burned of the validator itself. A
/// validator that is gone was slashed as far as possible before.
///
/// # Errors
/// For one whose stake is free, a height to come, or a broken invariant.
pub fn slash(
    ctx: &mut Context,
    consensus: &Address,
    height: i64,
    power: i64,
    fraction: &Dec,
) -> Result<u128, TxError> {
    if fraction.is_negative() {
        let text = format!("attempted to slash with a negative slash factor: {fraction}");
        return Err(TxError::undefined(text));
    }
    let stake = u128::try_from(power)
        .unwrap_or(0)
        .saturating_mul(POWER_REDUCTION);
    let wanted = Dec::from_int(stake).mul(fraction)?.truncate()?;
    let Some(mut validator) = state::validator_by_consensus(ctx, consensus)? else {
        return Ok(0);
    };
    if validator.is_unbonded() {
        let operator = validator.operator_text();
        let text = format!("should not be slashing unbonded validator: {operator}");
        return Err(TxError::undefined(text));
    }
    let mut remaining = wanted;
    if height > ctx.block.height {
        let text = format!(
            "impossible attempt to slash future infraction at height {height} but we are at height {}",
            ctx.block.height
        );
        return Err(TxError::undefined(text));
    }
    if height < ctx.block.height {
        for unbonding in state::unbondings_from(ctx, &validator.operator)? {
            let slashed = slash_unbonding(ctx, unbonding, height, fraction)?;
            remaining = remaining.saturating_sub(slashed);
        }
        for redelegation in state::redelegations_from(ctx, &validator.operator)? {
            let slashed = slash_redelegation(ctx, &redelegation, height, fraction)?;
            remaining = remaining.saturating_sub(slashed);
        }
    }
    burn_of(ctx, &mut validator, remaining)
}

/// Burns tokens of a validator, at most all it has.
fn burn_of(ctx: &mut Context, validator: &mut Validator, amount: u128) -> Result<u128, TxError> {
    let burned = amount.min(validator.tokens);
    if burned == 0 {
        return Ok(0);
    }
    let part = Dec::from_int(burned).quo_round_up(&Dec::from_int(validator.tokens))?;
    let part = part.min(Dec::one());
    // In the reference a failure here is only logged.
    if let Err(error) = hooks::before_validator_slashed(ctx, &validator.operator, &part) {
        tracing::error!(%error, validator = %validator.operator_text(), "hook before slashing");
    }
    state::remove_power(ctx, validator)?;
    validator.remove_tokens(burned)?;
    state::save_validator(ctx, validator);
    state::save_power(ctx, validator)?;
    let pool = if validator.is_bonded() {
        pools::BONDED
    } else {
        pools::NOT_BONDED
    };
    pools::burn(ctx, pool, burned)?;
    Ok(burned)
}

/// The part of an amount that is taken.
fn part(amount: u128, fraction: &Dec) -> Result<u128, ChainError> {
    fraction.mul_int(amount)?.truncate()
}

fn add(sum: &mut u128, amount: u128) -> Result<(), ChainError> {
    *sum = sum
        .checked_add(amount)
        .ok_or_else(|| ChainError::invariant("slashed amounts exceed 128 bits"))?;
    Ok(())
}

/// Slashes what began to unbond at the height or later. Gives what would have been taken if all of it were still there.
fn slash_unbonding(
    ctx: &mut Context,
    mut unbonding: UnbondingDelegation,
    height: i64,
    fraction: &Dec,
) -> Result<u128, TxError> {
    let now = ctx.block.time;
    let (mut total, mut burned) = (0, 0);
    for entry in &mut unbonding.entries {
        if entry.creation_height < height || entry.is_over(now) {
            continue;
        }
        let wanted = part(entry.initial_balance, fraction)?;
        add(&mut total, wanted)?;
        let taken = wanted.min(entry.balance);
        add(&mut burned, taken)?;
        entry.balance = entry.balance.saturating_sub(taken);
    }
    if burned > 0 {
        state::save_unbonding(ctx, &unbonding);
    }
    pools::burn(ctx, pools::NOT_BONDED, burned)?;
    Ok(total)
}

/// Slashes what moved to another validator at the height or later: first what of it is unbonding there, then shares.
fn slash_redelegation(
    ctx: &mut Context,
    redelegation: &Redelegation,
    height: i64,
    fraction: &Dec,
) -> Result<u128, TxError> {
    let now = ctx.block.time;
    let (delegator, to) = (&redelegation.delegator, &redelegation.destination);
    let (mut total, mut of_bonded, mut of_others) = (0, 0, 0);
    for entry in &redelegation.entries {
        if entry.creation_height < height || entry.is_over(now) {
            continue;
        }
        let mut wanted = part(entry.initial_balance, fraction)?;
        add(&mut total, wanted)?;
        let taken = slash_moved_unbonding(ctx, delegator, to, height, wanted)?;
        add(&mut of_others, taken)?;
        wanted = wanted.saturating_sub(taken);

        let shares = fraction.mul(&entry.shares)?;
        if shares.is_zero() || wanted == 0 {
            continue;
        }
        let Some(delegation) = state::delegation(ctx, delegator, to)? else {
            continue;
        };
        let shares = shares.min(delegation.shares);
        let tokens = delegate::unbond(ctx, delegator, to, &shares)?;
        let destination = state::existing_validator(ctx, to)?;
        if destination.is_bonded() {
            add(&mut of_bonded, tokens)?;
        } else {
            add(&mut of_others, tokens)?;
        }
    }
    pools::burn(ctx, pools::BONDED, of_bonded)?;
    pools::burn(ctx, pools::NOT_BONDED, of_others)?;
    Ok(total)
}

/// Takes up to an amount of what a delegator has unbonding from a validator since a height.
fn slash_moved_unbonding(
    ctx: &mut Context,
    delegator: &Address,
    validator: &Address,
    height: i64,
    wanted: u128,
) -> Result<u128, TxError> {
    let Some(mut unbonding) = state::unbonding(ctx, delegator, validator)? else {
        return Ok(0);
    };
    let now = ctx.block.time;
    let mut taken = 0_u128;
    for entry in &mut unbonding.entries {
        let part = wanted.saturating_sub(taken).min(entry.balance);
        if part == 0 || entry.creation_height < height || entry.is_over(now) {
            continue;
        }
        add(&mut taken, part)?;
        entry.balance = entry.balance.saturating_sub(part);
    }
    if taken > 0 {
        state::save_unbonding(ctx, &unbonding);
    }
    Ok(taken)
}

/// Jails the validator with a consensus address.
///
/// # Errors
/// staking 7 when it is jailed already; when there is none.
pub fn jail(ctx: &mut Context, consensus: &Address) -> Result<(), TxError> {
    let mut validator = state::validator_by_consensus(ctx, consensus)?
        .ok_or_else(|| ChainError::invariant("validator with consensus-Address not found"))?;
    updates::jail(ctx, &mut validator)
}
