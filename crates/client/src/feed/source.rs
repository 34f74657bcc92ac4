//! The feed's source: a node's WebSocket for headers, its HTTP for the rest.

use std::sync::Arc;

use futures_util::{SinkExt as _, StreamExt as _};
use http::Uri;
use serde::Deserialize;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

use super::{BlockEvent, Headers, Source};
use crate::rpc::types::HeaderAnswer;
use crate::rpc::{self, Rpc};
use crate::{Config, Error, Result, limits};

/// The subscription every client of the reference uses.
const SUBSCRIBE: &str = concat!(
    r#"{"jsonrpc":"2.0","id":0,"method":"subscribe","#,
    r#""params":{"query":"tm.event='NewBlockHeader'"}}"#
);

/// A node.
pub(crate) struct NodeSource {
    rpc: Arc<Rpc>,
    dialer: net::Dialer,
    socket: Uri,
    config: Config,
    chain_id: Arc<str>,
}

impl NodeSource {
    pub(crate) fn new(
        rpc: Arc<Rpc>,
        dialer: net::Dialer,
        config: Config,
        chain_id: Arc<str>,
    ) -> Result<Self> {
        let base = config.rpc_url.as_str().trim_end_matches('/');
        // The scheme is http or https, so that it becomes ws or wss.
        let url = format!("{}/websocket", base.replacen("http", "ws", 1));
        let socket = url
            .parse()
            .map_err(|error: http::uri::InvalidUri| Error::Config {
                setting: "rpc_url",
                value: url.clone(),
                reason: error.to_string(),
            })?;
        Ok(Self {
            rpc,
            dialer,
            socket,
            config,
            chain_id,
        })
    }

    fn unreachable(&self, reason: impl ToString) -> Error {
        Error::Unreachable {
            node: self.socket.to_string(),
            what: "subscribe".to_owned(),
            reason: reason.to_string(),
        }
    }

    async fn open(&self) -> Result<Subscription> {
        let stream = self.dialer.connect(&self.socket, net::Version::Http1).await;
        let stream = stream.map_err(|error| self.unreachable(error))?;
        let bounds = WebSocketConfig::default()
            .max_message_size(Some(limits::SOCKET_MESSAGE_BYTES))
            .max_frame_size(Some(limits::SOCKET_MESSAGE_BYTES));
        let (mut socket, _) =
            tokio_tungstenite::client_async_with_config(self.socket.clone(), stream, Some(bounds))
                .await
                .map_err(|error| self.unreachable(error))?;
        socket
            .send(Message::text(SUBSCRIBE))
            .await
            .map_err(|error| self.unreachable(error))?;
        let mut subscription = Subscription {
            socket,
            node: self.socket.to_string(),
            chain_id: self.chain_id.clone(),
        };
        // The first answer is empty: the subscription stands, or an error says why not.
        let first = subscription.message().await?;
        rpc::unwrap::<serde_json::Value>("subscribe", first.as_bytes())?;
        Ok(subscription)
    }
}

impl Source for NodeSource {
    type Headers = Subscription;

    async fn subscribe(&self) -> Result<Subscription> {
        let deadline = self.config.timeouts.query;
        let opened = tokio::time::timeout(deadline, self.open()).await;
        opened.unwrap_or_else(|_| Err(self.unreachable("no answer in time")))
    }

    async fn range(&self) -> Result<(i64, i64)> {
        let status = self.rpc.status().await?;
        if status.node_info.network != *self.chain_id {
            return Err(Error::WrongChain {
                node: self.rpc.node().to_owned(),
                actual: status.node_info.network,
                expected: self.chain_id.to_string(),
            });
        }
        Ok((
            status.sync_info.earliest_block_height,
            status.sync_info.latest_block_height,
        ))
    }

    async fn block(&self, height: i64) -> Result<BlockEvent> {
        fetch(&self.rpc, &self.chain_id, height).await
    }
}

/// A block whose header hashes to what the node calls it.
pub(crate) async fn fetch(rpc: &Rpc, chain_id: &str, height: i64) -> Result<BlockEvent> {
    let answer = rpc.block(Some(height)).await?;
    let block = BlockEvent::of(&answer.block.header)?;
    let wrong = |reason: String| Error::malformed(format!("block {height}"), reason);
    if block.height != height {
        return Err(wrong(format!(
            "the node answered with block {}",
            block.height
        )));
    }
    if block.hash.as_slice() != answer.block_id.hash {
        return Err(wrong(format!(
            "the node calls it {}, but its header hashes to {}",
            hex::encode_upper(answer.block_id.hash),
            hex::encode_upper(block.hash)
        )));
    }
    if *block.chain_id != *chain_id {
        return Err(Error::WrongChain {
            node: rpc.node().to_owned(),
            actual: block.chain_id.to_string(),
            expected: chain_id.to_owned(),
        });
    }
    Ok(block)
}

/// An open WebSocket that brings headers.
pub(crate) struct Subscription {
    socket: WebSocketStream<net::Stream>,
    node: String,
    chain_id: Arc<str>,
}

#[derive(Deserialize)]
struct Announcement {
    data: Option<Data>,
}

#[derive(Deserialize)]
struct Data {
    #[serde(rename = "type")]
    kind: String,
    value: serde_json::Value,
}

impl Subscription {
    /// The next text message. Pings are answered by the library as we read on.
    async fn message(&mut self) -> Result<String> {
        let ended = |node: &str, reason: String| Error::Unreachable {
            node: node.to_owned(),
            what: "subscription".to_owned(),
            reason,
        };
        loop {
            match self.socket.next().await {
                Some(Ok(Message::Text(text))) => return Ok(text.as_str().to_owned()),
                Some(Ok(Message::Close(_))) | None => {
                    return Err(ended(&self.node, "closed by the node".to_owned()));
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(ended(&self.node, error.to_string())),
            }
        }
    }
}

impl Headers for Subscription {
    async fn next(&mut self) -> Result<BlockEvent> {
        loop {
            let text = self.message().await?;
            let Announcement { data } = rpc::unwrap("subscription", text.as_bytes())?;
            let Some(data) = data.filter(|data| data.kind == "tendermint/event/NewBlockHeader")
            else {
                continue;
            };
            let answer: HeaderAnswer = serde_json::from_value(data.value)
                .map_err(|error| Error::malformed("NewBlockHeader", error))?;
            if *answer.header.chain_id != *self.chain_id {
                return Err(Error::WrongChain {
                    node: self.node.clone(),
                    actual: answer.header.chain_id,
                    expected: self.chain_id.to_string(),
                });
            }
            return BlockEvent::of(&answer.header);
        }
    }
}
