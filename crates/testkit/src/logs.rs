//! What suppliers have on record, read from copies of their session logs.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use prost::Message as _;
use proto::pocket::service::Relay;
use supplier::log::{Kind, SessionLog, Syncer};
use supplier::session::Opened;

/// A session as its log tells it.
#[derive(Clone, Debug)]
pub struct Logged {
    /// What it is worth, and when it ends.
    pub opened: Opened,
    /// Its relays in the order they were mined.
    pub relays: Vec<LoggedRelay>,
    /// Its root, once sealed.
    pub root: Option<Vec<u8>>,
}

/// A mined relay.
#[derive(Clone, Debug)]
pub struct LoggedRelay {
    /// SHA-256 of its bytes, hex.
    pub hash: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// The same, decoded.
    pub relay: Relay,
}

/// Reads one log without touching it.
///
/// # Errors
/// When it is not whole.
pub fn read(path: &Path) -> Result<Logged> {
    let folder = tempfile::tempdir()?;
    // Opening a log cuts off its torn tail, which may be a record being written: a copy has no such owner.
    let copy = folder.path().join("copy.log");
    std::fs::copy(path, &copy).with_context(|| format!("{}", path.display()))?;
    let (mut opened, mut relays, mut root) = (None, Vec::new(), None);
    SessionLog::open(&copy, &Arc::new(Syncer::default()), |record| {
        match record.kind {
            Kind::Opened => opened = serde_json::from_slice(&record.payload).ok(),
            Kind::Relay => relays.push(record.payload),
            Kind::Sealed => root = Some(record.payload),
            Kind::Served | Kind::Stage => {}
        }
    })?;
    let relays = relays.into_iter().map(|bytes| {
        let relay = Relay::decode(bytes.as_slice())?;
        let hash = hex::encode(protocol::relay::relay_hash(&bytes));
        Ok(LoggedRelay { hash, bytes, relay })
    });
    Ok(Logged {
        opened: opened.context("a log without its first record")?,
        relays: relays.collect::<Result<_>>()?,
        root,
    })
}

/// Reads every log of a folder; those that vanish meanwhile are passed over.
///
/// # Errors
/// When the folder cannot be read.
pub fn read_all(folder: &Path) -> Result<Vec<Logged>> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(|| format!("{}", folder.display()))? {
        let path = entry?.path();
        match read(&path) {
            Ok(logged) => all.push(logged),
            Err(_) if !path.exists() => {}
            Err(error) => return Err(error),
        }
    }
    Ok(all)
}
