//! One unit of execution: a block phase, a transaction, a message or a query.
//!
//! A context reads an immutable [`View`], keeps every change in memory above it, and collects events and gas. Changes
//! and events made inside [`Context::atomic`] vanish when it fails; gas does not. Nothing here knows a clock: height,
//! time and hash are the block's.

use std::collections::VecDeque;
use std::ops::Bound;

use prost::{Message, Name};
use prost_types::Timestamp;
use tendermint_proto::v0_38::abci::{Event, EventAttribute, ValidatorUpdate};

use crate::error::{ChainError, TxError};
use crate::helpers::Helpers;
use crate::limits::SCAN_CHUNK;
use crate::rules::Rules;
use crate::store::{Changes, Pair, View, layered_range, prefix_end};

mod gas;
mod last_commit;

pub use gas::GasCosts;
pub use last_commit::{LastCommit, Misbehaviour, Vote};

/// A moment: seconds since 1970 and nanoseconds below one second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlockTime {
    /// Seconds since 1970-01-01.
    pub seconds: i64,
    /// Nanoseconds, 0 to 999,999,999.
    pub nanos: i32,
}

impl BlockTime {
    /// The last moment that has a text, at the end of the year 9999.
    pub const LAST: Self = Self {
        seconds: 253_402_300_799,
        nanos: 999_999_999,
    };

    /// Whether it lies in the years 1 to 9999 and the nanoseconds are below one second.
    pub fn is_valid(self) -> bool {
        (-62_135_596_800..=Self::LAST.seconds).contains(&self.seconds)
            && (0..=Self::LAST.nanos).contains(&self.nanos)
    }

    /// Nanoseconds since 1970-01-01.
    pub fn unix_nanos(self) -> i128 {
        i128::from(self.seconds)
            .saturating_mul(1_000_000_000)
            .saturating_add(i128::from(self.nanos))
    }

    /// The moment so many nanoseconds after 1970; beyond what seconds of 64 bits hold, the last one.
    pub fn from_unix_nanos(nanos: i128) -> Self {
        let seconds = nanos.div_euclid(1_000_000_000);
        let rest = nanos.rem_euclid(1_000_000_000);
        Self {
            seconds: i64::try_from(seconds).unwrap_or(i64::MAX),
            nanos: i32::try_from(rest).unwrap_or(0),
        }
    }

    /// A later or earlier moment.
    #[must_use]
    pub fn plus_nanos(self, nanos: i128) -> Self {
        Self::from_unix_nanos(self.unix_nanos().saturating_add(nanos))
    }
}

impl From<&Timestamp> for BlockTime {
    fn from(time: &Timestamp) -> Self {
        Self {
            seconds: time.seconds,
            nanos: time.nanos,
        }
    }
}

/// What the chain is told about a block before it executes it. Never computed here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BlockInfo {
    /// Chain id.
    pub chain_id: String,
    /// Height of the block; in a query, the height of the state that is read.
    pub height: i64,
    /// Time in the block's header.
    pub time: BlockTime,
    /// Hash of the block's header, 32 bytes; empty at genesis and in checks and queries.
    pub hash: Vec<u8>,
    /// Consensus address of the proposer, 20 bytes; empty where no block is executed.
    pub proposer: Vec<u8>,
}

/// Why something is executed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Genesis sections are loaded.
    Genesis,
    /// A block is executed: its phases and its transactions.
    #[default]
    Deliver,
    /// A transaction is checked for the mempool for the first time.
    Check,
    /// A transaction of the mempool is checked again after a block.
    Recheck,
    /// A transaction is tried out for its gas.
    Simulate,
    /// A query is answered.
    Query,
}

/// State, events and gas of one unit of execution.
pub struct Context<'a> {
    /// The block that is executed, checked against or queried.
    pub block: BlockInfo,
    /// What consensus says of the validators with the block that is executed; empty elsewhere.
    pub last_commit: LastCommit,
    /// Changes of the validator set, for consensus: made by genesis and at the end of a block.
    pub validator_updates: Vec<ValidatorUpdate>,
    /// Deliberate differences from the reference on this chain.
    pub rules: Rules,
    /// Why this runs.
    pub mode: Mode,
    helpers: Helpers,
    view: &'a dyn View,
    changes: Changes,
    undo: Vec<Undo>,
    depth: u32,
    events: Vec<Event>,
    gas: gas::Meter,
    rows: gas::Rows,
}

