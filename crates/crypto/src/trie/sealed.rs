//! A trie whose leaves are final: root and proofs.
//!
//! The leaves are sorted by path, so a subtree is a range of them. A range of two or more splits
//! where its first and last path first differ; n leaves make n - 1 splits, and the split before
//! leaf k is kept at index k - 1. Thus no child pointers are needed, and disjoint ranges own
//! disjoint parts of the arena, which lets threads fill them.

use std::thread;

use super::digest::{
    bit, extension_encoding, inner_digest, inner_encoding, leaf_digest, leaf_encoding, run_digest,
};
use super::{ClosestProof, Digest, EMPTY, Leaf, Path, Root};
use crate::error::Error;
use crate::limits::SEAL_LEAVES_PER_THREAD;

/// Whether a proof carries the full encoding of the proven leaf's sibling. The reference sends it
/// and verifies without it too; leaving it out halves a proof (relay-protocol.md §5.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SiblingData {
    /// Send it, as the reference does. Loads a second value when the sibling is a leaf.
    Include,
    /// Leave it empty.
    Omit,
}

/// Digests of the two halves of a split, each seen from the bit below it.
#[derive(Debug, Clone, Copy)]
struct Split {
    left: Digest,
    right: Digest,
}

/// A trie after [`super::Trie::seal`].
#[derive(Debug)]
pub struct SealedTrie {
    leaves: Vec<Leaf>,
    splits: Vec<Split>,
    root: Root,
}

/// Where a challenge leads.
struct Walk {
    /// Index of the drawn leaf.
    index: usize,
    /// Bits of the challenge that lead into an empty half.
    flipped: Vec<u16>,
    /// Digests of the halves not taken, from the root down.
    sides: Vec<Digest>,
    /// First and last-plus-one leaf of the sibling of the drawn leaf.
    sibling: std::ops::Range<usize>,
}

impl SealedTrie {
    pub(super) fn new(leaves: Vec<Leaf>) -> Self {
        Self::with_threads(
            leaves,
            thread::available_parallelism().map_or(1, usize::from),
        )
    }

    pub(super) fn with_threads(mut leaves: Vec<Leaf>, threads: usize) -> Self {
        leaves.sort_unstable_by_key(|leaf| leaf.path);
        let splits = leaves.len().saturating_sub(1);
        let mut splits = vec![
            Split {
                left: EMPTY,
                right: EMPTY
            };
            splits
        ];
        let root = Root(hash(&leaves, &mut splits, 0, threads));
        Self {
            leaves,
            splits,
            root,
        }
    }

    /// The root. 48 zero bytes without leaves, which no claim may carry.
    pub fn root(&self) -> Root {
        self.root
    }

    /// Number of leaves.
    pub fn len(&self) -> usize {
        self.leaves.len()
    }

    /// Whether there is no leaf.
    pub fn is_empty(&self) -> bool {
        self.leaves.is_empty()
    }

    /// The leaves in order of their paths.
    pub fn leaves(&self) -> &[Leaf] {
        &self.leaves
    }

    /// The leaf that `challenge` draws: the one whose value a proof needs. `None` without leaves.
    pub fn draw(&self, challenge: &Path) -> Option<&Leaf> {
        self.leaves.get(self.walk(challenge).index)
    }

    /// The proof for `challenge` (relay-protocol.md §5.3). `load` returns the value of a leaf,
    /// given its log position; it is called for the drawn leaf and, with [`SiblingData::Include`],
    /// perhaps for its sibling.
    ///
    /// # Errors
    /// [`Error::EmptyTrie`]; [`Error::LeafMismatch`] when a loaded value is not the inserted one;
    /// whatever `load` returns.
    pub fn prove<E: From<Error>>(
        &self,
        challenge: &Path,
        sibling_data: SiblingData,
        mut load: impl FnMut(&Leaf) -> Result<Vec<u8>, E>,
    ) -> Result<ClosestProof, E> {
        let walk = self.walk(challenge);
        let leaf = self.leaves.get(walk.index).ok_or(Error::EmptyTrie)?;
        let mut checked = |leaf: &Leaf| {
            let value = load(leaf)?;
            let same = leaf_digest(&leaf.path, &value, leaf.weight()) == leaf.digest;
            same.then_some(value).ok_or(E::from(Error::LeafMismatch {
                position: leaf.position,
            }))
        };
        let mut closest_value_hash = checked(leaf)?;
        closest_value_hash.extend_from_slice(&leaf.digest[32..]);
        let sibling_data = match sibling_data {
            SiblingData::Omit => Vec::new(),
            SiblingData::Include => match &self.leaves[walk.sibling.clone()] {
                [] => Vec::new(),
                [sibling] => leaf_encoding(&sibling.path, &checked(sibling)?, sibling.weight()),
                [first, .., last] => self.node_encoding(first, last, &walk),
            },
        };
        Ok(ClosestProof {
            path: *challenge,
            flipped_bits: walk.flipped,
            depth: walk.sides.len() as u16,
            closest_path: leaf.path,
            closest_value_hash,
            side_nodes: walk.sides.into_iter().rev().collect(),
            sibling_data,
        })
    }

