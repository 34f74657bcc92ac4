//! Params of `application`.

use proto::pocket::application::Params;

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
        .ok_or_else(|| ChainError::invariant("application params are set by genesis"))
}

/// Replaces the params.
pub(super) fn set(ctx: &mut Context<'_>, params: &Params) {
    ctx.save(keys::PARAMS.to_vec(), params);
}

/// Checks params.
///
/// # Errors
/// The text with the short text of [`Error::ParamInvalid`].
pub(crate) fn validate(params: &Params) -> Result<(), String> {
    validate_fields(params).map_err(|detail| Error::ParamInvalid.describe(detail))
}

fn validate_fields(params: &Params) -> Result<(), String> {
    validate_max_delegated_gateways(params.max_delegated_gateways)?;
    validate_min_stake(params)
}

/// At least one gateway must be allowed.
pub(super) fn validate_max_delegated_gateways(value: u64) -> Result<(), String> {
    if value == 0 {
        return Err(format!(
            "max_delegated_gateways must be greater than 0: got {value}"
        ));
    }
    Ok(())
}

/// The minimum stake is a positive amount of upokt.
pub(super) fn validate_min_stake(params: &Params) -> Result<(), String> {
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
            "invalid min_stake amount: {} <= 0",
            min_stake.text()
        ))
    }
}
