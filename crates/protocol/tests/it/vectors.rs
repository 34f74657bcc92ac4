//! The two vector files, read once.

use std::sync::OnceLock;

use serde_json::Value;

/// `relay-protocol-vectors.json`.
pub(crate) fn relay_protocol() -> &'static Value {
    static FILE: OnceLock<Value> = OnceLock::new();
    FILE.get_or_init(|| {
        parse(include_bytes!(
            "../../../../tests/vectors/relay-protocol-vectors.json"
        ))
    })
}

/// `poktroll-vectors.json`.
pub(crate) fn poktroll() -> &'static Value {
    static FILE: OnceLock<Value> = OnceLock::new();
    FILE.get_or_init(|| {
        parse(include_bytes!(
            "../../../../tests/vectors/poktroll-vectors.json"
        ))
    })
}

fn parse(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap()
}

/// The elements of an array, of which there must be at least one: a test over none would always pass.
pub(crate) fn list(value: &Value) -> &[Value] {
    let list = value
        .as_array()
        .unwrap_or_else(|| panic!("not a list: {value}"));
    assert!(!list.is_empty());
    list
}

pub(crate) fn text(value: &Value) -> &str {
    value
        .as_str()
        .unwrap_or_else(|| panic!("not a text: {value}"))
}

pub(crate) fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(text(value)).unwrap()
}

pub(crate) fn bytes32(value: &Value) -> [u8; 32] {
    bytes(value).try_into().unwrap()
}

/// A number written as a number or as a text.
pub(crate) fn number<T: std::str::FromStr<Err: std::fmt::Debug>>(value: &Value) -> T {
    match value {
        Value::String(text) => text.parse().unwrap(),
        other => other.to_string().parse().unwrap(),
    }
}
