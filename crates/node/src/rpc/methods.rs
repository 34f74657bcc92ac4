//! The methods of the RPC.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tendermint_proto::v0_38::abci::{ExecTxResult, RequestQuery};
use tokio::time::timeout;

use super::params::{Arguments, Params};
use super::search::{self, Search};
use super::{RpcError, consensus, json, page};
use crate::blocks::OwnView as View;
use crate::error::NodeError;
use crate::limits;
use crate::mempool::Refused;
use crate::view::COMETBFT_VERSION;
use crate::{block, services, time};

/// Every method with the names of its arguments.
pub(super) const NAMES: &[(&str, &[&str])] = &[
    ("abci_info", &[]),
    ("abci_query", &["path", "data", "height", "prove"]),
    ("block", &["height"]),
    ("block_by_hash", &["hash"]),
    ("block_results", &["height"]),
    ("block_search", &["query", "page", "per_page", "order_by"]),
    ("blockchain", &["minHeight", "maxHeight"]),
    ("broadcast_evidence", &["evidence"]),
    ("broadcast_tx_async", &["tx"]),
    ("broadcast_tx_commit", &["tx"]),
    ("broadcast_tx_sync", &["tx"]),
    ("check_tx", &["tx"]),
    ("commit", &["height"]),
    ("consensus_params", &["height"]),
    ("consensus_state", &[]),
    ("dump_consensus_state", &[]),
    ("genesis", &[]),
    ("genesis_chunked", &["chunk"]),
    ("header", &["height"]),
    ("header_by_hash", &["hash"]),
    ("health", &[]),
    ("net_info", &[]),
    ("num_unconfirmed_txs", &[]),
    ("status", &[]),
    ("tx", &["hash", "prove"]),
    (
        "tx_search",
        &["query", "prove", "page", "per_page", "order_by"],
    ),
    ("unconfirmed_txs", &["limit"]),
    ("validators", &["height", "page", "per_page"]),
];

pub(super) type Answer = Result<Value, RpcError>;

/// Runs a method. `None` when there is none of this name.
pub(super) async fn call(view: &Arc<View>, method: &str, params: &Params) -> Option<Answer> {
    let (name, names) = NAMES.iter().find(|(name, _)| *name == method)?;
    let args = match params.arguments(names) {
        Ok(args) => args,
        Err(error) => return Some(Err(RpcError::params(error))),
    };
    Some(dispatch(view, name, &args).await)
}

async fn dispatch(view: &Arc<View>, name: &str, args: &Arguments<'_>) -> Answer {
    match name {
        "abci_info" => Ok(abci_info(view)),
        "abci_query" => abci_query(view, args).await,
        "broadcast_evidence" => Err(match args.evidence("evidence").map_err(RpcError::params)? {
            false => RpcError::internal("no evidence was provided"),
            true => RpcError::internal(
                "this node has no peers and takes no evidence; the nodes of a network on CometBFT do",
            ),
        }),
        "broadcast_tx_async" => broadcast_async(view, tx(args)?).await,
        "broadcast_tx_commit" => broadcast_commit(view, tx(args)?).await,
        "broadcast_tx_sync" => broadcast_sync(view, tx(args)?).await,
        "check_tx" => {
            let answer = view.driver.try_check(tx(args)?).await;
            Ok(json::check_tx(&answer.map_err(RpcError::internal)?))
        }
        "genesis" => Ok(json!({ "genesis": genesis(view) })),
        "genesis_chunked" => {
            let chunk = args
                .integer("chunk")
                .map_err(RpcError::params)?
                .unwrap_or(0);
            if chunk < 0 {
                return Err(RpcError::params(format!(
                    "error converting params to arguments: json: cannot unmarshal number {chunk} into Go value of type uint"
                )));
            }
            if chunk != 0 {
                let text = format!("there are 0 to 0 chunks, {chunk} is invalid");
                return Err(RpcError::internal(text));
            }
            let data = json::base64(json::to_text(&genesis(view)).as_bytes());
            Ok(json!({ "chunk": "0", "total": "1", "data": data }))
        }
        "health" => Ok(json!({})),
        "net_info" => {
            let listeners = ["Listener(@)"];
            Ok(json!({ "listening": true, "listeners": listeners, "n_peers": "0", "peers": [] }))
        }
        "num_unconfirmed_txs" => unconfirmed(view, None).await,
        "status" => status(view),
        "unconfirmed_txs" => {
            let limit = args.integer("limit").map_err(RpcError::params)?;
            unconfirmed(view, Some(per_page(limit))).await
        }
        _ => stored(view, name, args).await,
    }
}

