//! State as a map of bytes to bytes, at many heights.
//!
//! [`View`] is what execution reads: one immutable height. `Memory` is a view for tests and for genesis.

use std::collections::BTreeMap;
use std::ops::Bound;

use crate::error::ChainError;

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
