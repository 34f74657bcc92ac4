//! State as a map of bytes to bytes, at many heights.
//!
//! [`View`] is what execution reads: one immutable height. [`Disk`] keeps the heights: the newest
//! values in one table, superseded ones in another ordered by key and then by falling height, so that the last height
//! never meets what is gone and an older one is one seek more; a Jellyfish Merkle tree over SHA-256 of keys and values
//! gives the root, which is the app hash. A commit is one fsynced transaction that also
//! drops the versions that nobody may read any more. [`Memory`] is a view for tests and for genesis.

use std::collections::BTreeMap;
use std::ops::Bound;

use crate::error::ChainError;

mod disk;
mod import;
mod layered;
mod snapshot;
mod tree;

pub use disk::{Batch, Disk, Recorded};
pub use import::Import;
pub use layered::Layered;
pub(crate) use layered::layered_range;
pub use snapshot::Snapshot;
pub use tree::Proof;

/// Root of the tree over the whole state: the app hash.
pub type Root = [u8; 32];

/// What a store of state must be able to do. [`Disk`] is ours; the trait keeps the choice of its engine open.
pub trait Store: Send + Sync {
    /// The root at a height.
    ///
    /// # Errors
    /// When the height is not kept.
    fn root(&self, height: i64) -> Result<Root, ChainError>;

    /// The root after changes to the last height, and all that must be written for it. Writes nothing.
    ///
    /// # Errors
    /// When the store fails or `height` does not follow the last one.
    fn apply(&self, height: i64, changes: Changes) -> Result<Batch, ChainError>;

    /// A value at a height.
    ///
    /// # Errors
    /// When the height is not kept.
    fn get(&self, height: i64, key: &[u8]) -> Result<Option<Vec<u8>>, ChainError>;

    /// A proof that a key has its value at a height, or has none.
    ///
    /// # Errors
    /// When the height is not kept.
    fn prove(&self, height: i64, key: &[u8]) -> Result<Proof, ChainError>;
}

/// Key and value.
pub type Pair = (Vec<u8>, Vec<u8>);

/// A change of one key: its new value, or `None` when removed.
pub type Changes = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// The state at one height, immutable.
pub trait View: Send + Sync {
    /// The value under a key.
    ///
    /// # Errors
    /// When the store fails.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, ChainError>;

    /// Pairs between two bounds in key order, or in reverse order, at most `limit`.
    ///
    /// # Errors
    /// When the store fails.
    fn range(
        &self,
        from: Bound<&[u8]>,
        to: Bound<&[u8]>,
        reverse: bool,
        limit: usize,
    ) -> Result<Vec<Pair>, ChainError>;
}

/// A view held in memory.
#[derive(Clone, Debug, Default)]
pub struct Memory(BTreeMap<Vec<u8>, Vec<u8>>);

impl Memory {
    /// Nothing under any key.
    pub fn new() -> Self {
        Self::default()
    }

    /// Applies changes.
    pub fn apply(&mut self, changes: Changes) {
        for (key, value) in changes {
            match value {
                Some(value) => self.0.insert(key, value),
                None => self.0.remove(&key),
            };
        }
    }
}

impl View for Memory {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, ChainError> {
        Ok(self.0.get(key).cloned())
    }

    fn range(
        &self,
        from: Bound<&[u8]>,
        to: Bound<&[u8]>,
        reverse: bool,
        limit: usize,
    ) -> Result<Vec<Pair>, ChainError> {
        if is_empty_range(from, to) {
            return Ok(Vec::new());
        }
        let range = self.0.range::<[u8], _>((from, to));
        let owned = |(key, value): (&Vec<u8>, &Vec<u8>)| (key.clone(), value.clone());
        Ok(if reverse {
            range.rev().take(limit).map(owned).collect()
        } else {
            range.take(limit).map(owned).collect()
        })
    }
}

/// Whether no key can lie between the bounds; `BTreeMap::range` panics on some of them.
pub(crate) fn is_empty_range(from: Bound<&[u8]>, to: Bound<&[u8]>) -> bool {
    match (from, to) {
        (Bound::Unbounded, _) | (_, Bound::Unbounded) => false,
        (Bound::Included(from), Bound::Included(to)) => from > to,
        (
            Bound::Included(from) | Bound::Excluded(from),
            Bound::Included(to) | Bound::Excluded(to),
        ) => from >= to,
    }
}

/// The first key after all keys with this prefix; `None` when there is none.
pub fn prefix_end(prefix: &[u8]) -> Option<Vec<u8>> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if let Some(next) = last.checked_add(1) {
            end.push(next);
            return Some(end);
        }
    }
    None
}
