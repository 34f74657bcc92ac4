//! The chain as its RPC shows it: blocks, events, queries. Read by hand, so that it is a second witness.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use prost::Message;
use proto::cosmos::tx::v1beta1::{TxBody, TxRaw};
use serde_json::{Value, json};

use super::{wait_for, web};

/// A block comes every second; a busy machine may take a few.
const BLOCK: Duration = Duration::from_secs(20);

/// A node's RPC.
#[derive(Clone, Debug)]
pub(crate) struct Chain {
    url: String,
}

/// An event of a block or a transaction.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    /// Full name.
    pub(crate) kind: String,
    attributes: BTreeMap<String, String>,
}

/// A transaction and what became of it.
#[derive(Clone, Debug)]
pub(crate) struct Transaction {
    pub(crate) bytes: Vec<u8>,
    pub(crate) code: u64,
    pub(crate) events: Vec<Event>,
}

/// A block with its results.
#[derive(Clone, Debug)]
pub(crate) struct Block {
    pub(crate) height: i64,
    pub(crate) transactions: Vec<Transaction>,
    /// Of BeginBlock and EndBlock, in order.
    pub(crate) events: Vec<Event>,
}

impl Event {
    /// Reads an event of the RPC.
    pub(crate) fn read(value: &Value) -> Self {
        let attributes = value["attributes"].as_array().into_iter().flatten();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        Self {
            kind: text(&value["type"]),
            attributes: attributes
                .map(|pair| (text(&pair["key"]), text(&pair["value"])))
                .collect(),
        }
    }

    /// Whether it has an attribute.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.attributes.contains_key(key)
    }

    /// An attribute as it stands.
    pub(crate) fn raw(&self, key: &str) -> &str {
        let found = self.attributes.get(key);
        found.unwrap_or_else(|| panic!("{} has no `{key}`: {:?}", self.kind, self.attributes))
    }

    /// An attribute of a typed event, whose values are JSON.
    pub(crate) fn text(&self, key: &str) -> String {
        let raw = self.raw(key);
        match serde_json::from_str(raw) {
            Ok(Value::String(text)) => text,
            Ok(other) => other.to_string(),
            Err(error) => panic!("{} `{key}` = {raw}: {error}", self.kind),
        }
    }

    /// A number, quoted or not.
    pub(crate) fn number(&self, key: &str) -> u64 {
        let text = self.text(key);
        text.parse()
            .unwrap_or_else(|_| panic!("{} `{key}` = {text}", self.kind))
    }

    /// An amount of upokt.
    pub(crate) fn coin(&self, key: &str) -> u64 {
        upokt(&self.text(key))
    }
}

/// `12upokt` as 12; nothing as 0.
pub(crate) fn upokt(coin: &str) -> u64 {
    if coin.is_empty() {
        return 0;
    }
    let amount = coin
        .strip_suffix("upokt")
        .and_then(|amount| amount.parse().ok());
    amount.unwrap_or_else(|| panic!("`{coin}` is no amount of upokt"))
}

impl Transaction {
    /// Its messages: type URL and bytes.
    pub(crate) fn messages(&self) -> Vec<(String, Vec<u8>)> {
        let raw = TxRaw::decode(self.bytes.as_slice()).expect("a transaction");
        let body = TxBody::decode(raw.body_bytes.as_ref()).expect("a transaction's body");
        body.messages
            .into_iter()
            .map(|any| (any.type_url, any.value.to_vec()))
            .collect()
    }
}

impl Chain {
    /// The node at `url`.
    pub(crate) fn at(url: &str) -> Self {
        Self {
            url: url.to_owned(),
        }
    }

