//! Replays a recording of a reference node on a node of ours, and compares everything both say.
//!
//! The recording's genesis is loaded; each block is executed with its recorded hash, time, proposer and votes; after each
//! commit, whatever was asked of the recorded node at that height is asked of ours, through the handlers that listeners
//! use. What was sent goes through CheckTx and the mempool. Nothing is taken from the recording but what a block is.
//!
//! Invariants
//! - a difference is reported unless it is free for everyone ([`free`]) or a row of `docs/differences.toml`, and those
//!   rows touch answers only;
//! - what is not compared is counted with its reason;
//! - a recording that cannot be read is an error that names file and line.
//!
//! Start with [`run`].

mod answers;
mod blocks;
mod calls;
mod checks;
mod diff;
mod error;
mod excuses;
mod exports;
mod frames;
mod free;
mod gateway;
mod play;
mod recording;
mod report;
mod stage;
mod web;

use std::path::Path;

use net::Tasks;
use recording::Recording;

pub use error::ReplayError;
pub use excuses::{Excuse, Excuses};
pub use report::{Count, Difference, Part, Report};

/// How a recording is replayed.
#[derive(Clone, Debug)]
pub struct Options {
    /// The differences that are meant.
    pub excuses: Excuses,
    /// A row that excuses nothing is an error on every recording, not only on the one the list is kept against.
    pub strict: bool,
    /// Differences kept of each part; the rest are counted.
    pub per_part: u64,
}

/// Differences of each part that are printed, unless told otherwise: a screen or two.
pub const PER_PART: u64 = 20;

impl Options {
    /// The built-in list, strict only where it is kept.
    ///
    /// # Errors
    /// As [`Excuses::built_in`].
    pub fn standard() -> Result<Self, ReplayError> {
        Ok(Self {
            excuses: Excuses::built_in()?,
            strict: false,
            per_part: PER_PART,
        })
    }
}

/// Reads and replays the recording in a folder.
///
/// # Errors
/// [`ReplayError`]; a difference is none.
pub async fn run(folder: &Path, options: Options, tasks: &Tasks) -> Result<Report, ReplayError> {
    play::recording(&Recording::read(folder)?, options, tasks).await
}
