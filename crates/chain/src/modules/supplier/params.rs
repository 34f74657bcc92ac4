//! Params of `supplier`.

use proto::pocket::supplier::Params;

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
        .ok_or_else(|| ChainError::invariant("supplier params are set by genesis"))
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
    validate_min_stake(params)
        .and_then(|()| validate_staking_fee(params))
        .map_err(|detail| Error::ParamInvalid.describe(detail))
}

/// The minimum stake is a positive amount of upokt.
pub(super) fn validate_min_stake(params: &Params) -> Result<(), String> {
    let min_stake = coin::require_denom(params.min_stake.as_ref(), "missing param", |denom| {
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

/// The staking fee is an amount of upokt, possibly zero.
pub(super) fn validate_staking_fee(params: &Params) -> Result<(), String> {
    let fee = coin::require_denom(params.staking_fee.as_ref(), "missing param", |denom| {
        format!(
            "invalid staking_fee denom {denom:?}; expected {:?}",
            coin::DENOM
        )
    })?;
    if fee.is_well_formed() {
        Ok(())
    } else {
        Err(format!("invalid staking_fee amount: {} < 0", fee.text()))
    }
}
