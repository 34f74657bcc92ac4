//! Fields of a request from the text of a path or of a URI's query, as grpc-gateway fills them: nested names with dots,
//! repeated fields from repeated keys, enums by name or number, bytes in either base64. Words for what cannot be read
//! are Go's.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use prost_reflect::{
    DynamicMessage, EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor, ReflectMessage as _,
    Value,
};

/// Fills the field at `path` from the values of its key. A field that does not exist is left out.
///
/// # Errors
/// What Go says about a value that does not fit.
pub(super) fn fill(
    message: &mut DynamicMessage,
    path: &str,
    values: &[String],
) -> Result<(), String> {
    let (name, rest) = match path.split_once('.') {
        Some((name, rest)) => (name, Some(rest)),
        None => (path, None),
    };
    let Some(field) = field_of(&message.descriptor(), name) else {
        return Ok(());
    };
    if let Some(rest) = rest {
        if field.is_list() || field.kind().as_message().is_none() {
            return Err(format!("non-aggregate type in the mid of path: {path}"));
        }
        return match message.get_field_mut(&field) {
            Value::Message(inner) => fill(inner, rest, values),
            _ => Ok(()),
        };
    }
    if field.is_list() {
        let items = values.iter().map(|text| scalar(&field, text));
        let items = items.collect::<Result<Vec<_>, _>>()?;
        message.set_field(&field, Value::List(items));
    } else if let Some(text) = values.first() {
        message.set_field(&field, scalar(&field, text)?);
    }
    Ok(())
}

fn field_of(descriptor: &MessageDescriptor, name: &str) -> Option<FieldDescriptor> {
    descriptor
        .get_field_by_name(name)
        .or_else(|| descriptor.get_field_by_json_name(name))
}

/// The value of a text for one field.
///
/// # Errors
/// What Go says.
pub(super) fn scalar(field: &FieldDescriptor, text: &str) -> Result<Value, String> {
    Ok(match field.kind() {
        Kind::String => Value::String(text.to_owned()),
        Kind::Bytes => Value::Bytes(base64_bytes(text)?.into()),
        Kind::Bool => Value::Bool(flag(text)?),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => Value::I64(integer("ParseInt", text)?),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => Value::I32(integer("ParseInt", text)?),
        Kind::Uint64 | Kind::Fixed64 => Value::U64(integer("ParseUint", text)?),
        Kind::Uint32 | Kind::Fixed32 => Value::U32(integer("ParseUint", text)?),
        Kind::Double => Value::F64(float(text)?),
        #[allow(clippy::cast_possible_truncation)]
        Kind::Float => Value::F32(float(text)? as f32),
        Kind::Enum(kind) => Value::EnumNumber(enumeration(&kind, text)?),
        Kind::Message(_) => return Err(format!("unsupported field type {}", field.full_name())),
    })
}

/// Bytes as base64 of either alphabet.
///
/// # Errors
/// What Go says.
pub(crate) fn base64_bytes(text: &str) -> Result<Vec<u8>, String> {
    STANDARD.decode(text).or_else(|_| {
        URL_SAFE.decode(text).map_err(|error| {
            let offset = match error {
                base64::DecodeError::InvalidByte(offset, _)
                | base64::DecodeError::InvalidLastSymbol(offset, _) => offset,
                _ => text.len(),
            };
            format!("illegal base64 data at input byte {offset}")
        })
    })
}

fn flag(text: &str) -> Result<bool, String> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err(wrong("ParseBool", text, "invalid syntax")),
    }
}

fn float(text: &str) -> Result<f64, String> {
    text.parse()
        .map_err(|_| wrong("ParseFloat", text, "invalid syntax"))
}

