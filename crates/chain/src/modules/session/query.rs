//! Queries of `pocket.session.Query`.

use proto::pocket::session::{
    QueryGetSessionRequest, QueryGetSessionResponse, QueryParamsResponse,
};

use super::error::{Error, SessionError};
use super::{hydrate, params};
use crate::context::Context;
use crate::error::QueryError;
use crate::message::answer;
use crate::modules::shared::{address, validate};
use crate::router::decode_request;

/// Answers a query; `None` for a method this service does not have.
pub fn query(ctx: &Context<'_>, method: &str, data: &[u8]) -> Option<Result<Vec<u8>, QueryError>> {
    Some(match method {
        "Params" => live(ctx),
        "GetSession" => session(ctx, data),
        _ => return None,
    })
}

fn live(ctx: &Context<'_>) -> Result<Vec<u8>, QueryError> {
    Ok(answer(&QueryParamsResponse {
        params: params::params(ctx)?,
    }))
}

fn session(ctx: &Context<'_>, data: &[u8]) -> Result<Vec<u8>, QueryError> {
    let request: QueryGetSessionRequest = decode_request(data)?;
    check(&request).map_err(QueryError::invalid_argument)?;
    let QueryGetSessionRequest {
        application_address,
        service_id,
        block_height,
    } = request;
    match hydrate::hydrate(ctx, &application_address, &service_id, block_height) {
        Ok(session) => Ok(answer(&QueryGetSessionResponse {
            session: Some(session),
        })),
        Err(SessionError::Refused { log, .. }) => Err(QueryError::internal(log)),
        Err(SessionError::Chain(error)) => Err(error.into()),
    }
}

fn check(request: &QueryGetSessionRequest) -> Result<(), String> {
    let height = request.block_height;
    if height < 0 {
        return Err(Error::InvalidBlockHeight.describe(format_args!(
            "invalid block height for session being retrieved {height};"
        )));
    }
    address::parse(&request.application_address)
        .map_err(|reason| Error::InvalidAppAddress.describe(reason))?;
    validate::service_id(&request.service_id)
}
