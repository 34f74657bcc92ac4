//! State keys of `proof`. The order of claims is the order of settlement: session id, then operator.
//!
//! A claim is told from all others by its id, `session/operator`; an index entry ends with a slash and the id. What
//! follows a table or an index in a key is what clients get as `next_key` of a page, byte for byte as the reference's.

use crate::modules::shared::keys::height;

/// The params.
pub(crate) const PARAMS: &[u8] = b"proof/params";
/// Claims by session id and operator.
pub(crate) const CLAIMS: &[u8] = b"proof/claim/";
/// Session id and operator of claims by the end height in their headers.
pub(crate) const BY_END: &[u8] = b"proof/claim-by-end/";
/// Session id and operator of claims by operator.
pub(crate) const BY_OPERATOR: &[u8] = b"proof/claim-by-operator/";
/// Proofs of the current block by session id and operator.
pub(crate) const PROOFS: &[u8] = b"proof/proof/";

/// What tells a claim, or a proof, from all others.
pub(crate) fn id(session_id: &str, operator: &str) -> Vec<u8> {
    format!("{session_id}/{operator}").into_bytes()
}

/// The entry of a claim in an index.
pub(crate) fn entry(index: &[u8], id: &[u8]) -> Vec<u8> {
    [index, b"/", id].concat()
}

/// The claim with an id.
pub(crate) fn claim(id: &[u8]) -> Vec<u8> {
    [CLAIMS, id].concat()
}

/// The proof with an id.
pub(crate) fn proof(id: &[u8]) -> Vec<u8> {
    [PROOFS, id].concat()
}

/// The claims of a session, and of those whose ids start with the same text; a slash follows in keys of the former.
pub(crate) fn of_session(session_id: &str) -> Vec<u8> {
    [CLAIMS, session_id.as_bytes()].concat()
}

/// The index of claims of sessions that end at a height.
pub(crate) fn ending_at(session_end: i64) -> Vec<u8> {
    let mut key = BY_END.to_vec();
    height(&mut key, session_end);
    key
}

/// The index of an operator's claims.
pub(crate) fn of_operator(operator: &str) -> Vec<u8> {
    [BY_OPERATOR, operator.as_bytes()].concat()
}
