//! Params of `session`. A change counts from the next session start, while the live value, which a query shows and which
//! stands in for heights before the history begins, changes at once.

use proto::pocket::session::{Params, ParamsUpdate};

use super::error::Error;
use super::keys;
use crate::context::Context;
use crate::error::ChainError;
use crate::modules::shared::{self, grid, history};

/// The live params.
///
/// # Errors
/// When the store fails or genesis never set them.
pub fn params(ctx: &Context<'_>) -> Result<Params, ChainError> {
    ctx.load(keys::PARAMS)?
        .ok_or_else(|| ChainError::invariant("session params are set by genesis"))
}

/// The params that count at a height.
///
/// # Errors
/// As [`params`].
pub fn params_at(ctx: &Context<'_>, height: i64) -> Result<Params, ChainError> {
    let entry: Option<ParamsUpdate> = history::newest_at(ctx, keys::PARAMS_HISTORY, height)?;
    match entry.and_then(|entry| entry.params) {
        Some(params) => Ok(params),
        None => params(ctx),
    }
}

/// Replaces the live params.
pub(super) fn set(ctx: &mut Context<'_>, params: &Params) {
    ctx.save(keys::PARAMS.to_vec(), params);
}

/// Writes one entry of the history.
pub(super) fn set_history(ctx: &mut Context<'_>, entry: &ParamsUpdate) {
    ctx.save(keys::params_history(entry.effective_height), entry);
}

/// Makes params live and lets them count from the next session start.
///
/// The first change records what counted until then: in the reference from the current height only, so that sessions
/// already running lose their size to the new live value; from height 1 where the rule
/// `session_size_from_first_height` is mended.
///
/// # Errors
/// When the store fails.
pub(super) fn change(ctx: &mut Context<'_>, new: Params) -> Result<(), ChainError> {
    let height = ctx.block.height;
    if history::is_empty(ctx, keys::PARAMS_HISTORY)? {
        let before = params(ctx)?;
        let effective_height = if ctx.rules.session_size_from_first_height {
            1
        } else {
            height
        };
        set_history(
            ctx,
            &ParamsUpdate {
                effective_height,
                params: Some(before),
            },
        );
    }
    // Changes of params go by the params of their height, even in the reference, and even while those are not live yet.
    let effective_height = grid::next_start(&shared::params_at(ctx, height)?, height);
    set_history(
        ctx,
        &ParamsUpdate {
            effective_height,
            params: Some(new),
        },
    );
    set(ctx, &new);
    Ok(())
}

/// Checks params.
///
/// # Errors
/// The text with the short text of [`Error::ParamInvalid`].
pub(crate) fn validate(params: &Params) -> Result<(), String> {
    let count = params.num_suppliers_per_session;
    if count == 0 {
        return Err(Error::ParamInvalid.describe(format_args!(
            "number of suppliers per session ({count}) MUST be greater than or equal to 1"
        )));
    }
    Ok(())
}
