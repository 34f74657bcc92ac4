//! Queries of the module.

use crypto::keys::{Address, VALOPER_PREFIX};
use prost::Message as _;
use proto::cosmos::base::query::v1beta1::{PageRequest, PageResponse};
use proto::cosmos::staking::v1beta1 as types;

use super::delegation::{Delegation, Redelegation};
use super::validator::BondStatus;
use super::{history, keys, params, pools, state};
use crate::bank;
use crate::context::Context;
use crate::error::QueryError;
use crate::pagination::{paginate, paginate_filtered};
use crate::router::decode_request;

/// Answers a method of `cosmos.staking.v1beta1.Query`. `None` for methods it does not have.
pub fn query(ctx: &Context, method: &str, data: &[u8]) -> Option<Result<Vec<u8>, QueryError>> {
    Some(match method {
        "Validators" => answer(data, |request| validators(ctx, &request)),
        "Validator" => answer(data, |request| validator(ctx, &request)),
        "ValidatorDelegations" => answer(data, |request| validator_delegations(ctx, &request)),
        "ValidatorUnbondingDelegations" => {
            answer(data, |request| validator_unbondings(ctx, &request))
        }
        "Delegation" => answer(data, |request| delegation(ctx, &request)),
        "UnbondingDelegation" => answer(data, |request| unbonding(ctx, &request)),
        "DelegatorDelegations" => answer(data, |request| delegator_delegations(ctx, &request)),
        "DelegatorUnbondingDelegations" => {
            answer(data, |request| delegator_unbondings(ctx, &request))
        }
        "Redelegations" => answer(data, |request| redelegations(ctx, &request)),
        "DelegatorValidators" => answer(data, |request| delegator_validators(ctx, &request)),
        "DelegatorValidator" => answer(data, |request| delegator_validator(ctx, &request)),
        "HistoricalInfo" => answer(data, |request| historical_info(ctx, &request)),
        "Pool" => answer(data, |_: types::QueryPoolRequest| pool(ctx)),
        "Params" => answer(data, |_: types::QueryParamsRequest| {
            let params = params(ctx)?;
            Ok(types::QueryParamsResponse { params })
        }),
        _ => return None,
    })
}

/// Decodes a request and encodes its response.
pub(crate) fn answer<Request, Response>(
    data: &[u8],
    handle: impl FnOnce(Request) -> Result<Response, QueryError>,
) -> Result<Vec<u8>, QueryError>
where
    Request: prost::Message + Default,
    Response: prost::Message,
{
    Ok(handle(decode_request(data)?)?.encode_to_vec())
}

/// An operator in a request: empty is one error, malformed another.
pub(crate) fn operator(text: &str) -> Result<Address, QueryError> {
    if text.is_empty() {
        return Err(QueryError::invalid_argument(
            "validator address cannot be empty",
        ));
    }
    parse_operator(text)
}

/// An operator in a request, wherever it is not looked at before.
pub(crate) fn parse_operator(text: &str) -> Result<Address, QueryError> {
    Address::from_bech32_with(VALOPER_PREFIX, text)
        .map_err(|error| QueryError::unknown(format!("decoding bech32 failed: {error}")))
}

/// An account in a request.
pub(crate) fn parse_account(text: &str) -> Result<Address, QueryError> {
    Address::from_bech32(text)
        .map_err(|error| QueryError::unknown(format!("decoding bech32 failed: {error}")))
}

fn delegator(text: &str) -> Result<Address, QueryError> {
    if text.is_empty() {
        return Err(QueryError::invalid_argument(
            "delegator address cannot be empty",
        ));
    }
    parse_account(text)
}

/// Both addresses of a pair; that both are there is looked at first.
fn pair(delegator_text: &str, operator_text: &str) -> Result<(Address, Address), QueryError> {
    if delegator_text.is_empty() {
        delegator(delegator_text)?;
    }
    if operator_text.is_empty() {
        operator(operator_text)?;
    }
    Ok((delegator(delegator_text)?, operator(operator_text)?))
}

