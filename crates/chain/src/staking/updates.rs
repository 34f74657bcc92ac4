//! Who is part of consensus: the validators with the most tokens, looked at once a block; and their way in and out.

use std::collections::BTreeMap;

use proto::cosmos::staking::v1beta1 as types;
use tendermint_proto::v0_38::abci::ValidatorUpdate;

use super::delegation::{account, operator};
use super::validator::{BondStatus, Validator};
use super::{delegate, hooks, keys, params, pools, state};
use crate::bank::Coins;
use crate::context::Context;
use crate::error::{ChainError, TxError};
use crate::staking::error;

/// End of a block: changes of the validator set, then everything whose time is over.
///
/// # Errors
/// When the store fails or an invariant is broken.
pub fn end_block(ctx: &mut Context) -> Result<(), ChainError> {
    if !super::runs(ctx)? {
        return Ok(());
    }
    let updates = apply_set_changes(ctx)?;
    ctx.validator_updates = updates;
    finish_validators(ctx)?;
    finish_unbondings(ctx)?;
    finish_redelegations(ctx)
}

/// Bonds the validators with the most tokens, lets the others go, moves their coins between the pools, and gives what
/// consensus must be told: those that are in by falling power, then those that are out by operator.
pub(crate) fn apply_set_changes(ctx: &mut Context) -> Result<Vec<ValidatorUpdate>, ChainError> {
    let limit = usize::try_from(params(ctx)?.max_validators).unwrap_or(usize::MAX);
    let mut last: BTreeMap<_, _> = state::last_powers(ctx)?.into_iter().collect();
    let (mut updates, mut total_power) = (Vec::new(), 0_i64);
    let (mut bonding, mut leaving) = (0_u128, 0_u128);

    let by_power = ctx.scan(keys::BY_POWER, std::ops::Bound::Unbounded, true, limit)?;
    for (_, operator) in by_power {
        let operator = keys::last_address(&operator)?;
        let mut validator = state::validator(ctx, &operator)?
            .ok_or_else(|| ChainError::invariant("a place by power without a validator"))?;
        if validator.jailed {
            let text = "should never retrieve a jailed validator from the power store";
            return Err(ChainError::invariant(text));
        }
        if validator.potential_power()? == 0 {
            break;
        }
        if !validator.is_bonded() {
            bond(ctx, &mut validator)?;
            bonding = sum(bonding, validator.tokens)?;
        }
        let power = validator.power()?;
        if last.remove(&operator) != Some(power) {
            updates.push(validator.update(power)?);
            state::save_last_power(ctx, &operator, Some(power));
        }
        total_power = total_power
            .checked_add(power)
            .ok_or_else(|| ChainError::invariant("the total power exceeds 63 bits"))?;
    }
    for operator in last.into_keys() {
        let mut validator = state::validator(ctx, &operator)?
            .ok_or_else(|| ChainError::invariant("a bonded validator without a record"))?;
        begin_unbonding(ctx, &mut validator)?;
        leaving = sum(leaving, validator.tokens)?;
        state::save_last_power(ctx, &operator, None);
        updates.push(validator.update(0)?);
    }
    if let Some(amount) = bonding.checked_sub(leaving).filter(|amount| *amount > 0) {
        pools::not_bonded_to_bonded(ctx, amount)?;
    } else if let Some(amount) = leaving.checked_sub(bonding).filter(|amount| *amount > 0) {
        pools::bonded_to_not_bonded(ctx, amount)?;
    }
    if !updates.is_empty() {
        state::save_last_total_power(ctx, total_power);
    }
    Ok(updates)
}

fn sum(a: u128, b: u128) -> Result<u128, ChainError> {
    a.checked_add(b)
        .ok_or_else(|| ChainError::invariant("stakes exceed 128 bits"))
}

/// A validator enters consensus.
fn bond(ctx: &mut Context, validator: &mut Validator) -> Result<(), ChainError> {
    state::remove_power(ctx, validator)?;
    validator.status = BondStatus::Bonded;
    state::save_validator(ctx, validator);
    state::save_power(ctx, validator)?;
    state::unqueue_validator(ctx, validator)?;
    hooks::validator_bonded(ctx, validator)
}

/// A validator leaves consensus; its stake stays answerable for the unbonding time.
fn begin_unbonding(ctx: &mut Context, validator: &mut Validator) -> Result<(), ChainError> {
    if !validator.is_bonded() {
        return Err(ChainError::invariant(
            "should not already be unbonded or unbonding",
        ));
    }
    let nanos = params::unbonding_nanos(&params(ctx)?);
    state::remove_power(ctx, validator)?;
    let id = state::next_unbonding_id(ctx)?;
    validator.status = BondStatus::Unbonding;
    validator.unbonding_time = ctx.block.time.plus_nanos(nanos);
    validator.unbonding_height = ctx.block.height;
    validator.unbonding_ids.push(id);
    state::save_validator(ctx, validator);
    state::save_power(ctx, validator)?;
    state::queue_validator(ctx, validator)
}

