//! Headers and validators of past heights, kept for as many heights as params say.

use proto::cosmos::staking::v1beta1::HistoricalInfo;
use tendermint_proto::v0_38::types::{BlockId, Header};
use tendermint_proto::v0_38::version::Consensus;

use super::{keys, params, state};
use crate::context::Context;
use crate::error::ChainError;

/// Start of a block: records it and drops what is too old.
///
/// # Errors
/// When the store fails.
pub(super) fn begin_block(ctx: &mut Context) -> Result<(), ChainError> {
    let kept = i64::from(params(ctx)?.historical_entries);
    let height = ctx.block.height;
    let mut old = height.saturating_sub(kept);
    // What is too old lies in one range; usually it is one height.
    while old >= 0 && ctx.has(&keys::history(old))? {
        ctx.remove(&keys::history(old));
        old = old.saturating_sub(1);
    }
    if kept == 0 {
        return Ok(());
    }
    let mut validators = Vec::new();
    for (operator, _) in state::last_powers(ctx)? {
        let validator = state::validator(ctx, &operator)?
            .ok_or_else(|| ChainError::invariant("a bonded validator without a record"))?;
        validators.push((
            validator.power()?,
            validator.consensus_address()?,
            validator,
        ));
    }
    validators.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    let info = HistoricalInfo {
        header: header(ctx),
        valset: validators
            .into_iter()
            .map(|(_, _, validator)| validator.to_proto())
            .collect(),
    };
    ctx.save(keys::history(height), &info);
    Ok(())
}

/// What the state machine knows of its block's header.
fn header(ctx: &Context) -> Header {
    Header {
        version: Some(Consensus::default()),
        chain_id: ctx.block.chain_id.clone(),
        height: ctx.block.height,
        time: Some(tendermint_proto::google::protobuf::Timestamp {
            seconds: ctx.block.time.seconds,
            nanos: ctx.block.time.nanos,
        }),
        last_block_id: Some(BlockId {
            part_set_header: Some(Default::default()),
            ..Default::default()
        }),
        next_validators_hash: ctx.last_commit.next_validators_hash.clone(),
        app_hash: ctx.last_commit.app_hash.clone(),
        proposer_address: ctx.block.proposer.clone(),
        ..Header::default()
    }
}

/// What is known of a height.
pub(super) fn at(ctx: &Context, height: i64) -> Result<Option<HistoricalInfo>, ChainError> {
    ctx.load(&keys::history(height))
}
