//! Recorded exchanges over HTTP: CometBFT's RPC.

use std::borrow::Cow;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use serde_json::Value;

use super::answers::{self, Moment, PageKeys, later};
use super::calls::{self, HttpAnswer};
use super::diff::Found;
use super::recording::Rpc;
use super::report::{Difference, Part, Report};
use crate::blocks::OwnView;
use crate::uri;

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

    /// Whether it asks for a height of its own.
    fn names_height(&self) -> bool {
        if self.method == Method::GET {
            return self.path.contains("height=");
        }
        let request: Value = serde_json::from_str(&self.body).unwrap_or_default();
        match &request["params"] {
            Value::Object(params) => params.contains_key("height"),
            Value::Array(params) => !params.is_empty(),
            _ => false,
        }
    }

    /// The method that is asked by an `abci_query`.
    fn queried(&self) -> Option<String> {
        if self.name != "abci_query" {
            return None;
        }
        if self.method == Method::GET {
            let (_, query) = self.path.split_once('?')?;
            let mut pairs = uri::pairs(query).flatten();
            let (_, path) = pairs.find(|(name, _)| name == "path")?;
            return Some(path.trim_matches('"').to_owned());
        }
        let request: Value = serde_json::from_str(&self.body).ok()?;
        let path = match &request["params"] {
            Value::Array(params) => params.first()?.as_str()?,
            params => params["path"].as_str()?,
        };
        Some(path.to_owned())
    }

    /// Puts our page key in the place of a recorded one.
    pub(super) fn translate(&mut self, keys: &PageKeys, moment: Moment) {
        if self.name != "abci_query" || self.method == Method::GET {
            return;
        }
        let Ok(mut request) = serde_json::from_str::<Value>(&self.body) else {
            return;
        };
        let Some(params) = request.get_mut("params") else {
            return;
        };
        let (Some(path), Some(data)) = (params["path"].as_str(), params["data"].as_str()) else {
            return;
        };
        let Ok(data) = hex::decode(data) else { return };
        let ours = keys.translated(path, moment, &data);
        if ours != data {
            // It holds a path, so it is an object.
            params["data"] = hex::encode(ours).into();
            self.body = request.to_string();
        }
    }

    /// Remembers page keys in both answers to a query of the state.
    pub(super) fn teach(&self, keys: &mut PageKeys, moment: Moment, theirs: &str, ours: &str) {
        let Some(path) = self.queried() else { return };
        let value = |body: &str| {
            let body: Value = serde_json::from_str(body).ok()?;
            let value = body["result"]["response"]["value"].as_str()?;
            STANDARD.decode(value).ok()
        };
        if let (Some(theirs), Some(ours)) = (value(theirs), value(ours)) {
            keys.learn_from(&path, moment, &theirs, &ours);
        }
    }

    /// Makes the request.
    pub(super) async fn make(self, view: Arc<OwnView>) -> HttpAnswer {
        calls::rpc(view, self.method, &self.path, self.body).await
    }
}

/// When a recorded exchange is made; `first` and `last` are the recorded blocks.
///
/// A row's height is the recorder's guess of where the node was; an answer about the latest block says it better, and so
/// does the block that holds a transaction which was sent: `included` tells its height.
pub(super) fn moment(
    row: &Rpc,
    first: i64,
    last: i64,
    included: impl Fn(&[u8]) -> Option<i64>,
) -> Moment {
    let recorded = |height: &i64| (first..=last).contains(height);
    if let Some(told) = told(row).filter(recorded) {
        return Moment::After(told);
    }
    let sent = Request::new(row).sends().and_then(|tx| included(&tx));
    let before = sent.map(|height| height.saturating_sub(1));
    match row
        .height
        .map(|height| before.map_or(height, |before| height.min(before)))
    {
        Some(height) if height <= last => Moment::After(height),
        Some(_) => Moment::Never,
        None => Moment::End,
    }
}

/// The latest height that a recorded answer told, if it was asked for the latest.
fn told(row: &Rpc) -> Option<i64> {
    let request = Request::new(row);
    let path = match request.name.as_str() {
        "status" => "/result/sync_info/latest_block_height",
        "abci_info" => "/result/response/last_block_height",
        "blockchain" => "/result/last_height",
        _ if request.names_height() => return None,
        "abci_query" => "/result/response/height",
        "block" => "/result/block/header/height",
        "block_results" => "/result/height",
        "commit" => "/result/signed_header/header/height",
        "header" => "/result/header/height",
        "consensus_params" | "validators" => "/result/block_height",
        _ => return None,
    };
    let body: Value = serde_json::from_str(row.body.as_deref()?).ok()?;
    let height: i64 = body.pointer(path)?.as_str()?.parse().ok()?;
    match request.name.as_str() {
        // These are about the block to come.
        "consensus_params" | "validators" => height.checked_sub(1),
        _ => Some(height),
    }
    .filter(|height| *height > 0)
}

/// Why an exchange is not made at all, if there is a reason.
pub(super) fn unknown_kind(row: &Rpc) -> Option<&'static str> {
    let known = matches!(row.kind.as_deref(), None | Some("GET" | "POST"));
    (!known).then_some("RPC exchanges of a kind that is not known")
}

/// Why an exchange is not compared, if there is a reason.
pub(super) fn reason_to_skip(row: &Rpc, name: &str) -> Option<&'static str> {
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
    if let Some(body) = row.body.as_ref().filter(|_| row.truncated != Some(true)) {
        // What is said beside the latest height does not change with it.
        let is_state = matches!(name, "abci_query" | "abci_info" | "blockchain");
        let own = NODES_OWN.contains(&name);
        let method = Request::new(row).queried();
        let text = |body| match name {
            "genesis_chunked" => genesis(body),
            _ => readable(method.as_deref(), body),
        };
        let expected = text(body);
        let got = text(&answer.body);
        let mut differing = bodies(&expected, &got, latest, is_state, own);
        if name == "abci_query" && told(row).is_some_and(|told| told > latest) {
            let json = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_default();
            differing = answers::of_later_state(differing, &json(&expected), &json(&got));
        }
        found.extend(differing);
    }
    found
}

/// An answer with the encoded answer of a method inside it as JSON, since gas and page keys are free there, too.
fn readable<'b>(method: Option<&str>, body: &'b str) -> Cow<'b, str> {
    let json = || {
        let mut answer: Value = serde_json::from_str(body).ok()?;
        let value = answer.pointer_mut("/result/response/value")?;
        let bytes = STANDARD.decode(value.as_str()?).ok()?;
        *value = answers::json_of(method?, &bytes)?;
        Some(answer.to_string())
    };
    json().map_or(Cow::Borrowed(body), Cow::Owned)
}

/// An answer with a genesis document inside it as JSON: a number may be written in more than one way.
fn genesis(body: &str) -> Cow<'_, str> {
    let json = || {
        let mut answer: Value = serde_json::from_str(body).ok()?;
        let data = answer.pointer_mut("/result/data")?;
        *data = serde_json::from_slice(&STANDARD.decode(data.as_str()?).ok()?).ok()?;
        Some(answer.to_string())
    };
    json().map_or(Cow::Borrowed(body), Cow::Owned)
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
