//! Writing, byte for byte as the reference's event and query JSON.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::options::Number;
use super::*;

/// Appends the JSON object of `message`.
pub(super) fn message(out: &mut String, message: &DynamicMessage) {
    if let Some(json) = well_known(message) {
        out.push_str(&json);
        return;
    }
    out.push('{');
    let mut first = true;
    for field in declared(&message.descriptor()) {
        if let Some(json) = self::field(message, &field) {
            separate(out, &mut first);
            string(out, field.name());
            out.push(':');
            out.push_str(&json);
        }
    }
    out.push('}');
}

/// The JSON of one field; `None` for an unset member of a oneof, which has no key at all.
pub(super) fn field(message: &DynamicMessage, field: &FieldDescriptor) -> Option<String> {
    let mut out = String::new();
    let set = message.has_field(field);
    if field.containing_oneof().is_some() && !set {
        return None;
    }
    let is_message = field.kind().as_message().is_some();
    if is_message && field.cardinality() != Cardinality::Repeated && !set {
        match field.kind() {
            Kind::Message(inner) if always_present(field) => {
                self::message(&mut out, &DynamicMessage::new(inner));
            }
            _ => out.push_str("null"),
        }
        return Some(out);
    }
    value(&mut out, &message.get_field(field), field);
    Some(out)
}

fn value(out: &mut String, value: &Value, field: &FieldDescriptor) {
    if let Some(form) = options::form(field).number {
        number(out, value, form, always_present(field));
        return;
    }
    match value {
        Value::List(items) => {
            out.push('[');
            let mut first = true;
            for item in items {
                separate(out, &mut first);
                scalar(out, item, &field.kind());
            }
            out.push(']');
        }
        Value::Map(entries) => map(out, entries, field),
        other => scalar(out, other, &field.kind()),
    }
}

/// A number that the wire holds as text or as bytes of text. An unset one is 0 if it is whole and always there, else
/// `null`; what is no number is printed as it is.
fn number(out: &mut String, value: &Value, form: Number, always: bool) {
    let text = match value {
        Value::String(text) => text.as_str(),
        Value::Bytes(bytes) => std::str::from_utf8(bytes).unwrap_or_default(),
        _ => "",
    };
    if text.is_empty() {
        let whole = always && form == Number::Whole;
        out.push_str(if whole { "\"0\"" } else { "null" });
        return;
    }
    let printed = match form {
        Number::Decimal => crate::decimal::to_text(text),
        Number::Whole => None,
    };
    string(out, printed.as_deref().unwrap_or(text));
}

fn map(
    out: &mut String,
    entries: &std::collections::HashMap<MapKey, Value>,
    field: &FieldDescriptor,
) {
    let kind = field.kind();
    let value_kind = kind
        .as_message()
        .map(|entry| entry.map_entry_value_field().kind());
    let mut sorted: Vec<(&MapKey, &Value)> = entries.iter().collect();
    sorted.sort_by_key(|(key, _)| key_order(key));
    out.push('{');
    let mut first = true;
    for (key, value) in sorted {
        separate(out, &mut first);
        string(out, &key_text(key));
        out.push(':');
        if let Some(kind) = &value_kind {
            scalar(out, value, kind);
        }
    }
    out.push('}');
}

/// Numbers by value, then strings: the order of the recorded bytes.
fn key_order(key: &MapKey) -> (i128, &str) {
    match key {
        MapKey::Bool(key) => (i128::from(*key), ""),
        MapKey::I32(key) => (i128::from(*key), ""),
        MapKey::I64(key) => (i128::from(*key), ""),
        MapKey::U32(key) => (i128::from(*key), ""),
        MapKey::U64(key) => (i128::from(*key), ""),
        MapKey::String(key) => (0, key),
    }
}

