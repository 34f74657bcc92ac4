//! Who missed too many blocks is slashed and jailed.

use proto::cosmos::slashing::v1beta1::Params;

use super::{params, state};
use crate::context::{Context, Vote};
use crate::decimal::Dec;
use crate::error::{ChainError, TxError};
use crate::staking;
use crypto::keys::VALCONS_PREFIX;

/// Start of a block: looks at every vote for the block before.
///
/// # Errors
/// When the store fails or an invariant is broken.
pub fn begin_block(ctx: &mut Context) -> Result<(), ChainError> {
    if !super::runs(ctx)? {
        return Ok(());
    }
    let params = params(ctx)?;
    for vote in ctx.last_commit.votes.clone() {
        look_at(ctx, &params, vote)?;
    }
    Ok(())
}

/// Counts a vote. Events: `liveness` for a missing one; `slash` when it was one too many.
fn look_at(ctx: &mut Context, params: &Params, vote: Vote) -> Result<(), TxError> {
    let consensus = vote.validator;
    // One that is gone, that is not ours to know, or that has no info cannot be punished; the reference stops here.
    let Some(validator) = staking::validator_by_consensus(ctx, &consensus)? else {
        return Ok(());
    };
    if validator.jailed {
        return Ok(());
    }
    let Some(mut info) = state::signing_info(ctx, &consensus)? else {
        return Ok(());
    };
    let window = params.signed_blocks_window;
    let index = info.index_offset.checked_rem(window).unwrap_or(0);
    info.index_offset = info.index_offset.saturating_add(1);
    let before = state::is_missed(ctx, &consensus, index)?;
    if before != vote.absent {
        state::set_missed(ctx, &consensus, index, vote.absent)?;
        let step = if vote.absent { 1 } else { -1 };
        info.missed_blocks_counter = info.missed_blocks_counter.saturating_add(step);
    }
    let address = consensus.to_bech32_with(VALCONS_PREFIX);
    let height = ctx.block.height;
    if vote.absent {
        ctx.emit_raw(
            "liveness",
            &[
                ("address", &address),
                ("missed_blocks", &info.missed_blocks_counter.to_string()),
                ("height", &height.to_string()),
            ],
        );
    }
    let least = params::min_signed(params)?;
    let allowed = window.saturating_sub(least);
    let is_due = height > info.start_height.saturating_add(window);
    // Stake that is free cannot be taken; the reference stops here too.
    if is_due && info.missed_blocks_counter > allowed && !validator.is_unbonded() {
        // The stake that signed is that of two blocks ago: one because a commit is of the block before, one because
        // changes of the set take a block.
        let fraction = Dec::from_wire(&params::text(&params.slash_fraction_downtime))?;
        let at = height.saturating_sub(2);
        let burned = staking::slash(ctx, &consensus, at, vote.power, &fraction)?;
        ctx.emit_raw(
            "slash",
            &[
                ("address", &address),
                ("power", &vote.power.to_string()),
                ("reason", "missing_signature"),
                ("jailed", &address),
                ("burned_coins", &burned.to_string()),
            ],
        );
        staking::jail(ctx, &consensus)?;
        let nanos = staking::params::duration_nanos(&params.downtime_jail_duration);
        info.jailed_until = ctx.block.time.plus_nanos(nanos).to_proto();
        info.missed_blocks_counter = 0;
        info.index_offset = 0;
        state::forget_missed(ctx, &consensus)?;
    }
    state::save_signing_info(ctx, &consensus, &info);
    Ok(())
}
