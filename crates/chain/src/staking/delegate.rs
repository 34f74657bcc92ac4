//! Delegating, taking stake back, and moving it between validators.

use crypto::keys::Address;

use super::delegation::{
    Delegation, Redelegation, RedelegationEntry, UnbondingDelegation, UnbondingEntry,
};
use super::validator::{BondStatus, Validator};
use super::{hooks, params, pools, state, updates};
use crate::context::{BlockTime, Context};
use crate::decimal::Dec;
use crate::error::{ChainError, TxError};
use crate::sdk;
use crate::staking::error;

/// Where the tokens of a delegation come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// The delegator's account.
    Account,
    /// The pool of validators with this status.
    Pool(BondStatus),
}

/// Delegates an amount to a validator and gives the shares it became.
pub(super) fn delegate(
    ctx: &mut Context,
    delegator: &Address,
    amount: u128,
    source: Source,
    mut validator: Validator,
) -> Result<Dec, TxError> {
    if validator.has_bad_rate() {
        return Err(error::BAD_EXCHANGE_RATE.plain());
    }
    let operator = validator.operator;
    let mut delegation = match state::delegation(ctx, delegator, &operator)? {
        Some(delegation) => {
            hooks::before_shares_modified(ctx, delegator, &operator)?;
            delegation
        }
        None => {
            hooks::before_delegation_created(ctx, &operator)?;
            Delegation {
                delegator: *delegator,
                validator: operator,
                shares: Dec::zero(),
            }
        }
    };
    match source {
        Source::Account if validator.is_bonded() => {
            pools::pay_in(ctx, delegator, pools::BONDED, amount)?;
        }
        Source::Account => pools::pay_in(ctx, delegator, pools::NOT_BONDED, amount)?,
        Source::Pool(status) => match (status == BondStatus::Bonded, validator.is_bonded()) {
            (false, true) => pools::not_bonded_to_bonded(ctx, amount)?,
            (true, false) => pools::bonded_to_not_bonded(ctx, amount)?,
            _ => {}
        },
    }
    state::remove_power(ctx, &validator)?;
    let shares = validator.add_tokens(amount)?;
    state::save_validator(ctx, &validator);
    state::save_power(ctx, &validator)?;
    delegation.shares = delegation.shares.plus(&shares)?;
    state::save_delegation(ctx, &delegation);
    hooks::delegation_modified(ctx, delegator, &operator)?;
    Ok(shares)
}

/// Removes shares of a delegation and gives the tokens they were worth. The coins stay where they are.
pub(super) fn unbond(
    ctx: &mut Context,
    delegator: &Address,
    operator: &Address,
    shares: &Dec,
) -> Result<u128, TxError> {
    let mut delegation =
        state::delegation(ctx, delegator, operator)?.ok_or_else(|| error::NO_DELEGATOR.plain())?;
    hooks::before_shares_modified(ctx, delegator, operator)?;
    if delegation.shares < *shares {
        return Err(error::NOT_ENOUGH_SHARES.with(&delegation.shares));
    }
    let mut validator = state::existing_validator(ctx, operator)?;
    delegation.shares = delegation.shares.minus(shares)?;
    // An operator who falls below its promise leaves consensus.
    let is_own = delegator == operator;
    if is_own
        && !validator.jailed
        && validator.tokens_of(&delegation.shares)?.truncate()? < validator.min_self_delegation
    {
        updates::jail(ctx, &mut validator)?;
    }
    if delegation.shares.is_zero() {
        state::remove_delegation(ctx, delegator, operator);
    } else {
        state::save_delegation(ctx, &delegation);
        hooks::delegation_modified(ctx, delegator, operator)?;
    }
    state::remove_power(ctx, &validator)?;
    let amount = validator.remove_shares(shares)?;
    state::save_validator(ctx, &validator);
    state::save_power(ctx, &validator)?;
    if validator.shares.is_zero() && validator.is_unbonded() {
        updates::remove(ctx, &validator)?;
    }
    Ok(amount)
}

