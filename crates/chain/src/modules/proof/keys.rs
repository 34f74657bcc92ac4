//! State keys of `proof`. The order of claims is the order of settlement: session id, then operator.

use crate::modules::shared::keys::{height, text};

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

/// What tells a claim, or a proof, from all others: the tail of its key.
pub(crate) fn id(session_id: &str, operator: &str) -> Vec<u8> {
    let mut key = Vec::new();
    text(&mut key, session_id);
    text(&mut key, operator);
    key
}

/// The claim with an id.
pub(crate) fn claim(id: &[u8]) -> Vec<u8> {
    [CLAIMS, id].concat()
}

/// The proof with an id.
pub(crate) fn proof(id: &[u8]) -> Vec<u8> {
    [PROOFS, id].concat()
}

/// The claims of a session.
pub(crate) fn of_session(session_id: &str) -> Vec<u8> {
    one(CLAIMS, session_id)
}

/// The claims of sessions that end at a height.
pub(crate) fn ending_at(session_end: i64) -> Vec<u8> {
    let mut key = BY_END.to_vec();
    height(&mut key, session_end);
    key
}

/// The claims of an operator.
pub(crate) fn of_operator(operator: &str) -> Vec<u8> {
    one(BY_OPERATOR, operator)
}

fn one(table: &[u8], part: &str) -> Vec<u8> {
    let mut key = table.to_vec();
    text(&mut key, part);
    key
}
