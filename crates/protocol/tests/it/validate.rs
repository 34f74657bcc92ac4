//! `signable.*.validate_basic` and `relay_hash.session_header_validate_basic`: outcome, code and text.

use prost::Message as _;
use proto::pocket::service::{RelayRequest, RelayResponse};
use proto::pocket::session::SessionHeader;
use protocol::{ProtocolError, validate};
use serde_json::Value;

use crate::vectors::{bytes, list, number, poktroll, text};

/// Compares a verdict with one of the reference: `null`, or codespace, code and text.
#[track_caller]
pub(crate) fn assert_verdict(ours: Result<(), ProtocolError>, reference: &Value, case: &str) {
    match (ours, reference) {
        (Ok(()), Value::Null) => {}
        (Err(error), Value::Object(_)) => {
            assert_eq!(error.to_string(), text(&reference["text"]), "{case}");
            let registered = error.registered().unwrap();
            assert_eq!(registered.0, text(&reference["codespace"]), "{case}");
            assert_eq!(registered.1, number::<u32>(&reference["code"]), "{case}");
        }
        (ours, reference) => panic!("{case}: {ours:?}, the reference says {reference}"),
    }
}

#[test]
fn session_headers() {
    for case in list(&poktroll()["relay_hash"]["session_header_validate_basic"]) {
        let header = SessionHeader::decode(bytes(&case["proto_hex"]).as_slice()).unwrap();
        assert_verdict(
            validate::session_header(&header),
            &case["error"],
            text(&case["name"]),
        );
    }
}

#[test]
fn relay_requests() {
    for case in list(&poktroll()["signable"]["requests"]) {
        let request = RelayRequest::decode(bytes(&case["request_bytes"]).as_slice()).unwrap();
        let name = text(&case["name"]);
        assert_verdict(
            validate::relay_request(&request),
            &case["validate_basic"],
            name,
        );
    }
}

#[test]
fn relay_responses() {
    for case in list(&poktroll()["signable"]["responses"]) {
        let response = RelayResponse::decode(bytes(&case["response_bytes"]).as_slice()).unwrap();
        let name = text(&case["name"]);
        assert_verdict(
            validate::relay_response(&response),
            &case["validate_basic"],
            name,
        );
    }
}
