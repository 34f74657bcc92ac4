//! `gov`: its params and constitution, and no proposals.
//!
//! On POKT's networks proposals are practically disabled and params change through authz grants of the governance
//! account (chain specification 0.1). So this module has queries and no messages; what its section of the genesis
//! document says is kept as it is.

use crypto::keys::Address;
use proto::cosmos::base::query::v1beta1::{PageRequest, PageResponse};
use proto::cosmos::gov::v1::{
    DepositParams, GenesisState, QueryConstitutionResponse, QueryDepositRequest,
    QueryDepositsRequest, QueryDepositsResponse, QueryParamsRequest, QueryParamsResponse,
    QueryProposalRequest, QueryProposalsRequest, QueryProposalsResponse, QueryTallyResultRequest,
    QueryVoteRequest, QueryVotesRequest, QueryVotesResponse, TallyParams, VotingParams,
};
use serde_json::{Map, Value};

use crate::context::Context;
use crate::error::{ChainError, GenesisError, GrpcCode, QueryError};
use crate::genesis;
use crate::message::answer;
use crate::modules::shared::address;
use crate::pagination::paginate_collection;
use crate::router::{self, decode_request};

pub(crate) mod legacy;

/// Prefix under which proposals would be; nothing ever is.
const PROPOSALS: &[u8] = b"gov/proposal/";

/// Names of the messages that change params, of every module, in order: what the authority signs.
pub fn param_messages() -> Vec<String> {
    let all = proto::descriptor_pool().all_messages();
    let all = all.map(|message| message.full_name().to_owned());
    let changes =
        |name: &str| name.ends_with(".MsgUpdateParams") || name.ends_with(".MsgUpdateParam");
    let mut names: Vec<String> = all
        .filter(|name| changes(name) && router::handles(name))
        .collect();
    names.sort();
    names
}

/// Refuses a section that cannot be read; `idle` has seen that it holds no proposals.
///
/// # Errors
/// Names the field.
pub(crate) fn check_genesis(section: &Value) -> Result<(), GenesisError> {
    read(section.clone()).map(|_| ())
}

fn read(section: Value) -> Result<GenesisState, GenesisError> {
    let section = match section {
        Value::Null => Value::Object(Map::new()),
        other => other,
    };
    proto::json::from_json(&section).map_err(|error| GenesisError::new("", error))
}

fn state(ctx: &Context) -> Result<GenesisState, ChainError> {
    let section = genesis::section(ctx, "gov")?.unwrap_or_default();
    Ok(read(section)?)
}

/// Answers a method of `cosmos.gov.v1.Query`. `None` for methods it does not have.
pub fn query(ctx: &Context, method: &str, data: &[u8]) -> Option<Result<Vec<u8>, QueryError>> {
    Some(match method {
        "Constitution" => constitution(ctx),
        "Params" => params(ctx, data),
        "Proposals" => proposals(ctx, data),
        "Proposal" => decode_request::<QueryProposalRequest>(data)
            .and_then(|request| no_proposal(request.proposal_id)),
        "TallyResult" => decode_request::<QueryTallyResultRequest>(data)
            .and_then(|request| no_proposal(request.proposal_id)),
        "Vote" => vote(data),
        "Deposit" => deposit(data),
        "Votes" => votes(ctx, data),
        "Deposits" => deposits(ctx, data),
        _ => return None,
    })
}

fn constitution(ctx: &Context) -> Result<Vec<u8>, QueryError> {
    let constitution = state(ctx)?.constitution;
    Ok(answer(&QueryConstitutionResponse { constitution }))
}

fn params(ctx: &Context, data: &[u8]) -> Result<Vec<u8>, QueryError> {
    let request: QueryParamsRequest = decode_request(data)?;
    let params = state(ctx)?.params.unwrap_or_default();
    let mut response = QueryParamsResponse::default();
    match request.params_type.as_str() {
        "deposit" => {
            response.deposit_params = Some(DepositParams {
                min_deposit: params.min_deposit.clone(),
                max_deposit_period: params.max_deposit_period,
            });
        }
        "voting" => {
            response.voting_params = Some(VotingParams {
                voting_period: params.voting_period,
            });
        }
        "tallying" => {
            response.tally_params = Some(TallyParams {
                quorum: params.quorum.clone(),
                threshold: params.threshold.clone(),
                veto_threshold: params.veto_threshold.clone(),
            });
        }
        "" => {}
        other => {
            let text = format!("unknown params type: {other}");
            return Err(QueryError::invalid_argument(text));
        }
    }
    response.params = Some(params);
    Ok(answer(&response))
}

fn proposals(ctx: &Context, data: &[u8]) -> Result<Vec<u8>, QueryError> {
    let request: QueryProposalsRequest = decode_request(data)?;
    let pagination = Some(no_rows(ctx, request.pagination.as_ref())?);
    Ok(answer(&QueryProposalsResponse {
        proposals: Vec::new(),
        pagination,
    }))
}

fn votes(ctx: &Context, data: &[u8]) -> Result<Vec<u8>, QueryError> {
    let request: QueryVotesRequest = decode_request(data)?;
    check_id(request.proposal_id)?;
    let pagination = Some(no_rows(ctx, request.pagination.as_ref())?);
    Ok(answer(&QueryVotesResponse {
        votes: Vec::new(),
        pagination,
    }))
}

fn deposits(ctx: &Context, data: &[u8]) -> Result<Vec<u8>, QueryError> {
    let request: QueryDepositsRequest = decode_request(data)?;
    check_id(request.proposal_id)?;
    let pagination = Some(no_rows(ctx, request.pagination.as_ref())?);
    Ok(answer(&QueryDepositsResponse {
        deposits: Vec::new(),
        pagination,
    }))
}

fn vote(data: &[u8]) -> Result<Vec<u8>, QueryError> {
    let request: QueryVoteRequest = decode_request(data)?;
    check_id(request.proposal_id)?;
    let voter = &request.voter;
    account(voter, "empty voter address")?;
    let id = request.proposal_id;
    let text = format!("voter: {voter} not found for proposal: {id}");
    Err(QueryError::invalid_argument(text))
}

fn deposit(data: &[u8]) -> Result<Vec<u8>, QueryError> {
    let request: QueryDepositRequest = decode_request(data)?;
    check_id(request.proposal_id)?;
    account(&request.depositor, "empty depositor address")?;
    Err(QueryError::not_found("collections: not found"))
}

fn no_proposal(id: u64) -> Result<Vec<u8>, QueryError> {
    check_id(id)?;
    Err(QueryError::not_found(format!(
        "proposal {id} doesn't exist"
    )))
}

fn check_id(id: u64) -> Result<(), QueryError> {
    if id == 0 {
        return Err(QueryError::status(
            GrpcCode::InvalidArgument,
            "proposal id can not be 0",
        ));
    }
    Ok(())
}

fn account(text: &str, when_empty: &str) -> Result<Address, QueryError> {
    if text.is_empty() {
        return Err(QueryError::invalid_argument(when_empty));
    }
    address::parse(text).map_err(QueryError::unknown)
}

/// The page of an empty list.
fn no_rows(ctx: &Context, request: Option<&PageRequest>) -> Result<PageResponse, QueryError> {
    paginate_collection(ctx, PROPOSALS, request, |_, _| Ok(None::<()>)).map(|(_, page)| page)
}
