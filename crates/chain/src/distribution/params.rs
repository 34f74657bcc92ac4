//! Params: the community's tax, and whether rewards may be paid to another address.

use proto::cosmos::distribution::v1beta1::Params;

use super::keys;
use crate::context::Context;
use crate::decimal::Dec;
use crate::error::{ChainError, TxError};

/// Params; the SDK's while there are none.
///
/// # Errors
/// When the store fails.
pub fn params(ctx: &Context) -> Result<Params, ChainError> {
    Ok(ctx.load(keys::PARAMS)?.unwrap_or_else(default_params))
}

/// The SDK's defaults: a tax of 2 %.
pub fn default_params() -> Params {
    Params {
        community_tax: Dec::from_places(20_000_000_000_000_000).to_wire(),
        base_proposer_reward: Dec::zero().to_wire(),
        bonus_proposer_reward: Dec::zero().to_wire(),
        withdraw_addr_enabled: true,
    }
}

/// Stores params; a number left out is 0, as the reference writes it.
pub(super) fn save(ctx: &mut Context, params: &Params) {
    let mut params = params.clone();
    for number in [
        &mut params.community_tax,
        &mut params.base_proposer_reward,
        &mut params.bonus_proposer_reward,
    ] {
        if number.is_empty() {
            *number = Dec::zero().to_wire();
        }
    }
    ctx.save(keys::PARAMS.to_vec(), &params);
}

/// Refuses params that the reference refuses, in its words.
///
/// # Errors
/// `undefined` 1.
pub(super) fn validate(params: &Params) -> Result<(), TxError> {
    let refuse = |text: String| Err(TxError::undefined(text));
    let tax = match Dec::read_wire(&params.community_tax) {
        Some(Some(tax)) => tax,
        Some(None) => return refuse("community tax must be not nil".to_owned()),
        None => return refuse("community tax is no number".to_owned()),
    };
    if tax.is_negative() {
        return refuse(format!("community tax must be positive: {tax}"));
    }
    if tax > Dec::one() {
        return refuse(format!("community tax too large: {tax}"));
    }
    Ok(())
}
