//! The governance account, which alone may change params.

use crypto::keys::Address;

use super::address;
use crate::error::{GrpcCode, TxError};

/// The address of the governance module account.
pub(crate) fn gov() -> Address {
    Address::module("gov")
}

/// Checks the authority of a `MsgUpdateParams`, whose refusal carries no module's code.
///
/// # Errors
/// `undefined` 1.
pub(crate) fn check_plain(authority: &str) -> Result<(), TxError> {
    match address::parse(authority) {
        Ok(_) => Ok(()),
        Err(reason) => Err(TxError::undefined(format!(
            "invalid authority address: {reason}"
        ))),
    }
}

/// Checks the authority of a `MsgUpdateParam` of the modules that answer with the SDK's code.
///
/// # Errors
/// sdk 7.
pub(crate) fn check_sdk(authority: &str) -> Result<(), TxError> {
    match address::parse(authority) {
        Ok(_) => Ok(()),
        Err(reason) => Err(TxError::sdk(
            crate::sdk::INVALID_ADDRESS,
            format!("invalid authority address ({reason}): invalid address"),
        )),
    }
}

/// Refuses everybody but the governance account.
///
/// # Errors
/// The status the reference answers with, ending with the module's short text.
pub(crate) fn require(authority: &str, short_text: &str) -> Result<(), TxError> {
    require_or(GrpcCode::InvalidArgument, authority, short_text)
}

/// [`require`], with the code that most messages of all params answer with.
///
/// # Errors
/// As [`require`].
pub(crate) fn require_permission(authority: &str, short_text: &str) -> Result<(), TxError> {
    require_or(GrpcCode::PermissionDenied, authority, short_text)
}

fn require_or(code: GrpcCode, authority: &str, short_text: &str) -> Result<(), TxError> {
    let expected = gov().to_bech32();
    if authority == expected {
        return Ok(());
    }
    Err(TxError::status(
        code,
        format_args!("invalid authority; expected {expected}, got {authority}: {short_text}"),
    ))
}

/// Refuses everybody but the governance account, as the SDK's own modules do.
///
/// # Errors
/// gov 13.
pub(crate) fn require_gov(authority: &str) -> Result<(), TxError> {
    let expected = gov().to_bech32();
    if authority == expected {
        return Ok(());
    }
    let text = format!(
        "invalid authority; expected {expected}, got {authority}: expected gov account as only \
         signer for proposal message"
    );
    Err(TxError::registered("gov", 13, text))
}
