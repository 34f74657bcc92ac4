//! State keys of allowances; the only place that builds them.

use crypto::keys::Address;

use crate::authz::keys::{moment, split_pair};
use crate::context::BlockTime;
use crate::error::ChainError;

/// Prefix of allowances: grantee, granter.
pub const ALLOWANCES: &[u8] = b"feegrant/allowance/";
/// Prefix of the queue of expirations: moment, grantee, granter. Nothing is stored under them.
pub const QUEUE: &[u8] = b"feegrant/queue/";

/// An allowance.
pub fn allowance(grantee: &Address, granter: &Address) -> Vec<u8> {
    [allowances(grantee).as_slice(), granter.as_bytes()].concat()
}

/// Prefix of the allowances of a grantee.
pub fn allowances(grantee: &Address) -> Vec<u8> {
    [ALLOWANCES, grantee.as_bytes().as_slice()].concat()
}

/// That an allowance expires at a moment.
pub fn queue(at: BlockTime, grantee: &Address, granter: &Address) -> Vec<u8> {
    [
        queue_from(at).as_slice(),
        grantee.as_bytes(),
        granter.as_bytes(),
    ]
    .concat()
}

/// What the keys of a moment start with; earlier ones sort before.
pub fn queue_from(at: BlockTime) -> Vec<u8> {
    [QUEUE, moment(at).as_slice()].concat()
}

/// Grantee and granter of a queue's key.
///
/// # Errors
/// [`ChainError::Corrupt`] when the key is not one of ours.
pub(super) fn split_queue(key: &[u8]) -> Result<(Address, Address), ChainError> {
    let start = queue_from(BlockTime::default()).len();
    key.get(start..)
        .and_then(split_pair)
        .map(|(grantee, granter, _)| (grantee, granter))
        .ok_or_else(|| ChainError::corrupt(hex::encode(key), "not an entry of the queue"))
}
