//! Why a question to the chain has no answer.
//!
//! An error is never an empty answer: what the chain does not have is `Ok(None)`, and only where
//! the node itself said NOT_FOUND. Everything here means that we do not know.

use tonic::Code;

/// The result of everything in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why there is no answer. Cheap to clone, because callers that asked the same question share it.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// A setting that cannot be used. Never retried.
    #[error("{setting} `{value}`: {reason}")]
    Config {
        /// Name of the setting.
        setting: &'static str,
        /// Its value.
        value: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The node serves another network than expected. Never retried.
    #[error("node at {node} is on chain `{actual}`, the configuration says `{expected}`")]
    WrongChain {
        /// URL of the node.
        node: String,
        /// Its chain id.
        actual: String,
        /// The chain id we were told.
        expected: String,
    },
    /// The node does not follow its network's head. Worth retrying later, or with another node.
    #[error(
        "node at {node} is behind its network: its latest block {height} is {age_s} s old, at most \
         {limit_s} s are accepted (catching up: {catching_up})"
    )]
    Behind {
        /// URL of the node.
        node: String,
        /// Its latest height.
        height: i64,
        /// Age of that block by our clock, in seconds.
        age_s: u64,
        /// What was accepted, in seconds.
        limit_s: u64,
        /// Whether the node itself says that it is catching up.
        catching_up: bool,
    },
    /// No connection, or it broke. Retried.
    #[error("{what}: node at {node} is unreachable: {reason}")]
    Unreachable {
        /// URL of the node.
        node: String,
        /// What was asked.
        what: String,
        /// What the transport said.
        reason: String,
    },
    /// No answer in time. Retried.
    #[error("{what}: no answer from {node} within {after_ms} ms")]
    Timeout {
        /// URL of the node.
        node: String,
        /// What was asked.
        what: String,
        /// The deadline, in milliseconds.
        after_ms: u64,
    },
    /// The node answered a gRPC call with an error. Retried only for the codes that mean "later".
    #[error("{method}: {message} ({code:?})")]
    Refused {
        /// gRPC path.
        method: String,
        /// Its status code.
        code: Code,
        /// Its text.
        message: String,
    },
    /// The node answered a JSON-RPC call with an error.
    #[error("{method}: {message}: {data} (JSON-RPC {code})")]
    Rpc {
        /// Route.
        method: String,
        /// JSON-RPC error code.
        code: i64,
        /// Short text.
        message: String,
        /// Long text; what clients look at.
        data: String,
    },
    /// The answer is not what the protocol says. Never taken for data.
    #[error("{what}: answer cannot be used: {reason}")]
    Malformed {
        /// What was asked.
        what: String,
        /// What is wrong with the answer.
        reason: String,
    },
    /// A transaction that cannot be built.
    #[error("transaction: {reason}")]
    Build {
        /// What is missing or wrong.
        reason: String,
    },
    /// The client was shut down.
    #[error("the chain client is shutting down")]
    Closed,
}

impl Error {
    /// Whether the same question may be answered a moment later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Timeout { .. } | Self::Behind { .. } => true,
            Self::Refused { code, .. } => matches!(
                code,
                Code::Unavailable
                    | Code::DeadlineExceeded
                    | Code::ResourceExhausted
                    | Code::Aborted
            ),
            Self::Config { .. }
            | Self::WrongChain { .. }
            | Self::Rpc { .. }
            | Self::Malformed { .. }
            | Self::Build { .. }
            | Self::Closed => false,
        }
    }

    pub(crate) fn malformed(what: impl Into<String>, reason: impl ToString) -> Self {
        Self::Malformed {
            what: what.into(),
            reason: reason.to_string(),
        }
    }
}
