//! Queries of `pocket.supplier.Query`.
//!
//! A full answer has the services that serve at the queried height, by service id, and all recorded configurations; a
//! dehydrated one drops revenue shares and the record.

use proto::pocket::shared::Supplier;
use proto::pocket::supplier::{
    QueryAllSuppliersRequest, QueryAllSuppliersResponse, QueryGetSupplierRequest,
    QueryGetSupplierResponse, QueryParamsResponse,
};

use super::candidates::Candidate;
use super::error::Error;
use super::{keys, params, state};
use crate::context::Context;
use crate::error::QueryError;
use crate::message::answer;
use crate::modules::shared::{address, history, validate};
use crate::pagination::paginate;
use crate::router::decode_request;

/// Answers a query; `None` for a method this service does not have.
pub fn query(ctx: &Context<'_>, method: &str, data: &[u8]) -> Option<Result<Vec<u8>, QueryError>> {
    Some(match method {
        "Params" => live(ctx),
        "Supplier" => one(ctx, data),
        "AllSuppliers" => many(ctx, data),
        _ => return None,
    })
}

fn live(ctx: &Context<'_>) -> Result<Vec<u8>, QueryError> {
    Ok(answer(&QueryParamsResponse {
        params: params::params(ctx)?,
    }))
}

fn one(ctx: &Context<'_>, data: &[u8]) -> Result<Vec<u8>, QueryError> {
    let QueryGetSupplierRequest {
        operator_address,
        dehydrated,
    } = decode_request(data)?;
    let supplier = state::get(ctx, &operator_address)?.ok_or_else(|| {
        QueryError::not_found(Error::NotFound.describe(format_args!(
            "supplier with operator address: {operator_address:?}"
        )))
    })?;
    Ok(answer(&QueryGetSupplierResponse {
        supplier: shown(ctx, supplier, dehydrated)?,
    }))
}

fn many(ctx: &Context<'_>, data: &[u8]) -> Result<Vec<u8>, QueryError> {
    let request: QueryAllSuppliersRequest = decode_request(data)?;
    check(&request).map_err(QueryError::invalid_argument)?;
    let QueryAllSuppliersRequest {
        pagination,
        service_id,
        operator_address,
        owner_address,
        dehydrated,
    } = request;
    if service_id.is_empty() && owner_address.is_empty() && !operator_address.is_empty() {
        let supplier = state::get(ctx, &operator_address)?
            .map(|supplier| shown(ctx, supplier, dehydrated))
            .transpose()?;
        let supplier = supplier.into_iter().collect();
        return Ok(answer(&QueryAllSuppliersResponse {
            supplier,
            pagination: None,
        }));
    }
    let wanted = |supplier: &Supplier| {
        (operator_address.is_empty() || supplier.operator_address == operator_address)
            && (owner_address.is_empty() || supplier.owner_address == owner_address)
    };
    let (supplier, page) = if service_id.is_empty() {
        paginate(ctx, keys::SUPPLIERS, pagination.as_ref(), |key, value| {
            let supplier: Supplier = history::decode(key, value)?;
            wanted(&supplier)
                .then(|| shown(ctx, supplier, dehydrated))
                .transpose()
        })?
    } else {
        paginate(
            ctx,
            &keys::of_service(&service_id),
            pagination.as_ref(),
            |key, value| {
                let candidate = Candidate::read(b"", key, value)?;
                if !candidate.is_active(ctx.block.height) {
                    return Ok(None);
                }
                let found = state::get(ctx, candidate.operator)?.filter(wanted);
                found
                    .map(|supplier| shown(ctx, supplier, dehydrated))
                    .transpose()
            },
        )?
    };
    Ok(answer(&QueryAllSuppliersResponse {
        supplier,
        pagination: Some(page),
    }))
}

/// Checks the filters of a list.
fn check(request: &QueryAllSuppliersRequest) -> Result<(), String> {
    if !request.service_id.is_empty() {
        validate::service_id(&request.service_id)
            .map_err(|reason| Error::InvalidServiceId.describe(reason))?;
    }
    for (role, text) in [
        ("operator", &request.operator_address),
        ("owner", &request.owner_address),
    ] {
        if !text.is_empty() {
            address::parse(text).map_err(|reason| {
                Error::InvalidAddress
                    .describe(format_args!("invalid {role} address {text}; ({reason})"))
            })?;
        }
    }
    Ok(())
}

fn shown(ctx: &Context<'_>, supplier: Supplier, dehydrated: bool) -> Result<Supplier, QueryError> {
    let mut supplier = state::hydrate(ctx, supplier, ctx.block.height)?;
    if dehydrated {
        supplier.service_config_history.clear();
        for service in &mut supplier.services {
            service.rev_share.clear();
        }
    }
    Ok(supplier)
}
