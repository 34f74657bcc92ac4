//! Keys from words: BIP-39 English mnemonics and paths of BIP-32/44, by default `m/44'/118'/0'/0/0`.

use std::fmt;
use std::str::FromStr;

use bip32::{ChildNumber, XPrv};
use bip39::{Language, Mnemonic};
use zeroize::Zeroizing;

use super::SecretKey;
use crate::error::Error;

/// A path from a mnemonic's root to a key: numbers, each hardened or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HdPath(Vec<(u32, bool)>);

impl HdPath {
    /// What every Cosmos wallet uses: `m/44'/118'/account'/0/index`.
    pub fn cosmos(account: u32, index: u32) -> Self {
        Self(vec![
            (44, true),
            (118, true),
            (account, true),
            (0, false),
            (index, false),
        ])
    }
}

impl fmt::Display for HdPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("m")?;
        for (number, hardened) in &self.0 {
            write!(formatter, "/{number}{}", if *hardened { "'" } else { "" })?;
        }
        Ok(())
    }
}

impl FromStr for HdPath {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let step = |part: &str| {
            let (digits, hardened) = match part.strip_suffix(['\'', 'h', 'H']) {
                Some(digits) => (digits, true),
                None => (part, false),
            };
            let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            let number = plain.then(|| digits.parse::<u32>().ok()).flatten()?;
            (number < 1 << 31).then_some((number, hardened))
        };
        let steps = text.strip_prefix("m/");
        let steps: Option<Vec<_>> = steps.and_then(|steps| steps.split('/').map(step).collect());
        // BIP-32 counts depth in a byte.
        steps
            .filter(|steps| steps.len() < 256)
            .map(Self)
            .ok_or_else(|| Error::HdPath {
                text: text.chars().take(100).collect(),
            })
    }
}

impl SecretKey {
    /// The key of a mnemonic without passphrase at `m/44'/118'/0'/0/account_index`, as every Cosmos
    /// wallet derives it.
    ///
    /// # Errors
    /// [`Error::Mnemonic`] for wrong words, [`Error::Derivation`] for an index without a key.
    pub fn from_mnemonic(words: &str, account_index: u32) -> Result<Self, Error> {
        Self::from_mnemonic_at(words, &HdPath::cosmos(0, account_index))
    }

    /// The key of a mnemonic without passphrase at any path.
    ///
    /// # Errors
    /// As [`SecretKey::from_mnemonic`].
    pub fn from_mnemonic_at(words: &str, path: &HdPath) -> Result<Self, Error> {
        let mnemonic = Mnemonic::parse_in(Language::English, words).map_err(|_| Error::Mnemonic)?;
        let seed = Zeroizing::new(mnemonic.to_seed(""));
        derive(seed.as_ref(), path)
            .map_err(|_| Error::Derivation { path: path.clone() })
            .and_then(|key| Self::from_bytes(&Zeroizing::new(key.to_bytes())))
    }
}

/// Walks a path from the root of `seed`.
fn derive(seed: &[u8], path: &HdPath) -> Result<XPrv, bip32::Error> {
    path.0
        .iter()
        .try_fold(XPrv::new(seed)?, |key, (number, hardened)| {
            key.derive_child(ChildNumber::new(*number, *hardened)?)
        })
}

/// Draws a new mnemonic of 24 English words (256 bits), wiped when dropped.
///
/// # Errors
/// [`Error::Randomness`] when the operating system gives none.
pub fn generate_mnemonic() -> Result<Zeroizing<String>, Error> {
    let mut entropy = Zeroizing::new([0; 32]);
    getrandom::fill(entropy.as_mut()).map_err(|_| Error::Randomness)?;
    let mnemonic = Mnemonic::from_entropy_in(Language::English, entropy.as_ref())
        // Only lengths outside 16..=32 bytes are refused.
        .expect("32 bytes of entropy make 24 words");
    Ok(Zeroizing::new(mnemonic.to_string()))
}
