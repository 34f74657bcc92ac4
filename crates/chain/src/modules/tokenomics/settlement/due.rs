//! Which claims settle at this height.

use proto::pocket::proof::Claim;
use proto::pocket::shared::Params;

use crate::context::Context;
use crate::error::ChainError;
use crate::modules::shared::grid;
use crate::modules::{proof, shared};

/// The claims whose proof window closes with this block, or closed before without their being settled: those of each
/// session end from which some epoch of params leads here, live params first, then the newest epoch that has begun, and
/// of each end in order of session id and operator.
///
/// # Errors
/// When the store fails.
pub(super) fn collect(ctx: &Context<'_>) -> Result<Vec<Claim>, ChainError> {
    let height = ctx.block.height;
    let mut due = Vec::new();
    for session_end in session_ends(ctx)? {
        let params = shared::params_at(ctx, session_end)?;
        if height < grid::settlement(&params, session_end) {
            continue;
        }
        due.extend(proof::claims_ending_at(ctx, session_end)?);
    }
    Ok(due)
}

fn session_ends(ctx: &Context<'_>) -> Result<Vec<i64>, ChainError> {
    let height = ctx.block.height;
    let mut ends = vec![height.saturating_sub(wait(&shared::params(ctx)?))];
    let mut next_epoch = None;
    let history = shared::params_history(ctx)?;
    let begun = history
        .iter()
        .rev()
        .filter(|entry| entry.effective_height <= height);
    for entry in begun {
        let params = entry.params.unwrap_or_default();
        let wait = wait(&params);
        let end = height.saturating_sub(wait);
        let last_end = next_epoch.map(|next: i64| next.saturating_sub(1));
        let still_closes = last_end.is_none_or(|last| last.saturating_add(wait) >= height);
        if still_closes && !ends.contains(&end) {
            ends.push(end);
        }
        next_epoch = Some(entry.effective_height);
    }
    ends.retain(|end| *end > 0);
    Ok(ends)
}

/// Blocks from the end of a session to its settlement.
fn wait(params: &Params) -> i64 {
    grid::settlement(params, 0)
}