/// Methods that read blocks from disk.
async fn stored(view: &Arc<View>, name: &str, args: &Arguments<'_>) -> Answer {
    let wrong = RpcError::params;
    let work: Box<dyn FnOnce(&View) -> Answer + Send> = match name {
        "block_by_hash" => {
            let hash = args.bytes("hash").map_err(wrong)?;
            Box::new(move |view| block_by_hash(view, &hash))
        }
        "header_by_hash" => {
            let hash = args.hex("hash").map_err(wrong)?;
            Box::new(move |view| header_by_hash(view, &hash))
        }
        "blockchain" => {
            let low = args.integer("minHeight").map_err(wrong)?.unwrap_or(0);
            let high = args.integer("maxHeight").map_err(wrong)?.unwrap_or(0);
            Box::new(move |view| blockchain(view, low, high))
        }
        "consensus_state" => Box::new(consensus::state),
        "dump_consensus_state" => Box::new(consensus::dump),
        "tx" => {
            let hash = args.bytes("hash").map_err(wrong)?;
            let prove = args.flag("prove").map_err(wrong)?;
            Box::new(move |view| search::find_tx(view, &hash, prove))
        }
        "tx_search" | "block_search" => {
            let search = Search {
                query: args.text("query").map_err(wrong)?,
                prove: name == "tx_search" && args.flag("prove").map_err(wrong)?,
                page: args.integer("page").map_err(wrong)?.unwrap_or(1),
                size: per_page(args.integer("per_page").map_err(wrong)?),
                order: args.text("order_by").map_err(wrong)?,
            };
            if name == "tx_search" {
                Box::new(move |view| search::tx_search(view, &search))
            } else {
                Box::new(move |view| search::block_search(view, &search))
            }
        }
        _ => {
            let asked = args.integer("height").map_err(wrong)?;
            let of_set = name == "validators";
            let number = if of_set {
                args.integer("page").map_err(wrong)?
            } else {
                None
            };
            let size = if of_set {
                args.integer("per_page").map_err(wrong)?
            } else {
                None
            };
            let name = name.to_owned();
            Box::new(move |view| {
                let latest = view.height();
                // Of the next block it is known already who signs it, and by which params.
                let latest = match name.as_str() {
                    "consensus_params" | "validators" => latest.saturating_add(1),
                    _ => latest,
                };
                let first = view.store.range().map_err(RpcError::internal)?;
                let height = height(asked, first.map_or(1, |(first, _)| first), latest)?;
                match name.as_str() {
                    "block" => block(view, height),
                    "block_results" => block_results(view, height),
                    "commit" => commit(view, height),
                    "consensus_params" => consensus_params(view, height),
                    "header" => header(view, height),
                    "validators" => validators(view, height, number, size),
                    _ => Err(RpcError::no_method()),
                }
            })
        }
    };
    view.blocking(work)
        .await
        .unwrap_or_else(|error| Err(RpcError::internal(error)))
}

fn tx(args: &Arguments<'_>) -> Result<Bytes, RpcError> {
    args.bytes("tx").map(Bytes::from).map_err(RpcError::params)
}

/// Entries of a page; nonsense is the default, as in the reference.
fn per_page(given: Option<i64>) -> usize {
    match usize::try_from(given.unwrap_or(0)).unwrap_or(0) {
        0 => limits::PAGE_DEFAULT,
        size => size.min(limits::PAGE_MAX),
    }
}

/// The height asked for, or the latest.
fn height(asked: Option<i64>, first: i64, latest: i64) -> Result<i64, RpcError> {
    match asked {
        None => Ok(latest),
        Some(height) if height <= 0 => {
            let text = format!("height must be greater than 0, but got {height}");
            Err(RpcError::internal(text))
        }
        Some(height) if height > latest => Err(RpcError::internal(format!(
            "height {height} must be less than or equal to the current blockchain height {latest}"
        ))),
        Some(height) if height < first => Err(RpcError::internal(format!(
            "height {height} is not available, lowest height is {first}"
        ))),
        Some(height) => Ok(height),
    }
}

fn found<T>(value: Result<Option<T>, NodeError>, height: i64) -> Result<T, RpcError> {
    value
        .map_err(RpcError::internal)?
        .ok_or_else(|| RpcError::internal(format!("height {height} is not available")))
}

