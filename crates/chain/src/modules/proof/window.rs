//! When a claim or a proof may come.

use protocol::height::Height;
use protocol::session::Windows;

use super::error::Error;
use crate::error::{GrpcCode, TxError};

/// The window of a message: both ends are in it.
pub(super) struct Window {
    open: Height,
    close: Height,
    /// How the reference calls its first height.
    first: &'static str,
    /// How the reference calls its last height.
    last: &'static str,
    refusal: Error,
}

impl Window {
    /// For claims.
    pub(super) fn of_claims(windows: &Windows) -> Self {
        Self {
            open: windows.claim_open,
            close: windows.claim_close,
            first: "the session's earliest claim commit height",
            last: "session claim window close height",
            refusal: Error::ClaimOutsideWindow,
        }
    }

    /// For proofs.
    pub(super) fn of_proofs(windows: &Windows) -> Self {
        Self {
            open: windows.proof_open,
            close: windows.proof_close,
            first: "session's earliest proof commit height",
            last: "session proof window close height",
            refusal: Error::ProofOutsideWindow,
        }
    }

    /// Refuses a height outside.
    ///
    /// # Errors
    /// A FailedPrecondition that says which end was missed.
    pub(super) fn require(&self, height: Height) -> Result<(), TxError> {
        let (side, what, bound) = if height < self.open {
            ("less", self.first, self.open)
        } else if height > self.close {
            ("greater", self.last, self.close)
        } else {
            return Ok(());
        };
        Err(self.refusal.status(
            GrpcCode::FailedPrecondition,
            format_args!("current block height ({height}) is {side} than {what} ({bound})"),
        ))
    }
}
