//! Queries of the bank.

use crypto::keys::Address;
use prost::Message;
use proto::cosmos::bank::v1beta1::{
    DenomOwner, Metadata, QueryAllBalancesRequest, QueryAllBalancesResponse, QueryBalanceRequest,
    QueryBalanceResponse, QueryDenomMetadataRequest, QueryDenomMetadataResponse,
    QueryDenomOwnersRequest, QueryDenomOwnersResponse, QueryDenomsMetadataRequest,
    QueryDenomsMetadataResponse, QueryParamsResponse, QuerySendEnabledRequest,
    QuerySendEnabledResponse, QuerySpendableBalanceByDenomRequest,
    QuerySpendableBalanceByDenomResponse, QuerySpendableBalancesRequest,
    QuerySpendableBalancesResponse, QuerySupplyOfRequest, QuerySupplyOfResponse,
    QueryTotalSupplyRequest, QueryTotalSupplyResponse, SendEnabled,
};
use proto::cosmos::base::query::v1beta1::{PageRequest, PageResponse};
use proto::cosmos::base::v1beta1::Coin;

use crate::bank::{self, coin, keys, valid_denom};
use crate::context::Context;
use crate::error::{GrpcCode, QueryError};
use crate::pagination::{paginate, paginate_collection, plain};
use crate::router::decode_request;

/// Answers a method of `cosmos.bank.v1beta1.Query`. `None` for methods it does not have.
pub fn query(ctx: &Context, method: &str, data: &[u8]) -> Option<Result<Vec<u8>, QueryError>> {
    Some(match method {
        "Balance" => balance(ctx, data),
        "AllBalances" => all_balances(ctx, data),
        "SpendableBalances" => spendable_balances(ctx, data),
        "SpendableBalanceByDenom" => spendable_balance_by_denom(ctx, data),
        "TotalSupply" => total_supply(ctx, data),
        "SupplyOf" => supply_of(ctx, data),
        "Params" => params(ctx),
        "DenomMetadata" | "DenomMetadataByQueryString" => denom_metadata(ctx, data),
        "DenomsMetadata" => denoms_metadata(ctx, data),
        // Both requests and both answers have the same fields under the same numbers.
        "DenomOwners" | "DenomOwnersByQuery" => denom_owners(ctx, data),
        "SendEnabled" => send_enabled(ctx, data),
        _ => return None,
    })
}

fn balance(ctx: &Context, data: &[u8]) -> Result<Vec<u8>, QueryError> {
    let request: QueryBalanceRequest = decode_request(data)?;
    check_denom(&request.denom)?;
    let address = address(&request.address)?;
    let amount = bank::balance(ctx, &address, &request.denom)?;
    let balance = Some(coin(amount, &request.denom));
    Ok(QueryBalanceResponse { balance }.encode_to_vec())
}

fn all_balances(ctx: &Context, data: &[u8]) -> Result<Vec<u8>, QueryError> {
    let request: QueryAllBalancesRequest = decode_request(data)?;
    let (mut balances, pagination) = balances(ctx, &request.address, request.pagination.as_ref())?;
    if request.resolve_denom {
        for balance in &mut balances {
            let metadata: Option<Metadata> = ctx.load(&keys::metadata(&balance.denom))?;
            if let Some(metadata) = metadata {
                balance.denom = metadata.display;
            }
        }
    }
    Ok(QueryAllBalancesResponse {
        balances,
        pagination: Some(pagination),
    }
    .encode_to_vec())
}

/// Balances less what is bound by vesting.
fn spendable_balances(ctx: &Context, data: &[u8]) -> Result<Vec<u8>, QueryError> {
    let request: QuerySpendableBalancesRequest = decode_request(data)?;
    let (mut balances, pagination) = balances(ctx, &request.address, request.pagination.as_ref())?;
    let locked = bank::locked(ctx, &address(&request.address)?)?;
    for balance in &mut balances {
        let held = bank::amount(balance).unwrap_or_default();
        *balance = coin(
            held.saturating_sub(locked.amount(&balance.denom)),
            &balance.denom,
        );
    }
    Ok(QuerySpendableBalancesResponse {
        balances,
        pagination: Some(pagination),
    }
    .encode_to_vec())
}

fn spendable_balance_by_denom(ctx: &Context, data: &[u8]) -> Result<Vec<u8>, QueryError> {
    let request: QuerySpendableBalanceByDenomRequest = decode_request(data)?;
    let address = address(&request.address)?;
    check_denom(&request.denom)?;
    let spendable = bank::spendable(ctx, &address, &request.denom)?;
    let balance = Some(coin(spendable, &request.denom));
    Ok(QuerySpendableBalanceByDenomResponse { balance }.encode_to_vec())
}

fn balances(
    ctx: &Context,
    account: &str,
    request: Option<&PageRequest>,
) -> Result<(Vec<Coin>, PageResponse), QueryError> {
    let prefix = keys::balances(&address(account)?);
    paginate_collection(ctx, &prefix, request, row).map_err(|error| match error.grpc {
        GrpcCode::Internal => QueryError::invalid_argument(format!("paginate: {error}")),
        _ => error,
    })
}

