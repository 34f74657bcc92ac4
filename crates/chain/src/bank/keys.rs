//! State keys of the bank; the only place that builds them.

use crypto::keys::Address;

use crate::error::ChainError;

/// Params.
pub const PARAMS: &[u8] = b"bank/params";
/// Prefix of all balances: address, then denomination.
pub const BALANCES: &[u8] = b"bank/balance/";
/// Prefix of the holders of each denomination: denomination, a zero byte, address.
pub const HOLDERS: &[u8] = b"bank/holder/";
/// Prefix of all supplies: denomination.
pub const SUPPLIES: &[u8] = b"bank/supply/";
/// Prefix of denomination metadata.
pub const METADATA: &[u8] = b"bank/metadata/";
/// Prefix of entries that say whether a denomination may be sent.
pub const SEND_ENABLED: &[u8] = b"bank/send_enabled/";

/// Prefix of an account's balances.
pub fn balances(address: &Address) -> Vec<u8> {
    [BALANCES, address.as_bytes().as_slice()].concat()
}

/// One balance: 16 bytes, big-endian.
pub fn balance(address: &Address, denom: &str) -> Vec<u8> {
    [BALANCES, address.as_bytes().as_slice(), denom.as_bytes()].concat()
}

/// Prefix of the holders of a denomination; no denomination holds a zero byte.
pub fn holders(denom: &str) -> Vec<u8> {
    [HOLDERS, denom.as_bytes(), &[0]].concat()
}

/// That an account holds some of a denomination; nothing is stored under it.
pub fn holder(denom: &str, address: &Address) -> Vec<u8> {
    [holders(denom).as_slice(), address.as_bytes()].concat()
}

/// One supply: 16 bytes, big-endian.
pub fn supply(denom: &str) -> Vec<u8> {
    [SUPPLIES, denom.as_bytes()].concat()
}

/// Metadata of a denomination.
pub fn metadata(denom: &str) -> Vec<u8> {
    [METADATA, denom.as_bytes()].concat()
}

/// Whether a denomination may be sent: one byte.
pub fn send_enabled(denom: &str) -> Vec<u8> {
    [SEND_ENABLED, denom.as_bytes()].concat()
}

/// The denomination at the end of a key.
///
/// # Errors
/// [`ChainError::Corrupt`] when the key is not one of ours.
pub(super) fn suffix(prefix: &[u8], key: &[u8]) -> Result<String, ChainError> {
    key.strip_prefix(prefix)
        .and_then(|rest| std::str::from_utf8(rest).ok())
        .map(str::to_owned)
        .ok_or_else(|| ChainError::corrupt(hex::encode(key), "no denomination at the end"))
}

/// Address and denomination of a balance's key.
///
/// # Errors
/// [`ChainError::Corrupt`] when the key is not one of ours.
pub(super) fn split_balance(key: &[u8]) -> Result<(Address, String), ChainError> {
    let wrong = || ChainError::corrupt(hex::encode(key), "not a balance");
    let rest = key.strip_prefix(BALANCES).ok_or_else(wrong)?;
    let (address, denom) = rest.split_first_chunk::<20>().ok_or_else(wrong)?;
    let denom = std::str::from_utf8(denom).map_err(|_| wrong())?;
    Ok((Address(*address), denom.to_owned()))
}
