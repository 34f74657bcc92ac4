//! Blocks, commits, results and the index of transactions, in one `redb` file.
//!
//! Invariants
//! - heights are contiguous from the chain's first; block and seen commit of a height are written together, before the
//!   block is executed; results and index of a height are written before the state is committed;
//! - only the driver writes, anybody reads.
//!
//! Start with [`BlockStore::save_block`] and [`BlockStore::committed`]; `search` finds transactions by query.

use std::path::Path;
use std::sync::Arc;

use prost::Message;
use redb::{Database, Durability, ReadableDatabase, ReadableTable, TableDefinition};
use tendermint_proto::v0_38::abci::{ExecTxResult, ResponseFinalizeBlock};
use tendermint_proto::v0_38::types::{self, Block, BlockId, BlockMeta, Commit, Header};

use crate::block::validators::ValidatorSet;
use crate::block::{self, Hash};
use crate::error::NodeError;
use crate::limits;

pub mod search;

const BLOCKS: TableDefinition<i64, &[u8]> = TableDefinition::new("blocks");
const METAS: TableDefinition<i64, &[u8]> = TableDefinition::new("metas");
const COMMITS: TableDefinition<i64, &[u8]> = TableDefinition::new("commits");
const RESULTS: TableDefinition<i64, &[u8]> = TableDefinition::new("results");
/// Header hash to height.
const HASHES: TableDefinition<&[u8], i64> = TableDefinition::new("hashes");
/// Transaction hash to height and index.
const TXS: TableDefinition<&[u8], (i64, u32)> = TableDefinition::new("txs");
/// Event key and value to height and index.
const INDEX: TableDefinition<(&str, &str, i64, u32), ()> = TableDefinition::new("index");
const FACTS: TableDefinition<&str, &[u8]> = TableDefinition::new("facts");
/// First height of a set of validators to the set; in between, only priorities move.
const VALIDATORS: TableDefinition<i64, &[u8]> = TableDefinition::new("validators");

/// Fact: the genesis document as given.
const GENESIS: &str = "genesis";

/// Event keys that are indexed; the hash and the height of a transaction have tables of their own.
pub const INDEXED: [&str; 2] = ["message.sender", "message.action"];

/// A block with everything known about it.
#[derive(Clone, Debug)]
pub struct Committed {
    /// Its hash and part set.
    pub id: BlockId,
    /// The block.
    pub block: Block,
    /// What it did.
    pub results: ResponseFinalizeBlock,
}

impl Committed {
    /// Its header.
    pub fn header(&self) -> Header {
        self.block.header.clone().unwrap_or_default()
    }

    /// Its height.
    pub fn height(&self) -> i64 {
        self.block.header.as_ref().map_or(0, |header| header.height)
    }

    /// Its transactions.
    pub fn txs(&self) -> &[Vec<u8>] {
        self.block.data.as_ref().map_or(&[], |data| &data.txs)
    }
}

/// A transaction in a block.
#[derive(Clone, Debug)]
pub struct Included {
    /// Height of the block.
    pub height: i64,
    /// Place in the block.
    pub index: u32,
    /// SHA-256 of the bytes.
    pub hash: Hash,
    /// The bytes.
    pub tx: Vec<u8>,
    /// What it did.
    pub result: ExecTxResult,
}

/// The store. Clones share the file.
#[derive(Clone)]
pub struct BlockStore {
    database: Arc<Database>,
}

impl std::fmt::Debug for BlockStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BlockStore").finish_non_exhaustive()
    }
}

impl BlockStore {
    /// Opens `blocks.redb` in a folder, making it if it is missing.
    ///
    /// # Errors
    /// When it cannot be opened or is in use.
    pub fn open(folder: &Path) -> Result<Self, NodeError> {
        let database = Database::builder()
            .set_cache_size(limits::STORE_CACHE_BYTES)
            .create(folder.join("blocks.redb"))?;
        Self::over(database)
    }

    /// A store in memory, for replays.
    ///
    /// # Errors
    /// When memory cannot be had.
    pub fn in_memory() -> Result<Self, NodeError> {
        let backend = redb::backends::InMemoryBackend::new();
        Self::over(Database::builder().create_with_backend(backend)?)
    }

    fn over(database: Database) -> Result<Self, NodeError> {
        let store = Self {
            database: Arc::new(database),
        };
        store.write(|tables| {
            tables.open_table(BLOCKS)?;
            tables.open_table(METAS)?;
            tables.open_table(COMMITS)?;
            tables.open_table(RESULTS)?;
            tables.open_table(HASHES)?;
            tables.open_table(TXS)?;
            tables.open_table(INDEX)?;
            tables.open_table(FACTS)?;
            tables.open_table(VALIDATORS)?;
            Ok(())
        })?;
        Ok(store)
    }

