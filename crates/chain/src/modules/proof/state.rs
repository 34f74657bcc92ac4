//! Claims and proofs in the state, with the indexes that follow from each claim.

use proto::pocket::proof::{Claim, Proof};
use proto::pocket::session::SessionHeader;

use super::keys;
use crate::context::Context;
use crate::error::ChainError;

/// The claim of an operator for a session.
///
/// # Errors
/// When the store fails or the record cannot be read.
pub fn claim(
    ctx: &Context<'_>,
    session_id: &str,
    operator: &str,
) -> Result<Option<Claim>, ChainError> {
    ctx.load(&keys::claim(&keys::id(session_id, operator)))
}

/// The claims of sessions that end at a height, by their headers, in order of session id and operator. Reads the index
/// of that height and nothing else.
///
/// # Errors
/// As [`claim`].
pub fn claims_ending_at(ctx: &Context<'_>, session_end: i64) -> Result<Vec<Claim>, ChainError> {
    let table = keys::ending_at(session_end);
    let mut out = Vec::new();
    for pair in ctx.iter(&table) {
        let (key, _) = pair?;
        let entry = key.strip_prefix(table.as_slice()).unwrap_or_default();
        out.push(indexed(ctx, entry)?);
    }
    Ok(out)
}

/// The claim that an index entry stands for, by what follows the index in its key: its id is the end of it, and the rest of
/// an operator's address stands before when only a beginning was asked for.
///
/// # Errors
/// As [`claim`], and [`ChainError::Invariant`] when there is none.
pub(super) fn indexed(ctx: &Context<'_>, entry: &[u8]) -> Result<Claim, ChainError> {
    let places = entry.iter().enumerate().rev();
    let mut slashes = places.filter(|(_, byte)| **byte == b'/');
    let id = match slashes.nth(1) {
        Some((place, _)) => entry.get(place.saturating_add(1)..).unwrap_or_default(),
        None => entry,
    };
    ctx.load(&keys::claim(id))?
        .ok_or_else(|| ChainError::invariant(format!("no claim {}", String::from_utf8_lossy(id))))
}

/// Stores a claim in place of the one with the same session and operator, if any, with its index entries.
///
/// # Errors
/// As [`claim`].
pub(super) fn save_claim(ctx: &mut Context<'_>, claim: &Claim) -> Result<(), ChainError> {
    let id = id_of(claim);
    let end = session_end(claim);
    if let Some(before) = ctx.load::<Claim>(&keys::claim(&id))?
        && session_end(&before) != end
    {
        ctx.remove(&by_end(session_end(&before), &id));
    }
    // The key says everything; a value must not be empty, because an absent one is.
    ctx.set(by_end(end, &id), vec![1]);
    ctx.set(by_operator(&claim.supplier_operator_address, &id), vec![1]);
    ctx.save(keys::claim(&id), claim);
    Ok(())
}

/// Removes a claim and its index entries.
pub fn remove_claim(ctx: &mut Context<'_>, claim: &Claim) {
    let id = id_of(claim);
    ctx.remove(&by_end(session_end(claim), &id));
    ctx.remove(&by_operator(&claim.supplier_operator_address, &id));
    ctx.remove(&keys::claim(&id));
}

/// Changes a claim whose header stays as it is, so that its index entries do too.
pub(super) fn replace_claim(ctx: &mut Context<'_>, claim: &Claim) {
    ctx.save(keys::claim(&id_of(claim)), claim);
}

/// The proof of an operator for a session.
///
/// # Errors
/// As [`claim`].
pub(super) fn proof(
    ctx: &Context<'_>,
    session_id: &str,
    operator: &str,
) -> Result<Option<Proof>, ChainError> {
    ctx.load(&keys::proof(&keys::id(session_id, operator)))
}

/// Stores a proof; says whether there was one before.
///
/// # Errors
/// When the store fails.
pub(super) fn save_proof(ctx: &mut Context<'_>, proof: &Proof) -> Result<bool, ChainError> {
    let session_id = proof
        .session_header
        .as_ref()
        .map_or("", |header| &header.session_id);
    let key = keys::proof(&keys::id(session_id, &proof.supplier_operator_address));
    let existed = ctx.has(&key)?;
    ctx.save(key, proof);
    Ok(existed)
}

/// The header of a claim; records always have one.
pub(super) fn header(claim: &Claim) -> SessionHeader {
    claim.session_header.clone().unwrap_or_default()
}

fn session_end(claim: &Claim) -> i64 {
    claim
        .session_header
        .as_ref()
        .map_or(0, |header| header.session_end_block_height)
}

fn id_of(claim: &Claim) -> Vec<u8> {
    let session_id = claim
        .session_header
        .as_ref()
        .map_or("", |header| &header.session_id);
    keys::id(session_id, &claim.supplier_operator_address)
}

fn by_end(session_end: i64, id: &[u8]) -> Vec<u8> {
    keys::entry(&keys::ending_at(session_end), id)
}

fn by_operator(operator: &str, id: &[u8]) -> Vec<u8> {
    keys::entry(&keys::of_operator(operator), id)
}
