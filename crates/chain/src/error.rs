//! Every way a step of the state machine can fail, one type per boundary.
//!
//! [`ChainError`] is ours (a broken store, a broken invariant); [`TxError`] is the sender's and travels in results as
//! codespace, code and log; [`QueryError`] is a querier's and travels as a gRPC status; [`GenesisError`] is the
//! operator's and names the section and field of the document.

use std::borrow::Cow;
use std::fmt;

use crate::sdk;

/// A failure of the machine itself. Not caused by any sender, hence never part of a transaction's result, except
/// running out of gas, which reaches the sender as sdk code 11.
#[derive(Debug, thiserror::Error)]
pub enum ChainError {
    /// The database under the state failed. The node must stop; a restart may help.
    #[error("state store: {0}")]
    Store(String),
    /// Bytes in the state are not what their key promises: a bug or a damaged database.
    #[error("state under {key}: {reason}")]
    Corrupt {
        /// What was read, in words or as a hex key.
        key: String,
        /// Why it cannot be read.
        reason: String,
    },
    /// The gas limit of the transaction is used up (chain specification 6.3).
    #[error("out of gas in location: {location}; gasWanted: {wanted}, gasUsed: {used}")]
    OutOfGas {
        /// What was being paid for.
        location: String,
        /// The limit.
        wanted: u64,
        /// What has been consumed, the last charge included.
        used: u64,
    },
    /// A query reads more of the state than one query may. The querier can ask for less.
    #[error(
        "more than {limit} rows of the state would be read; ask by page, with a filter, or for one"
    )]
    RowLimit {
        /// How many one query may read.
        limit: u64,
    },
    /// A height that the store does not hold.
    #[error(transparent)]
    Height(#[from] HeightError),
    /// A JSON form or an event could not be made.
    #[error(transparent)]
    Proto(#[from] proto::ProtoError),
    /// A transfer of coins, started by the machine, was refused.
    #[error(transparent)]
    Refused(Box<TxError>),
    /// The driver broke the order of the ABCI verbs, or gave a block that does not follow.
    #[error("{0}")]
    Order(String),
    /// The threads for pure work cannot be had: a limit of the operating system.
    #[error("threads: {0}")]
    Threads(String),
    /// A rule that must always hold does not. A bug.
    #[error("invariant broken: {0}")]
    Invariant(String),
    /// A begin or end blocker panicked; the node must stop.
    #[error("panic in {phase} of {module} at height {height}: {message}")]
    Panic {
        /// `BeginBlock` or `EndBlock`.
        phase: &'static str,
        /// Module name.
        module: &'static str,
        /// Block height.
        height: i64,
        /// What the panic said.
        message: String,
    },
    /// The genesis document was refused.
    #[error(transparent)]
    Genesis(#[from] GenesisError),
}

impl ChainError {
    /// State that cannot be read.
    pub fn corrupt(key: impl Into<String>, reason: impl fmt::Display) -> Self {
        Self::Corrupt {
            key: key.into(),
            reason: reason.to_string(),
        }
    }

    /// A broken invariant.
    pub fn invariant(text: impl Into<String>) -> Self {
        Self::Invariant(text.into())
    }
}

impl From<TxError> for ChainError {
    fn from(error: TxError) -> Self {
        Self::Refused(Box::new(error))
    }
}

/// Why a height cannot be read; texts are those of the SDK (chain specification 10).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeightError {
    /// No block has been committed.
    #[error("invalid height: {app} is not ready; please wait for first block")]
    NotReady {
        /// Name of the application.
        app: &'static str,
    },
    /// Above the last committed block.
    #[error(
        "cannot query with height in the future; please provide a valid height: invalid height"
    )]
    Future,
    /// Below the versions that are kept.
    #[error(
        "failed to load state at height {height}; version does not exist (latest height: {latest}): not found"
    )]
    Pruned {
        /// The height asked for.
        height: i64,
        /// The last committed height.
        latest: i64,
    },
    /// Negative.
    #[error("cannot query with height < 0; please provide a valid height: invalid request")]
    Negative,
}