/// A key and the change of it before it was changed again, if there was one.
type Undo = (Vec<u8>, Option<Option<Vec<u8>>>);

/// A point to which changes and events can be taken back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark {
    undo: usize,
    events: usize,
    depth: u32,
}

impl<'a> Context<'a> {
    /// A context above a view, without changes, events or gas limit.
    pub fn new(view: &'a dyn View, block: BlockInfo, rules: Rules, mode: Mode) -> Self {
        Self {
            block,
            last_commit: LastCommit::default(),
            validator_updates: Vec::new(),
            rules,
            mode,
            helpers: Helpers::default(),
            view,
            changes: Changes::new(),
            undo: Vec::new(),
            depth: 0,
            events: Vec::new(),
            gas: gas::Meter::unlimited(),
            rows: gas::Rows::default(),
        }
    }

    /// The same, above changes kept from an earlier context over the same view.
    pub fn resume(mut self, changes: Changes) -> Self {
        self.changes = changes;
        self
    }

    /// The same, with what the process keeps to execute faster.
    pub(crate) fn with_helpers(mut self, helpers: Helpers) -> Self {
        self.helpers = helpers;
        self
    }

    /// What the process keeps to execute faster.
    pub(crate) fn helpers(&self) -> &Helpers {
        &self.helpers
    }

    /// The same, failing with [`ChainError::RowLimit`] once it has read more than `limit` values.
    #[must_use]
    pub fn with_row_limit(mut self, limit: u64) -> Self {
        self.rows = gas::Rows::with_limit(limit);
        self
    }

    /// All changes made, for the store or a later context.
    pub fn into_changes(self) -> Changes {
        self.changes
    }

    /// The value under a key.
    ///
    /// # Errors
    /// When the store fails or gas runs out.
    pub fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, ChainError> {
        self.gas.read_flat()?;
        self.rows.read(1)?;
        let value = match self.changes.get(key) {
            Some(change) => change.clone(),
            None => self.view.get(key)?,
        };
        self.gas
            .read_bytes(key.len(), value.as_ref().map_or(0, Vec::len))?;
        Ok(value)
    }

    /// Whether there is a value under a key.
    ///
    /// # Errors
    /// As [`Context::get`].
    pub fn has(&self, key: &[u8]) -> Result<bool, ChainError> {
        self.gas.has()?;
        self.rows.read(1)?;
        match self.changes.get(key) {
            Some(change) => Ok(change.is_some()),
            None => Ok(self.view.get(key)?.is_some()),
        }
    }

    /// Puts a value under a key. A write beyond the gas limit fails the transaction at its end.
    pub fn set(&mut self, key: Vec<u8>, value: Vec<u8>) {
        self.gas.write(key.len(), value.len());
        self.put(key, Some(value));
    }

    /// Removes what is under a key, if anything.
    pub fn remove(&mut self, key: &[u8]) {
        self.gas.delete();
        self.put(key.to_vec(), None);
    }

    fn put(&mut self, key: Vec<u8>, value: Option<Vec<u8>>) {
        if self.depth > 0 {
            let previous = self.changes.insert(key.clone(), value);
            self.undo.push((key, previous));
        } else {
            self.changes.insert(key, value);
        }
    }

    /// Decodes the message under a key.
    ///
    /// # Errors
    /// As [`Context::get`], and [`ChainError::Corrupt`] for bytes that are not the message.
    pub fn load<M: Message + Default>(&self, key: &[u8]) -> Result<Option<M>, ChainError> {
        self.get(key)?
            .map(|bytes| {
                M::decode(bytes.as_slice())
                    .map_err(|error| ChainError::corrupt(hex::encode(key), error))
            })
            .transpose()
    }

    /// Stores a message under a key.
    pub fn save<M: Message>(&mut self, key: Vec<u8>, message: &M) {
        self.set(key, message.encode_to_vec());
    }

