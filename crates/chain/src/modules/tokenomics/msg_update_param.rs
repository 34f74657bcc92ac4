//! `MsgUpdateParam`: governance changes one param by name.

use proto::pocket::tokenomics::msg_update_param::AsType;
use proto::pocket::tokenomics::{MsgUpdateParam, Params};

use super::error::Error;
use super::msg_update_params::check_authority;
use super::params;
use crate::context::Context;
use crate::error::{GrpcCode, TxError};
use crate::modules::shared::authority;

/// Checks authority, name, type and the value by itself.
pub(super) fn check(message: &MsgUpdateParam) -> Result<(), TxError> {
    check_authority(&message.authority)?;
    apply(&mut Params::default(), message)
}

/// Replaces the one value at once.
pub(super) fn execute(ctx: &mut Context<'_>, message: MsgUpdateParam) -> Result<(), TxError> {
    check(&message).map_err(|error| TxError::status(GrpcCode::InvalidArgument, error))?;
    authority::require_permission(&message.authority, Error::InvalidSigner.text())?;
    let mut new = params::params(ctx)?;
    apply(&mut new, &message)?;
    params::validate(&new).map_err(|log| TxError::status(GrpcCode::InvalidArgument, log))?;
    params::set(ctx, &new);
    Ok(())
}

fn apply(params: &mut Params, message: &MsgUpdateParam) -> Result<(), TxError> {
    let Some(value) = &message.as_type else {
        return Err(Error::ParamsInvalid.because("missing param AsType"));
    };
    let name = message.name.as_str();
    let result = match (name, value) {
        ("dao_reward_address", AsType::AsString(value)) => {
            params.dao_reward_address.clone_from(value);
            params::validate_dao_reward_address(value)
        }
        ("mint_allocation_percentages", AsType::AsMintAllocationPercentages(value)) => {
            params.mint_allocation_percentages = *value;
            params::validate_mint_allocation(value)
        }
        ("global_inflation_per_claim", AsType::AsFloat(value)) => {
            params.global_inflation_per_claim = *value;
            params::validate_global_inflation(*value)
        }
        (
            "mint_equals_burn_claim_distribution",
            AsType::AsMintEqualsBurnClaimDistribution(value),
        ) => {
            params.mint_equals_burn_claim_distribution = *value;
            params::validate_claim_distribution(value)
        }
        ("mint_ratio", AsType::AsFloat(value)) => {
            params.mint_ratio = *value;
            params::validate_mint_ratio(*value)
        }
        ("overservicing_bonus_multiplier", AsType::AsUint64(value)) => {
            params.overservicing_bonus_multiplier = *value;
            params::validate_bonus_multiplier(*value)
        }
        (name, got) => match expected(name) {
            Some(expected) => Err(format!(
                "invalid type for param {name:?}; expected *types.MsgUpdateParam_{expected}, got \
                 *types.MsgUpdateParam_{}",
                shown(got)
            )),
            None => {
                let detail = format_args!("unsupported param {name:?}");
                return Err(Error::ParamNameInvalid.because(detail));
            }
        },
    };
    result.map_err(|detail| Error::ParamInvalid.because(detail))
}

/// The type of a param; `None` for a name that is none.
fn expected(name: &str) -> Option<&'static str> {
    Some(match name {
        "dao_reward_address" => "AsString",
        "mint_allocation_percentages" => "AsMintAllocationPercentages",
        "global_inflation_per_claim" | "mint_ratio" => "AsFloat",
        "mint_equals_burn_claim_distribution" => "AsMintEqualsBurnClaimDistribution",
        "overservicing_bonus_multiplier" => "AsUint64",
        _ => return None,
    })
}

fn shown(value: &AsType) -> &'static str {
    match value {
        AsType::AsMintAllocationPercentages(_) => "AsMintAllocationPercentages",
        AsType::AsString(_) => "AsString",
        AsType::AsFloat(_) => "AsFloat",
        AsType::AsMintEqualsBurnClaimDistribution(_) => "AsMintEqualsBurnClaimDistribution",
        AsType::AsUint64(_) => "AsUint64",
    }
}
