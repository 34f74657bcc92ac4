//! Our types against the recorded bytes of the reference.

mod frozen;
mod golden;
mod vectors;

use std::path::PathBuf;

/// A file below `tests/vectors` at the repository's root.
fn vector_path(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/vectors")).join(name)
}
