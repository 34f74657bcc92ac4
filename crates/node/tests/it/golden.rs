//! The recorded reference chain, replayed.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use net::Tasks;
use node::replay::{self, Options, Part, Report};
use serde_json::{Value, json};

fn chain_a() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/golden/chain-a")
}

async fn replayed(folder: &Path) -> Report {
    let tasks = Tasks::new();
    let report = replay::run(folder, Options::standard().unwrap(), &tasks).await;
    tasks.shutdown(Duration::from_secs(10)).await.unwrap();
    report.unwrap()
}

type Change<'a> = &'a dyn Fn(&mut Vec<Value>);

/// A copy of the recording with the rows of some files changed.
fn copy(changes: &[(&str, Change)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(
        chain_a().join("genesis.json"),
        folder.path().join("genesis.json"),
    )
    .unwrap();
    for (name, change) in changes {
        let mut text = String::new();
        let file = File::open(chain_a().join(name)).unwrap();
        GzDecoder::new(file).read_to_string(&mut text).unwrap();
        let rows = text.lines().map(|line| serde_json::from_str(line).unwrap());
        let mut rows = rows.collect();
        change(&mut rows);
        let file = File::create(folder.path().join(name)).unwrap();
        let mut file = GzEncoder::new(file, Compression::fast());
        for row in rows {
            writeln!(file, "{row}").unwrap();
        }
        file.finish().unwrap();
    }
    folder
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_recorded_chain_replays_without_a_difference() {
    let report = replayed(&chain_a()).await;
    assert!(report.is_equal(), "{}", report.to_text());
    assert!(report.strict);
    // So that a change of the recording or of the reader cannot empty this test.
    let compared = |part| report.counts[&part].compared;
    assert_eq!(report.blocks, 333);
    assert_eq!(compared(Part::Transaction), 441);
    assert!(compared(Part::Event) > 12_000);
    assert!(compared(Part::Check) > 330);
    assert_eq!(compared(Part::Query), 16_084);
    assert_eq!(compared(Part::Rest), 95);
    assert!(compared(Part::Rpc) > 135);
    assert!(compared(Part::WebSocket) > 60);
    assert!(compared(Part::Export) >= 5 * 8);
}

/// Changes a recorded chain in one place each and expects to be told exactly that.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_chain_is_told_from_the_recorded_one() {
    let blocks = "blocks.jsonl.gz";
    let all_blocks = |rows: &mut Vec<Value>| rows.truncate(60);
    let settled = |rows: &mut Vec<Value>| {
        all_blocks(rows);
        let events = rows[21]["block_results"]["finalize_block_events"]
            .as_array_mut()
            .unwrap();
        let kind = "pocket.tokenomics.EventClaimSettled";
        let event = events
            .iter_mut()
            .find(|event| event["type"] == kind)
            .unwrap();
        let attributes = event["attributes"].as_array_mut().unwrap();
        let amount = attributes
            .iter_mut()
            .find(|pair| pair["key"] == "settled_upokt")
            .unwrap();
        amount["value"] = "\"1upokt\"".into();
    };
    let report = replayed(copy(&[(blocks, &settled)]).path()).await;
    assert_eq!(report.total(), 1, "{}", report.to_text());
    let found = &report.differences[0];
    assert_eq!((found.part, found.height), (Part::Event, Some(22)));
    assert!(
        found.field.ends_with("EventClaimSettled.settled_upokt"),
        "{found:?}"
    );

    let power = |rows: &mut Vec<Value>| {
        all_blocks(rows);
        rows[5]["block_results"]["validator_updates"][0]["power"] = "1000055".into();
    };
    let code = |rows: &mut Vec<Value>| rows.truncate(10);
    let report = replayed(copy(&[(blocks, &power), ("queries.jsonl.gz", &code)]).path()).await;
    assert_eq!(report.total(), 1, "{}", report.to_text());
    let found = &report.differences[0];
    assert_eq!((found.part, found.height), (Part::Block, Some(6)));
    assert_eq!(found.field, "validator_updates[0].power");
}

/// A recording that ends earlier, or in the middle of a session, is as good.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_recorded_chain_may_end_anywhere() {
    for last in [1, 43, 112] {
        let cut = |rows: &mut Vec<Value>| rows.truncate(last);
        let whole = |_: &mut Vec<Value>| {};
        // What was asked after the end is asked at another end here.
        let during = |rows: &mut Vec<Value>| rows.retain(|row| row["height"] != Value::Null);
        let recording = copy(&[
            ("blocks.jsonl.gz", &cut),
            ("txs.jsonl.gz", &whole),
            ("queries.jsonl.gz", &during),
        ]);
        // Some transactions were sent in exchanges with the RPC, and some calls met them in the mempool.
        let text = fs::read_to_string(chain_a().join("rpc.jsonl")).unwrap();
        let sent = |line: &&str| {
            let row: Value = serde_json::from_str(line).unwrap();
            row["height"] != Value::Null
        };
        let rows: Vec<&str> = text.lines().filter(sent).collect();
        fs::write(recording.path().join("rpc.jsonl"), rows.join("\n")).unwrap();
        let report = replayed(recording.path()).await;
        assert!(report.total() == 0, "{last}: {}", report.to_text());
        assert_eq!(report.blocks, last as u64);
    }
}