    fn write(
        &self,
        f: impl FnOnce(&redb::WriteTransaction) -> Result<(), NodeError>,
    ) -> Result<(), NodeError> {
        let mut write = self.database.begin_write()?;
        write.set_durability(Durability::Immediate)?;
        write.set_quick_repair(true);
        f(&write)?;
        Ok(write.commit()?)
    }

    /// The genesis document that the chain was started with.
    ///
    /// # Errors
    /// When the file fails.
    pub fn genesis(&self) -> Result<Option<String>, NodeError> {
        let facts = self.database.begin_read()?.open_table(FACTS)?;
        let Some(bytes) = facts.get(GENESIS)? else {
            return Ok(None);
        };
        String::from_utf8(bytes.value().to_vec())
            .map(Some)
            .map_err(NodeError::corrupt)
    }

    /// Keeps the genesis document.
    ///
    /// # Errors
    /// When the file fails.
    pub fn save_genesis(&self, document: &str) -> Result<(), NodeError> {
        self.write(|tables| {
            tables
                .open_table(FACTS)?
                .insert(GENESIS, document.as_bytes())?;
            Ok(())
        })
    }

    /// Writes a block and the commit seen for it.
    ///
    /// # Errors
    /// When the file fails.
    pub fn save_block(
        &self,
        id: &BlockId,
        block: &Block,
        commit: &Commit,
    ) -> Result<(), NodeError> {
        let header = block
            .header
            .as_ref()
            .ok_or_else(|| NodeError::corrupt("no header"))?;
        let bytes = block.encode_to_vec();
        let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        let meta = BlockMeta {
            block_id: Some(id.clone()),
            block_size: count(bytes.len()),
            header: Some(header.clone()),
            num_txs: count(block.data.as_ref().map_or(0, |data| data.txs.len())),
        };
        self.write(|tables| {
            tables
                .open_table(BLOCKS)?
                .insert(header.height, bytes.as_slice())?;
            tables
                .open_table(METAS)?
                .insert(header.height, meta.encode_to_vec().as_slice())?;
            tables
                .open_table(COMMITS)?
                .insert(header.height, commit.encode_to_vec().as_slice())?;
            tables
                .open_table(HASHES)?
                .insert(id.hash.as_slice(), header.height)?;
            Ok(())
        })
    }

