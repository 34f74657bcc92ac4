//! State keys of grants; the only place that builds them.

use crypto::keys::Address;

use crate::context::BlockTime;
use crate::error::ChainError;

/// Prefix of grants: granter, grantee, type URL of the message.
pub const GRANTS: &[u8] = b"authz/grant/";
/// Prefix of the queue of expirations: moment, granter, grantee.
pub const QUEUE: &[u8] = b"authz/queue/";

/// Bytes of a moment in a key.
const MOMENT: usize = 12;

/// A grant.
pub fn grant(granter: &Address, grantee: &Address, type_url: &str) -> Vec<u8> {
    [grants(granter, grantee).as_slice(), type_url.as_bytes()].concat()
}

/// Prefix of the grants of one account to another.
pub fn grants(granter: &Address, grantee: &Address) -> Vec<u8> {
    [grants_by(granter).as_slice(), grantee.as_bytes()].concat()
}

/// Prefix of the grants of one account.
pub fn grants_by(granter: &Address) -> Vec<u8> {
    [GRANTS, granter.as_bytes().as_slice()].concat()
}

/// Message types that expire at a moment.
pub fn queue(at: BlockTime, granter: &Address, grantee: &Address) -> Vec<u8> {
    [
        queue_from(at).as_slice(),
        granter.as_bytes(),
        grantee.as_bytes(),
    ]
    .concat()
}

/// What the keys of a moment start with; earlier ones sort before.
pub fn queue_from(at: BlockTime) -> Vec<u8> {
    [QUEUE, moment(at).as_slice()].concat()
}

/// A moment so that bytes sort as moments do, also before 1970.
pub(crate) fn moment(at: BlockTime) -> [u8; MOMENT] {
    let seconds = (at.seconds.cast_unsigned() ^ (1 << 63)).to_be_bytes();
    let nanos = at.nanos.max(0).cast_unsigned().to_be_bytes();
    let mut bytes = [0; MOMENT];
    for (place, byte) in bytes.iter_mut().zip(seconds.into_iter().chain(nanos)) {
        *place = byte;
    }
    bytes
}

/// Granter and grantee of a queue's key.
///
/// # Errors
/// [`ChainError::Corrupt`] when the key is not one of ours.
pub(super) fn split_queue(key: &[u8]) -> Result<(Address, Address), ChainError> {
    key.get(QUEUE.len().saturating_add(MOMENT)..)
        .and_then(split_pair)
        .map(|(granter, grantee, _)| (granter, grantee))
        .ok_or_else(|| ChainError::corrupt(hex::encode(key), "not an entry of the queue"))
}

/// Granter and grantee of a grant's key.
///
/// # Errors
/// [`ChainError::Corrupt`] when the key is not one of ours.
pub(super) fn split_grant(key: &[u8]) -> Result<(Address, Address), ChainError> {
    key.strip_prefix(GRANTS)
        .and_then(split_pair)
        .map(|(granter, grantee, _)| (granter, grantee))
        .ok_or_else(|| ChainError::corrupt(hex::encode(key), "not a grant"))
}

/// Two addresses and what follows them.
pub(crate) fn split_pair(bytes: &[u8]) -> Option<(Address, Address, &[u8])> {
    let (first, rest) = bytes.split_first_chunk::<20>()?;
    let (second, rest) = rest.split_first_chunk::<20>()?;
    Some((Address(*first), Address(*second), rest))
}