fn validators(
    ctx: &Context,
    request: &types::QueryValidatorsRequest,
) -> Result<types::QueryValidatorsResponse, QueryError> {
    let wanted = match request.status.as_str() {
        "" => None,
        name => Some(
            BondStatus::from_str_name(name)
                .filter(|status| *status != BondStatus::Unspecified)
                .ok_or_else(|| {
                    QueryError::invalid_argument(format!("invalid validator status {name}"))
                })?,
        ),
    };
    let page = request.pagination.as_ref();
    let (validators, page) = paginate_filtered(ctx, keys::VALIDATORS, page, |_, value| {
        let validator = state::decode_validator(value)?;
        let keep = wanted.is_none_or(|wanted| validator.status == wanted);
        Ok(keep.then(|| validator.to_proto()))
    })?;
    Ok(types::QueryValidatorsResponse {
        validators,
        pagination: Some(page),
    })
}

fn validator(
    ctx: &Context,
    request: &types::QueryValidatorRequest,
) -> Result<types::QueryValidatorResponse, QueryError> {
    let address = operator(&request.validator_addr)?;
    let validator = state::validator(ctx, &address)?.ok_or_else(|| {
        QueryError::not_found(format!("validator {} not found", request.validator_addr))
    })?;
    Ok(types::QueryValidatorResponse {
        validator: validator.to_proto(),
    })
}

/// A delegation and what it is worth.
fn with_balance(
    ctx: &Context,
    delegation: &Delegation,
) -> Result<types::DelegationResponse, QueryError> {
    let validator = state::existing_validator(ctx, &delegation.validator)
        .map_err(|error| QueryError::internal(error.log))?;
    let tokens = validator.tokens_of(&delegation.shares)?.truncate()?;
    Ok(types::DelegationResponse {
        delegation: delegation.to_proto(),
        balance: bank::coin(tokens, &params(ctx)?.bond_denom),
    })
}

fn validator_delegations(
    ctx: &Context,
    request: &types::QueryValidatorDelegationsRequest,
) -> Result<types::QueryValidatorDelegationsResponse, QueryError> {
    let operator = operator(&request.validator_addr)?;
    let prefix = keys::delegations_to(&operator);
    let page = request.pagination.as_ref();
    let (delegation_responses, page) = paginate(ctx, &prefix, page, |key, _| {
        let delegator = keys::last_address(key)?;
        state::delegation(ctx, &delegator, &operator)?
            .map(|delegation| with_balance(ctx, &delegation))
            .transpose()
    })?;
    Ok(types::QueryValidatorDelegationsResponse {
        delegation_responses,
        pagination: Some(page),
    })
}

fn validator_unbondings(
    ctx: &Context,
    request: &types::QueryValidatorUnbondingDelegationsRequest,
) -> Result<types::QueryValidatorUnbondingDelegationsResponse, QueryError> {
    let operator = operator(&request.validator_addr)?;
    let prefix = keys::unbondings_from(&operator);
    let page = request.pagination.as_ref();
    let (unbonding_responses, page) = paginate(ctx, &prefix, page, |key, _| {
        let delegator = keys::last_address(key)?;
        let unbonding = state::unbonding(ctx, &delegator, &operator)?;
        Ok(unbonding.map(|unbonding| unbonding.to_proto()))
    })?;
    Ok(types::QueryValidatorUnbondingDelegationsResponse {
        unbonding_responses,
        pagination: Some(page),
    })
}

fn delegation(
    ctx: &Context,
    request: &types::QueryDelegationRequest,
) -> Result<types::QueryDelegationResponse, QueryError> {
    let (delegator, operator) = pair(&request.delegator_addr, &request.validator_addr)?;
    let delegation = state::delegation(ctx, &delegator, &operator)?.ok_or_else(|| {
        QueryError::not_found(format!(
            "delegation with delegator {} not found for validator {}",
            request.delegator_addr, request.validator_addr
        ))
    })?;
    Ok(types::QueryDelegationResponse {
        delegation_response: Some(with_balance(ctx, &delegation)?),
    })
}

