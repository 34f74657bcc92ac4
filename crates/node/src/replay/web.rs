//! Recorded exchanges over HTTP: CometBFT's RPC.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use serde_json::Value;

use super::answers::later;
use super::calls::{self, HttpAnswer};
use super::diff::Found;
use super::recording::Rpc;
use super::report::{Difference, Part, Report};
use crate::blocks::OwnView;

/// Methods about the recorded node alone: who its peers are, what its mempool holds, how its consensus stands.
const NODES_OWN: &[&str] = &[
    "consensus_state",
    "dump_consensus_state",
    "net_info",
    "num_unconfirmed_txs",
    "unconfirmed_txs",
];

/// Why a query of a store is not compared.
pub(super) const STORE_QUERIES: &str =
    "store queries: how state is laid out is an implementation's own";

/// A recorded request as it is made.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) body: String,
    /// Name of the RPC method; empty for the index, batches and what is no request.
    pub(super) name: String,
}

impl Request {
    pub(super) fn new(row: &Rpc) -> Self {
        let get = match (&row.kind, &row.request) {
            (Some(kind), _) => kind == "GET",
            (None, Value::String(text)) => text.starts_with('/'),
            (None, _) => false,
        };
        let text = match &row.request {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        if get {
            let name = text.trim_start_matches('/').split('?').next();
            return Self {
                method: Method::GET,
                name: name.unwrap_or_default().to_owned(),
                path: text,
                body: String::new(),
            };
        }
        let name = row.request["method"].as_str().unwrap_or_default();
        Self {
            method: Method::POST,
            path: "/".to_owned(),
            name: name.to_owned(),
            body: text,
        }
    }

    /// The transaction that it sends, if it sends one.
    pub(super) fn sends(&self) -> Option<Vec<u8>> {
        if !self.name.starts_with("broadcast_tx_") {
            return None;
        }
        if self.method == Method::GET {
            let (_, tx) = self.path.split_once("tx=0x")?;
            return hex::decode(tx.split('&').next()?).ok();
        }
        let request: Value = serde_json::from_str(&self.body).ok()?;
        let tx = STANDARD.decode(request["params"]["tx"].as_str()?).ok()?;
        Some(tx).filter(|tx| !tx.is_empty())
    }

    /// Makes the request.
    pub(super) async fn make(self, view: Arc<OwnView>) -> HttpAnswer {
        calls::rpc(view, self.method, &self.path, self.body).await
    }
}

/// Why an exchange is not compared, if there is a reason.
pub(super) fn reason_to_skip(row: &Rpc, name: &str) -> Option<&'static str> {
    if row.truncated == Some(true) {
        return Some("RPC answers that were cut");
    }
    let asks_store = name == "abci_query" && row.request.to_string().contains("/store/");
    asks_store.then_some(STORE_QUERIES)
}

/// How our answer differs from the recorded one; `latest` is our last block.
pub(super) fn differences(row: &Rpc, name: &str, answer: &HttpAnswer, latest: i64) -> Vec<Found> {
    let mut found = Vec::new();
    if let Some(status) = row.status.filter(|status| *status != answer.status) {
        found.push(Found {
            field: "status".to_owned(),
            expected: status.to_string(),
            got: answer.status.to_string(),
        });
    }
    if let Some(body) = &row.body {
        let is_state = name == "abci_query" || name == "abci_info";
        let own = NODES_OWN.contains(&name);
        found.extend(bodies(body, &answer.body, latest, is_state, own));
    }
    found
}

/// Notes how the answers differ.
pub(super) fn note(report: &mut Report, row: &Rpc, name: &str, found: Vec<Found>) {
    report.compared(Part::Rpc, 1);
    let request = match &row.request {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    for found in found {
        let difference = Difference {
            part: Part::Rpc,
            height: row.height,
            place: format!("rpc.jsonl:{}: {request}", row.line),
            field: found.field,
            expected: found.expected,
            got: found.got,
        };
        report.differs(&format!("rpc {name}"), difference);
    }
}

/// Compares bodies: JSON by its values, prose (pages for people) not at all.
pub(super) fn bodies(
    expected: &str,
    got: &str,
    latest: i64,
    is_state: bool,
    own: bool,
) -> Vec<Found> {
    let json = |text: &str| serde_json::from_str::<Value>(text).ok();
    match (json(expected), json(got)) {
        (Some(expected), Some(got)) if own => {
            super::diff::compare(&expected, &got, super::diff::Depth::Fields)
        }
        (Some(expected), Some(got)) => later(&expected, &got, latest, is_state),
        _ => {
            let page = |text: &str| text.trim_start().starts_with('<');
            let same = expected == got || (page(expected) && page(got));
            let found = || Found {
                field: "body".to_owned(),
                expected: expected.to_owned(),
                got: got.to_owned(),
            };
            if same { Vec::new() } else { vec![found()] }
        }
    }
}
