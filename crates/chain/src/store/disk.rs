//! State on disk: one `redb` file.
//!
//! Tables: the newest value of each key; superseded values by (key, inverted height); tree nodes; what became superseded
//! at which height; root and block of each kept height; a few facts about the file. Only [`Disk::commit`] writes.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use redb::{
    Database, Durability, ReadTransaction, ReadableDatabase, ReadableTable, TableDefinition,
    WriteTransaction,
};

use crate::context::{BlockInfo, BlockTime};
use crate::error::{ChainError, HeightError};
use crate::limits::{PRUNE_PER_COMMIT, STORE_CACHE_BYTES};
use crate::store::snapshot::{Snapshot, invert};
use crate::store::tree::{self, Nodes, Proof};
use crate::store::{Changes, Import, Root, Store, View};

pub(super) const LATEST: TableDefinition<&[u8], (u64, &[u8])> = TableDefinition::new("latest");
const HISTORY: TableDefinition<(&[u8], u64), Option<&[u8]>> = TableDefinition::new("history");
pub(super) const NODES: TableDefinition<&[u8], &[u8]> = TableDefinition::new("nodes");
/// Height since which an entry is superseded, and the entry: a value's key with inverted height, or a node.
const STALE: TableDefinition<(u64, u8, &[u8], u64), ()> = TableDefinition::new("stale");
const STALE_VALUE: u8 = 0;
const STALE_NODE: u8 = 1;
pub(super) const HEIGHTS: TableDefinition<u64, &[u8]> = TableDefinition::new("heights");
pub(super) const FACTS: TableDefinition<&str, &[u8]> = TableDefinition::new("facts");

/// Name of the fact that tells the height that an import brought.
pub(super) const IMPORTED: &str = "imported_height";

/// Layout of the file; a file with another number is refused.
const FORMAT: u64 = 1;

/// What is remembered about a committed height.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// The state's root after the block.
    pub root: Root,
    /// The block: chain id, height, time and hash.
    pub block: BlockInfo,
}

/// Everything that a commit writes.
#[derive(Clone, Debug)]
pub struct Batch {
    /// Height of the block.
    pub height: i64,
    /// The state's root after it.
    pub root: Root,
    values: Changes,
    nodes: BTreeMap<Vec<u8>, Vec<u8>>,
    stale_nodes: Vec<Vec<u8>>,
}

/// The store. Clones share the file.
#[derive(Clone)]
pub struct Disk {
    database: Arc<Database>,
    keep_recent: u64,
}

impl std::fmt::Debug for Disk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Disk")
            .field("keep_recent", &self.keep_recent)
            .finish_non_exhaustive()
    }
}

impl Disk {
    /// Opens the file `state.redb` in a directory, creating it if it is missing. `keep_recent` heights are kept, all
    /// with 0.
    ///
    /// # Errors
    /// When the file cannot be opened, is in use, or has another layout.
    pub fn open(directory: &Path, keep_recent: u64) -> Result<Self, ChainError> {
        std::fs::create_dir_all(directory)
            .map_err(|error| ChainError::Store(format!("{}: {error}", directory.display())))?;
        let path = directory.join("state.redb");
        let database = Database::builder()
            .set_cache_size(STORE_CACHE_BYTES)
            .create(&path)
            .map_err(|error| ChainError::Store(format!("{}: {error}", path.display())))?;
        Self::over(database, keep_recent)
    }

    /// The same in memory: for checking a genesis document without touching a disk.
    ///
    /// # Errors
    /// When memory cannot be had.
    pub fn in_memory() -> Result<Self, ChainError> {
        let backend = redb::backends::InMemoryBackend::new();
        let database = Database::builder()
            .create_with_backend(backend)
            .map_err(store_error)?;
        Self::over(database, 0)
    }

    /// The same, keeping so many heights from now on; 0 keeps all.
    #[must_use]
    pub fn keeping(mut self, keep_recent: u64) -> Self {
        self.keep_recent = keep_recent;
        self
    }

    fn over(database: Database, keep_recent: u64) -> Result<Self, ChainError> {
        let mut transaction = database.begin_write().map_err(store_error)?;
        transaction.set_quick_repair(true);
        open_tables(&transaction)?;
        {
            let mut facts = transaction.open_table(FACTS).map_err(store_error)?;
            let format = facts
                .get("format")
                .map_err(store_error)?
                .map(|fact| fact.value().to_vec());
            match format {
                None => {
                    let format = FORMAT.to_be_bytes();
                    facts
                        .insert("format", format.as_slice())
                        .map_err(store_error)?;
                }
                Some(format) if format == FORMAT.to_be_bytes() => {}
                Some(_) => {
                    let text = "the file was written by another version of this program";
                    return Err(ChainError::Store(text.to_owned()));
                }
            }
        }
        transaction.commit().map_err(store_error)?;
        Ok(Self {
            database: Arc::new(database),
            keep_recent,
        })
    }

