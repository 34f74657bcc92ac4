//! Params of `service`.

use proto::pocket::service::Params;

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
        .ok_or_else(|| ChainError::invariant("service params are set by genesis"))
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
    validate_add_service_fee(params)
        .and_then(|()| validate_target_num_relays(params.target_num_relays))
        .map_err(|detail| Error::ParamInvalid.describe(detail))
}

/// At least one relay is aimed at.
pub(super) fn validate_target_num_relays(value: u64) -> Result<(), String> {
    if value == 0 {
        return Err(format!(
            "target_num_relays must be greater than 0: got {value}"
        ));
    }
    Ok(())
}

/// The fee is a positive amount of upokt.
pub(super) fn validate_add_service_fee(params: &Params) -> Result<(), String> {
    let fee = coin::require_denom(
        params.add_service_fee.as_ref(),
        "missing add_service_fee",
        |denom| format!("invalid add_service_fee denom: {denom}"),
    )?;
    if fee.is_positive() {
        Ok(())
    } else {
        Err(format!(
            "add_service_fee param is below minimum value 1{}: got {}",
            coin::DENOM,
            fee.text()
        ))
    }
}
