//! Answers of the CometBFT RPC, as far as anybody here reads them. Unknown fields are ignored.

use prost_types::Timestamp;
use serde::Deserialize;

use super::codec;
use crate::header::{BlockId, Header};

/// `status`.
#[derive(Clone, Debug, Deserialize)]
pub struct Status {
    /// Who the node is.
    pub node_info: NodeInfo,
    /// How far it is.
    pub sync_info: SyncInfo,
}

/// Who a node is.
#[derive(Clone, Debug, Deserialize)]
pub struct NodeInfo {
    /// Chain id.
    pub network: String,
    /// Version of its consensus engine.
    #[serde(default)]
    pub version: String,
    /// Its name.
    #[serde(default)]
    pub moniker: String,
}

/// How far a node is.
#[derive(Clone, Debug, Deserialize)]
pub struct SyncInfo {
    /// Hash of the latest block.
    #[serde(with = "codec::hex")]
    pub latest_block_hash: Vec<u8>,
    /// Its height; 0 before the first.
    #[serde(with = "codec::int")]
    pub latest_block_height: i64,
    /// Its time.
    #[serde(with = "codec::time")]
    pub latest_block_time: Timestamp,
    /// The oldest block the node still has.
    #[serde(default, with = "codec::int")]
    pub earliest_block_height: i64,
    /// Whether it is still fetching old blocks.
    #[serde(default)]
    pub catching_up: bool,
}

/// `block`.
#[derive(Clone, Debug, Deserialize)]
pub struct BlockAnswer {
    /// Its hash, as the node says.
    pub block_id: BlockId,
    /// The block.
    pub block: Block,
}

/// A block as far as clients read it.
#[derive(Clone, Debug, Deserialize)]
pub struct Block {
    /// Its header.
    pub header: Header,
    /// Its transactions.
    pub data: Data,
}

/// Transactions of a block.
#[derive(Clone, Debug, Deserialize)]
pub struct Data {
    /// Encoded `TxRaw`s in order.
    #[serde(default, deserialize_with = "codec::base64::list")]
    pub txs: Vec<Vec<u8>>,
}

/// `header`, and the data of a `NewBlockHeader` event.
#[derive(Clone, Debug, Deserialize)]
pub struct HeaderAnswer {
    /// The header.
    pub header: Header,
}

/// An event of a transaction or block.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Event {
    /// Its type: for typed events the protobuf name.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its attributes in order.
    #[serde(default, deserialize_with = "codec::list")]
    pub attributes: Vec<Attribute>,
}

/// An attribute of an event.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Attribute {
    /// Key.
    pub key: String,
    /// Value: for typed events a JSON fragment.
    #[serde(default, deserialize_with = "text")]
    pub value: String,
}

fn text<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

impl Event {
    /// The value of an attribute.
    pub fn get(&self, key: &str) -> Option<&str> {
        let found = self
            .attributes
            .iter()
            .find(|attribute| attribute.key == key);
        found.map(|attribute| attribute.value.as_str())
    }
}

/// What a transaction did.
#[derive(Clone, Debug, Deserialize)]
pub struct TxResult {
    /// 0 for success.
    #[serde(default)]
    pub code: u32,
    /// Whose code it is.
    #[serde(default)]
    pub codespace: String,
    /// What went wrong.
    #[serde(default)]
    pub log: String,
    /// Gas limit.
    #[serde(default, with = "codec::int")]
    pub gas_wanted: i64,
    /// Gas used.
    #[serde(default, with = "codec::int")]
    pub gas_used: i64,
    /// What happened.
    #[serde(default, deserialize_with = "codec::list")]
    pub events: Vec<Event>,
}

/// `tx`: a transaction that is in a block.
#[derive(Clone, Debug, Deserialize)]
pub struct TxAnswer {
    /// Its hash.
    #[serde(with = "codec::hex")]
    pub hash: Vec<u8>,
    /// The block that holds it.
    #[serde(with = "codec::int")]
    pub height: i64,
    /// Its place in the block.
    #[serde(default)]
    pub index: u32,
    /// What it did.
    pub tx_result: TxResult,
    /// Its bytes.
    #[serde(default, deserialize_with = "codec::base64::deserialize")]
    pub tx: Vec<u8>,
}

/// `tx_search`: one page.
#[derive(Clone, Debug, Deserialize)]
pub struct TxSearchAnswer {
    /// The transactions.
    #[serde(default, deserialize_with = "codec::list")]
    pub txs: Vec<TxAnswer>,
    /// How many match in all.
    #[serde(with = "codec::int")]
    pub total_count: u64,
}

/// `block_results`.
#[derive(Clone, Debug, Deserialize)]
pub struct BlockResults {
    /// Which block.
    #[serde(with = "codec::int")]
    pub height: i64,
    /// What its transactions did, in order.
    #[serde(default, deserialize_with = "codec::list")]
    pub txs_results: Vec<TxResult>,
    /// What happened outside of transactions.
    #[serde(default, deserialize_with = "codec::list")]
    pub finalize_block_events: Vec<Event>,
}

/// `broadcast_tx_sync`: what the mempool's check said. Code 0 is acceptance there, not inclusion.
#[derive(Clone, Debug, Deserialize)]
pub struct BroadcastAnswer {
    /// 0 for acceptance.
    pub code: u32,
    /// Whose code it is.
    #[serde(default)]
    pub codespace: String,
    /// What is wrong.
    #[serde(default)]
    pub log: String,
    /// The transaction's hash.
    #[serde(with = "codec::hex")]
    pub hash: Vec<u8>,
}

/// `abci_query`.
#[derive(Clone, Debug, Deserialize)]
pub struct QueryAnswer {
    /// 0 for success.
    #[serde(default)]
    pub code: u32,
    /// Whose code it is.
    #[serde(default)]
    pub codespace: String,
    /// What is wrong.
    #[serde(default)]
    pub log: String,
    /// The encoded answer.
    #[serde(default, deserialize_with = "codec::base64::deserialize")]
    pub value: Vec<u8>,
    /// The state it is from.
    #[serde(default, with = "codec::int")]
    pub height: i64,
}

/// `validators`: one page.
#[derive(Clone, Debug, Deserialize)]
pub struct ValidatorsAnswer {
    /// Which block.
    #[serde(with = "codec::int")]
    pub block_height: i64,
    /// Its validators.
    pub validators: Vec<Validator>,
    /// How many there are in all.
    #[serde(with = "codec::int")]
    pub total: u64,
}

/// A validator.
#[derive(Clone, Debug, Deserialize)]
pub struct Validator {
    /// 20 bytes.
    #[serde(with = "codec::hex")]
    pub address: Vec<u8>,
    /// Its key.
    pub pub_key: ConsensusKey,
    /// Its weight.
    #[serde(with = "codec::int")]
    pub voting_power: i64,
    /// What it has gathered towards its next turn to propose.
    #[serde(with = "codec::int")]
    pub proposer_priority: i64,
}

/// A validator's key.
#[derive(Clone, Debug, Deserialize)]
pub struct ConsensusKey {
    /// `tendermint/PubKeyEd25519`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its bytes.
    #[serde(deserialize_with = "codec::base64::deserialize")]
    pub value: Vec<u8>,
}
