//! Blocks of the CometBFT beside this node, asked for at its RPC.
//!
//! A height counts once the state of it is committed here, so that no block is shown whose state cannot be queried.

use std::sync::Arc;

use bytes::Bytes;
use client::rpc::Rpc;
use client::tx::TxHash;
use prost::bytes::Bytes as ProstBytes;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tendermint_proto::v0_38::abci::{Event, EventAttribute, ExecTxResult, ResponseCheckTx};
use tendermint_proto::v0_38::types::{Block, BlockId};
use tokio::sync::watch;

use super::{Identity, Page, SearchError};
use crate::block::Validator;
use crate::block::validators::Member;
use crate::error::NodeError;
use crate::limits;
use crate::mempool::Refused;
use crate::store::Included;

/// CometBFT's RPC and how far our state is. Clones share it.
#[derive(Clone, Debug)]
pub struct Comet {
    rpc: Arc<Rpc>,
    committed: watch::Receiver<i64>,
}

impl Comet {
    /// Blocks from `rpc`, as far as `committed` says.
    pub fn new(rpc: Arc<Rpc>, committed: watch::Receiver<i64>) -> Self {
        Self { rpc, committed }
    }

    /// Last committed height; 0 before the first.
    pub fn height(&self) -> i64 {
        *self.committed.borrow()
    }

    pub(super) async fn reached(&self, height: i64) -> Result<i64, watch::error::RecvError> {
        let mut committed = self.committed.clone();
        let reached = committed.wait_for(|latest| *latest >= height).await?;
        Ok(*reached)
    }

    async fn ask<T: DeserializeOwned>(&self, method: &str, params: Value) -> Result<T, NodeError> {
        let answer = self.rpc.raw(method, params).await.map_err(asked)?;
        serde_json::from_value(answer)
            .map_err(|error| NodeError::Comet(format!("{method}: {error}")))
    }

    pub(super) async fn block(&self, height: i64) -> Result<Option<(BlockId, Block)>, NodeError> {
        #[derive(Deserialize)]
        struct Answer {
            block_id: BlockId,
            block: Option<Block>,
        }
        let height = if height == 0 { self.height() } else { height };
        if height < 1 || height > self.height() {
            return Ok(None);
        }
        let answer: Answer = self
            .ask("block", json!({ "height": height.to_string() }))
            .await?;
        Ok(answer.block.map(|block| (answer.block_id, block)))
    }

    pub(super) async fn tx(&self, hash: &[u8]) -> Result<Option<Included>, NodeError> {
        let Ok(hash) = <[u8; 32]>::try_from(hash) else {
            return Ok(None);
        };
        if self.rpc.tx(&TxHash(hash)).await.map_err(asked)?.is_none() {
            return Ok(None);
        }
        let hash = crate::rpc::json::base64(&hash);
        let answer: TxAnswer = self
            .ask("tx", json!({ "hash": hash, "prove": false }))
            .await?;
        let included = answer.into_included()?;
        Ok(Some(included).filter(|tx| tx.height <= self.height()))
    }

    pub(super) async fn search(
        &self,
        query: &str,
        page: Page,
    ) -> Result<(Vec<Included>, u64), SearchError> {
        #[derive(Deserialize)]
        struct Answer {
            #[serde(default)]
            txs: Option<Vec<TxAnswer>>,
            total_count: Text,
        }
        let order = if page.descending { "desc" } else { "asc" };
        let params = json!({
            "query": query, "prove": false, "page": page.number.to_string(),
            "per_page": page.size.to_string(), "order_by": order,
        });
        let answer: Answer = match self.rpc.raw("tx_search", params).await {
            Ok(answer) => serde_json::from_value(answer)
                .map_err(|error| NodeError::Comet(format!("tx_search: {error}")))?,
            Err(client::Error::Rpc { data, .. }) => return Err(SearchError::Asked(data)),
            Err(error) => return Err(asked(error).into()),
        };
        let txs = answer.txs.unwrap_or_default().into_iter();
        let txs = txs.map(TxAnswer::into_included).collect::<Result<_, _>>()?;
        Ok((txs, answer.total_count.number()?))
    }

    pub(super) async fn add(&self, tx: Bytes) -> Result<ResponseCheckTx, Refused> {
        match self.rpc.broadcast_tx_sync(&tx).await {
            Ok(answer) if answer.code == 19 && answer.log.contains("already exists in cache") => {
                Err(Refused::Known)
            }
            Ok(answer) => Ok(ResponseCheckTx {
                code: answer.code,
                codespace: answer.codespace,
                log: answer.log,
                ..ResponseCheckTx::default()
            }),
            Err(client::Error::Rpc { data, .. }) if data.contains("too large") => {
                Err(Refused::TooLarge { size: tx.len() })
            }
            Err(client::Error::Rpc { data, .. }) => Err(Refused::Full(data)),
            Err(error) => Err(Refused::Full(error.to_string())),
        }
    }

