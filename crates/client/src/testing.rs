//! What several test modules share.

use std::fs::File;
use std::io::{BufRead as _, BufReader};

use flate2::read::GzDecoder;
use serde_json::Value;

/// The rows of a compressed recording below `tests/vectors/golden`.
pub(crate) fn golden(file: &str) -> Vec<Value> {
    let path = format!(
        "{}/../../tests/vectors/golden/{file}",
        env!("CARGO_MANIFEST_DIR")
    );
    let reader = BufReader::new(GzDecoder::new(File::open(&path).unwrap()));
    reader
        .lines()
        .map(|line| serde_json::from_str(&line.unwrap()).unwrap())
        .collect()
}

/// The rows of a plain recording.
pub(crate) fn golden_plain(file: &str) -> Vec<Value> {
    let path = format!(
        "{}/../../tests/vectors/golden/{file}",
        env!("CARGO_MANIFEST_DIR")
    );
    let reader = BufReader::new(File::open(&path).unwrap());
    reader
        .lines()
        .map(|line| serde_json::from_str(&line.unwrap()).unwrap())
        .collect()
}
