//! Errors of the module, codespace `slashing`.

use std::fmt;

use crate::error::TxError;

/// The validator must stay in jail.
pub(super) fn still_jailed() -> TxError {
    registered(4, "validator still jailed; cannot be unjailed")
}

/// The validator is free.
pub(super) fn not_jailed() -> TxError {
    registered(5, "validator not jailed; cannot be unjailed")
}

/// The operator has too little of its own stake left.
pub(super) fn self_delegation_too_low(tokens: impl fmt::Display, promised: u128) -> TxError {
    let text = "validator's self delegation less than minimum; cannot be unjailed";
    registered(7, &format!("{tokens} less than {promised}: {text}"))
}

/// Nothing is known of the validator's signing.
pub(super) fn no_signing_info(what: &str) -> TxError {
    registered(8, &format!("{what}: no validator signing info found"))
}

/// The validator is out forever.
pub(super) fn tombstoned() -> TxError {
    let what = "cannot tombstone validator that is already tombstoned";
    registered(9, &format!("{what}: validator already tombstoned"))
}

fn registered(code: u32, text: &str) -> TxError {
    TxError::registered(super::MODULE, code, text)
}
