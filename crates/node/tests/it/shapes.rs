//! Every recorded RPC exchange, asked of our node: same keys, same kinds of values, same errors.

use std::fs;
use std::path::Path;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::support::{Running, address, at, open, transfer, write_genesis};

/// Rows that a chain like ours cannot be asked, with the reason.
const SKIPPED: &[(&str, &str)] = &[
    ("\"b0\"", "a transaction of the recorded chain"),
    ("\"b1\"", "a transaction of the recorded chain"),
    ("\"b2\"", "a transaction of the recorded chain"),
    ("\"b3\"", "a transaction of the recorded chain"),
    ("\"b4\"", "a transaction of the recorded chain"),
    ("\"b5\"", "a transaction of the recorded chain"),
    ("\"b6\"", "a transaction of the recorded chain"),
    (
        "broadcast_tx_sync?tx=0x0a89",
        "a transaction of the recorded chain",
    ),
    ("\"check_tx\"", "a transaction of the recorded chain"),
    (
        "unconfirmed_txs\", \"params\": {\"limit\"",
        "a mempool that was not empty",
    ),
    (
        "/cosmos.auth.v1beta1.Query/Account",
        "an account of the recorded chain",
    ),
    (
        "/cosmos.bank.v1beta1.Query/Balance",
        "an account of the recorded chain",
    ),
    ("GetSession", "an application of the recorded chain"),
    ("Service/Simulate", "a transaction of the recorded chain"),
    ("/store/bank/key", "store queries are not served"),
    (
        "/app/simulate",
        "the empty transaction is refused in other words",
    ),
    ("/p2p/filter", "peers are not filtered by the application"),
    ("\"data\": \"ffff\"", "the decoder's own words"),
];

/// What the recorded chain calls something, and what ours calls it.
fn translations(chain: &Made) -> Vec<(String, String)> {
    let hex = |bytes: &[u8]| hex::encode_upper(bytes);
    let pairs = [
        (
            "UuykJaLEEXahdADuLT9GyNUYUuAMZzPlLPLB1lxSXhY=",
            STANDARD.encode(&chain.block),
        ),
        (
            "52ECA425A2C41176A17400EE2D3F46C8D51852E00C6733E52CF2C1D65C525E16",
            hex(&chain.block),
        ),
        (
            "QZin8Z/U3ytj8GEHS28YIHn7iITd/KuDUv2AZ169VG8=",
            STANDARD.encode(chain.tx),
        ),
        (
            "4198A7F19FD4DF2B63F061074B6F182079FB8884DDFCAB8352FD80675EBD546F",
            hex(&chain.tx),
        ),
        (
            "0x4198a7f19fd4df2b63f061074b6f182079fb8884ddfcab8352fd80675ebd546f",
            format!("0x{}", hex::encode(chain.tx)),
        ),
        (
            "b1YdjjeAgycLwWjK1z/TExqoyOjaMr6BIpWWRnpfOcE=",
            STANDARD.encode(chain.failed),
        ),
        (
            "pokt1394nzuht5l57e9qfpetjkzg8wmvvy4v9vhhrxa",
            address("alice").to_bech32(),
        ),
        (
            "/pocket.proof.MsgCreateClaim",
            "/cosmos.bank.v1beta1.MsgSend".to_owned(),
        ),
        ("\"height\": \"30\"", "\"height\": \"2\"".to_owned()),
        ("\"height\":\"30\"", "\"height\":\"2\"".to_owned()),
        ("[\"30\"]", "[\"2\"]".to_owned()),
        (
            "\"minHeight\": \"28\", \"maxHeight\": \"30\"",
            "\"minHeight\": \"1\", \"maxHeight\": \"3\"".to_owned(),
        ),
        (
            "minHeight=28&maxHeight=29",
            "minHeight=1&maxHeight=2".to_owned(),
        ),
        (
            "\"minHeight\": \"30\", \"maxHeight\": \"28\"",
            "\"minHeight\": \"3\", \"maxHeight\": \"1\"".to_owned(),
        ),
        ("height=30", "height=2".to_owned()),
        ("height=%2230%22", "height=%222%22".to_owned()),
        (
            "block.height>28 AND block.height<31",
            "block.height>1 AND block.height<4".to_owned(),
        ),
    ];
    pairs
        .map(|(theirs, ours)| (theirs.to_owned(), ours))
        .to_vec()
}

/// The chain that is asked: five blocks, two good transactions and a failing one in block 3.
struct Made {
    block: Vec<u8>,
    tx: [u8; 32],
    failed: [u8; 32],
}

fn make(folder: &Path) -> Made {
    write_genesis(folder);
    let (mut solo, store, _) = open(folder);
    let txs = [
        transfer("alice", 0, 0, 5),
        transfer("alice", 0, 1, 6),
        transfer("alice", 0, 2, 7_000_000),
        transfer("carol", 2, 0, 8),
    ];
    for second in 1..=4 {
        if second == 3 {
            for tx in &txs {
                assert_eq!(solo.check(tx.clone().into()).unwrap().code, 0);
            }
        }
        solo.produce(at(second)).unwrap();
    }
    let block = store.committed(2).unwrap().unwrap().id.hash;
    let codes = store.results(3).unwrap().unwrap().tx_results;
    assert_eq!(
        codes.iter().map(|result| result.code).collect::<Vec<_>>(),
        [0, 0, 5, 0]
    );
    let hash = |tx: &[u8]| crypto::hash::sha256(tx);
    Made {
        block,
        tx: hash(&txs[0]),
        failed: hash(&txs[2]),
    }
}

