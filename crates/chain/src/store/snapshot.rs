//! The state at one committed height, read from disk; later commits do not change it.
//!
//! The newest value of every key that has one stands in one table, what it superseded in another, with marks of
//! removals. At the last height only the first is looked at, so that a walk never meets what is gone.

use std::ops::Bound;

use redb::ReadOnlyTable;

use crate::error::ChainError;
use crate::store::disk::store_error;
use crate::store::{Pair, View, is_empty_range};

/// Newest values: key to the height that wrote it and the value.
pub(super) type LatestTable = ReadOnlyTable<&'static [u8], (u64, &'static [u8])>;

/// Superseded values: key and inverted height to value, or nothing where the key was removed at that height.
pub(super) type HistoryTable = ReadOnlyTable<(&'static [u8], u64), Option<&'static [u8]>>;

/// An immutable view of one height.
pub struct Snapshot {
    latest: LatestTable,
    history: HistoryTable,
    height: u64,
    /// Whether this is the last height that the tables hold.
    is_last: bool,
}

impl std::fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Snapshot")
            .field("height", &self.height)
            .finish_non_exhaustive()
    }
}

impl Snapshot {
    pub(super) fn new(
        latest: LatestTable,
        history: HistoryTable,
        height: u64,
        is_last: bool,
    ) -> Self {
        Self {
            latest,
            history,
            height,
            is_last,
        }
    }

    /// The height that is seen.
    pub fn height(&self) -> i64 {
        i64::try_from(self.height).unwrap_or(i64::MAX)
    }

    /// The last height's pairs: one walk over one table.
    fn walk_latest(
        &self,
        from: Bound<&[u8]>,
        to: Bound<&[u8]>,
        reverse: bool,
        limit: usize,
    ) -> Result<Vec<Pair>, ChainError> {
        let mut range = self
            .latest
            .range::<&[u8]>((from, to))
            .map_err(store_error)?;
        let mut out = Vec::new();
        while out.len() < limit {
            let entry = if reverse {
                range.next_back()
            } else {
                range.next()
            };
            let Some(entry) = entry else { break };
            let (key, value) = entry.map_err(store_error)?;
            out.push((key.value().to_vec(), value.value().1.to_vec()));
        }
        Ok(out)
    }

    /// An older height's pairs: from key to key of either table, each looked up.
    fn walk_older(
        &self,
        from: Bound<&[u8]>,
        to: Bound<&[u8]>,
        reverse: bool,
        limit: usize,
    ) -> Result<Vec<Pair>, ChainError> {
        let mut out = Vec::new();
        let mut done: Option<Vec<u8>> = None;
        while out.len() < limit {
            let (low, high) = match (done.as_deref(), reverse) {
                (None, _) => (from, to),
                (Some(done), false) => (Bound::Excluded(done), to),
                (Some(done), true) => (from, Bound::Excluded(done)),
            };
            let Some(key) = self.next_key(low, high, reverse)? else {
                break;
            };
            if let Some(value) = self.get(&key)? {
                out.push((key.clone(), value));
            }
            done = Some(key);
        }
        Ok(out)
    }

    /// The first key (the last, in reverse) between two bounds that either table has.
    fn next_key(
        &self,
        low: Bound<&[u8]>,
        high: Bound<&[u8]>,
        reverse: bool,
    ) -> Result<Option<Vec<u8>>, ChainError> {
        if is_empty_range(low, high) {
            return Ok(None);
        }
        let mut latest = self
            .latest
            .range::<&[u8]>((low, high))
            .map_err(store_error)?;
        let newest = if reverse {
            latest.next_back()
        } else {
            latest.next()
        };
        let newest = newest.transpose().map_err(store_error)?;
        let newest = newest.map(|(key, _)| key.value().to_vec());

        // All versions of a bound's key lie on the same side of it.
        let low = match low {
            Bound::Included(key) => Bound::Included((key, 0)),
            Bound::Excluded(key) => Bound::Excluded((key, u64::MAX)),
            Bound::Unbounded => Bound::Unbounded,
        };
        let high = match high {
            Bound::Included(key) => Bound::Included((key, u64::MAX)),
            Bound::Excluded(key) => Bound::Excluded((key, 0)),
            Bound::Unbounded => Bound::Unbounded,
        };
        let mut history = self
            .history
            .range::<(&[u8], u64)>((low, high))
            .map_err(store_error)?;
        let older = if reverse {
            history.next_back()
        } else {
            history.next()
        };
        let older = older.transpose().map_err(store_error)?;
        let older = older.map(|(key, _)| key.value().0.to_vec());
        Ok(match (newest, older) {
            (Some(newest), Some(older)) if reverse => Some(newest.max(older)),
            (Some(newest), Some(older)) => Some(newest.min(older)),
            (newest, older) => newest.or(older),
        })
    }
}

impl View for Snapshot {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, ChainError> {
        if let Some(entry) = self.latest.get(key).map_err(store_error)? {
            let (written, value) = entry.value();
            if written <= self.height {
                return Ok(Some(value.to_vec()));
            }
        } else if self.is_last {
            return Ok(None);
        }
        let versions = (key, invert(self.height))..=(key, u64::MAX);
        let newest = self.history.range(versions).map_err(store_error)?.next();
        let newest = newest.transpose().map_err(store_error)?;
        Ok(newest.and_then(|(_, value)| value.value().map(<[u8]>::to_vec)))
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
        if self.is_last {
            self.walk_latest(from, to, reverse, limit)
        } else {
            self.walk_older(from, to, reverse, limit)
        }
    }
}

/// Larger heights sort first.
pub(super) fn invert(height: u64) -> u64 {
    !height
}