/// Excludes a validator from consensus from the end of this block on.
pub(super) fn jail(ctx: &mut Context, validator: &mut Validator) -> Result<(), TxError> {
    if validator.jailed {
        return Err(error::JAILED.with("cannot jail already jailed validator"));
    }
    validator.jailed = true;
    state::save_validator(ctx, validator);
    state::remove_power(ctx, validator)?;
    Ok(())
}

/// Lets a validator take part again.
///
/// # Errors
/// When it is not jailed.
pub fn unjail(ctx: &mut Context, validator: &mut Validator) -> Result<(), TxError> {
    if !validator.jailed {
        return Err(TxError::undefined(
            "cannot unjail already unjailed validator",
        ));
    }
    validator.jailed = false;
    state::save_validator(ctx, validator);
    state::save_power(ctx, validator)?;
    Ok(())
}

/// Removes a validator that has nothing any more.
pub(super) fn remove(ctx: &mut Context, validator: &Validator) -> Result<(), TxError> {
    if !validator.is_unbonded() {
        let text = "cannot call RemoveValidator on bonded or unbonding validators";
        return Err(error::BAD_REMOVE.with(text));
    }
    if validator.tokens > 0 {
        let text = "attempting to remove a validator which still contains tokens";
        return Err(error::BAD_REMOVE.with(text));
    }
    state::remove_validator(ctx, validator)?;
    Ok(hooks::validator_removed(ctx, validator)?)
}

/// Validators whose unbonding time is over. One without shares vanishes.
fn finish_validators(ctx: &mut Context) -> Result<(), ChainError> {
    let (now, height) = (ctx.block.time, ctx.block.height);
    let due = keys::validator_queue(now, height);
    let mut slots = Vec::new();
    for pair in ctx.iter(keys::VALIDATOR_QUEUE) {
        let (key, value) = pair?;
        if key > due {
            break;
        }
        let slot: types::ValAddresses = prost::Message::decode(value.as_slice())
            .map_err(|error| ChainError::corrupt(hex::encode(&key), error))?;
        slots.push(slot);
    }
    for text in slots.into_iter().flat_map(|slot| slot.addresses) {
        let mut validator = state::validator(ctx, &operator(&text)?)?.ok_or_else(|| {
            ChainError::invariant("validator in the unbonding queue was not found")
        })?;
        if !validator.is_unbonding() {
            let text = "unexpected validator in unbonding queue; status was not unbonding";
            return Err(ChainError::invariant(text));
        }
        // A slot of this moment or before may name a later height only while time stood still.
        if validator.on_hold != 0 || validator.unbonding_height > height {
            continue;
        }
        validator.status = BondStatus::Unbonded;
        state::save_validator(ctx, &validator);
        if validator.shares.is_zero() {
            remove(ctx, &validator)?;
        }
        state::unqueue_validator(ctx, &validator)?;
    }
    Ok(())
}

/// Unbonding delegations whose time is over. Event: `complete_unbonding`.
fn finish_unbondings(ctx: &mut Context) -> Result<(), ChainError> {
    let now = keys::unbonding_queue(ctx.block.time);
    let due: Vec<types::DvPairs> = state::take_due(ctx, keys::UNBONDING_QUEUE, &now)?;
    for pair in due.into_iter().flat_map(|slot| slot.pairs) {
        let delegator = account(&pair.delegator_address)?;
        let from = operator(&pair.validator_address)?;
        // As in the reference, one that cannot be paid out is passed over and not tried again.
        let Ok(Some(amount)) = delegate::complete_unbonding(ctx, &delegator, &from) else {
            continue;
        };
        let amount = Coins::sum(&pools::coins(ctx, amount)?)?.to_string();
        ctx.emit_raw(
            "complete_unbonding",
            &[
                ("amount", &amount),
                ("validator", &pair.validator_address),
                ("delegator", &pair.delegator_address),
            ],
        );
    }
    Ok(())
}

/// Redelegations whose time is over. Event: `complete_redelegation`.
fn finish_redelegations(ctx: &mut Context) -> Result<(), ChainError> {
    let now = keys::redelegation_queue(ctx.block.time);
    let due: Vec<types::DvvTriplets> = state::take_due(ctx, keys::REDELEGATION_QUEUE, &now)?;
    for triplet in due.into_iter().flat_map(|slot| slot.triplets) {
        let delegator = account(&triplet.delegator_address)?;
        let from = operator(&triplet.validator_src_address)?;
        let to = operator(&triplet.validator_dst_address)?;
        let completed = delegate::complete_redelegation(ctx, &delegator, &from, &to)?;
        let Some(amount) = completed else {
            continue;
        };
        let amount = Coins::sum(&pools::coins(ctx, amount)?)?.to_string();
        ctx.emit_raw(
            "complete_redelegation",
            &[
                ("amount", &amount),
                ("delegator", &triplet.delegator_address),
                ("source_validator", &triplet.validator_src_address),
                ("destination_validator", &triplet.validator_dst_address),
            ],
        );
    }
    Ok(())
}
