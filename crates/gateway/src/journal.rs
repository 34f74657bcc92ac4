//! Which relay answered which request: the gateway's side of every figure that must be traceable.
//!
//! One JSON object a line, appended with one `write(2)` before the client gets the last byte of its answer, so that a
//! record exists for every answer that a client has whole. It survives the death of the process, not of the machine.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use serde::{Deserialize, Serialize};

use crate::StartError;

/// One answered relay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// What the client was told in `x-request-id`.
    pub request_id: String,
    /// SHA-256 of the relay as mined, hex: the key of its leaf in the supplier's claim.
    pub relay_hash: String,
    /// Model as the client named it.
    pub model: String,
    /// Service on chain.
    pub service_id: String,
    /// Application that pays.
    pub application: String,
    /// Operator address of the supplier that answered.
    pub supplier: String,
    /// Session it counts in.
    pub session_id: String,
    /// Last block of that session.
    pub session_end_height: i64,
    /// HTTP status of the backend's answer.
    pub status: u16,
    /// From the request's arrival to its answer's last byte.
    pub duration_ms: u64,
    /// Whether it was streamed.
    pub stream: bool,
}

/// Called with every entry after it is written.
pub type OnRelay = Arc<dyn Fn(&Entry) + Send + Sync>;

/// The open file.
pub struct Journal {
    file: Mutex<File>,
    path: PathBuf,
    on_relay: Option<OnRelay>,
}

impl Journal {
    /// Opens or creates the file; an unfinished last line, left by a crash, is ended so that later lines stay whole.
    ///
    /// # Errors
    /// [`StartError::File`] when it cannot be opened.
    pub fn open(path: &Path, on_relay: Option<OnRelay>) -> Result<Arc<Self>, StartError> {
        let wrap = |source| StartError::File {
            path: path.to_owned(),
            source,
        };
        let mut options = OpenOptions::new();
        let mut file = options
            .create(true)
            .append(true)
            .read(true)
            .open(path)
            .map_err(wrap)?;
        let length = file.metadata().map_err(wrap)?.len();
        if length > 0 {
            let mut last = [0];
            file.seek(SeekFrom::Start(length - 1)).map_err(wrap)?;
            file.read_exact(&mut last).map_err(wrap)?;
            if last != *b"\n" {
                tracing::warn!(path = %path.display(), "unfinished last line in the relay journal");
                file.write_all(b"\n").map_err(wrap)?;
            }
        }
        Ok(Arc::new(Self {
            file: Mutex::new(file),
            path: path.to_owned(),
            on_relay,
        }))
    }

    /// Appends one entry. Microseconds: a single write, no sync.
    ///
    /// # Errors
    /// What the system said, e.g. a full disk; the answer must then not be completed.
    pub fn record(&self, entry: &Entry) -> std::io::Result<()> {
        let mut line = serde_json::to_vec(entry)?;
        line.push(b'\n');
        // A panic while the lock was held cannot leave a broken state behind: the file has none of ours.
        let mut file = self
            .file
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        file.write_all(&line)?;
        drop(file);
        if let Some(on_relay) = &self.on_relay {
            on_relay(entry);
        }
        Ok(())
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Finds the entry of a request in a journal file, newest first.
///
/// # Errors
/// When the file cannot be read.
pub fn find(path: &Path, request_id: &str) -> std::io::Result<Option<Entry>> {
    Ok(read(path)?
        .into_iter()
        .rev()
        .find(|entry| entry.request_id == request_id))
}

/// All whole entries of a journal file in order; lines cut by a crash are passed over.
///
/// # Errors
/// When the file cannot be read.
pub fn read(path: &Path) -> std::io::Result<Vec<Entry>> {
    let text = std::fs::read(path)?;
    Ok(text
        .split(|byte| *byte == b'\n')
        .filter_map(|line| serde_json::from_slice(line).ok())
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(id: &str) -> Entry {
        Entry {
            request_id: id.to_owned(),
            relay_hash: "00".repeat(32),
            model: "millstone".to_owned(),
            service_id: "millstone".to_owned(),
            application: "pokt1app".to_owned(),
            supplier: "pokt1sup".to_owned(),
            session_id: "ab".repeat(32),
            session_end_height: 10,
            status: 200,
            duration_ms: 12,
            stream: true,
        }
    }

    #[test]
    fn a_torn_line_costs_nothing_but_itself() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("relays.jsonl");
        Journal::open(&path, None)
            .unwrap()
            .record(&entry("a"))
            .unwrap();
        let mut text = std::fs::read(&path).unwrap();
        text.extend_from_slice(b"{\"request_id\":\"b\",\"rel");
        std::fs::write(&path, text).unwrap();
        Journal::open(&path, None)
            .unwrap()
            .record(&entry("c"))
            .unwrap();
        assert_eq!(read(&path).unwrap(), [entry("a"), entry("c")]);
        assert_eq!(find(&path, "c").unwrap(), Some(entry("c")));
        assert_eq!(find(&path, "b").unwrap(), None);
    }
}
