//! One session of one application at this supplier: its meter, its replay set, its trie, its log.
//!
//! All of it is one state behind one lock that is held for microseconds. A relay takes a [`Reservation`] before it goes to
//! the backend; the reservation ends in the log (mined), or is given back when nothing was sent.
//!
//! What must hold
//! - the cap fails closed: a relay whose cost does not fit is refused before the backend;
//! - no ring signature is served twice, also over a restart;
//! - once sealing starts nothing is reserved, and sealing waits for every reservation.

use std::collections::HashSet;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use crypto::keys::{PublicKey, SecretKey};
use crypto::ring;
use crypto::trie::{Root, SealedTrie, SiblingData, Trie, leaf_digest, value_path};
use prost::Message as _;
use proto::pocket::service::{Relay, RelayRequest, RelayResponse};
use proto::pocket::session::SessionHeader;
use protocol::Upokt;
use protocol::difficulty::applicable;
use protocol::metering::Meter;
use protocol::relay as wire;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::claims::Stage;
use crate::error::{LogError, Refusal};
use crate::log::{Kind, Record, SessionLog, Syncer};

/// What a session is worth and when it ends, fixed when it was opened: the first record of its file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Opened {
    /// Application that pays.
    pub application: String,
    /// Service.
    pub service_id: String,
    /// Session id, 64 hex digits.
    pub session_id: String,
    /// First block.
    pub start_height: i64,
    /// Last block.
    pub end_height: i64,
    /// Last block at which relays are served.
    pub grace_end: i64,
    /// First block of the claim window.
    pub claim_open: i64,
    /// Its last block.
    pub claim_close: i64,
    /// First block of the proof window.
    pub proof_open: i64,
    /// Its last block; the session settles at the end of it.
    pub proof_close: i64,
    /// Weight of a leaf, from the session's start.
    pub compute_units_per_relay: u64,
    /// Difficulty target from the session's start, hex.
    pub target_hash: String,
    /// Price of a relay in upokt.
    pub relay_cost_upokt: u128,
    /// What the application's stake covers at this supplier in this session, in upokt.
    pub limit_upokt: u128,
}

impl Opened {
    /// The header that every relay of this session carries.
    pub fn header(&self) -> SessionHeader {
        SessionHeader {
            application_address: self.application.clone(),
            service_id: self.service_id.clone(),
            session_id: self.session_id.clone(),
            session_start_block_height: self.start_height,
            session_end_block_height: self.end_height,
        }
    }

    fn cost(&self) -> Upokt {
        Upokt(self.relay_cost_upokt)
    }

    fn target(&self) -> [u8; 32] {
        let bytes = hex::decode(&self.target_hash).ok();
        // A target that cannot be read makes every relay inapplicable rather than unpayable.
        bytes
            .and_then(|bytes| bytes.try_into().ok())
            .unwrap_or_default()
    }
}

/// A session that takes relays, is being claimed, or waits for its money.
pub struct Session {
    /// Fixed facts.
    pub opened: Opened,
    /// Keys that may sign, with the height they were asked for at.
    ring: RwLock<(i64, Vec<PublicKey>)>,
    /// Its file.
    log: Arc<SessionLog>,
    state: Mutex<State>,
    idle: Notify,
    /// Cancelled when streams must end for the claim's sake.
    pub cut: CancellationToken,
}

struct State {
    phase: Phase,
    in_flight: u32,
    meter: Meter,
    replays: HashSet<[u8; 32]>,
    relays: u64,
}

enum Phase {
    Open(Trie),
    Closing(Trie),
    Sealing,
    Sealed(Arc<SealedTrie>),
}

/// What a restart found in a session's file.
pub struct Restored {
    /// The session as it was.
    pub session: Arc<Session>,
    /// How far its claim got.
    pub stage: Stage,
}