impl HeightError {
    /// The sdk error code of the answer.
    pub fn code(&self) -> u32 {
        match self {
            Self::Pruned { .. } => sdk::NOT_FOUND,
            Self::Negative => sdk::INVALID_REQUEST,
            Self::NotReady { .. } | Self::Future => sdk::INVALID_HEIGHT,
        }
    }
}

/// gRPC status codes that the reference's servers use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
#[repr(i32)]
pub enum GrpcCode {
    Unknown = 2,
    InvalidArgument = 3,
    NotFound = 5,
    AlreadyExists = 6,
    PermissionDenied = 7,
    ResourceExhausted = 8,
    FailedPrecondition = 9,
    Unimplemented = 12,
    Internal = 13,
}

impl fmt::Display for GrpcCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// Why a transaction or a message was refused: what CheckTx and FinalizeBlock answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TxError {
    /// Registry of the code: `sdk`, a module's name, or `undefined`.
    pub codespace: Cow<'static, str>,
    /// Code within the codespace, never 0.
    pub code: u32,
    /// Text; clients match on parts of it (chain specification 6.7).
    pub log: String,
}

impl TxError {
    /// An error registered by a module.
    pub fn registered(codespace: &'static str, code: u32, log: impl Into<String>) -> Self {
        Self {
            codespace: Cow::Borrowed(codespace),
            code,
            log: log.into(),
        }
    }

    /// An error of codespace `sdk`.
    pub fn sdk(code: u32, log: impl Into<String>) -> Self {
        Self::registered(sdk::CODESPACE, code, log)
    }

    /// What the SDK makes of a gRPC status returned by a message server: codespace `undefined`, code 1.
    pub fn status(code: GrpcCode, text: impl fmt::Display) -> Self {
        Self::registered(
            "undefined",
            1,
            format!("rpc error: code = {code} desc = {text}"),
        )
    }

    /// A request that cannot be granted: sdk 18, the reason with the code's text.
    pub fn invalid_request(reason: impl fmt::Display) -> Self {
        Self::sdk(sdk::INVALID_REQUEST, format!("{reason}: invalid request"))
    }

    /// What the reference answers where it panics: codespace `undefined`.
    pub fn panic(reason: impl fmt::Display) -> Self {
        Self::registered(
            "undefined",
            sdk::PANIC,
            format!("recovered: {reason}: panic"),
        )
    }

    /// Any other error returned by a message server: codespace `undefined`, code 1, the bare text.
    pub fn undefined(log: impl Into<String>) -> Self {
        Self::registered("undefined", 1, log)
    }

    /// Puts words before the log, keeping the code, as Go's wrapped errors print.
    #[must_use]
    pub fn wrap(mut self, prefix: impl fmt::Display) -> Self {
        self.log = format!("{prefix}: {}", self.log);
        self
    }
}

impl fmt::Display for TxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.log)
    }
}

impl std::error::Error for TxError {}

impl From<ChainError> for TxError {
    fn from(error: ChainError) -> Self {
        match error {
            ChainError::OutOfGas { .. } => {
                Self::sdk(sdk::OUT_OF_GAS, format!("{error}: out of gas"))
            }
            ChainError::Refused(inner) => *inner,
            other => Self::panic(format_args!("internal: {other}")),
        }
    }
}

/// Why a query has no answer: a gRPC status, and the ABCI code that the SDK's ABCI query gives for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryError {
    /// gRPC status code.
    pub grpc: GrpcCode,
    /// Codespace of an ABCI answer.
    pub codespace: Cow<'static, str>,
    /// Code of an ABCI answer.
    pub code: u32,
    /// Text of the status, without `rpc error:`.
    pub message: String,
}

impl QueryError {
    /// A status as a query server returns it.
    pub fn status(grpc: GrpcCode, message: impl Into<String>) -> Self {
        let code = match grpc {
            GrpcCode::NotFound => sdk::KEY_NOT_FOUND,
            GrpcCode::InvalidArgument | GrpcCode::FailedPrecondition | GrpcCode::Unknown => {
                sdk::INVALID_REQUEST
            }
            _ => sdk::UNKNOWN_REQUEST,
        };
        Self {
            grpc,
            codespace: Cow::Borrowed(sdk::CODESPACE),
            code,
            message: message.into(),
        }
    }