fn unbonding(
    ctx: &Context,
    request: &types::QueryUnbondingDelegationRequest,
) -> Result<types::QueryUnbondingDelegationResponse, QueryError> {
    let (delegator, operator) = pair(&request.delegator_addr, &request.validator_addr)?;
    let unbonding = state::unbonding(ctx, &delegator, &operator)?.ok_or_else(|| {
        QueryError::not_found(format!(
            "unbonding delegation with delegator {} not found for validator {}",
            request.delegator_addr, request.validator_addr
        ))
    })?;
    Ok(types::QueryUnbondingDelegationResponse {
        unbond: unbonding.to_proto(),
    })
}

fn delegator_delegations(
    ctx: &Context,
    request: &types::QueryDelegatorDelegationsRequest,
) -> Result<types::QueryDelegatorDelegationsResponse, QueryError> {
    let delegator = delegator(&request.delegator_addr)?;
    let prefix = keys::delegations_of(&delegator);
    let page = request.pagination.as_ref();
    let (delegation_responses, page) = paginate(ctx, &prefix, page, |_, value| {
        let delegation = state::decode_delegation(value)?;
        with_balance(ctx, &delegation).map(Some)
    })?;
    Ok(types::QueryDelegatorDelegationsResponse {
        delegation_responses,
        pagination: Some(page),
    })
}

fn delegator_unbondings(
    ctx: &Context,
    request: &types::QueryDelegatorUnbondingDelegationsRequest,
) -> Result<types::QueryDelegatorUnbondingDelegationsResponse, QueryError> {
    let delegator = delegator(&request.delegator_addr)?;
    let prefix = keys::unbondings_of(&delegator);
    let page = request.pagination.as_ref();
    let (unbonding_responses, page) = paginate(ctx, &prefix, page, |_, value| {
        types::UnbondingDelegation::decode(value)
            .map(Some)
            .map_err(|error| QueryError::internal(error.to_string()))
    })?;
    Ok(types::QueryDelegatorUnbondingDelegationsResponse {
        unbonding_responses,
        pagination: Some(page),
    })
}

/// One redelegation, those from a validator, or those of a delegator. Every error of the search is Internal.
fn redelegations(
    ctx: &Context,
    request: &types::QueryRedelegationsRequest,
) -> Result<types::QueryRedelegationsResponse, QueryError> {
    let internal = |error: QueryError| {
        let text = match error.grpc {
            crate::error::GrpcCode::Unknown | crate::error::GrpcCode::Internal => error.message,
            code => format!("rpc error: code = {code} desc = {}", error.message),
        };
        QueryError::internal(text)
    };
    let (found, pagination) = find_redelegations(ctx, request).map_err(internal)?;
    let mut redelegation_responses = Vec::with_capacity(found.len());
    for redelegation in found {
        redelegation_responses.push(redelegation_response(ctx, &redelegation).map_err(internal)?);
    }
    Ok(types::QueryRedelegationsResponse {
        redelegation_responses,
        pagination,
    })
}

fn find_redelegations(
    ctx: &Context,
    request: &types::QueryRedelegationsRequest,
) -> Result<(Vec<Redelegation>, Option<PageResponse>), QueryError> {
    let page: Option<&PageRequest> = request.pagination.as_ref();
    let given = |text: &str| !text.is_empty();
    let (delegator, from, to) = (
        given(&request.delegator_addr),
        given(&request.src_validator_addr),
        given(&request.dst_validator_addr),
    );
    if delegator && from && to {
        let delegator = parse_account(&request.delegator_addr)?;
        let from = parse_operator(&request.src_validator_addr)?;
        let to = parse_operator(&request.dst_validator_addr)?;
        let found = state::redelegation(ctx, &delegator, &from, &to)?.ok_or_else(|| {
            QueryError::not_found(format!(
                "redelegation not found for delegator address {} from validator address {}",
                request.delegator_addr, request.src_validator_addr
            ))
        })?;
        return Ok((vec![found], None));
    }
    let (found, page) = if !delegator && from && !to {
        let from = parse_operator(&request.src_validator_addr)?;
        paginate(ctx, &keys::redelegations_from(&from), page, |key, _| {
            let (delegator, to) = keys::last_two(key)?;
            Ok(state::redelegation(ctx, &delegator, &from, &to)?)
        })?
    } else {
        let delegator = parse_account(&request.delegator_addr)?;
        paginate(
            ctx,
            &keys::redelegations_of(&delegator),
            page,
            |_, value| {
                let proto = types::Redelegation::decode(value)
                    .map_err(|error| QueryError::internal(error.to_string()))?;
                Ok(Some(Redelegation::from_proto(&proto)?))
            },
        )?
    };
    Ok((found, Some(page)))
}

