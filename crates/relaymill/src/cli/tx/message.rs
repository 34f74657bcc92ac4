//! Messages in JSON.

use std::io::Read as _;

use anyhow::{Context as _, Result, bail};
use prost_types::Any;
use serde_json::Value;

/// Bytes of a document that are read: a transaction has a million at most, JSON twice that.
const DOCUMENT_BYTES_MAX: u64 = 8 << 20;

/// The text of a file; `-` is standard input.
pub(super) fn read_text(file: &str) -> Result<String> {
    let mut text = String::new();
    if file == "-" {
        std::io::stdin()
            .take(DOCUMENT_BYTES_MAX)
            .read_to_string(&mut text)
            .context("standard input")?;
        return Ok(text);
    }
    let opened = std::fs::File::open(file).with_context(|| format!("cannot read {file}"))?;
    opened
        .take(DOCUMENT_BYTES_MAX)
        .read_to_string(&mut text)
        .with_context(|| format!("cannot read {file}"))?;
    Ok(text)
}

/// The JSON of a file.
pub(super) fn read_json(file: &str) -> Result<Value> {
    serde_json::from_str(&read_text(file)?).with_context(|| format!("{file} is no JSON"))
}

/// The messages of a file: one with its `@type`, a list of such, or a generated transaction.
pub(super) fn read_all(file: &str) -> Result<Vec<Any>> {
    let json = read_json(file)?;
    let messages = match &json {
        Value::Array(messages) => messages.clone(),
        Value::Object(_) => match json.pointer("/body/messages").and_then(Value::as_array) {
            Some(messages) => messages.clone(),
            None => vec![json],
        },
        _ => bail!("{file}: expected a message with its `@type`, or a list"),
    };
    let packed = messages
        .iter()
        .enumerate()
        .map(|(index, message)| pack(message).with_context(|| format!("{file}: message {index}")));
    packed.collect()
}

/// A message of its JSON with `@type`.
pub(super) fn pack(json: &Value) -> Result<Any> {
    let url = json.get("@type").and_then(Value::as_str);
    let url = url.context("`@type` is missing")?.to_owned();
    let mut fields = json.clone();
    if let Some(fields) = fields.as_object_mut() {
        fields.shift_remove("@type");
    }
    packed(&url, &fields)
}

/// A message of its type's URL and the JSON of its fields.
pub(super) fn packed(url: &str, fields: &Value) -> Result<Any> {
    let value = proto::json::json_to_bytes(proto::any::type_name(url), fields)?;
    Ok(Any {
        type_url: format!("/{}", proto::any::type_name(url)),
        value,
    })
}
