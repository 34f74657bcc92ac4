//! State keys of the module; the only place that builds them.

use crypto::keys::Address;

/// Params.
pub const PARAMS: &[u8] = b"slashing/params";
/// Prefix of signing infos: consensus address.
pub const SIGNING_INFOS: &[u8] = b"slashing/signing_info/";

/// How a validator signs.
pub fn signing_info(consensus: &Address) -> Vec<u8> {
    [SIGNING_INFOS, consensus.as_bytes().as_slice()].concat()
}

/// Prefix of the blocks that a validator missed: part of the window.
pub fn missed_of(consensus: &Address) -> Vec<u8> {
    [b"slashing/missed/".as_slice(), consensus.as_bytes()].concat()
}

/// Bits of a part of the window. The reference's keys hold the part in little-endian order.
pub fn missed(consensus: &Address, part: u64) -> Vec<u8> {
    let mut key = missed_of(consensus);
    key.extend_from_slice(&part.to_le_bytes());
    key
}

/// That a validator's consensus key is known.
pub fn pub_key(consensus: &Address) -> Vec<u8> {
    [b"slashing/pub_key/".as_slice(), consensus.as_bytes()].concat()
}
