//! State keys of `session`.

use crate::modules::shared::keys::height;

/// The live params.
pub(crate) const PARAMS: &[u8] = b"session/params";
/// Params by the height from which they count.
pub(crate) const PARAMS_HISTORY: &[u8] = b"session/params-history/";
/// Block hashes by height.
pub(crate) const BLOCK_HASHES: &[u8] = b"session/block-hash/";

/// An entry of the params' history.
pub(crate) fn params_history(effective_height: i64) -> Vec<u8> {
    let mut key = PARAMS_HISTORY.to_vec();
    height(&mut key, effective_height);
    key
}

/// The hash of a block.
pub(crate) fn block_hash(at: i64) -> Vec<u8> {
    let mut key = BLOCK_HASHES.to_vec();
    height(&mut key, at);
    key
}
