//! `cosmos.base.tendermint.v1beta1.Service`: blocks, validators, who the node is.

use std::sync::Arc;

use bytes::Bytes;
use chain::{QueryError, sdk};
use crypto::keys::Address;
use prost::Message;
use proto::cosmos::base::query::v1beta1::{PageRequest, PageResponse};
use proto::cosmos::base::tendermint::v1beta1::{
    AbciQueryRequest, AbciQueryResponse, Block, GetBlockByHeightRequest, GetBlockByHeightResponse,
    GetLatestValidatorSetRequest, GetLatestValidatorSetResponse, GetNodeInfoResponse,
    GetSyncingResponse, GetValidatorSetByHeightRequest, Header, Validator, VersionInfo,
};
use proto::cosmos::crypto::ed25519::PubKey;
use tendermint_proto::v0_38::abci::RequestQuery;
use tendermint_proto::v0_38::p2p::{DefaultNodeInfo, DefaultNodeInfoOther, ProtocolVersion};
use tendermint_proto::v0_38::types as comet;

use crate::block::BLOCK_PROTOCOL;
use crate::block::validators::Member;
use crate::services::decode;
use crate::view::{View, internal};
use crate::{limits, rpc};

/// CometBFT's peer-to-peer protocol, told for completeness.
const P2P_PROTOCOL: u64 = 8;

/// Version of the SDK whose services these are.
const SDK_VERSION: &str = "v0.53.7";

/// Entries of a page that does not say: the SDK's.
const DEFAULT_LIMIT: i64 = 100;

pub(super) async fn call(
    view: &Arc<View>,
    method: &str,
    data: &Bytes,
) -> Option<Result<Vec<u8>, QueryError>> {
    Some(match method {
        "GetNodeInfo" => node_info(view).await,
        "GetSyncing" => syncing(view).await,
        "GetLatestBlock" => latest_block(view).await,
        "GetBlockByHeight" => block_by_height(view, data).await,
        "GetLatestValidatorSet" => latest_validators(view, data).await,
        "GetValidatorSetByHeight" => validators_by_height(view, data).await,
        "ABCIQuery" => abci_query(view, data).await,
        _ => return None,
    })
}

async fn syncing(view: &View) -> Result<Vec<u8>, QueryError> {
    let syncing = view.blocks.syncing().await.map_err(internal)?;
    Ok(GetSyncingResponse { syncing }.encode_to_vec())
}

async fn node_info(view: &View) -> Result<Vec<u8>, QueryError> {
    let who = view.blocks.identity().await.map_err(internal)?;
    let info = DefaultNodeInfo {
        protocol_version: Some(ProtocolVersion {
            p2p: P2P_PROTOCOL,
            block: BLOCK_PROTOCOL,
            app: 0,
        }),
        default_node_id: who.id,
        listen_addr: who.listen_addr,
        network: view.chain_id.clone(),
        version: who.version,
        channels: Vec::new(),
        moniker: who.moniker,
        other: Some(DefaultNodeInfoOther {
            tx_index: "on".to_owned(),
            rpc_address: who.rpc_addr,
        }),
    };
    let version = VersionInfo {
        name: chain::APP_NAME.to_owned(),
        app_name: "pocketd".to_owned(),
        version: chain::APP_VERSION.trim_start_matches('v').to_owned(),
        cosmos_sdk_version: SDK_VERSION.to_owned(),
        ..VersionInfo::default()
    };
    let answer = GetNodeInfoResponse {
        default_node_info: Some(info),
        application_version: Some(version),
    };
    Ok(answer.encode_to_vec())
}

async fn latest_block(view: &View) -> Result<Vec<u8>, QueryError> {
    let latest = view.blocks.block(0).await.map_err(internal)?;
    let (id, block) = latest.ok_or_else(|| internal("no block has been committed"))?;
    Ok(block_answer(id, block))
}

async fn block_by_height(view: &Arc<View>, data: &Bytes) -> Result<Vec<u8>, QueryError> {
    let height = decode::<GetBlockByHeightRequest>(data)?.height;
    check_height(view, height)?;
    let found = view.blocks.block(height).await.map_err(internal)?;
    let (id, block) = found.ok_or_else(|| internal(format!("block {height} is not stored")))?;
    Ok(block_answer(id, block))
}

/// Heights that the reference refuses, with its words.
fn check_height(view: &View, height: i64) -> Result<(), QueryError> {
    if height > view.height() {
        let text = "requested block height is bigger then the chain length";
        return Err(QueryError::invalid_argument(text));
    }
    if height < 1 {
        let text = format!("height must be greater than 0, but got {height}");
        return Err(QueryError::unknown(text));
    }
    check_first(view, height)
}

/// A chain may start at a later height than 1.
pub(super) fn check_first(view: &View, height: i64) -> Result<(), QueryError> {
    let first = view.genesis.initial_height.value();
    if height < first {
        let text = format!("height {height} is not available, lowest height is {first}");
        return Err(QueryError::unknown(text));
    }
    Ok(())
}

