//! The session log: the only record of work done, kept until the work is paid.
//!
//! A relay exists from the moment its bytes are in the session's file ([`SessionLog::append`]), survives the death of the
//! process from then on, and the death of the machine from the next group sync ([`Syncer`]). Nothing else in the supplier
//! may be the only copy of anything: the trie, the meter and the replay set are rebuilt from here.
//!
//! Invariants
//! - one file a session, records in the order of their appending; a seal is a record, and nothing follows it but outcomes;
//! - a torn tail is dropped at open, counted and logged; a damaged middle is an error that names file and offset;
//! - a record is one `write(2)`, so a reader sees all of it or a torn tail.
//!
//! Layout of a record: `LE32(length) | LE32(crc32c of kind and payload) | kind | payload`, length counting kind and
//! payload. The first record of a file is [`Kind::Opened`].

use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

use crate::error::LogError;
use crate::limits::{GROUP_RECORDS, GROUP_WAIT, RECORD_BYTES};

const HEADER_BYTES: usize = 8;

/// What a record holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// The session and what it is worth ([`crate::session::Opened`] as JSON).
    Opened = 1,
    /// A mined relay: its encoded bytes, the value of its leaf.
    Relay = 2,
    /// A relay that was served but does not meet the difficulty: its replay key.
    Served = 3,
    /// The 48-byte root: the session takes no more relays.
    Sealed = 4,
    /// How far the claim got ([`crate::claims::Stage`] as JSON).
    Stage = 5,
}

impl Kind {
    fn of(byte: u8) -> Option<Self> {
        [
            Self::Opened,
            Self::Relay,
            Self::Served,
            Self::Sealed,
            Self::Stage,
        ]
        .into_iter()
        .find(|kind| *kind as u8 == byte)
    }
}

/// One record as read back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Where it begins in the file.
    pub position: u64,
    /// What it holds.
    pub kind: Kind,
    /// Its payload.
    pub payload: Vec<u8>,
}

/// An open session file.
#[derive(Debug)]
pub struct SessionLog {
    file: File,
    path: PathBuf,
    length: Mutex<u64>,
    syncer: Arc<Syncer>,
}

impl SessionLog {
    /// Makes the file of a new session.
    ///
    /// # Errors
    /// [`LogError::Io`], also when the file exists.
    pub fn create(path: &Path, opened: &[u8], syncer: &Arc<Syncer>) -> Result<Arc<Self>, LogError> {
        let wrap = |source| LogError::Io {
            path: path.to_owned(),
            source,
        };
        let mut options = OpenOptions::new();
        let file = options
            .create_new(true)
            .append(true)
            .read(true)
            .open(path)
            .map_err(wrap)?;
        let log = Arc::new(Self {
            file,
            path: path.to_owned(),
            length: Mutex::new(0),
            syncer: Arc::clone(syncer),
        });
        log.append(Kind::Opened, opened)?;
        Ok(log)
    }

    /// Opens the file of a session that an earlier run made, and reads it through. A torn tail is cut off.
    ///
    /// # Errors
    /// [`LogError::Damaged`] for a record in the middle that is not what was written.
    pub fn open(
        path: &Path,
        syncer: &Arc<Syncer>,
        mut visit: impl FnMut(Record),
    ) -> Result<Arc<Self>, LogError> {
        let wrap = |source| LogError::Io {
            path: path.to_owned(),
            source,
        };
        let mut file = OpenOptions::new()
            .append(true)
            .read(true)
            .open(path)
            .map_err(wrap)?;
        file.seek(SeekFrom::Start(0)).map_err(wrap)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(wrap)?;
        let mut at = 0;
        let torn = loop {
            match decode(bytes.get(at..).unwrap_or_default()) {
                Decoded::End => break 0,
                Decoded::Record(kind, payload) => {
                    let position = at as u64;
                    at += HEADER_BYTES + 1 + payload.len();
                    visit(Record {
                        position,
                        kind,
                        payload: payload.to_vec(),
                    });
                }
                Decoded::Torn => break bytes.len() - at,
                Decoded::Damaged => {
                    return Err(LogError::Damaged {
                        path: path.to_owned(),
                        offset: at as u64,
                    });
                }
            }
        };
        if torn > 0 {
            tracing::warn!(path = %path.display(), bytes = torn, "dropped a torn last record");
            file.set_len(at as u64).map_err(wrap)?;
        }
        Ok(Arc::new(Self {
            file,
            path: path.to_owned(),
            length: Mutex::new(at as u64),
            syncer: Arc::clone(syncer),
        }))
    }

