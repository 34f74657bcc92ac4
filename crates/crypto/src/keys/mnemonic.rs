//! Keys from words: BIP-39 English mnemonics and the Cosmos path of BIP-32/44, `m/44'/118'/0'/0/i`.

use bip32::{ChildNumber, XPrv};
use bip39::{Language, Mnemonic};
use zeroize::Zeroizing;

use super::SecretKey;
use crate::error::Error;

impl SecretKey {
    /// The key of a mnemonic without passphrase at `m/44'/118'/0'/0/account_index`, as every Cosmos
    /// wallet derives it.
    ///
    /// # Errors
    /// [`Error::Mnemonic`] for wrong words, [`Error::Derivation`] for an index without a key.
    pub fn from_mnemonic(words: &str, account_index: u32) -> Result<Self, Error> {
        let mnemonic = Mnemonic::parse_in(Language::English, words).map_err(|_| Error::Mnemonic)?;
        let seed = Zeroizing::new(mnemonic.to_seed(""));
        derive(seed.as_ref(), account_index)
            .map_err(|_| Error::Derivation {
                index: account_index,
            })
            .and_then(|key| Self::from_bytes(&Zeroizing::new(key.to_bytes())))
    }
}

/// Walks the Cosmos path from the root of `seed`.
fn derive(seed: &[u8], account_index: u32) -> Result<XPrv, bip32::Error> {
    let path = [
        (44, true),
        (118, true),
        (0, true),
        (0, false),
        (account_index, false),
    ];
    path.into_iter()
        .try_fold(XPrv::new(seed)?, |key, (number, hardened)| {
            key.derive_child(ChildNumber::new(number, hardened)?)
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
