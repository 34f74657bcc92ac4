//! State keys of accounts; the only place that builds them.

use crypto::keys::Address;

use crate::error::ChainError;

/// Params.
pub const PARAMS: &[u8] = b"auth/params";
/// The next account number, 8 bytes big-endian.
pub const NEXT_NUMBER: &[u8] = b"auth/next_number";
/// Prefix of accounts: address.
pub const ACCOUNTS: &[u8] = b"auth/account/";
/// Prefix of addresses by account number.
pub const NUMBERS: &[u8] = b"auth/number/";
/// Prefix of nonces of unordered transactions: timeout, then address.
pub const NONCES: &[u8] = b"auth/nonce/";

/// An account: an encoded `Any`.
pub fn account(address: &Address) -> Vec<u8> {
    [ACCOUNTS, address.as_bytes().as_slice()].concat()
}

/// The address with an account number.
pub fn number(number: u64) -> Vec<u8> {
    [NUMBERS, number.to_be_bytes().as_slice()].concat()
}

/// The nonce of an unordered transaction. The order of keys is that of timeouts.
pub fn nonce(timeout_nanos: u64, address: &Address) -> Vec<u8> {
    [
        NONCES,
        timeout_nanos.to_be_bytes().as_slice(),
        address.as_bytes().as_slice(),
    ]
    .concat()
}

/// A number out of the state.
///
/// # Errors
/// [`ChainError::Corrupt`] when there are not 8 bytes.
pub(crate) fn read_u64(bytes: &[u8]) -> Result<u64, ChainError> {
    let bytes = bytes
        .try_into()
        .map_err(|_| ChainError::corrupt("auth", "a number has 8 bytes"))?;
    Ok(u64::from_be_bytes(bytes))
}
