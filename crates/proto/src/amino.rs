//! Amino JSON: what hardware wallets and older extensions sign (`SIGN_MODE_LEGACY_AMINO_JSON`, chain specification 0.2).
//!
//! Names are sorted, empty fields left out unless their `.proto` file says otherwise, 64-bit integers quoted, enums
//! numbers, bytes base64, `<`, `>`, `&` and U+2028/9 escaped. A message inside of an `Any` is an object of `type` and
//! `value`. Some messages have no form: those with a `double`, a map, or a oneof without amino names.
//!
//! The form is made from the encoded message, because it tells an absent message from an empty one.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use prost_reflect::{DynamicMessage, FieldDescriptor, ReflectMessage, Value};

use crate::cosmos::base::v1beta1::Coin;
use crate::cosmos::tx::v1beta1::{Fee, TxBody};
use crate::json::{decode_dynamic, write_string};
use crate::{ProtoError, any};

mod table;

#[cfg(test)]
mod tests;

/// Nesting beyond which there is no form; [`crate::unknown`] refuses such transactions as well.
const DEPTH_MAX: u32 = 64;

/// Digits after the point of a decimal number.
const DECIMALS: usize = 18;

/// Longest text of a decimal number: 315 bits and a sign, as the SDK's.
const DECIMAL_LENGTH_MAX: usize = 97;

/// What one message is called, and its fields that are not written plainly.
struct Message {
    full_name: &'static str,
    /// Name in an `Any`; empty for the type URL.
    amino_name: &'static str,
    fields: &'static [Field],
}

/// How one field is written.
#[derive(Clone, Copy)]
struct Field {
    name: &'static str,
    encoding: Encoding,
    /// Written also when empty.
    kept: bool,
    amino_name: &'static str,
    /// Name as a member of its oneof; empty outside of one.
    member: &'static str,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Plain,
    /// A list that is `[]` when empty, not `null`.
    Coins,
    /// The integer behind a decimal number with 18 digits after the point.
    Dec,
    /// An integer as text; `0` when empty.
    Int,
}

impl Field {
    const fn kept(mut self) -> Self {
        self.kept = true;
        self
    }

    const fn called(mut self, amino_name: &'static str) -> Self {
        self.amino_name = amino_name;
        self
    }

    const fn member(mut self, member: &'static str) -> Self {
        self.member = member;
        self
    }
}

/// The text that a signer of a transaction signs.
///
/// # Errors
/// [`ProtoError::Json`] when a message of it has no form.
pub fn sign_doc(
    body: &TxBody,
    fee: &Fee,
    chain_id: &str,
    account_number: u64,
    sequence: u64,
) -> Result<String, ProtoError> {
    let mut out = format!("{{\"account_number\":\"{account_number}\",\"chain_id\":");
    write_string(&mut out, chain_id);
    out.push_str(",\"fee\":{\"amount\":[");
    for (place, coin) in fee.amount.iter().enumerate() {
        if place > 0 {
            out.push(',');
        }
        write_coin(&mut out, coin);
    }
    out.push_str(&format!("],\"gas\":\"{}\"", fee.gas_limit));
    for (key, value) in [("granter", &fee.granter), ("payer", &fee.payer)] {
        if !value.is_empty() {
            out.push_str(&format!(",\"{key}\":"));
            write_string(&mut out, value);
        }
    }
    out.push_str("},\"memo\":");
    write_string(&mut out, &body.memo);
    out.push_str(",\"msgs\":[");
    for (place, message) in body.messages.iter().enumerate() {
        if place > 0 {
            out.push(',');
        }
        write_any(&mut out, &message.type_url, &message.value, DEPTH_MAX)?;
    }
    out.push_str(&format!("],\"sequence\":\"{sequence}\""));
    if body.timeout_height != 0 {
        out.push_str(&format!(",\"timeout_height\":\"{}\"", body.timeout_height));
    }
    if let Some(time) = &body.timeout_timestamp {
        let text = timestamp(time.seconds, time.nanos.into())?;
        out.push_str(&format!(",\"timeout_timestamp\":\"{text}\""));
    }
    if body.unordered {
        out.push_str(",\"unordered\":true");
    }
    out.push('}');
    Ok(out)
}

fn write_coin(out: &mut String, coin: &Coin) {
    let amount = if coin.amount.is_empty() {
        "0"
    } else {
        &coin.amount
    };
    out.push_str("{\"amount\":");
    write_string(out, amount);
    if !coin.denom.is_empty() {
        out.push_str(",\"denom\":");
        write_string(out, &coin.denom);
    }
    out.push('}');
}

fn write_any(out: &mut String, type_url: &str, value: &[u8], depth: u32) -> Result<(), ProtoError> {
    let full_name = any::type_name(type_url);
    let message = decode_dynamic(full_name, value)?;
    let rules = rules(full_name);
    out.push_str("{\"type\":");
    match rules.filter(|rules| !rules.amino_name.is_empty()) {
        Some(rules) => write_string(out, rules.amino_name),
        None => write_string(out, &format!("/{full_name}")),
    }
    out.push_str(",\"value\":");
    write_message(out, &message, depth)?;
    out.push('}');
    Ok(())
}

