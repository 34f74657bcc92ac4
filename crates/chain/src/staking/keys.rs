//! State keys of the module; the only place that builds them.
//!
//! Their order is the reference's, as it decides in which order validators are bonded, slashed and listed.

use crypto::keys::Address;

use crate::context::BlockTime;
use crate::error::ChainError;

/// Params.
pub const PARAMS: &[u8] = b"staking/params";
/// Sum of the powers of the bonded validators, as of the last change.
pub const LAST_TOTAL_POWER: &[u8] = b"staking/last_total_power";
/// Prefix of the powers that consensus was told last: operator.
pub const LAST_POWERS: &[u8] = b"staking/last_power/";
/// Prefix of validators: operator.
pub const VALIDATORS: &[u8] = b"staking/validator/";
/// Prefix of validators by falling power, read in reverse: power, inverted operator.
pub const BY_POWER: &[u8] = b"staking/by_power/";
/// Prefix of delegations: delegator, validator.
pub const DELEGATIONS: &[u8] = b"staking/delegation/";
/// Prefix of unbonding delegations: delegator, validator.
pub const UNBONDINGS: &[u8] = b"staking/unbonding/";
/// Prefix of redelegations: delegator, source, destination.
pub const REDELEGATIONS: &[u8] = b"staking/redelegation/";
/// Number of the last unbonding.
pub const UNBONDING_ID: &[u8] = b"staking/unbonding_id";
/// Prefix of pairs that finish unbonding, by time.
pub const UNBONDING_QUEUE: &[u8] = b"staking/unbonding_queue/";
/// Prefix of triplets whose redelegation finishes, by time.
pub const REDELEGATION_QUEUE: &[u8] = b"staking/redelegation_queue/";
/// Prefix of validators that finish unbonding: time, height.
pub const VALIDATOR_QUEUE: &[u8] = b"staking/validator_queue/";
/// Prefix of headers and validators of past heights.
pub const HISTORY: &[u8] = b"staking/history/";

fn join(prefix: &[u8], addresses: &[&Address]) -> Vec<u8> {
    let mut key = prefix.to_vec();
    for address in addresses {
        key.extend_from_slice(address.as_bytes());
    }
    key
}

/// A validator.
pub fn validator(operator: &Address) -> Vec<u8> {
    join(VALIDATORS, &[operator])
}

/// Operator of the validator with a consensus address.
pub fn by_consensus(consensus: &Address) -> Vec<u8> {
    join(b"staking/by_consensus/", &[consensus])
}

/// Operator under its potential power. Equal powers are ordered by operator, lowest first when read in reverse.
pub fn by_power(power: i64, operator: &Address) -> Vec<u8> {
    let mut key = BY_POWER.to_vec();
    key.extend_from_slice(&power.to_be_bytes());
    key.extend(operator.as_bytes().iter().map(|byte| !byte));
    key
}

/// Power that consensus was told last.
pub fn last_power(operator: &Address) -> Vec<u8> {
    join(LAST_POWERS, &[operator])
}

/// A delegation.
pub fn delegation(delegator: &Address, validator: &Address) -> Vec<u8> {
    join(DELEGATIONS, &[delegator, validator])
}

/// Prefix of a delegator's delegations: validator.
pub fn delegations_of(delegator: &Address) -> Vec<u8> {
    join(DELEGATIONS, &[delegator])
}

/// Prefix of the index of a validator's delegations: delegator.
pub fn delegations_to(validator: &Address) -> Vec<u8> {
    join(b"staking/delegation_to/", &[validator])
}

/// Index entry of a delegation under its validator.
pub fn delegation_to(validator: &Address, delegator: &Address) -> Vec<u8> {
    join(b"staking/delegation_to/", &[validator, delegator])
}

/// An unbonding delegation.
pub fn unbonding(delegator: &Address, validator: &Address) -> Vec<u8> {
    join(UNBONDINGS, &[delegator, validator])
}

