//! Reading and writing validators, delegations and their indexes.

use crypto::keys::Address;
use prost::Message as _;
use proto::cosmos::staking::v1beta1 as types;

use super::delegation::{Delegation, Redelegation, UnbondingDelegation};
use super::keys;
use super::validator::Validator;
use crate::context::{BlockTime, Context};
use crate::error::{ChainError, TxError};
use crate::staking::error;

/// A validator by its operator.
///
/// # Errors
/// When the store fails.
pub fn validator(ctx: &Context, operator: &Address) -> Result<Option<Validator>, ChainError> {
    ctx.load::<types::Validator>(&keys::validator(operator))?
        .map(|proto| Validator::from_proto(&proto))
        .transpose()
}

/// A validator that must be there.
///
/// # Errors
/// staking 3 when it is not.
pub fn existing_validator(ctx: &Context, operator: &Address) -> Result<Validator, TxError> {
    validator(ctx, operator)?.ok_or_else(|| error::NO_VALIDATOR.plain())
}

/// A validator by the address of its consensus key.
///
/// # Errors
/// When the store fails.
pub fn validator_by_consensus(
    ctx: &Context,
    consensus: &Address,
) -> Result<Option<Validator>, ChainError> {
    match ctx.get(&keys::by_consensus(consensus))? {
        None => Ok(None),
        Some(operator) => validator(ctx, &keys::last_address(&operator)?),
    }
}

/// All validators, by operator.
///
/// # Errors
/// When the store fails.
pub fn validators(ctx: &Context) -> Result<Vec<Validator>, ChainError> {
    let mut out = Vec::new();
    for pair in ctx.iter(keys::VALIDATORS) {
        out.push(decode_validator(&pair?.1)?);
    }
    Ok(out)
}

/// Reads a stored validator.
pub(super) fn decode_validator(bytes: &[u8]) -> Result<Validator, ChainError> {
    let proto = types::Validator::decode(bytes)
        .map_err(|error| ChainError::corrupt("staking validator", error))?;
    Validator::from_proto(&proto)
}

/// Stores a validator, without its place by power.
pub(super) fn save_validator(ctx: &mut Context, validator: &Validator) {
    let key = keys::validator(&validator.operator);
    ctx.save(key, &validator.to_proto());
}

/// Makes a validator findable by its consensus key.
pub(super) fn save_consensus(ctx: &mut Context, validator: &Validator) -> Result<(), ChainError> {
    let key = keys::by_consensus(&validator.consensus_address()?);
    ctx.set(key, validator.operator.as_bytes().to_vec());
    Ok(())
}

/// Puts a validator into its place by power. Jailed ones have none.
pub(super) fn save_power(ctx: &mut Context, validator: &Validator) -> Result<(), ChainError> {
    if !validator.jailed {
        let key = keys::by_power(validator.potential_power()?, &validator.operator);
        ctx.set(key, validator.operator.as_bytes().to_vec());
    }
    Ok(())
}

/// Takes a validator out of its place by power.
pub(super) fn remove_power(ctx: &mut Context, validator: &Validator) -> Result<(), ChainError> {
    let key = keys::by_power(validator.potential_power()?, &validator.operator);
    ctx.remove(&key);
    Ok(())
}

/// Removes the record of a validator and what leads to it.
pub(super) fn remove_validator(ctx: &mut Context, validator: &Validator) -> Result<(), ChainError> {
    ctx.remove(&keys::validator(&validator.operator));
    ctx.remove(&keys::by_consensus(&validator.consensus_address()?));
    remove_power(ctx, validator)
}

/// Powers that consensus was told last, by operator.
///
/// # Errors
/// When the store fails.
pub fn last_powers(ctx: &Context) -> Result<Vec<(Address, i64)>, ChainError> {
    let mut out = Vec::new();
    for pair in ctx.iter(keys::LAST_POWERS) {
        let (key, value) = pair?;
        out.push((keys::last_address(&key)?, read_i64(&value)?));
    }
    Ok(out)
}

/// Remembers what consensus is told; `None` when it is out.
pub(super) fn save_last_power(ctx: &mut Context, operator: &Address, power: Option<i64>) {
    let key = keys::last_power(operator);
    match power {
        Some(power) => ctx.set(key, power.to_be_bytes().to_vec()),
        None => ctx.remove(&key),
    }
}

/// Sum of the powers that consensus was told last.
pub(super) fn last_total_power(ctx: &Context) -> Result<i64, ChainError> {
    ctx.get(keys::LAST_TOTAL_POWER)?
        .map_or(Ok(0), |bytes| read_i64(&bytes))
}

pub(super) fn save_last_total_power(ctx: &mut Context, power: i64) {
    ctx.set(
        keys::LAST_TOTAL_POWER.to_vec(),
        power.to_be_bytes().to_vec(),
    );
}

