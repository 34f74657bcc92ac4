//! Numbers that messages hold as text, read as the reference reads them.
//!
//! Amounts and decimals (`gogoproto.customtype`) travel as text. The reference turns each into a number when it reads a
//! message: text that is none, or is too large, makes the message unreadable, and what is kept, shown and signed
//! in amino JSON is the number, not the text. Go reads whole numbers in the notation of its source code: `0x1f`, `0b11`,
//! `0o17`, a leading zero for octal, underscores between digits, a sign. An empty text is no number at all and stays, but
//! for the amount of a coin in a message: one that is not told is zero.

use std::borrow::Cow;

use prost::encoding::{WireType, decode_key, encode_key, encode_varint};
use prost_reflect::{Kind, MessageDescriptor};

use crate::json::options::{Number, form};
use crate::unknown::{DEPTH_MAX, field_payload};
use crate::{ProtoError, descriptor_pool};

/// 2^256: amounts are below it.
const WHOLE_END: &str =
    "115792089237316195423570985008687907853269984665640564039457584007913129639936";

/// The type whose amount is zero when it is left out, and the amount's number.
const COIN: (&str, u32) = ("cosmos.base.v1beta1.Coin", 2);

/// The type in which it is not: the reference refuses such a fee.
const WITH_FEE: &str = "cosmos.tx.v1beta1.AuthInfo";

/// Zeros that follow in the end of decimals, which are counted in units of 10^-18.
const DECIMAL_PLACES: usize = 18;

/// Digits beyond which a text is too large in any base, leading zeros left aside: 2^256 * 10^18 has 316 bits.
const DIGITS_MAX: usize = 320;

/// The encoding of a message with all its numbers, those inside of every `Any` included, in their one decimal form;
/// borrowed when they are in it already.
///
/// # Errors
/// [`ProtoError::Number`] for a text that is no number or too large, [`ProtoError::UnknownType`] for a message or an `Any`
/// whose type is not ours, [`ProtoError::Decode`] or [`ProtoError::UnknownField`] for broken wire bytes.
pub fn canonical<'a>(full_name: &str, bytes: &'a [u8]) -> Result<Cow<'a, [u8]>, ProtoError> {
    let descriptor = message(full_name)?;
    let fill = full_name != WITH_FEE;
    Ok(walk(&descriptor, bytes, 0, fill)?.map_or(Cow::Borrowed(bytes), Cow::Owned))
}

fn message(full_name: &str) -> Result<MessageDescriptor, ProtoError> {
    descriptor_pool()
        .get_message_by_name(full_name)
        .ok_or_else(|| ProtoError::UnknownType(full_name.to_owned()))
}

/// The bytes of a message with what has to change; `None` when nothing has. `fill` tells amounts that are left out.
fn walk(
    descriptor: &MessageDescriptor,
    bytes: &[u8],
    depth: u32,
    fill: bool,
) -> Result<Option<Vec<u8>>, ProtoError> {
    let broken = |what: String| ProtoError::UnknownField {
        type_name: descriptor.full_name().to_owned(),
        field: what,
    };
    if depth > DEPTH_MAX {
        return Err(broken("nesting too deep".to_owned()));
    }
    let inside = if descriptor.full_name() == "google.protobuf.Any" {
        any_content(bytes)?
    } else {
        None
    };
    let is_coin = fill && descriptor.full_name() == COIN.0;
    let mut amount_left_out = is_coin;
    let mut told = Vec::new();
    let mut out: Option<Vec<u8>> = None;
    let mut rest = bytes;
    while !rest.is_empty() {
        let before = rest;
        let (number, wire) = decode_key(&mut rest).map_err(|source| ProtoError::Decode {
            type_name: descriptor.full_name().to_owned(),
            source,
        })?;
        let payload = field_payload(&mut rest, wire)
            .ok_or_else(|| broken(format!("{number} (wire bytes end inside it)")))?;
        if is_coin && number == COIN.1 && wire == WireType::LengthDelimited {
            if payload.is_empty() {
                // It says nothing: an amount told before it stays.
                let done = bytes.len().saturating_sub(before.len());
                out.get_or_insert_with(|| bytes.split_at(done).0.to_vec());
                continue;
            }
            amount_left_out = false;
        }
        let changed = match (&inside, descriptor.get_field(number)) {
            (Some(content), Some(_)) if number == 2 => {
                walk(content, payload, depth.saturating_add(1), fill)?
            }
            (None, Some(field)) if wire == WireType::LengthDelimited => {
                if let Kind::Message(inner) = field.kind() {
                    // Told again, a message adds to what it said before.
                    let first = field.is_list() || !told.contains(&number);
                    if first && !field.is_list() {
                        told.push(number);
                    }
                    walk(&inner, payload, depth.saturating_add(1), fill && first)?
                } else if let Some(kind) = form(&field).number {
                    rewritten(kind, payload).map_err(|reason| ProtoError::Number {
                        field: field.full_name().to_owned(),
                        reason,
                    })?
                } else {
                    None
                }
            }
            _ => None,
        };
        let length = before.len().saturating_sub(rest.len());
        let (raw, _) = before.split_at(length);
        if let Some(changed) = changed {
            let done = bytes.len().saturating_sub(before.len());
            let out = out.get_or_insert_with(|| bytes.split_at(done).0.to_vec());
            encode_key(number, WireType::LengthDelimited, out);
            encode_varint(u64::try_from(changed.len()).unwrap_or(u64::MAX), out);
            out.extend_from_slice(&changed);
        } else if let Some(out) = &mut out {
            out.extend_from_slice(raw);
        }
    }
    if amount_left_out {
        let out = out.get_or_insert_with(|| bytes.to_vec());
        encode_key(COIN.1, WireType::LengthDelimited, out);
        out.extend_from_slice(b"\x010");
    }
    Ok(out)
}