    pub(super) async fn validators(&self, height: i64) -> Result<Vec<Member>, NodeError> {
        let mut validators = Vec::new();
        for page in 1..=limits::VALIDATOR_PAGES {
            let answer = self.rpc.validators(Some(height), page).await;
            let answer = answer.map_err(asked)?;
            for validator in answer.validators {
                let key = validator.pub_key.value.try_into();
                let key = key
                    .map_err(|_| NodeError::Comet("validators: a key is not Ed25519".to_owned()))?;
                validators.push(Member {
                    validator: Validator {
                        key,
                        power: validator.voting_power,
                    },
                    priority: validator.proposer_priority,
                });
            }
            if u64::try_from(validators.len()).is_ok_and(|count| count >= answer.total) {
                break;
            }
        }
        Ok(validators)
    }

    pub(super) async fn syncing(&self) -> Result<bool, NodeError> {
        let status = self.rpc.status().await.map_err(asked)?;
        Ok(status.sync_info.catching_up)
    }

    pub(super) async fn identity(&self) -> Result<Identity, NodeError> {
        #[derive(Deserialize)]
        struct Answer {
            node_info: NodeInfo,
        }
        #[derive(Deserialize)]
        #[serde(default)]
        #[derive(Default)]
        struct NodeInfo {
            id: String,
            moniker: String,
            version: String,
            listen_addr: String,
            other: Other,
        }
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Other {
            rpc_address: String,
        }
        let info = self.ask::<Answer>("status", json!({})).await?.node_info;
        Ok(Identity {
            id: info.id,
            moniker: info.moniker,
            version: info.version,
            listen_addr: info.listen_addr,
            rpc_addr: info.other.rpc_address,
        })
    }
}

/// Why CometBFT did not answer.
fn asked(error: client::Error) -> NodeError {
    NodeError::Comet(error.to_string())
}

/// An integer as CometBFT writes it.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Text {
    Text(String),
    Number(i64),
}

impl Default for Text {
    fn default() -> Self {
        Self::Number(0)
    }
}

impl Text {
    fn number<T: TryFrom<i64>>(&self) -> Result<T, NodeError> {
        let number = match self {
            Self::Text(text) => text.parse().ok(),
            Self::Number(number) => Some(*number),
        };
        number
            .and_then(|number: i64| T::try_from(number).ok())
            .ok_or_else(|| NodeError::Comet(format!("{self:?} is no integer")))
    }
}

/// A transaction in a block, with all that a node must tell of it.
#[derive(Deserialize)]
struct TxAnswer {
    hash: String,
    height: Text,
    #[serde(default)]
    index: u32,
    tx_result: TxResult,
    tx: String,
}

#[derive(Deserialize)]
struct TxResult {
    #[serde(default)]
    code: u32,
    #[serde(default)]
    data: Option<String>,
    #[serde(default)]
    log: String,
    #[serde(default)]
    info: String,
    #[serde(default)]
    gas_wanted: Text,
    #[serde(default)]
    gas_used: Text,
    #[serde(default)]
    events: Option<Vec<EventForm>>,
    #[serde(default)]
    codespace: String,
}

#[derive(Deserialize)]
struct EventForm {
    r#type: String,
    #[serde(default)]
    attributes: Option<Vec<AttributeForm>>,
}

#[derive(Deserialize)]
struct AttributeForm {
    key: String,
    #[serde(default)]
    value: Option<String>,
    #[serde(default)]
    index: bool,
}

impl TxAnswer {
    fn into_included(self) -> Result<Included, NodeError> {
        let wrong = |what: &str| NodeError::Comet(format!("transaction {}: {what}", self.hash));
        let mut hash = [0; 32];
        hex::decode_to_slice(&self.hash, &mut hash).map_err(|_| wrong("hash"))?;
        let result = self.tx_result;
        let data = result.data.unwrap_or_default();
        let data = unbase64(&data).ok_or_else(|| wrong("data"))?;
        let events = result.events.unwrap_or_default().into_iter();
        Ok(Included {
            height: self.height.number()?,
            index: self.index,
            hash,
            tx: unbase64(&self.tx).ok_or_else(|| wrong("bytes"))?,
            result: ExecTxResult {
                code: result.code,
                data: ProstBytes::from(data),
                log: result.log,
                info: result.info,
                gas_wanted: result.gas_wanted.number()?,
                gas_used: result.gas_used.number()?,
                events: events.map(EventForm::into_event).collect(),
                codespace: result.codespace,
            },
        })
    }
}

impl EventForm {
    fn into_event(self) -> Event {
        let attributes = self.attributes.unwrap_or_default().into_iter();
        let attributes = attributes.map(|attribute| EventAttribute {
            key: attribute.key,
            value: attribute.value.unwrap_or_default(),
            index: attribute.index,
        });
        Event {
            r#type: self.r#type,
            attributes: attributes.collect(),
        }
    }
}

fn unbase64(text: &str) -> Option<Vec<u8>> {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.decode(text).ok()
}