    fn read(&self) -> Result<ReadTransaction, ChainError> {
        self.database.begin_read().map_err(store_error)
    }

    pub(super) fn begin_write(&self) -> Result<WriteTransaction, ChainError> {
        self.database.begin_write().map_err(store_error)
    }

    /// Begins to write a whole state into a store that is empty or holds nothing but an earlier import, which it replaces.
    ///
    /// # Errors
    /// When blocks made the state that is there.
    pub fn import(&self) -> Result<Import, ChainError> {
        Import::begin(self)
    }

    /// The last committed height; `None` before the first.
    ///
    /// # Errors
    /// When the store fails.
    pub fn last(&self) -> Result<Option<Recorded>, ChainError> {
        let heights = self.read()?.open_table(HEIGHTS).map_err(store_error)?;
        let Some((height, bytes)) = heights.last().map_err(store_error)? else {
            return Ok(None);
        };
        self.recorded(height.value(), bytes.value()).map(Some)
    }

    /// What is remembered about a height.
    ///
    /// # Errors
    /// [`ChainError::Height`] when it is not kept.
    pub fn at(&self, height: i64) -> Result<Recorded, ChainError> {
        let heights = self.read()?.open_table(HEIGHTS).map_err(store_error)?;
        let latest = heights
            .last()
            .map_err(store_error)?
            .map(|(height, _)| height.value());
        let latest = latest.and_then(|height| i64::try_from(height).ok());
        let latest = latest.ok_or(HeightError::NotReady {
            app: crate::APP_NAME,
        })?;
        if height < 0 {
            return Err(HeightError::Negative.into());
        }
        if height > latest {
            return Err(HeightError::Future.into());
        }
        let key = u64::try_from(height).unwrap_or(0);
        match heights.get(key).map_err(store_error)? {
            Some(bytes) => self.recorded(key, bytes.value()),
            None => Err(HeightError::Pruned { height, latest }.into()),
        }
    }

    fn recorded(&self, height: u64, bytes: &[u8]) -> Result<Recorded, ChainError> {
        let corrupt = || ChainError::corrupt(format!("height {height}"), "record is too short");
        let (root, rest) = bytes.split_first_chunk::<32>().ok_or_else(corrupt)?;
        let (seconds, rest) = rest.split_first_chunk::<8>().ok_or_else(corrupt)?;
        let (nanos, hash) = rest.split_first_chunk::<4>().ok_or_else(corrupt)?;
        let time = BlockTime {
            seconds: i64::from_be_bytes(*seconds),
            nanos: i32::from_be_bytes(*nanos),
        };
        let chain_id = self.fact("chain_id")?.unwrap_or_default();
        let chain_id =
            String::from_utf8(chain_id).map_err(|error| ChainError::corrupt("chain_id", error))?;
        let block = BlockInfo {
            chain_id,
            height: i64::try_from(height).map_err(|_| corrupt())?,
            time,
            hash: hash.to_vec(),
            proposer: Vec::new(),
        };
        Ok(Recorded { root: *root, block })
    }

    fn fact(&self, name: &str) -> Result<Option<Vec<u8>>, ChainError> {
        let facts = self.read()?.open_table(FACTS).map_err(store_error)?;
        Ok(facts
            .get(name)
            .map_err(store_error)?
            .map(|fact| fact.value().to_vec()))
    }

    /// Height that an import brought, if one did.
    pub(super) fn imported(&self) -> Result<Option<i64>, ChainError> {
        self.height_fact(IMPORTED)
    }

    /// Height of the tree's first version: the chain's first block, or what an import makes it. `None` before it.
    fn initial_height(&self) -> Result<Option<i64>, ChainError> {
        self.height_fact("initial_height")
    }

    fn height_fact(&self, name: &str) -> Result<Option<i64>, ChainError> {
        let Some(bytes) = self.fact(name)? else {
            return Ok(None);
        };
        let bytes = bytes
            .try_into()
            .map_err(|_| ChainError::corrupt(name, "a height has 8 bytes"))?;
        Ok(Some(i64::from_be_bytes(bytes)))
    }

