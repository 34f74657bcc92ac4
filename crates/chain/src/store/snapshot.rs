//! The state at one committed height, read from disk; later commits do not change it.

use std::ops::Bound;

use redb::ReadOnlyTable;

use crate::error::ChainError;
use crate::limits::WALK_STEPS;
use crate::store::disk::store_error;
use crate::store::{Pair, View, is_empty_range};

/// Values: key and inverted height to value, or nothing where the key was removed.
pub(super) type ValueTable = ReadOnlyTable<(&'static [u8], u64), Option<&'static [u8]>>;

/// Inverted height and value of an entry.
type Entry = (u64, Option<Vec<u8>>);

/// An immutable view of one height.
pub struct Snapshot {
    values: ValueTable,
    /// The height, inverted as in the table's keys: larger is older.
    inverted: u64,
    height: i64,
}

impl std::fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Snapshot")
            .field("height", &self.height)
            .finish_non_exhaustive()
    }
}

impl Snapshot {
    pub(super) fn new(values: ValueTable, height: i64) -> Self {
        Self {
            values,
            inverted: invert(height),
            height,
        }
    }

    /// The height that is seen.
    pub fn height(&self) -> i64 {
        self.height
    }

    /// The newest entry of a key up to this height: its inverted height and its value.
    pub(super) fn entry(&self, key: &[u8]) -> Result<Option<Entry>, ChainError> {
        let versions = (key, self.inverted)..=(key, u64::MAX);
        let Some(entry) = self.values.range(versions).map_err(store_error)?.next() else {
            return Ok(None);
        };
        let (stored, value) = entry.map_err(store_error)?;
        Ok(Some((stored.value().1, value.value().map(<[u8]>::to_vec))))
    }

    fn forward(
        &self,
        from: Bound<&[u8]>,
        to: Bound<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Pair>, ChainError> {
        let mut out: Vec<Pair> = Vec::new();
        let high = match to {
            Bound::Included(key) => Bound::Included((key, u64::MAX)),
            Bound::Excluded(key) => Bound::Excluded((key, 0)),
            Bound::Unbounded => Bound::Unbounded,
        };
        // The key whose entries have been dealt with; the walk goes on after it.
        let mut done: Option<Vec<u8>> = None;
        'seek: loop {
            let low = match (&done, from) {
                (Some(key), _) => Bound::Excluded((key.as_slice(), u64::MAX)),
                (None, Bound::Excluded(key)) => Bound::Excluded((key, u64::MAX)),
                (None, Bound::Included(key)) => Bound::Included((key, 0)),
                (None, Bound::Unbounded) => Bound::Unbounded,
            };
            let mut stepped = 0_usize;
            for entry in self.values.range((low, high)).map_err(store_error)? {
                let (stored, value) = entry.map_err(store_error)?;
                let (key, inverted) = stored.value();
                if done.as_deref() == Some(key) || inverted < self.inverted {
                    stepped = stepped.saturating_add(1);
                    if done.as_deref() == Some(key) && stepped > WALK_STEPS {
                        continue 'seek;
                    }
                    continue;
                }
                stepped = 0;
                if let Some(value) = value.value() {
                    out.push((key.to_vec(), value.to_vec()));
                    if out.len() >= limit {
                        return Ok(out);
                    }
                }
                done = Some(key.to_vec());
            }
            return Ok(out);
        }
    }

    fn backward(
        &self,
        from: Bound<&[u8]>,
        to: Bound<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Pair>, ChainError> {
        let mut out = Vec::new();
        let low = match from {
            Bound::Included(key) => Bound::Included((key, 0)),
            Bound::Excluded(key) => Bound::Excluded((key, u64::MAX)),
            Bound::Unbounded => Bound::Unbounded,
        };
        let mut done: Option<Vec<u8>> = None;
        while out.len() < limit {
            let high = match (&done, to) {
                (Some(key), _) => Bound::Excluded((key.as_slice(), 0)),
                (None, Bound::Included(key)) => Bound::Included((key, u64::MAX)),
                (None, Bound::Excluded(key)) => Bound::Excluded((key, 0)),
                (None, Bound::Unbounded) => Bound::Unbounded,
            };
            let mut range = self.values.range((low, high)).map_err(store_error)?;
            let Some(entry) = range.next_back() else {
                break;
            };
            let key = entry.map_err(store_error)?.0.value().0.to_vec();
            if let Some((_, Some(value))) = self.entry(&key)? {
                out.push((key.clone(), value));
            }
            done = Some(key);
        }
        Ok(out)
    }
}

impl View for Snapshot {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, ChainError> {
        Ok(self.entry(key)?.and_then(|(_, value)| value))
    }

    fn range(
        &self,
        from: Bound<&[u8]>,
        to: Bound<&[u8]>,
        reverse: bool,
        limit: usize,
    ) -> Result<Vec<Pair>, ChainError> {
        if limit == 0 || is_empty_range(from, to) {
            return Ok(Vec::new());
        }
        if reverse {
            self.backward(from, to, limit)
        } else {
            self.forward(from, to, limit)
        }
    }
}

/// Larger heights sort first.
pub(super) fn invert(height: i64) -> u64 {
    !u64::try_from(height).unwrap_or(0)
}
