//! A chain of our own, recorded in the layout of the reference's recordings, replayed, and replayed again after somebody
//! changed one thing in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use net::Tasks;
use node::replay::{self, Difference, Options, Part, Report};
use prost::Message;
use proto::cosmos::bank::v1beta1::QueryBalanceRequest;
use serde_json::{Value, json};

use crate::support::{Running, address, at, open, transfer, write_genesis};

/// Blocks that are recorded.
const LAST: i64 = 5;

/// The chain: transfers in block 3, one of which fails there; others are refused before.
fn make(folder: &Path) -> Vec<Value> {
    write_genesis(folder);
    let (mut solo, _, _) = open(folder);
    let mut rows = Vec::new();
    for second in 1..LAST {
        if second == 3 {
            let sent = [
                (transfer("alice", 0, 0, 5), Some(3)),
                (transfer("alice", 0, 1, 6), Some(3)),
                (transfer("alice", 0, 2, 7_000_000), Some(3)),
                (transfer("carol", 2, 0, 8), Some(3)),
                (transfer("carol", 2, 9, 8), None),
                (transfer("alice", 0, 0, 5), None),
            ];
            for (tx, included) in sent {
                let answer = solo.check(tx.clone().into());
                let error = answer
                    .as_ref()
                    .err()
                    .map(|error| json!({ "data": error.to_string() }));
                let check = answer.ok().map(|answer| {
                    json!({ "code": answer.code, "codespace": answer.codespace, "log": answer.log })
                });
                rows.push(json!({
                    "sent_after_height": 2,
                    "broadcast": "broadcast_tx_sync",
                    "check_tx": check,
                    "rpc_error": error,
                    "result": { "included": included.is_some(), "height": included },
                    "tx_hex": hex::encode(tx),
                }));
            }
        }
        solo.produce(at(second)).unwrap();
    }
    rows
}

/// Puts a recording into `folder/recording`.
async fn record() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let sent = make(folder.path());
    let node = Running::start(folder, Duration::from_secs(3_600)).await;
    node.handle.reached(LAST).await.unwrap();
    let mut blocks = Vec::new();
    let mut queries = Vec::new();
    for height in 1..=LAST {
        let params = json!({ "height": height.to_string() });
        let mut row = json!({ "height": height });
        for method in ["block", "block_results", "commit", "validators"] {
            row[method] = node.call(method, params.clone()).await["result"].clone();
        }
        blocks.push(row);
        for name in ["alice", "bob"] {
            let request = QueryBalanceRequest {
                address: address(name).to_bech32(),
                denom: "upokt".to_owned(),
            }
            .encode_to_vec();
            let method = "/cosmos.bank.v1beta1.Query/Balance";
            let reply = node.grpc(method, &request, Some(&height.to_string())).await;
            let told = reply.headers["x-cosmos-block-height"].to_str().unwrap();
            queries.push(json!({
                "height": height,
                "method": method,
                "request_hex": hex::encode(&request),
                "response_hex": hex::encode(&reply.body),
                "grpc_code": reply.code,
                "response_headers": [["x-cosmos-block-height", told]],
            }));
        }
    }
    let mut rpc = Vec::new();
    for path in [
        "/block?height=2",
        "/validators?height=3",
        "/tx_search?query=%22tx.height=3%22",
    ] {
        let (status, body) = node.get(path).await;
        let kind = "GET";
        rpc.push(json!({ "height": null, "kind": kind, "request": path, "status": status, "body": body }));
    }
    let folder = node.stop().await;
    let recording = folder.path().join("recording");
    fs::create_dir(&recording).unwrap();
    fs::copy(
        folder.path().join("genesis.json"),
        recording.join("genesis.json"),
    )
    .unwrap();
    write(&recording, "blocks.jsonl", &blocks);
    write(&recording, "txs.jsonl", &sent);
    write(&recording, "queries.jsonl", &queries);
    write(&recording, "rpc.jsonl", &rpc);
    (folder, recording)
}

fn write(folder: &Path, name: &str, rows: &[Value]) {
    let text: String = rows.iter().map(|row| format!("{row}\n")).collect();
    fs::write(folder.join(name), text).unwrap();
}

