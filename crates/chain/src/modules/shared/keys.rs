//! State keys of `shared`, and the byte forms that all keys of the pocket modules are made of.
//!
//! A key is the module's name, a slash, the table's name, a slash, then the parts. A part that is text ends with a slash
//! (which no id or address contains), a height is its big-endian bytes; the order of keys is the order in which the
//! reference iterates, and that order is visible (chain specification 1.4, 10).

/// Text of variable length as a part of a key.
pub(crate) fn text(key: &mut Vec<u8>, part: &str) {
    key.extend_from_slice(part.as_bytes());
    key.push(b'/');
}

/// A height as a part of a key; heights in keys are never negative.
pub(crate) fn height(key: &mut Vec<u8>, height: i64) {
    key.extend_from_slice(&height.max(0).to_be_bytes());
}

/// Reads a height off the front of a key's tail.
pub(crate) fn take_height(tail: &[u8]) -> Option<(i64, &[u8])> {
    let (height, rest) = tail.split_first_chunk::<8>()?;
    Some((i64::from_be_bytes(*height), rest))
}

/// Reads a text part off the front of a key's tail.
pub(crate) fn take_text(tail: &[u8]) -> Option<(&str, &[u8])> {
    let end = tail.iter().position(|byte| *byte == b'/')?;
    let (part, rest) = tail.split_at_checked(end)?;
    Some((std::str::from_utf8(part).ok()?, rest.split_first()?.1))
}

/// The live params.
pub(crate) const PARAMS: &[u8] = b"shared/params";

/// Table of params by the height from which they count.
pub(crate) const HISTORY: &[u8] = b"shared/history/";

/// One entry of [`HISTORY`].
pub(crate) fn history(effective_height: i64) -> Vec<u8> {
    let mut key = HISTORY.to_vec();
    height(&mut key, effective_height);
    key
}
