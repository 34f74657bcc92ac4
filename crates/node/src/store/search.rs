//! Transactions and blocks that match a query.
//!
//! Conditions on hash, height and [`super::INDEXED`] keys narrow the candidates through tables; what is left
//! of the query is matched against the events of each. Without any such condition the newest
//! [`SEARCH_BLOCKS`](limits::SEARCH_BLOCKS) blocks are walked.

use std::collections::BTreeSet;

use super::{BlockStore, Committed, INDEXED, Included, included};
use crate::error::NodeError;
use crate::limits;
use crate::query::{Condition, Events, Operator, Query};

/// Key of a transaction's hash.
const TX_HASH: &str = "tx.hash";
/// Key of a transaction's height.
const TX_HEIGHT: &str = "tx.height";
/// Key of a block's height.
const BLOCK_HEIGHT: &str = "block.height";

/// Transactions in ascending order.
///
/// # Errors
/// When the file fails.
pub fn txs(store: &BlockStore, query: &Query) -> Result<Vec<Included>, NodeError> {
    if let Some(hash) = query.equal(TX_HASH) {
        let found = hex::decode(hash)
            .ok()
            .map(|hash| store.tx(&hash))
            .transpose()?
            .flatten();
        return Ok(found
            .filter(|tx| query.matches(&Events::of_tx(tx.height, &tx.hash, &tx.result)))
            .into_iter()
            .collect());
    }
    let Some(heights) = heights(store, query, TX_HEIGHT)? else {
        return Ok(Vec::new());
    };
    let rest: Vec<&Condition> = query.conditions().filter(|c| c.key != TX_HEIGHT).collect();
    let (indexed, rest): (Vec<_>, Vec<_>) = rest
        .into_iter()
        .partition(|c| c.operator == Operator::Equal && INDEXED.contains(&c.key.as_str()));
    let places = match indexed.split_first() {
        Some((first, others)) => {
            let mut places: BTreeSet<(i64, u32)> = store
                .places(&first.key, &first.operand, heights)?
                .into_iter()
                .collect();
            for other in others {
                let set = store.places(&other.key, &other.operand, heights)?;
                let set: BTreeSet<_> = set.into_iter().collect();
                places.retain(|place| set.contains(place));
            }
            Some(places)
        }
        None => None,
    };
    let mut found = Vec::new();
    let mut visit = |committed: &Committed, index: u32| {
        if let Some(tx) = included(committed, index) {
            let events = || Events::of_tx(tx.height, &tx.hash, &tx.result);
            if rest.is_empty() || events().meet(&rest) {
                found.push(tx);
            }
        }
    };
    if let Some(places) = places {
        let mut last: Option<Committed> = None;
        for (height, index) in places {
            if last
                .as_ref()
                .is_none_or(|committed| committed.height() != height)
            {
                last = store.committed(height)?;
            }
            if let Some(committed) = &last {
                visit(committed, index);
            }
        }
    } else {
        for height in walked(heights) {
            let Some(committed) = store.committed(height)? else {
                continue;
            };
            for index in 0..u32::try_from(committed.txs().len()).unwrap_or(u32::MAX) {
                visit(&committed, index);
            }
        }
    }
    found.truncate(limits::SEARCH_RESULTS);
    Ok(found)
}

/// Heights of blocks in ascending order.
///
/// # Errors
/// When the file fails.
pub fn blocks(store: &BlockStore, query: &Query) -> Result<Vec<i64>, NodeError> {
    let Some(heights) = heights(store, query, BLOCK_HEIGHT)? else {
        return Ok(Vec::new());
    };
    let rest: Vec<&Condition> = query
        .conditions()
        .filter(|c| c.key != BLOCK_HEIGHT)
        .collect();
    let mut found = Vec::new();
    for height in walked(heights) {
        if !rest.is_empty() {
            let Some(results) = store.results(height)? else {
                continue;
            };
            if !Events::new(&results.events).meet(&rest) {
                continue;
            }
        }
        found.push(height);
    }
    Ok(found)
}

/// The newest heights of a range.
fn walked((first, last): (i64, i64)) -> std::ops::RangeInclusive<i64> {
    let most = i64::try_from(limits::SEARCH_BLOCKS).unwrap_or(i64::MAX);
    first.max(last.saturating_sub(most).saturating_add(1))..=last
}

/// Executed heights that the conditions on `key` leave. `None` when none is left.
fn heights(store: &BlockStore, query: &Query, key: &str) -> Result<Option<(i64, i64)>, NodeError> {
    let Some((mut first, mut last)) = store.range()? else {
        return Ok(None);
    };
    if store.results(last)?.is_none() {
        last = last.saturating_sub(1);
    }
    for condition in query.conditions().filter(|condition| condition.key == key) {
        let Ok(height) = condition.operand.parse::<i64>() else {
            if condition.operator == Operator::Exists {
                continue;
            }
            return Ok(None);
        };
        let (from, to) = match condition.operator {
            Operator::Equal => (height, height),
            Operator::Less => (i64::MIN, height.saturating_sub(1)),
            Operator::LessOrEqual => (i64::MIN, height),
            Operator::Greater => (height.saturating_add(1), i64::MAX),
            Operator::GreaterOrEqual => (height, i64::MAX),
            Operator::Contains => return Ok(None),
            Operator::Exists => continue,
        };
        first = first.max(from);
        last = last.min(to);
    }
    Ok((first <= last).then_some((first, last)))
}
