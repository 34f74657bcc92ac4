//! A new node's state from the chunks of a snapshot.

use tendermint_proto::v0_38::abci;

use super::stream::Reader;
use super::{FORMAT, Manifest};
use crate::context::BlockInfo;
use crate::error::ChainError;
use crate::limits;
use crate::modules::session;
use crate::store::{Disk, Import, Pair, Root};

/// Answer to an offered snapshot.
#[derive(Debug)]
pub enum Offered {
    /// Its chunks are awaited.
    Accepted(Box<Restore>),
    /// Its layout is not ours.
    Format,
    /// It is not what it says, or not of this chain.
    Refused(&'static str),
}

/// What came of a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// Taken; more are awaited.
    Taken,
    /// The last one; the state is committed.
    Done,
    /// Not what the manifest says: to be fetched again, from somebody else.
    WrongChunk,
    /// All chunks are as promised, and the snapshot is wrong all the same.
    WrongSnapshot(&'static str),
}

/// A restore under way. Dropped before its end, it leaves nothing.
#[derive(Debug)]
pub struct Restore {
    manifest: Manifest,
    trusted: Root,
    next: usize,
    reader: Reader,
    import: Import,
    /// Pairs that wait for a version of the tree.
    waiting: Vec<Pair>,
    last_key: Option<Vec<u8>>,
    pairs: u64,
}

impl Restore {
    /// Looks at an offered snapshot. `trusted` is the app hash that a light client verified for its height.
    ///
    /// # Errors
    /// When the store fails or has a state that blocks made.
    pub fn offer(
        disk: &Disk,
        chain_id: &str,
        snapshot: &abci::Snapshot,
        trusted: &[u8],
    ) -> Result<Offered, ChainError> {
        if snapshot.format != FORMAT {
            return Ok(Offered::Format);
        }
        let manifest = match Manifest::read(&snapshot.metadata, &snapshot.hash) {
            Ok(manifest) => manifest,
            Err(reason) => return Ok(Offered::Refused(reason)),
        };
        if manifest.chain_id != chain_id {
            return Ok(Offered::Refused("it is of another chain"));
        }
        if i64::try_from(snapshot.height) != Ok(manifest.height)
            || usize::try_from(snapshot.chunks) != Ok(manifest.chunks.len())
        {
            return Ok(Offered::Refused(
                "height or chunks differ from the manifest",
            ));
        }
        if manifest.root != trusted {
            return Ok(Offered::Refused("its root is not the trusted app hash"));
        }
        let Ok(trusted) = Root::try_from(trusted) else {
            return Ok(Offered::Refused("an app hash has 32 bytes"));
        };
        Ok(Offered::Accepted(Box::new(Self {
            manifest,
            trusted,
            next: 0,
            reader: Reader::default(),
            import: disk.import()?,
            waiting: Vec::new(),
            last_key: None,
            pairs: 0,
        })))
    }

    /// The chunk that is awaited.
    pub fn awaited(&self) -> u32 {
        u32::try_from(self.next).unwrap_or(u32::MAX)
    }

    /// Takes the next chunk.
    ///
    /// # Errors
    /// When the store fails.
    pub fn chunk(&mut self, index: u32, chunk: &[u8]) -> Result<Applied, ChainError> {
        let expected = self.manifest.chunks.get(self.next);
        let hash = crypto::hash::sha256(chunk);
        let as_promised = expected.is_some_and(|expected| expected.as_slice() == hash);
        if index != self.awaited() || !as_promised {
            return Ok(Applied::WrongChunk);
        }
        self.next = self.next.saturating_add(1);
        let pairs = match self.reader.push(chunk) {
            Ok(pairs) => pairs,
            Err(reason) => return Ok(Applied::WrongSnapshot(reason)),
        };
        for (key, value) in pairs {
            if self.last_key.as_ref().is_some_and(|last| *last >= key) {
                return Ok(Applied::WrongSnapshot("keys are not in order"));
            }
            self.last_key = Some(key.clone());
            self.pairs = self.pairs.saturating_add(1);
            self.waiting.push((key, value));
            if self.waiting.len() >= limits::IMPORT_PAIRS {
                self.put()?;
            }
        }
        if self.next < self.manifest.chunks.len() {
            return Ok(Applied::Taken);
        }
        self.finish()
    }

    fn put(&mut self) -> Result<(), ChainError> {
        let pairs = std::mem::take(&mut self.waiting);
        if pairs.is_empty() {
            return Ok(());
        }
        self.import.put(self.manifest.height, pairs)
    }

    fn finish(&mut self) -> Result<Applied, ChainError> {
        self.put()?;
        let manifest = &self.manifest;
        if !self.reader.is_whole() || self.pairs != manifest.pairs {
            return Ok(Applied::WrongSnapshot("its stream is not whole"));
        }
        if self.import.root() != Some(self.trusted) {
            return Ok(Applied::WrongSnapshot("its root is not the app hash"));
        }
        // The hash is not in the root, but the state remembers it.
        let remembered = self.import.get(&session::hash_key(manifest.height))?;
        if remembered.is_some_and(|hash| hash != manifest.block_hash) {
            return Ok(Applied::WrongSnapshot("its block hash is not the state's"));
        }
        let block = BlockInfo {
            chain_id: manifest.chain_id.clone(),
            height: manifest.height,
            time: manifest.time(),
            hash: manifest.block_hash.clone(),
            ..BlockInfo::default()
        };
        self.import.commit(&block)?;
        Ok(Applied::Done)
    }
}
