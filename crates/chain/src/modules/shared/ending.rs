//! Actors by the session end at which they stopped: a table whose keys end with that height and the actor's address.
//!
//! How long somebody waits after a session's end follows from the params that counted there, so the entries whose wait is
//! over are, for each epoch of params, those up to one height. They are read without meeting any that still wait.

use proto::pocket::shared::Params;

use super::keys::{height, take_height, take_text, text};
use super::params;
use crate::context::Context;
use crate::error::ChainError;

/// The key of an entry.
pub(crate) fn key(table: &[u8], session_end: i64, address: &str) -> Vec<u8> {
    let mut key = at(table, session_end);
    text(&mut key, address);
    key
}

fn at(table: &[u8], session_end: i64) -> Vec<u8> {
    let mut key = table.to_vec();
    height(&mut key, session_end);
    key
}

/// Session end and address of the entries from height `first` to `last`, both included, in order.
///
/// # Errors
/// When the store fails.
pub(crate) fn between(
    ctx: &Context<'_>,
    table: &[u8],
    first: i64,
    last: i64,
) -> Result<Vec<(i64, String)>, ChainError> {
    let mut out = Vec::new();
    if last < first.max(0) {
        return Ok(out);
    }
    let (low, high) = (at(table, first), at(table, last.saturating_add(1)));
    for pair in ctx.iter_between(low, high) {
        let (key, _) = pair?;
        let tail = key.strip_prefix(table).unwrap_or_default();
        if let Some((session_end, rest)) = take_height(tail)
            && let Some((address, _)) = take_text(rest)
        {
            out.push((session_end, address.to_owned()));
        }
    }
    Ok(out)
}

/// The addresses, in their order, of the entries whose wait is over with this block: those with `session_end + wait` not
/// above its height, where `wait` is asked for the params that counted at `session_end`.
///
/// # Errors
/// When the store fails.
pub(crate) fn due(
    ctx: &Context<'_>,
    table: &[u8],
    wait: impl Fn(&Params) -> i64,
) -> Result<Vec<String>, ChainError> {
    let mut due = Vec::new();
    let mut last_of_epoch = i64::MAX;
    let mut of_epoch = |first: i64, last: i64, params: &Params| {
        let last = last.min(ctx.block.height.saturating_sub(wait(params)));
        let entries = between(ctx, table, first, last)?;
        due.extend(entries.into_iter().map(|(_, address)| address));
        Ok::<_, ChainError>(())
    };
    let live = params::params(ctx)?;
    for entry in params::params_history(ctx)?.iter().rev() {
        let first = entry.effective_height;
        of_epoch(first, last_of_epoch, &entry.params.unwrap_or(live))?;
        last_of_epoch = first.saturating_sub(1);
    }
    // Heights before the history have the live params.
    of_epoch(0, last_of_epoch, &live)?;
    due.sort_unstable();
    Ok(due)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proto::pocket::shared::{GenesisState, ParamsUpdate};

    use super::*;
    use crate::modules::shared::{grid, init_genesis, params_at};
    use crate::modules::tests::fixture::PARAMS;
    use crate::rules::Rules;
    use crate::testing::TestChain;

    const TABLE: &[u8] = b"test/ending/";

    fn wait(params: &Params) -> i64 {
        grid::unbonding_end(params, 0, params.gateway_unbonding_period_sessions)
    }

    proptest! {
        /// Against asking everybody, whatever periods counted when they stopped.
        #[test]
        fn whoever_is_due_is_found_and_nobody_else(
            periods in prop::collection::vec(1_u64..6, 0..4),
            stops in prop::collection::vec((0_i64..70, 0_usize..30), 0..12),
            height in 1_i64..140,
        ) {
            let params = |period| Params {
                gateway_unbonding_period_sessions: period,
                ..PARAMS
            };
            let entry = |(index, period): (usize, &u64)| ParamsUpdate {
                effective_height: i64::try_from(index).unwrap() * 20 + 1,
                params: Some(params(*period)),
            };
            let state = GenesisState {
                params: params(3),
                params_history: periods.iter().enumerate().map(entry).collect(),
            };
            let mut chain = TestChain::new(Rules::reference());
            chain.run(|ctx| init_genesis(ctx, state)).unwrap();
            chain.go_to(height);
            let name = |index: usize| format!("pokt1{index:02}");
            chain
                .run(|ctx| {
                    for (stopped, index) in &stops {
                        ctx.set(key(TABLE, *stopped, &name(*index)), vec![1]);
                    }
                    Ok::<_, ChainError>(())
                })
                .unwrap();
            let found = chain.read(|ctx| due(ctx, TABLE, wait).unwrap());
            let mut stops = stops;
            stops.sort_unstable();
            stops.dedup();
            let mut expected: Vec<String> = stops
                .into_iter()
                .filter(|(stopped, _)| {
                    let then = chain.read(|ctx| params_at(ctx, *stopped).unwrap());
                    stopped + wait(&then) <= height
                })
                .map(|(_, index)| name(index))
                .collect();
            expected.sort_unstable();
            prop_assert_eq!(found, expected);
        }
    }
}
