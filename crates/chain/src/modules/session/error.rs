//! Registered errors of `session`.

use crate::error::ChainError;
use crate::modules::shared::error::registered_errors;

registered_errors! {
    /// Registered errors of `session` (chain specification 1.6).
    Error of "session" {
        /// A params update that the governance account did not sign.
        InvalidSigner = 1100 => "expected gov account as only signer for proposal message",
        /// A session that cannot be computed.
        Hydration = 1101 => "error during session hydration",
        /// The application is not staked.
        AppNotFound = 1102 => "application for session not found not found ",
        /// The application is staked for another service.
        AppNotStakedForService = 1103 => "application in session not staked for requested service",
        /// Nobody offers the service.
        SuppliersNotFound = 1104 => "no suppliers not found for session",
        /// Not an application address.
        InvalidAppAddress = 1105 => "invalid application address for session",
        /// A negative height.
        InvalidBlockHeight = 1107 => "invalid block height for session",
        /// Not the id of the session.
        InvalidSessionId = 1108 => "invalid sessionId",
        /// The application has stopped or is being transferred.
        AppNotActive = 1109 => "application is not active",
        /// A param that does not exist or a value that does not fit.
        ParamInvalid = 1110 => "the provided param is invalid",
    }
}

/// Why there is no session.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The request has no session; the text ends with the registered short text.
    #[error("{log}")]
    Refused {
        /// Which rule refused it.
        reason: Error,
        /// Text as the reference gives it.
        log: String,
    },
    /// The store failed.
    #[error(transparent)]
    Chain(#[from] ChainError),
}

impl SessionError {
    /// A refusal.
    pub(super) fn refused(reason: Error, detail: impl std::fmt::Display) -> Self {
        Self::Refused {
            reason,
            log: reason.describe(detail),
        }
    }
}