/// Under other params the recorded transactions do other things, most of them fail, but no block stops the chain.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_recorded_blocks_stop_no_chain_whatever_its_params() {
    let shortest = [
        ("shared", "num_blocks_per_session", json!("7")),
        ("shared", "grace_period_end_offset_blocks", json!("0")),
        ("shared", "claim_window_open_offset_blocks", json!("0")),
        ("shared", "claim_window_close_offset_blocks", json!("0")),
        ("shared", "proof_window_close_offset_blocks", json!("1")),
        ("shared", "supplier_unbonding_period_sessions", json!("1")),
        (
            "shared",
            "application_unbonding_period_sessions",
            json!("1"),
        ),
        ("proof", "proof_request_probability", json!(0)),
        ("session", "num_suppliers_per_session", json!("50")),
    ];
    let dear = [
        ("proof", "proof_request_probability", json!(1)),
        (
            "proof",
            "proof_missing_penalty",
            json!({ "denom": "upokt", "amount": "100000000" }),
        ),
        (
            "shared",
            "compute_units_to_tokens_multiplier",
            json!("900000000000"),
        ),
        ("tokenomics", "global_inflation_per_claim", json!(1.5)),
        ("tokenomics", "mint_ratio", json!(1e-7)),
        ("session", "num_suppliers_per_session", json!("1")),
    ];
    let free = [
        ("shared", "grace_period_end_offset_blocks", json!("0")),
        ("shared", "claim_window_open_offset_blocks", json!("0")),
        ("shared", "claim_window_close_offset_blocks", json!("9")),
        ("shared", "proof_window_close_offset_blocks", json!("3")),
        ("shared", "compute_units_to_tokens_multiplier", json!("1")),
        (
            "proof",
            "proof_submission_fee",
            json!({ "denom": "upokt", "amount": "0" }),
        ),
        (
            "proof",
            "proof_missing_penalty",
            json!({ "denom": "upokt", "amount": "0" }),
        ),
        ("tokenomics", "global_inflation_per_claim", json!(0)),
        (
            "tokenomics",
            "overservicing_bonus_multiplier",
            json!("1000"),
        ),
        ("service", "target_num_relays", json!("1")),
    ];
    for changes in [&shortest[..], &dear, &free] {
        let recording = copy(&[("blocks.jsonl.gz", &|_| {})]);
        let path = recording.path().join("genesis.json");
        let mut genesis: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        for (module, name, value) in changes {
            let param = &mut genesis["app_state"][module]["params"][name];
            assert!(!param.is_null(), "{module} has no {name}");
            *param = value.clone();
        }
        fs::write(path, genesis.to_string()).unwrap();
        let report = replayed(recording.path()).await;
        assert_eq!(report.blocks, 333, "{changes:?} {}", report.to_text());
        assert!(report.total() > 0);
    }
}

