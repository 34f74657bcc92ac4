//! The sparse Merkle sum trie of a session: what a claim commits to and a proof opens.
//!
//! Every mined relay is a leaf at the path SHA-256(SHA-256(relay)), with the compute units of its
//! service as weight. A digest is 48 bytes, `SHA-256 ‖ sum ‖ count`, and the root's sum and count
//! are what the claim asks to be paid (relay-protocol.md §5). The relays themselves stay in the
//! session's log: the trie holds a path, a digest and a log position for each, and loads a value
//! only to prove it.
//!
//! Nothing is hashed until [`Trie::seal`], which sorts the leaves and hashes every inner node once,
//! in parallel.
//!
//! Invariants
//! - the root depends on the set of (path, value, weight) only, not on the order of insertion;
//! - a subtree of one leaf is that leaf; one of more is an inner node at its depth, even where all
//!   leaves share the next bit, so the digest of a run of shared bits is hashed bit by bit;
//! - sums and counts wrap modulo 2^64 as the reference's do; [`verify_closest_strict`] refuses
//!   where they do.
//!
//! Start with [`Trie::insert`]; proofs are in [`ClosestProof`], their checks in
//! [`verify_closest_strict`].

mod digest;
mod proof;
mod sealed;
#[cfg(test)]
mod tests;
mod verify;

use std::collections::HashMap;

pub use self::digest::{Digest, EMPTY, Path, Root, leaf_digest, value_path};
pub use self::proof::{ClosestProof, CompactInner, CompactProof};
pub use self::sealed::{SealedTrie, SiblingData};
pub use self::verify::{ProvenLeaf, verify_closest, verify_closest_strict};

/// What the trie keeps of a relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leaf {
    /// SHA-256(SHA-256(relay)), see [`value_path`].
    pub path: Path,
    /// See [`leaf_digest`].
    pub digest: Digest,
    /// Where the caller finds the value again.
    pub position: u64,
}

impl Leaf {
    /// The leaf's weight in compute units.
    pub fn weight(&self) -> u64 {
        digest::sum(&self.digest)
    }
}

/// A trie that grows: an arena of leaves.
#[derive(Debug, Default)]
pub struct Trie {
    leaves: Vec<Leaf>,
    /// Index in `leaves` by path. Looked up only, never walked: its order is random.
    by_path: HashMap<Path, usize>,
}

impl Trie {
    /// A trie without leaves.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a leaf. The last write to a path wins; the position that it replaces is returned.
    pub fn insert(&mut self, path: Path, digest: Digest, position: u64) -> Option<u64> {
        let leaf = Leaf {
            path,
            digest,
            position,
        };
        let index = *self.by_path.entry(path).or_insert(self.leaves.len());
        match self.leaves.get_mut(index) {
            Some(present) => Some(std::mem::replace(present, leaf).position),
            None => {
                self.leaves.push(leaf);
                None
            }
        }
    }

    /// Whether a leaf has this path.
    pub fn contains(&self, path: &Path) -> bool {
        self.by_path.contains_key(path)
    }

    /// Number of leaves.
    pub fn len(&self) -> usize {
        self.leaves.len()
    }

    /// Whether there is no leaf.
    pub fn is_empty(&self) -> bool {
        self.leaves.is_empty()
    }

    /// Hashes all inner nodes, on as many threads as there are cores when it is worth it. Takes
    /// 64 ms of wall time for 100,000 leaves on a busy machine of two cores.
    pub fn seal(self) -> SealedTrie {
        SealedTrie::new(self.leaves)
    }
}
