//! Queries of the module.

use crypto::keys::{Address, VALCONS_PREFIX};
use proto::cosmos::slashing::v1beta1 as types;

use super::{keys, params, state};
use crate::context::Context;
use crate::error::QueryError;
use crate::pagination::{paginate, plain};
use crate::staking::query::answer;

/// Answers a method of `cosmos.slashing.v1beta1.Query`. `None` for methods it does not have.
pub fn query(ctx: &Context, method: &str, data: &[u8]) -> Option<Result<Vec<u8>, QueryError>> {
    Some(match method {
        "Params" => answer(data, |_: types::QueryParamsRequest| {
            let params = params(ctx)?;
            Ok(types::QueryParamsResponse { params })
        }),
        "SigningInfo" => answer(data, |request| signing_info(ctx, &request)),
        "SigningInfos" => answer(data, |request| signing_infos(ctx, &request)),
        _ => return None,
    })
}

fn signing_info(
    ctx: &Context,
    request: &types::QuerySigningInfoRequest,
) -> Result<types::QuerySigningInfoResponse, QueryError> {
    let text = &request.cons_address;
    if text.is_empty() {
        return Err(QueryError::invalid_argument("invalid request"));
    }
    let consensus = Address::from_bech32_with(VALCONS_PREFIX, text)
        .map_err(|error| QueryError::unknown(format!("decoding bech32 failed: {error}")))?;
    let val_signing_info = state::signing_info(ctx, &consensus)?.ok_or_else(|| {
        QueryError::not_found(format!("SigningInfo not found for validator {text}"))
    })?;
    Ok(types::QuerySigningInfoResponse { val_signing_info })
}

fn signing_infos(
    ctx: &Context,
    request: &types::QuerySigningInfosRequest,
) -> Result<types::QuerySigningInfosResponse, QueryError> {
    let page = request.pagination.as_ref();
    let (info, page) = paginate(ctx, keys::SIGNING_INFOS, page, |_, value| {
        prost::Message::decode(value)
            .map(Some)
            .map_err(|error: prost::DecodeError| QueryError::unknown(error.to_string()))
    })
    .map_err(plain)?;
    Ok(types::QuerySigningInfosResponse {
        info,
        pagination: Some(page),
    })
}