    /// The thing asked for is not there.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::status(GrpcCode::NotFound, message)
    }

    /// The request makes no sense.
    pub fn invalid_argument(message: impl Into<String>) -> Self {
        Self::status(GrpcCode::InvalidArgument, message)
    }

    /// The answer could not be made.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::status(GrpcCode::Internal, message)
    }

    /// A plain Go error, which gRPC reports as Unknown.
    pub fn unknown(message: impl Into<String>) -> Self {
        Self::status(GrpcCode::Unknown, message)
    }

    /// An error registered by a module, with what happened behind it, as gRPC shows it.
    pub fn registered(codespace: &'static str, code: u32, text: &str, detail: &str) -> Self {
        Self {
            codespace: Cow::Borrowed(codespace),
            code,
            ..Self::unknown(format!(
                "codespace {codespace} code {code}: {text}: {detail}"
            ))
        }
    }

    /// A status of code Unknown: what a server says of a failure that is not its own.
    pub fn failed_status(message: impl Into<String>) -> Self {
        Self {
            code: sdk::UNKNOWN_REQUEST,
            ..Self::unknown(message)
        }
    }

    /// The `log` of an ABCI answer: statuses are spelt out, plain errors are not, both end with the code's text.
    pub fn log(&self) -> String {
        let end = match self.code {
            sdk::KEY_NOT_FOUND => "key not found",
            sdk::INVALID_REQUEST => "invalid request",
            sdk::UNKNOWN_REQUEST => "unknown request",
            _ => return self.message.clone(),
        };
        // Over ABCI there is no gRPC server that would say that it cannot read the request.
        if let Some(reason) = self
            .message
            .strip_prefix("grpc: error unmarshalling request: ")
        {
            format!("{reason}: {end}")
        } else if self.message.ends_with(end) {
            self.message.clone()
        } else if self.grpc == GrpcCode::Unknown && self.code == sdk::INVALID_REQUEST {
            format!("{}: {end}", self.message)
        } else {
            format!(
                "rpc error: code = {} desc = {}: {end}",
                self.grpc, self.message
            )
        }
    }
}

impl fmt::Display for QueryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for QueryError {}

impl From<HeightError> for QueryError {
    fn from(error: HeightError) -> Self {
        let code = error.code();
        Self {
            grpc: GrpcCode::Unknown,
            codespace: Cow::Borrowed(sdk::CODESPACE),
            code,
            message: error.to_string(),
        }
    }
}

impl From<ChainError> for QueryError {
    fn from(error: ChainError) -> Self {
        match error {
            ChainError::Height(error) => error.into(),
            error @ ChainError::RowLimit { .. } => {
                Self::status(GrpcCode::ResourceExhausted, error.to_string())
            }
            other => Self::internal(other.to_string()),
        }
    }
}

/// Why a genesis document cannot start a chain.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("genesis: {path}: {reason}")]
pub struct GenesisError {
    /// Path of the culprit from the root of the document, dot-separated: `app_state.bank.supply`.
    pub path: String,
    /// What is wrong with it.
    pub reason: String,
}

impl GenesisError {
    /// A field that is wrong; `path` is relative to the module's section unless it starts with `app_state`.
    pub fn new(path: impl Into<String>, reason: impl fmt::Display) -> Self {
        Self {
            path: path.into(),
            reason: reason.to_string(),
        }
    }

    /// Puts a section before the path.
    #[must_use]
    pub fn within(mut self, section: &str) -> Self {
        self.path = if self.path.is_empty() {
            section.to_owned()
        } else {
            format!("{section}.{}", self.path)
        };
        self
    }
}

impl From<ChainError> for GenesisError {
    fn from(error: ChainError) -> Self {
        match error {
            ChainError::Genesis(error) => error,
            other => Self::new("", other),
        }
    }
}

impl From<TxError> for GenesisError {
    fn from(error: TxError) -> Self {
        Self::new("", error)
    }
}
