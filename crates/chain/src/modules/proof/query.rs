//! Queries of `pocket.proof.Query`. A list with a filter that matches nothing is empty, whatever the filter says, as in
//! the reference. Proofs never outlive their block, so no query of a committed state sees one.

use proto::pocket::proof::query_all_claims_request::Filter;
use proto::pocket::proof::{
    Claim, Proof, QueryAllClaimsRequest, QueryAllClaimsResponse, QueryAllProofsRequest,
    QueryAllProofsResponse, QueryGetClaimRequest, QueryGetClaimResponse, QueryGetProofRequest,
    QueryGetProofResponse, QueryParamsResponse, query_all_proofs_request,
};

use super::error::Error;
use super::{keys, params, state};
use crate::context::Context;
use crate::error::QueryError;
use crate::message::answer;
use crate::modules::shared::{address, grid, history};
use crate::pagination::paginate;
use crate::router::decode_request;

/// Answers a query; `None` for a method this service does not have.
pub fn query(ctx: &Context<'_>, method: &str, data: &[u8]) -> Option<Result<Vec<u8>, QueryError>> {
    Some(match method {
        "Params" => live(ctx),
        "Claim" => claim(ctx, data),
        "AllClaims" => claims(ctx, data),
        "Proof" => proof(ctx, data),
        "AllProofs" => proofs(ctx, data),
        _ => return None,
    })
}

fn live(ctx: &Context<'_>) -> Result<Vec<u8>, QueryError> {
    Ok(answer(&QueryParamsResponse {
        params: params::params(ctx)?,
    }))
}

fn claim(ctx: &Context<'_>, data: &[u8]) -> Result<Vec<u8>, QueryError> {
    let QueryGetClaimRequest {
        session_id,
        supplier_operator_address: operator,
    } = decode_request(data)?;
    check_operator(&operator, "claim")?;
    check_session_id(&session_id, "claim")?;
    let claim = state::claim(ctx, &session_id, &operator)?;
    let claim = claim.ok_or_else(|| unknown(Error::ClaimNotFound, &session_id, &operator))?;
    Ok(answer(&QueryGetClaimResponse { claim }))
}

fn claims(ctx: &Context<'_>, data: &[u8]) -> Result<Vec<u8>, QueryError> {
    let QueryAllClaimsRequest { pagination, filter } = decode_request(data)?;
    let page = pagination.as_ref();
    let read = |key: &[u8], value: &[u8]| Ok(Some(history::decode::<Claim>(key, value)?));
    let look_up = |key: &[u8], _: &[u8]| Ok(Some(state::indexed(ctx, key)?));
    let (claims, page) = match filter {
        None => paginate(ctx, keys::CLAIMS, page, read)?,
        Some(Filter::SupplierOperatorAddress(operator)) => {
            paginate(ctx, &keys::of_operator(&operator), page, look_up)?
        }
        Some(Filter::SessionId(session_id)) => {
            // A beginning of an id finds what begins so, as it does of an operator.
            paginate(ctx, &keys::of_session(&session_id), page, read)?
        }
        Some(Filter::SessionEndHeight(height)) => {
            paginate(ctx, &keys::ending_at(grid::signed(height)), page, look_up)?
        }
    };
    Ok(answer(&QueryAllClaimsResponse {
        claims,
        pagination: Some(page),
    }))
}

fn proof(ctx: &Context<'_>, data: &[u8]) -> Result<Vec<u8>, QueryError> {
    let QueryGetProofRequest {
        session_id,
        supplier_operator_address: operator,
    } = decode_request(data)?;
    check_operator(&operator, "proof")?;
    check_session_id(&session_id, "proof")?;
    let proof = state::proof(ctx, &session_id, &operator)?;
    let proof = proof.ok_or_else(|| unknown(Error::ProofNotFound, &session_id, &operator))?;
    Ok(answer(&QueryGetProofResponse { proof }))
}

fn proofs(ctx: &Context<'_>, data: &[u8]) -> Result<Vec<u8>, QueryError> {
    use query_all_proofs_request::Filter;
    let QueryAllProofsRequest { pagination, filter } = decode_request(data)?;
    match &filter {
        Some(Filter::SupplierOperatorAddress(operator)) => check_operator(operator, "proofs")?,
        Some(Filter::SessionId(session_id)) => check_session_id(session_id, "proofs")?,
        Some(Filter::SessionEndHeight(_)) | None => {}
    }
    let (proofs, page) = paginate(ctx, keys::PROOFS, pagination.as_ref(), |key, value| {
        let proof: Proof = history::decode(key, value)?;
        let header = proof.session_header.clone().unwrap_or_default();
        let wanted = match &filter {
            None => true,
            Some(Filter::SupplierOperatorAddress(operator)) => {
                proof.supplier_operator_address == *operator
            }
            Some(Filter::SessionId(session_id)) => header.session_id == *session_id,
            Some(Filter::SessionEndHeight(height)) => {
                header.session_end_block_height == grid::signed(*height)
            }
        };
        Ok(wanted.then_some(proof))
    })?;
    Ok(answer(&QueryAllProofsResponse {
        proofs,
        pagination: Some(page),
    }))
}

fn check_operator(operator: &str, subject: &str) -> Result<(), QueryError> {
    match address::parse(operator) {
        Ok(_) => Ok(()),
        Err(reason) => Err(QueryError::invalid_argument(Error::InvalidAddress.describe(
            format_args!(
                "invalid supplier operator address for {subject} being retrieved {operator}; ({reason})"
            ),
        ))),
    }
}

fn check_session_id(session_id: &str, subject: &str) -> Result<(), QueryError> {
    if session_id.is_empty() {
        let detail = format_args!("invalid empty session ID for {subject} being retrieved");
        return Err(QueryError::invalid_argument(
            Error::InvalidSessionId.describe(detail),
        ));
    }
    Ok(())
}

fn unknown(error: Error, session_id: &str, operator: &str) -> QueryError {
    QueryError::not_found(error.describe(format_args!(
        "session ID {session_id:?} and supplier {operator:?}"
    )))
}
