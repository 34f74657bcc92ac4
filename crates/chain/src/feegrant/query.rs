//! Queries of allowances.

use crypto::keys::Address;
use prost::Message as _;
use proto::cosmos::feegrant::v1beta1::{
    Grant, QueryAllowanceRequest, QueryAllowanceResponse, QueryAllowancesByGranterRequest,
    QueryAllowancesByGranterResponse, QueryAllowancesRequest, QueryAllowancesResponse,
};

use super::keys;
use crate::context::Context;
use crate::error::QueryError;
use crate::message::answer;
use crate::modules::shared::address;
use crate::pagination::{paginate, paginate_filtered};
use crate::router::decode_request;

/// Answers a method of `cosmos.feegrant.v1beta1.Query`. `None` for methods it does not have.
pub fn query(ctx: &Context, method: &str, data: &[u8]) -> Option<Result<Vec<u8>, QueryError>> {
    Some(match method {
        "Allowance" => allowance(ctx, data),
        "Allowances" => allowances(ctx, data),
        "AllowancesByGranter" => allowances_by_granter(ctx, data),
        _ => return None,
    })
}

fn allowance(ctx: &Context, data: &[u8]) -> Result<Vec<u8>, QueryError> {
    let request: QueryAllowanceRequest = decode_request(data)?;
    let granter = parse(&request.granter)?;
    let grantee = parse(&request.grantee)?;
    let found = ctx.load(&keys::allowance(&grantee, &granter))?;
    let found: Grant =
        found.ok_or_else(|| QueryError::internal("fee-grant not found: not found"))?;
    Ok(answer(&QueryAllowanceResponse {
        allowance: Some(found),
    }))
}

fn allowances(ctx: &Context, data: &[u8]) -> Result<Vec<u8>, QueryError> {
    let request: QueryAllowancesRequest = decode_request(data)?;
    let prefix = keys::allowances(&parse(&request.grantee)?);
    let page = request.pagination.as_ref();
    let (allowances, page) = paginate(ctx, &prefix, page, |_, value| decode(value).map(Some))?;
    Ok(answer(&QueryAllowancesResponse {
        allowances,
        pagination: Some(page),
    }))
}

fn allowances_by_granter(ctx: &Context, data: &[u8]) -> Result<Vec<u8>, QueryError> {
    let request: QueryAllowancesByGranterRequest = decode_request(data)?;
    let granter = parse(&request.granter)?;
    let page = request.pagination.as_ref();
    let (allowances, page) = paginate_filtered(ctx, keys::ALLOWANCES, page, |key, value| {
        // Behind the grantee.
        if key.get(20..) == Some(granter.as_bytes()) {
            decode(value).map(Some)
        } else {
            Ok(None)
        }
    })?;
    Ok(answer(&QueryAllowancesByGranterResponse {
        allowances,
        pagination: Some(page),
    }))
}

fn decode(value: &[u8]) -> Result<Grant, QueryError> {
    Grant::decode(value).map_err(|error| QueryError::internal(error.to_string()))
}

fn parse(text: &str) -> Result<Address, QueryError> {
    address::parse(text).map_err(QueryError::unknown)
}
