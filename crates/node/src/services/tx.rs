//! `cosmos.tx.v1beta1.Service`: sending and finding transactions. `Simulate` is the chain's.

use std::sync::Arc;

use bytes::Bytes;
use chain::{GrpcCode, QueryError, sdk};
use prost::{Message, Name};
use prost_types::Any;
use proto::cosmos::base::abci::v1beta1::TxResponse;
use proto::cosmos::base::query::v1beta1::{PageRequest, PageResponse};
use proto::cosmos::tx::v1beta1::{
    AuthInfo, BroadcastMode, BroadcastTxRequest, BroadcastTxResponse, GetBlockWithTxsRequest,
    GetBlockWithTxsResponse, GetTxRequest, GetTxResponse, GetTxsEventRequest, GetTxsEventResponse,
    OrderBy, Tx, TxBody, TxDecodeRequest, TxDecodeResponse, TxEncodeRequest, TxEncodeResponse,
    TxRaw,
};

use crate::blocks::{Page, SearchError};
use tendermint_proto::google::protobuf::Timestamp;

use crate::error::NodeError;
use crate::limits;
use crate::services::decode;
use crate::store::Included;
use crate::time;
use crate::view::{View, internal};

pub(super) async fn call(
    view: &Arc<View>,
    method: &str,
    data: &Bytes,
    answered: i64,
) -> Option<Result<Vec<u8>, QueryError>> {
    Some(match method {
        "BroadcastTx" => broadcast(view, data).await,
        "GetTx" => get(view, data).await,
        "GetTxsEvent" => search_txs(view, data).await,
        "GetBlockWithTxs" => block_with_txs(view, data, answered).await,
        "TxDecode" => decoded(data),
        "TxEncode" => encoded(data),
        _ => return None,
    })
}

async fn broadcast(view: &Arc<View>, data: &Bytes) -> Result<Vec<u8>, QueryError> {
    let request: BroadcastTxRequest = decode(data)?;
    if request.tx_bytes.is_empty() {
        return Err(QueryError::invalid_argument("invalid empty tx"));
    }
    let mode = BroadcastMode::try_from(request.mode).unwrap_or(BroadcastMode::Unspecified);
    if !matches!(mode, BroadcastMode::Sync | BroadcastMode::Async) {
        let text = "unsupported return type unspecified; supported types: sync, async";
        return Err(QueryError::unknown(text));
    }
    let txhash = hex::encode_upper(crypto::hash::sha256(&request.tx_bytes));
    let mut response = TxResponse {
        txhash,
        ..TxResponse::default()
    };
    match view.blocks.add(request.tx_bytes).await {
        // What the check says is told to who asked for it; a refusal before the check is told to both.
        Ok(_) if mode == BroadcastMode::Async => {}
        Ok(answer) => {
            response.code = answer.code;
            response.codespace = answer.codespace;
            response.raw_log = answer.log;
            response.data = hex::encode_upper(&answer.data);
        }
        Err(refused) => {
            response.code = refused.code();
            response.codespace = sdk::CODESPACE.to_owned();
        }
    }
    Ok(BroadcastTxResponse {
        tx_response: Some(response),
    }
    .encode_to_vec())
}

async fn get(view: &Arc<View>, data: &Bytes) -> Result<Vec<u8>, QueryError> {
    let text = decode::<GetTxRequest>(data)?.hash;
    if text.is_empty() {
        return Err(QueryError::invalid_argument("tx hash cannot be empty"));
    }
    let hash = unhex(&text).map_err(QueryError::unknown)?;
    let found = view.blocks.tx(&hash).await.map_err(internal)?;
    let included = found.ok_or_else(|| QueryError::not_found(format!("tx not found: {text}")))?;
    let time = time_of(view, included.height).await.map_err(internal)?;
    let answer = GetTxResponse {
        tx: Some(transaction(&included.tx)?),
        tx_response: Some(response(included, time)?),
    };
    Ok(answer.encode_to_vec())
}

/// Hex as Go's decoder reads it, with its words for what is wrong.
pub(crate) fn unhex(text: &str) -> Result<Vec<u8>, String> {
    if let Some(wrong) = text.chars().find(|c| !c.is_ascii_hexdigit()) {
        return Err(format!(
            "encoding/hex: invalid byte: U+{:04X} '{wrong}'",
            u32::from(wrong)
        ));
    }
    hex::decode(text).map_err(|_| "encoding/hex: odd length hex string".to_owned())
}

async fn search_txs(view: &Arc<View>, data: &Bytes) -> Result<Vec<u8>, QueryError> {
    let request: GetTxsEventRequest = decode(data)?;
    // The reference forgot the older list of events; our relay miners still send it.
    let text = if request.query.is_empty() {
        request.events.join(" AND ")
    } else {
        request.query
    };
    if text.is_empty() {
        return Err(QueryError::internal("query cannot be empty"));
    }
    let failed = |error: String| {
        QueryError::status(
            GrpcCode::Internal,
            format!("failed to search for txs: {error}"),
        )
    };
    let size = match usize::try_from(request.limit).unwrap_or(usize::MAX) {
        0 => limits::PAGE_MAX,
        limit => limit.min(limits::PAGE_MAX),
    };
    let page = Page {
        // A page that is no positive number in Go is the first.
        number: i64::try_from(request.page).unwrap_or(1).max(1),
        size,
        descending: request.order_by == i32::from(OrderBy::Desc),
    };
    let (found, total) = match view.blocks.search(&text, page).await {
        Ok(found) => found,
        Err(SearchError::Asked(error)) => return Err(failed(error)),
        Err(error) => return Err(internal(error)),
    };
    let mut answer = GetTxsEventResponse {
        total,
        ..GetTxsEventResponse::default()
    };
    for included in found {
        let time = time_of(view, included.height).await.map_err(internal)?;
        answer.txs.push(transaction(&included.tx)?);
        answer.tx_responses.push(response(included, time)?);
    }
    Ok(answer.encode_to_vec())
}

