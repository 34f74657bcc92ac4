//! Queries of `pocket.service.Query`. A dehydrated answer has no card.

use proto::pocket::service::{
    QueryAllRelayMiningDifficultyRequest, QueryAllRelayMiningDifficultyResponse,
    QueryAllServicesRequest, QueryAllServicesResponse, QueryComputeUnitsPerRelayAtHeightRequest,
    QueryComputeUnitsPerRelayAtHeightResponse, QueryComputeUnitsPerRelayHistoryRequest,
    QueryComputeUnitsPerRelayHistoryResponse, QueryGetRelayMiningDifficultyAtHeightRequest,
    QueryGetRelayMiningDifficultyAtHeightResponse, QueryGetRelayMiningDifficultyRequest,
    QueryGetRelayMiningDifficultyResponse, QueryGetServiceRequest, QueryGetServiceResponse,
    QueryParamsResponse, QueryRelayMiningDifficultyHistoryRequest,
    QueryRelayMiningDifficultyHistoryResponse,
};
use proto::pocket::shared::Service;

use super::error::Error;
use super::{keys, params, state};
use crate::context::Context;
use crate::error::{ChainError, QueryError};
use crate::message::answer;
use crate::modules::shared::history;
use crate::pagination::paginate;
use crate::router::decode_request;

/// Answers a query; `None` for a method this service does not have.
pub fn query(ctx: &Context<'_>, method: &str, data: &[u8]) -> Option<Result<Vec<u8>, QueryError>> {
    Some(match method {
        "Params" => live(ctx),
        "Service" => service(ctx, data),
        "AllServices" => services(ctx, data),
        "RelayMiningDifficulty" => difficulty(ctx, data),
        "RelayMiningDifficultyAll" => difficulties(ctx, data),
        "RelayMiningDifficultyAtHeight" => difficulty_at(ctx, data),
        "RelayMiningDifficultyHistory" => difficulty_history(ctx, data),
        "ComputeUnitsPerRelayAtHeight" => compute_units_at(ctx, data),
        "ComputeUnitsPerRelayHistory" => compute_units_history(ctx, data),
        _ => return None,
    })
}

fn live(ctx: &Context<'_>) -> Result<Vec<u8>, QueryError> {
    Ok(answer(&QueryParamsResponse {
        params: params::params(ctx)?,
    }))
}

fn service(ctx: &Context<'_>, data: &[u8]) -> Result<Vec<u8>, QueryError> {
    let QueryGetServiceRequest { id, dehydrated } = decode_request(data)?;
    let service = state::get(ctx, &id)?
        .ok_or_else(|| QueryError::not_found(format!("service ID not found: {id:?}")))?;
    Ok(answer(&QueryGetServiceResponse {
        service: shown(service, dehydrated),
    }))
}

fn services(ctx: &Context<'_>, data: &[u8]) -> Result<Vec<u8>, QueryError> {
    let QueryAllServicesRequest {
        pagination,
        dehydrated,
    } = decode_request(data)?;
    let (service, page) = paginate(ctx, keys::SERVICES, pagination.as_ref(), |key, value| {
        Ok(Some(shown(history::decode(key, value)?, dehydrated)))
    })?;
    Ok(answer(&QueryAllServicesResponse {
        service,
        pagination: Some(page),
    }))
}

fn difficulty(ctx: &Context<'_>, data: &[u8]) -> Result<Vec<u8>, QueryError> {
    let QueryGetRelayMiningDifficultyRequest { service_id } = decode_request(data)?;
    require_service(ctx, &service_id)?;
    let relay_mining_difficulty = match state::difficulty(ctx, &service_id)? {
        Some(difficulty) => difficulty,
        None => state::base_difficulty(ctx, &service_id, ctx.block.height)?,
    };
    Ok(answer(&QueryGetRelayMiningDifficultyResponse {
        relay_mining_difficulty,
    }))
}

