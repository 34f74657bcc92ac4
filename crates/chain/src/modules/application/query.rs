//! Queries of `pocket.application.Query`.

use proto::pocket::application::{
    Application, QueryAllApplicationsRequest, QueryAllApplicationsResponse,
    QueryGetApplicationRequest, QueryGetApplicationResponse, QueryParamsResponse,
};

use super::error::Error;
use super::{keys, params, state};
use crate::context::Context;
use crate::error::QueryError;
use crate::message::answer;
use crate::modules::shared::{address, history};
use crate::pagination::paginate;
use crate::router::decode_request;

/// Answers a query; `None` for a method this service does not have.
pub fn query(ctx: &Context<'_>, method: &str, data: &[u8]) -> Option<Result<Vec<u8>, QueryError>> {
    Some(match method {
        "Params" => live(ctx),
        "Application" => one(ctx, data),
        "AllApplications" => many(ctx, data),
        _ => return None,
    })
}

fn live(ctx: &Context<'_>) -> Result<Vec<u8>, QueryError> {
    Ok(answer(&QueryParamsResponse {
        params: params::params(ctx)?,
    }))
}

fn one(ctx: &Context<'_>, data: &[u8]) -> Result<Vec<u8>, QueryError> {
    let QueryGetApplicationRequest { address } = decode_request(data)?;
    let application = state::get(ctx, &address)?.ok_or_else(|| {
        QueryError::not_found(Error::NotFound.describe(format_args!("app address: {address}")))
    })?;
    Ok(answer(&QueryGetApplicationResponse { application }))
}

fn many(ctx: &Context<'_>, data: &[u8]) -> Result<Vec<u8>, QueryError> {
    let QueryAllApplicationsRequest {
        pagination,
        delegatee_gateway_address: gateway,
    } = decode_request(data)?;
    if !gateway.is_empty() {
        address::parse(&gateway).map_err(|reason| {
            QueryError::invalid_argument(
                Error::QueryInvalidGatewayAddress.describe(format_args!("{gateway:?}; ({reason})")),
            )
        })?;
    }
    let (applications, page) = paginate(
        ctx,
        keys::APPLICATIONS,
        pagination.as_ref(),
        |key, value| {
            let application: Application = history::decode(key, value)?;
            let wanted =
                gateway.is_empty() || application.delegatee_gateway_addresses.contains(&gateway);
            Ok(wanted.then_some(application))
        },
    )?;
    Ok(answer(&QueryAllApplicationsResponse {
        applications,
        pagination: Some(page),
    }))
}