async fn block_with_txs(
    view: &Arc<View>,
    data: &Bytes,
    latest: i64,
) -> Result<Vec<u8>, QueryError> {
    let request: GetBlockWithTxsRequest = decode(data)?;
    let height = request.height;
    if height < 1 || height > latest {
        return Err(QueryError::unknown(format!(
            "codespace sdk code 26: invalid height: requested height {height} but height must not be less than 1 or \
             greater than the current height {latest}"
        )));
    }
    super::tendermint::check_first(view, height)?;
    let found = view.blocks.block(height).await.map_err(internal)?;
    let (id, block) = found.ok_or_else(|| internal(format!("block {height} is not stored")))?;
    let data = block.data.clone().unwrap_or_default();
    let all = &data.txs;
    let txs = page_of_txs(request.pagination.as_ref(), all)?;
    let answer = GetBlockWithTxsResponse {
        // What cannot be read is left out, as in the reference.
        txs: txs.iter().filter_map(|tx| transaction(tx).ok()).collect(),
        pagination: Some(PageResponse {
            total: u64::try_from(all.len()).unwrap_or(u64::MAX),
            ..PageResponse::default()
        }),
        block_id: Some(id),
        block: Some(block),
    };
    Ok(answer.encode_to_vec())
}

/// The page of a block's transactions, as the reference cuts it: a request without a limit means none, and one in
/// reverse goes from its offset down to the second transaction.
fn page_of_txs<'t>(
    request: Option<&PageRequest>,
    all: &'t [Vec<u8>],
) -> Result<Vec<&'t Vec<u8>>, QueryError> {
    let number = |value: u64| usize::try_from(value).unwrap_or(usize::MAX);
    let (offset, limit, reverse) = request.map_or((0, limits::PAGE_MAX, false), |page| {
        (number(page.offset), number(page.limit), page.reverse)
    });
    if !all.is_empty() && offset >= all.len() {
        let text = format!(
            "codespace sdk code 18: invalid request: out of range: cannot paginate {} txs with offset {offset} and \
             limit {limit}",
            all.len()
        );
        return Err(QueryError::unknown(text));
    }
    Ok(if reverse {
        let places = (1..=offset).rev().take(limit);
        places.filter_map(|place| all.get(place)).collect()
    } else {
        all.iter().skip(offset).take(limit).collect()
    })
}

fn decoded(data: &Bytes) -> Result<Vec<u8>, QueryError> {
    let request: TxDecodeRequest = decode(data)?;
    if request.tx_bytes.is_empty() {
        return Err(QueryError::invalid_argument("invalid empty tx bytes"));
    }
    // As strictly as a transaction that is sent.
    chain::tx::Transaction::decode(&request.tx_bytes)
        .map_err(|error| QueryError::unknown(error.log))?;
    let tx = Some(transaction(&request.tx_bytes)?);
    Ok(TxDecodeResponse { tx }.encode_to_vec())
}

fn encoded(data: &Bytes) -> Result<Vec<u8>, QueryError> {
    let request: TxEncodeRequest = decode(data)?;
    let tx = request
        .tx
        .ok_or_else(|| QueryError::invalid_argument("invalid empty tx"))?;
    let encode = |message: Option<Vec<u8>>| message.unwrap_or_default().into();
    let raw = TxRaw {
        body_bytes: encode(tx.body.map(|body| body.encode_to_vec())),
        auth_info_bytes: encode(tx.auth_info.map(|info| info.encode_to_vec())),
        signatures: tx.signatures,
    };
    let tx_bytes = raw.encode_to_vec().into();
    Ok(TxEncodeResponse { tx_bytes }.encode_to_vec())
}

/// The readable form of a transaction.
fn transaction(bytes: &[u8]) -> Result<Tx, QueryError> {
    let wrong = |error: prost::DecodeError| QueryError::unknown(format!("tx parse error: {error}"));
    let raw = TxRaw::decode(bytes).map_err(wrong)?;
    Ok(Tx {
        body: Some(TxBody::decode(raw.body_bytes).map_err(wrong)?),
        auth_info: Some(AuthInfo::decode(raw.auth_info_bytes).map_err(wrong)?),
        signatures: raw.signatures,
    })
}

/// What a block did with a transaction.
fn response(included: Included, timestamp: String) -> Result<TxResponse, QueryError> {
    let tx = transaction(&included.tx)?;
    let result = included.result;
    Ok(TxResponse {
        height: included.height,
        txhash: hex::encode_upper(included.hash),
        codespace: result.codespace,
        code: result.code,
        data: hex::encode_upper(&result.data),
        raw_log: result.log,
        logs: Vec::new(),
        info: result.info,
        gas_wanted: result.gas_wanted,
        gas_used: result.gas_used,
        tx: Some(Any {
            type_url: format!("/{}", Tx::full_name()),
            value: tx.encode_to_vec(),
        }),
        timestamp,
        events: result.events,
    })
}

/// Time of a block as text.
async fn time_of(view: &View, height: i64) -> Result<String, NodeError> {
    let block = view.blocks.block(height).await?;
    let header = block.and_then(|(_, block)| block.header);
    let time = header.and_then(|header| header.time);
    // The reference leaves the fraction of a second out.
    let seconds = Timestamp {
        nanos: 0,
        ..time.unwrap_or_default()
    };
    Ok(time::text(seconds))
}