fn difficulties(ctx: &Context<'_>, data: &[u8]) -> Result<Vec<u8>, QueryError> {
    let QueryAllRelayMiningDifficultyRequest { pagination } = decode_request(data)?;
    let (relay_mining_difficulty, page) =
        paginate(ctx, keys::DIFFICULTIES, pagination.as_ref(), decoded)?;
    Ok(answer(&QueryAllRelayMiningDifficultyResponse {
        relay_mining_difficulty,
        pagination: Some(page),
    }))
}

fn difficulty_at(ctx: &Context<'_>, data: &[u8]) -> Result<Vec<u8>, QueryError> {
    let QueryGetRelayMiningDifficultyAtHeightRequest {
        service_id,
        block_height,
    } = decode_request(data)?;
    require_id(&service_id)?;
    require_height(block_height)?;
    require_service(ctx, &service_id)?;
    let relay_mining_difficulty = state::difficulty_at(ctx, &service_id, block_height)?;
    Ok(answer(&QueryGetRelayMiningDifficultyAtHeightResponse {
        relay_mining_difficulty,
    }))
}

fn difficulty_history(ctx: &Context<'_>, data: &[u8]) -> Result<Vec<u8>, QueryError> {
    let QueryRelayMiningDifficultyHistoryRequest {
        service_id,
        pagination,
    } = decode_request(data)?;
    require_id(&service_id)?;
    require_service(ctx, &service_id)?;
    let table = keys::difficulty_history(&service_id);
    let (relay_mining_difficulty_history, page) =
        paginate(ctx, &table, pagination.as_ref(), decoded)?;
    Ok(answer(&QueryRelayMiningDifficultyHistoryResponse {
        relay_mining_difficulty_history,
        pagination: Some(page),
    }))
}

fn compute_units_at(ctx: &Context<'_>, data: &[u8]) -> Result<Vec<u8>, QueryError> {
    let QueryComputeUnitsPerRelayAtHeightRequest {
        service_id,
        block_height,
    } = decode_request(data)?;
    require_id(&service_id)?;
    require_height(block_height)?;
    let units = state::compute_units_at(ctx, &service_id, block_height)?;
    let compute_units_per_relay = units.ok_or_else(|| unknown_service(&service_id))?;
    Ok(answer(&QueryComputeUnitsPerRelayAtHeightResponse {
        compute_units_per_relay,
    }))
}

fn compute_units_history(ctx: &Context<'_>, data: &[u8]) -> Result<Vec<u8>, QueryError> {
    let QueryComputeUnitsPerRelayHistoryRequest {
        service_id,
        pagination,
    } = decode_request(data)?;
    require_id(&service_id)?;
    require_service(ctx, &service_id)?;
    let table = keys::compute_units_history(&service_id);
    let (compute_units_per_relay_history, page) =
        paginate(ctx, &table, pagination.as_ref(), decoded)?;
    Ok(answer(&QueryComputeUnitsPerRelayHistoryResponse {
        compute_units_per_relay_history,
        pagination: Some(page),
    }))
}

fn decoded<M: prost::Message + Default>(key: &[u8], value: &[u8]) -> Result<Option<M>, QueryError> {
    Ok(Some(history::decode(key, value)?))
}

fn shown(service: Service, dehydrated: bool) -> Service {
    if dehydrated {
        Service {
            metadata: None,
            ..service
        }
    } else {
        service
    }
}

fn require_id(service_id: &str) -> Result<(), QueryError> {
    if service_id.is_empty() {
        return Err(QueryError::invalid_argument("service ID is required"));
    }
    Ok(())
}

fn require_height(height: i64) -> Result<(), QueryError> {
    if height < 0 {
        return Err(QueryError::invalid_argument(
            "block height must be non-negative",
        ));
    }
    Ok(())
}

fn require_service(ctx: &Context<'_>, service_id: &str) -> Result<(), QueryError> {
    match state::exists(ctx, service_id).map_err(|error: ChainError| QueryError::from(error))? {
        true => Ok(()),
        false => Err(unknown_service(service_id)),
    }
}

fn unknown_service(service_id: &str) -> QueryError {
    QueryError::not_found(Error::NotFound.describe(format_args!("serviceID: {service_id}")))
}
