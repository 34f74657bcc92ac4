//! A whole state written into a store that no block has touched: invisible until it is committed, gone when it is dropped.
//!
//! A store that holds nothing but what an earlier import left counts as untouched: what is there is replaced in the same
//! transaction. So a restore can begin again after its driver died between our commit and its own.

use redb::{Durability, ReadableTable, Table, WriteTransaction};

use crate::context::BlockInfo;
use crate::error::{ChainError, HeightError};
use crate::store::disk::{
    Disk, FACTS, HEIGHTS, IMPORTED, LATEST, NODES, clear, record, store_error,
};
use crate::store::tree::{self, Nodes};
use crate::store::{Pair, Root};

/// An import under way: one open transaction.
pub struct Import {
    transaction: Option<WriteTransaction>,
    root: Option<Root>,
    /// Versions of the tree so far: one a batch.
    versions: u64,
}

impl std::fmt::Debug for Import {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Import")
            .field("root", &self.root)
            .field("versions", &self.versions)
            .finish_non_exhaustive()
    }
}

impl Import {
    pub(super) fn begin(disk: &Disk) -> Result<Self, ChainError> {
        if let Some(last) = disk.last()? {
            let height = last.block.height;
            if disk.imported()? != Some(height) {
                return Err(ChainError::Order(format!(
                    "a snapshot is offered, but this node has executed blocks up to {height}; to start over from a \
                     snapshot, stop it and remove its state"
                )));
            }
        }
        let mut transaction = disk.begin_write()?;
        transaction.set_quick_repair(true);
        transaction
            .set_durability(Durability::Immediate)
            .map_err(store_error)?;
        clear(&transaction)?;
        Ok(Self {
            transaction: Some(transaction),
            root: None,
            versions: 0,
        })
    }

    fn transaction(&self) -> Result<&WriteTransaction, ChainError> {
        self.transaction
            .as_ref()
            .ok_or_else(|| ChainError::Order("an import that has ended".to_owned()))
    }

    /// Adds pairs of the state at `height`. Each call makes a version of the tree, so that only its nodes need memory.
    ///
    /// # Errors
    /// When the store fails.
    pub fn put(&mut self, height: i64, pairs: Vec<Pair>) -> Result<(), ChainError> {
        let height = u64::try_from(height).map_err(|_| HeightError::Negative)?;
        let transaction = self.transaction()?;
        let mut latest = transaction.open_table(LATEST).map_err(store_error)?;
        for (key, value) in &pairs {
            latest
                .insert(key.as_slice(), (height, value.as_slice()))
                .map_err(store_error)?;
        }
        drop(latest);
        let changes = pairs.into_iter().map(|(key, value)| (key, Some(value)));
        let changes = changes.collect();
        let mut table = transaction.open_table(NODES).map_err(store_error)?;
        let reader = Nodes {
            table: &table,
            value: None,
        };
        let update = tree::update(&reader, self.versions, &changes)?;
        put_nodes(&mut table, &update)?;
        drop(table);
        self.root = Some(update.root);
        self.versions = self.versions.saturating_add(1);
        Ok(())
    }

    /// Root of the tree so far; `None` before the first pair.
    pub fn root(&self) -> Option<Root> {
        self.root
    }

    /// A value put so far.
    ///
    /// # Errors
    /// When the store fails.
    pub fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, ChainError> {
        let latest = self
            .transaction()?
            .open_table(LATEST)
            .map_err(store_error)?;
        let value = latest.get(key).map_err(store_error)?;
        Ok(value.map(|value| value.value().1.to_vec()))
    }

    /// Makes the state visible as that after `block`, in one fsynced step.
    ///
    /// # Errors
    /// When the store fails or nothing was put.
    pub fn commit(&mut self, block: &BlockInfo) -> Result<(), ChainError> {
        let root = self
            .root
            .ok_or_else(|| ChainError::Order("a snapshot without a single pair".to_owned()))?;
        let height = u64::try_from(block.height).map_err(|_| HeightError::Negative)?;
        let last_version = i64::try_from(self.versions.saturating_sub(1));
        // The tree's next version follows the next height.
        let origin = last_version
            .ok()
            .and_then(|last| block.height.checked_sub(last))
            .ok_or(HeightError::Negative)?;
        let transaction = self.transaction()?;
        {
            let mut heights = transaction.open_table(HEIGHTS).map_err(store_error)?;
            heights
                .insert(height, record(&root, block).as_slice())
                .map_err(store_error)?;
            let mut facts = transaction.open_table(FACTS).map_err(store_error)?;
            let origin = origin.to_be_bytes();
            facts
                .insert("initial_height", origin.as_slice())
                .map_err(store_error)?;
            facts
                .insert("chain_id", block.chain_id.as_bytes())
                .map_err(store_error)?;
            facts
                .insert(IMPORTED, height.to_be_bytes().as_slice())
                .map_err(store_error)?;
        }
        match self.transaction.take() {
            Some(transaction) => transaction.commit().map_err(store_error),
            None => Ok(()),
        }
    }
}

/// Nodes that a later version replaces are of no use: no height but the last can be queried.
fn put_nodes(
    table: &mut Table<'_, &'static [u8], &'static [u8]>,
    update: &tree::Update,
) -> Result<(), ChainError> {
    for (key, node) in &update.nodes {
        table
            .insert(key.as_slice(), node.as_slice())
            .map_err(store_error)?;
    }
    for key in &update.stale {
        table.remove(key.as_slice()).map_err(store_error)?;
    }
    Ok(())
}
