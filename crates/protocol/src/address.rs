//! Bech32 account addresses as the reference reads them.
//!
//! The reference accepts upper case and any length up to 255 bytes, and its error texts reach clients inside
//! transaction logs, so both are reproduced (`poktroll-vectors.json`, `session_header_validate_basic`). A typed
//! 20-byte address is `crypto::keys::Address`; this module answers only whether a text is an address at all.

/// Prefix of account addresses (chain §0.1).
pub const ACCOUNT_PREFIX: &str = "pokt";

/// Longest bech32 text the reference reads.
const MAX_TEXT_BYTES: usize = 1023;
/// Longest address the reference accepts.
const MAX_ADDRESS_BYTES: usize = 255;
const CHARSET: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
const GENERATOR: [u32; 5] = [
    0x3b6a_57b2,
    0x2650_8e6d,
    0x1ea1_19fa,
    0x3d42_33dd,
    0x2a14_62b3,
];
const CHECKSUM_CHARS: usize = 6;

/// Why a text is not an address. The texts are those of the reference.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Nothing but white space.
    #[error("empty address string is not allowed")]
    Empty,
    /// Shorter than 8 or longer than 1023 characters.
    #[error("decoding bech32 failed: invalid bech32 string length {0}")]
    Length(usize),
    /// A byte outside of 33..=126.
    #[error("decoding bech32 failed: invalid character in string: {0:?}")]
    Character(char),
    /// Both cases occur.
    #[error("decoding bech32 failed: string not all lowercase or all uppercase")]
    MixedCase,
    /// The separator `1` is missing, first, or inside the checksum. -1 stands for missing.
    #[error("decoding bech32 failed: invalid separator index {0}")]
    Separator(i64),
    /// A character of the data part that bech32 does not use.
    #[error("decoding bech32 failed: invalid character not part of charset: {0}")]
    NotInCharset(u8),
    /// The last six characters do not fit the rest.
    #[error("decoding bech32 failed: invalid checksum (expected {expected} got {actual})")]
    Checksum {
        /// What they should be.
        expected: String,
        /// What they are.
        actual: String,
    },
    /// The data part is not a whole number of bytes.
    #[error("decoding bech32 failed: invalid incomplete group")]
    IncompleteGroup,
    /// An address of something else, e.g. of a validator.
    #[error("invalid Bech32 prefix; expected {expected}, got {actual}")]
    Prefix {
        /// The wanted prefix.
        expected: String,
        /// The prefix found.
        actual: String,
    },
    /// No data at all.
    #[error("addresses cannot be empty: unknown address")]
    NoBytes,
    /// More than 255 bytes.
    #[error("address max length is 255, got {0}: unknown address")]
    TooLong(usize),
}

/// The bytes of an account address.
///
/// # Errors
/// [`AddressError`] with the reference's text.
pub fn account_bytes(text: &str) -> Result<Vec<u8>, AddressError> {
    bytes_with_prefix(text, ACCOUNT_PREFIX)
}

/// The bytes of an address with another prefix, such as `poktvaloper`.
///
/// # Errors
/// [`AddressError`] with the reference's text.
pub fn bytes_with_prefix(text: &str, prefix: &str) -> Result<Vec<u8>, AddressError> {
    if text.trim().is_empty() {
        return Err(AddressError::Empty);
    }
    let (actual, bytes) = decode(text)?;
    if actual != prefix {
        return Err(AddressError::Prefix {
            expected: prefix.to_owned(),
            actual,
        });
    }
    match bytes.len() {
        0 => Err(AddressError::NoBytes),
        length if length > MAX_ADDRESS_BYTES => Err(AddressError::TooLong(length)),
        _ => Ok(bytes),
    }
}

/// Prefix and bytes of a bech32 text.
fn decode(text: &str) -> Result<(String, Vec<u8>), AddressError> {
    if text.len() < 8 || text.len() > MAX_TEXT_BYTES {
        return Err(AddressError::Length(text.len()));
    }
    let (mut lower, mut upper) = (false, false);
    for byte in text.bytes() {
        if !(33..=126).contains(&byte) {
            return Err(AddressError::Character(char::from(byte)));
        }
        lower |= byte.is_ascii_lowercase();
        upper |= byte.is_ascii_uppercase();
        if lower && upper {
            return Err(AddressError::MixedCase);
        }
    }
    let text = text.to_ascii_lowercase();
    let Some((prefix, data)) = text.rsplit_once('1') else {
        return Err(AddressError::Separator(-1));
    };
    if prefix.is_empty() || data.len() < CHECKSUM_CHARS {
        return Err(AddressError::Separator(
            i64::try_from(prefix.len()).unwrap_or(i64::MAX),
        ));
    }
    let values = data
        .bytes()
        .map(|byte| {
            let position = CHARSET.iter().position(|char| *char == byte);
            position
                .and_then(|value| u8::try_from(value).ok())
                .ok_or(AddressError::NotInCharset(byte))
        })
        .collect::<Result<Vec<u8>, AddressError>>()?;
    let (payload, checksum) = values.split_at(values.len().saturating_sub(CHECKSUM_CHARS));
    let expected = checksum_of(prefix, payload);
    if checksum != expected {
        let chars = |values: &[u8]| {
            values
                .iter()
                .map(|value| char_of(*value))
                .collect::<String>()
        };
        return Err(AddressError::Checksum {
            expected: chars(&expected),
            actual: chars(checksum),
        });
    }
    Ok((prefix.to_owned(), regroup(payload)?))
}

/// Five-bit groups to bytes; what is left over must be fewer than five zero bits.
fn regroup(values: &[u8]) -> Result<Vec<u8>, AddressError> {
    let (mut accumulator, mut bits) = (0u32, 0u32);
    let mut bytes = Vec::with_capacity(values.len());
    for value in values {
        accumulator = (accumulator << 5 | u32::from(*value)) & 0xfff;
        bits = bits.saturating_add(5);
        if bits >= 8 {
            bits = bits.saturating_sub(8);
            bytes.push(u8::try_from(accumulator >> bits & 0xff).unwrap_or_default());
        }
    }
    let rest = accumulator & (1u32 << bits).saturating_sub(1);
    if bits >= 5 || rest != 0 {
        Err(AddressError::IncompleteGroup)
    } else {
        Ok(bytes)
    }
}

/// The checksum of BIP-173 (not bech32m).
fn checksum_of(prefix: &str, payload: &[u8]) -> [u8; CHECKSUM_CHARS] {
    let expanded = prefix
        .bytes()
        .map(|byte| byte >> 5)
        .chain([0])
        .chain(prefix.bytes().map(|byte| byte & 31))
        .chain(payload.iter().copied())
        .chain([0; CHECKSUM_CHARS]);
    let polymod = expanded.fold(1u32, |state, value| {
        let top = state >> 25;
        let mut next = (state & 0x01ff_ffff) << 5 ^ u32::from(value);
        for (bit, generator) in GENERATOR.iter().enumerate() {
            if top >> bit & 1 == 1 {
                next ^= generator;
            }
        }
        next
    }) ^ 1;
    [25, 20, 15, 10, 5, 0].map(|shift| u8::try_from(polymod >> shift & 31).unwrap_or_default())
}

fn char_of(value: u8) -> char {
    CHARSET
        .get(usize::from(value))
        .copied()
        .map_or('?', char::from)
}
