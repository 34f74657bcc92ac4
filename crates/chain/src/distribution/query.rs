//! Queries of the module.

use crypto::keys::Address;
use proto::cosmos::distribution::v1beta1 as types;

use super::{keys, params, rewards, state};
use crate::context::Context;
use crate::decimal::DecCoins;
use crate::error::{QueryError, TxError};
use crate::pagination;
use crate::staking::query::{answer, parse_account, parse_operator};
use crate::staking::{self, Delegation, Validator};

/// Answers a method of `cosmos.distribution.v1beta1.Query`. `None` for methods it does not have.
pub fn query(ctx: &Context, method: &str, data: &[u8]) -> Option<Result<Vec<u8>, QueryError>> {
    Some(match method {
        "Params" => answer(data, |_: types::QueryParamsRequest| {
            let params = params(ctx)?;
            Ok(types::QueryParamsResponse { params })
        }),
        "ValidatorDistributionInfo" => answer(data, |request| validator_info(ctx, &request)),
        "ValidatorOutstandingRewards" => answer(data, |request| outstanding(ctx, &request)),
        "ValidatorCommission" => answer(data, |request| commission(ctx, &request)),
        "ValidatorSlashes" => answer(data, |request| slashes(ctx, &request)),
        "DelegationRewards" => answer(data, |request| delegation_rewards(ctx, &request)),
        "DelegationTotalRewards" => answer(data, |request| total_rewards(ctx, &request)),
        "DelegatorValidators" => answer(data, |request| delegator_validators(ctx, &request)),
        "DelegatorWithdrawAddress" => answer(data, |request| withdraw_address(ctx, &request)),
        "CommunityPool" => answer(data, |_: types::QueryCommunityPoolRequest| {
            let pool = state::community_pool(ctx)?.to_proto();
            Ok(types::QueryCommunityPoolResponse { pool })
        }),
        _ => return None,
    })
}

/// Errors of keepers reach a client as they are.
fn plain(error: TxError) -> QueryError {
    QueryError::unknown(error.log)
}

fn operator(text: &str) -> Result<Address, QueryError> {
    if text.is_empty() {
        return Err(QueryError::invalid_argument("empty validator address"));
    }
    parse_operator(text)
}

fn check_delegator(text: &str) -> Result<(), QueryError> {
    if text.is_empty() {
        return Err(QueryError::invalid_argument("empty delegator address"));
    }
    Ok(())
}

fn existing(ctx: &Context, operator: &Address) -> Result<Validator, QueryError> {
    staking::existing_validator(ctx, operator).map_err(plain)
}

/// What a delegation would get now.
fn earned(
    ctx: &Context,
    validator: &Validator,
    delegation: &Delegation,
) -> Result<DecCoins, QueryError> {
    let ratio = rewards::ratio_now(ctx, validator)?;
    Ok(rewards::earned(ctx, validator, delegation, &ratio)?)
}

fn validator_info(
    ctx: &Context,
    request: &types::QueryValidatorDistributionInfoRequest,
) -> Result<types::QueryValidatorDistributionInfoResponse, QueryError> {
    let operator = operator(&request.validator_address)?;
    let validator = existing(ctx, &operator)?;
    let own = staking::existing_delegation(ctx, &operator, &operator).map_err(plain)?;
    Ok(types::QueryValidatorDistributionInfoResponse {
        operator_address: operator.to_bech32(),
        self_bond_rewards: earned(ctx, &validator, &own)?.to_proto(),
        commission: state::commission(ctx, &operator)?.to_proto(),
    })
}

fn outstanding(
    ctx: &Context,
    request: &types::QueryValidatorOutstandingRewardsRequest,
) -> Result<types::QueryValidatorOutstandingRewardsResponse, QueryError> {
    let operator = operator(&request.validator_address)?;
    existing(ctx, &operator)?;
    Ok(types::QueryValidatorOutstandingRewardsResponse {
        rewards: types::ValidatorOutstandingRewards {
            rewards: state::outstanding(ctx, &operator)?.to_proto(),
        },
    })
}

