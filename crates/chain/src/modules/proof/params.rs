//! Params of `proof`.

use proto::cosmos::base::v1beta1::Coin;
use proto::pocket::proof::Params;

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
        .ok_or_else(|| ChainError::invariant("proof params are set by genesis"))
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
    validate_probability(params.proof_request_probability)
        .and_then(|()| validate_threshold(params.proof_requirement_threshold.as_ref()))
        .and_then(|()| validate_penalty(params.proof_missing_penalty.as_ref()))
        .and_then(|()| validate_fee(params.proof_submission_fee.as_ref()))
        .map_err(|detail| Error::ParamInvalid.describe(detail))
}

/// A probability is a decimal number from 0 to 1; NaN and -0 are none.
pub(super) fn validate_probability(value: f64) -> Result<(), String> {
    if value.is_sign_positive() && (0.0..=1.0).contains(&value) {
        Ok(())
    } else {
        Err(format!("invalid ProofRequestProbability: ({value})"))
    }
}

/// The threshold is an amount of upokt.
pub(super) fn validate_threshold(value: Option<&Coin>) -> Result<(), String> {
    let name = "proof_requirement_threshold";
    amount(name, value, |coin| {
        format!("invalid {name} amount: {coin} < 0")
    })
}

/// The penalty is an amount of upokt, possibly zero, whatever the text says.
pub(super) fn validate_penalty(value: Option<&Coin>) -> Result<(), String> {
    let name = "proof_missing_penalty";
    amount(name, value, |coin| {
        format!("invalid {name} amount: {coin} <= 0")
    })
}

/// The fee is an amount of upokt.
pub(super) fn validate_fee(value: Option<&Coin>) -> Result<(), String> {
    let name = "proof_submission_fee";
    amount(name, value, |coin| {
        format!("{name} is below minimum value 0upokt: got {coin}")
    })
}

fn amount(
    name: &str,
    value: Option<&Coin>,
    bad: impl FnOnce(&str) -> String,
) -> Result<(), String> {
    let given = coin::require_denom(value, &format!("missing {name}"), |denom| {
        format!("invalid {name} denom: {denom}")
    })?;
    if given.is_well_formed() {
        Ok(())
    } else {
        Err(bad(given.text()))
    }
}