fn write_message(out: &mut String, message: &DynamicMessage, depth: u32) -> Result<(), ProtoError> {
    let full_name = message.descriptor().full_name().to_owned();
    let Some(depth) = depth.checked_sub(1) else {
        return Err(no_form(&full_name, "nested too deep"));
    };
    match full_name.as_str() {
        "google.protobuf.Any" => {
            let type_url = text(message, "type_url");
            return write_any(out, &type_url, &bytes(message, "value"), depth);
        }
        "google.protobuf.Timestamp" => {
            let text = timestamp(integer(message, "seconds"), integer(message, "nanos"))?;
            out.push_str(&format!("\"{text}\""));
            return Ok(());
        }
        "google.protobuf.Duration" => {
            let nanos = integer(message, "seconds")
                .checked_mul(1_000_000_000)
                .and_then(|nanos| nanos.checked_add(integer(message, "nanos")))
                .ok_or_else(|| no_form(&full_name, "is too long"))?;
            out.push_str(&format!("\"{nanos}\""));
            return Ok(());
        }
        "cosmos.crypto.secp256k1.PubKey" | "cosmos.crypto.ed25519.PubKey" => {
            match bytes(message, "key") {
                key if key.is_empty() => out.push_str("null"),
                key => out.push_str(&format!("\"{}\"", STANDARD.encode(key))),
            }
            return Ok(());
        }
        "cosmos.crypto.multisig.LegacyAminoPubKey" => {
            out.push_str("{\"pubkeys\":");
            let keys = message.get_field_by_name("public_keys");
            write_list(out, keys.as_deref(), &full_name, depth)?;
            let threshold = integer(message, "threshold");
            out.push_str(&format!(",\"threshold\":\"{threshold}\"}}"));
            return Ok(());
        }
        _ => {}
    }
    write_fields(out, message, &full_name, depth)
}

fn write_fields(
    out: &mut String,
    message: &DynamicMessage,
    full_name: &str,
    depth: u32,
) -> Result<(), ProtoError> {
    let rules = rules(full_name);
    let mut fields = Vec::new();
    for descriptor in message.descriptor().fields() {
        let rule = rule(rules, &descriptor);
        let sorts_as = match descriptor.containing_oneof() {
            None => rule.map_or_else(
                || descriptor.name().to_owned(),
                |rule| rule.amino_name.to_owned(),
            ),
            Some(oneof) if rule.is_some_and(|rule| !rule.member.is_empty()) => camel(oneof.name()),
            Some(_) => return Err(no_form(full_name, "has a oneof without amino names")),
        };
        fields.push((sorts_as, descriptor, rule));
    }
    fields.sort_by(|(a, ..), (b, ..)| a.cmp(b));
    let mut empty_oneofs = BTreeSet::new();
    let mut first = true;
    out.push('{');
    for (name, descriptor, rule) in &fields {
        let set = message.has_field(descriptor);
        let in_oneof = descriptor.containing_oneof();
        let mut null = false;
        if let Some(oneof) = in_oneof.as_ref().filter(|_| !set) {
            let none = oneof.fields().all(|member| !message.has_field(&member));
            if !none || !empty_oneofs.insert(name) {
                continue;
            }
            null = true;
        } else if !set && !rule.is_some_and(|rule| rule.kept) {
            continue;
        } else if !set && descriptor.kind().as_message().is_some() && !descriptor.is_list() {
            let reason = format!("needs its field `{}`", descriptor.name());
            return Err(no_form(full_name, &reason));
        }
        if !std::mem::take(&mut first) {
            out.push(',');
        }
        write_string(out, name);
        out.push(':');
        if null {
            out.push_str("null");
        } else if let (Some(_), Some(rule)) = (&in_oneof, rule) {
            out.push_str("{\"type\":");
            write_string(out, rule.member);
            out.push_str(",\"value\":{");
            write_string(out, rule.amino_name);
            out.push(':');
            write_value(out, &message.get_field(descriptor), full_name, depth)?;
            out.push_str("}}");
        } else {
            write_field(out, message, descriptor, *rule, full_name, depth)?;
        }
    }
    out.push('}');
    Ok(())
}