/// The shares that an amount of a delegation is; at most all of them.
pub(super) fn unbondable_shares(
    ctx: &Context,
    delegator: &Address,
    operator: &Address,
    amount: u128,
) -> Result<Dec, TxError> {
    let validator = state::existing_validator(ctx, operator)?;
    let delegation = state::existing_delegation(ctx, delegator, operator)?;
    let shares = validator.shares_of(amount)?;
    if validator.shares_of_truncated(amount)? > delegation.shares {
        return Err(TxError::sdk(
            sdk::INVALID_REQUEST,
            "invalid shares amount: invalid request",
        ));
    }
    // Rounding may have made one unit too many of them.
    Ok(shares.min(delegation.shares))
}

/// Takes shares out of a validator; when the unbonding time is over their worth is paid out. Gives that time and the
/// amount.
pub(super) fn undelegate(
    ctx: &mut Context,
    delegator: &Address,
    operator: &Address,
    shares: &Dec,
) -> Result<(BlockTime, u128), TxError> {
    let validator = state::existing_validator(ctx, operator)?;
    let params = params(ctx)?;
    let entries =
        state::unbonding(ctx, delegator, operator)?.map_or(0, |unbonding| unbonding.entries.len());
    if is_full(entries, params.max_entries) {
        return Err(error::MAX_UNBONDING.plain());
    }
    let amount = unbond(ctx, delegator, operator, shares)?;
    if validator.is_bonded() {
        pools::bonded_to_not_bonded(ctx, amount)?;
    }
    let completion = ctx
        .block
        .time
        .plus_nanos(super::params::unbonding_nanos(&params));
    let unbonding = add_unbonding(ctx, delegator, operator, completion, amount)?;
    state::queue_unbonding(ctx, &unbonding, completion)?;
    Ok((completion, amount))
}

fn is_full(entries: usize, limit: u32) -> bool {
    entries >= usize::try_from(limit).unwrap_or(usize::MAX)
}

/// Adds an entry, or adds to the one of the same height and time.
fn add_unbonding(
    ctx: &mut Context,
    delegator: &Address,
    operator: &Address,
    completion: BlockTime,
    amount: u128,
) -> Result<UnbondingDelegation, ChainError> {
    let id = state::next_unbonding_id(ctx)?;
    let mut unbonding =
        state::unbonding(ctx, delegator, operator)?.unwrap_or_else(|| UnbondingDelegation {
            delegator: *delegator,
            validator: *operator,
            entries: Vec::new(),
        });
    let height = ctx.block.height;
    let same = unbonding
        .entries
        .iter_mut()
        .find(|entry| entry.creation_height == height && entry.completion_time == completion);
    match same {
        Some(entry) => {
            let sum = |part: u128| {
                part.checked_add(amount)
                    .ok_or_else(|| ChainError::invariant("an unbonding exceeds 128 bits"))
            };
            entry.balance = sum(entry.balance)?;
            entry.initial_balance = sum(entry.initial_balance)?;
        }
        None => unbonding.entries.push(UnbondingEntry {
            creation_height: height,
            completion_time: completion,
            initial_balance: amount,
            balance: amount,
            id,
            on_hold: 0,
        }),
    }
    state::save_unbonding(ctx, &unbonding);
    Ok(unbonding)
}

/// Pays out what is due of an unbonding delegation; the sum. `None` when there is none.
pub(super) fn complete_unbonding(
    ctx: &mut Context,
    delegator: &Address,
    operator: &Address,
) -> Result<Option<u128>, TxError> {
    let Some(mut unbonding) = state::unbonding(ctx, delegator, operator)? else {
        return Ok(None);
    };
    let now = ctx.block.time;
    let (due, left): (Vec<_>, Vec<_>) = unbonding
        .entries
        .iter()
        .copied()
        .partition(|entry| entry.is_over(now));
    let mut total = 0_u128;
    for entry in due {
        if entry.balance > 0 {
            pools::pay_out(ctx, delegator, entry.balance)?;
            total = total
                .checked_add(entry.balance)
                .ok_or_else(|| ChainError::invariant("unbondings exceed 128 bits"))?;
        }
    }
    unbonding.entries = left;
    state::save_unbonding(ctx, &unbonding);
    Ok(Some(total))
}