impl Session {
    /// Opens a session: its file is there before the first relay is.
    ///
    /// # Errors
    /// [`LogError::Io`].
    pub fn open(
        opened: Opened,
        folder: &Path,
        syncer: &Arc<Syncer>,
    ) -> Result<Arc<Self>, LogError> {
        let path = folder.join(file_name(&opened));
        let json = serde_json::to_vec(&opened).map_err(|error| LogError::Io {
            path: path.clone(),
            source: error.into(),
        })?;
        let log = SessionLog::create(&path, &json, syncer)?;
        let state = State {
            phase: Phase::Open(Trie::new()),
            in_flight: 0,
            meter: Meter::new(Upokt(opened.limit_upokt)),
            replays: HashSet::new(),
            relays: 0,
        };
        Ok(Self::new(opened, log, state))
    }

    /// Reads a session's file back: trie, meter and replay set as they were, and the same root if it was sealed. `None`
    /// for a file whose first record never got to the disk: nothing was served under it.
    ///
    /// # Errors
    /// [`LogError::Damaged`], also when the root differs from the recorded one.
    pub fn restore(path: &Path, syncer: &Arc<Syncer>) -> Result<Option<Restored>, LogError> {
        let mut reader = Reader::default();
        let log = SessionLog::open(path, syncer, |record| reader.take(record))?;
        let Some(opened) = reader.opened else {
            log.remove()?;
            return Ok(None);
        };
        let damaged = |offset| LogError::Damaged {
            path: path.to_owned(),
            offset,
        };
        if let Some(offset) = reader.bad {
            return Err(damaged(offset));
        }
        let phase = match reader.root {
            None => Phase::Open(reader.trie),
            Some((position, root)) => {
                let sealed = reader.trie.seal();
                if sealed.root().as_bytes()[..] != root[..] {
                    return Err(damaged(position));
                }
                Phase::Sealed(Arc::new(sealed))
            }
        };
        let sealed = matches!(phase, Phase::Sealed(_));
        let served = opened.cost().0.saturating_mul(u128::from(reader.served));
        let state = State {
            phase,
            in_flight: 0,
            meter: Meter::restored(Upokt(opened.limit_upokt), Upokt(served)),
            replays: reader.replays,
            relays: reader.relays,
        };
        let stage = reader.stage.unwrap_or(if sealed {
            Stage::Sealed
        } else {
            Stage::Serving
        });
        Ok(Some(Restored {
            session: Self::new(opened, log, state),
            stage,
        }))
    }

    fn new(opened: Opened, log: Arc<SessionLog>, state: State) -> Arc<Self> {
        Arc::new(Self {
            opened,
            ring: RwLock::new((0, Vec::new())),
            log,
            state: Mutex::new(state),
            idle: Notify::new(),
            cut: CancellationToken::new(),
        })
    }

