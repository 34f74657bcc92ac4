//! The params of `shared`: what is valid, when a change counts, what counted at a height.
//!
//! A change is written into the history for the next session start. When it touches none of the six numbers that shape
//! sessions and windows it also becomes live at once; otherwise `end_block` of that session start makes it live.
//! A change of the session length moves the grid's anchor, so that older sessions keep their numbers.

use proto::pocket::shared::{Params, ParamsUpdate};
use protocol::ProtocolError;

use super::error::Error;
use super::{grid, history, keys};
use crate::context::Context;
use crate::error::ChainError;

/// The live params.
///
/// # Errors
/// When the store fails or genesis never set them.
pub fn params(ctx: &Context<'_>) -> Result<Params, ChainError> {
    ctx.load(keys::PARAMS)?
        .ok_or_else(|| ChainError::invariant("shared params are set by genesis"))
}

/// The params that count at a height: the newest change from a height not above it, else the live ones.
///
/// # Errors
/// As [`params`].
pub fn params_at(ctx: &Context<'_>, height: i64) -> Result<Params, ChainError> {
    let entry: Option<ParamsUpdate> = history::newest_at(ctx, keys::HISTORY, height)?;
    match entry.and_then(|entry| entry.params) {
        Some(params) => Ok(params),
        None => params(ctx),
    }
}

/// The params whose grid rules messages and block phases at the current height: the live ones in the reference, those of
/// the height where the rule is mended. They differ in the first block of a new session length (chain specification 2).
///
/// # Errors
/// As [`params`].
pub fn current(ctx: &Context<'_>) -> Result<Params, ChainError> {
    if ctx.rules.grid_of_the_height {
        params_at(ctx, ctx.block.height)
    } else {
        params(ctx)
    }
}

/// All changes, oldest first.
///
/// # Errors
/// When the store fails.
pub fn params_history(ctx: &Context<'_>) -> Result<Vec<ParamsUpdate>, ChainError> {
    history::all(ctx, keys::HISTORY)
}

/// Replaces the live params.
pub(super) fn set(ctx: &mut Context<'_>, params: &Params) {
    ctx.save(keys::PARAMS.to_vec(), params);
}

/// Writes one entry of the history.
pub(super) fn set_history(ctx: &mut Context<'_>, entry: &ParamsUpdate) {
    ctx.save(keys::history(entry.effective_height), entry);
}

/// What a single-param update starts from: the live params, or the pending change where the rule is mended (Q9).
///
/// # Errors
/// As [`params`].
pub(super) fn update_base(ctx: &Context<'_>) -> Result<Params, ChainError> {
    if ctx.rules.params_update_on_pending {
        let newest: Option<ParamsUpdate> = history::newest(ctx, keys::HISTORY)?;
        if let Some(pending) = newest.filter(|entry| entry.effective_height > ctx.block.height)
            && let Some(params) = pending.params
        {
            return Ok(params);
        }
    }
    params(ctx)
}

/// Schedules valid params for the next session start, and makes them live at once when no window moves.
///
/// # Errors
/// When the store fails.
pub(super) fn schedule(ctx: &mut Context<'_>, mut new: Params) -> Result<(), ChainError> {
    let height = ctx.block.height;
    let live = params(ctx)?;
    if history::is_empty(ctx, keys::HISTORY)? {
        let first = Params {
            session_grid_anchor_height: 1,
            session_number_at_anchor: 1,
            ..live
        };
        set_history(
            ctx,
            &ParamsUpdate {
                effective_height: 1,
                params: Some(first),
            },
        );
    }
    let effective = params_at(ctx, height)?;
    let next = grid::next_start(&effective, height);
    if new.num_blocks_per_session == effective.num_blocks_per_session {
        new.session_grid_anchor_height = effective.session_grid_anchor_height;
        new.session_number_at_anchor = effective.session_number_at_anchor;
    } else {
        let number = grid::number(&effective, height).saturating_add(1);
        new.session_grid_anchor_height = next.unsigned_abs();
        new.session_number_at_anchor = number.unsigned_abs();
    }
    set_history(
        ctx,
        &ParamsUpdate {
            effective_height: next,
            params: Some(new),
        },
    );
    if timing(&new) == timing(&live) {
        set(
            ctx,
            &Params {
                session_grid_anchor_height: live.session_grid_anchor_height,
                session_number_at_anchor: live.session_number_at_anchor,
                ..new
            },
        );
    }
    Ok(())
}

/// Makes the change that counts from this very height live. An entry that is no longer valid is passed over.
///
/// # Errors
/// When the store fails.
pub(super) fn promote(ctx: &mut Context<'_>) -> Result<(), ChainError> {
    let entry: Option<ParamsUpdate> = ctx.load(&keys::history(ctx.block.height))?;
    if let Some(params) = entry
        .and_then(|entry| entry.params)
        .filter(|new| validate(new).is_ok())
    {
        set(ctx, &params);
    }
    Ok(())
}

/// The six numbers that shape sessions and windows.
fn timing(params: &Params) -> [u64; 6] {
    [
        params.num_blocks_per_session,
        params.grace_period_end_offset_blocks,
        params.claim_window_open_offset_blocks,
        params.claim_window_close_offset_blocks,
        params.proof_window_open_offset_blocks,
        params.proof_window_close_offset_blocks,
    ]
}

/// Checks a whole set of params, each number and how they fit together.
///
/// # Errors
/// The text with the short text of [`Error::ParamInvalid`].
pub(crate) fn validate(params: &Params) -> Result<(), String> {
    protocol::params::validate_shared(params).map_err(|error| match error {
        ProtocolError::SharedParams(detail) => Error::ParamInvalid.describe(detail),
        other => Error::ParamInvalid.describe(other),
    })
}

/// Checks one number by itself, by the param's name.
///
/// # Errors
/// The text without a short text.
pub(super) fn validate_value(name: &str, value: u64) -> Result<(), String> {
    let shown = match name {
        "num_blocks_per_session" => "NumBlocksPerSession",
        "supplier_unbonding_period_sessions" => "SupplierUnbondingPeriodSessions",
        "application_unbonding_period_sessions" => "ApplicationUnbondingPeriodSessions",
        "gateway_unbonding_period_sessions" => "GatewayUnbondingPeriodSessions",
        "compute_units_to_tokens_multiplier" => "ComputeUnitsToTokensMultiplier",
        "compute_unit_cost_granularity" => "ComputeUnitCostGranularity",
        _ => return Ok(()),
    };
    if value == 0 {
        Err(format!("invalid {shown}: ({value})"))
    } else {
        Ok(())
    }
}
