//! Refusal of unknown fields, as the Cosmos SDK does for transactions.
//!
//! prost drops fields it does not know. A signature covers them, so a transaction with such fields would mean one thing
//! to us and another to a node that knows them. This walk over the wire bytes finds them first, and known fields of another
//! type than theirs, which nobody could read.

use prost::bytes::Buf;
use prost::encoding::{WireType, decode_key, decode_varint};
use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};

use crate::{ProtoError, descriptor_pool};

/// Nesting beyond which bytes are refused; the deepest real transaction (a proposal in an authz grant) has 12.
pub(crate) const DEPTH_MAX: u32 = 64;

/// The bit of a field's number that says that who does not know the field may ignore it.
const NON_CRITICAL: u32 = 1 << 10;

/// Checks that `bytes` hold only fields that `full_name` and the messages inside it have, `Any` contents included.
///
/// With `allow_non_critical`, numbers whose eleventh bit is set (1024 to 2047, and again every 2048) pass, here and in all
/// messages inside: the SDK's rule for `TxBody`.
///
/// # Errors
/// [`ProtoError::UnknownField`] with the first field that is unknown or of another type, [`ProtoError::UnknownType`] for an `Any` whose
/// type is not ours, [`ProtoError::Decode`] for broken wire bytes.
pub fn check(full_name: &str, bytes: &[u8], allow_non_critical: bool) -> Result<(), ProtoError> {
    let descriptor = descriptor_pool()
        .get_message_by_name(full_name)
        .ok_or_else(|| ProtoError::UnknownType(full_name.to_owned()))?;
    walk(&descriptor, bytes, allow_non_critical, 0)
}

fn walk(
    descriptor: &MessageDescriptor,
    bytes: &[u8],
    allow_non_critical: bool,
    depth: u32,
) -> Result<(), ProtoError> {
    let broken = |source| ProtoError::Decode {
        type_name: descriptor.full_name().to_owned(),
        source,
    };
    let unknown = |field: String| ProtoError::UnknownField {
        type_name: descriptor.full_name().to_owned(),
        field,
    };
    if depth > DEPTH_MAX {
        return Err(unknown("nesting too deep".to_owned()));
    }
    let mut any_type = None;
    let mut any_value = None;
    let is_any = descriptor.full_name() == "google.protobuf.Any";
    let mut rest = bytes;
    while rest.has_remaining() {
        let (number, wire) = decode_key(&mut rest).map_err(broken)?;
        let payload = field_payload(&mut rest, wire)
            .ok_or_else(|| unknown(format!("{number} (wire bytes end inside it)")))?;
        let Some(field) = descriptor.get_field(number) else {
            if allow_non_critical && number & NON_CRITICAL != 0 {
                continue;
            }
            return Err(unknown(number.to_string()));
        };
        if !fits(&field, wire) {
            return Err(unknown(format!("{number} (as {wire:?})")));
        }
        if wire != WireType::LengthDelimited {
            continue;
        }
        if is_any && number == 1 {
            any_type = std::str::from_utf8(payload).ok();
        } else if is_any && number == 2 {
            any_value = Some(payload);
        } else if let Kind::Message(inner) = field.kind() {
            walk(&inner, payload, allow_non_critical, depth.saturating_add(1))?;
        }
    }
    if let (Some(url), Some(value)) = (any_type, any_value) {
        let name = crate::any::type_name(url);
        let inner = descriptor_pool()
            .get_message_by_name(name)
            .ok_or_else(|| ProtoError::UnknownType(url.to_owned()))?;
        walk(&inner, value, allow_non_critical, depth.saturating_add(1))?;
    }
    Ok(())
}

/// Whether a field's values can be of a type on the wire; numbers of a list may also stand one after another in one value.
fn fits(field: &FieldDescriptor, wire: WireType) -> bool {
    let own = match field.kind() {
        Kind::Double | Kind::Fixed64 | Kind::Sfixed64 => WireType::SixtyFourBit,
        Kind::Float | Kind::Fixed32 | Kind::Sfixed32 => WireType::ThirtyTwoBit,
        Kind::String | Kind::Bytes | Kind::Message(_) => WireType::LengthDelimited,
        _ => WireType::Varint,
    };
    wire == own || (field.is_list() && wire == WireType::LengthDelimited)
}

/// Takes one field's bytes off the front; `None` when they end early or the wire type is a group.
pub(crate) fn field_payload<'a>(rest: &mut &'a [u8], wire: WireType) -> Option<&'a [u8]> {
    let length = match wire {
        WireType::Varint => {
            let before = *rest;
            decode_varint(rest).ok()?;
            return before.get(..before.len().checked_sub(rest.len())?);
        }
        WireType::ThirtyTwoBit => 4,
        WireType::SixtyFourBit => 8,
        WireType::LengthDelimited => usize::try_from(decode_varint(rest).ok()?).ok()?,
        WireType::StartGroup | WireType::EndGroup => return None,
    };
    let (payload, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some(payload)
}

#[cfg(test)]
mod tests {
    use prost::Message;

    use super::*;

    #[test]
    fn a_known_field_of_another_type_is_refused_however_deep() {
        let exec = |value: &[u8]| {
            crate::cosmos::authz::v1beta1::MsgExec {
                grantee: "grantee".to_owned(),
                msgs: vec![prost_types::Any {
                    type_url: "/pocket.proof.MsgSubmitProof".to_owned(),
                    value: value.to_vec(),
                }],
            }
            .encode_to_vec()
        };
        let checked = |value: &[u8]| check("cosmos.authz.v1beta1.MsgExec", &exec(value), true);
        assert!(checked(b"\x0a\x01a").is_ok());
        assert!(checked(b"\x08\x01").is_err());
        // Numbers of a list, here ids that are field 13, may be packed.
        let ids = |bytes: &[u8]| check("cosmos.staking.v1beta1.Validator", bytes, false);
        assert!(ids(b"\x6a\x02\x01\x02").is_ok() && ids(b"\x68\x01").is_ok());
        assert!(ids(b"\x6d\x01\x00\x00\x00").is_err());
        // A single one, field 3, may not.
        assert!(ids(b"\x18\x01").is_ok());
        assert!(ids(b"\x1a\x01\x01").is_err());
    }
}