/// What kind of text a value is.
fn kind(text: &str) -> &'static str {
    let is_hex = |c: char| c.is_ascii_digit() || ('A'..='F').contains(&c);
    if text.is_empty() {
        "empty"
    } else if text.parse::<i64>().is_ok() {
        "number"
    } else if text.ends_with('Z') && text.contains('T') && text.contains(':') {
        "time"
    } else if matches!(text.len(), 40 | 64) && text.chars().all(is_hex) {
        "hash"
    } else {
        "text"
    }
}

/// Compares shapes; differences are collected with their paths.
fn compare(path: &str, theirs: &Value, ours: &Value, differences: &mut Vec<String>) {
    match (theirs, ours) {
        (Value::Object(theirs), Value::Object(ours)) => {
            let keys = |object: &serde_json::Map<String, Value>| {
                let mut keys: Vec<String> = object.keys().cloned().collect();
                keys.sort();
                keys
            };
            if keys(theirs) != keys(ours) {
                differences.push(format!("{path}: {:?} / {:?}", keys(theirs), keys(ours)));
            }
            for (key, value) in theirs {
                if key == "app_state" {
                    continue;
                }
                if let Some(ours) = ours.get(key) {
                    compare(&format!("{path}.{key}"), value, ours, differences);
                }
            }
        }
        (Value::Array(theirs), Value::Array(ours)) => {
            if let (Some(theirs), Some(ours)) = (theirs.first(), ours.first()) {
                compare(&format!("{path}[]"), theirs, ours, differences);
            }
        }
        (Value::String(theirs), Value::String(ours)) => {
            let (a, b) = (kind(theirs), kind(ours));
            if a != b && a != "empty" && b != "empty" {
                differences.push(format!("{path}: {theirs:?} / {ours:?}"));
            }
        }
        // Nothing to tell is null in Go where a list or bytes would be.
        (Value::Null, Value::Array(_) | Value::String(_))
        | (Value::Array(_) | Value::String(_), Value::Null) => {}
        (theirs, ours) => {
            if std::mem::discriminant(theirs) != std::mem::discriminant(ours) {
                differences.push(format!("{path}: {theirs} / {ours}"));
            }
        }
    }
}

/// Differences between a recorded body and ours; `latest` stands in for heights in errors.
fn differences(theirs: &str, ours: &str) -> Vec<String> {
    let (Ok(theirs), Ok(ours)) = (
        serde_json::from_str::<Value>(theirs),
        serde_json::from_str::<Value>(ours),
    ) else {
        let html = theirs.starts_with("<html>") && ours.starts_with("<html>");
        return if html || theirs == ours {
            Vec::new()
        } else {
            vec![format!("{theirs:?} / {ours:?}")]
        };
    };
    let mut found = Vec::new();
    compare("", &theirs, &ours, &mut found);
    let text = |value: &Value| {
        let text = value["error"]["data"].as_str().unwrap_or_default();
        // Ours is at height 5 and has one validator; of the heights only the order matters.
        text.replace("height 356", "height 5")
            .replace("[1, 2] range, given 3", "[1, 1] range, given 3")
            .replace("height 30 ", "height 3 ")
            .replace("28", "1")
    };
    if theirs["id"] != ours["id"]
        || theirs["error"]["code"] != ours["error"]["code"]
        || text(&theirs) != text(&ours)
    {
        found.push(format!("{theirs} / {ours}"));
    }
    let code = |value: &Value| value["result"]["response"]["code"].clone();
    let log = |value: &Value| value["result"]["response"]["log"].clone();
    if code(&theirs) != code(&ours) || log(&theirs) != log(&ours) {
        found.push(format!("{theirs} / {ours}"));
    }
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn recorded_rpc_exchanges_have_our_shapes() {
    let folder = tempfile::tempdir().unwrap();
    let made = make(folder.path());
    let translations = translations(&made);
    let node = Running::start(folder, Duration::from_secs(3_600)).await;
    node.handle.reached(5).await.unwrap();

    let recording = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/vectors/golden/chain-a/rpc.jsonl"
    );
    let mut wrong = Vec::new();
    let (mut asked, mut skipped) = (0, 0);
    for line in fs::read_to_string(recording).unwrap().lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        let mut request = match &row["request"] {
            Value::String(text) => text.clone(),
            // As Python writes it, which is how the translations are written.
            object => object
                .to_string()
                .replace("\":", "\": ")
                .replace(",\"", ", \""),
        };
        if SKIPPED.iter().any(|(part, _)| request.contains(part)) {
            skipped += 1;
            continue;
        }
        // Of this one, the first wrong digit is told.
        let as_it_is = request.contains("header_by_hash");
        for (theirs, ours) in translations.iter().filter(|_| !as_it_is) {
            request = request.replace(theirs, ours);
        }
        let (status, body) = if row["kind"] == "GET" {
            node.get(&request).await
        } else {
            node.post(request.clone()).await
        };
        asked += 1;
        let mut found = Vec::new();
        if u64::from(status) != row["status"].as_u64().unwrap() {
            found.push(format!("status {} / {status}", row["status"]));
        }
        if row["truncated"] != true {
            found.extend(differences(row["body"].as_str().unwrap(), &body));
        }
        wrong.extend(
            found
                .into_iter()
                .map(|difference| format!("{request}\n    {difference}")),
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(asked + skipped, 141);
    assert!(skipped < 30, "{skipped} rows were skipped");
    node.stop().await;
}
