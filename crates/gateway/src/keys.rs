//! API keys: 256 random bits, kept as SHA-256, compared in constant time.

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// Start of every key, so that people and leak scanners know what they found.
pub const PREFIX: &str = "rk-";

/// Makes a key: the text for its owner, to be shown once, and the hash to store.
///
/// # Errors
/// When the system has no randomness to give.
pub fn generate() -> Result<(String, KeyHash), getrandom::Error> {
    let mut secret = [0; 32];
    getrandom::fill(&mut secret)?;
    let text = format!("{PREFIX}{}", hex::encode(secret));
    let hash = KeyHash::of(&text);
    Ok((text, hash))
}

/// SHA-256 of a key's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyHash([u8; 32]);

impl KeyHash {
    /// The hash of a key as a client sends it.
    pub fn of(key: &str) -> Self {
        Self(Sha256::digest(key.as_bytes()).into())
    }

    /// Reads 64 hex digits.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = hex::decode(text.trim()).ok()?;
        Some(Self(bytes.try_into().ok()?))
    }

    /// 64 lower-case hex digits.
    pub fn to_hex(self) -> String {
        hex::encode(self.0)
    }
}

/// The keys that may use this gateway.
#[derive(Clone, Debug)]
pub struct Keys(Vec<KeyHash>);

impl Keys {
    /// All of them.
    pub fn new(hashes: Vec<KeyHash>) -> Self {
        Self(hashes)
    }

    /// Whether one of them is that of `key`. Looks at every key, so that time tells nothing.
    pub fn allows(&self, key: &str) -> bool {
        let hash = KeyHash::of(key);
        let found = self
            .0
            .iter()
            .fold(0, |found, known| found | known.0.ct_eq(&hash.0).unwrap_u8());
        found == 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generated_key_is_allowed_and_no_other() {
        let (key, hash) = generate().unwrap();
        let keys = Keys::new(vec![KeyHash::of("rk-other"), hash]);
        assert!(keys.allows(&key));
        assert!(!keys.allows(&key[1..]));
        assert!(!keys.allows(""));
        assert_eq!(KeyHash::parse(&hash.to_hex()), Some(hash));
    }
}
