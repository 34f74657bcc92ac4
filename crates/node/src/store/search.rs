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
    let rest = others(query, TX_HEIGHT);
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
        None => walk(store, heights, &rest, |height| contains(query, height)),
    }
}

/// Whether the height's digits contain what a query wants of them.
fn contains(query: &Query, height: i64) -> bool {
    let mut conditions = query.conditions();
    let digits = height.to_string();
    conditions.all(|c| {
        c.key != TX_HEIGHT
            || c.operator != Operator::Contains
            || digits.contains(c.operand.as_str())
    })
}

/// Places in the newest blocks, the newest last.
fn walk(
    store: &BlockStore,
    heights: (i64, i64),
    rest: &[Condition],
    is_wanted: impl Fn(i64) -> bool,
) -> Result<Vec<Place>, NodeError> {
    let mut found = Vec::new();
    for height in walked(heights).rev().filter(|height| is_wanted(*height)) {
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
fn one_event_meets(events: &[Event], conditions: &[Condition]) -> bool {
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
    let rest = others(query, BLOCK_HEIGHT);
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
    let Some((first, mut last)) = store.range()? else {
        return Ok(None);
    };
    if store.results(last)?.is_none() {
        last = last.saturating_sub(1);
    }
    let asked = asked(query, key);
    let asked = asked.map(|(from, to)| (first.max(from), last.min(to)));
    Ok(asked.filter(|(from, to)| from <= to))
}

/// Heights that the conditions on `key` ask for, as the reference's indexers read them: as soon as one of them is no
/// equation, the equations count for nothing; of several equations the first counts; one with a text counts for nothing.
fn asked(query: &Query, key: &str) -> Option<(i64, i64)> {
    const ALL: (i64, i64) = (i64::MIN, i64::MAX);
    let own: Vec<&Condition> = query.conditions().filter(|c| c.key == key).collect();
    let alone = own.len() == query.conditions().count();
    let mut others = own.iter().filter(|c| c.operator != Operator::Equal);
    if others.clone().next().is_none() {
        let mut equations = own.iter().filter(|c| c.is_number());
        let Some(equation) = equations.next() else {
            return (!alone).then_some(ALL);
        };
        let (height, _) = whole(&equation.operand)?;
        let (of_txs, exact) = (key == TX_HEIGHT, height.to_string() == equation.operand);
        return match (alone, height) {
            // Where it stands alone, the transactions' indexer looks for the text, and the blocks' for the number.
            (true, _) => (exact || !of_txs).then_some((height, height)),
            (false, 0) => Some(ALL),
            (false, _) => Some((height, height)),
        };
    }
    // Entries of heights belong to no event, so they never meet another condition; and blocks have none of this form.
    let only_txs = alone && key == TX_HEIGHT;
    if !only_txs && !others.all(|c| c.side().is_some()) {
        return None;
    }
    let (mut from, mut to) = ALL;
    for condition in ranges(own.iter().copied().filter(|c| c.side().is_some())) {
        let (height, has_more) = whole(&condition.operand).filter(|_| condition.is_number())?;
        let above = height.saturating_add(i64::from(has_more));
        match condition.operator {
            Operator::Less => to = above.saturating_sub(1),
            Operator::LessOrEqual => to = height,
            Operator::Greater => from = height.saturating_add(1),
            _ => from = above,
        }
    }
    Some((from, to))
}

/// The whole part of a number, and whether there is more to it.
fn whole(number: &str) -> Option<(i64, bool)> {
    let (whole, rest) = number.split_once('.').unwrap_or((number, ""));
    let whole = match whole {
        "" => 0,
        digits if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            digits.parse().unwrap_or(i64::MAX)
        }
        other => other.parse().ok()?,
    };
    Some((whole, rest.bytes().any(|byte| byte != b'0')))
}

/// The conditions on other keys than that of the height.
fn others(query: &Query, height: &str) -> Vec<Condition> {
    let mut rest: Vec<Condition> = Vec::new();
    let conditions = || query.conditions().filter(|c| c.key != height);
    for condition in conditions() {
        if condition.side().is_none() {
            rest.push(condition.clone());
        } else if !rest
            .iter()
            .any(|c| c.side().is_some() && c.key == condition.key)
        {
            let same = conditions().filter(|c| c.side().is_some() && c.key == condition.key);
            rest.extend(ranges(same));
        }
    }
    rest
}

/// Bounds of one key: of several on one side the last counts, and its limit is within when that of any is.
fn ranges<'q>(conditions: impl Iterator<Item = &'q Condition>) -> Vec<Condition> {
    let mut bounds: Vec<Condition> = Vec::new();
    for condition in conditions {
        let earlier = bounds.iter().position(|c| c.side() == condition.side());
        let mut bound = condition.clone();
        if let Some(place) = earlier {
            let earlier = bounds.remove(place);
            bound.operator = match (earlier.operator, bound.operator) {
                (Operator::GreaterOrEqual, Operator::Greater) => Operator::GreaterOrEqual,
                (Operator::LessOrEqual, Operator::Less) => Operator::LessOrEqual,
                (_, own) => own,
            };
        }
        bounds.push(bound);
    }
    bounds
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heights(text: &str, key: &str) -> Option<(i64, i64)> {
        asked(&Query::parse(text).unwrap(), key)
    }

    #[test]
    fn heights_are_asked_for_as_the_reference_reads_them() {
        let all = Some((i64::MIN, i64::MAX));
        let tx = |text: &str| heights(text, TX_HEIGHT);
        assert_eq!(tx("tx.height=3"), Some((3, 3)));
        assert_eq!(tx("tx.height='3'"), Some((3, 3)));
        assert_eq!(tx("tx.height=3 AND tx.height=4"), Some((3, 3)));
        assert_eq!(tx("tx.height=1.5"), None);
        assert_eq!(tx("tx.height=1.5 AND a.b='c'"), Some((1, 1)));
        assert_eq!(tx("tx.height=0"), Some((0, 0)));
        assert_eq!(tx("tx.height=0 AND a.b='c'"), all);
        assert_eq!(tx("tx.height='x'"), None);
        assert_eq!(tx("tx.height='x' AND a.b='c'"), all);
        assert_eq!(tx("tx.height=12 AND tx.height>=6"), Some((6, i64::MAX)));
        assert_eq!(tx("tx.height>2 AND tx.height<=9"), Some((3, 9)));
        assert_eq!(tx("tx.height>=8 AND tx.height>3"), Some((3, i64::MAX)));
        assert_eq!(tx("tx.height>2.5 AND tx.height<4.5"), Some((3, 4)));
        assert_eq!(tx("tx.height>=2.5 AND tx.height<=4.5"), Some((3, 4)));
        assert_eq!(tx("tx.height<4"), Some((i64::MIN, 3)));
        assert_eq!(tx("tx.height>TIME 2013-05-03T14:45:00Z"), None);
        assert_eq!(tx("tx.height EXISTS"), all);
        assert_eq!(tx("tx.height EXISTS AND tx.height=3"), all);
        assert_eq!(tx("tx.height EXISTS AND a.b='c'"), None);
        assert_eq!(tx("a.b='c'"), all);
        let block = |text: &str| heights(text, BLOCK_HEIGHT);
        assert_eq!(block("block.height=1.5"), Some((1, 1)));
        assert_eq!(block("block.height EXISTS"), None);
        assert_eq!(block("block.height>3 AND block.height EXISTS"), None);
        assert_eq!(
            block("block.height=2 AND block.height>=6"),
            Some((6, i64::MAX))
        );
    }

    #[test]
    fn of_several_bounds_on_one_side_the_last_counts() {
        let query = Query::parse("a.b>=9 AND c.d='x' AND a.b>5 AND a.b<7 AND tx.height>1").unwrap();
        let rest = others(&query, TX_HEIGHT);
        let rest: Vec<(&str, Operator, &str)> = rest
            .iter()
            .map(|c| (c.key.as_str(), c.operator, c.operand.as_str()))
            .collect();
        let expected = [
            ("a.b", Operator::GreaterOrEqual, "5"),
            ("a.b", Operator::Less, "7"),
            ("c.d", Operator::Equal, "x"),
        ];
        assert_eq!(rest, expected);
    }
}