    /// The state at a kept height.
    ///
    /// # Errors
    /// [`ChainError::Height`] when it is not kept.
    pub fn snapshot(&self, height: i64) -> Result<Snapshot, ChainError> {
        self.at(height)?;
        self.raw_snapshot(height)
    }

    /// The state before the first block: nothing.
    pub(crate) fn empty_snapshot(&self) -> Result<Snapshot, ChainError> {
        self.raw_snapshot(0)
    }

    fn raw_snapshot(&self, height: i64) -> Result<Snapshot, ChainError> {
        let transaction = self.read()?;
        let latest = transaction.open_table(LATEST).map_err(store_error)?;
        let history = transaction.open_table(HISTORY).map_err(store_error)?;
        let heights = transaction.open_table(HEIGHTS).map_err(store_error)?;
        let last = heights
            .last()
            .map_err(store_error)?
            .map_or(0, |(height, _)| height.value());
        let height = u64::try_from(height).map_err(|_| HeightError::Negative)?;
        Ok(Snapshot::new(latest, history, height, height == last))
    }

    /// Writes a batch and what is remembered about its block, in one fsynced transaction; drops what is no longer kept.
    ///
    /// # Errors
    /// When the store fails; then nothing was written.
    pub fn commit(&self, batch: &Batch, block: &BlockInfo) -> Result<(), ChainError> {
        let initial = self.initial_height()?;
        let height = u64::try_from(batch.height).map_err(|_| HeightError::Negative)?;
        let mut transaction = self.database.begin_write().map_err(store_error)?;
        transaction.set_quick_repair(true);
        transaction
            .set_durability(Durability::Immediate)
            .map_err(store_error)?;
        {
            write_values(&transaction, height, &batch.values)?;
            let mut nodes = transaction.open_table(NODES).map_err(store_error)?;
            for (key, node) in &batch.nodes {
                nodes
                    .insert(key.as_slice(), node.as_slice())
                    .map_err(store_error)?;
            }
            let mut stale = transaction.open_table(STALE).map_err(store_error)?;
            for node in &batch.stale_nodes {
                let entry = (height, STALE_NODE, node.as_slice(), 0);
                stale.insert(entry, ()).map_err(store_error)?;
            }
            let mut heights = transaction.open_table(HEIGHTS).map_err(store_error)?;
            heights
                .insert(height, record(&batch.root, block).as_slice())
                .map_err(store_error)?;
            if initial.is_none() {
                let mut facts = transaction.open_table(FACTS).map_err(store_error)?;
                let first = batch.height.to_be_bytes();
                facts
                    .insert("initial_height", first.as_slice())
                    .map_err(store_error)?;
                facts
                    .insert("chain_id", block.chain_id.as_bytes())
                    .map_err(store_error)?;
            }
        }
        if self.keep_recent > 0 {
            prune(
                &transaction,
                height.saturating_sub(self.keep_recent.saturating_sub(1)),
            )?;
        }
        transaction.commit().map_err(store_error)
    }

    /// Version of the tree at a height.
    fn tree_version(&self, height: i64) -> Result<u64, ChainError> {
        let first = self.initial_height()?.unwrap_or(height);
        height
            .checked_sub(first)
            .and_then(|version| u64::try_from(version).ok())
            .ok_or_else(|| {
                ChainError::Order(format!("height {height} lies before the first, {first}"))
            })
    }
}

/// Empties a store inside a transaction; the layout's number stays.
pub(super) fn clear(transaction: &WriteTransaction) -> Result<(), ChainError> {
    let gone = |result: Result<bool, redb::TableError>| result.map(drop).map_err(store_error);
    gone(transaction.delete_table(LATEST))?;
    gone(transaction.delete_table(HISTORY))?;
    gone(transaction.delete_table(NODES))?;
    gone(transaction.delete_table(STALE))?;
    gone(transaction.delete_table(HEIGHTS))?;
    open_tables(transaction)
}

/// Makes every table of state that is missing: readers expect them all.
fn open_tables(transaction: &WriteTransaction) -> Result<(), ChainError> {
    transaction.open_table(LATEST).map_err(store_error)?;
    transaction.open_table(HISTORY).map_err(store_error)?;
    transaction.open_table(NODES).map_err(store_error)?;
    transaction.open_table(STALE).map_err(store_error)?;
    transaction.open_table(HEIGHTS).map_err(store_error)?;
    Ok(())
}

