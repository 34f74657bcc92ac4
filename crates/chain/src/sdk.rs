//! The SDK's registered error codes, codespace `sdk` (chain specification 6.7).

/// The codespace of everything here.
pub const CODESPACE: &str = "sdk";

/// Bytes are not a transaction.
pub const TX_PARSE: u32 = 2;
/// A signature or an authority is missing or wrong.
pub const UNAUTHORIZED: u32 = 4;
/// Not enough coins.
pub const INSUFFICIENT_FUNDS: u32 = 5;
/// No such message or path.
pub const UNKNOWN_REQUEST: u32 = 6;
/// An address is not one.
pub const INVALID_ADDRESS: u32 = 7;
/// A public key is not one, or not the signer's.
pub const INVALID_PUB_KEY: u32 = 8;
/// No account under an address.
pub const UNKNOWN_ADDRESS: u32 = 9;
/// An amount is malformed.
pub const INVALID_COINS: u32 = 10;
/// The gas limit is used up.
pub const OUT_OF_GAS: u32 = 11;
/// The memo is too long.
pub const MEMO_TOO_LARGE: u32 = 12;
/// The fee is below the node's minimum.
pub const INSUFFICIENT_FEE: u32 = 13;
/// More signatures than `tx_sig_limit`.
pub const TOO_MANY_SIGNATURES: u32 = 14;
/// No signature at all.
pub const NO_SIGNATURES: u32 = 15;
/// The request breaks a rule.
pub const INVALID_REQUEST: u32 = 18;
/// The transaction does not fit.
pub const TX_TOO_LARGE: u32 = 21;
/// Nothing under the key.
pub const KEY_NOT_FOUND: u32 = 22;
/// A height that cannot be read.
pub const INVALID_HEIGHT: u32 = 26;
/// A thing of another kind than expected.
pub const INVALID_TYPE: u32 = 29;
/// `timeout_height` lies in the past.
pub const TX_TIMEOUT_HEIGHT: u32 = 30;
/// An extension option that is not understood.
pub const UNKNOWN_EXTENSION_OPTIONS: u32 = 31;
/// The sequence is not the account's.
pub const WRONG_SEQUENCE: u32 = 32;
/// A state of affairs that must not be.
pub const LOGIC: u32 = 35;
/// What was asked for is not there.
pub const NOT_FOUND: u32 = 38;
/// A gas limit beyond what may be asked for.
pub const INVALID_GAS_LIMIT: u32 = 41;
/// `timeout_timestamp` lies in the past.
pub const TX_TIMEOUT: u32 = 42;
/// A caught panic.
pub const PANIC: u32 = 111_222;
