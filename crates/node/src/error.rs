//! How a node fails: at its start, and while it runs.

use std::path::PathBuf;

/// Why a node cannot start. All of them need a person.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A value of the configuration is wrong.
    #[error("{}: {key}: {reason}", file.display())]
    Config {
        /// The configuration file.
        file: PathBuf,
        /// The key in it.
        key: String,
        /// What is wrong and what is accepted.
        reason: String,
    },
    /// A file or folder cannot be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// Its path.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The validator's key file is not one, or others can read it.
    #[error("{}: {reason}", path.display())]
    Key {
        /// Its path.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The genesis document was refused.
    #[error(transparent)]
    Genesis(#[from] chain::GenesisError),
    /// The folder holds another chain than the genesis document describes.
    #[error(
        "{} does not describe the chain in {}: give the document that it was started with, or another data_dir",
        genesis.display(),
        data_dir.display()
    )]
    OtherChain {
        /// The document.
        genesis: PathBuf,
        /// The folder.
        data_dir: PathBuf,
    },
    /// Blocks and state do not fit together.
    #[error("block store is at height {blocks}, state at {state}; they can differ by one at most")]
    Torn {
        /// Last stored block.
        blocks: i64,
        /// Last committed state.
        state: i64,
    },
    /// The genesis names validators that make no set.
    #[error("genesis: {0}")]
    Validators(String),
    /// A listener.
    #[error(transparent)]
    Net(#[from] net::NetError),
    /// Stores or state machine.
    #[error(transparent)]
    Node(#[from] NodeError),
}

impl StartError {
    pub(crate) fn validators(error: impl std::fmt::Display) -> Self {
        Self::Validators(error.to_string())
    }
}

/// Why a running node stopped. A restart may help after a full disk, never after a panic of a module.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// The block store.
    #[error("block store: {0}")]
    Store(String),
    /// The state machine; a panic names height and module.
    #[error(transparent)]
    Chain(#[from] chain::ChainError),
    /// The CometBFT beside this node does not answer, or not as its protocol says. Worth retrying.
    #[error("CometBFT: {0}")]
    Comet(String),
    /// The own key has not more than two thirds of the voting power, so that no block can be committed.
    #[error(
        "validator.key ({validator}) has {own} of {total} voting power at height {height}: a node that makes its own blocks \
         needs more than two thirds"
    )]
    Outvoted {
        /// Its address.
        validator: String,
        /// The block that cannot be committed.
        height: i64,
        /// Its power.
        own: i128,
        /// Everyone's.
        total: i128,
    },
    /// The driver's thread died: a bug.
    #[error("driver: {0}")]
    Driver(String),
}

impl NodeError {
    /// Something in the block store that is not as written.
    pub(crate) fn corrupt(what: impl std::fmt::Display) -> Self {
        Self::Store(format!("corrupt: {what}"))
    }
}

macro_rules! from_redb {
    ($($error:ty),+) => {
        $(impl From<$error> for NodeError {
            fn from(error: $error) -> Self {
                Self::Store(error.to_string())
            }
        })+
    };
}

from_redb!(
    redb::DatabaseError,
    redb::TransactionError,
    redb::TableError,
    redb::StorageError,
    redb::CommitError,
    redb::SetDurabilityError
);
