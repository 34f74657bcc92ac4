//! Why a recording cannot be replayed at all. A difference is no error; it is in the report.

use std::path::{Path, PathBuf};

use crate::error::NodeError;

/// What a person must mend before there is anything to compare.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// A file cannot be read.
    #[error("{}: {source}", path.display())]
    File {
        /// Its path.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A row of a file, or the whole of it, is not what it should be.
    #[error("{}:{line}: {reason}", path.display())]
    Row {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// The list of differences cannot be read.
    #[error("{file}: {reason}")]
    Differences {
        /// The file, or where a built-in list came from.
        file: String,
        /// What is wrong.
        reason: String,
    },
    /// A store or a thread of ours failed.
    #[error(transparent)]
    Node(#[from] NodeError),
}

impl ReplayError {
    pub(super) fn row(path: &Path, line: usize, reason: impl std::fmt::Display) -> Self {
        Self::Row {
            path: path.to_owned(),
            line,
            reason: reason.to_string(),
        }
    }
}