fn status(view: &View) -> Answer {
    let latest = view
        .latest()
        .map(|latest| (latest.id.clone(), latest.header()));
    let (id, header) = latest.unwrap_or_default();
    let first = view.store.range().map_err(RpcError::internal)?;
    let first = first.map_or(0, |(first, _)| first);
    let earliest = view
        .store
        .meta(first)
        .map_err(RpcError::internal)?
        .unwrap_or_default();
    let earliest_header = earliest.header.unwrap_or_default();
    let url = view.rpc_url();
    Ok(json!({
        "node_info": {
            "protocol_version": {
                "p2p": "8",
                "block": block::BLOCK_PROTOCOL.to_string(),
                "app": "0",
            },
            "id": view.id(),
            "listen_addr": limits::NO_PEERS,
            "network": view.chain_id,
            "version": COMETBFT_VERSION,
            "channels": "",
            "moniker": "relaymill",
            "other": { "tx_index": "on", "rpc_address": url },
        },
        "sync_info": {
            "latest_block_hash": json::hex(&id.hash),
            "latest_app_hash": json::hex(&header.app_hash),
            "latest_block_height": header.height.to_string(),
            "latest_block_time": time::text(header.time.unwrap_or(block::vote::ABSENT)),
            "earliest_block_hash": json::hex(&earliest.block_id.unwrap_or_default().hash),
            "earliest_app_hash": json::hex(&earliest_header.app_hash),
            "earliest_block_height": earliest_header.height.to_string(),
            "earliest_block_time": time::text(earliest_header.time.unwrap_or(block::vote::ABSENT)),
            "catching_up": false,
        },
        "validator_info": {
            "address": json::hex(&view.validator.address()),
            "pub_key": json::public_key(&view.validator),
            "voting_power": view.power().map_err(RpcError::internal)?.to_string(),
        },
    }))
}

fn abci_info(view: &View) -> Value {
    let latest = view.latest();
    let app_hash = latest.map_or_else(Vec::new, |latest| latest.results.app_hash.to_vec());
    json!({
        "response": {
            "data": chain::APP_NAME,
            "version": chain::APP_VERSION.trim_start_matches('v'),
            "last_block_height": view.height().to_string(),
            "last_block_app_hash": json::base64(&app_hash),
        }
    })
}

fn genesis(view: &View) -> Value {
    json!({
        "genesis_time": view.genesis.genesis_time,
        "chain_id": view.chain_id,
        "initial_height": view.genesis.initial_height.value().to_string(),
        "consensus_params": json::params(&view.genesis.consensus.params.to_proto()),
        "app_hash": "",
        "app_state": view.genesis.app_state,
    })
}

async fn abci_query(view: &Arc<View>, args: &Arguments<'_>) -> Answer {
    let wrong = RpcError::params;
    let path = args.text("path").map_err(wrong)?;
    let data = Bytes::from(args.hex("data").map_err(wrong)?);
    let height = args.integer("height").map_err(wrong)?.unwrap_or(0);
    args.flag("prove").map_err(wrong)?;
    let request = RequestQuery {
        data,
        path,
        height,
        prove: false,
    };
    let answer = services::abci(view.shared(), request).await;
    Ok(json::query(&answer.map_err(RpcError::internal)?))
}

/// Tells what keeps a transaction from being checked at all, but not what the check says.
async fn broadcast_async(view: &Arc<View>, tx: Bytes) -> Answer {
    let hash = json::hex(&Sha256::digest(&tx));
    view.driver.add(tx).await.map_err(RpcError::internal)?;
    Ok(json!({ "code": 0, "data": "", "log": "", "codespace": "", "hash": hash }))
}

async fn broadcast_sync(view: &Arc<View>, tx: Bytes) -> Answer {
    let hash = json::hex(&Sha256::digest(&tx));
    let answer = view.driver.add(tx).await.map_err(RpcError::internal)?;
    Ok(json!({
        "code": answer.code,
        "data": json::hex(&answer.data),
        "log": answer.log,
        "codespace": answer.codespace,
        "hash": hash,
    }))
}

async fn broadcast_commit(view: &Arc<View>, tx: Bytes) -> Answer {
    let hash: block::Hash = Sha256::digest(&tx).into();
    let mut news = view.driver.committed();
    news.mark_unchanged();
    let checked = match view.driver.add(tx).await {
        Ok(checked) => checked,
        Err(Refused::Known) => return Err(RpcError::internal(Refused::Known)),
        Err(other) => {
            let text = format!("error on broadcastTxCommit: {other}");
            return Err(RpcError::internal(text));
        }
    };
    let answer = |result: &ExecTxResult, height: i64| {
        json!({
            "check_tx": json::check_tx(&checked),
            "tx_result": json::tx_result(result),
            "hash": json::hex(&hash),
            "height": height.to_string(),
        })
    };
    if checked.code != 0 {
        return Ok(answer(&ExecTxResult::default(), 0));
    }
    let waited = timeout(limits::BROADCAST_COMMIT, async {
        loop {
            let found = view.blocking(move |view| view.store.tx(&hash)).await.ok();
            if let Some(tx) = found.and_then(Result::ok).flatten()
                && tx.height <= view.height()
            {
                return Some(tx);
            }
            news.changed().await.ok()?;
        }
    });
    match waited.await {
        Ok(Some(tx)) => Ok(answer(&tx.result, tx.height)),
        Ok(None) => Err(RpcError::internal(Refused::Stopped)),
        Err(_) => Err(RpcError::internal(
            "timed out waiting for tx to be included in a block",
        )),
    }
}