fn read_i64(bytes: &[u8]) -> Result<i64, ChainError> {
    let bytes = bytes
        .try_into()
        .map_err(|_| ChainError::corrupt("staking power", "has 8 bytes"))?;
    Ok(i64::from_be_bytes(bytes))
}

/// A delegation.
///
/// # Errors
/// When the store fails.
pub fn delegation(
    ctx: &Context,
    delegator: &Address,
    validator: &Address,
) -> Result<Option<Delegation>, ChainError> {
    ctx.load::<types::Delegation>(&keys::delegation(delegator, validator))?
        .map(|proto| Delegation::from_proto(&proto))
        .transpose()
}

/// A delegation that must be there.
///
/// # Errors
/// staking 19 when it is not.
pub fn existing_delegation(
    ctx: &Context,
    delegator: &Address,
    validator: &Address,
) -> Result<Delegation, TxError> {
    delegation(ctx, delegator, validator)?.ok_or_else(|| error::NO_DELEGATION.plain())
}

/// All delegations of a delegator, by validator.
///
/// # Errors
/// When the store fails.
pub fn delegations_of(ctx: &Context, delegator: &Address) -> Result<Vec<Delegation>, ChainError> {
    let prefix = keys::delegations_of(delegator);
    ctx.iter(&prefix)
        .map(|pair| decode_delegation(&pair?.1))
        .collect()
}

/// All delegations to a validator, by delegator.
///
/// # Errors
/// When the store fails.
pub fn delegations_to(ctx: &Context, validator: &Address) -> Result<Vec<Delegation>, ChainError> {
    let prefix = keys::delegations_to(validator);
    let mut out = Vec::new();
    for pair in ctx.iter(&prefix) {
        let delegator = keys::last_address(&pair?.0)?;
        out.extend(delegation(ctx, &delegator, validator)?);
    }
    Ok(out)
}

/// Reads a stored delegation.
pub(super) fn decode_delegation(bytes: &[u8]) -> Result<Delegation, ChainError> {
    let proto = types::Delegation::decode(bytes)
        .map_err(|error| ChainError::corrupt("staking delegation", error))?;
    Delegation::from_proto(&proto)
}

/// Stores a delegation.
pub(super) fn save_delegation(ctx: &mut Context, delegation: &Delegation) {
    let Delegation {
        delegator,
        validator,
        ..
    } = delegation;
    ctx.save(
        keys::delegation(delegator, validator),
        &delegation.to_proto(),
    );
    ctx.set(keys::delegation_to(validator, delegator), Vec::new());
}

/// Removes a delegation.
pub(super) fn remove_delegation(ctx: &mut Context, delegator: &Address, validator: &Address) {
    ctx.remove(&keys::delegation(delegator, validator));
    ctx.remove(&keys::delegation_to(validator, delegator));
}

/// What of a delegation is unbonding.
///
/// # Errors
/// When the store fails.
pub fn unbonding(
    ctx: &Context,
    delegator: &Address,
    validator: &Address,
) -> Result<Option<UnbondingDelegation>, ChainError> {
    ctx.load::<types::UnbondingDelegation>(&keys::unbonding(delegator, validator))?
        .map(|proto| UnbondingDelegation::from_proto(&proto))
        .transpose()
}

/// All that unbonds from a validator, by delegator.
pub(super) fn unbondings_from(
    ctx: &Context,
    validator: &Address,
) -> Result<Vec<UnbondingDelegation>, ChainError> {
    let prefix = keys::unbondings_from(validator);
    let mut out = Vec::new();
    for pair in ctx.iter(&prefix) {
        let delegator = keys::last_address(&pair?.0)?;
        out.extend(unbonding(ctx, &delegator, validator)?);
    }
    Ok(out)
}

/// Stores an unbonding delegation; without entries it is removed.
pub(super) fn save_unbonding(ctx: &mut Context, unbonding: &UnbondingDelegation) {
    let UnbondingDelegation {
        delegator,
        validator,
        entries,
    } = unbonding;
    let key = keys::unbonding(delegator, validator);
    let index = keys::unbonding_from(validator, delegator);
    if entries.is_empty() {
        ctx.remove(&key);
        ctx.remove(&index);
    } else {
        ctx.save(key, &unbonding.to_proto());
        ctx.set(index, Vec::new());
    }
}

/// A redelegation.
///
/// # Errors
/// When the store fails.
pub fn redelegation(
    ctx: &Context,
    delegator: &Address,
    source: &Address,
    destination: &Address,
) -> Result<Option<Redelegation>, ChainError> {
    let key = keys::redelegation(delegator, source, destination);
    ctx.load::<types::Redelegation>(&key)?
        .map(|proto| Redelegation::from_proto(&proto))
        .transpose()
}

/// All redelegations away from a validator, by delegator and destination.
pub(super) fn redelegations_from(
    ctx: &Context,
    source: &Address,
) -> Result<Vec<Redelegation>, ChainError> {
    let prefix = keys::redelegations_from(source);
    let mut out = Vec::new();
    for pair in ctx.iter(&prefix) {
        let (delegator, destination) = keys::last_two(&pair?.0)?;
        out.extend(redelegation(ctx, &delegator, source, &destination)?);
    }
    Ok(out)
}