/// The type of what an `Any` holds.
fn any_content(bytes: &[u8]) -> Result<Option<MessageDescriptor>, ProtoError> {
    let any: prost_types::Any =
        prost::Message::decode(bytes).map_err(|source| ProtoError::Decode {
            type_name: "google.protobuf.Any".to_owned(),
            source,
        })?;
    if any.value.is_empty() {
        return Ok(None);
    }
    message(crate::any::type_name(&any.type_url)).map(Some)
}

/// The decimal form of a number when its text has another; `None` when it is in it, or empty.
fn rewritten(kind: Number, text: &[u8]) -> Result<Option<Vec<u8>>, &'static str> {
    if text.is_empty() {
        return Ok(None);
    }
    let text = std::str::from_utf8(text).map_err(|_| "not a number")?;
    let number = read(text)?;
    let places = match kind {
        Number::Whole => 0,
        Number::Decimal => DECIMAL_PLACES,
    };
    let end = format!("{WHOLE_END}{}", "0".repeat(places));
    let digits = number.strip_prefix('-').unwrap_or(&number);
    if (digits.len(), digits) >= (end.len(), end.as_str()) {
        return Err("out of range");
    }
    Ok((number != text).then(|| number.into_bytes()))
}

/// Reads a whole number as Go's `big.Int` reads text, and writes it in decimal.
fn read(text: &str) -> Result<String, &'static str> {
    let (sign, unsigned) = match text.strip_prefix(['+', '-']) {
        Some(rest) => (text.starts_with('-'), rest),
        None => (false, text),
    };
    let lower = unsigned.to_ascii_lowercase();
    let (base, digits) = match lower.split_at_checked(2) {
        Some(("0x", rest)) => (16, rest),
        Some(("0b", rest)) => (2, rest),
        Some(("0o", rest)) => (8, rest),
        _ if lower.len() > 1 && lower.starts_with('0') => (8, lower.as_str()),
        _ => (10, lower.as_str()),
    };
    // Underscores stand between digits, or between the prefix and the first of them.
    let after_prefix = digits.len() < lower.len();
    let separated = digits.strip_prefix('_').filter(|_| after_prefix);
    let parts = separated.unwrap_or(digits).split('_');
    let mut plain = String::new();
    for part in parts {
        if part.is_empty() || !part.chars().all(|digit| digit.is_digit(base)) {
            return Err("not a number");
        }
        plain.push_str(part);
    }
    let plain = plain.trim_start_matches('0');
    if plain.is_empty() {
        return Ok("0".to_owned());
    }
    if plain.len() > DIGITS_MAX {
        return Err("out of range");
    }
    let decimal = if base == 10 {
        plain.to_owned()
    } else {
        to_decimal(plain, base)
    };
    Ok(if sign { format!("-{decimal}") } else { decimal })
}

/// The decimal digits of a number in another base of at most 16.
fn to_decimal(digits: &str, base: u32) -> String {
    // Lowest first.
    let mut out: Vec<u32> = vec![0];
    for digit in digits.chars().filter_map(|digit| digit.to_digit(base)) {
        let mut carry = digit;
        for place in &mut out {
            let value = place.saturating_mul(base).saturating_add(carry);
            *place = value % 10;
            carry = value / 10;
        }
        while carry > 0 {
            out.push(carry % 10);
            carry /= 10;
        }
    }
    out.iter()
        .rev()
        .filter_map(|digit| char::from_digit(*digit, 10))
        .collect()
}

#[cfg(test)]
mod tests {
    use prost::Message;