/// Counts, and with a limit the first transactions.
async fn unconfirmed(view: &Arc<View>, limit: Option<usize>) -> Answer {
    let waiting = view
        .driver
        .waiting(limit.unwrap_or(0))
        .await
        .map_err(RpcError::internal)?;
    let txs: Vec<String> = waiting.txs.iter().map(|tx| json::base64(tx)).collect();
    let count = if limit.is_some() {
        txs.len()
    } else {
        waiting.count
    };
    Ok(json!({
        "n_txs": count.to_string(),
        "total": waiting.count.to_string(),
        "total_bytes": waiting.bytes.to_string(),
        "txs": limit.map(|_| txs),
    }))
}

pub(super) fn block(view: &View, height: i64) -> Answer {
    let meta = found(view.store.meta(height), height)?;
    let block = found(view.store.block(height), height)?;
    Ok(json::block_with_id(
        &meta.block_id.unwrap_or_default(),
        &block,
    ))
}

fn header(view: &View, height: i64) -> Answer {
    let meta = found(view.store.meta(height), height)?;
    Ok(json!({ "header": json::header(&meta.header.unwrap_or_default()) }))
}

fn height_of(view: &View, hash: &[u8]) -> Result<Option<i64>, RpcError> {
    let height = view.store.height_of(hash).map_err(RpcError::internal)?;
    Ok(height.filter(|height| *height <= view.height()))
}

fn block_by_hash(view: &View, hash: &[u8]) -> Answer {
    match height_of(view, hash)? {
        Some(height) => block(view, height),
        None => Ok(json!({ "block_id": json::block_id(&block::no_block_id()), "block": null })),
    }
}

fn header_by_hash(view: &View, hash: &[u8]) -> Answer {
    match height_of(view, hash)? {
        Some(height) => header(view, height),
        None => Ok(json!({ "header": null })),
    }
}

fn block_results(view: &View, height: i64) -> Answer {
    let results = found(view.store.results(height), height)?;
    Ok(json::block_results(height, &results))
}

fn commit(view: &View, height: i64) -> Answer {
    let meta = found(view.store.meta(height), height)?;
    let (commit, canonical) = found(view.store.commit(height), height)?;
    Ok(json!({
        "signed_header": {
            "header": json::header(&meta.header.unwrap_or_default()),
            "commit": json::commit(&commit),
        },
        "canonical": canonical,
    }))
}

fn consensus_params(view: &View, height: i64) -> Answer {
    let params = view
        .params(height.saturating_sub(1))
        .map_err(RpcError::internal)?;
    Ok(json!({
        "block_height": height.to_string(),
        "consensus_params": json::params(&params),
    }))
}

fn validators(view: &View, height: i64, number: Option<i64>, size: Option<i64>) -> Answer {
    let set = view.validators(height).map_err(RpcError::internal)?;
    let all = set.members();
    let range = page(number.unwrap_or(1), per_page(size), all.len()).map_err(RpcError::internal)?;
    let shown = all.get(range).unwrap_or(&[]);
    Ok(json!({
        "block_height": height.to_string(),
        "validators": shown.iter().map(json::member).collect::<Vec<_>>(),
        "count": shown.len().to_string(),
        "total": all.len().to_string(),
    }))
}

fn blockchain(view: &View, low: i64, high: i64) -> Answer {
    let latest = view.height();
    if low < 0 || high < 0 {
        return Err(RpcError::internal("heights must be non-negative"));
    }
    let first = view
        .store
        .range()
        .map_err(RpcError::internal)?
        .map_or(1, |(first, _)| first);
    let high = if high == 0 { latest } else { high.min(latest) };
    let low = low
        .max(first)
        .max(high.saturating_sub(limits::BLOCK_METAS - 1));
    if low > high {
        let text = format!("min height {low} can't be greater than max height {high}");
        return Err(RpcError::internal(text));
    }
    let metas = (low..=high).rev().map(|height| {
        let meta = found(view.store.meta(height), height)?;
        Ok(json::block_meta(&meta))
    });
    let metas: Vec<Value> = metas.collect::<Result<_, RpcError>>()?;
    Ok(json!({ "last_height": latest.to_string(), "block_metas": metas }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_that_starts_later_has_no_earlier_heights() {
        assert_eq!(height(None, 10, 12), Ok(12));
        assert_eq!(height(Some(10), 10, 12), Ok(10));
        let text = "height 9 is not available, lowest height is 10";
        assert_eq!(height(Some(9), 10, 12), Err(RpcError::internal(text)));
    }
}
