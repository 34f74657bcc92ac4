//! What a relay miner and a gateway of the reference asked of their node in two sessions, asked of ours.
//!
//! A node of ours starts from the state that the reference exported at height 70 and executes the recorded blocks with their
//! recorded hashes. At every height it is asked over its sockets what was asked then; each call must get the recorded
//! code, the same populated fields, and the same bytes but for [`DIFFERENT`]. The recorded answers tell their height,
//! so no clock is involved. The validator's key is the reference's: blocks are given, nothing is signed.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use node::block::vote;
use node::solo::Decided;
use prost_reflect::{DynamicMessage, ReflectMessage as _, Value as Field};
use serde_json::{Value, json};
use tendermint_proto::v0_38::abci::{Validator, VoteInfo};
use tendermint_proto::v0_38::types::{Block, BlockId, Commit, Data, EvidenceList};

use crate::support::Running;
use crate::websocket::{Socket, connect, next, paths, send};

/// Height of the exported state; the node's first block is the one after it.
const EXPORTED: i64 = 70;

/// Methods whose answers may differ in bytes, with the reason.
const DIFFERENT: &[(&str, &str)] = &[(
    "/cosmos.tx.v1beta1.Service/Simulate",
    "gas: our stores cost what our stores do",
)];

/// Methods that get another code, with the reason.
const OTHER_CODE: &[(&str, i32, &str)] = &[(
    "/cosmos.tx.v1beta1.Service/GetTxsEvent",
    0,
    "the older list of events is understood; the reference answers INTERNAL `query cannot be empty`",
)];

fn vectors(name: &str) -> PathBuf {
    let folder = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/vectors/golden/peers"
    );
    PathBuf::from(folder).join(name)
}

fn text(name: &str) -> String {
    let file = std::fs::File::open(vectors(name)).unwrap();
    let mut text = String::new();
    flate2::read::GzDecoder::new(file)
        .read_to_string(&mut text)
        .unwrap();
    text
}