    /// Appends a record with one write and returns its position. Microseconds; the sync follows in a group.
    ///
    /// # Errors
    /// [`LogError::Io`], e.g. a full disk: the caller must then not release what the record is about. What a failed write
    /// left behind is cut off, so that the file stays whole.
    pub fn append(self: &Arc<Self>, kind: Kind, payload: &[u8]) -> Result<u64, LogError> {
        let wrap = |source| LogError::Io {
            path: self.path.clone(),
            source,
        };
        if payload.len() > RECORD_BYTES {
            return Err(LogError::TooLarge {
                path: self.path.clone(),
                bytes: payload.len(),
                limit: RECORD_BYTES,
            });
        }
        let mut record = Vec::with_capacity(HEADER_BYTES + 1 + payload.len());
        let length = u32::try_from(payload.len() + 1).unwrap_or(u32::MAX);
        record.extend_from_slice(&length.to_le_bytes());
        record.extend_from_slice(&[0; 4]);
        record.push(kind as u8);
        record.extend_from_slice(payload);
        let crc = crc32c::crc32c(record.get(HEADER_BYTES..).unwrap_or_default());
        if let Some(place) = record.get_mut(4..HEADER_BYTES) {
            place.copy_from_slice(&crc.to_le_bytes());
        }
        let mut end = self.length.lock().unwrap_or_else(PoisonError::into_inner);
        let position = *end;
        if let Err(source) = (&self.file).write_all(&record) {
            let _ = self.file.set_len(position);
            return Err(wrap(source));
        }
        *end = position + record.len() as u64;
        drop(end);
        self.syncer.note(self);
        Ok(position)
    }

    /// Reads one record back.
    ///
    /// # Errors
    /// [`LogError::Damaged`] when there is none at `position`.
    pub fn read(&self, position: u64) -> Result<(Kind, Vec<u8>), LogError> {
        let wrap = |source| LogError::Io {
            path: self.path.clone(),
            source,
        };
        let damaged = || LogError::Damaged {
            path: self.path.clone(),
            offset: position,
        };
        let mut head = [0; HEADER_BYTES];
        self.file.read_exact_at(&mut head, position).map_err(wrap)?;
        let length = u32::from_le_bytes([head[0], head[1], head[2], head[3]]) as usize;
        if length == 0 || length > RECORD_BYTES + 1 {
            return Err(damaged());
        }
        let mut bytes = head.to_vec();
        bytes.resize(HEADER_BYTES + length, 0);
        let rest = bytes.get_mut(HEADER_BYTES..).ok_or_else(damaged)?;
        self.file
            .read_exact_at(rest, position + HEADER_BYTES as u64)
            .map_err(wrap)?;
        match decode(&bytes) {
            Decoded::Record(kind, payload) => Ok((kind, payload.to_vec())),
            _ => Err(damaged()),
        }
    }

    /// Brings everything appended so far to the disk.
    ///
    /// # Errors
    /// [`LogError::Io`].
    pub fn sync(&self) -> Result<(), LogError> {
        let synced = self.file.sync_data();
        synced.map_err(|source| LogError::Io {
            path: self.path.clone(),
            source,
        })
    }