/// Prefix of a delegator's unbonding delegations: validator.
pub fn unbondings_of(delegator: &Address) -> Vec<u8> {
    join(UNBONDINGS, &[delegator])
}

/// Prefix of the index of unbonding delegations from a validator: delegator.
pub fn unbondings_from(validator: &Address) -> Vec<u8> {
    join(b"staking/unbonding_from/", &[validator])
}

/// Index entry of an unbonding delegation under its validator.
pub fn unbonding_from(validator: &Address, delegator: &Address) -> Vec<u8> {
    join(b"staking/unbonding_from/", &[validator, delegator])
}

/// A redelegation.
pub fn redelegation(delegator: &Address, source: &Address, destination: &Address) -> Vec<u8> {
    join(REDELEGATIONS, &[delegator, source, destination])
}

/// Prefix of a delegator's redelegations: source, destination.
pub fn redelegations_of(delegator: &Address) -> Vec<u8> {
    join(REDELEGATIONS, &[delegator])
}

/// Prefix of the index of redelegations from a validator: delegator, destination.
pub fn redelegations_from(source: &Address) -> Vec<u8> {
    join(b"staking/redelegation_from/", &[source])
}

/// Index entry of a redelegation under its source.
pub fn redelegation_from(source: &Address, delegator: &Address, destination: &Address) -> Vec<u8> {
    join(
        b"staking/redelegation_from/",
        &[source, delegator, destination],
    )
}

/// Prefix of the index of what a delegator redelegates to a validator: source.
pub fn redelegations_to(destination: &Address, delegator: &Address) -> Vec<u8> {
    join(b"staking/redelegation_to/", &[destination, delegator])
}

/// Index entry of a redelegation under its destination.
pub fn redelegation_to(destination: &Address, delegator: &Address, source: &Address) -> Vec<u8> {
    join(
        b"staking/redelegation_to/",
        &[destination, delegator, source],
    )
}

/// A moment in bytes that sort by time.
fn moment(time: BlockTime) -> Vec<u8> {
    let shifted = u64::from_ne_bytes(time.seconds.to_ne_bytes()) ^ (1 << 63);
    let nanos = u32::try_from(time.nanos).unwrap_or(0);
    [
        shifted.to_be_bytes().as_slice(),
        nanos.to_be_bytes().as_slice(),
    ]
    .concat()
}

/// The unbonding delegations that finish at a moment.
pub fn unbonding_queue(time: BlockTime) -> Vec<u8> {
    [UNBONDING_QUEUE, &moment(time)].concat()
}

/// The redelegations that finish at a moment.
pub fn redelegation_queue(time: BlockTime) -> Vec<u8> {
    [REDELEGATION_QUEUE, &moment(time)].concat()
}

/// The validators that finish unbonding at a moment and height.
pub fn validator_queue(time: BlockTime, height: i64) -> Vec<u8> {
    [
        VALIDATOR_QUEUE,
        &moment(time),
        height.to_be_bytes().as_slice(),
    ]
    .concat()
}

/// Header and validators of a height.
pub fn history(height: i64) -> Vec<u8> {
    [HISTORY, height.to_be_bytes().as_slice()].concat()
}

/// The last address of a key.
///
/// # Errors
/// [`ChainError::Corrupt`] when there is none.
pub fn last_address(key: &[u8]) -> Result<Address, ChainError> {
    key.last_chunk::<20>()
        .map(|bytes| Address(*bytes))
        .ok_or_else(|| ChainError::corrupt(hex::encode(key), "no address at the end"))
}

/// The last two addresses of a key.
///
/// # Errors
/// [`ChainError::Corrupt`] when there are none.
pub fn last_two(key: &[u8]) -> Result<(Address, Address), ChainError> {
    let second = last_address(key)?;
    let rest = key.get(..key.len().saturating_sub(20)).unwrap_or_default();
    Ok((last_address(rest)?, second))
}