    /// Writes the results of a block, and its transactions into the index. Written again, it changes nothing.
    ///
    /// # Errors
    /// When the file fails.
    pub fn save_results(
        &self,
        block: &Block,
        results: &ResponseFinalizeBlock,
    ) -> Result<(), NodeError> {
        let height = block.header.as_ref().map_or(0, |header| header.height);
        let txs = block
            .data
            .as_ref()
            .map_or(&[] as &[Vec<u8>], |data| &data.txs);
        self.write(|tables| {
            tables
                .open_table(RESULTS)?
                .insert(height, results.encode_to_vec().as_slice())?;
            let mut by_hash = tables.open_table(TXS)?;
            let mut index = tables.open_table(INDEX)?;
            for (place, (hash, result)) in
                (0_u32..).zip(block::tx_hashes(txs).iter().zip(&results.tx_results))
            {
                by_hash.insert(hash.as_slice(), (height, place))?;
                for event in &result.events {
                    for attribute in &event.attributes {
                        let key = format!("{}.{}", event.r#type, attribute.key);
                        if INDEXED.contains(&key.as_str()) {
                            let value = attribute.value.as_str();
                            index.insert((key.as_str(), value, height, place), ())?;
                        }
                    }
                }
            }
            Ok(())
        })
    }

    /// Keeps a set of validators that signs from a height on.
    ///
    /// # Errors
    /// When the file fails.
    pub fn save_validators(&self, height: i64, set: &ValidatorSet) -> Result<(), NodeError> {
        let bytes = set.to_proto().encode_to_vec();
        self.write(|tables| {
            tables
                .open_table(VALIDATORS)?
                .insert(height, bytes.as_slice())?;
            Ok(())
        })
    }

    /// The set of validators that signs the block of a height, with its priorities there.
    ///
    /// # Errors
    /// When the file fails.
    pub fn validators(&self, height: i64) -> Result<Option<ValidatorSet>, NodeError> {
        let table = self.database.begin_read()?.open_table(VALIDATORS)?;
        let Some(entry) = table.range(..=height)?.next_back() else {
            return Ok(None);
        };
        let (since, bytes) = entry?;
        let set = types::ValidatorSet::decode(bytes.value()).map_err(NodeError::corrupt)?;
        let mut set = ValidatorSet::from_proto(set).map_err(NodeError::corrupt)?;
        let passed = u32::try_from(height.saturating_sub(since.value())).unwrap_or(u32::MAX);
        if passed > 0 {
            set.advance(passed);
        }
        Ok(Some(set))
    }

    /// First and last height with a block.
    ///
    /// # Errors
    /// When the file fails.
    pub fn range(&self) -> Result<Option<(i64, i64)>, NodeError> {
        let metas = self.database.begin_read()?.open_table(METAS)?;
        let first = metas.first()?.map(|(height, _)| height.value());
        let last = metas.last()?.map(|(height, _)| height.value());
        Ok(first.zip(last))
    }

    /// A block.
    ///
    /// # Errors
    /// When the file fails.
    pub fn block(&self, height: i64) -> Result<Option<Block>, NodeError> {
        self.message(BLOCKS, height)
    }

    /// Id, header and size of a block.
    ///
    /// # Errors
    /// When the file fails.
    pub fn meta(&self, height: i64) -> Result<Option<BlockMeta>, NodeError> {
        self.message(METAS, height)
    }

    /// The results of an executed block.
    ///
    /// # Errors
    /// When the file fails.
    pub fn results(&self, height: i64) -> Result<Option<ResponseFinalizeBlock>, NodeError> {
        self.message(RESULTS, height)
    }

    /// The commit of a block, and whether it is the one that the next block carries.
    ///
    /// # Errors
    /// When the file fails.
    pub fn commit(&self, height: i64) -> Result<Option<(Commit, bool)>, NodeError> {
        let next = self.block(height.saturating_add(1))?;
        if let Some(commit) = next.and_then(|block| block.last_commit) {
            return Ok(Some((commit, true)));
        }
        Ok(self
            .message::<Commit>(COMMITS, height)?
            .map(|commit| (commit, false)))
    }

    /// A block that has been executed.
    ///
    /// # Errors
    /// When the file fails.
    pub fn committed(&self, height: i64) -> Result<Option<Committed>, NodeError> {
        let (Some(meta), Some(block), Some(results)) = (
            self.meta(height)?,
            self.block(height)?,
            self.results(height)?,
        ) else {
            return Ok(None);
        };
        let id = meta.block_id.unwrap_or_default();
        Ok(Some(Committed { id, block, results }))
    }

    /// Height of the block with a header hash.
    ///
    /// # Errors
    /// When the file fails.
    pub fn height_of(&self, hash: &[u8]) -> Result<Option<i64>, NodeError> {
        let hashes = self.database.begin_read()?.open_table(HASHES)?;
        Ok(hashes.get(hash)?.map(|height| height.value()))
    }

    /// A transaction by its hash.
    ///
    /// # Errors
    /// When the file fails.
    pub fn tx(&self, hash: &[u8]) -> Result<Option<Included>, NodeError> {
        let place = {
            let txs = self.database.begin_read()?.open_table(TXS)?;
            txs.get(hash)?.map(|place| place.value())
        };
        let Some((height, index)) = place else {
            return Ok(None);
        };
        let Some(committed) = self.committed(height)? else {
            return Ok(None);
        };
        Ok(included(&committed, index))
    }

    /// Places with an indexed event attribute, within heights, in order.
    fn places(
        &self,
        key: &str,
        value: &str,
        heights: (i64, i64),
    ) -> Result<Vec<(i64, u32)>, NodeError> {
        let index = self.database.begin_read()?.open_table(INDEX)?;
        let range = (key, value, heights.0, 0)..=(key, value, heights.1, u32::MAX);
        let mut places = Vec::new();
        for entry in index.range(range)?.rev().take(limits::SEARCH_RESULTS) {
            let (_, _, height, place) = entry?.0.value();
            places.push((height, place));
        }
        places.reverse();
        Ok(places)
    }

    fn message<M: Message + Default>(
        &self,
        table: TableDefinition<i64, &[u8]>,
        height: i64,
    ) -> Result<Option<M>, NodeError> {
        let table = self.database.begin_read()?.open_table(table)?;
        let Some(bytes) = table.get(height)? else {
            return Ok(None);
        };
        M::decode(bytes.value())
            .map(Some)
            .map_err(NodeError::corrupt)
    }
}

/// One transaction out of a block.
pub fn included(committed: &Committed, index: u32) -> Option<Included> {
    let place = usize::try_from(index).ok()?;
    let tx = committed.txs().get(place)?.clone();
    let result = committed.results.tx_results.get(place)?.clone();
    let hash = crypto::hash::sha256(&tx);
    Some(Included {
        height: committed.height(),
        index,
        hash,
        tx,
        result,
    })
}