/// The calls of relay miner and gateway as rows of `queries.jsonl`. The recorder kept no note of a request's metadata:
/// each was made of the newest state, whose height the answer tells.
fn calls_of_peers(unpacked: impl Fn(&str) -> String) -> Vec<Value> {
    let mut calls = Vec::new();
    for name in ["relay-miner-grpc", "relayer-grpc", "gateway-grpc"] {
        for line in unpacked(&format!("{name}.jsonl.gz")).lines() {
            let mut call: Value = serde_json::from_str(line).unwrap();
            let height = &call["resp_meta"]["x-cosmos-block-height"];
            // What was asked before the first block can only be asked after it.
            if *height == "70" {
                continue;
            }
            let code = match call["code"].as_str().unwrap() {
                "OK" => 0,
                "INTERNAL" => 13,
                other => panic!("{other}"),
            };
            call["grpc_code"] = code.into();
            call["grpc_message"] = call["message"].take();
            // Of errors the recorder kept no metadata.
            if let Some(headers) = call["resp_meta"].as_object() {
                let headers = headers.iter().map(|(key, value)| json!([key, value]));
                call["response_headers"] = headers.collect();
            }
            calls.push(call);
        }
    }
    calls
}

/// Another recorded chain, with other parameters, from the state that it exported: the relay miner of the reference
/// claims and proves two sessions, and what they are paid for. Nothing differs: all that these blocks meet is in an
/// exported state. What was asked over the RPC and its WebSocket is asked in [`crate::peers`].
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_chain_that_goes_on_from_an_exported_state_replays() {
    let peers = chain_a().join("../peers");
    let unpacked = |name: &str| {
        let mut text = String::new();
        let file = File::open(peers.join(name)).unwrap();
        GzDecoder::new(file).read_to_string(&mut text).unwrap();
        text
    };
    let folder = tempfile::tempdir().unwrap();
    let written = |name: &str, text: String| fs::write(folder.path().join(name), text).unwrap();
    written("genesis.json", unpacked("state-70.json.gz"));
    let blocks = unpacked("blocks.jsonl.gz");
    // The first row is the block whose state was exported.
    let (_, rest) = blocks.split_once('\n').unwrap();
    written("blocks.jsonl", rest.to_owned());
    let calls: Vec<String> = calls_of_peers(unpacked)
        .iter()
        .map(Value::to_string)
        .collect();
    written("queries.jsonl", calls.join("\n"));
    let report = replayed(folder.path()).await;
    assert!(report.is_equal(), "{}", report.to_text());
    assert_eq!(report.blocks, 42);
    assert_eq!(report.counts[&Part::Transaction].compared, 30);
    assert!(report.counts[&Part::Event].compared > 900);
    assert_eq!(report.counts[&Part::Query].compared, 490);
}

/// Random histories under params that the recorded chain does not have: other sessions, windows, splits, inflation and
/// validators. What comes out of them was told by the reference's own application (`interop/reference-oracle`).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn histories_of_the_reference_under_other_params_replay() {
    let histories = chain_a().join("../../reference-histories");
    let seeds = [
        (9102, 126, 509),
        (9106, 87, 474),
        (9107, 103, 398),
        (9110, 252, 477),
    ];
    for (seed, transactions, queries) in seeds {
        let report = replayed(&histories.join(format!("seed-{seed}"))).await;
        assert!(report.is_equal(), "{seed}: {}", report.to_text());
        let compared = |part| report.counts[&part].compared;
        assert_eq!(report.blocks, 64, "{seed}");
        assert_eq!(compared(Part::Transaction), transactions, "{seed}");
        assert_eq!(compared(Part::Query), queries, "{seed}");
        assert_eq!(compared(Part::Export), 15, "{seed}");
    }
}

