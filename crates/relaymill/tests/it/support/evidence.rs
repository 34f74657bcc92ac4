//! What suppliers wrote down and what the chain took from it: session logs, claims, settlements.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use crypto::trie::{Trie, leaf_digest, value_path};
use prost::Message as _;
use proto::pocket::proof::MsgCreateClaim;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::chain::Block;

/// What identifies a claim: session id and supplier.
pub(crate) type ClaimKey = (String, String);

/// A session log as it was last seen.
#[derive(Clone, Debug, Default)]
pub(crate) struct SessionLog {
    /// First record.
    pub(crate) opened: Value,
    /// Encoded relays.
    pub(crate) relays: Vec<Vec<u8>>,
}

impl SessionLog {
    /// Keys of the leaves, hex.
    pub(crate) fn relay_hashes(&self) -> BTreeSet<String> {
        self.relays
            .iter()
            .map(|relay| hex::encode(Sha256::digest(relay)))
            .collect()
    }

    /// The root that these relays have.
    pub(crate) fn root(&self) -> Vec<u8> {
        let weight = self.opened["compute_units_per_relay"]
            .as_u64()
            .expect("a weight");
        let mut trie = Trie::new();
        for relay in &self.relays {
            let path = value_path(relay);
            trie.insert(path, leaf_digest(&path, relay, weight), 0);
        }
        trie.seal().root().as_bytes().to_vec()
    }

    fn read(bytes: &[u8]) -> Self {
        const HEAD: usize = 8;
        let (mut log, mut rest) = (Self::default(), bytes);
        while let Some(length) = rest.get(..4) {
            let length = u32::from_le_bytes(length.try_into().expect("four bytes")) as usize;
            let Some([kind, payload @ ..]) = rest.get(HEAD..HEAD + length) else {
                break;
            };
            match kind {
                1 => {
                    log.opened = serde_json::from_slice(payload).expect("the first record is JSON")
                }
                2 => log.relays.push(payload.to_vec()),
                _ => {}
            }
            rest = &rest[HEAD + length..];
        }
        log
    }
}

/// All session logs of a network's suppliers, by file.
pub(crate) fn session_logs(data: &Path) -> BTreeMap<PathBuf, SessionLog> {
    let mut logs = BTreeMap::new();
    for number in 1..=4 {
        let folder = data.join(format!("supplier-{number}/sessions"));
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            // A log may be removed between listing and reading: its session is paid.
            if let Ok(bytes) = std::fs::read(&path) {
                logs.insert(path, SessionLog::read(&bytes));
            }
        }
    }
    logs
}

/// Keeps every session log's last state: suppliers remove them once they are paid.
pub(crate) struct Watch {
    data: PathBuf,
    seen: Arc<Mutex<BTreeMap<PathBuf, SessionLog>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    /// Watches a network's suppliers until it is dropped.
    pub(crate) fn over(data: &Path) -> Self {
        let (seen, stop) = (Arc::default(), Arc::new(AtomicBool::new(false)));
        let data = data.to_owned();
        let watch = (data.clone(), Arc::clone(&seen), Arc::clone(&stop));
        let thread = std::thread::spawn(move || {
            let (data, seen, stop) = watch;
            while !stop.load(Ordering::Relaxed) {
                keep(&data, &seen);
                std::thread::sleep(Duration::from_millis(300));
            }
        });
        Self {
            data,
            seen,
            stop,
            thread: Some(thread),
        }
    }

    /// Every session log that there was.
    pub(crate) fn logs(&self) -> Vec<SessionLog> {
        keep(&self.data, &self.seen);
        self.seen
            .lock()
            .expect("no panic")
            .values()
            .cloned()
            .collect()
    }
}

fn keep(data: &Path, seen: &Mutex<BTreeMap<PathBuf, SessionLog>>) {
    let logs = session_logs(data);
    let mut seen = seen.lock().expect("no panic");
    for (path, log) in logs {
        let known = seen.entry(path).or_default();
        if log.relays.len() >= known.relays.len() {
            *known = log;
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// Roots of all claims that the chain accepted; the last one of a session counts.
pub(crate) fn claimed_roots(blocks: &[Block]) -> BTreeMap<ClaimKey, Vec<u8>> {
    let mut roots = BTreeMap::new();
    let accepted = |block: &Block| -> Vec<_> {
        block
            .transactions
            .iter()
            .filter(|transaction| transaction.code == 0)
            .cloned()
            .collect()
    };
    for (url, bytes) in blocks
        .iter()
        .flat_map(accepted)
        .flat_map(|transaction| transaction.messages())
    {
        if url == "/pocket.proof.MsgCreateClaim" {
            let claim = MsgCreateClaim::decode(bytes.as_slice()).expect("a claim");
            let session = claim.session_header.expect("a session").session_id;
            let root = claim.root_hash.to_vec();
            roots.insert((session, claim.supplier_operator_address), root);
        }
    }
    roots
}

/// Relays of every settled claim.
pub(crate) fn settled_relays(blocks: &[Block]) -> BTreeMap<ClaimKey, u64> {
    let events = blocks.iter().flat_map(|block| &block.events);
    let settled = events.filter(|event| event.kind == "pocket.tokenomics.EventClaimSettled");
    settled
        .map(|event| {
            let key = (
                event.text("session_id"),
                event.text("supplier_operator_address"),
            );
            (key, event.number("num_relays"))
        })
        .collect()
}

/// Events that mean that work was not paid.
pub(crate) fn losses(blocks: &[Block]) -> Vec<String> {
    const BAD: [&str; 4] = [
        "pocket.tokenomics.EventClaimExpired",
        "pocket.tokenomics.EventClaimDiscarded",
        "pocket.tokenomics.EventSupplierSlashed",
        "pocket.tokenomics.EventApplicationOverserviced",
    ];
    let events = blocks
        .iter()
        .flat_map(|block| block.events.iter().map(|event| (block.height, event)));
    let bad = events.filter(|(_, event)| BAD.contains(&event.kind.as_str()));
    bad.map(|(height, event)| format!("block {height}: {event:?}"))
        .collect()
}