    /// A JSON-RPC call; an error when nobody answers or the node says so.
    pub(crate) fn try_call(&self, method: &str, params: &Value) -> Result<Value, String> {
        let call = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        let mut request = web::post(&self.url, call.to_string());
        let kind = "application/json".parse().expect("header");
        request
            .headers_mut()
            .insert(http::header::CONTENT_TYPE, kind);
        let answer = web::try_send(request)?;
        let mut json: Value = serde_json::from_slice(&answer.body)
            .map_err(|error| format!("{method}: {error} in {}", answer.text()))?;
        match json["result"].take() {
            Value::Null => Err(format!("{method} {params}: {}", json["error"])),
            result => Ok(result),
        }
    }

    /// A JSON-RPC call that must succeed.
    pub(crate) fn call(&self, method: &str, params: &Value) -> Value {
        self.try_call(method, params)
            .unwrap_or_else(|error| panic!("{error}"))
    }

    /// Latest height.
    pub(crate) fn height(&self) -> i64 {
        let status = self.call("status", &json!({}));
        integer(&status["sync_info"]["latest_block_height"])
    }

    /// Waits until the chain has reached `height`.
    pub(crate) fn wait_until(&self, height: i64) {
        let blocks = u32::try_from((height - self.height()).max(1)).expect("a height to come");
        let what = format!("block {height}");
        wait_for(&what, BLOCK + 4 * blocks * Duration::from_secs(1), || {
            (self.height() >= height).then_some(())
        });
    }

    /// Waits until it answers and has a block.
    pub(crate) fn wait_until_there(&self) {
        wait_for("first block", 3 * BLOCK, || {
            let status = self.try_call("status", &json!({})).ok()?;
            (integer(&status["sync_info"]["latest_block_height"]) > 0).then_some(())
        });
    }

    /// `block` at a height.
    pub(crate) fn header(&self, height: i64) -> Value {
        self.call("block", &json!({"height": height.to_string()}))
    }

    /// A block with its results.
    pub(crate) fn block(&self, height: i64) -> Block {
        let block = self.header(height);
        let results = self.call("block_results", &json!({"height": height.to_string()}));
        let raw = block["block"]["data"]["txs"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let done = results["txs_results"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        assert_eq!(
            raw.len(),
            done.len(),
            "block {height}: a result for every transaction"
        );
        let transactions = raw.iter().zip(&done).map(|(raw, done)| Transaction {
            bytes: STANDARD
                .decode(raw.as_str().expect("base64"))
                .expect("base64"),
            code: done["code"].as_u64().unwrap_or_default(),
            events: events(&done["events"]),
        });
        Block {
            height,
            transactions: transactions.collect(),
            events: events(&results["finalize_block_events"]),
        }
    }

    /// Blocks 1 to `last`.
    pub(crate) fn blocks(&self, last: i64) -> Vec<Block> {
        (1..=last).map(|height| self.block(height)).collect()
    }

    /// A query of the application's state after block `height` (0: the latest).
    pub(crate) fn query<A: Message + Default>(
        &self,
        path: &str,
        request: &impl Message,
        height: i64,
    ) -> Result<A, String> {
        let params = json!({
            "path": path,
            "data": hex::encode(request.encode_to_vec()),
            "height": height.to_string(),
            "prove": false,
        });
        let response = self.call("abci_query", &params)["response"].take();
        if response["code"].as_u64().unwrap_or_default() != 0 {
            return Err(format!("{path} at {height}: {}", response["log"]));
        }
        let value = response["value"].as_str().unwrap_or_default();
        A::decode(STANDARD.decode(value).expect("base64").as_slice())
            .map_err(|error| error.to_string())
    }
}

/// A 64-bit integer of the RPC.
pub(crate) fn integer(value: &Value) -> i64 {
    let text = value
        .as_str()
        .unwrap_or_else(|| panic!("{value} is no quoted integer"));
    text.parse()
        .unwrap_or_else(|_| panic!("{value} is no integer"))
}

fn events(value: &Value) -> Vec<Event> {
    value
        .as_array()
        .into_iter()
        .flatten()
        .map(Event::read)
        .collect()
}