    /// Encoding of the sibling when it is a subtree of two leaves or more.
    fn node_encoding(&self, first: &Leaf, last: &Leaf, walk: &Walk) -> Vec<u8> {
        let start = walk.sides.len();
        let end = first_difference(&first.path, &last.path);
        let split = &self.splits[self.middle(&walk.sibling, end) - 1];
        if start == end {
            return inner_encoding(&split.left, &split.right).to_vec();
        }
        let child = inner_digest(&split.left, &split.right);
        // Both are bits in which paths of 256 bits differ, so at most 255.
        extension_encoding(start as u8, end as u8, &first.path, &child)
    }

    /// Follows a challenge to a leaf.
    fn walk(&self, challenge: &Path) -> Walk {
        let mut range = 0..self.leaves.len();
        let mut walk = Walk {
            index: 0,
            flipped: Vec::new(),
            sides: Vec::new(),
            sibling: 0..0,
        };
        while let [first, .., last] = &self.leaves[range.clone()] {
            let end = first_difference(&first.path, &last.path);
            for index in walk.sides.len()..end {
                if bit(challenge, index) != bit(&first.path, index) {
                    walk.flipped.push(index as u16);
                }
                walk.sides.push(EMPTY);
            }
            let middle = self.middle(&range, end);
            let split = &self.splits[middle - 1];
            let (left, right) = (range.start..middle, middle..range.end);
            if bit(challenge, end) {
                walk.sides.push(split.left);
                (range, walk.sibling) = (right, left);
            } else {
                walk.sides.push(split.right);
                (range, walk.sibling) = (left, right);
            }
        }
        walk.index = range.start;
        walk
    }

    /// Index of the first leaf of `range` whose bit `split_bit` is set.
    fn middle(&self, range: &std::ops::Range<usize>, split_bit: usize) -> usize {
        let leaves = &self.leaves[range.clone()];
        range.start + leaves.partition_point(|leaf| !bit(&leaf.path, split_bit))
    }
}

/// The digest of `leaves` as a subtree whose next bit is `depth`; fills `splits`, one fewer than
/// leaves.
fn hash(leaves: &[Leaf], splits: &mut [Split], depth: usize, threads: usize) -> Digest {
    let (first, last) = match leaves {
        [] => return EMPTY,
        [leaf] => return leaf.digest,
        [first, .., last] => (first, last),
    };
    let end = first_difference(&first.path, &last.path);
    let middle = leaves.partition_point(|leaf| !bit(&leaf.path, end));
    let (left_leaves, right_leaves) = leaves.split_at(middle);
    let (left_splits, rest) = splits.split_at_mut(middle - 1);
    let (split, right_splits) = rest
        .split_first_mut()
        // The first path has bit `end` clear and the last has it set, so the middle leaves a leaf
        // on either side.
        .expect("two leaves or more have a split between them");
    if threads > 1 && leaves.len() >= 2 * SEAL_LEAVES_PER_THREAD {
        let (left_threads, right_threads) = (threads / 2, threads - threads / 2);
        thread::scope(|scope| {
            let left = scope.spawn(|| hash(left_leaves, left_splits, end + 1, left_threads));
            split.right = hash(right_leaves, right_splits, end + 1, right_threads);
            split.left = left.join().expect("hashing never panics");
        });
    } else {
        split.left = hash(left_leaves, left_splits, end + 1, 1);
        split.right = hash(right_leaves, right_splits, end + 1, 1);
    }
    run_digest(
        &first.path,
        depth,
        end,
        inner_digest(&split.left, &split.right),
    )
}

/// The first bit in which two different paths differ.
fn first_difference(one: &Path, other: &Path) -> usize {
    one.iter()
        .zip(other)
        .enumerate()
        .find(|(_, (one, other))| one != other)
        .map_or(256, |(index, (one, other))| {
            8 * index + (one ^ other).leading_zeros() as usize
        })
}
