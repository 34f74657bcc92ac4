//! What every test here needs: processes that cannot outlive it, networks, HTTP, blocks.

pub(crate) mod chain;
pub(crate) mod evidence;
pub(crate) mod load;
pub(crate) mod network;
pub(crate) mod person;
pub(crate) mod process;
pub(crate) mod random;
pub(crate) mod separate;
pub(crate) mod web;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The repository's root.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A number from the environment: how long a loop is.
pub(crate) fn amount(variable: &str, default: usize) -> usize {
    match std::env::var(variable) {
        Ok(text) => text
            .parse()
            .unwrap_or_else(|_| panic!("{variable}=`{text}` is no number")),
        Err(_) => default,
    }
}

/// Asks every 100 ms until there is an answer; other processes tell nobody when they are done.
///
/// # Panics
/// After `limit`, naming `what`.
pub(crate) fn wait_for<T>(what: &str, limit: Duration, question: impl FnMut() -> Option<T>) -> T {
    until(limit, question).unwrap_or_else(|| panic!("no {what} within {limit:?}"))
}

/// As [`wait_for`]; none after `limit`.
pub(crate) fn until<T>(limit: Duration, mut question: impl FnMut() -> Option<T>) -> Option<T> {
    let start = Instant::now();
    loop {
        if let Some(answer) = question() {
            return Some(answer);
        }
        if start.elapsed() >= limit {
            return None;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}
