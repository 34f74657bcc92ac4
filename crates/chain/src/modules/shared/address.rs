//! Addresses in messages: parsed once, refused in the words the reference uses.

use crypto::keys::{Address, bech32_parts};

use crate::error::TxError;
use crate::sdk;

/// The account prefix of this chain.
pub(crate) const PREFIX: &str = "pokt";

/// Reads an account address.
///
/// # Errors
/// The text that the SDK's decoder would give, without the caller's wrapping.
pub(crate) fn parse(text: &str) -> Result<Address, String> {
    if text.trim().is_empty() {
        return Err("empty address string is not allowed".to_owned());
    }
    Address::from_bech32(text).map_err(|error| match shape_error(text) {
        Some(reason) => reason,
        None => format!("decoding bech32 failed: {error}"),
    })
}

/// The longest address of the SDK, in bytes; ours have 20.
const BYTES_MAX: usize = 255;

/// Reads the address of one who must sign, with the codes that the SDK's address codec gives.
///
/// # Errors
/// undefined 1 for a text that is no bech32, sdk 35 for another prefix, sdk 9 for another length.
pub(crate) fn of_signer(prefix: &str, text: &str) -> Result<Address, TxError> {
    if text.trim().is_empty() {
        return Err(TxError::undefined("empty address string is not allowed"));
    }
    let (found, bytes) = bech32_parts(text)
        .map_err(|reason| TxError::undefined(format!("decoding bech32 failed: {reason}")))?;
    if found != prefix {
        let text = format!(
            "hrp does not match bech32 prefix: expected '{prefix}' got '{found}': internal logic error"
        );
        return Err(TxError::sdk(sdk::LOGIC, text));
    }
    let length = bytes.len();
    bytes.try_into().map(Address).map_err(|_| {
        let text = match length {
            0 => "addresses cannot be empty: unknown address".to_owned(),
            // The reference knows addresses of other lengths; nobody can have funds there to sign with.
            1..=BYTES_MAX => format!("account {text} does not exist: unknown address"),
            _ => format!("address max length is {BYTES_MAX}, got {length}: unknown address"),
        };
        TxError::sdk(sdk::UNKNOWN_ADDRESS, text)
    })
}

/// What is wrong with the shape of a bech32 string, checksum and payload left aside.
fn shape_error(text: &str) -> Option<String> {
    const DATA: &str = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    /// Separator and checksum.
    const TAIL: usize = 7;
    let length = text.len();
    if !(8..=1023).contains(&length) {
        return Some(format!(
            "decoding bech32 failed: invalid bech32 string length {length}"
        ));
    }
    if let Some(odd) = text.chars().find(|c| !('\x21'..='\x7e').contains(c)) {
        return Some(format!(
            "decoding bech32 failed: invalid character in string: '{odd}'"
        ));
    }
    let lower = text.to_ascii_lowercase();
    if lower != text && text.to_ascii_uppercase() != text {
        return Some(
            "decoding bech32 failed: string not all lowercase or all uppercase".to_owned(),
        );
    }
    let separator = lower.rfind('1');
    let usable = separator.filter(|at| *at >= 1 && at.saturating_add(TAIL) <= length);
    let Some((prefix, data)) = usable.and_then(|at| lower.split_at_checked(at)) else {
        let at = separator
            .and_then(|at| i64::try_from(at).ok())
            .unwrap_or(-1);
        return Some(format!(
            "decoding bech32 failed: invalid separator index {at}"
        ));
    };
    if let Some(odd) = data.chars().skip(1).find(|c| !DATA.contains(*c)) {
        return Some(format!(
            "decoding bech32 failed: failed converting data to bytes: invalid character not part of charset: {}",
            u32::from(odd)
        ));
    }
    (prefix != PREFIX).then(|| format!("invalid Bech32 prefix; expected {PREFIX}, got {prefix}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_use_the_words_of_the_reference() {
        let reason = |text| parse(text).unwrap_err();
        assert_eq!(reason(""), "empty address string is not allowed");
        assert_eq!(
            reason("zzz"),
            "decoding bech32 failed: invalid bech32 string length 3"
        );
        assert_eq!(
            reason("invalid string!"),
            "decoding bech32 failed: invalid character in string: ' '"
        );
        assert_eq!(
            reason("nonsense"),
            "decoding bech32 failed: invalid separator index -1"
        );
        assert!(reason("pokt1394nzuht5l57e9qfpetjkzg8wmvvy4v9vhhrxb").contains("decoding bech32"));
    }

    #[test]
    fn an_address_of_the_recording_is_read() {
        let text = "pokt1394nzuht5l57e9qfpetjkzg8wmvvy4v9vhhrxa";
        assert_eq!(parse(text).unwrap().to_bech32(), text);
    }
}
