//! What goes wrong in a supplier: before it starts, in one relay, and in the log.

use std::path::PathBuf;

use http::StatusCode;

/// Why a supplier does not start. Every variant is something the operator can mend.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A value in the configuration file.
    #[error("{file}: `{key}`: {reason}")]
    Config {
        /// The file.
        file: PathBuf,
        /// The key, dotted.
        key: String,
        /// What is wrong, and what is accepted.
        reason: String,
    },
    /// The listener or a dialer.
    #[error(transparent)]
    Net(#[from] net::NetError),
    /// The chain.
    #[error(transparent)]
    Chain(#[from] client::Error),
    /// The session log.
    #[error(transparent)]
    Log(#[from] LogError),
    /// Gateways cannot check our signatures without it.
    #[error(
        "operator {operator} has no public key on chain yet; any transaction from it puts it there: `relaymill tx supplier stake`"
    )]
    NoPublicKey {
        /// Operator address.
        operator: String,
    },
    /// The key signs, but nobody would ask it.
    #[error("operator {operator} is not staked; run `relaymill tx supplier stake`")]
    NotStaked {
        /// Operator address.
        operator: String,
    },
}

/// What can be wrong with the session log.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The system refused.
    #[error("session log {path}: {source}")]
    Io {
        /// File or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Bytes in the middle of a file are not what was written.
    #[error(
        "session log {path}: damaged record at byte {offset}; restore the file from a copy, or move it away and lose its relays"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where the record begins.
        offset: u64,
    },
    /// A record that is larger than any relay can be.
    #[error("session log {path}: a record of {bytes} bytes is larger than the limit of {limit}")]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
}

/// Why a relay is refused. The text goes to whoever sent it; nothing was mined.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Not a relay request, or not a well-formed one.
    #[error("invalid relay request: {0}")]
    Malformed(String),
    /// More bytes than can be proven.
    #[error("the request is larger than {limit} bytes, which is what a proof of it may carry")]
    TooLarge {
        /// The limit.
        limit: usize,
    },
    /// Heights that no session of today can have.
    #[error("implausible session heights {start} to {end} at height {now}")]
    Implausible {
        /// Claimed start.
        start: i64,
        /// Claimed end.
        end: i64,
        /// Height of the chain.
        now: i64,
    },
    /// A service that this supplier does not serve.
    #[error("service `{0}` is not served here")]
    UnknownService(String),
    /// A path that this service does not serve.
    #[error("`{method} {path}` is not served for service `{service}`")]
    UnknownPath {
        /// The service.
        service: String,
        /// Method of the inner request.
        method: String,
        /// Its path.
        path: String,
    },
    /// Addressed to another supplier.
    #[error("the relay is addressed to supplier `{0}`, which is not this one")]
    WrongSupplier(String),
    /// The session is not the chain's, or this supplier is not in it.
    #[error("session: {0}")]
    Session(String),
    /// Past the grace period, or already being claimed.
    #[error("session {session} is over: {why}")]
    Expired {
        /// Session id.
        session: String,
        /// Grace ended, or the claim is being made.
        why: &'static str,
    },
    /// The ring signature.
    #[error("ring signature: {0}")]
    Signature(String),
    /// The same signature was served before.
    #[error("this signed request was already served in this session; sign it anew")]
    Replayed,
    /// The application's budget for this supplier and session is used up.
    #[error("the application's stake covers no more relays of this supplier in this session")]
    OverLimit,
    /// All slots of the service are in use.
    #[error("all {slots} slots of the service are busy")]
    Busy {
        /// How many there are.
        slots: usize,
    },
    /// The backend could not be reached or broke off before it answered.
    #[error("backend: {0}")]
    Backend(String),
    /// The backend answered with a failure of its own.
    #[error("the backend answered {0}")]
    BackendStatus(u16),
    /// The chain cannot be asked at present.
    #[error("the chain cannot be asked at present: {0}")]
    ChainDown(String),
    /// The relay could not be put on record, so its answer must not leave.
    #[error("the relay cannot be recorded: {0}")]
    Unrecorded(String),
}

impl Refusal {
    /// The HTTP status that HA miners answer with (relay-protocol 7.2).
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Malformed(_) | Self::Implausible { .. } => StatusCode::BAD_REQUEST,
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnknownService(_) | Self::UnknownPath { .. } => StatusCode::NOT_FOUND,
            Self::WrongSupplier(_)
            | Self::Session(_)
            | Self::Expired { .. }
            | Self::Signature(_)
            | Self::Replayed => StatusCode::FORBIDDEN,
            Self::OverLimit | Self::Busy { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Backend(_) => StatusCode::BAD_GATEWAY,
            Self::BackendStatus(status) => {
                StatusCode::from_u16(*status).unwrap_or(StatusCode::BAD_GATEWAY)
            }
            Self::ChainDown(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Unrecorded(_) => StatusCode::INSUFFICIENT_STORAGE,
        }
    }
}
