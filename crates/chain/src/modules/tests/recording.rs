//! The recording of a reference node, read into types: `tests/vectors/golden/chain-a`.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use flate2::read::GzDecoder;
use prost::Message;
use proto::cosmos::tx::v1beta1::{AuthInfo, TxBody, TxRaw};
use serde::Deserialize;
use serde_json::Value;

/// Path of a file of the recording.
fn path(name: &str) -> String {
    format!(
        "{}/../../tests/vectors/golden/chain-a/{name}",
        env!("CARGO_MANIFEST_DIR")
    )
}

fn lines<T: for<'de> Deserialize<'de>>(name: &str) -> Vec<T> {
    let reader = BufReader::new(GzDecoder::new(File::open(path(name)).unwrap()));
    reader
        .lines()
        .map(|line| serde_json::from_str(&line.unwrap()).unwrap())
        .collect()
}

/// A section of the genesis.
pub(super) fn genesis() -> Value {
    let document: Value =
        serde_json::from_reader(File::open(path("genesis.json")).unwrap()).unwrap();
    document["app_state"].clone()
}

/// The exported state of a height.
pub(super) fn export(height: i64) -> Value {
    let mut text = String::new();
    let file = File::open(path(&format!("exports/height-{height}.json.gz"))).unwrap();
    GzDecoder::new(file).read_to_string(&mut text).unwrap();
    let document: Value = serde_json::from_str(&text).unwrap();
    document["app_state"].clone()
}

/// A recorded query.
#[derive(Deserialize)]
pub(super) struct Query {
    /// Height asked for; none for the latest.
    pub(super) height: Option<i64>,
    /// Path of the method.
    pub(super) method: String,
    /// Request bytes.
    pub(super) request_hex: String,
    /// Answer bytes.
    pub(super) response_hex: String,
    /// Status code.
    pub(super) grpc_code: i32,
    /// Status text.
    pub(super) grpc_message: String,
}

/// All recorded queries.
pub(super) fn queries() -> Vec<Query> {
    lines("queries.jsonl.gz")
}

/// An event: type and attributes, without `mode` and `msg_index`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Event {
    /// Type.
    pub(super) kind: String,
    /// Attributes in order.
    pub(super) attributes: Vec<(String, String)>,
}

impl Event {
    /// An attribute, as the text of its JSON string.
    pub(super) fn text(&self, key: &str) -> String {
        let (_, value) = self
            .attributes
            .iter()
            .find(|(name, _)| name == key)
            .unwrap();
        serde_json::from_str(value).unwrap_or_else(|_| value.clone())
    }

    /// An attribute that is a coin of upokt.
    pub(super) fn upokt(&self, key: &str) -> u128 {
        self.text(key).trim_end_matches("upokt").parse().unwrap()
    }
}

/// A transaction and what became of it.
pub(super) struct Tx {
    /// Its messages.
    pub(super) body: TxBody,
    /// Its fee and signers.
    pub(super) auth_info: AuthInfo,
    /// Result code.
    pub(super) code: u32,
    /// Result codespace.
    pub(super) codespace: String,
    /// Result text.
    pub(super) log: String,
    /// Whether the ante handler let it pass and took the fee.
    pub(super) paid: bool,
    /// Events of its messages, by message; the `message` event with the action left out.
    pub(super) events: Vec<Event>,
}

/// A block and its results.
pub(super) struct Block {
    /// Height.
    pub(super) height: i64,
    /// Hash of the header.
    pub(super) hash: Vec<u8>,
    /// Transactions in order.
    pub(super) txs: Vec<Tx>,
    /// Events of BeginBlock.
    pub(super) begin: Vec<Event>,
    /// Events of EndBlock.
    pub(super) end: Vec<Event>,
}

/// All blocks in order.
pub(super) fn blocks() -> Vec<Block> {
    lines::<Value>("blocks.jsonl.gz")
        .iter()
        .map(block)
        .collect()
}

fn block(row: &Value) -> Block {
    let results = &row["block_results"];
    let txs = row["block"]["block"]["data"]["txs"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let outcomes = results["txs_results"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let events = results["finalize_block_events"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let of_mode = |mode: &str| {
        let with_mode = events
            .iter()
            .filter(|event| attributes(event).get("mode").is_some_and(|m| m == mode));
        with_mode.map(event).collect()
    };
    Block {
        height: row["height"].as_i64().unwrap(),
        hash: hex::decode(row["block"]["block_id"]["hash"].as_str().unwrap()).unwrap(),
        txs: txs
            .iter()
            .zip(&outcomes)
            .map(|(bytes, outcome)| tx(bytes, outcome))
            .collect(),
        begin: of_mode("BeginBlock"),
        end: of_mode("EndBlock"),
    }
}

fn tx(bytes: &Value, outcome: &Value) -> Tx {
    let raw = TxRaw::decode(&*BASE64_STANDARD.decode(bytes.as_str().unwrap()).unwrap()).unwrap();
    let events = outcome["events"].as_array().cloned().unwrap_or_default();
    let of_messages = events.iter().filter(|event| {
        let attributes = attributes(event);
        attributes.contains_key("msg_index") && !attributes.contains_key("action")
    });
    Tx {
        body: TxBody::decode(raw.body_bytes).unwrap(),
        auth_info: AuthInfo::decode(raw.auth_info_bytes).unwrap(),
        code: u32::try_from(outcome["code"].as_u64().unwrap()).unwrap(),
        codespace: outcome["codespace"].as_str().unwrap_or_default().to_owned(),
        log: outcome["log"].as_str().unwrap_or_default().to_owned(),
        paid: events.iter().any(|event| event["type"] == "tx"),
        events: of_messages.map(event).collect(),
    }
}

fn attributes(event: &Value) -> BTreeMap<String, String> {
    let pair = |attribute: &Value| {
        (
            attribute["key"].as_str().unwrap().to_owned(),
            attribute["value"].as_str().unwrap_or_default().to_owned(),
        )
    };
    event["attributes"]
        .as_array()
        .unwrap()
        .iter()
        .map(pair)
        .collect()
}

fn event(event: &Value) -> Event {
    let mut list = Vec::new();
    for attribute in event["attributes"].as_array().unwrap() {
        let key = attribute["key"].as_str().unwrap().to_owned();
        if key != "mode" && key != "msg_index" {
            list.push((
                key,
                attribute["value"].as_str().unwrap_or_default().to_owned(),
            ));
        }
    }
    Event {
        kind: event["type"].as_str().unwrap().to_owned(),
        attributes: list,
    }
}