fn rows(name: &str) -> Vec<Value> {
    let text = text(name);
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// A gRPC call.
struct Call {
    method: String,
    request: Vec<u8>,
    code: i32,
    answer: Vec<u8>,
    height: Option<i64>,
}

/// Calls by the height at which they were answered, each recording in its order.
fn calls() -> BTreeMap<i64, Vec<Call>> {
    let mut all: BTreeMap<i64, Vec<Call>> = BTreeMap::new();
    for name in ["relay-miner-grpc", "relayer-grpc", "gateway-grpc"] {
        let mut last = EXPORTED;
        for row in rows(&format!("{name}.jsonl.gz")) {
            let bytes = |key: &str| hex::decode(row[key].as_str().unwrap_or_default()).unwrap();
            let height = row["resp_meta"]["x-cosmos-block-height"].as_str();
            let height = height.map(|height| height.parse().unwrap());
            last = height.unwrap_or(last);
            all.entry(last).or_default().push(Call {
                method: row["method"].as_str().unwrap().to_owned(),
                request: bytes("request_hex"),
                code: match row["code"].as_str().unwrap() {
                    "OK" => 0,
                    "INTERNAL" => 13,
                    other => panic!("{other}"),
                },
                answer: bytes("response_hex"),
                height,
            });
        }
    }
    all
}

/// A recorded block as it is given to a follower.
fn decided(row: &Value, next: Option<&Value>) -> Decided {
    let commit = |value: &Value| -> Commit {
        let mut commit: Commit = serde_json::from_value(value.clone()).unwrap();
        for vote in &mut commit.signatures {
            vote.timestamp.get_or_insert(vote::ABSENT);
        }
        commit
    };
    let block = &row["block"]["block"];
    let txs = block["data"]["txs"].as_array().unwrap().iter();
    let last_commit = commit(&block["last_commit"]);
    let votes = last_commit.signatures.iter().map(|signature| VoteInfo {
        validator: Some(Validator {
            address: signature.validator_address.clone().into(),
            power: 900,
        }),
        block_id_flag: signature.block_id_flag,
    });
    let id: BlockId = serde_json::from_value(row["block"]["block_id"].clone()).unwrap();
    Decided {
        votes: votes.collect(),
        commit: next.map_or_else(Commit::default, |next| {
            commit(&next["block"]["block"]["last_commit"])
        }),
        block: Block {
            header: Some(serde_json::from_value(block["header"].clone()).unwrap()),
            data: Some(Data {
                txs: txs
                    .map(|tx| STANDARD.decode(tx.as_str().unwrap()).unwrap())
                    .collect(),
            }),
            evidence: Some(EvidenceList::default()),
            last_commit: Some(last_commit),
        },
        id,
    }
}

/// Paths of the populated fields, whatever the length of lists; what an `Any` holds included.
fn populated(prefix: &str, message: &DynamicMessage, found: &mut BTreeSet<String>) {
    if message.descriptor().full_name() == "google.protobuf.Any" {
        let url = message
            .get_field_by_name("type_url")
            .unwrap()
            .as_str()
            .unwrap()
            .to_owned();
        let bytes = message
            .get_field_by_name("value")
            .unwrap()
            .as_bytes()
            .unwrap()
            .clone();
        let inner = proto::json::decode_dynamic(proto::any::type_name(&url), &bytes).unwrap();
        found.insert(format!("{prefix}@{url}"));
        return populated(prefix, &inner, found);
    }
    for (field, value) in message.fields() {
        let path = format!("{prefix}.{}", field.name());
        found.insert(path.clone());
        each(&path, value, found);
    }
}

fn each(path: &str, value: &Field, found: &mut BTreeSet<String>) {
    match value {
        Field::Message(inner) => populated(path, inner, found),
        Field::List(items) => items.iter().for_each(|item| each(path, item, found)),
        Field::Map(entries) => entries.values().for_each(|value| each(path, value, found)),
        _ => {}
    }
}

fn fields(method: &str, bytes: &[u8]) -> BTreeSet<String> {
    let (service, name) = method.trim_start_matches('/').split_once('/').unwrap();
    let service = proto::descriptor_pool()
        .get_service_by_name(service)
        .unwrap();
    let output = service
        .methods()
        .find(|found| found.name() == name)
        .unwrap()
        .output();
    let mut found = BTreeSet::new();
    populated(
        "",
        &DynamicMessage::decode(output, bytes).unwrap(),
        &mut found,
    );
    found
}

fn json_of(method: &str, bytes: &[u8]) -> String {
    let (service, name) = method.trim_start_matches('/').split_once('/').unwrap();
    let service = proto::descriptor_pool()
        .get_service_by_name(service)
        .unwrap();
    let output = service
        .methods()
        .find(|found| found.name() == name)
        .unwrap()
        .output();
    proto::json::bytes_to_json(output.full_name(), bytes).unwrap()
}

/// What went wrong, and how much was compared.
#[derive(Default)]
struct Report {
    wrong: Vec<String>,
    calls: usize,
    same_bytes: usize,
    exchanges: usize,
    frames: usize,
}

impl Report {
    async fn ask(&mut self, node: &Running, at: i64, call: &Call) {
        let reply = node.grpc(&call.method, &call.request, None).await;
        self.calls += 1;
        let name = format!("height {at} {}", call.method);
        if let Some((_, code, _)) = OTHER_CODE
            .iter()
            .find(|(method, ..)| *method == call.method)
        {
            if reply.code != *code {
                self.wrong
                    .push(format!("{name}: code {} {}", reply.code, reply.message));
            }
            return;
        }
        if reply.code != call.code {
            self.wrong.push(format!(
                "{name}: code {} / {} {}",
                call.code, reply.code, reply.message
            ));
            return;
        }
        let height = reply
            .headers
            .get("x-cosmos-block-height")
            .map(|value| value.to_str().unwrap().parse().unwrap());
        // What was asked before the first block is asked after it.
        let expected = call.height.map(|height| height.max(EXPORTED + 1));
        if height != expected {
            self.wrong
                .push(format!("{name}: height {expected:?} / {height:?}"));
        }
        let (theirs, ours) = (
            fields(&call.method, &call.answer),
            fields(&call.method, &reply.body),
        );
        if theirs != ours {
            let missing: Vec<_> = theirs.difference(&ours).collect();
            let surplus: Vec<_> = ours.difference(&theirs).collect();
            self.wrong.push(format!(
                "{name}: fields missing {missing:?}, surplus {surplus:?}"
            ));
        }
        if call.answer == reply.body {
            self.same_bytes += 1;
        } else if !DIFFERENT.iter().any(|(method, _)| *method == call.method) {
            let (theirs, ours) = (
                json_of(&call.method, &call.answer),
                json_of(&call.method, &reply.body),
            );
            self.wrong
                .push(format!("{name}:\n    {theirs}\n    {ours}"));
        }
    }

    /// Compares an answer of the RPC.
    async fn exchange(&mut self, node: &Running, at: i64, exchange: &Exchange) {
        let (status, body) = match &exchange.path {
            Some(path) => node.get(path).await,
            None => node.post(exchange.request.clone()).await,
        };
        self.exchanges += 1;
        assert_eq!(status, 200);
        let theirs: Value = serde_json::from_str(&exchange.answer).unwrap();
        let ours: Value = serde_json::from_str(&body).unwrap();
        let name = format!(
            "height {at} {}{}",
            exchange.request,
            exchange.path.as_deref().unwrap_or_default()
        );
        let (mut expected, mut found) = (BTreeSet::new(), BTreeSet::new());
        paths("", &theirs, &mut expected);
        paths("", &ours, &mut found);
        if expected != found {
            let missing: Vec<_> = expected.difference(&found).collect();
            let surplus: Vec<_> = found.difference(&expected).collect();
            self.wrong
                .push(format!("{name}: missing {missing:?}, surplus {surplus:?}"));
        }
        if theirs["result"]["sync_info"].is_object() {
            for key in [
                "latest_block_hash",
                "latest_app_hash",
                "latest_block_height",
                "latest_block_time",
                "catching_up",
            ] {
                let (theirs, ours) = (
                    &theirs["result"]["sync_info"][key],
                    &ours["result"]["sync_info"][key],
                );
                if theirs != ours {
                    self.wrong.push(format!("{name}: {key} {theirs} / {ours}"));
                }
            }
        } else if theirs != ours && !exchange.before_first {
            self.wrong
                .push(format!("{name}:\n    {theirs}\n    {ours}"));
        }
    }

    /// Compares a frame: fields, and all values of block and header.
    fn frame(&mut self, theirs: &Value, ours: &Value) {
        self.frames += 1;
        let name = format!("frame {}", theirs["result"]["data"]["type"]);
        let (mut expected, mut found) = (BTreeSet::new(), BTreeSet::new());
        paths("", theirs, &mut expected);
        paths("", ours, &mut found);
        if expected != found {
            let missing: Vec<_> = expected.difference(&found).collect();
            let surplus: Vec<_> = found.difference(&expected).collect();
            self.wrong
                .push(format!("{name}: missing {missing:?}, surplus {surplus:?}"));
        }
        for path in [
            "/id",
            "/result/query",
            "/result/data/type",
            "/result/data/value/block",
            "/result/data/value/block_id",
            "/result/data/value/header",
        ] {
            if theirs.pointer(path) != ours.pointer(path) {
                self.wrong.push(format!(
                    "{name}{path}: {:?} / {:?}",
                    theirs.pointer(path),
                    ours.pointer(path)
                ));
            }
        }
        let keys = |frame: &Value| -> BTreeSet<String> {
            frame["result"]["events"]
                .as_object()
                .map_or_else(BTreeSet::new, |events| events.keys().cloned().collect())
        };
        let (theirs, ours) = (keys(theirs), keys(ours));
        if theirs != ours {
            let missing: Vec<_> = theirs.difference(&ours).collect();
            let surplus: Vec<_> = ours.difference(&theirs).collect();
            self.wrong.push(format!(
                "{name} events: missing {missing:?}, surplus {surplus:?}"
            ));
        }
    }
}

/// One request to the RPC and its answer.
struct Exchange {
    /// Of a GET.
    path: Option<String>,
    request: String,
    answer: String,
    before_first: bool,
}

/// Requests by the height at which they are asked here, and the frames of the one WebSocket.
fn traffic(name: &str) -> (BTreeMap<i64, Vec<Exchange>>, Vec<Value>) {
    let mut asked: BTreeMap<u64, Vec<(Option<String>, String)>> = BTreeMap::new();
    let (mut exchanges, mut frames) = (BTreeMap::<i64, Vec<Exchange>>::new(), Vec::new());
    let mut last = EXPORTED + 1;
    for row in rows(&format!("{name}-rpc.jsonl.gz")) {
        let (conn, sent) = (row["conn"].as_u64().unwrap(), row["dir"] == "request");
        if row["ws_opcode"].is_u64() {
            if !sent && row["ws_opcode"] == 1 {
                frames.push(serde_json::from_str(row["payload"].as_str().unwrap()).unwrap());
            }
            continue;
        }
        let first = row["first_line"].as_str().unwrap();
        if first.starts_with("GET /websocket") || first.contains(" 101 ") {
            continue;
        }
        let body = row["body"].as_str().unwrap().to_owned();
        let waiting = asked.entry(conn).or_default();
        if sent {
            let path = first
                .strip_prefix("GET ")
                .and_then(|rest| rest.split(' ').next());
            waiting.push((path.map(str::to_owned), body));
            continue;
        }
        let (path, request) = waiting.remove(0);
        let answer: Value = serde_json::from_str(&body).unwrap();
        let result = &answer["result"];
        let told = [
            &result["sync_info"]["latest_block_height"],
            &result["block"]["header"]["height"],
        ];
        let height: i64 = told
            .iter()
            .find_map(|height| height.as_str()?.parse().ok())
            .unwrap();
        last = last.max(height);
        exchanges.entry(last).or_default().push(Exchange {
            path,
            request,
            answer: body,
            before_first: height <= EXPORTED,
        });
    }
    (exchanges, frames)
}

async fn subscribed(node: &Running, query: &str) -> Socket {
    let mut socket = connect(node).await;
    let request =
        json!({ "jsonrpc": "2.0", "id": 0, "method": "subscribe", "params": { "query": query } });
    send(&mut socket, &request.to_string()).await;
    assert_eq!(
        next(&mut socket).await,
        json!({ "jsonrpc": "2.0", "id": 0, "result": {} })
    );
    socket
}

fn height_of(frame: &Value) -> Option<i64> {
    let value = &frame["result"]["data"]["value"];
    let header = if value["block"].is_object() {
        &value["block"]["header"]
    } else {
        &value["header"]
    };
    header["height"].as_str()?.parse().ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn recorded_calls_of_relay_miner_and_gateway_are_answered_the_same() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("genesis.json"), text("state-70.json.gz")).unwrap();
    let node = Running::following(folder).await;

    let (mut blocks_of, mut headers_of) = (
        subscribed(&node, "tm.event='NewBlock'").await,
        subscribed(&node, "tm.event='NewBlockHeader'").await,
    );
    let (mut calls, mut report) = (calls(), Report::default());
    let (mut gateway, block_frames) = traffic("gateway");
    let (mut miner, header_frames) = traffic("relay-miner");
    let (mut relayer, _) = traffic("relayer");
    let blocks = rows("blocks.jsonl.gz");
    for (place, row) in blocks.iter().enumerate() {
        let height = row["height"].as_i64().unwrap();
        if height <= EXPORTED {
            continue;
        }
        node.handle
            .follow(decided(row, blocks.get(place + 1)))
            .await
            .unwrap();
        for (socket, recorded) in [
            (&mut blocks_of, &block_frames),
            (&mut headers_of, &header_frames),
        ] {
            let frame = next(socket).await;
            assert_eq!(height_of(&frame), Some(height));
            if let Some(theirs) = recorded
                .iter()
                .find(|theirs| height_of(theirs) == Some(height))
            {
                report.frame(theirs, &frame);
            }
        }
        let early = if height == EXPORTED + 1 {
            calls.remove(&EXPORTED)
        } else {
            None
        };
        for call in early.into_iter().chain(calls.remove(&height)).flatten() {
            report.ask(&node, height, &call).await;
        }
        for exchanges in [&mut gateway, &mut miner, &mut relayer] {
            for exchange in exchanges.remove(&height).into_iter().flatten() {
                report.exchange(&node, height, &exchange).await;
            }
        }
    }
    node.stop().await;
    let Report {
        wrong,
        calls: asked,
        same_bytes,
        exchanges,
        frames,
    } = report;
    assert!(
        wrong.is_empty(),
        "{} wrong\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(calls.is_empty() && gateway.is_empty() && miner.is_empty() && relayer.is_empty());
    assert_eq!((asked, same_bytes, exchanges, frames), (521, 461, 102, 61));
}