    /// Bytes written.
    pub fn len(&self) -> u64 {
        *self.length.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether nothing was written.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Removes the file: its session is paid, or lost for good.
    ///
    /// # Errors
    /// [`LogError::Io`].
    pub fn remove(&self) -> Result<(), LogError> {
        fs::remove_file(&self.path).map_err(|source| LogError::Io {
            path: self.path.clone(),
            source,
        })
    }
}

enum Decoded<'a> {
    Record(Kind, &'a [u8]),
    End,
    /// The file ends inside this record.
    Torn,
    Damaged,
}

fn decode(bytes: &[u8]) -> Decoded<'_> {
    if bytes.is_empty() {
        return Decoded::End;
    }
    let word = |from: usize| -> Option<u32> {
        Some(u32::from_le_bytes(
            bytes.get(from..from + 4)?.try_into().ok()?,
        ))
    };
    let (Some(length), Some(crc)) = (word(0), word(4)) else {
        return Decoded::Torn;
    };
    let length = length as usize;
    if length == 0 || length > RECORD_BYTES + 1 {
        // A tail of zeros is what some file systems leave after a power failure.
        let zeros = bytes.iter().all(|byte| *byte == 0);
        return if zeros {
            Decoded::Torn
        } else {
            Decoded::Damaged
        };
    }
    let Some(content) = bytes.get(HEADER_BYTES..HEADER_BYTES + length) else {
        return Decoded::Torn;
    };
    let last = bytes.len() == HEADER_BYTES + length;
    let Some((kind, payload)) = content.split_first() else {
        return Decoded::Damaged;
    };
    match Kind::of(*kind) {
        Some(kind) if crc32c::crc32c(content) == crc => Decoded::Record(kind, payload),
        // A torn write of the last record may have its length right and its bytes not.
        _ if last => Decoded::Torn,
        _ => Decoded::Damaged,
    }
}

/// Syncs files in groups, away from the requests.
#[derive(Debug, Default)]
pub struct Syncer {
    dirty: Mutex<Dirty>,
    wake: Notify,
}

#[derive(Debug, Default)]
struct Dirty {
    logs: Vec<Arc<SessionLog>>,
    records: usize,
}

impl Syncer {
    /// Starts the task that syncs; it ends with `tasks`, after a last sync.
    pub fn start(tasks: &net::Tasks) -> Arc<Self> {
        let syncer = Arc::new(Self::default());
        let own = Arc::clone(&syncer);
        let scope = tasks.clone();
        tasks.spawn(async move {
            loop {
                let ended = scope.until_cancelled(own.group()).await.is_none();
                let logs = own.take();
                // Syncing blocks for milliseconds.
                let synced = tokio::task::spawn_blocking(move || {
                    for log in logs {
                        if let Err(error) = log.sync() {
                            tracing::error!(%error, "a session log cannot be synced");
                        }
                    }
                });
                let _ = synced.await;
                if ended {
                    break;
                }
            }
        });
        syncer
    }

    /// Waits for a group: the first record, then more of them or the time limit.
    async fn group(&self) {
        loop {
            let woken = self.wake.notified();
            if self.records() > 0 {
                break;
            }
            woken.await;
        }
        let full = async {
            loop {
                let woken = self.wake.notified();
                if self.records() >= GROUP_RECORDS {
                    break;
                }
                woken.await;
            }
        };
        let _ = tokio::time::timeout(GROUP_WAIT, full).await;
    }

    fn records(&self) -> usize {
        self.dirty
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .records
    }

    fn note(&self, log: &Arc<SessionLog>) {
        let mut dirty = self.dirty.lock().unwrap_or_else(PoisonError::into_inner);
        if !dirty.logs.iter().any(|known| Arc::ptr_eq(known, log)) {
            dirty.logs.push(Arc::clone(log));
        }
        dirty.records += 1;
        let wake = dirty.records == 1 || dirty.records == GROUP_RECORDS;
        drop(dirty);
        if wake {
            self.wake.notify_waiters();
            self.wake.notify_one();
        }
    }

    fn take(&self) -> Vec<Arc<SessionLog>> {
        std::mem::take(&mut *self.dirty.lock().unwrap_or_else(PoisonError::into_inner)).logs
    }
}

#[cfg(test)]
mod tests;