    use super::*;
    use crate::cosmos::authz::v1beta1::MsgExec;
    use crate::cosmos::bank::v1beta1::MsgSend;
    use crate::cosmos::base::v1beta1::Coin;

    fn send(amount: &str) -> MsgSend {
        MsgSend {
            from_address: "from".to_owned(),
            to_address: "to".to_owned(),
            amount: vec![Coin {
                denom: "upokt".to_owned(),
                amount: amount.to_owned(),
            }],
        }
    }

    fn read_back(amount: &str) -> Result<String, ProtoError> {
        let bytes = send(amount).encode_to_vec();
        let bytes = canonical("cosmos.bank.v1beta1.MsgSend", &bytes)?;
        let read = MsgSend::decode(&*bytes).unwrap();
        assert_eq!(read.to_address, "to");
        Ok(read.amount[0].amount.clone())
    }

    #[test]
    fn numbers_are_read_as_go_reads_them() {
        let largest =
            "115792089237316195423570985008687907853269984665640564039457584007913129639935";
        let hex = format!("0x{}", "f".repeat(64));
        for (text, number) in [
            ("0", "0"),
            ("5", "5"),
            ("-5", "-5"),
            ("+5", "5"),
            ("-0", "0"),
            ("010", "8"),
            ("0_7", "7"),
            ("0o17", "15"),
            ("0x1F", "31"),
            ("0x_1f", "31"),
            ("0b101", "5"),
            ("1_000", "1000"),
            ("", "0"),
            (largest, largest),
            (&hex, largest),
        ] {
            assert_eq!(read_back(text).unwrap(), number, "{text}");
        }
        let beyond = format!("0x1{}", "0".repeat(64));
        for text in [
            "abc", "1.5", "1e3", "08", "_1", "1_", "1__0", "0x", "0x_", "--1", " 1", "1 ", "0_",
            "+", "-", WHOLE_END, &beyond,
        ] {
            let error = read_back(text).unwrap_err();
            assert!(
                matches!(error, ProtoError::Number { .. }),
                "{text}: {error}"
            );
        }
    }

    #[test]
    fn a_fee_without_an_amount_stays_one() {
        let told = crate::cosmos::tx::v1beta1::AuthInfo {
            fee: Some(crate::cosmos::tx::v1beta1::Fee {
                amount: send("").amount,
                ..Default::default()
            }),
            ..Default::default()
        };
        let bytes = told.encode_to_vec();
        assert_eq!(&*canonical(WITH_FEE, &bytes).unwrap(), bytes);
    }

    #[test]
    fn an_empty_amount_says_nothing() {
        let read = |bytes: &[u8]| {
            let bytes = canonical(COIN.0, bytes).unwrap();
            Coin::decode(&*bytes).unwrap().amount
        };
        assert_eq!(read(b"\x0a\x05upokt\x12\x0212\x12\x00"), "12");
        assert_eq!(read(b"\x12\x00\x0a\x05upokt\x12\x017"), "7");
        assert_eq!(read(b"\x12\x00\x0a\x05upokt"), "0");
        // Nor does a coin of nothing, where one was told before it.
        let twice = b"\x12\x0b\x0a\x05upokt\x12\x0212\x12\x00";
        let twice = canonical("pocket.gateway.MsgStakeGateway", twice).unwrap();
        let twice = crate::pocket::gateway::MsgStakeGateway::decode(&*twice).unwrap();
        assert_eq!(twice.stake.unwrap().amount, "12");
    }

    #[test]
    fn numbers_inside_of_an_any_count_and_what_is_right_is_left_alone() {
        let exec = |amount: &str| {
            MsgExec {
                grantee: "grantee".to_owned(),
                msgs: vec![
                    crate::any::pack(&send("7")),
                    crate::any::pack(&send(amount)),
                ],
            }
            .encode_to_vec()
        };
        let name = "cosmos.authz.v1beta1.MsgExec";
        assert!(matches!(
            canonical(name, &exec("12")).unwrap(),
            Cow::Borrowed(_)
        ));
        assert_eq!(&*canonical(name, &exec("0xc")).unwrap(), exec("12"));
        assert!(canonical(name, &exec("twelve")).is_err());
    }

    #[test]
    fn decimals_have_eighteen_more_digits() {
        let coin = |amount: &str| {
            crate::cosmos::base::v1beta1::DecCoin {
                denom: "upokt".to_owned(),
                amount: amount.to_owned(),
            }
            .encode_to_vec()
        };
        let name = "cosmos.base.v1beta1.DecCoin";
        assert!(canonical(name, &coin(WHOLE_END)).is_ok());
        let end = format!("{WHOLE_END}{}", "0".repeat(18));
        assert!(canonical(name, &coin(&end)).is_err());
        assert!(canonical(name, &coin("0.5")).is_err());
    }
}
