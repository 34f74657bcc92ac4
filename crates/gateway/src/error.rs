//! What goes wrong in a gateway: before it starts, and in one relay.

use std::path::PathBuf;
use std::time::Duration;

/// Why a gateway does not start. Every variant is something the operator can mend.
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
    /// A file that cannot be read or written.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The listener.
    #[error(transparent)]
    Net(#[from] net::NetError),
    /// The chain.
    #[error(transparent)]
    Chain(#[from] client::Error),
    /// An application that is not delegated to this gateway, or not staked for what is sold.
    #[error("application {application}: {reason}")]
    Application {
        /// Its address.
        application: String,
        /// What is missing, and which transaction mends it.
        reason: String,
    },
    /// The ring cannot be built.
    #[error("ring of application {application}: {source}")]
    Ring {
        /// Its address.
        application: String,
        /// What the signature code said.
        source: crypto::Error,
    },
}

/// Why one attempt at one supplier gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum RelayFailure {
    /// No session for this service at present.
    #[error("no session of service {service} yet: {reason}")]
    NoSession {
        /// The service.
        service: String,
        /// Why.
        reason: String,
    },
    /// The connection, or the HTTP exchange.
    #[error("supplier {supplier}: {source}")]
    Transport {
        /// Operator address.
        supplier: String,
        /// What happened.
        source: net::NetError,
    },
    /// The supplier said no.
    #[error("supplier {supplier} refused the relay ({status}): {reason}")]
    Refused {
        /// Operator address.
        supplier: String,
        /// HTTP status, or that which a reference miner's code stands for.
        status: u16,
        /// Its words.
        reason: String,
        /// `Retry-After`, if it sent one.
        retry_after: Option<Duration>,
    },
    /// What came back is not a correctly signed answer to this request.
    #[error("supplier {supplier} sent an answer that does not verify: {reason}")]
    Invalid {
        /// Operator address.
        supplier: String,
        /// Which check failed.
        reason: String,
    },
    /// The relay could not be signed.
    #[error("signing a relay: {0}")]
    Signing(crypto::Error),
    /// The supplier took the relay and let its share of the deadline pass.
    #[error("supplier {supplier} did not answer within {} ms", after.as_millis())]
    Silent {
        /// Operator address.
        supplier: String,
        /// What it was given.
        after: Duration,
    },
    /// The deadline that all attempts share.
    #[error("no supplier of {service} answered within {} s", after.as_secs())]
    Deadline {
        /// The service.
        service: String,
        /// The deadline.
        after: Duration,
    },
}

impl RelayFailure {
    /// Whether another supplier may do better.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Transport { .. } | Self::Silent { .. } | Self::Invalid { .. } => true,
            Self::Refused { status, .. } => *status != 413,
            Self::NoSession { .. } | Self::Signing(_) | Self::Deadline { .. } => false,
        }
    }
}
