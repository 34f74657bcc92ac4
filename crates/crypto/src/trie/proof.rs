//! Closest proofs, in full and in the compact form that goes on chain (relay-protocol.md §5.3,
//! §5.4).
#![deny(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used
)]

use super::{Digest, EMPTY, Path};
use crate::error::Error;
use crate::limits::MAX_DEPTH;

/// The proof that a challenge draws a certain leaf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClosestProof {
    /// The challenge.
    pub path: Path,
    /// Bits of the challenge that had to be flipped, ascending.
    pub flipped_bits: Vec<u16>,
    /// Depth of the leaf, 0 to 256.
    pub depth: u16,
    /// Path of the leaf.
    pub closest_path: Path,
    /// Value of the leaf, then its weight and count in eight bytes each. (The name is the
    /// reference's: it is no hash.)
    pub closest_value_hash: Vec<u8>,
    /// Digests beside the way, from the leaf to the root.
    pub side_nodes: Vec<Digest>,
    /// Encoding of the leaf's sibling, or empty.
    pub sibling_data: Vec<u8>,
}

/// A closest proof as it is sent: empty side nodes become bits of a mask. Nothing in it has been
/// checked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CompactProof {
    /// The challenge; 32 bytes.
    pub path: Vec<u8>,
    /// Flipped bits, each a big-endian number.
    pub flipped_bits: Vec<Vec<u8>>,
    /// Depth, a big-endian number.
    pub depth: Vec<u8>,
    /// Path of the leaf; 32 bytes.
    pub closest_path: Vec<u8>,
    /// As in [`ClosestProof::closest_value_hash`].
    pub closest_value_hash: Vec<u8>,
    /// The Merkle proof; honest proofs have one.
    pub closest_proof: Option<CompactInner>,
}

/// The Merkle proof inside a [`CompactProof`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CompactInner {
    /// Side nodes that are not empty, from the leaf to the root.
    pub side_nodes: Vec<Vec<u8>>,
    /// Always empty in a closest proof.
    pub non_membership_leaf_data: Vec<u8>,
    /// Bit i, most significant first, is set when side node i is empty.
    pub bit_mask: Vec<u8>,
    /// All side nodes, the empty ones too.
    pub num_side_nodes: i64,
    /// As in [`ClosestProof::sibling_data`].
    pub sibling_data: Vec<u8>,
}

/// A compact proof spread out as the reference does before it verifies. Lengths of side nodes are
/// not checked yet.
#[derive(Debug)]
pub(super) struct Expanded<'a> {
    pub(super) path: Path,
    pub(super) flipped_bits: Vec<u16>,
    pub(super) depth: u16,
    pub(super) closest_path: Path,
    pub(super) value: &'a [u8],
    /// Weight and count.
    pub(super) tail: &'a [u8; 16],
    /// Value, weight and count.
    pub(super) counted_value: &'a [u8],
    /// From the leaf to the root.
    pub(super) side_nodes: Vec<&'a [u8]>,
    pub(super) non_membership_leaf_data: &'a [u8],
    pub(super) sibling_data: &'a [u8],
}

impl ClosestProof {
    /// The compact form.
    pub fn compact(&self) -> CompactProof {
        let mut bit_mask = vec![0u8; self.side_nodes.len().div_ceil(8)];
        for (byte, nodes) in bit_mask.iter_mut().zip(self.side_nodes.chunks(8)) {
            for (node, bit) in nodes.iter().zip(mask_bits()) {
                if *node == EMPTY {
                    *byte |= bit;
                }
            }
        }
        let kept = self.side_nodes.iter().filter(|node| **node != EMPTY);
        CompactProof {
            path: self.path.to_vec(),
            flipped_bits: self
                .flipped_bits
                .iter()
                .copied()
                .map(minimal_bytes)
                .collect(),
            depth: minimal_bytes(self.depth),
            closest_path: self.closest_path.to_vec(),
            closest_value_hash: self.closest_value_hash.clone(),
            closest_proof: Some(CompactInner {
                side_nodes: kept.map(|node| node.to_vec()).collect(),
                non_membership_leaf_data: Vec::new(),
                bit_mask,
                num_side_nodes: self.side_nodes.len() as i64,
                sibling_data: self.sibling_data.clone(),
            }),
        }
    }
}