    /// Pairs whose keys start with `prefix`, in key order or in reverse, at most `limit`. `from` is a whole key (prefix
    /// included) where the walk starts; [`Bound::Unbounded`] starts at the first, in reverse at the last.
    ///
    /// # Errors
    /// When the store fails or gas runs out.
    pub fn scan(
        &self,
        prefix: &[u8],
        from: Bound<&[u8]>,
        reverse: bool,
        limit: usize,
    ) -> Result<Vec<Pair>, ChainError> {
        let end = prefix_end(prefix);
        let end = end.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
        let start = Bound::Included(prefix);
        let (low, high) = match (from, reverse) {
            (Bound::Unbounded, _) => (start, end),
            (from, false) => (from, end),
            (from, true) => (start, from),
        };
        self.walk(low, high, reverse, limit)
    }

    fn walk(
        &self,
        low: Bound<&[u8]>,
        high: Bound<&[u8]>,
        reverse: bool,
        limit: usize,
    ) -> Result<Vec<Pair>, ChainError> {
        let pairs = layered_range(self.view, &self.changes, low, high, reverse, limit)?;
        self.rows.read(pairs.len())?;
        for (key, value) in &pairs {
            self.gas.next(key.len(), value.len())?;
        }
        Ok(pairs)
    }

    /// All pairs whose keys start with `prefix`, in key order, read in chunks.
    pub fn iter<'c>(
        &'c self,
        prefix: &[u8],
    ) -> impl Iterator<Item = Result<Pair, ChainError>> + use<'c, 'a> {
        let end = prefix_end(prefix).map_or(Bound::Unbounded, Bound::Excluded);
        self.chunks(Bound::Included(prefix.to_vec()), end)
    }

    /// All pairs from the key `low` up to, not including, the key `high`, in key order, read in chunks.
    pub(crate) fn iter_between<'c>(
        &'c self,
        low: Vec<u8>,
        high: Vec<u8>,
    ) -> impl Iterator<Item = Result<Pair, ChainError>> + use<'c, 'a> {
        self.chunks(Bound::Included(low), Bound::Excluded(high))
    }

    fn chunks(&self, low: Bound<Vec<u8>>, high: Bound<Vec<u8>>) -> Chunks<'_, 'a> {
        Chunks {
            context: self,
            low,
            high,
            ready: VecDeque::new(),
            done: false,
        }
    }

    /// Reads without gas: for lookups whose price is a formula of what is found, so that it is the same whether or not
    /// the process remembers the answer.
    pub(crate) fn unpriced<T>(&self, f: impl FnOnce(&Self) -> T) -> T {
        let paused = self.gas.pause();
        let result = f(self);
        self.gas.resume(paused);
        result
    }

    /// Pays gas by formula for what was read [unpriced](Context::unpriced).
    ///
    /// # Errors
    /// [`ChainError::OutOfGas`].
    pub(crate) fn pay(&self, gas: u64, what: &str) -> Result<(), ChainError> {
        self.gas.consume(gas, what)
    }

    /// The value under a key in the state below this context's changes. Costs no gas.
    ///
    /// # Errors
    /// When the store fails.
    pub(crate) fn below(&self, key: &[u8]) -> Result<Option<Vec<u8>>, ChainError> {
        self.view.get(key)
    }

    /// Emits a typed event (chain specification 0.2).
    ///
    /// # Errors
    /// For a type outside `proto`'s descriptors.
    pub fn emit<M: Message + Name>(&mut self, event: &M) -> Result<(), ChainError> {
        let typed = proto::events::typed(event)?;
        let attributes = typed
            .attributes
            .into_iter()
            .map(|(key, value)| attribute(key, value));
        self.events.push(Event {
            r#type: typed.kind,
            attributes: attributes.collect(),
        });
        Ok(())
    }

    /// Emits an event of the SDK's older kind: attributes in the given order, values as they are.
    pub fn emit_raw(&mut self, kind: &str, attributes: &[(&str, &str)]) {
        let attributes = attributes
            .iter()
            .map(|(key, value)| attribute((*key).to_owned(), (*value).to_owned()));
        self.events.push(Event {
            r#type: kind.to_owned(),
            attributes: attributes.collect(),
        });
    }

    /// Runs `f`; when it fails, its changes and events are dropped.
    ///
    /// # Errors
    /// Those of `f`.
    pub fn atomic<T, E>(
        &mut self,
        f: impl FnOnce(&mut Context<'a>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mark = self.begin();
        let result = f(self);
        match &result {
            Ok(_) => self.keep(mark),
            Err(_) => self.drop_to(mark),
        }
        result
    }

    /// Starts a scope whose changes can be taken back.
    pub(crate) fn begin(&mut self) -> Mark {
        let mark = Mark {
            undo: self.undo.len(),
            events: self.events.len(),
            depth: self.depth,
        };
        self.depth = self.depth.saturating_add(1);
        mark
    }

    /// Ends a scope and keeps what it did.
    pub(crate) fn keep(&mut self, mark: Mark) {
        self.depth = mark.depth;
        if self.depth == 0 {
            self.undo.clear();
        }
    }

    /// Ends a scope, and those left open inside it, and takes back what they did.
    pub(crate) fn drop_to(&mut self, mark: Mark) {
        while self.undo.len() > mark.undo {
            if let Some((key, previous)) = self.undo.pop() {
                match previous {
                    Some(change) => self.changes.insert(key, change),
                    None => self.changes.remove(&key),
                };
            }
        }
        self.events.truncate(mark.events);
        self.depth = mark.depth;
    }

    /// Takes the events emitted so far.
    pub fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    /// Adds events that are already complete.
    pub(crate) fn put_events(&mut self, mut events: Vec<Event>) {
        self.events.append(&mut events);
    }

    /// Adds an attribute to the events from a position on.
    pub(crate) fn tag_events(&mut self, first: usize, key: &str, value: &str) {
        for event in self.events.iter_mut().skip(first) {
            event
                .attributes
                .push(attribute(key.to_owned(), value.to_owned()));
        }
    }

    /// The events emitted so far.
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// Pays gas for work that is not an access to state.
    ///
    /// # Errors
    /// sdk 11 when the limit is exceeded.
    pub fn charge(&mut self, gas: u64, what: &str) -> Result<(), TxError> {
        self.gas.consume(gas, what).map_err(TxError::from)
    }

    /// Gas consumed so far.
    pub fn gas_used(&self) -> u64 {
        self.gas.used()
    }

    /// Starts metering with a limit; `None` counts without one.
    pub(crate) fn meter(&mut self, limit: Option<u64>) {
        self.gas = gas::Meter::with_limit(limit);
    }

    /// Stops metering.
    pub(crate) fn unmeter(&mut self) {
        self.gas = gas::Meter::unlimited();
    }

    /// The error of the first charge beyond the limit, however the caller went on.
    ///
    /// # Errors
    /// [`ChainError::OutOfGas`].
    pub(crate) fn check_gas(&self) -> Result<(), ChainError> {
        self.gas.check()
    }
}

fn attribute(key: String, value: String) -> EventAttribute {
    EventAttribute {
        key,
        value,
        index: true,
    }
}

/// Reads a range chunk by chunk.
struct Chunks<'c, 'a> {
    context: &'c Context<'a>,
    low: Bound<Vec<u8>>,
    high: Bound<Vec<u8>>,
    ready: VecDeque<Pair>,
    done: bool,
}

impl Iterator for Chunks<'_, '_> {
    type Item = Result<Pair, ChainError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ready.is_empty() && !self.done {
            let low = self.low.as_ref().map(Vec::as_slice);
            let high = self.high.as_ref().map(Vec::as_slice);
            match self.context.walk(low, high, false, SCAN_CHUNK) {
                Ok(chunk) => {
                    self.done = chunk.len() < SCAN_CHUNK;
                    if let Some((key, _)) = chunk.last() {
                        self.low = Bound::Excluded(key.clone());
                    }
                    self.ready = VecDeque::from(chunk);
                }
                Err(error) => {
                    self.done = true;
                    return Some(Err(error));
                }
            }
        }
        self.ready.pop_front().map(Ok)
    }
}

#[cfg(test)]
mod tests;