fn write_field(
    out: &mut String,
    message: &DynamicMessage,
    descriptor: &FieldDescriptor,
    rule: Option<&Field>,
    full_name: &str,
    depth: u32,
) -> Result<(), ProtoError> {
    let value = message.get_field(descriptor);
    let encoding = rule.map_or(Encoding::Plain, |rule| rule.encoding);
    match (encoding, value.as_ref()) {
        (Encoding::Plain, Value::List(items)) if items.is_empty() => out.push_str("null"),
        (Encoding::Int | Encoding::Dec, Value::String(text)) if text.is_empty() => {
            out.push_str("\"0\"");
        }
        (Encoding::Dec, Value::Bytes(digits)) if digits.is_empty() => out.push_str("\"0\""),
        (Encoding::Dec, Value::String(_) | Value::Bytes(_)) => {
            let digits = match value.as_ref() {
                Value::String(text) => Some(text.as_str()),
                Value::Bytes(digits) => std::str::from_utf8(digits).ok(),
                _ => None,
            };
            let text = digits.and_then(decimal).ok_or_else(|| {
                let reason = format!("`{}` is not a decimal number", descriptor.name());
                no_form(full_name, &reason)
            })?;
            write_string(out, &text);
        }
        (_, value) => write_value(out, value, full_name, depth)?,
    }
    Ok(())
}

fn write_list(
    out: &mut String,
    list: Option<&Value>,
    full_name: &str,
    depth: u32,
) -> Result<(), ProtoError> {
    let items = list.and_then(Value::as_list).unwrap_or_default();
    out.push('[');
    for (place, item) in items.iter().enumerate() {
        if place > 0 {
            out.push(',');
        }
        write_value(out, item, full_name, depth)?;
    }
    out.push(']');
    Ok(())
}

fn write_value(
    out: &mut String,
    value: &Value,
    full_name: &str,
    depth: u32,
) -> Result<(), ProtoError> {
    match value {
        Value::Bool(value) => out.push_str(&value.to_string()),
        Value::I32(value) | Value::EnumNumber(value) => out.push_str(&value.to_string()),
        Value::U32(value) => out.push_str(&value.to_string()),
        Value::I64(value) => out.push_str(&format!("\"{value}\"")),
        Value::U64(value) => out.push_str(&format!("\"{value}\"")),
        Value::String(value) => write_string(out, value),
        Value::Bytes(value) => out.push_str(&format!("\"{}\"", STANDARD.encode(value))),
        Value::Message(inner) => write_message(out, inner, depth)?,
        Value::List(_) => write_list(out, Some(value), full_name, depth)?,
        Value::F32(_) | Value::F64(_) => return Err(no_form(full_name, "has a double")),
        Value::Map(_) => return Err(no_form(full_name, "has a map")),
    }
    Ok(())
}

fn rules(full_name: &str) -> Option<&'static Message> {
    let place = table::MESSAGES.binary_search_by(|message| message.full_name.cmp(full_name));
    table::MESSAGES.get(place.ok()?)
}

fn rule(rules: Option<&'static Message>, field: &FieldDescriptor) -> Option<&'static Field> {
    let mut fields = rules?.fields.iter();
    fields.find(|rule| rule.name == field.name())
}

fn no_form(full_name: &str, reason: &str) -> ProtoError {
    ProtoError::Json {
        path: full_name.to_owned(),
        reason: format!("has no form in amino JSON: {reason}"),
    }
}

fn text(message: &DynamicMessage, name: &str) -> String {
    match message.get_field_by_name(name).as_deref() {
        Some(Value::String(text)) => text.clone(),
        _ => String::new(),
    }
}

fn bytes(message: &DynamicMessage, name: &str) -> Vec<u8> {
    match message.get_field_by_name(name).as_deref() {
        Some(Value::Bytes(bytes)) => bytes.to_vec(),
        _ => Vec::new(),
    }
}

fn integer(message: &DynamicMessage, name: &str) -> i64 {
    match message.get_field_by_name(name).as_deref() {
        Some(Value::I64(value)) => *value,
        Some(Value::I32(value)) => i64::from(*value),
        Some(Value::U32(value)) => i64::from(*value),
        _ => 0,
    }
}

fn timestamp(seconds: i64, nanos: i64) -> Result<String, ProtoError> {
    let valid = (-62_135_596_800..=253_402_300_799).contains(&seconds)
        && (0..1_000_000_000).contains(&nanos);
    if valid {
        Ok(crate::time::rfc3339(seconds, nanos))
    } else {
        Err(no_form("google.protobuf.Timestamp", "is no moment"))
    }
}

/// `100000000000000000` is `0.100000000000000000`.
fn decimal(scaled: &str) -> Option<String> {
    let (sign, digits) = match scaled.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", scaled),
    };
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !plain || digits.len() > DECIMAL_LENGTH_MAX {
        return None;
    }
    let digits = digits.trim_start_matches('0');
    let padded = format!("{digits:0>width$}", width = DECIMALS + 1);
    let (whole, fraction) = padded.split_at_checked(padded.len().checked_sub(DECIMALS)?)?;
    let sign = if digits.is_empty() { "" } else { sign };
    Some(format!("{sign}{whole}.{fraction}"))
}

/// `stake_authorization` is `StakeAuthorization`.
fn camel(name: &str) -> String {
    name.split('_')
        .flat_map(|word| {
            let mut characters = word.chars();
            let head = characters.next().map(|head| head.to_ascii_uppercase());
            head.into_iter().chain(characters)
        })
        .collect()
}