/// A whole node of the reference, asked over RPC, gRPC, REST and WebSocket, also what makes no sense.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_of_the_reference_under_other_params_replays() {
    let report = replayed(&chain_a().join("../../reference-nodes/model-11")).await;
    assert!(report.is_equal(), "{}", report.to_text());
    assert_eq!(report.blocks, 47);
    for (part, compared) in [
        (Part::Transaction, 116),
        (Part::Check, 259),
        (Part::Query, 1_190),
        (Part::Rest, 331),
        (Part::Rpc, 834),
        (Part::WebSocket, 371),
        (Part::Export, 48),
    ] {
        assert_eq!(report.counts[&part].compared, compared, "{part:?}");
    }
}

/// What a recording lacks is left out and said; the rest is compared as before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_recorded_chain_may_lack_files() {
    let whole = |_: &mut Vec<Value>| {};
    let with = |gz: &[&'static str], plain: &[&str]| {
        let mut changes: Vec<(&str, Change)> = vec![("blocks.jsonl.gz", &whole)];
        changes.extend(gz.iter().map(|name| (*name, &whole as Change)));
        let recording = copy(&changes);
        for name in plain {
            fs::copy(chain_a().join(name), recording.path().join(name)).unwrap();
        }
        recording
    };
    // Simulations and broadcasts met transactions whose sending is not recorded here.
    let report = replayed(with(&["queries.jsonl.gz"], &[]).path()).await;
    assert_eq!(report.total(), 0, "{}", report.to_text());
    assert_eq!(report.counts[&Part::Query].compared, 16_084);
    for name in [
        "txs.jsonl",
        "rpc.jsonl",
        "rest.jsonl",
        "websocket.jsonl",
        "exports",
    ] {
        let missing = format!("{name}: no such file");
        let exports = name == "exports" && report.left_out.contains_key(name);
        assert!(
            exports || report.left_out.contains_key(&missing),
            "{}",
            report.to_text()
        );
    }
    let rest = with(&[], &["rpc.jsonl", "rest.jsonl", "websocket.jsonl"]);
    let report = replayed(rest.path()).await;
    assert_eq!(report.total(), 0, "{}", report.to_text());
    assert_eq!(report.counts[&Part::Rest].compared, 95);
}

/// Rows of one file in another order, with answers that the recorder gave other heights, and of kinds that nobody knows.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_of_a_recorded_chain_may_come_otherwise() {
    let whole = |_: &mut Vec<Value>| {};
    let reordered = |rows: &mut Vec<Value>| {
        // Pages stay behind those that they follow.
        rows.sort_by_key(|row| row["method"].as_str().unwrap().to_owned());
        let mut described = rows[0].clone();
        described["method"] = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo".into();
        rows.push(described);
    };
    let recording = copy(&[
        ("blocks.jsonl.gz", &whole),
        ("txs.jsonl.gz", &whole),
        ("queries.jsonl.gz", &reordered),
    ]);
    let read = |name: &str| -> Vec<Value> {
        let text = fs::read_to_string(chain_a().join(name)).unwrap();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    };
    let write = |name: &str, rows: Vec<Value>| {
        let text: String = rows.iter().map(|row| format!("{row}\n")).collect();
        fs::write(recording.path().join(name), text).unwrap();
    };
    let mut rpc = read("rpc.jsonl");
    let mut unknown = rpc[0].clone();
    unknown["kind"] = "IPC".into();
    rpc.push(unknown);
    write("rpc.jsonl", rpc);
    write("rest.jsonl", read("rest.jsonl").into_iter().rev().collect());
    let mut frames = read("websocket.jsonl");
    for value in [
        serde_json::json!({ "height": "5", "round": 0, "step": "RoundStepCommit" }),
        serde_json::json!({ "Vote": { "height": "5", "round": 0 } }),
    ] {
        let data = serde_json::json!({ "type": "tendermint/event/Vote", "value": value });
        let result = serde_json::json!({ "query": "tm.event='Vote'", "data": data, "events": {} });
        let frame = serde_json::json!({ "jsonrpc": "2.0", "id": 1, "result": result });
        let row = serde_json::json!({ "conn": "ws", "height": 5, "dir": "s2c", "frame": frame.to_string() });
        frames.push(row);
    }
    write("websocket.jsonl", frames);
    let report = replayed(recording.path()).await;
    assert_eq!(report.total(), 0, "{}", report.to_text());
    for (reason, count) in [
        ("reflection: how a server describes its types is its own", 1),
        ("RPC exchanges of a kind that is not known", 1),
        ("events of consensus: they are the recorded node's own", 2),
    ] {
        assert_eq!(
            report.left_out.get(reason),
            Some(&count),
            "{}",
            report.to_text()
        );
    }
}

