//! Bank transactions of a recorded reference chain: every check, result, log and event.
//!
//! Blocks up to [`LAST`] are executed with the recorded hash, time, votes and transactions; transactions that hold only
//! bank messages, and bytes that are no transaction, must fare exactly as recorded.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chain::{Application, Options};
use serde_json::{Value, json};
use tendermint_proto::v0_38::abci::{RequestCheckTx, ResponseCheckTx};

use crate::recording::{document, flat, recorded_events, request, rows};

/// Later bank transactions depend on messages of modules.
const LAST: i64 = 22;

/// Whether a recorded transaction does nothing but bank messages, or cannot be read at all.
fn is_bank(row: &Value) -> bool {
    let Some(messages) = row["body"]["messages"].as_array() else {
        return true;
    };
    messages.iter().all(|message| {
        message["@type"]
            .as_str()
            .is_some_and(|name| name.starts_with("/cosmos.bank."))
    })
}

/// Logs without what is free: Go's file names, texts of its libraries and gas numbers.
fn comparable(log: &str, code: u64) -> String {
    match code {
        2 | 7 | 11 | 111_222 => String::new(),
        42 => "tx timeout".to_owned(),
        _ => log.to_owned(),
    }
}

fn check(application: &Application, row: &Value, recheck: bool) -> ResponseCheckTx {
    let tx = hex::decode(row["tx_hex"].as_str().unwrap()).unwrap();
    application.check_tx(&RequestCheckTx {
        tx: tx.into(),
        r#type: recheck.into(),
    })
}

/// Checks all transactions that were sent after a height, in their order, as the recording node did.
fn check_sent(application: &Application, height: i64, sent: &[Value]) -> (usize, usize) {
    let (mut compared, mut refused) = (0, 0);
    for row in sent {
        let included = row["result"]["height"].as_i64();
        let Some(after) = row["sent_after_height"].as_i64() else {
            continue;
        };
        if after < height && included.is_some_and(|included| included > height) {
            check(application, row, true);
        }
        let Some(expected) = row["check_tx"].as_object().filter(|_| after == height) else {
            continue;
        };
        let answer = check(application, row, false);
        let code = expected["code"].as_u64().unwrap();
        let intent = &row["intent"];
        if is_bank(row) {
            compared += 1;
            refused += usize::from(code != 0);
            assert_eq!(u64::from(answer.code), code, "{intent}: {}", answer.log);
            assert_eq!(answer.codespace, expected["codespace"], "{intent}");
            let log = expected["log"].as_str().unwrap();
            assert_eq!(
                comparable(&answer.log, code),
                comparable(log, code),
                "{intent}"
            );
        }
    }
    (compared, refused)
}

