//! Queries of `pocket.gateway.Query`. A dehydrated answer has no card.

use proto::pocket::gateway::{
    Gateway, QueryAllGatewaysRequest, QueryAllGatewaysResponse, QueryGetGatewayRequest,
    QueryGetGatewayResponse, QueryParamsResponse,
};

use super::{keys, params, state};
use crate::context::Context;
use crate::error::QueryError;
use crate::message::answer;
use crate::modules::shared::history;
use crate::pagination::paginate;
use crate::router::decode_request;

/// Answers a query; `None` for a method this service does not have.
pub fn query(ctx: &Context<'_>, method: &str, data: &[u8]) -> Option<Result<Vec<u8>, QueryError>> {
    Some(match method {
        "Params" => live(ctx),
        "Gateway" => one(ctx, data),
        "AllGateways" => many(ctx, data),
        _ => return None,
    })
}

fn live(ctx: &Context<'_>) -> Result<Vec<u8>, QueryError> {
    Ok(answer(&QueryParamsResponse {
        params: params::params(ctx)?,
    }))
}

fn one(ctx: &Context<'_>, data: &[u8]) -> Result<Vec<u8>, QueryError> {
    let QueryGetGatewayRequest {
        address,
        dehydrated,
    } = decode_request(data)?;
    let gateway = state::get(ctx, &address)?
        .ok_or_else(|| QueryError::not_found(format!("gateway not found: address {address}")))?;
    Ok(answer(&QueryGetGatewayResponse {
        gateway: shown(gateway, dehydrated),
    }))
}

fn many(ctx: &Context<'_>, data: &[u8]) -> Result<Vec<u8>, QueryError> {
    let QueryAllGatewaysRequest {
        pagination,
        dehydrated,
    } = decode_request(data)?;
    let (gateways, page) = paginate(ctx, keys::GATEWAYS, pagination.as_ref(), |key, value| {
        Ok(Some(shown(history::decode(key, value)?, dehydrated)))
    })?;
    Ok(answer(&QueryAllGatewaysResponse {
        gateways,
        pagination: Some(page),
    }))
}

fn shown(gateway: Gateway, dehydrated: bool) -> Gateway {
    if dehydrated {
        state::without_card(&gateway)
    } else {
        gateway
    }
}
