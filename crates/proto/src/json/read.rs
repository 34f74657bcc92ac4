//! Reading: strict about keys, tolerant about the two ways of writing a 64-bit integer.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value as Json;

use super::options::Number;
use super::*;

/// Reads the object at `path` into a message.
pub(super) fn message(
    descriptor: &MessageDescriptor,
    json: &Json,
    path: &str,
) -> Result<DynamicMessage, ProtoError> {
    match (descriptor.full_name(), json) {
        ("google.protobuf.Any", Json::Object(_)) => return any(descriptor, json, path),
        ("google.protobuf.Timestamp" | "google.protobuf.Duration", Json::String(text)) => {
            return moment(descriptor, text, path);
        }
        _ => {}
    }
    let Json::Object(entries) = json else {
        return Err(wrong(path, "expected an object"));
    };
    let mut message = DynamicMessage::new(descriptor.clone());
    for (key, json) in entries {
        let here = join(path, key);
        let field = descriptor
            .get_field_by_name(key)
            .or_else(|| descriptor.get_field_by_json_name(key))
            .ok_or_else(|| ProtoError::UnknownField {
                type_name: descriptor.full_name().to_owned(),
                field: here.clone(),
            })?;
        if !json.is_null() {
            message.set_field(&field, value(&field, json, &here)?);
        }
    }
    for field in descriptor.fields() {
        if let Kind::Message(inner) = field.kind() {
            let single = field.cardinality() != Cardinality::Repeated;
            if single && always_present(&field) && !message.has_field(&field) {
                message.set_field(
                    &field,
                    Value::Message(self::message(
                        &inner,
                        &Json::Object(serde_json::Map::new()),
                        path,
                    )?),
                );
            }
        }
    }
    Ok(message)
}

fn value(field: &FieldDescriptor, json: &Json, path: &str) -> Result<Value, ProtoError> {
    if field.is_map() {
        return map(field, json, path);
    }
    if field.is_list() {
        let Json::Array(items) = json else {
            return Err(wrong(path, "expected a list"));
        };
        let items = items
            .iter()
            .enumerate()
            .map(|(index, item)| scalar(&field.kind(), item, &join(path, &index.to_string())));
        return Ok(Value::List(items.collect::<Result<_, _>>()?));
    }
    if let Some(form) = options::form(field).number {
        return number(field, form, json, path);
    }
    scalar(&field.kind(), json, path)
}

/// A number in the form of the wire.
fn number(
    field: &FieldDescriptor,
    form: Number,
    json: &Json,
    path: &str,
) -> Result<Value, ProtoError> {
    let text = text(json, path)?;
    let number = match form {
        Number::Decimal => crate::decimal::from_text(text),
        Number::Whole => crate::decimal::whole(text),
    };
    let number = number.ok_or_else(|| {
        let kind = match form {
            Number::Decimal => "decimal of at most 18 places",
            Number::Whole => "whole number",
        };
        wrong(path, &format!("`{text}` is no {kind}"))
    })?;
    Ok(match field.kind() {
        Kind::Bytes => Value::Bytes(number.into_bytes().into()),
        _ => Value::String(number),
    })
}

fn map(field: &FieldDescriptor, json: &Json, path: &str) -> Result<Value, ProtoError> {
    let kind = field.kind();
    let (Json::Object(entries), Some(entry)) = (json, kind.as_message()) else {
        return Err(wrong(path, "expected an object"));
    };
    let mut out = HashMap::new();
    for (key, json) in entries {
        let here = join(path, key);
        let bad = |_| wrong(&here, "key has the wrong type");
        let key = match entry.map_entry_key_field().kind() {
            Kind::String => MapKey::String(key.clone()),
            Kind::Uint64 => MapKey::U64(key.parse().map_err(bad)?),
            Kind::Int64 => MapKey::I64(key.parse().map_err(bad)?),
            Kind::Uint32 => MapKey::U32(key.parse().map_err(bad)?),
            Kind::Int32 => MapKey::I32(key.parse().map_err(bad)?),
            _ => return Err(wrong(path, "keys of this type are not used")),
        };
        out.insert(
            key,
            scalar(&entry.map_entry_value_field().kind(), json, &here)?,
        );
    }
    Ok(Value::Map(out))
}

