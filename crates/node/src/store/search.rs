//! Transactions and blocks that match a query, as CometBFT's indexer finds them.
//!
//! Conditions on height and [`super::INDEXED`] keys narrow the candidates through tables. What is left must be met by one
//! and the same event, as in the reference, whose indexer keeps events apart; a subscription is looser. Without any indexed
//! condition the newest [`SEARCH_BLOCKS`](limits::SEARCH_BLOCKS) blocks are walked. A hash stands alone: whatever else is
//! asked beside it counts for nothing.

use std::collections::BTreeSet;

use tendermint_proto::v0_38::abci::{Event, ExecTxResult};

use super::{BlockStore, Committed, INDEXED, Included, included};
use crate::error::NodeError;
use crate::limits;
use crate::query::{Condition, Operator, Query};

/// Key of a transaction's hash.
const TX_HASH: &str = "tx.hash";
/// Key of a transaction's height.
const TX_HEIGHT: &str = "tx.height";
/// Key of a block's height.
const BLOCK_HEIGHT: &str = "block.height";

/// Where a transaction is: height and place in the block.
pub type Place = (i64, u32);

/// The hash that a query asks for, if it does.
///
/// # Errors
/// What is no hex text, in the reference's words.
pub fn hash(query: &Query) -> Result<Option<Vec<u8>>, String> {
    let mut conditions = query.conditions();
    let Some(condition) = conditions.find(|condition| condition.key == TX_HASH) else {
        return Ok(None);
    };
    let hash = crate::services::unhex(&condition.operand);
    hash.map(Some)
        .map_err(|error| format!("error during searching for a hash in the query: {error}"))
}

/// Places of transactions in ascending order.
///
/// # Errors
/// When the file fails.
pub fn txs(store: &BlockStore, query: &Query) -> Result<Vec<Place>, NodeError> {
    let Some(heights) = heights(store, query, TX_HEIGHT)? else {
        return Ok(Vec::new());
    };
    let conditions = query.conditions();
    let rest: Vec<&Condition> = conditions.filter(|c| c.key != TX_HEIGHT).collect();
    let mut places: Option<BTreeSet<Place>> = None;
    for condition in rest.iter().filter(|condition| is_indexed(condition)) {
        let found = store.places(&condition.key, &condition.operand, heights)?;
        let found: BTreeSet<Place> = found.into_iter().collect();
        places = Some(match places {
            Some(places) => places.intersection(&found).copied().collect(),
            None => found,
        });
    }
    match places {
        // One condition, which the table has answered.
        Some(places) if rest.len() == 1 => Ok(places.into_iter().collect()),
        Some(places) => {
            let found = load(store, &places.into_iter().collect::<Vec<_>>())?.into_iter();
            let found = found.filter(|tx| one_event_meets(&tx.result.events, &rest));
            Ok(found.map(|tx| (tx.height, tx.index)).collect())
        }
        None => walk(store, heights, &rest),
    }
}

/// Places in the newest blocks, the newest last.
fn walk(
    store: &BlockStore,
    heights: (i64, i64),
    rest: &[&Condition],
) -> Result<Vec<Place>, NodeError> {
    let mut found = Vec::new();
    for height in walked(heights).rev() {
        let Some(results) = store.results(height)? else {
            continue;
        };
        let results: Vec<(u32, &ExecTxResult)> = (0..).zip(&results.tx_results).collect();
        let matching = results.into_iter().rev();
        let matching = matching.filter(|(_, result)| one_event_meets(&result.events, rest));
        found.extend(matching.map(|(index, _)| (height, index)));
        if found.len() >= limits::SEARCH_RESULTS {
            break;
        }
    }
    found.truncate(limits::SEARCH_RESULTS);
    found.reverse();
    Ok(found)
}

/// The transactions at places that are in order.
///
/// # Errors
/// When the file fails.
pub fn load(store: &BlockStore, places: &[Place]) -> Result<Vec<Included>, NodeError> {
    let mut found = Vec::with_capacity(places.len());
    let mut last: Option<Committed> = None;
    for (height, index) in places {
        if last.as_ref().is_none_or(|last| last.height() != *height) {
            last = store.committed(*height)?;
        }
        found.extend(last.as_ref().and_then(|block| included(block, *index)));
    }
    Ok(found)
}

/// Whether a table answers a condition.
fn is_indexed(condition: &Condition) -> bool {
    condition.operator == Operator::Equal && INDEXED.contains(&condition.key.as_str())
}

/// Whether all conditions are met by one event. None are met by anything.
fn one_event_meets(events: &[Event], conditions: &[&Condition]) -> bool {
    let meets = |event: &Event| {
        conditions.iter().all(|condition| {
            let name = |key: &str| {
                let rest = condition.key.strip_prefix(&event.r#type);
                rest.and_then(|rest| rest.strip_prefix('.')) == Some(key)
            };
            let mut values = event.attributes.iter();
            values.any(|one| one.index && name(&one.key) && condition.found_by(&one.value))
        })
    };
    conditions.is_empty() || events.iter().any(meets)
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
            if !one_event_meets(&results.events, &rest) {
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
