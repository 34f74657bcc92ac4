//! The CometBFT JSON-RPC of a node, over HTTP.
//!
//! Start with [`Rpc`]; the shapes of its answers are in [`types`].

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Uri, header};
use http_body_util::Full;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::config::Timeouts;
use crate::grpc::retry;
use crate::tx::TxHash;
use crate::{Error, Result, limits};

pub(crate) mod codec;
pub mod types;

use types::*;

/// JSON-RPC text of a transaction that the mempool has already.
const IN_CACHE: &str = "already exists in cache";

/// A node's RPC.
#[derive(Debug)]
pub struct Rpc {
    http: net::Client,
    uri: Uri,
    node: String,
    timeouts: Timeouts,
    next_id: AtomicU64,
}

#[derive(Deserialize)]
struct Envelope<T> {
    result: Option<T>,
    error: Option<RpcError>,
}

#[derive(Deserialize)]
struct RpcError {
    #[serde(default)]
    code: i64,
    #[serde(default)]
    message: String,
    #[serde(default)]
    data: Value,
}

/// The answer inside a JSON-RPC response.
pub(crate) fn unwrap<T: DeserializeOwned>(method: &str, body: &[u8]) -> Result<T> {
    let envelope: Envelope<T> =
        serde_json::from_slice(body).map_err(|error| Error::malformed(method, error))?;
    match envelope {
        Envelope {
            error: Some(error), ..
        } => Err(Error::Rpc {
            method: method.to_owned(),
            code: error.code,
            message: error.message,
            data: match error.data {
                Value::String(text) => text,
                Value::Null => String::new(),
                other => other.to_string(),
            },
        }),
        Envelope {
            result: Some(result),
            ..
        } => Ok(result),
        Envelope { result: None, .. } => Err(Error::malformed(method, "neither result nor error")),
    }
}

impl Rpc {
    /// The RPC of a configured node by its URL, which may be a private address. Nothing is asked yet.
    ///
    /// # Errors
    /// [`Error::Config`] for a URL that cannot be used.
    pub fn open(url: &str, timeouts: Timeouts) -> Result<Self> {
        let url = crate::config::parse("rpc_url", url)?;
        let options = net::DialOptions {
            policy: net::AddressPolicy::Any,
            ..net::DialOptions::default()
        };
        let dialer = net::Dialer::new(options).map_err(|error| Error::Config {
            setting: "rpc_url",
            value: url.to_string(),
            reason: error.to_string(),
        })?;
        Self::new(dialer, &url, timeouts)
    }

    pub(crate) fn new(dialer: net::Dialer, url: &url::Url, timeouts: Timeouts) -> Result<Self> {
        let uri = url
            .as_str()
            .parse()
            .map_err(|error: http::uri::InvalidUri| Error::Config {
                setting: "rpc_url",
                value: url.to_string(),
                reason: error.to_string(),
            })?;
        let options = net::ClientOptions {
            deadlines: net::Deadlines {
                response_bytes: limits::RPC_ANSWER_BYTES as u64,
                ..net::Deadlines::default()
            },
            ..net::ClientOptions::default()
        };
        Ok(Self {
            http: net::Client::new(dialer, options),
            uri,
            node: url.to_string(),
            timeouts,
            next_id: AtomicU64::new(0),
        })
    }

    /// The node's URL, for messages.
    pub fn node(&self) -> &str {
        &self.node
    }

    /// Who the node is and how far.
    ///
    /// # Errors
    /// As every call here: [`Error::Unreachable`], [`Error::Timeout`], [`Error::Rpc`],
    /// [`Error::Malformed`].
    pub async fn status(&self) -> Result<Status> {
        self.ask("status", json!({})).await
    }

    /// A block; the latest without a height.
    ///
    /// # Errors
    /// As [`Rpc::status`]; [`Error::Rpc`] for a height the node does not have.
    pub async fn block(&self, height: Option<i64>) -> Result<BlockAnswer> {
        self.ask("block", at(height)).await
    }

    /// What a block did.
    ///
    /// # Errors
    /// As [`Rpc::block`].
    pub async fn block_results(&self, height: i64) -> Result<BlockResults> {
        let params = at(Some(height));
        retry(|| self.once("block_results", params.clone(), self.timeouts.bulk)).await
    }

