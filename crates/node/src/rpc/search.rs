//! Finding transactions and blocks.

use serde_json::Value;

use super::methods::{Answer, block};
use super::{RpcError, json, page};
use crate::blocks::{OwnView as View, Page, SearchError};
use crate::query::Query;
use crate::store::{BlockStore, Included, search as find};

pub(super) fn find_tx(view: &View, hash: &[u8], prove: bool) -> Answer {
    if hash.is_empty() {
        return Err(RpcError::internal("transaction hash cannot be empty"));
    }
    let found = view.store.tx(hash).map_err(RpcError::internal)?;
    let tx = found
        .filter(|tx| tx.height <= view.height())
        .ok_or_else(|| RpcError::internal(format!("tx ({}) not found", json::hex(hash))))?;
    tx_json(view, &tx, prove)
}

fn tx_json(view: &View, tx: &Included, prove: bool) -> Answer {
    let mut answer = json::included(tx);
    if prove
        && let Some(committed) = view
            .store
            .committed(tx.height)
            .map_err(RpcError::internal)?
        && let Some(proof) = json::proof(committed.txs(), tx)
    {
        answer["proof"] = proof;
    }
    Ok(answer)
}

/// Arguments of a search.
pub(super) struct Search {
    pub(super) query: String,
    pub(super) prove: bool,
    pub(super) page: i64,
    pub(super) size: usize,
    pub(super) order: String,
}

impl Search {
    fn parse(&self) -> Result<Query, RpcError> {
        Query::parse(&self.query).map_err(RpcError::internal)
    }

    /// Whether entries are wanted from the newest on.
    fn newest_first(&self, default: bool) -> Result<bool, RpcError> {
        match self.order.as_str() {
            "" => Ok(default),
            "asc" => Ok(false),
            "desc" => Ok(true),
            _ => Err(RpcError::internal(
                "expected order_by to be either `asc` or `desc` or empty",
            )),
        }
    }
}

pub(super) fn tx_search(view: &View, search: &Search) -> Answer {
    let query = search.parse()?;
    let page = Page {
        number: search.page,
        size: search.size,
        descending: search.newest_first(false)?,
    };
    let found = find_page(&view.store, &query, page, view.height());
    let (found, total) = found.map_err(RpcError::internal)?;
    let txs = found.iter().map(|tx| tx_json(view, tx, search.prove));
    let txs: Vec<Value> = txs.collect::<Result<_, _>>()?;
    Ok(json!({ "txs": txs, "total_count": total.to_string() }))
}

/// A page of the transactions up to a height that match a query, and how many do.
///
/// # Errors
/// [`SearchError`].
pub(crate) fn find_page(
    store: &BlockStore,
    query: &Query,
    wanted: Page,
    latest: i64,
) -> Result<(Vec<Included>, u64), SearchError> {
    let mut places: Vec<find::Place> = match find::hash(query).map_err(SearchError::Asked)? {
        Some(hash) if hash.is_empty() => {
            let text = "error while retrieving the result: transaction hash cannot be empty";
            return Err(SearchError::Asked(text.to_owned()));
        }
        Some(hash) => store
            .tx(&hash)?
            .iter()
            .map(|tx| (tx.height, tx.index))
            .collect(),
        None => find::txs(store, query)?,
    };
    places.retain(|(height, _)| *height <= latest);
    if wanted.descending {
        places.reverse();
    }
    let range = page(wanted.number, wanted.size, places.len()).map_err(SearchError::Asked)?;
    let found = find::load(store, places.get(range).unwrap_or_default())?;
    Ok((found, u64::try_from(places.len()).unwrap_or(u64::MAX)))
}

pub(super) fn block_search(view: &View, search: &Search) -> Answer {
    let query = search.parse()?;
    let mut all = find::blocks(&view.store, &query).map_err(RpcError::internal)?;
    let latest = view.height();
    all.retain(|height| *height <= latest);
    if search.newest_first(true)? {
        all.reverse();
    }
    let range = page(search.page, search.size, all.len()).map_err(RpcError::internal)?;
    let blocks = all
        .get(range)
        .unwrap_or(&[])
        .iter()
        .map(|height| block(view, *height));
    let blocks: Vec<Value> = blocks.collect::<Result<_, _>>()?;
    Ok(json!({ "blocks": blocks, "total_count": all.len().to_string() }))
}
