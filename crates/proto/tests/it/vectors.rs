//! Group `protobuf` of `poktroll-vectors.json`: every type, as bytes, as JSON and as an event.

use proto::{events, json};
use serde_json::Value;

use crate::vector_path;

fn group() -> Value {
    let text = std::fs::read_to_string(vector_path("poktroll-vectors.json")).unwrap();
    let all: Value = serde_json::from_str(&text).unwrap();
    all["protobuf"].clone()
}

fn text<'a>(row: &'a Value, key: &str) -> &'a str {
    row[key]
        .as_str()
        .unwrap_or_else(|| panic!("row without `{key}`: {row}"))
}

#[test]
fn every_message_has_the_references_bytes_and_json() {
    let group = group();
    let mut types = std::collections::BTreeSet::new();
    for row in group["messages"].as_array().unwrap() {
        let name = text(row, "type");
        types.insert(name.to_owned());
        let bytes = hex::decode(text(row, "proto_hex")).unwrap();
        let ours = json::bytes_to_json(name, &bytes).unwrap();
        assert_eq!(ours, text(row, "json"), "{name} {}", row["example"]);
        let value: Value = serde_json::from_str(&ours).unwrap();
        let back = json::json_to_bytes(name, &value).unwrap();
        assert_eq!(
            json::bytes_to_json(name, &back).unwrap(),
            ours,
            "{name} read back from JSON"
        );
    }
    assert_eq!(types.len() as u64, group["num_types"].as_u64().unwrap());
}

#[test]
fn every_event_has_the_references_attributes() {
    for row in group()["events"].as_array().unwrap() {
        let name = text(row, "type");
        let bytes = hex::decode(text(row, "proto_hex")).unwrap();
        let event = events::attributes_of(name, &bytes).unwrap();
        assert_eq!(event.kind, text(row, "abci_event_type"));
        let expected: Vec<(String, String)> =
            serde_json::from_value(row["attributes"].clone()).unwrap();
        assert_eq!(event.attributes, expected, "{name} {}", row["example"]);
    }
}

#[test]
fn settlement_reasons_have_the_references_names() {
    use proto::pocket::tokenomics::SettlementOpReason;
    let text = std::fs::read_to_string(vector_path("poktroll-vectors.json")).unwrap();
    let all: Value = serde_json::from_str(&text).unwrap();
    let names = all["tokenomics"]["settlement_op_reason_names"]
        .as_object()
        .unwrap();
    for (number, name) in names {
        let reason = SettlementOpReason::try_from(number.parse::<i32>().unwrap()).unwrap();
        assert_eq!(reason.as_str_name(), name);
    }
    assert!(names.len() > 20);
}
