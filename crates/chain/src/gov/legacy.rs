//! The older queries, `cosmos.gov.v1beta1.Query`, which CosmJS still asks. Requests, empty lists and refusals have the same
//! bytes as in `v1`; params have a form of their own.

use prost::Message as _;
use prost_types::Duration;
use proto::cosmos::gov::v1;
use proto::cosmos::gov::v1beta1::{DepositParams, QueryParamsResponse, TallyParams, VotingParams};

use crate::context::Context;
use crate::error::{ChainError, QueryError};
use crate::message::answer;
use crate::router::decode_request;

/// Answers a method of `cosmos.gov.v1beta1.Query`. `None` for methods it does not have.
pub(crate) fn query(
    ctx: &Context,
    method: &str,
    data: &[u8],
) -> Option<Result<Vec<u8>, QueryError>> {
    match method {
        "Params" => Some(params(ctx, data)),
        "Constitution" => None,
        _ => super::query(ctx, method, data),
    }
}

/// One kind of params; the others are there, and zero.
fn params(ctx: &Context, data: &[u8]) -> Result<Vec<u8>, QueryError> {
    let request: v1::QueryParamsRequest = decode_request(data)?;
    if request.params_type.is_empty() {
        let text = " is not a valid parameter type";
        return Err(QueryError::invalid_argument(text));
    }
    let found = v1::QueryParamsResponse::decode(super::params(ctx, data)?.as_slice())
        .map_err(|error| QueryError::internal(error.to_string()))?;
    let deposit = found.deposit_params.unwrap_or_default();
    let voting = found.voting_params.unwrap_or_default();
    let tally = found.tally_params.unwrap_or_default();
    let period = |period: Option<Duration>| period.unwrap_or_default();
    Ok(answer(&QueryParamsResponse {
        voting_params: VotingParams {
            voting_period: period(voting.voting_period),
        },
        deposit_params: DepositParams {
            min_deposit: deposit.min_deposit,
            max_deposit_period: period(deposit.max_deposit_period),
        },
        tally_params: TallyParams {
            quorum: decimal(&tally.quorum)?,
            threshold: decimal(&tally.threshold)?,
            veto_threshold: decimal(&tally.veto_threshold)?,
        },
    }))
}

/// A decimal as the wire has it; none is zero.
fn decimal(text: &str) -> Result<prost::bytes::Bytes, QueryError> {
    let text = if text.is_empty() { "0" } else { text };
    let scaled = proto::decimal::from_text(text)
        .ok_or_else(|| ChainError::corrupt("gov", format!("{text:?} is no decimal")))?;
    Ok(scaled.into_bytes().into())
}

#[cfg(test)]
mod tests {
    use proto::cosmos::gov::v1beta1::QueryParamsRequest;

    use super::*;
    use crate::error::GrpcCode;
    use crate::rules::Rules;
    use crate::testing::TestChain;

    fn asked(method: &str, data: &[u8]) -> Result<Vec<u8>, QueryError> {
        let chain = TestChain::new(Rules::reference());
        chain.read(|ctx| query(ctx, method, data).unwrap())
    }

    #[test]
    fn params_of_one_kind_stand_beside_zeros() {
        let ask = |params_type: &str| {
            let params_type = params_type.to_owned();
            let request = QueryParamsRequest { params_type };
            asked("Params", &request.encode_to_vec())
        };
        let zero = hex::decode("0a020a00120212001a090a01301201301a0130").unwrap();
        assert_eq!(ask("voting").unwrap(), zero);
        for wrong in ["", "other"] {
            assert_eq!(ask(wrong).unwrap_err().grpc, GrpcCode::InvalidArgument);
        }
        assert_eq!(decimal("0.334").unwrap(), "334000000000000000");
    }

    #[test]
    fn lists_are_empty_and_single_ones_are_not_there() {
        assert_eq!(asked("Proposals", &[]).unwrap(), [0x12, 0]);
        assert_eq!(asked("Votes", &[8, 1]).unwrap(), [0x12, 0]);
        assert_eq!(
            asked("Proposal", &[8, 1]).unwrap_err().grpc,
            GrpcCode::NotFound
        );
        let none = asked("TallyResult", &[]).unwrap_err().grpc;
        assert_eq!(none, GrpcCode::InvalidArgument);
    }
}
