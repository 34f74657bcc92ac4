//! Sessions drawn before, as a process remembers them: nothing here decides, everything can be drawn again.
//!
//! Candidates are remembered with the version of the table they were read from ([`supplier::version`]), a draw by the
//! hash of all that it depends on. So an answer from here is the answer that the state would give.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use protocol::session::select_suppliers;

use crate::context::{Context, GasCosts};
use crate::error::ChainError;
use crate::limits::{CANDIDATES_REMEMBERED, DRAWS_REMEMBERED, SESSION_CANDIDATE_GAS};
use crate::modules::supplier::{self, Candidates, Version};

/// Locks that keep two threads from drawing the same session at the same time.
const FLIGHTS: usize = 16;

/// The suppliers of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Drawn(Arc<[String]>);

impl Drawn {
    /// Their operators, in the order of the draw, or of the table when there are too few to draw.
    pub(super) fn operators(&self) -> &[String] {
        &self.0
    }
}

/// What is remembered. One for all threads of a process.
#[derive(Default)]
pub struct Draws {
    memory: Mutex<Memory>,
    reading: [Mutex<()>; FLIGHTS],
    drawing: [Mutex<()>; FLIGHTS],
}

impl fmt::Debug for Draws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Draws").finish_non_exhaustive()
    }
}

/// Hash of what a draw depends on.
type Key = [u8; 32];

#[derive(Default)]
struct Memory {
    /// Oldest first.
    candidates: VecDeque<Arc<Known>>,
    /// Operators in them together.
    held: usize,
    drawn: BTreeMap<Key, Drawn>,
    /// Keys of `drawn`, oldest first.
    order: VecDeque<Key>,
}

/// Candidates, and when they are true.
struct Known {
    service_id: String,
    version: Version,
    /// Height of the block that read them.
    read_at: i64,
    candidates: Candidates,
    fingerprint: Key,
}

impl Known {
    fn is_true(&self, service_id: &str, version: Version, height: i64) -> bool {
        let Candidates { from, until, .. } = self.candidates;
        let same = |ours: Option<u64>, theirs: Option<u64>| ours.is_some() && ours == theirs;
        self.service_id == service_id
            && (from..until).contains(&height)
            && (same(self.version.all, version.all)
                || height <= self.read_at
                    && same(self.version.reaching_back, version.reaching_back))
    }
}

impl Draws {
    /// The suppliers of a session, of which there are at most `size`; none when the service has no candidates.
    ///
    /// The gas is a formula of the number of candidates, the same whether the answer is remembered or not.
    ///
    /// # Errors
    /// When the store fails or gas runs out.
    pub(super) fn draw(
        &self,
        ctx: &Context<'_>,
        service_id: &str,
        height: i64,
        preimage: &[u8],
        size: usize,
    ) -> Result<Drawn, ChainError> {
        let known = ctx.unpriced(|ctx| self.candidates(ctx, service_id, height))?;
        let operators = &known.candidates.operators;
        let number = u64::try_from(operators.len()).unwrap_or(u64::MAX);
        let price = number.saturating_mul(SESSION_CANDIDATE_GAS);
        ctx.pay(price.saturating_add(GasCosts::READ_FLAT), "session")?;
        if operators.len() < size {
            return Ok(Drawn(operators.as_slice().into()));
        }
        let bytes = u64::try_from(size).unwrap_or(u64::MAX).to_be_bytes();
        let key = crypto::hash::sha256(&[known.fingerprint.as_slice(), &bytes, preimage].concat());
        if let Some(drawn) = self.drawn(&key) {
            return Ok(drawn);
        }
        let _flight = flight(&self.drawing, &key);
        if let Some(drawn) = self.drawn(&key) {
            return Ok(drawn);
        }
        let all: Vec<&str> = operators.iter().map(String::as_str).collect();
        let chosen = select_suppliers(preimage, all, |operator| operator, size);
        let drawn = Drawn(chosen.into_iter().map(str::to_owned).collect());
        self.memory().remember_draw(key, drawn.clone());
        Ok(drawn)
    }

    fn drawn(&self, key: &Key) -> Option<Drawn> {
        self.memory().drawn.get(key).cloned()
    }

    fn candidates(
        &self,
        ctx: &Context<'_>,
        service_id: &str,
        height: i64,
    ) -> Result<Arc<Known>, ChainError> {
        let version = supplier::version(ctx, service_id)?;
        let find = || {
            let memory = self.memory();
            let mut newest_first = memory.candidates.iter().rev();
            newest_first
                .find(|known| known.is_true(service_id, version, height))
                .map(Arc::clone)
        };
        if let Some(known) = find() {
            return Ok(known);
        }
        let hash = crypto::hash::sha256(service_id.as_bytes());
        let _flight = flight(&self.reading, &hash);
        if let Some(known) = find() {
            return Ok(known);
        }
        let candidates = supplier::candidates_at(ctx, service_id, height)?;
        let fingerprint = crypto::hash::sha256(candidates.operators.join("/").as_bytes());
        let known = Arc::new(Known {
            service_id: service_id.to_owned(),
            version,
            read_at: ctx.block.height,
            candidates,
            fingerprint,
        });
        self.memory().remember_candidates(&known);
        Ok(known)
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        // Whatever a panicking thread left is complete: entries are added whole.
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Memory {
    fn remember_candidates(&mut self, known: &Arc<Known>) {
        if known.version.reaching_back.is_none() {
            return;
        }
        let size = |known: &Known| known.candidates.operators.len().max(1);
        self.held = self.held.saturating_add(size(known));
        self.candidates.push_back(Arc::clone(known));
        while self.held > CANDIDATES_REMEMBERED {
            let Some(oldest) = self.candidates.pop_front() else {
                break;
            };
            self.held = self.held.saturating_sub(size(&oldest));
        }
    }

    fn remember_draw(&mut self, key: Key, drawn: Drawn) {
        if self.drawn.insert(key, drawn).is_none() {
            self.order.push_back(key);
        }
        while self.drawn.len() > DRAWS_REMEMBERED {
            let Some(oldest) = self.order.pop_front() else {
                break;
            };
            self.drawn.remove(&oldest);
        }
    }
}

/// The lock of one key, shared with some others.
fn flight<'a>(locks: &'a [Mutex<()>; FLIGHTS], key: &Key) -> Option<MutexGuard<'a, ()>> {
    let [first, ..] = key;
    let index = usize::from(*first).checked_rem(FLIGHTS)?;
    let lock = locks.get(index)?;
    Some(lock.lock().unwrap_or_else(PoisonError::into_inner))
}
