//! Refusals as two reference miners really sent them.

use protocol::error_body::{Body, MinerError, encode, read};
use serde_json::Value;

use crate::vectors::{bytes, number, text};

/// HA: `golden/peers`, each valid relay changed in one way.
#[test]
fn refusals_with_a_status() {
    let file = include_str!("../../../../tests/vectors/golden/peers/relays.jsonl");
    let (mut refused, mut answered) = (0, 0);
    for line in file.lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        let Some(altered) = row.get("altered") else {
            continue;
        };
        let status = number(&altered["status"]);
        let body = match altered.get("resp_hex") {
            Some(hex) => bytes(hex),
            None => text(&altered["resp_text"]).as_bytes().to_vec(),
        };
        match read(status, &body) {
            Body::Refusal(MinerError {
                status: seen,
                registered: None,
                message,
            }) => {
                assert_eq!(seen, status);
                assert_ne!(status, 200);
                let sent: Value = serde_json::from_slice(&body).unwrap();
                assert_eq!(Some(message.as_str()), sent["error"].as_str());
                let again: Value = serde_json::from_str(&encode(&message)).unwrap();
                assert_eq!(again["error"], sent["error"]);
                refused += 1;
            }
            Body::Response(_) => {
                assert_eq!(status, 200);
                answered += 1;
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(
        refused >= 9 && answered >= 2,
        "{refused} refused, {answered} answered"
    );
}

/// PM: `golden/chain-a`, always with status 200.
#[test]
fn refusals_without_a_signature() {
    let file = include_str!("../../../../tests/vectors/golden/chain-a/relays.jsonl");
    let (mut refused, mut answered) = (0, 0);
    for line in file.lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        let Some(response) = row.get("response") else {
            continue;
        };
        let Some(body) = response.get("body_hex") else {
            continue;
        };
        assert!(text(&response["start_line"]).starts_with("HTTP/1.1 200"));
        let error = &row["response_decoded"]["relay_miner_error"];
        match read(200, &bytes(body)) {
            Body::Refusal(refusal) => {
                let (codespace, code) = refusal.registered.unwrap();
                assert_eq!(codespace, text(&error["codespace"]));
                assert_eq!(code, number::<u32>(&error["code"]));
                assert!(text(&error["message"]).starts_with(&refusal.message));
                refused += 1;
            }
            Body::Response(response) => {
                assert!(error.is_null(), "{error}");
                protocol::validate::relay_response(&response).unwrap();
                answered += 1;
            }
        }
    }
    assert!(
        refused >= 10 && answered >= 10,
        "{refused} refused, {answered} answered"
    );
}

#[test]
fn odd_bodies() {
    let message = |status, body: &[u8]| match read(status, body) {
        Body::Refusal(refusal) => refusal.message,
        Body::Response(response) => panic!("{response:?}"),
    };
    let openai = br#"{"error": {"message": "no such model", "type": "invalid_request_error"}}"#;
    assert_eq!(message(404, openai), "no such model");
    assert_eq!(message(502, b" Bad Gateway\n"), "Bad Gateway");
    assert_eq!(message(502, &[0xff, 0xfe]), "\u{fffd}\u{fffd}");
    assert_eq!(message(200, br#"{"error":"from a proxy"}"#), "from a proxy");
    assert_eq!(message(200, &[0x0a, 0x00, 0x12, 0x02, b'n', b'o']), "no");
    assert!(message(200, b"").contains("without a message"));
    assert_eq!(
        message(500, "ä".repeat(5000).as_bytes()).chars().next(),
        Some('ä')
    );
    assert!(message(500, "ä".repeat(5000).as_bytes()).len() <= 4096);
}