fn scalar(kind: &Kind, json: &Json, path: &str) -> Result<Value, ProtoError> {
    Ok(match kind {
        Kind::Message(inner) => Value::Message(message(inner, json, path)?),
        Kind::Enum(kind) => match json {
            Json::String(name) => match kind.get_value_by_name(name) {
                Some(value) => Value::EnumNumber(value.number()),
                None => {
                    return Err(wrong(
                        path,
                        &format!("no value `{name}` in {}", kind.name()),
                    ));
                }
            },
            _ => Value::EnumNumber(integer(json, path)?),
        },
        Kind::String => Value::String(text(json, path)?.to_owned()),
        Kind::Bytes => {
            let bytes = STANDARD.decode(text(json, path)?);
            Value::Bytes(
                bytes
                    .map_err(|_| wrong(path, "expected standard base64"))?
                    .into(),
            )
        }
        Kind::Bool => match json {
            Json::Bool(value) => Value::Bool(*value),
            _ => return Err(wrong(path, "expected true or false")),
        },
        Kind::Double => Value::F64(double(json, path)?),
        Kind::Float => {
            #[allow(clippy::cast_possible_truncation)]
            let narrow = double(json, path)? as f32;
            Value::F32(narrow)
        }
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => Value::I32(integer(json, path)?),
        Kind::Uint32 | Kind::Fixed32 => Value::U32(integer(json, path)?),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => Value::I64(integer(json, path)?),
        Kind::Uint64 | Kind::Fixed64 => Value::U64(integer(json, path)?),
    })
}

/// An integer, bare or quoted.
fn integer<T: std::str::FromStr>(json: &Json, path: &str) -> Result<T, ProtoError> {
    let text = match json {
        Json::Number(number) => number.to_string(),
        Json::String(text) => text.clone(),
        _ => return Err(wrong(path, "expected an integer")),
    };
    text.parse().map_err(|_| {
        wrong(
            path,
            &format!("`{text}` is no integer of this field's type"),
        )
    })
}

fn double(json: &Json, path: &str) -> Result<f64, ProtoError> {
    let number = match json {
        Json::Number(number) => number.as_f64(),
        Json::String(text) => text.parse().ok(),
        _ => None,
    };
    number.ok_or_else(|| wrong(path, "expected a number"))
}

fn text<'a>(json: &'a Json, path: &str) -> Result<&'a str, ProtoError> {
    json.as_str()
        .ok_or_else(|| wrong(path, "expected a string"))
}

fn any(
    descriptor: &MessageDescriptor,
    json: &Json,
    path: &str,
) -> Result<DynamicMessage, ProtoError> {
    let mut fields = json.clone();
    let url = fields
        .as_object_mut()
        .and_then(|fields| fields.shift_remove("@type"))
        .ok_or_else(|| wrong(path, "an Any needs `@type`"))?;
    let url = text(&url, &join(path, "@type"))?.to_owned();
    let inner = message(
        &super::descriptor(crate::any::type_name(&url))?,
        &fields,
        path,
    )?;
    let mut out = DynamicMessage::new(descriptor.clone());
    out.set_field_by_name("type_url", Value::String(url));
    out.set_field_by_name("value", Value::Bytes(inner.encode_to_vec().into()));
    Ok(out)
}

fn moment(
    descriptor: &MessageDescriptor,
    text: &str,
    path: &str,
) -> Result<DynamicMessage, ProtoError> {
    let parsed = match descriptor.name() {
        "Timestamp" => crate::time::parse_rfc3339(text),
        _ => crate::time::parse_duration(text),
    };
    let (seconds, nanos) =
        parsed.ok_or_else(|| wrong(path, &format!("`{text}` is no {}", descriptor.name())))?;
    let mut out = DynamicMessage::new(descriptor.clone());
    out.set_field_by_name("seconds", Value::I64(seconds));
    out.set_field_by_name("nanos", Value::I32(nanos));
    Ok(out)
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}

fn wrong(path: &str, reason: &str) -> ProtoError {
    ProtoError::Json {
        path: path.to_owned(),
        reason: reason.to_owned(),
    }
}