/// What is stored about a height.
pub(super) fn record(root: &Root, block: &BlockInfo) -> Vec<u8> {
    let record = [
        root.as_slice(),
        &block.time.seconds.to_be_bytes(),
        &block.time.nanos.to_be_bytes(),
        &block.hash,
    ];
    record.concat()
}

/// Puts the new values in place; what they supersede goes to the history, under the height that wrote it.
fn write_values(
    transaction: &WriteTransaction,
    height: u64,
    values: &Changes,
) -> Result<(), ChainError> {
    let mut latest = transaction.open_table(LATEST).map_err(store_error)?;
    let mut history = transaction.open_table(HISTORY).map_err(store_error)?;
    let mut stale = transaction.open_table(STALE).map_err(store_error)?;
    for (key, value) in values {
        let key = key.as_slice();
        let before = match value {
            Some(value) => latest
                .insert(key, (height, value.as_slice()))
                .map_err(store_error)?,
            None => latest.remove(key).map_err(store_error)?,
        };
        if let Some(before) = before {
            let (written, old) = before.value();
            history
                .insert((key, invert(written)), Some(old))
                .map_err(store_error)?;
            stale
                .insert((height, STALE_VALUE, key, invert(written)), ())
                .map_err(store_error)?;
        }
        if value.is_none() {
            // The mark of the removal is of no use once all heights before it are gone.
            history
                .insert((key, invert(height)), None)
                .map_err(store_error)?;
            stale
                .insert((height, STALE_VALUE, key, invert(height)), ())
                .map_err(store_error)?;
        }
    }
    Ok(())
}

/// Drops what no height from `oldest` on can see, and the records of the heights before it.
fn prune(transaction: &WriteTransaction, oldest: u64) -> Result<(), ChainError> {
    let mut history = transaction.open_table(HISTORY).map_err(store_error)?;
    let mut nodes = transaction.open_table(NODES).map_err(store_error)?;
    let mut stale = transaction.open_table(STALE).map_err(store_error)?;
    let mut heights = transaction.open_table(HEIGHTS).map_err(store_error)?;
    let end = (oldest, u8::MAX, [].as_slice(), 0);
    let due = stale
        .extract_from_if((0, 0, [].as_slice(), 0)..end, |_, ()| true)
        .map_err(store_error)?;
    // What is not taken stays, and is not even looked at.
    for entry in due.take(PRUNE_PER_COMMIT) {
        let (entry, _) = entry.map_err(store_error)?;
        let (_, kind, key, inverted) = entry.value();
        if kind == STALE_VALUE {
            history.remove((key, inverted)).map_err(store_error)?;
        } else {
            nodes.remove(key).map_err(store_error)?;
        }
    }
    heights
        .retain_in(0..oldest, |_, _| false)
        .map_err(store_error)?;
    Ok(())
}

impl Store for Disk {
    fn root(&self, height: i64) -> Result<Root, ChainError> {
        Ok(self.at(height)?.root)
    }

    fn apply(&self, height: i64, changes: Changes) -> Result<Batch, ChainError> {
        let last = self.last()?.map(|recorded| recorded.block.height);
        if last.is_some_and(|last| last.checked_add(1) != Some(height)) || height <= 0 {
            return Err(ChainError::Order(format!(
                "height {height} does not follow the last committed one, {}",
                last.unwrap_or_default()
            )));
        }
        let before = self.raw_snapshot(last.unwrap_or_default())?;
        let mut values = Changes::new();
        for (key, value) in changes {
            if before.get(&key)? != value {
                values.insert(key, value);
            }
        }
        let nodes = self.read()?.open_table(NODES).map_err(store_error)?;
        let reader = Nodes {
            table: &nodes,
            value: None,
        };
        let update = tree::update(&reader, self.tree_version(height)?, &values)?;
        Ok(Batch {
            height,
            root: update.root,
            values,
            nodes: update.nodes,
            stale_nodes: update.stale,
        })
    }

    fn get(&self, height: i64, key: &[u8]) -> Result<Option<Vec<u8>>, ChainError> {
        self.snapshot(height)?.get(key)
    }

    fn prove(&self, height: i64, key: &[u8]) -> Result<Proof, ChainError> {
        let value = self.get(height, key)?;
        let nodes = self.read()?.open_table(NODES).map_err(store_error)?;
        tree::prove(&nodes, self.tree_version(height)?, key, value)
    }
}

/// Any error of the database.
pub(super) fn store_error(error: impl std::fmt::Display) -> ChainError {
    ChainError::Store(error.to_string())
}

#[cfg(test)]
mod tests;
