//! Reading a proof from anybody.
#![deny(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used
)]

use super::reader::{Reader, expect, gob};
use super::types::Types;
use super::{INNER_FIELDS, OUTER_FIELDS};
use crate::error::Error;
use crate::limits::MAX_GOB_BYTES;
use crate::trie::{CompactInner, CompactProof};

/// Reads the first value of a stream as a proof. What follows it is ignored, as Go does. The
/// proof's own rules are not checked here.
///
/// # Errors
/// [`Error::Gob`] when the stream ends early, is malformed, defines too much, or holds something
/// else.
pub fn decode_proof(stream: &[u8]) -> Result<CompactProof, Error> {
    expect(stream.len() <= MAX_GOB_BYTES, "it is too long for a proof")?;
    let mut stream = Reader { rest: stream };
    let mut types = Types::default();
    loop {
        let mut body = Reader {
            rest: stream.bytes()?,
        };
        let id = body.int()?;
        if id >= 0 {
            types.check_proof(id)?;
            return outer(&types, id, &mut body);
        }
        let id = id.checked_neg().ok_or(gob("a type id is out of range"))?;
        types.define(id, &mut body)?;
        let done = body.rest.is_empty();
        expect(done, "a message goes on after a type's definition")?;
    }
}

fn outer(types: &Types, id: i64, body: &mut Reader<'_>) -> Result<CompactProof, Error> {
    let mut proof = CompactProof::default();
    types.read_struct(id, body, 0, |name, id, body| {
        let [
            path,
            flipped_bits,
            depth,
            closest_path,
            closest_value_hash,
            closest_proof,
        ] = OUTER_FIELDS;
        match name {
            name if name == path => proof.path = body.byte_string()?,
            name if name == flipped_bits => proof.flipped_bits = body.byte_strings()?,
            name if name == depth => proof.depth = body.byte_string()?,
            name if name == closest_path => proof.closest_path = body.byte_string()?,
            name if name == closest_value_hash => {
                proof.closest_value_hash = body.byte_string()?;
            }
            name if name == closest_proof => proof.closest_proof = Some(inner(types, id, body)?),
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    Ok(proof)
}

fn inner(types: &Types, id: i64, body: &mut Reader<'_>) -> Result<CompactInner, Error> {
    let mut proof = CompactInner::default();
    types.read_struct(id, body, 1, |name, _, body| {
        let [
            side_nodes,
            non_membership_leaf_data,
            bit_mask,
            num_side_nodes,
            sibling_data,
        ] = INNER_FIELDS;
        match name {
            name if name == side_nodes => proof.side_nodes = body.byte_strings()?,
            name if name == non_membership_leaf_data => {
                proof.non_membership_leaf_data = body.byte_string()?;
            }
            name if name == bit_mask => proof.bit_mask = body.byte_string()?,
            name if name == num_side_nodes => proof.num_side_nodes = body.int()?,
            name if name == sibling_data => proof.sibling_data = body.byte_string()?,
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    Ok(proof)
}