fn total_supply(ctx: &Context, data: &[u8]) -> Result<Vec<u8>, QueryError> {
    let request: QueryTotalSupplyRequest = decode_request(data)?;
    let (supply, pagination) =
        paginate_collection(ctx, keys::SUPPLIES, request.pagination.as_ref(), row)?;
    Ok(QueryTotalSupplyResponse {
        supply,
        pagination: Some(pagination),
    }
    .encode_to_vec())
}

fn supply_of(ctx: &Context, data: &[u8]) -> Result<Vec<u8>, QueryError> {
    let request: QuerySupplyOfRequest = decode_request(data)?;
    check_denom(&request.denom)?;
    let amount = coin(bank::supply(ctx, &request.denom)?, &request.denom);
    Ok(QuerySupplyOfResponse { amount }.encode_to_vec())
}

fn params(ctx: &Context) -> Result<Vec<u8>, QueryError> {
    Ok(QueryParamsResponse {
        params: bank::params(ctx)?,
    }
    .encode_to_vec())
}

fn denom_metadata(ctx: &Context, data: &[u8]) -> Result<Vec<u8>, QueryError> {
    let request: QueryDenomMetadataRequest = decode_request(data)?;
    check_denom(&request.denom)?;
    let metadata = ctx.load(&keys::metadata(&request.denom))?.ok_or_else(|| {
        QueryError::not_found(format!("client metadata for denom {}", request.denom))
    })?;
    Ok(QueryDenomMetadataResponse { metadata }.encode_to_vec())
}

fn denoms_metadata(ctx: &Context, data: &[u8]) -> Result<Vec<u8>, QueryError> {
    let request: QueryDenomsMetadataRequest = decode_request(data)?;
    let (metadatas, pagination) = paginate(
        ctx,
        keys::METADATA,
        request.pagination.as_ref(),
        |_, value| {
            Metadata::decode(value)
                .map(Some)
                .map_err(|error| QueryError::internal(error.to_string()))
        },
    )?;
    Ok(QueryDenomsMetadataResponse {
        metadatas,
        pagination: Some(pagination),
    }
    .encode_to_vec())
}

fn denom_owners(ctx: &Context, data: &[u8]) -> Result<Vec<u8>, QueryError> {
    let request: QueryDenomOwnersRequest = decode_request(data)?;
    check_denom(&request.denom)?;
    let (denom_owners, pagination) = paginate_collection(
        ctx,
        &keys::holders(&request.denom),
        request.pagination.as_ref(),
        |key, _| {
            let address = key.try_into().map(Address);
            let address = address.map_err(|_| QueryError::internal("an address has 20 bytes"))?;
            let amount = bank::balance(ctx, &address, &request.denom)?;
            Ok(Some(DenomOwner {
                address: address.to_bech32(),
                balance: coin(amount, &request.denom),
            }))
        },
    )
    .map_err(plain)?;
    Ok(QueryDenomOwnersResponse {
        denom_owners,
        pagination: Some(pagination),
    }
    .encode_to_vec())
}

/// The settings of the denominations asked for, those without one left out; all when none is named.
fn send_enabled(ctx: &Context, data: &[u8]) -> Result<Vec<u8>, QueryError> {
    let request: QuerySendEnabledRequest = decode_request(data)?;
    let mut response = QuerySendEnabledResponse::default();
    let entry = |denom: &str, flag: &[u8]| SendEnabled {
        denom: denom.to_owned(),
        enabled: flag == [1],
    };
    for denom in &request.denoms {
        if let Some(flag) = ctx.get(&keys::send_enabled(denom))? {
            response.send_enabled.push(entry(denom, &flag));
        }
    }
    if request.denoms.is_empty() {
        let page = request.pagination.as_ref();
        let (all, page) = paginate_collection(ctx, keys::SEND_ENABLED, page, |denom, flag| {
            Ok(Some(entry(&String::from_utf8_lossy(denom), flag)))
        })?;
        response.send_enabled = all;
        response.pagination = Some(page);
    }
    Ok(response.encode_to_vec())
}

fn row(denom: &[u8], value: &[u8]) -> Result<Option<Coin>, QueryError> {
    let amount = bank::amount_from_bytes(value)?;
    Ok(Some(coin(amount, &String::from_utf8_lossy(denom))))
}

fn address(text: &str) -> Result<Address, QueryError> {
    if text.is_empty() {
        return Err(QueryError::invalid_argument(
            "empty address string is not allowed",
        ));
    }
    Address::from_bech32(text)
        .map_err(|error| QueryError::invalid_argument(format!("invalid address: {error}")))
}

fn check_denom(denom: &str) -> Result<(), QueryError> {
    if !valid_denom(denom) {
        return Err(QueryError::invalid_argument(format!(
            "invalid denom: {denom}"
        )));
    }
    Ok(())
}
