//! Queries of `pocket.tokenomics.Query`.

use proto::pocket::tokenomics::QueryParamsResponse;

use super::params;
use crate::context::Context;
use crate::error::QueryError;
use crate::message::answer;

/// Answers a query; `None` for a method this service does not have.
pub fn query(ctx: &Context<'_>, method: &str, _data: &[u8]) -> Option<Result<Vec<u8>, QueryError>> {
    match method {
        "Params" => Some(live(ctx)),
        _ => None,
    }
}

fn live(ctx: &Context<'_>) -> Result<Vec<u8>, QueryError> {
    Ok(answer(&QueryParamsResponse {
        params: params::params(ctx)?,
    }))
}