fn key_text(key: &MapKey) -> String {
    match key {
        MapKey::Bool(key) => key.to_string(),
        MapKey::I32(key) => key.to_string(),
        MapKey::I64(key) => key.to_string(),
        MapKey::U32(key) => key.to_string(),
        MapKey::U64(key) => key.to_string(),
        MapKey::String(key) => key.clone(),
    }
}

fn scalar(out: &mut String, value: &Value, kind: &Kind) {
    // Writing to a String cannot fail.
    let _ = match value {
        Value::Bool(value) => write!(out, "{value}"),
        Value::I32(value) => write!(out, "{value}"),
        Value::U32(value) => write!(out, "{value}"),
        Value::I64(value) => write!(out, "\"{value}\""),
        Value::U64(value) => write!(out, "\"{value}\""),
        Value::F32(value) => write!(out, "{}", float(f64::from(*value))),
        Value::F64(value) => write!(out, "{}", float(*value)),
        Value::String(value) => {
            string(out, value);
            Ok(())
        }
        Value::Bytes(value) if value.is_empty() => write!(out, "null"),
        Value::Bytes(value) => write!(out, "\"{}\"", STANDARD.encode(value)),
        Value::EnumNumber(number) => {
            let name = kind
                .as_enum()
                .and_then(|kind| kind.get_value(*number))
                .map(|value| value.name().to_owned());
            match name {
                Some(name) => write!(out, "\"{name}\""),
                None => write!(out, "{number}"),
            }
        }
        Value::Message(inner) => {
            message(out, inner);
            Ok(())
        }
        Value::List(_) | Value::Map(_) => Ok(()),
    };
}

/// A double as Go's `encoding/json` prints it: shortest digits, exponent form below 1e-6 and from 1e21 on.
fn float(value: f64) -> String {
    if value.is_nan() {
        return "\"NaN\"".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 {
            "\"Infinity\""
        } else {
            "\"-Infinity\""
        }
        .to_owned();
    }
    let magnitude = value.abs();
    if magnitude == 0.0 || (1e-6..1e21).contains(&magnitude) {
        return format!("{value}");
    }
    let text = format!("{value:e}");
    match text.split_once('e') {
        Some((digits, exponent)) if !exponent.starts_with('-') => format!("{digits}e+{exponent}"),
        _ => text,
    }
}

/// A string with exactly the escapes of Go's encoder.
pub(super) fn string(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\u{0}'..='\u{1f}' => {
                let _ = write!(out, "\\u{:04x}", u32::from(character));
            }
            other => out.push(other),
        }
    }
    out.push('"');
}

/// `Timestamp`, `Duration` and `Any` have forms of their own.
fn well_known(message: &DynamicMessage) -> Option<String> {
    let integer = |name: &str| match message.get_field_by_name(name).as_deref() {
        Some(Value::I64(value)) => *value,
        Some(Value::I32(value)) => i64::from(*value),
        _ => 0,
    };
    match message.descriptor().full_name() {
        "google.protobuf.Timestamp" => Some(format!(
            "\"{}\"",
            crate::time::json_timestamp(integer("seconds"), integer("nanos"))
        )),
        "google.protobuf.Duration" => Some(format!(
            "\"{}\"",
            crate::time::duration(integer("seconds"), integer("nanos"))
        )),
        "google.protobuf.Any" => any(message),
        _ => None,
    }
}

fn any(message: &DynamicMessage) -> Option<String> {
    let url = message.get_field_by_name("type_url")?.as_str()?.to_owned();
    let bytes = message.get_field_by_name("value")?.as_bytes()?.clone();
    let inner = decode_dynamic(crate::any::type_name(&url), &bytes).ok()?;
    let mut out = String::from("{\"@type\":");
    string(&mut out, &url);
    for (name, json) in fields(&inner) {
        out.push(',');
        string(&mut out, &name);
        out.push(':');
        out.push_str(&json);
    }
    out.push('}');
    Some(out)
}

fn separate(out: &mut String, first: &mut bool) {
    if !*first {
        out.push(',');
    }
    *first = false;
}
