//! The one error type of this crate.
//!
//! All of them are about the bytes given by the caller, so none may be retried with the same bytes; the exception is
//! [`Error::Randomness`].

/// Why bytes were refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A private key is not a big-endian scalar in `1..N`.
    #[error("private key must be 32 bytes, a number from 1 to the order of secp256k1 less one")]
    SecretKey,
    /// A public key is not a compressed point of the curve.
    #[error("public key must be 33 bytes, a compressed point of secp256k1")]
    PublicKey,
    /// A mnemonic has an unknown word, a wrong number of words or a wrong checksum. The words are not repeated here.
    #[error("mnemonic must be 12, 15, 18, 21 or 24 English BIP-39 words with a right checksum")]
    Mnemonic,
    /// BIP-32 has no key at this index (or the index is 2^31 or more).
    #[error("no key can be derived at account index {index}, use another below 2147483648")]
    Derivation {
        /// Last element of the path.
        index: u32,
    },
    /// An address text is not what was expected.
    #[error("address `{text}` is not a bech32 `{prefix}1…` address of 20 bytes: {reason}")]
    Address {
        /// The text as given, cut to 100 characters.
        text: String,
        /// The human-readable part that is wanted.
        prefix: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// An ECDSA signature has the wrong length.
    #[error("ECDSA signature must be 64 bytes (r and s), is {actual}")]
    SignatureLength {
        /// Bytes given.
        actual: usize,
    },
    /// An ECDSA signature has r or s outside `1..N`, or an s above N/2.
    #[error("ECDSA signature is malformed: {reason}")]
    SignatureForm {
        /// Which rule it breaks.
        reason: &'static str,
    },
    /// An ECDSA signature was made by another key or over another message.
    #[error("ECDSA signature does not verify")]
    SignatureMismatch,
    /// The operating system gave no random bytes. May be retried.
    #[error("no randomness from the operating system")]
    Randomness,
}
