//! Queries of `pocket.shared.Query`.

use proto::pocket::shared::{
    QueryParamsAtHeightRequest, QueryParamsAtHeightResponse, QueryParamsResponse,
};

use super::params;
use crate::context::Context;
use crate::error::QueryError;
use crate::message::answer;
use crate::router::decode_request;

/// Answers a query; `None` for a method this service does not have.
pub fn query(ctx: &Context<'_>, method: &str, data: &[u8]) -> Option<Result<Vec<u8>, QueryError>> {
    Some(match method {
        "Params" => live(ctx),
        "ParamsAtHeight" => at_height(ctx, data),
        _ => return None,
    })
}

fn live(ctx: &Context<'_>) -> Result<Vec<u8>, QueryError> {
    Ok(answer(&QueryParamsResponse {
        params: params::params(ctx)?,
    }))
}

fn at_height(ctx: &Context<'_>, data: &[u8]) -> Result<Vec<u8>, QueryError> {
    let QueryParamsAtHeightRequest { height } = decode_request(data)?;
    if height < 0 {
        return Err(QueryError::invalid_argument("height must be non-negative"));
    }
    Ok(answer(&QueryParamsAtHeightResponse {
        params: params::params_at(ctx, height)?,
    }))
}
