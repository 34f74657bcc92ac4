//! State keys of the module; the only place that builds them.

use crypto::keys::Address;

/// Params.
pub const PARAMS: &[u8] = b"distribution/params";
/// The community pool.
pub const FEE_POOL: &[u8] = b"distribution/fee_pool";
/// Consensus address of the last block's proposer.
pub const PROPOSER: &[u8] = b"distribution/proposer";
/// Prefix of what validators and their delegators have not withdrawn: validator.
pub const OUTSTANDING: &[u8] = b"distribution/outstanding/";
/// Prefix of addresses that rewards are paid to: delegator.
pub const WITHDRAW_ADDRESSES: &[u8] = b"distribution/withdraw_address/";
/// Prefix of where delegations started: validator, delegator.
pub const STARTING_INFOS: &[u8] = b"distribution/starting_info/";
/// Prefix of sums of past periods: validator, period.
pub const HISTORICAL: &[u8] = b"distribution/historical/";
/// Prefix of the present period: validator.
pub const CURRENT: &[u8] = b"distribution/current/";
/// Prefix of commission not withdrawn: validator.
pub const COMMISSIONS: &[u8] = b"distribution/commission/";
/// Prefix of slashes: validator, height, period.
pub const SLASHES: &[u8] = b"distribution/slash/";

fn join(prefix: &[u8], address: &Address, rest: &[u8]) -> Vec<u8> {
    [prefix, address.as_bytes().as_slice(), rest].concat()
}

/// What a validator and its delegators have not withdrawn.
pub fn outstanding(validator: &Address) -> Vec<u8> {
    join(OUTSTANDING, validator, &[])
}

/// Where a delegator wants its rewards.
pub fn withdraw_address(delegator: &Address) -> Vec<u8> {
    join(WITHDRAW_ADDRESSES, delegator, &[])
}

/// Where a delegation started.
pub fn starting_info(validator: &Address, delegator: &Address) -> Vec<u8> {
    join(STARTING_INFOS, validator, delegator.as_bytes())
}

/// Prefix of a validator's past periods. The reference's keys hold the period in little-endian order, which decides the
/// order of exports.
pub fn historical_of(validator: &Address) -> Vec<u8> {
    join(HISTORICAL, validator, &[])
}

/// The sum at the end of a period.
pub fn historical(validator: &Address, period: u64) -> Vec<u8> {
    join(HISTORICAL, validator, &period.to_le_bytes())
}

/// The present period.
pub fn current(validator: &Address) -> Vec<u8> {
    join(CURRENT, validator, &[])
}

/// Commission not withdrawn.
pub fn commission(validator: &Address) -> Vec<u8> {
    join(COMMISSIONS, validator, &[])
}

/// Prefix of a validator's slashes.
pub fn slashes_of(validator: &Address) -> Vec<u8> {
    join(SLASHES, validator, &[])
}

/// Slashes of a validator from a height on.
pub fn slashes_from(validator: &Address, height: u64) -> Vec<u8> {
    join(SLASHES, validator, &height.to_be_bytes())
}

/// A slash.
pub fn slash(validator: &Address, height: u64, period: u64) -> Vec<u8> {
    let mut key = slashes_from(validator, height);
    key.extend_from_slice(&period.to_be_bytes());
    key
}