/// Whether a delegator moved something to a validator that may still be slashed for it.
pub(super) fn receives_redelegation(
    ctx: &Context,
    delegator: &Address,
    destination: &Address,
) -> Result<bool, ChainError> {
    let prefix = keys::redelegations_to(destination, delegator);
    let first = ctx.scan(&prefix, std::ops::Bound::Unbounded, false, 1)?;
    Ok(!first.is_empty())
}

/// Stores a redelegation; without entries it is removed.
pub(super) fn save_redelegation(ctx: &mut Context, redelegation: &Redelegation) {
    let Redelegation {
        delegator,
        source,
        destination,
        entries,
    } = redelegation;
    let key = keys::redelegation(delegator, source, destination);
    let from = keys::redelegation_from(source, delegator, destination);
    let to = keys::redelegation_to(destination, delegator, source);
    if entries.is_empty() {
        for key in [key, from, to] {
            ctx.remove(&key);
        }
    } else {
        ctx.save(key, &redelegation.to_proto());
        ctx.set(from, Vec::new());
        ctx.set(to, Vec::new());
    }
}

/// The next number of an unbonding.
pub(super) fn next_unbonding_id(ctx: &mut Context) -> Result<u64, ChainError> {
    let last = match ctx.get(keys::UNBONDING_ID)? {
        None => 0,
        Some(bytes) => crate::auth::keys::read_u64(&bytes)?,
    };
    let next = last
        .checked_add(1)
        .ok_or_else(|| ChainError::invariant("unbonding numbers used up"))?;
    ctx.set(keys::UNBONDING_ID.to_vec(), next.to_be_bytes().to_vec());
    Ok(next)
}

/// Adds a pair to those that finish unbonding at a moment.
pub(super) fn queue_unbonding(
    ctx: &mut Context,
    unbonding: &UnbondingDelegation,
    completion: BlockTime,
) -> Result<(), ChainError> {
    let key = keys::unbonding_queue(completion);
    let mut slot: types::DvPairs = ctx.load(&key)?.unwrap_or_default();
    let proto = unbonding.to_proto();
    slot.pairs.push(types::DvPair {
        delegator_address: proto.delegator_address,
        validator_address: proto.validator_address,
    });
    ctx.save(key, &slot);
    Ok(())
}

/// Adds a triplet to those whose redelegation finishes at a moment.
pub(super) fn queue_redelegation(
    ctx: &mut Context,
    redelegation: &Redelegation,
    completion: BlockTime,
) -> Result<(), ChainError> {
    let key = keys::redelegation_queue(completion);
    let mut slot: types::DvvTriplets = ctx.load(&key)?.unwrap_or_default();
    let proto = redelegation.to_proto();
    slot.triplets.push(types::DvvTriplet {
        delegator_address: proto.delegator_address,
        validator_src_address: proto.validator_src_address,
        validator_dst_address: proto.validator_dst_address,
    });
    ctx.save(key, &slot);
    Ok(())
}

/// Adds a validator to those that finish unbonding with it.
pub(super) fn queue_validator(ctx: &mut Context, validator: &Validator) -> Result<(), ChainError> {
    let key = keys::validator_queue(validator.unbonding_time, validator.unbonding_height);
    let mut slot: types::ValAddresses = ctx.load(&key)?.unwrap_or_default();
    slot.addresses.push(validator.operator_text());
    ctx.save(key, &slot);
    Ok(())
}

/// Takes a validator out of those that finish unbonding with it.
pub(super) fn unqueue_validator(
    ctx: &mut Context,
    validator: &Validator,
) -> Result<(), ChainError> {
    let key = keys::validator_queue(validator.unbonding_time, validator.unbonding_height);
    let mut slot: types::ValAddresses = ctx.load(&key)?.unwrap_or_default();
    let own = validator.operator_text();
    slot.addresses.retain(|operator| *operator != own);
    if slot.addresses.is_empty() {
        ctx.remove(&key);
    } else {
        ctx.save(key, &slot);
    }
    Ok(())
}

/// Takes the slots of a queue that are due out of it, in the order of time.
pub(super) fn take_due<M: prost::Message + Default>(
    ctx: &mut Context,
    queue: &[u8],
    now: &[u8],
) -> Result<Vec<M>, ChainError> {
    let mut due = Vec::new();
    for pair in ctx.iter(queue) {
        let (key, value) = pair?;
        if key.as_slice() > now {
            break;
        }
        due.push((key, value));
    }
    let mut out = Vec::with_capacity(due.len());
    for (key, value) in due {
        let slot = M::decode(value.as_slice())
            .map_err(|error| ChainError::corrupt(hex::encode(&key), error))?;
        ctx.remove(&key);
        out.push(slot);
    }
    Ok(out)
}