/// Moves shares to another validator. Gives the time from which they can no longer be slashed for the first one; the
/// zero time of Go when that is now.
pub(super) fn redelegate(
    ctx: &mut Context,
    delegator: &Address,
    from: &Address,
    to: &Address,
    shares: &Dec,
) -> Result<BlockTime, TxError> {
    if from == to {
        return Err(error::SELF_REDELEGATION.plain());
    }
    let destination =
        state::validator(ctx, to)?.ok_or_else(|| error::BAD_REDELEGATION_DST.plain())?;
    let source = state::validator(ctx, from)?.ok_or_else(|| error::BAD_REDELEGATION_SRC.plain())?;
    if state::receives_redelegation(ctx, delegator, from)? {
        return Err(error::TRANSITIVE_REDELEGATION.plain());
    }
    let entries = state::redelegation(ctx, delegator, from, to)?.map_or(0, |red| red.entries.len());
    if is_full(entries, params(ctx)?.max_entries) {
        return Err(error::MAX_REDELEGATION.plain());
    }
    let amount = unbond(ctx, delegator, from, shares)?;
    if amount == 0 {
        return Err(error::TINY_REDELEGATION.plain());
    }
    let moved = delegate(
        ctx,
        delegator,
        amount,
        Source::Pool(source.status),
        destination,
    )?;
    let Some((completion, height)) = redelegation_end(ctx, from)? else {
        return Ok(ZERO_TIME);
    };
    let id = state::next_unbonding_id(ctx)?;
    let mut redelegation =
        state::redelegation(ctx, delegator, from, to)?.unwrap_or_else(|| Redelegation {
            delegator: *delegator,
            source: *from,
            destination: *to,
            entries: Vec::new(),
        });
    redelegation.entries.push(RedelegationEntry {
        creation_height: height,
        completion_time: completion,
        initial_balance: amount,
        shares: moved,
        id,
        on_hold: 0,
    });
    state::save_redelegation(ctx, &redelegation);
    state::queue_redelegation(ctx, &redelegation, completion)?;
    Ok(completion)
}

/// Go's zero time, the first of January of the year 1.
const ZERO_TIME: BlockTime = BlockTime {
    seconds: -62_135_596_800,
    nanos: 0,
};

/// Until when, and from which height on, stake that left a validator answers for it. `None` when it does not: the
/// validator has unbonded. One that was just removed counts like one that is bonded, but the reference refuses the
/// redelegation then.
fn redelegation_end(ctx: &Context, from: &Address) -> Result<Option<(BlockTime, i64)>, TxError> {
    let validator = state::existing_validator(ctx, from)?;
    Ok(match validator.status {
        BondStatus::Unbonded => None,
        BondStatus::Unbonding => Some((validator.unbonding_time, validator.unbonding_height)),
        _ => {
            let nanos = super::params::unbonding_nanos(&params(ctx)?);
            Some((ctx.block.time.plus_nanos(nanos), ctx.block.height))
        }
    })
}

/// Forgets what is due of a redelegation; the sum that was moved. `None` when there is none.
pub(super) fn complete_redelegation(
    ctx: &mut Context,
    delegator: &Address,
    from: &Address,
    to: &Address,
) -> Result<Option<u128>, ChainError> {
    let Some(mut redelegation) = state::redelegation(ctx, delegator, from, to)? else {
        return Ok(None);
    };
    let now = ctx.block.time;
    let (due, left): (Vec<_>, Vec<_>) = redelegation
        .entries
        .into_iter()
        .partition(|entry| entry.is_over(now));
    let total = due.iter().try_fold(0_u128, |sum, entry| {
        sum.checked_add(entry.initial_balance)
            .ok_or_else(|| ChainError::invariant("redelegations exceed 128 bits"))
    })?;
    redelegation.entries = left;
    state::save_redelegation(ctx, &redelegation);
    Ok(Some(total))
}