/// What stands beside an excused or a later value is compared all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_hides_behind_what_is_free() {
    let whole = |_: &mut Vec<Value>| {};
    let searched = |rows: &mut Vec<Value>| {
        rows.retain(|row| row["method"] == "/cosmos.tx.v1beta1.Service/GetTxsEvent");
        for row in rows.iter_mut().filter(|row| row["grpc_code"] == 13) {
            row["grpc_message"] = "failed to search for txs: broken".into();
        }
    };
    let recording = copy(&[("blocks.jsonl.gz", &whole), ("queries.jsonl.gz", &searched)]);
    let text = fs::read_to_string(chain_a().join("rpc.jsonl")).unwrap();
    let metas = text.lines().filter(|line| line.contains("\"blockchain\""));
    let metas: String = metas.map(|line| format!("{line}\n")).collect();
    let (before, after) = metas.split_once("\\\"block_size\\\":\\\"").unwrap();
    let changed = format!("{before}\\\"block_size\\\":\\\"1{after}");
    fs::write(recording.path().join("rpc.jsonl"), changed).unwrap();
    let report = replayed(recording.path()).await;
    let found = |part| {
        let of_part = report
            .differences
            .iter()
            .filter(move |one| one.part == part);
        of_part.map(|one| one.field.as_str()).collect::<Vec<_>>()
    };
    assert_eq!(
        found(Part::Rpc),
        ["result.block_metas[0].block_size"],
        "{}",
        report.to_text()
    );
    // Those that ours answers; an empty query is refused by both.
    let codes = found(Part::Query);
    assert!(
        !codes.is_empty() && codes.iter().all(|field| *field == "grpc_code"),
        "{codes:?}"
    );
}

/// Gas is the reference's own: where it ran out there, it runs out here, with the checks' effects or without any.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gas_that_ran_out_there_runs_out_here() {
    let ran_out = |result: &mut Value, events: &[Value]| {
        result["code"] = 11.into();
        result["codespace"] = "sdk".into();
        result["log"] = "out of gas in location: somewhere".into();
        result["data"] = Value::Null;
        result["events"] = events.into();
    };
    let in_block_two = |place: usize, kept: bool| {
        let change = move |rows: &mut Vec<Value>| {
            rows.truncate(2);
            let result = &mut rows[1]["block_results"]["txs_results"][place];
            let events = result["events"].as_array().unwrap().clone();
            let of_message = |event: &Value| {
                let attributes = event["attributes"].as_array().unwrap();
                event["type"] == "message" && attributes.iter().any(|one| one["key"] == "action")
            };
            let of_checks = events.iter().take_while(|event| !of_message(event)).count();
            assert!(0 < of_checks && of_checks < events.len());
            ran_out(result, if kept { &events[..of_checks] } else { &[] });
        };
        copy(&[("blocks.jsonl.gz", &change)])
    };
    for kept in [true, false] {
        for place in [0, 7] {
            let report = replayed(in_block_two(place, kept).path()).await;
            assert_eq!(report.total(), 0, "{kept} {place}: {}", report.to_text());
            assert!(report.counts[&Part::Transaction].compared > 7);
        }
    }
}
