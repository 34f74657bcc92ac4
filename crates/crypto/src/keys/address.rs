//! Addresses: 20 bytes, as bech32 text (BIP-173, not bech32m) with the prefix of their use.

use std::fmt;
use std::str::FromStr;

use bech32::primitives::decode::CheckedHrpstring;
use bech32::{Bech32, Hrp};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::error::Error;
use crate::hash::{ripemd160, sha256};

/// Prefix of accounts.
pub const ADDRESS_PREFIX: &str = "pokt";
/// Prefix of validator operators.
pub const VALOPER_PREFIX: &str = "poktvaloper";
/// Prefix of validators' consensus keys.
pub const VALCONS_PREFIX: &str = "poktvalcons";

/// An account's address. Its text is bech32 with the prefix `pokt`, in serde too.
///
/// Order is that of the bytes. The chain sometimes sorts the texts, which is another order:
/// bech32's alphabet is not ascending.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address(pub [u8; 20]);

impl Address {
    /// The address of a module's account: the first 20 bytes of SHA-256 of its name (chain.md
    /// §0.1).
    pub fn module(name: &str) -> Self {
        let [address @ .., _, _, _, _, _, _, _, _, _, _, _, _] = sha256(name.as_bytes());
        Self(address)
    }

    /// The address of an account: RIPEMD-160 of SHA-256 of its encoded secp256k1 key.
    pub fn of_secp256k1(key: &[u8]) -> Self {
        Self(ripemd160(&sha256(key)))
    }

    /// The 20 bytes.
    pub fn as_bytes(&self) -> &[u8; 20] {
        &self.0
    }

    /// The text with the prefix `pokt`.
    pub fn to_bech32(&self) -> String {
        self.to_bech32_with(ADDRESS_PREFIX)
    }

    /// The text with another prefix, such as [`VALOPER_PREFIX`].
    pub fn to_bech32_with(&self, prefix: &'static str) -> String {
        bech32_text(prefix, &self.0)
            // 20 bytes make 32 characters and 6 of checksum; the limit is 1023 with the prefix.
            .expect("an address and one of our prefixes fit into bech32")
    }

    /// Reads a text with the prefix `pokt`.
    ///
    /// # Errors
    /// [`Error::Address`] that says what is wrong.
    pub fn from_bech32(text: &str) -> Result<Self, Error> {
        Self::from_bech32_with(ADDRESS_PREFIX, text)
    }

    /// Reads a text with another prefix, such as [`VALOPER_PREFIX`].
    ///
    /// # Errors
    /// [`Error::Address`] that says what is wrong.
    pub fn from_bech32_with(prefix: &'static str, text: &str) -> Result<Self, Error> {
        let refuse = |reason: String| Error::Address {
            text: text.chars().take(100).collect(),
            prefix,
            reason,
        };
        let decoded =
            CheckedHrpstring::new::<Bech32>(text).map_err(|error| refuse(error.to_string()))?;
        if decoded.hrp().to_lowercase() != prefix {
            return Err(refuse(format!("its prefix is `{}`", decoded.hrp())));
        }
        // Also refuses padding that is not zero, as the SDK does.
        decoded
            .validate_segwit_padding()
            .map_err(|error| refuse(error.to_string()))?;
        let bytes: Vec<u8> = decoded.byte_iter().take(21).collect();
        let length = decoded.byte_iter().len();
        bytes
            .try_into()
            .map(Self)
            .map_err(|_| refuse(format!("it holds {length} bytes")))
    }
}

/// Prefix, in lower case, and bytes of any bech32 text.
///
/// # Errors
/// What is wrong with it, in words.
pub fn bech32_parts(text: &str) -> Result<(String, Vec<u8>), String> {
    let decoded = CheckedHrpstring::new::<Bech32>(text).map_err(|error| error.to_string())?;
    let prefix = decoded.hrp().to_lowercase();
    decoded
        .validate_segwit_padding()
        .map_err(|error| error.to_string())?;
    Ok((prefix, decoded.byte_iter().collect()))
}

/// Bytes of any length as bech32; `None` when they are more than bech32 holds.
pub fn bech32_text(prefix: &'static str, bytes: &[u8]) -> Option<String> {
    bech32::encode::<Bech32>(Hrp::parse_unchecked(prefix), bytes).ok()
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.to_bech32())
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Address({self})")
    }
}

impl FromStr for Address {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::from_bech32(text)
    }
}

impl Serialize for Address {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_bech32())
    }
}

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::from_bech32(&text).map_err(de::Error::custom)
    }
}