fn redelegation_response(
    ctx: &Context,
    redelegation: &Redelegation,
) -> Result<types::RedelegationResponse, QueryError> {
    let validator = state::existing_validator(ctx, &redelegation.destination)
        .map_err(|error| QueryError::internal(error.log))?;
    let mut entries = Vec::with_capacity(redelegation.entries.len());
    for entry in &redelegation.entries {
        let tokens = validator.tokens_of(&entry.shares)?.truncate()?;
        // How often an entry is held back is not answered.
        let redelegation_entry = types::RedelegationEntry {
            unbonding_on_hold_ref_count: 0,
            ..entry.to_proto()
        };
        entries.push(types::RedelegationEntryResponse {
            redelegation_entry,
            balance: tokens.to_string(),
        });
    }
    let redelegation = types::Redelegation {
        entries: Vec::new(),
        ..redelegation.to_proto()
    };
    Ok(types::RedelegationResponse {
        redelegation,
        entries,
    })
}

fn delegator_validators(
    ctx: &Context,
    request: &types::QueryDelegatorValidatorsRequest,
) -> Result<types::QueryDelegatorValidatorsResponse, QueryError> {
    let delegator = delegator(&request.delegator_addr)?;
    let prefix = keys::delegations_of(&delegator);
    let page = request.pagination.as_ref();
    let (validators, page) = paginate(ctx, &prefix, page, |_, value| {
        let delegation = state::decode_delegation(value)?;
        let validator = state::existing_validator(ctx, &delegation.validator)
            .map_err(|error| QueryError::internal(error.log))?;
        Ok(Some(validator.to_proto()))
    })?;
    Ok(types::QueryDelegatorValidatorsResponse {
        validators,
        pagination: Some(page),
    })
}

fn delegator_validator(
    ctx: &Context,
    request: &types::QueryDelegatorValidatorRequest,
) -> Result<types::QueryDelegatorValidatorResponse, QueryError> {
    let (delegator, operator) = pair(&request.delegator_addr, &request.validator_addr)?;
    let internal = |error: crate::error::TxError| QueryError::internal(error.log);
    state::existing_delegation(ctx, &delegator, &operator).map_err(internal)?;
    let validator = state::existing_validator(ctx, &operator).map_err(internal)?;
    Ok(types::QueryDelegatorValidatorResponse {
        validator: validator.to_proto(),
    })
}

fn historical_info(
    ctx: &Context,
    request: &types::QueryHistoricalInfoRequest,
) -> Result<types::QueryHistoricalInfoResponse, QueryError> {
    let height = request.height;
    if height < 0 {
        return Err(QueryError::invalid_argument("height cannot be negative"));
    }
    let hist = history::at(ctx, height)?.ok_or_else(|| {
        QueryError::not_found(format!("historical info for height {height} not found"))
    })?;
    Ok(types::QueryHistoricalInfoResponse { hist: Some(hist) })
}

fn pool(ctx: &Context) -> Result<types::QueryPoolResponse, QueryError> {
    let denom = params(ctx)?.bond_denom;
    let held = |pool| bank::balance(ctx, &Address::module(pool), &denom);
    Ok(types::QueryPoolResponse {
        pool: types::Pool {
            not_bonded_tokens: held(pools::NOT_BONDED)?.to_string(),
            bonded_tokens: held(pools::BONDED)?.to_string(),
        },
    })
}
