//! Params of `tokenomics`.

use proto::pocket::tokenomics::{
    MintAllocationPercentages, MintEqualsBurnClaimDistribution, Params,
};
use protocol::decimal::Ratio;

use super::error::Error;
use super::keys;
use crate::context::Context;
use crate::error::ChainError;
use crate::limits::MAX_OVERSERVICING_BONUS_MULTIPLIER;
use crate::modules::shared::address;

/// The params.
///
/// # Errors
/// When the store fails or genesis never set them.
pub fn params(ctx: &Context<'_>) -> Result<Params, ChainError> {
    ctx.load(keys::PARAMS)?
        .ok_or_else(|| ChainError::invariant("tokenomics params are set by genesis"))
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
    validate_dao_reward_address(&params.dao_reward_address)?;
    validate_mint_allocation(&params.mint_allocation_percentages)?;
    validate_global_inflation(params.global_inflation_per_claim)?;
    validate_claim_distribution(&params.mint_equals_burn_claim_distribution)?;
    validate_mint_ratio(params.mint_ratio)?;
    validate_bonus_multiplier(params.overservicing_bonus_multiplier)
}

/// The DAO has an address.
pub(super) fn validate_dao_reward_address(text: &str) -> Result<(), String> {
    match address::parse(text) {
        Ok(_) => Ok(()),
        Err(reason) => Err(format!("invalid dao reward address {text:?}: {reason}")),
    }
}

/// The five shares of the global mint add up to one.
pub(super) fn validate_mint_allocation(p: &MintAllocationPercentages) -> Result<(), String> {
    let shares = [p.dao, p.proposer, p.supplier, p.source_owner, p.application];
    match sum(shares)? {
        None => Ok(()),
        Some(sum) => Err(format!(
            "mint allocation percentages do not add to 1.0: got {sum:.6} instead. This is greater than the \
             acceptable epsilon of 0.000000"
        )),
    }
}

/// The five shares of what a claim mints add up to one.
pub(super) fn validate_claim_distribution(
    p: &MintEqualsBurnClaimDistribution,
) -> Result<(), String> {
    let shares = [p.dao, p.proposer, p.supplier, p.source_owner, p.application];
    match sum(shares)? {
        None => Ok(()),
        Some(sum) => Err(format!(
            "mint equals burn claim distribution percentages do not add to 1.0: got {sum:.6}"
        )),
    }
}

/// `None` if the five shares add up to one, else about how much they are. As in the reference each counts as the nearest
/// hundredth of a percent, so that shares that only nearly add up are valid; the DAO gets what the others leave.
fn sum(shares: [f64; 5]) -> Result<Option<f64>, String> {
    const BASIS_POINTS: f64 = 10_000.0;
    let names = ["DAO", "proposer", "supplier", "source owner", "application"];
    let mut sum = 0.0;
    for (name, share) in names.into_iter().zip(shares) {
        Ratio::from_double(share).map_err(|_| {
            format!("mint allocation to {name} must be greater than or equal to 0: got {share:.6}")
        })?;
        // Whole numbers far below 2^53 are exact.
        sum += (share * BASIS_POINTS).round();
    }
    Ok((sum != BASIS_POINTS).then_some(sum / BASIS_POINTS))
}

/// Inflation is a non-negative decimal number.
pub(super) fn validate_global_inflation(value: f64) -> Result<(), String> {
    match Ratio::from_double(value) {
        Ok(_) => Ok(()),
        Err(_) => Err(format!(
            "GlobalInflationPerClaim must be greater than or equal to 0: {value:.6}"
        )),
    }
}

/// Something of a claim is minted, and not more than it burns.
pub(super) fn validate_mint_ratio(value: f64) -> Result<(), String> {
    if value > 0.0 && value <= 1.0 {
        Ok(())
    } else {
        Err(format!(
            "mint_ratio must be in range (0, 1]: got {value:.6}"
        ))
    }
}

/// The multiplier stays where it has an effect; 0 counts as 1.
pub(super) fn validate_bonus_multiplier(value: u64) -> Result<(), String> {
    let most = MAX_OVERSERVICING_BONUS_MULTIPLIER;
    if value <= most {
        return Ok(());
    }
    Err(format!(
        "overservicing_bonus_multiplier ({value}) must be <= {most}; values at or above num_suppliers_per_session \
         already remove the cap in practice (the application's per-session budget binds first), so a larger value has \
         no effect and is most likely a mistake"
    ))
}
