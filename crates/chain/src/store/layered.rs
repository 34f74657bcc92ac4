//! Changes above a view, read as one.

use std::collections::VecDeque;
use std::ops::Bound;

use crate::error::ChainError;
use crate::limits::SCAN_CHUNK;
use crate::store::{Changes, Pair, View, is_empty_range};

/// A view with changes on top.
pub struct Layered<'a> {
    below: &'a dyn View,
    changes: &'a Changes,
}

impl<'a> Layered<'a> {
    /// Puts changes above a view.
    pub fn new(below: &'a dyn View, changes: &'a Changes) -> Self {
        Self { below, changes }
    }
}

impl View for Layered<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, ChainError> {
        match self.changes.get(key) {
            Some(change) => Ok(change.clone()),
            None => self.below.get(key),
        }
    }

    fn range(
        &self,
        from: Bound<&[u8]>,
        to: Bound<&[u8]>,
        reverse: bool,
        limit: usize,
    ) -> Result<Vec<Pair>, ChainError> {
        layered_range(self.below, self.changes, from, to, reverse, limit)
    }
}

/// Pairs between two bounds, of changes above a view.
pub(crate) fn layered_range(
    view: &dyn View,
    changes: &Changes,
    low: Bound<&[u8]>,
    high: Bound<&[u8]>,
    reverse: bool,
    limit: usize,
) -> Result<Vec<Pair>, ChainError> {
    if limit == 0 || is_empty_range(low, high) {
        return Ok(Vec::new());
    }
    let range = changes.range::<[u8], _>((low, high));
    let overlay: Box<dyn Iterator<Item = _>> = if reverse {
        Box::new(range.rev())
    } else {
        Box::new(range)
    };
    let mut overlay = overlay.peekable();
    let mut below = VecDeque::new();
    let mut last: Option<Vec<u8>> = None;
    let mut exhausted = false;
    let mut out = Vec::new();
    while out.len() < limit {
        if below.is_empty() && !exhausted {
            let wanted = limit.saturating_sub(out.len()).clamp(8, SCAN_CHUNK);
            let (from, to) = match (&last, reverse) {
                (None, _) => (low, high),
                (Some(last), false) => (Bound::Excluded(last.as_slice()), high),
                (Some(last), true) => (low, Bound::Excluded(last.as_slice())),
            };
            let chunk = view.range(from, to, reverse, wanted)?;
            exhausted = chunk.len() < wanted;
            last = chunk.last().map(|(key, _)| key.clone()).or(last);
            below = VecDeque::from(chunk);
        }
        let take_overlay = match (overlay.peek(), below.front()) {
            (None, None) => break,
            (Some(_), None) => true,
            (None, Some(_)) => false,
            (Some((above, _)), Some((under, _))) => {
                if *above == under {
                    below.pop_front();
                    true
                } else {
                    (*above < under) != reverse
                }
            }
        };
        if take_overlay {
            if let Some((key, Some(value))) = overlay.next() {
                out.push((key.clone(), value.clone()));
            }
        } else if let Some(pair) = below.pop_front() {
            out.push(pair);
        }
    }
    Ok(out)
}
