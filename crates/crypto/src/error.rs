//! The one error type of this crate.
//!
//! All of them are about the bytes given by the caller, so none may be retried with the same bytes;
//! the exception is [`Error::Randomness`].

/// Why bytes were refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A private key is not a big-endian scalar in `1..N`.
    #[error("private key must be 32 bytes, a number from 1 to the order of secp256k1 less one")]
    SecretKey,
    /// A public key is not a compressed point of the curve.
    #[error("public key must be 33 bytes, a compressed point of secp256k1")]
    PublicKey,
    /// A mnemonic has an unknown word, a wrong number of words or a wrong checksum. The words are
    /// not repeated here.
    #[error("mnemonic must be 12, 15, 18, 21 or 24 English BIP-39 words with a right checksum")]
    Mnemonic,
    /// BIP-32 has no key at this path.
    #[error("no key can be derived at {path}, use another account or index")]
    Derivation {
        /// The whole path.
        path: super::keys::HdPath,
    },
    /// A text is not a path of BIP-32.
    #[error("HD path `{text}` must look like m/44'/118'/0'/0/0, with numbers below 2147483648")]
    HdPath {
        /// The text as given, cut to 100 characters.
        text: String,
    },
    /// A file is not one that age made for a passphrase.
    #[error("not a file that age encrypted with a passphrase: {reason}")]
    AgeForm {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The passphrase is another, or the file was changed.
    #[error("the passphrase does not open it")]
    AgePassphrase,
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
    /// A ring signature's length does not fit its number of members.
    #[error(
        "ring signature of {actual} bytes for {members} members, 69 + 65 for each member are wanted"
    )]
    RingLength {
        /// Bytes given.
        actual: usize,
        /// Members as the first four bytes tell; 0 when there are fewer than four bytes.
        members: u32,
    },
    /// A ring has no members, too few to sign, or more than [`crate::limits::MAX_RING_MEMBERS`].
    #[error(
        "ring of {members} members, wanted are {minimum} to {}",
        crate::limits::MAX_RING_MEMBERS
    )]
    RingSize {
        /// Members given.
        members: usize,
        /// Least number for this use: 1 to verify, 2 to sign.
        minimum: usize,
    },
    /// A scalar of a ring signature is not below the order of the curve.
    #[error("ring signature holds a scalar that is not canonical")]
    RingScalar,
    /// The key image or a member of a ring signature is not a compressed point of the curve.
    #[error("ring signature holds a key that is not a compressed point of secp256k1")]
    RingPoint,
    /// A member of a ring signature is not among the keys that may sign.
    #[error("ring member {member} is not a key that may sign for this application")]
    RingMember {
        /// The key in hexadecimal digits.
        member: String,
    },
    /// A signer's own key is not in its ring.
    #[error("the signer's public key {signer} is not in its ring")]
    RingSigner {
        /// The key in hexadecimal digits.
        signer: String,
    },
    /// The ring signature was made over another message or was changed.
    #[error("ring signature does not verify")]
    RingMismatch,
    /// A hash led to no scalar or no point; never seen (probability below 2^-120).
    #[error("hash does not lead to a {what}")]
    HashDeadEnd {
        /// Scalar or point.
        what: &'static str,
    },
    /// A proof was asked of a trie without leaves.
    #[error("an empty trie has nothing to prove")]
    EmptyTrie,
    /// A loaded value is not the one whose digest was inserted.
    #[error("the value loaded for log position {position} is not the one that was inserted there")]
    LeafMismatch {
        /// Log position of the leaf.
        position: u64,
    },
    /// A proof breaks a rule of its form.
    #[error("closest proof is malformed: {reason}")]
    ProofForm {
        /// Which rule.
        reason: &'static str,
    },
    /// A well-formed proof does not prove anything about this root.
    #[error("closest proof does not verify: {reason}")]
    ProofMismatch {
        /// Where it fails.
        reason: &'static str,
    },
    /// A gob stream is malformed or uses what proofs never use.
    #[error("gob stream is malformed: {reason}")]
    Gob {
        /// What is wrong.
        reason: &'static str,
    },
    /// The operating system gave no random bytes. May be retried.
    #[error("no randomness from the operating system")]
    Randomness,
}
