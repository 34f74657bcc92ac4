//! Queries of grants.

use crypto::keys::Address;
use prost::Message as _;
use proto::cosmos::authz::v1beta1::{
    Grant, GrantAuthorization, QueryGranteeGrantsRequest, QueryGranteeGrantsResponse,
    QueryGranterGrantsRequest, QueryGranterGrantsResponse, QueryGrantsRequest, QueryGrantsResponse,
};

use super::error::Error;
use super::keys;
use crate::context::Context;
use crate::error::QueryError;
use crate::message::answer;
use crate::modules::shared::address;
use crate::pagination::{paginate_filtered, plain};
use crate::router::decode_request;

/// Answers a method of `cosmos.authz.v1beta1.Query`. `None` for methods it does not have.
pub fn query(ctx: &Context, method: &str, data: &[u8]) -> Option<Result<Vec<u8>, QueryError>> {
    Some(match method {
        "Grants" => grants(ctx, data),
        "GranterGrants" => granter_grants(ctx, data),
        "GranteeGrants" => grantee_grants(ctx, data),
        _ => return None,
    })
}

fn grants(ctx: &Context, data: &[u8]) -> Result<Vec<u8>, QueryError> {
    let request: QueryGrantsRequest = decode_request(data)?;
    let granter = parse(&request.granter)?;
    let grantee = parse(&request.grantee)?;
    let type_url = &request.msg_type_url;
    if !type_url.is_empty() {
        let Some(grant) = super::grant(ctx, &granter, &grantee, type_url)? else {
            let error = Error::NoAuthorizationFound;
            return Err(QueryError::registered(
                Error::CODESPACE,
                error.code(),
                error.text(),
                &format!("authorization not found for {type_url} type"),
            ));
        };
        return Ok(answer(&QueryGrantsResponse {
            grants: vec![grant],
            pagination: None,
        }));
    }
    let (grants, page) = paginate_filtered(
        ctx,
        &keys::grants(&granter, &grantee),
        request.pagination.as_ref(),
        |_, value| decode(value).map(Some),
    )
    .map_err(plain)?;
    Ok(answer(&QueryGrantsResponse {
        grants,
        pagination: Some(page),
    }))
}

fn granter_grants(ctx: &Context, data: &[u8]) -> Result<Vec<u8>, QueryError> {
    let request: QueryGranterGrantsRequest = decode_request(data)?;
    let granter = parse(&request.granter)?;
    let (grants, page) = paginate_filtered(
        ctx,
        &keys::grants_by(&granter),
        request.pagination.as_ref(),
        |key, value| {
            let grantee = key.first_chunk::<20>().map(|bytes| Address(*bytes));
            let grantee = grantee.ok_or_else(|| QueryError::internal("a grant without grantee"))?;
            authorization(granter, grantee, value).map(Some)
        },
    )
    .map_err(plain)?;
    Ok(answer(&QueryGranterGrantsResponse {
        grants,
        pagination: Some(page),
    }))
}

fn grantee_grants(ctx: &Context, data: &[u8]) -> Result<Vec<u8>, QueryError> {
    let request: QueryGranteeGrantsRequest = decode_request(data)?;
    let grantee = parse(&request.grantee)?;
    let (grants, page) = paginate_filtered(
        ctx,
        keys::GRANTS,
        request.pagination.as_ref(),
        |key, value| {
            let pair = keys::split_pair(key);
            let (granter, to, _) =
                pair.ok_or_else(|| QueryError::internal("a grant without accounts"))?;
            if to != grantee {
                return Ok(None);
            }
            authorization(granter, grantee, value).map(Some)
        },
    )
    .map_err(plain)?;
    Ok(answer(&QueryGranteeGrantsResponse {
        grants,
        pagination: Some(page),
    }))
}

fn authorization(
    granter: Address,
    grantee: Address,
    value: &[u8],
) -> Result<GrantAuthorization, QueryError> {
    let grant = decode(value)?;
    Ok(GrantAuthorization {
        granter: granter.to_bech32(),
        grantee: grantee.to_bech32(),
        authorization: grant.authorization,
        expiration: grant.expiration,
    })
}

fn decode(value: &[u8]) -> Result<Grant, QueryError> {
    Grant::decode(value).map_err(|error| QueryError::internal(error.to_string()))
}

fn parse(text: &str) -> Result<Address, QueryError> {
    address::parse(text).map_err(QueryError::unknown)
}