    /// A transaction that is in a block; `None` while it is not.
    ///
    /// # Errors
    /// As [`Rpc::status`].
    pub async fn tx(&self, hash: &TxHash) -> Result<Option<TxAnswer>> {
        let params = json!({"hash": codec::base64::encode(&hash.0), "prove": false});
        match self.ask("tx", params).await {
            Ok(answer) => Ok(Some(answer)),
            Err(Error::Rpc { data, .. }) if data.contains("not found") => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// One page of the transactions that match a query such as `message.sender='pokt1…'`; pages
    /// count from 1.
    ///
    /// # Errors
    /// As [`Rpc::status`].
    pub async fn tx_search(&self, query: &str, page: u32, per_page: u32) -> Result<TxSearchAnswer> {
        let params = json!({
            "query": query, "prove": false, "page": page.to_string(),
            "per_page": per_page.to_string(), "order_by": "asc",
        });
        retry(|| self.once("tx_search", params.clone(), self.timeouts.bulk)).await
    }

    /// Offers a transaction to the mempool; the answer is its check, code 19 for one that is there
    /// already.
    ///
    /// # Errors
    /// As [`Rpc::status`].
    pub async fn broadcast_tx_sync(&self, tx: &[u8]) -> Result<BroadcastAnswer> {
        let params = json!({"tx": codec::base64::encode(tx)});
        match self
            .once("broadcast_tx_sync", params, self.timeouts.transaction)
            .await
        {
            Err(Error::Rpc { data, .. }) if data.contains(IN_CACHE) => Ok(BroadcastAnswer {
                code: 19,
                codespace: "sdk".to_owned(),
                log: data,
                hash: TxHash::of(tx).0.to_vec(),
            }),
            result => result,
        }
    }

    /// Any query of the application by its gRPC path, request and answer encoded; height 0 is the
    /// latest.
    ///
    /// # Errors
    /// As [`Rpc::status`]. A refusal by the application is an answer with a code.
    pub async fn abci_query(&self, path: &str, data: &[u8], height: i64) -> Result<QueryAnswer> {
        #[derive(Deserialize)]
        struct Answer {
            response: QueryAnswer,
        }
        let params = json!({
            "path": path, "data": hex::encode(data), "height": height.to_string(), "prove": false,
        });
        let answer: Answer = self.ask("abci_query", params).await?;
        Ok(answer.response)
    }

    /// One page of the validators of a block; pages count from 1.
    ///
    /// # Errors
    /// As [`Rpc::block`].
    pub async fn validators(&self, height: Option<i64>, page: u32) -> Result<ValidatorsAnswer> {
        let mut params = at(height);
        params["page"] = json!(page.to_string());
        params["per_page"] = json!("100");
        self.ask("validators", params).await
    }

    /// Any route, its result undecoded.
    ///
    /// # Errors
    /// As [`Rpc::status`].
    pub async fn raw(&self, method: &str, params: Value) -> Result<Value> {
        self.ask(method, params).await
    }

    async fn ask<T: DeserializeOwned>(&self, method: &str, params: Value) -> Result<T> {
        retry(|| self.once(method, params.clone(), self.timeouts.query)).await
    }

    async fn once<T: DeserializeOwned>(
        &self,
        method: &str,
        params: Value,
        deadline: Duration,
    ) -> Result<T> {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let body = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
        let request = Request::builder()
            .method(Method::POST)
            .uri(self.uri.clone())
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(body.to_string())))
            .map_err(|error| Error::malformed(method, error))?;
        let exchange = async {
            let response = self.http.request(request).await?;
            let status = response.status();
            Ok::<_, net::NetError>((status, response.into_body().read_to_bytes().await?))
        };
        let unreachable = |reason: String| Error::Unreachable {
            node: self.node.clone(),
            what: method.to_owned(),
            reason,
        };
        match tokio::time::timeout(deadline, exchange).await {
            Ok(Ok((status, body))) => match unwrap(method, &body) {
                // Errors come with a JSON body whatever the status; a proxy's page does not.
                Err(Error::Malformed { .. }) if !status.is_success() => {
                    Err(unreachable(format!("HTTP status {status}")))
                }
                result => result,
            },
            Ok(Err(error)) => Err(unreachable(error.to_string())),
            Err(_) => Err(Error::Timeout {
                node: self.node.clone(),
                what: method.to_owned(),
                after_ms: u64::try_from(deadline.as_millis()).unwrap_or(u64::MAX),
            }),
        }
    }
}

fn at(height: Option<i64>) -> Value {
    match height {
        Some(height) => json!({"height": height.to_string()}),
        None => json!({}),
    }
}

#[cfg(test)]
mod tests;
