//! Reads the shared vector files once.

use std::sync::LazyLock;

use serde_json::Value;

fn load(name: &str) -> Value {
    let path = format!("{}/../../tests/vectors/{name}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(&path).expect(&path)).expect(&path)
}

/// `relay-protocol-vectors.json`.
pub(crate) fn relay_protocol() -> &'static Value {
    static FILE: LazyLock<Value> = LazyLock::new(|| load("relay-protocol-vectors.json"));
    &FILE
}

/// `poktroll-vectors.json`.
pub(crate) fn poktroll() -> &'static Value {
    static FILE: LazyLock<Value> = LazyLock::new(|| load("poktroll-vectors.json"));
    &FILE
}

/// The text of a JSON string.
pub(crate) fn text(value: &Value) -> &str {
    value.as_str().expect("a string")
}

/// The bytes of a JSON string of hexadecimal digits.
pub(crate) fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(text(value)).expect("hexadecimal digits")
}

/// Like [`bytes`], of known length.
pub(crate) fn array<const N: usize>(value: &Value) -> [u8; N] {
    bytes(value).try_into().expect("bytes of this length")
}

/// A number, or a string of one.
pub(crate) fn integer(value: &Value) -> i64 {
    value
        .as_i64()
        .unwrap_or_else(|| text(value).parse().expect("an integer"))
}