/// `GetLatestBlockResponse` has the same fields.
fn block_answer(id: comet::BlockId, block: comet::Block) -> Vec<u8> {
    let header = block.header.clone().unwrap_or_default();
    let time = header.time.unwrap_or_default();
    let sdk_header = Header {
        version: header.version.unwrap_or_default(),
        chain_id: header.chain_id,
        height: header.height,
        time: prost_types::Timestamp {
            seconds: time.seconds,
            nanos: time.nanos,
        },
        last_block_id: header.last_block_id.unwrap_or_default(),
        last_commit_hash: header.last_commit_hash.into(),
        data_hash: header.data_hash.into(),
        validators_hash: header.validators_hash.into(),
        next_validators_hash: header.next_validators_hash.into(),
        consensus_hash: header.consensus_hash.into(),
        app_hash: header.app_hash.into(),
        last_results_hash: header.last_results_hash.into(),
        evidence_hash: header.evidence_hash.into(),
        proposer_address: consensus_address(&header.proposer_address),
    };
    let sdk_block = Block {
        header: sdk_header,
        data: block.data.clone().unwrap_or_default(),
        evidence: block.evidence.clone().unwrap_or_default(),
        last_commit: block.last_commit.clone(),
    };
    let answer = GetBlockByHeightResponse {
        block_id: Some(id),
        block: Some(block),
        sdk_block: Some(sdk_block),
    };
    answer.encode_to_vec()
}

fn consensus_address(bytes: &[u8]) -> String {
    <[u8; 20]>::try_from(bytes).map_or_else(
        |_| String::new(),
        |bytes| Address(bytes).to_bech32_with("poktvalcons"),
    )
}

/// The set that is known last signs the block to come.
async fn latest_validators(view: &View, data: &Bytes) -> Result<Vec<u8>, QueryError> {
    let request: GetLatestValidatorSetRequest = decode(data)?;
    let page = page_of(request.pagination.as_ref())?;
    validators(view, view.height().saturating_add(1), page).await
}

async fn validators_by_height(view: &View, data: &Bytes) -> Result<Vec<u8>, QueryError> {
    let request: GetValidatorSetByHeightRequest = decode(data)?;
    let page = page_of(request.pagination.as_ref())?;
    check_height(view, request.height)?;
    validators(view, request.height, page).await
}

/// Number and size of the page that a request means: CometBFT counts pages, not entries.
fn page_of(request: Option<&PageRequest>) -> Result<(i64, usize), QueryError> {
    let number = |value: u64, name: &str| {
        i64::try_from(value)
            .map_err(|_| QueryError::invalid_argument(format!("{name} must greater than 0")))
    };
    let offset = number(request.map_or(0, |page| page.offset), "offset")?;
    let limit = match number(request.map_or(0, |page| page.limit), "limit")? {
        0 => DEFAULT_LIMIT,
        limit => limit,
    };
    let size = usize::try_from(limit).unwrap_or(usize::MAX);
    Ok((offset / limit + 1, size.min(limits::PAGE_MAX)))
}

/// `GetValidatorSetByHeightResponse` has the same fields.
async fn validators(
    view: &View,
    height: i64,
    (number, size): (i64, usize),
) -> Result<Vec<u8>, QueryError> {
    let set = view.blocks.validators(height).await.map_err(internal)?;
    let range = rpc::page(number, size, set.len()).map_err(QueryError::unknown)?;
    let member = |member: &Member| {
        let key = PubKey {
            key: member.validator.key.to_vec().into(),
        };
        Validator {
            address: consensus_address(&member.validator.address()),
            pub_key: Some(proto::any::pack(&key)),
            voting_power: member.validator.power,
            proposer_priority: member.priority,
        }
    };
    let shown = set.get(range).unwrap_or_default();
    let validators: Vec<Validator> = shown.iter().map(member).collect();
    let answer = GetLatestValidatorSetResponse {
        block_height: height,
        pagination: Some(PageResponse {
            total: u64::try_from(set.len()).unwrap_or(u64::MAX),
            ..PageResponse::default()
        }),
        validators,
    };
    Ok(answer.encode_to_vec())
}

/// Everything but methods of services. The reference answers a missing key of a store like this; ours has no such store.
async fn abci_query(view: &Arc<View>, data: &Bytes) -> Result<Vec<u8>, QueryError> {
    let request: AbciQueryRequest = decode(data)?;
    if request.path.is_empty() {
        return Err(QueryError::invalid_argument("empty query path"));
    }
    let path = request.path.strip_prefix('/').unwrap_or(&request.path);
    let answer = match path.split('/').next().unwrap_or_default() {
        "store" => AbciQueryResponse {
            code: sdk::UNKNOWN_REQUEST,
            log: "store queries are not supported: unknown request".to_owned(),
            codespace: sdk::CODESPACE.to_owned(),
            height: request.height,
            ..AbciQueryResponse::default()
        },
        "app" | "p2p" | "custom" => {
            let query = RequestQuery {
                path: format!("/{path}"),
                data: request.data,
                height: request.height,
                prove: request.prove,
            };
            let _turn = view.queries.turn().await?;
            let asked = view.blocking(move |view| view.reader.abci_query(&query));
            let found = asked.await.map_err(internal)?;
            AbciQueryResponse {
                code: found.code,
                log: found.log,
                info: found.info,
                index: found.index,
                key: found.key,
                value: found.value,
                height: found.height,
                codespace: found.codespace,
                ..AbciQueryResponse::default()
            }
        }
        _ => {
            let text = format!("unsupported ABCI query path: {}", request.path);
            return Err(QueryError::invalid_argument(text));
        }
    };
    Ok(answer.encode_to_vec())
}
