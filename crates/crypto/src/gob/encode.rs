//! Writing a proof.

use std::sync::LazyLock;

use super::builtin::{BYTES, INT};
use super::{INNER_FIELDS, OUTER_FIELDS};
use crate::trie::{CompactInner, CompactProof};

/// Type ids of a Go process that has not used gob before.
const OUTER: i64 = 64;
const LIST: i64 = 65;
const INNER: i64 = 66;

/// The three type definitions, the same in front of every proof.
static DEFINITIONS: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let outer = [BYTES, LIST, BYTES, BYTES, BYTES, INNER];
    let inner = [LIST, BYTES, BYTES, INT, BYTES];
    let mut stream = Vec::new();
    message(&mut stream, |body| {
        struct_definition(
            body,
            OUTER,
            "SparseCompactMerkleClosestProof",
            &OUTER_FIELDS,
            &outer,
        );
    });
    message(&mut stream, |body| {
        list_definition(body, LIST, "[][]uint8", BYTES)
    });
    message(&mut stream, |body| {
        struct_definition(
            body,
            INNER,
            "SparseCompactMerkleProof",
            &INNER_FIELDS,
            &inner,
        );
    });
    stream
});

/// Writes a proof as the reference does, byte for byte.
pub fn encode_proof(proof: &CompactProof) -> Vec<u8> {
    let mut stream = DEFINITIONS.clone();
    message(&mut stream, |body| {
        int(body, OUTER);
        Struct::new(body)
            .bytes(0, &proof.path)
            .list(1, &proof.flipped_bits)
            .bytes(2, &proof.depth)
            .bytes(3, &proof.closest_path)
            .bytes(4, &proof.closest_value_hash)
            .inner(5, proof.closest_proof.as_ref())
            .end();
    });
    stream
}

fn struct_definition(body: &mut Vec<u8>, id: i64, name: &str, fields: &[&str], types: &[i64]) {
    int(body, -id);
    // The third alternative of Go's wireType: a struct of common part (name, id) and fields (name,
    // type id).
    body.extend([3, 1]);
    named(body, name, id);
    body.push(1);
    uint(body, fields.len() as u64);
    for (name, id) in fields.iter().zip(types) {
        named(body, name, *id);
    }
    body.extend([0, 0]);
}

fn list_definition(body: &mut Vec<u8>, id: i64, name: &str, element: i64) {
    int(body, -id);
    // The second alternative: common part and element type.
    body.extend([2, 1]);
    named(body, name, id);
    body.push(1);
    int(body, element);
    body.extend([0, 0]);
}

fn named(body: &mut Vec<u8>, name: &str, id: i64) {
    body.push(1);
    bytes(body, name.as_bytes());
    body.push(1);
    int(body, id);
    body.push(0);
}

fn message(stream: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    let mut body = Vec::new();
    write(&mut body);
    bytes(stream, &body);
}

pub(super) fn uint(out: &mut Vec<u8>, number: u64) {
    if number < 128 {
        out.push(number as u8);
        return;
    }
    let skipped = number.leading_zeros() as usize / 8;
    let kept = &number.to_be_bytes()[skipped..];
    out.push((kept.len() as u8).wrapping_neg());
    out.extend_from_slice(kept);
}

pub(super) fn int(out: &mut Vec<u8>, number: i64) {
    let magnitude = if number < 0 { !number } else { number } as u64;
    uint(out, magnitude << 1 | u64::from(number < 0));
}

pub(super) fn bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    uint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Writes the fields of a struct that are not zero.
struct Struct<'a> {
    out: &'a mut Vec<u8>,
    previous: i64,
}

impl<'a> Struct<'a> {
    fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out, previous: -1 }
    }

    fn field(&mut self, index: i64) {
        uint(self.out, (index - self.previous) as u64);
        self.previous = index;
    }

    fn bytes(mut self, index: i64, value: &[u8]) -> Self {
        if !value.is_empty() {
            self.field(index);
            bytes(self.out, value);
        }
        self
    }

    fn list(mut self, index: i64, values: &[Vec<u8>]) -> Self {
        if !values.is_empty() {
            self.field(index);
            uint(self.out, values.len() as u64);
            values.iter().for_each(|value| bytes(self.out, value));
        }
        self
    }

    fn int(mut self, index: i64, value: i64) -> Self {
        if value != 0 {
            self.field(index);
            int(self.out, value);
        }
        self
    }

    fn inner(mut self, index: i64, inner: Option<&CompactInner>) -> Self {
        if let Some(inner) = inner {
            self.field(index);
            Struct::new(self.out)
                .list(0, &inner.side_nodes)
                .bytes(1, &inner.non_membership_leaf_data)
                .bytes(2, &inner.bit_mask)
                .int(3, inner.num_side_nodes)
                .bytes(4, &inner.sibling_data)
                .end();
        }
        self
    }

    fn end(self) {
        self.out.push(0);
    }
}