    /// Keys that may sign for the application, and the height at which they were asked for; 0 when they were not yet.
    pub fn ring(&self) -> (i64, Vec<PublicKey>) {
        self.ring
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Sets them.
    pub fn set_ring(&self, height: i64, keys: Vec<PublicKey>) {
        *self.ring.write().unwrap_or_else(PoisonError::into_inner) = (height, keys);
    }

    /// Whether one more relay may be served; a look, no reservation.
    ///
    /// # Errors
    /// [`Refusal::Expired`] and [`Refusal::OverLimit`].
    pub fn has_room(&self) -> Result<(), Refusal> {
        self.room(&self.lock())
    }

    fn room(&self, state: &State) -> Result<(), Refusal> {
        if !matches!(state.phase, Phase::Open(_)) {
            return Err(Refusal::Expired {
                session: self.opened.session_id.clone(),
                why: "its claim is being made",
            });
        }
        let fits = state.meter.look(self.opened.cost());
        fits.map_err(|_| Refusal::OverLimit)
    }

    /// Takes a place for a relay: cost, replay key and a count of what sealing must wait for, in one step.
    ///
    /// # Errors
    /// As [`Session::has_room`], and [`Refusal::Replayed`].
    pub fn reserve(self: &Arc<Self>, replay_key: [u8; 32]) -> Result<Reservation, Refusal> {
        let mut state = self.lock();
        self.room(&state)?;
        if state.replays.contains(&replay_key) {
            return Err(Refusal::Replayed);
        }
        let fits = state.meter.reserve(self.opened.cost());
        fits.map_err(|_| Refusal::OverLimit)?;
        state.replays.insert(replay_key);
        state.in_flight = state.in_flight.saturating_add(1);
        drop(state);
        Ok(Reservation {
            session: Arc::clone(self),
            replay_key,
            kept: false,
        })
    }

    /// Stops taking relays. Returns whether none is in flight.
    pub fn close(&self) -> bool {
        let mut state = self.lock();
        if let Phase::Open(trie) = &mut state.phase {
            let trie = std::mem::take(trie);
            state.phase = Phase::Closing(trie);
        }
        state.in_flight == 0
    }

    /// Waits until no relay is in flight.
    pub async fn drained(&self) {
        loop {
            let notified = self.idle.notified();
            tokio::pin!(notified);
            notified.as_mut().enable();
            if self.lock().in_flight == 0 {
                return;
            }
            notified.await;
        }
    }

    /// Hashes the trie and records its root; blocks for the time of the hashing. The session must be closed and drained.
    /// Returns the root, `None` for a session without relays.
    ///
    /// # Errors
    /// [`LogError`] when the root cannot be recorded.
    pub fn seal(&self) -> Result<Option<Root>, LogError> {
        let trie = {
            let mut state = self.lock();
            match std::mem::replace(&mut state.phase, Phase::Sealing) {
                Phase::Open(trie) | Phase::Closing(trie) => trie,
                Phase::Sealed(sealed) => {
                    let root = (!sealed.is_empty()).then(|| sealed.root());
                    state.phase = Phase::Sealed(sealed);
                    return Ok(root);
                }
                Phase::Sealing => return Ok(None),
            }
        };
        let sealed = trie.seal();
        let root = sealed.root();
        let empty = sealed.is_empty();
        self.lock().phase = Phase::Sealed(Arc::new(sealed));
        self.log.append(Kind::Sealed, root.as_bytes())?;
        self.log.sync()?;
        Ok((!empty).then_some(root))
    }

    /// The root, once sealed.
    pub fn root(&self) -> Option<Root> {
        match &self.lock().phase {
            Phase::Sealed(sealed) => Some(sealed.root()),
            _ => None,
        }
    }

    /// The proof for a challenge path, as the chain reads it.
    ///
    /// # Errors
    /// [`ProveError`].
    pub fn prove(&self, challenge: &[u8; 32], max_bytes: usize) -> Result<Vec<u8>, ProveError> {
        let sealed = match &self.lock().phase {
            Phase::Sealed(sealed) => Arc::clone(sealed),
            _ => return Err(ProveError::NotSealed),
        };
        let encode = |sibling| -> Result<Vec<u8>, ProveError> {
            let proof = sealed.prove(challenge, sibling, |leaf| {
                match self.log.read(leaf.position)? {
                    (Kind::Relay, value) => Ok(value),
                    _ => Err(ProveError::NotSealed),
                }
            })?;
            Ok(crypto::gob::encode_proof(&proof.compact()))
        };
        let full = encode(SiblingData::Include)?;
        if full.len() <= max_bytes {
            Ok(full)
        } else {
            encode(SiblingData::Omit)
        }
    }

    /// Records how far the claim got.
    ///
    /// # Errors
    /// [`LogError`].
    pub fn record_stage(&self, stage: &Stage) -> Result<(), LogError> {
        let json = serde_json::to_vec(stage).unwrap_or_default();
        self.log.append(Kind::Stage, &json).map(|_| ())
    }

    /// Relays mined so far.
    pub fn relays(&self) -> u64 {
        self.lock().relays
    }

    /// Removes the file.
    ///
    /// # Errors
    /// [`LogError::Io`].
    pub fn forget(&self) -> Result<(), LogError> {
        self.log.remove()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Every update below is complete before anything that could panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why a proof cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum ProveError {
    /// The session has no root yet, or the log holds no relay where one should be.
    #[error("the session is not sealed")]
    NotSealed,
    /// The log.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The trie.
    #[error(transparent)]
    Trie(#[from] crypto::Error),
}

/// A place in a session. Dropped before anything was sent, it is given back.
pub struct Reservation {
    session: Arc<Session>,
    replay_key: [u8; 32],
    kept: bool,
}

impl Reservation {
    /// The session.
    pub fn session(&self) -> &Arc<Session> {
        &self.session
    }

    /// The first byte of an answer is about to go out: from here on the relay counts, however it ends.
    pub fn keep(&mut self) {
        self.kept = true;
    }

    /// Signs nothing and sends nothing: puts the finished relay on record. Call it before the last byte is released.
    /// Returns the relay's hash.
    ///
    /// # Errors
    /// [`LogError`]; the answer must then not be completed.
    pub fn mine(
        &mut self,
        request: &RelayRequest,
        response: &RelayResponse,
    ) -> Result<[u8; 32], LogError> {
        let relay = wire::mined_relay(request, response);
        let opened = &self.session.opened;
        let counts = applicable(&relay.hash, &opened.target());
        if !counts {
            self.session.log.append(Kind::Served, &self.replay_key)?;
            self.kept = true;
            return Ok(relay.hash);
        }
        let digest = leaf_digest(&relay.path, &relay.bytes, opened.compute_units_per_relay);
        let position = self.session.log.append(Kind::Relay, &relay.bytes)?;
        let mut state = self.session.lock();
        if let Phase::Open(trie) | Phase::Closing(trie) = &mut state.phase
            && trie.insert(relay.path, digest, position).is_none()
        {
            state.relays = state.relays.saturating_add(1);
        }
        drop(state);
        self.kept = true;
        Ok(relay.hash)
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let mut state = self.session.lock();
        state.in_flight = state.in_flight.saturating_sub(1);
        if !self.kept {
            state.meter.refund(self.session.opened.cost());
            state.replays.remove(&self.replay_key);
        }
        let idle = state.in_flight == 0;
        drop(state);
        if idle {
            self.session.idle.notify_waiters();
        }
    }
}

/// Signs an answer with the operator's key.
pub fn signed(mut response: RelayResponse, key: &SecretKey) -> RelayResponse {
    wire::sign_response(&mut response, key);
    response
}

/// Puts a session together from its records.
#[derive(Default)]
struct Reader {
    opened: Option<Opened>,
    trie: Trie,
    replays: HashSet<[u8; 32]>,
    served: u64,
    relays: u64,
    root: Option<(u64, Vec<u8>)>,
    stage: Option<Stage>,
    bad: Option<u64>,
}

impl Reader {
    fn take(&mut self, record: Record) {
        let fine = match record.kind {
            Kind::Opened => {
                self.opened = serde_json::from_slice(&record.payload).ok();
                self.opened.is_some()
            }
            Kind::Relay => self.relay(&record),
            Kind::Served => match record.payload.as_slice().try_into() {
                Ok(key) => {
                    self.replays.insert(key);
                    self.served = self.served.saturating_add(1);
                    true
                }
                Err(_) => false,
            },
            Kind::Sealed => {
                self.root = Some((record.position, record.payload));
                true
            }
            Kind::Stage => {
                self.stage = serde_json::from_slice(&record.payload).ok();
                self.stage.is_some()
            }
        };
        if !fine && self.bad.is_none() {
            self.bad = Some(record.position);
        }
    }

    fn relay(&mut self, record: &Record) -> bool {
        let Some(opened) = &self.opened else {
            return false;
        };
        let path = value_path(&record.payload);
        let digest = leaf_digest(&path, &record.payload, opened.compute_units_per_relay);
        if self.trie.insert(path, digest, record.position).is_none() {
            self.relays = self.relays.saturating_add(1);
        }
        self.served = self.served.saturating_add(1);
        let Some(request) = Relay::decode(record.payload.as_slice())
            .ok()
            .and_then(|relay| relay.req)
        else {
            return false;
        };
        match ring::replay_key(&wire::signable_request(&request), &request.meta.signature) {
            Ok(key) => self.replays.insert(key),
            Err(_) => false,
        }
    }
}

/// Sorted by end height, so that a listing shows what is due first.
fn file_name(opened: &Opened) -> String {
    format!("{:012}-{}.log", opened.end_height, opened.session_id)
}

#[cfg(test)]
mod tests;