impl CompactProof {
    /// The full form, for display and comparison. Verification does not need it.
    ///
    /// # Errors
    /// [`Error::ProofForm`] when lengths or numbers do not fit together.
    pub fn expand(&self) -> Result<ClosestProof, Error> {
        let expanded = self.spread()?;
        let side_nodes: Result<Vec<Digest>, _> = expanded
            .side_nodes
            .iter()
            .map(|&node| Digest::try_from(node))
            .collect();
        Ok(ClosestProof {
            path: expanded.path,
            flipped_bits: expanded.flipped_bits,
            depth: expanded.depth,
            closest_path: expanded.closest_path,
            closest_value_hash: self.closest_value_hash.clone(),
            side_nodes: side_nodes.map_err(|_| form("a side node is not 48 bytes"))?,
            sibling_data: expanded.sibling_data.to_vec(),
        })
    }

    /// Steps 1 and 2 of relay-protocol.md §5.6, and errors where the reference would panic.
    pub(super) fn spread(&self) -> Result<Expanded<'_>, Error> {
        let inner = self
            .closest_proof
            .as_ref()
            .ok_or(form("it holds no Merkle proof"))?;
        let flipped: Option<Vec<u16>> = self
            .flipped_bits
            .iter()
            .map(|bytes| number(bytes))
            .collect();
        let (value, tail) = self
            .closest_value_hash
            .split_last_chunk()
            .ok_or(form("the value lacks its weight and count"))?;
        Ok(Expanded {
            path: array(&self.path, "the challenge path is not 32 bytes")?,
            flipped_bits: flipped.ok_or(form("a flipped bit has more than two bytes"))?,
            depth: number(&self.depth).ok_or(form("the depth has more than two bytes"))?,
            closest_path: array(&self.closest_path, "the leaf's path is not 32 bytes")?,
            value,
            tail,
            counted_value: &self.closest_value_hash,
            side_nodes: inner.spread()?,
            non_membership_leaf_data: &inner.non_membership_leaf_data,
            sibling_data: &inner.sibling_data,
        })
    }
}

impl CompactInner {
    /// Side nodes with the empty ones at their places.
    fn spread(&self) -> Result<Vec<&[u8]>, Error> {
        let number = usize::try_from(self.num_side_nodes)
            .ok()
            .filter(|number| *number <= MAX_DEPTH)
            .ok_or(form("the number of side nodes is not within 0 to 256"))?;
        if self.bit_mask.len() != number.div_ceil(8) {
            return Err(form(
                "the mask's length does not fit the number of side nodes",
            ));
        }
        let empty: usize = self
            .bit_mask
            .iter()
            .map(|byte| byte.count_ones() as usize)
            .sum();
        if number > 0 && Some(self.side_nodes.len()) != number.checked_sub(empty) {
            return Err(form("the number of side nodes does not fit the mask"));
        }
        let mut kept = self.side_nodes.iter();
        let bits = self
            .bit_mask
            .iter()
            .flat_map(|byte| mask_bits().map(move |bit| byte & bit != 0));
        bits.take(number)
            .map(|empty| match empty {
                true => Some(&EMPTY[..]),
                false => kept.next().map(Vec::as_slice),
            })
            .collect::<Option<_>>()
            .ok_or(form("the mask has bits beyond the side nodes"))
    }
}

/// The bits of a mask's byte, most significant first.
fn mask_bits() -> impl Iterator<Item = u8> {
    (0..8u32).map(|shift| 0x80u8.wrapping_shr(shift))
}

/// Big-endian bytes without leading zeros; one zero byte for zero.
fn minimal_bytes(number: u16) -> Vec<u8> {
    match number.to_be_bytes() {
        [0, low] => vec![low],
        both => both.to_vec(),
    }
}

/// A big-endian number of at most two bytes.
fn number(bytes: &[u8]) -> Option<u16> {
    match *bytes {
        [] => Some(0),
        [low] => Some(low.into()),
        [high, low] => Some(u16::from_be_bytes([high, low])),
        _ => None,
    }
}

fn array(bytes: &[u8], reason: &'static str) -> Result<Path, Error> {
    bytes.try_into().map_err(|_| form(reason))
}

pub(super) fn form(reason: &'static str) -> Error {
    Error::ProofForm { reason }
}
