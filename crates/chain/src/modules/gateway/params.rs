//! Params of `gateway`.

use proto::pocket::gateway::Params;

use super::error::Error;
use super::keys;
use crate::context::Context;
use crate::error::ChainError;
use crate::modules::shared::coin;

/// The params.
///
/// # Errors
/// When the store fails or genesis never set them.
pub fn params(ctx: &Context<'_>) -> Result<Params, ChainError> {
    ctx.load(keys::PARAMS)?
        .ok_or_else(|| ChainError::invariant("gateway params are set by genesis"))
}

/// Replaces the params.
pub(super) fn set(ctx: &mut Context<'_>, params: &Params) {
    ctx.save(keys::PARAMS.to_vec(), params);
}

/// Checks params: the minimum stake is a positive amount of upokt.
///
/// # Errors
/// The text with the short text of [`Error::ParamInvalid`].
pub(crate) fn validate(params: &Params) -> Result<(), String> {
    validate_min_stake(params).map_err(|detail| Error::ParamInvalid.describe(detail))
}

fn validate_min_stake(params: &Params) -> Result<(), String> {
    let min_stake = coin::require_denom(params.min_stake.as_ref(), "missing min_stake", |denom| {
        format!(
            "invalid min_stake denom {denom:?}; expected {:?}",
            coin::DENOM
        )
    })?;
    if min_stake.is_positive() {
        Ok(())
    } else {
        Err(format!(
            "invalid min stake amount must be greater than zero: {}",
            min_stake.text()
        ))
    }
}