#[test]
fn bank_transactions_fare_as_recorded() {
    let document = document();
    let sent: Vec<Value> = rows("txs.jsonl.gz").collect();
    let mut application = Application::in_memory(Options::default()).unwrap();
    application
        .init_chain(&document.init_chain(Vec::new()).unwrap())
        .unwrap();
    let (mut checks, mut refusals, mut executed, mut failed) = (0, 0, 0, 0);
    let mut before = None;
    for row in rows("blocks.jsonl.gz").take_while(|row| row["height"].as_i64() <= Some(LAST)) {
        let height = row["height"].as_i64().unwrap();
        let request = request(&row, before.as_ref());
        let response = application.finalize_block(&request).unwrap();
        let recorded = &row["block_results"];
        for tx in sent
            .iter()
            .filter(|tx| tx["result"]["height"] == json!(height) && is_bank(tx))
        {
            let index = usize::try_from(tx["result"]["index"].as_u64().unwrap()).unwrap();
            let (expected, result) = (&recorded["txs_results"][index], &response.tx_results[index]);
            let intent = &tx["intent"];
            if intent == "FAIL out of gas in block" {
                continue;
            }
            executed += 1;
            failed += usize::from(result.code != 0);
            let code = expected["code"].as_u64().unwrap();
            assert_eq!(u64::from(result.code), code, "{intent}: {}", result.log);
            assert_eq!(json!(result.codespace), expected["codespace"], "{intent}");
            let log = expected["log"].as_str().unwrap();
            assert_eq!(
                comparable(&result.log, code),
                comparable(log, code),
                "{intent}"
            );
            let data = expected["data"].as_str().unwrap_or_default();
            assert_eq!(STANDARD.encode(&result.data), data, "{intent}");
            assert_eq!(
                flat(&result.events),
                recorded_events(&expected["events"]),
                "{intent}"
            );
        }
        let params = response.consensus_param_updates.unwrap();
        let block = params.block.unwrap();
        let expected = &recorded["consensus_param_updates"]["block"];
        assert_eq!(json!(block.max_bytes.to_string()), expected["max_bytes"]);
        assert_eq!(json!(block.max_gas.to_string()), expected["max_gas"]);
        assert!(params.version.is_some() && params.abci.is_some());
        application.commit().unwrap();
        let (compared, refused) = check_sent(&application, height, &sent);
        checks += compared;
        refusals += refused;
        before = Some(row);
    }
    // So that a change of the recording or of the filter cannot empty this test.
    assert!(
        checks > 60 && refusals >= 20,
        "{checks} checks, {refusals} refusals"
    );
    assert!(
        executed >= 45 && failed >= 5,
        "{executed} executed, {failed} failed"
    );
}

/// Services asked in the state of height 2.
const CHANGING: [&str; 4] = [
    "/cosmos.auth.",
    "/cosmos.authz.",
    "/cosmos.bank.",
    "/cosmos.feegrant.",
];

/// Services whose recorded answers are the same at every height.
const CONSTANT: [&str; 3] = [
    "/cosmos.consensus.",
    "/cosmos.upgrade.",
    "/pocket.migration.",
];

#[test]
fn account_and_bank_queries_answer_as_recorded() {
    let mut application = Application::in_memory(Options::default()).unwrap();
    application
        .init_chain(&document().init_chain(Vec::new()).unwrap())
        .unwrap();
    let mut before = None;
    for row in rows("blocks.jsonl.gz").take(2) {
        let request = request(&row, before.as_ref());
        application.finalize_block(&request).unwrap();
        application.commit().unwrap();
        before = Some(row);
    }
    let reader = application.reader();
    let (mut answers, mut errors) = (0, 0);
    for row in rows("queries.jsonl.gz") {
        let method = row["method"].as_str().unwrap();
        let code = row["grpc_code"].as_i64().unwrap();
        let height = row["height"].as_i64();
        // What never changes in the recording is asked for at any height.
        let constant = CONSTANT.iter().any(|start| method.starts_with(start));
        let ours = constant || CHANGING.iter().any(|start| method.starts_with(start));
        if !ours || (code == 0 && height != Some(2) && !constant) {
            continue;
        }
        let request = hex::decode(row["request_hex"].as_str().unwrap()).unwrap();
        let text = String::from_utf8_lossy(&request);
        match reader.query(method, &request, height.filter(|height| *height <= 2)) {
            Ok(answer) => {
                answers += 1;
                assert_eq!(code, 0, "{method}");
                let expected = row["response_hex"].as_str().unwrap();
                assert_eq!(hex::encode(answer.value), expected, "{method} {text}");
            }
            Err(error) => {
                errors += 1;
                assert_eq!(i64::from(error.grpc as i32), code, "{method}: {error}");
                let message = row["grpc_message"].as_str().unwrap();
                // After that stand words of Go's bech32 library.
                let prefix = message.split("invalid bech32").next().unwrap().trim_end();
                assert!(
                    error.message.starts_with(prefix),
                    "{method}: {error} / {message}"
                );
            }
        }
    }
    assert!(
        answers > 20 && errors > 10,
        "{answers} answers, {errors} errors"
    );
}
