//! Errors of the module, codespace `distribution`.

use crate::error::TxError;

fn registered(code: u32, text: &str) -> TxError {
    TxError::registered(super::MODULE, code, text)
}

/// Nothing is known of the delegation.
pub(super) fn empty_delegation_info() -> TxError {
    registered(5, "no delegation distribution info")
}

/// There is nothing to withdraw.
pub(super) fn no_commission() -> TxError {
    registered(7, "no validator commission to withdraw")
}

/// Params forbid other addresses than one's own.
pub(super) fn withdraw_address_disabled() -> TxError {
    registered(8, "set withdraw address disabled")
}

/// More than the pool holds.
pub(super) fn bad_distribution() -> TxError {
    registered(
        9,
        "community pool does not have sufficient coins to distribute",
    )
}
