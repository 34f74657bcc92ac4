//! Verification of closest proofs: as the chain does it, and with what it leaves out
//! (relay-protocol.md §5.6, §9).
//!
//! The reference lets the prover choose depth and flipped bits freely, so its check alone does not
//! bind the leaf to the challenge. [`verify_closest_strict`] does; every honest proof passes both.
#![deny(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used
)]

use super::digest::{
    EXTENSION, append, bit, count, counted_leaf_digest, inner_digest, run_digest, sum,
};
use super::proof::{CompactProof, Expanded, form};
use super::{Digest, EMPTY, Path, Root};
use crate::error::Error;
use crate::hash::sha256;
use crate::limits::MAX_DEPTH;

/// The leaf that a verified proof opens. What it must be (its path the double hash of its value,
/// its weight that of the service, a canonical relay) is the protocol's to check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProvenLeaf<'a> {
    /// Path of the leaf.
    pub path: Path,
    /// Its value: the relay.
    pub value: &'a [u8],
    /// Its weight in compute units.
    pub weight: u64,
    /// Its count; 1 in an honest trie.
    pub count: u64,
}

/// Verifies by the reference's rules. The challenge is the proof's own: the caller compares
/// `proof.path`.
///
/// # Errors
/// [`Error::ProofForm`] or [`Error::ProofMismatch`].
pub fn verify_closest<'a>(root: &Root, proof: &'a CompactProof) -> Result<ProvenLeaf<'a>, Error> {
    let expanded = proof.spread()?;
    check_way(&expanded)?;
    check_sibling(&expanded)?;
    climb(root, &expanded, Additions::Wrap)
}

/// Verifies by the reference's rules and these: the challenge is `challenge`; the leaf's depth is
/// the number of side nodes, of 48 bytes each; flipped bits ascend, lie above the leaf, and each
/// leads away from an empty half (H1); the leaf counts one (H3); no sum or count wraps (H4).
///
/// # Errors
/// [`Error::ProofForm`] or [`Error::ProofMismatch`].
pub fn verify_closest_strict<'a>(
    root: &Root,
    challenge: &Path,
    proof: &'a CompactProof,
) -> Result<ProvenLeaf<'a>, Error> {
    let expanded = proof.spread()?;
    if expanded.path != *challenge {
        return Err(mismatch("its path is not the challenge"));
    }
    check_strict_form(&expanded)?;
    check_way(&expanded)?;
    check_sibling(&expanded)?;
    let leaf = climb(root, &expanded, Additions::Check)?;
    if leaf.count != 1 {
        return Err(mismatch("the leaf does not count one"));
    }
    Ok(leaf)
}

/// H1, and the form of honest proofs.
fn check_strict_form(proof: &Expanded<'_>) -> Result<(), Error> {
    if usize::from(proof.depth) != proof.side_nodes.len() {
        return Err(form("the depth is not the number of side nodes"));
    }
    if proof
        .side_nodes
        .iter()
        .any(|node| node.len() != EMPTY.len())
    {
        return Err(form("a side node is not 48 bytes"));
    }
    if !proof.non_membership_leaf_data.is_empty() {
        return Err(form("it holds non-membership data"));
    }
    if !proof.flipped_bits.is_sorted_by(|one, next| one < next) {
        return Err(form("flipped bits do not ascend"));
    }
    for &flipped in &proof.flipped_bits {
        // Side nodes run from the leaf up, bits from the root down.
        let node = proof.side_nodes.iter().rev().nth(flipped.into());
        if node.ok_or(form("a flipped bit is not above the leaf"))? != &EMPTY {
            return Err(mismatch("a bit is flipped although its half is not empty"));
        }
    }
    Ok(())
}

/// Step 3: the challenge with its flipped bits leads to the leaf.
fn check_way(proof: &Expanded<'_>) -> Result<(), Error> {
    let depth = usize::from(proof.depth);
    if depth > MAX_DEPTH {
        return Err(form("the depth is above 256"));
    }
    let mut way = proof.path;
    for &flipped in &proof.flipped_bits {
        if flipped > proof.depth {
            return Err(form("a flipped bit is below the leaf"));
        }
        let byte = way
            .get_mut(usize::from(flipped / 8))
            .ok_or(form("a flipped bit is above 255"))?;
        *byte ^= 0x80u8.wrapping_shr(u32::from(flipped % 8));
    }
    if (0..depth).any(|index| bit(&way, index) != bit(&proof.closest_path, index)) {
        return Err(mismatch("the challenge does not lead to the leaf"));
    }
    Ok(())
}

/// Step 4: the sibling's encoding, if there is one, hashes to the first side node.
fn check_sibling(proof: &Expanded<'_>) -> Result<(), Error> {
    let Some(first) = proof.side_nodes.first() else {
        return Ok(());
    };
    if proof.sibling_data.is_empty() {
        return Ok(());
    }
    if proof
        .side_nodes
        .iter()
        .any(|node| node.len() != EMPTY.len())
    {
        return Err(form("a side node is not 48 bytes"));
    }
    let digest =
        encoding_digest(proof.sibling_data).ok_or(form("the sibling's encoding is too short"))?;
    if digest != **first {
        return Err(mismatch(
            "the sibling's encoding is not that of the first side node",
        ));
    }
    Ok(())
}

/// The digest of a node's encoding.
fn encoding_digest(encoding: &[u8]) -> Option<Digest> {
    if let [EXTENSION, start, end, rest @ ..] = encoding {
        let (path, rest) = rest.split_first_chunk()?;
        let (child, rest) = rest.split_first_chunk()?;
        return (rest.len() == 16)
            .then(|| run_digest(path, usize::from(*start), usize::from(*end), *child));
    }
    let (_, tail) = encoding.split_last_chunk()?;
    Some(append(sha256(encoding), tail))
}

#[derive(Clone, Copy, PartialEq)]
enum Additions {
    Wrap,
    Check,
}

/// Steps 5 to 7: hashes from the leaf to the root.
fn climb<'a>(
    root: &Root,
    proof: &Expanded<'a>,
    additions: Additions,
) -> Result<ProvenLeaf<'a>, Error> {
    let mut current = counted_leaf_digest(&proof.closest_path, proof.counted_value, proof.tail);
    let leaf = ProvenLeaf {
        path: proof.closest_path,
        value: proof.value,
        weight: sum(&current),
        count: count(&current),
    };
    if leaf.value.is_empty() && leaf.weight == 0 {
        return Err(mismatch("the leaf is empty"));
    }
    let depths = (0..proof.side_nodes.len()).rev();
    for (node, depth) in proof.side_nodes.iter().zip(depths) {
        let side = padded(node);
        let fits = sum(&current).checked_add(sum(&side)).is_some()
            && count(&current).checked_add(count(&side)).is_some();
        if additions == Additions::Check && !fits {
            return Err(mismatch("a sum or count exceeds 64 bits"));
        }
        current = if bit(&proof.closest_path, depth) {
            inner_digest(&side, &current)
        } else {
            inner_digest(&current, &side)
        };
    }
    if current != root.0 {
        return Err(mismatch("it leads to another root"));
    }
    Ok(leaf)
}

/// A side node cut or filled with zeros to 48 bytes, as the reference's copy does.
fn padded(node: &[u8]) -> Digest {
    let mut digest = EMPTY;
    digest
        .iter_mut()
        .zip(node)
        .for_each(|(target, byte)| *target = *byte);
    digest
}

fn mismatch(reason: &'static str) -> Error {
    Error::ProofMismatch { reason }
}