/// An integer in the base that its prefix says, as Go reads it.
fn integer<T: TryFrom<i128>>(parser: &str, text: &str) -> Result<T, String> {
    let invalid = || wrong(parser, text, "invalid syntax");
    let (negative, digits) = match text.as_bytes() {
        [b'-', ..] if parser == "ParseInt" => (true, &text[1..]),
        [b'+', ..] if parser == "ParseInt" => (false, &text[1..]),
        _ => (false, text),
    };
    let lower = digits.to_ascii_lowercase();
    let (base, digits) = match lower.as_bytes() {
        [b'0', b'x', ..] => (16, &lower[2..]),
        [b'0', b'b', ..] => (2, &lower[2..]),
        [b'0', b'o', ..] => (8, &lower[2..]),
        [b'0', _, ..] => (8, &lower[1..]),
        _ => (10, lower.as_str()),
    };
    if digits.is_empty() || !digits.chars().all(|digit| digit.is_digit(base)) {
        return Err(invalid());
    }
    let out_of_range = || wrong(parser, text, "value out of range");
    let value = i128::from_str_radix(digits, base).map_err(|_| out_of_range())?;
    let value = if negative { -value } else { value };
    T::try_from(value).map_err(|_| out_of_range())
}

fn wrong(parser: &str, text: &str, why: &str) -> String {
    format!("strconv.{parser}: parsing {text:?}: {why}")
}

fn enumeration(kind: &EnumDescriptor, text: &str) -> Result<i32, String> {
    if let Some(value) = kind.get_value_by_name(text) {
        return Ok(value.number());
    }
    let number = text.parse().ok();
    number
        .filter(|number| kind.get_value(*number).is_some())
        .ok_or_else(|| format!("{text} is not valid"))
}

#[cfg(test)]
mod tests {
    use prost::Message as _;
    use proto::cosmos::base::query::v1beta1::PageRequest;
    use proto::cosmos::staking::v1beta1::QueryValidatorsRequest;
    use proto::cosmos::tx::v1beta1::GetTxsEventRequest;

    use super::*;

    fn filled<M: prost::Message + prost::Name + Default>(
        pairs: &[(&str, &str)],
    ) -> Result<M, String> {
        let descriptor = proto::descriptor_pool()
            .get_message_by_name(&M::full_name())
            .unwrap();
        let mut message = DynamicMessage::new(descriptor);
        for (path, value) in pairs {
            let values: Vec<String> = value.split('|').map(str::to_owned).collect();
            fill(&mut message, path, &values)?;
        }
        Ok(M::decode(message.encode_to_vec().as_slice()).unwrap())
    }

    #[test]
    fn nested_repeated_enum_and_bytes() {
        let request: QueryValidatorsRequest = filled(&[
            ("status", "BOND_STATUS_BONDED"),
            ("pagination.limit", "0x10"),
            ("pagination.key", "-_8="),
            ("pagination.count_total", "T"),
            ("nothing.of.this", "1"),
        ])
        .unwrap();
        assert_eq!(request.status, "BOND_STATUS_BONDED");
        let page = PageRequest {
            key: vec![0xfb, 0xff].into(),
            limit: 16,
            count_total: true,
            ..PageRequest::default()
        };
        assert_eq!(request.pagination, Some(page));
        let request: GetTxsEventRequest =
            filled(&[("events", "a='b'|c='d'"), ("orderBy", "ORDER_BY_DESC")]).unwrap();
        assert_eq!(request.events, ["a='b'", "c='d'"]);
        assert_eq!(request.order_by, 2);
        let request: GetTxsEventRequest = filled(&[("order_by", "1")]).unwrap();
        assert_eq!(request.order_by, 1);
    }

    #[test]
    fn errors_are_gos() {
        let refused = |path: &str, value: &str| {
            filled::<QueryValidatorsRequest>(&[(path, value)]).unwrap_err()
        };
        assert_eq!(
            refused("pagination.limit", "abc"),
            "strconv.ParseUint: parsing \"abc\": invalid syntax"
        );
        assert_eq!(
            refused("pagination.limit", "18446744073709551616"),
            "strconv.ParseUint: parsing \"18446744073709551616\": value out of range"
        );
        assert_eq!(
            refused("pagination.reverse", "yes"),
            "strconv.ParseBool: parsing \"yes\": invalid syntax"
        );
        assert_eq!(
            refused("pagination.key", "!"),
            "illegal base64 data at input byte 0"
        );
        assert!(refused("status.x", "1").starts_with("non-aggregate"));
        let error = filled::<GetTxsEventRequest>(&[("order_by", "9")]).unwrap_err();
        assert_eq!(error, "9 is not valid");
    }
}