fn rows(folder: &Path, name: &str) -> Vec<Value> {
    let text = fs::read_to_string(folder.join(name)).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Changes the rows of a file.
fn change(folder: &Path, name: &str, f: impl FnOnce(&mut Vec<Value>)) {
    let mut rows = rows(folder, name);
    f(&mut rows);
    write(folder, name, &rows);
}

async fn replay(folder: &Path) -> Report {
    let tasks = Tasks::new();
    let report = replay::run(folder, Options::standard().unwrap(), &tasks).await;
    tasks.shutdown(Duration::from_secs(10)).await.unwrap();
    report.unwrap()
}

/// The only difference of a changed recording.
async fn only(folder: &Path) -> Difference {
    let report = replay(folder).await;
    assert_eq!(report.total(), 1, "{}", report.to_text());
    report.differences.into_iter().next().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_recording_of_our_own_chain_replays_without_a_difference() {
    let (_folder, recording) = record().await;
    let report = replay(&recording).await;
    assert!(report.is_equal(), "{}", report.to_text());
    let compared = |part| report.counts[&part].compared;
    assert_eq!(report.blocks, 5);
    assert_eq!(compared(Part::Transaction), 4);
    assert_eq!(compared(Part::Check), 6);
    assert_eq!(compared(Part::Query), 10);
    assert_eq!(compared(Part::Rpc), 3);
    assert!(compared(Part::Event) > 20);
    let missing = "websocket.jsonl: no such file";
    assert!(
        report.left_out.contains_key(missing),
        "{}",
        report.to_text()
    );
    assert_eq!(report.to_json()["equal"], true);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_recording_that_ends_earlier_or_says_less_is_as_good() {
    let (_folder, recording) = record().await;
    change(&recording, "blocks.jsonl", |rows| rows.truncate(4));
    change(&recording, "rpc.jsonl", |rows| rows.truncate(2));
    let report = replay(&recording).await;
    assert!(report.is_equal(), "{}", report.to_text());
    assert_eq!(
        report.left_out["calls at heights that were not recorded"],
        2
    );

    change(&recording, "blocks.jsonl", |rows| {
        rows.truncate(3);
        for row in rows.iter_mut() {
            row.as_object_mut().unwrap().remove("commit");
            row["block_results"]["txs_results"] = Value::Null;
        }
        rows[0]["block_results"] = Value::Null;
        rows[1]["block_results"]
            .as_object_mut()
            .unwrap()
            .remove("finalize_block_events");
        rows[2]["validators"] = Value::Null;
    });
    change(&recording, "queries.jsonl", |rows| {
        for row in rows {
            row.as_object_mut().unwrap().remove("response_headers");
        }
    });
    for name in ["rpc.jsonl", "txs.jsonl"] {
        fs::remove_file(recording.join(name)).unwrap();
    }
    let report = replay(&recording).await;
    assert!(report.is_equal(), "{}", report.to_text());
    assert!(report.left_out.contains_key("blocks without block_results"));
}

/// A recorder looks at the node's height beside what it asks, and may see one that is late or early.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_about_the_latest_block_is_asked_where_its_answer_was_given() {
    let (folder, recording) = record().await;
    let node = Running::start(folder, Duration::from_secs(3_600)).await;
    node.handle.reached(LAST).await.unwrap();
    let balance = QueryBalanceRequest {
        address: address("bob").to_bech32(),
        denom: "upokt".to_owned(),
    };
    let data = hex::encode(balance.encode_to_vec());
    let path = "/cosmos.bank.v1beta1.Query/Balance";
    let mut rpc = Vec::new();
    for (method, params) in [
        ("status", json!({})),
        ("abci_info", json!({})),
        ("abci_query", json!({ "path": path, "data": data })),
        ("block", json!({})),
        ("block_results", json!({})),
        ("header", json!({})),
        ("validators", json!({})),
        ("consensus_params", json!({})),
        ("blockchain", json!({ "maxHeight": "2" })),
    ] {
        let request = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let (status, body) = node.post(request.to_string()).await;
        for height in [json!(2), json!(LAST), Value::Null] {
            rpc.push(json!({
                "height": height, "kind": "POST", "request": request, "status": status, "body": body,
            }));
        }
    }
    let mut rest = Vec::new();
    let address = address("bob").to_bech32();
    let path = format!("/cosmos/bank/v1beta1/balances/{address}/by_denom?denom=upokt");
    let (status, headers, body) = node.rest(http::Method::GET, &path, &[], "").await;
    let told = headers["grpc-metadata-x-cosmos-block-height"]
        .to_str()
        .unwrap();
    rest.push(json!({
        "path": path, "method": "GET", "status": status, "body": body,
        "headers": {
            "Content-Type": "application/json",
            "X-Cosmos-Block-Height": told,
            "Grpc-Metadata-X-Cosmos-Block-Height": told,
        },
    }));
    let _folder = node.stop().await;
    write(&recording, "rpc.jsonl", &rpc);
    write(&recording, "rest.jsonl", &rest);
    let report = replay(&recording).await;
    assert!(report.is_equal(), "{}", report.to_text());
    assert_eq!(report.counts[&Part::Rpc].compared, 27);
}

/// Keys of pages are an implementation's own, in whatever way the next page is asked for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_next_page_is_asked_for_with_our_key() {
    use proto::cosmos::auth::v1beta1::{QueryAccountsRequest, QueryAccountsResponse};
    use proto::cosmos::base::query::v1beta1::PageRequest;

    let (folder, recording) = record().await;
    let node = Running::start(folder, Duration::from_secs(3_600)).await;
    node.handle.reached(LAST).await.unwrap();
    let path = "/cosmos/auth/v1beta1/accounts?pagination.limit=2";
    let (_, _, first) = node.rest(http::Method::GET, path, &[], "").await;
    let parsed: Value = serde_json::from_str(&first).unwrap();
    let ours = parsed["pagination"]["next_key"]
        .as_str()
        .unwrap()
        .to_owned();
    let escaped = ours
        .replace('+', "%2B")
        .replace('/', "%2F")
        .replace('=', "%3D");
    let following = format!("{path}&pagination.key={escaped}");
    let (_, _, second) = node.rest(http::Method::GET, &following, &[], "").await;
    // The recorded node has keys of another form.
    let theirs = "Zm9v/w==";
    let rest = [
        json!({ "path": path, "body": first.replace(&ours, theirs) }),
        json!({ "path": format!("{path}&pagination.key=Zm9v%2Fw%3D%3D"), "body": second }),
    ];
    let page = |key: &[u8]| {
        let pagination = Some(PageRequest {
            key: key.to_vec().into(),
            limit: 2,
            ..PageRequest::default()
        });
        hex::encode(QueryAccountsRequest { pagination }.encode_to_vec())
    };
    let path = "/cosmos.auth.v1beta1.Query/Accounts";
    let request = |data: String| {
        let params = json!({ "path": path, "data": data });
        json!({ "jsonrpc": "2.0", "id": 1, "method": "abci_query", "params": params })
    };
    use base64::Engine as _;
    let base64 = base64::engine::general_purpose::STANDARD;
    let mut rpc = Vec::new();
    let (_, body) = node.post(request(page(&[])).to_string()).await;
    let mut body: Value = serde_json::from_str(&body).unwrap();
    let value = body["result"]["response"]["value"]
        .as_str()
        .unwrap()
        .to_owned();
    let value = base64.decode(value).unwrap();
    let mut answer = QueryAccountsResponse::decode(value.as_slice()).unwrap();
    let next = answer.pagination.as_mut().unwrap();
    let ours = std::mem::replace(&mut next.next_key, b"foo".to_vec().into());
    let value = base64.encode(answer.encode_to_vec());
    body["result"]["response"]["value"] = value.into();
    rpc.push(json!({ "kind": "POST", "request": request(page(&[])), "body": body.to_string() }));
    let (_, body) = node.post(request(page(&ours)).to_string()).await;
    rpc.push(json!({ "kind": "POST", "request": request(page(b"foo")), "body": body }));
    let _folder = node.stop().await;
    write(&recording, "rest.jsonl", &rest);
    write(&recording, "rpc.jsonl", &rpc);
    let report = replay(&recording).await;
    assert_eq!(report.total(), 0, "{}", report.to_text());
    assert_eq!(report.counts[&Part::Rpc].compared, 2);
    assert_eq!(report.counts[&Part::Rest].compared, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_changed_thing_is_one_difference() {
    let (folder, recording) = record().await;
    let fresh = |name: &str| {
        let copy = folder.path().join(name);
        fs::create_dir(&copy).unwrap();
        for file in [
            "genesis.json",
            "blocks.jsonl",
            "txs.jsonl",
            "queries.jsonl",
            "rpc.jsonl",
        ] {
            fs::copy(recording.join(file), copy.join(file)).unwrap();
        }
        copy
    };

    let copy = fresh("amount");
    change(&copy, "blocks.jsonl", |rows| {
        let events = rows[2]["block_results"]["txs_results"][0]["events"]
            .as_array_mut()
            .unwrap();
        let transfer = events
            .iter_mut()
            .rfind(|event| event["type"] == "transfer")
            .unwrap();
        let amount = transfer["attributes"].as_array_mut().unwrap();
        let amount = amount
            .iter_mut()
            .find(|pair| pair["key"] == "amount")
            .unwrap();
        assert_eq!(amount["value"], "5upokt");
        amount["value"] = "6upokt".into();
    });
    let found = only(&copy).await;
    assert_eq!((found.part, found.height), (Part::Event, Some(3)));
    assert!(found.field.ends_with(".transfer.amount"), "{found:?}");
    assert_eq!(
        (found.expected.as_str(), found.got.as_str()),
        ("6upokt", "5upokt")
    );

    let copy = fresh("code");
    change(&copy, "blocks.jsonl", |rows| {
        rows[2]["block_results"]["txs_results"][2]["code"] = 4.into();
    });
    let found = only(&copy).await;
    assert_eq!((found.part, found.height), (Part::Transaction, Some(3)));
    assert_eq!(found.field, "code");
    assert!(found.place.starts_with("transaction 2 ("), "{found:?}");

    let copy = fresh("event");
    change(&copy, "blocks.jsonl", |rows| {
        let results = &mut rows[2]["block_results"]["txs_results"][1];
        results["events"].as_array_mut().unwrap().remove(2);
    });
    let found = only(&copy).await;
    assert_eq!(
        (found.part, found.expected.as_str()),
        (Part::Event, "(nothing)")
    );

    let copy = fresh("power");
    change(&copy, "blocks.jsonl", |rows| {
        rows[3]["validators"]["validators"][0]["voting_power"] = "2".into();
    });
    let found = only(&copy).await;
    assert_eq!((found.part, found.height), (Part::Block, Some(4)));
    assert_eq!(found.field, "validators[0].voting_power");

    let copy = fresh("answer");
    change(&copy, "queries.jsonl", |rows| {
        let bytes = rows[4]["response_hex"].as_str().unwrap().to_owned();
        let digit = if bytes.ends_with('0') { '1' } else { '0' };
        rows[4]["response_hex"] = format!("{}{digit}", &bytes[..bytes.len() - 1]).into();
    });
    let found = only(&copy).await;
    assert_eq!(
        (found.part, found.field.as_str()),
        (Part::Query, "balance.amount")
    );
    assert!(found.place.starts_with("queries.jsonl:5: "), "{found:?}");

    let copy = fresh("metadata");
    change(&copy, "queries.jsonl", |rows| {
        rows[4]["response_headers"] = json!([]);
    });
    assert_eq!(only(&copy).await.field, "x-cosmos-block-height");

    let copy = fresh("check");
    change(&copy, "txs.jsonl", |rows| {
        rows[4]["check_tx"]["code"] = 4.into()
    });
    let found = only(&copy).await;
    assert_eq!(
        (found.part, found.expected.as_str()),
        (Part::Check, "code 4 sdk")
    );
    assert!(found.place.starts_with("txs.jsonl:5: "), "{found:?}");

    let copy = fresh("body");
    change(&copy, "rpc.jsonl", |rows| {
        let body = rows[1]["body"]
            .as_str()
            .unwrap()
            .replace("\"total\":\"1\"", "\"total\":\"2\"");
        rows[1]["body"] = body.into();
    });
    let found = only(&copy).await;
    assert_eq!(
        (found.part, found.field.as_str()),
        (Part::Rpc, "result.total")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_read_is_named_with_its_line() {
    let (_folder, recording) = record().await;
    let refused = async || {
        let tasks = Tasks::new();
        let result = replay::run(&recording, Options::standard().unwrap(), &tasks).await;
        result.unwrap_err().to_string()
    };
    let queries = fs::read_to_string(recording.join("queries.jsonl")).unwrap();
    let broken = queries.replacen("\"grpc_code\":0", "\"grpc_code\":zero", 4);
    let broken = broken.replacen("\"grpc_code\":zero", "\"grpc_code\":0", 3);
    fs::write(recording.join("queries.jsonl"), broken).unwrap();
    let text = refused().await;
    assert!(text.contains("queries.jsonl:4: "), "{text}");
    fs::write(recording.join("queries.jsonl"), queries).unwrap();

    change(&recording, "blocks.jsonl", |rows| drop(rows.remove(1)));
    let text = refused().await;
    assert!(
        text.contains("blocks.jsonl:2: block 3 where 2 must follow"),
        "{text}"
    );
    fs::remove_file(recording.join("blocks.jsonl")).unwrap();
    assert!(refused().await.contains("blocks.jsonl"));
    fs::write(recording.join("genesis.json"), "{\n\n\"chain_id\": }").unwrap();
    let text = refused().await;
    assert!(text.contains("genesis.json:3: "), "{text}");
}