fn commission(
    ctx: &Context,
    request: &types::QueryValidatorCommissionRequest,
) -> Result<types::QueryValidatorCommissionResponse, QueryError> {
    let operator = operator(&request.validator_address)?;
    existing(ctx, &operator)?;
    Ok(types::QueryValidatorCommissionResponse {
        commission: types::ValidatorAccumulatedCommission {
            commission: state::commission(ctx, &operator)?.to_proto(),
        },
    })
}

/// The reference compares the heights asked for with the periods of slashes, not with their heights.
fn slashes(
    ctx: &Context,
    request: &types::QueryValidatorSlashesRequest,
) -> Result<types::QueryValidatorSlashesResponse, QueryError> {
    if request.validator_address.is_empty() {
        return Err(QueryError::invalid_argument("empty validator address"));
    }
    let (first, last) = (request.starting_height, request.ending_height);
    if last < first {
        return Err(QueryError::invalid_argument(format!(
            "starting height greater than ending height ({first} > {last})"
        )));
    }
    let operator = parse_operator(&request.validator_address)
        .map_err(|_| QueryError::invalid_argument("invalid validator address"))?;
    let prefix = keys::slashes_of(&operator);
    let page = request.pagination.as_ref();
    let (slashes, page) = pagination::paginate_filtered(ctx, &prefix, page, |_, value| {
        let slash: types::ValidatorSlashEvent = prost::Message::decode(value)
            .map_err(|error| QueryError::internal(error.to_string()))?;
        let asked = (first..=last).contains(&slash.validator_period);
        Ok(asked.then_some(slash))
    })
    .map_err(pagination::plain)?;
    Ok(types::QueryValidatorSlashesResponse {
        slashes,
        pagination: Some(page),
    })
}

fn delegation_rewards(
    ctx: &Context,
    request: &types::QueryDelegationRewardsRequest,
) -> Result<types::QueryDelegationRewardsResponse, QueryError> {
    check_delegator(&request.delegator_address)?;
    let operator = operator(&request.validator_address)?;
    let validator = existing(ctx, &operator)?;
    let delegator = parse_account(&request.delegator_address)?;
    let delegation = staking::existing_delegation(ctx, &delegator, &operator).map_err(plain)?;
    Ok(types::QueryDelegationRewardsResponse {
        rewards: earned(ctx, &validator, &delegation)?.to_proto(),
    })
}

fn total_rewards(
    ctx: &Context,
    request: &types::QueryDelegationTotalRewardsRequest,
) -> Result<types::QueryDelegationTotalRewardsResponse, QueryError> {
    check_delegator(&request.delegator_address)?;
    let delegator = parse_account(&request.delegator_address)?;
    let (mut rewards, mut total) = (Vec::new(), DecCoins::new());
    for delegation in staking::delegations_of(ctx, &delegator)? {
        let validator = existing(ctx, &delegation.validator)?;
        let earned = earned(ctx, &validator, &delegation)?;
        total = total.plus(&earned)?;
        rewards.push(types::DelegationDelegatorReward {
            validator_address: validator.operator_text(),
            reward: earned.to_proto(),
        });
    }
    Ok(types::QueryDelegationTotalRewardsResponse {
        rewards,
        total: total.to_proto(),
    })
}

fn delegator_validators(
    ctx: &Context,
    request: &types::QueryDelegatorValidatorsRequest,
) -> Result<types::QueryDelegatorValidatorsResponse, QueryError> {
    check_delegator(&request.delegator_address)?;
    let delegator = parse_account(&request.delegator_address)?;
    let delegations = staking::delegations_of(ctx, &delegator)?;
    let validators = delegations
        .iter()
        .map(|delegation| delegation.to_proto().validator_address)
        .collect();
    Ok(types::QueryDelegatorValidatorsResponse { validators })
}

fn withdraw_address(
    ctx: &Context,
    request: &types::QueryDelegatorWithdrawAddressRequest,
) -> Result<types::QueryDelegatorWithdrawAddressResponse, QueryError> {
    check_delegator(&request.delegator_address)?;
    let delegator = parse_account(&request.delegator_address)?;
    let address = state::withdraw_address(ctx, &delegator)?;
    Ok(types::QueryDelegatorWithdrawAddressResponse {
        withdraw_address: address.to_bech32(),
    })
}
