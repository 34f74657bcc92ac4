//! Snapshots for state sync: the whole state of one height in chunks, and a new node's state made from them.
//!
//! A snapshot is one stream of pairs in key order, cut into [`limits::SNAPSHOT_CHUNK_BYTES`], and a [`Manifest`] with the
//! SHA-256 of every chunk; the manifest's own SHA-256 names the snapshot. It is written beside the consensus path from an
//! immutable view ([`Shelf::write`]) and put on the shelf by one rename.
//!
//! What a restore trusts is the app hash alone, which the driver knows from a light client. Nothing is visible before the
//! last chunk: the pairs go into one open transaction of the store, the tree is built beside them, and only a root that
//! equals the app hash is committed. Everything a node needs to go on is in the state (`Rules` among it), except
//! chain id, height and time of the last block, which the manifest tells; the block's hash is compared with the state's.

use prost::Message;

use crate::context::BlockTime;
use crate::limits;
use crate::store::Root;

mod restore;
mod shelf;
mod stream;

pub use restore::{Applied, Offered, Restore};
pub use shelf::{Shelf, Source};

/// Layout of manifest and stream. Another one is refused.
pub const FORMAT: u32 = 1;

/// What a snapshot holds, and the hashes of its chunks. Protobuf, so that its bytes and with them the snapshot's hash are
/// the same on every node.
#[derive(Clone, PartialEq, Message)]
pub struct Manifest {
    /// Chain id.
    #[prost(string, tag = "1")]
    pub chain_id: String,
    /// Height of the state.
    #[prost(int64, tag = "2")]
    pub height: i64,
    /// Time of that block: seconds since 1970.
    #[prost(int64, tag = "3")]
    pub seconds: i64,
    /// Nanoseconds of its time.
    #[prost(int32, tag = "4")]
    pub nanos: i32,
    /// Hash of that block.
    #[prost(bytes = "vec", tag = "5")]
    pub block_hash: Vec<u8>,
    /// The state's root after it.
    #[prost(bytes = "vec", tag = "6")]
    pub root: Vec<u8>,
    /// Count of pairs.
    #[prost(uint64, tag = "7")]
    pub pairs: u64,
    /// SHA-256 of each chunk in order.
    #[prost(bytes = "vec", repeated, tag = "8")]
    pub chunks: Vec<Vec<u8>>,
}

impl Manifest {
    /// Reads the manifest of an offered snapshot.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn read(bytes: &[u8], hash: &[u8]) -> Result<Self, &'static str> {
        if crypto::hash::sha256(bytes).as_slice() != hash {
            return Err("the hash is not the manifest's");
        }
        let manifest = Self::decode(bytes).map_err(|_| "the manifest cannot be read")?;
        if manifest.height < 1 {
            return Err("a height must be at least 1");
        }
        if manifest.chunks.is_empty() || manifest.chunks.len() > limits::SNAPSHOT_CHUNKS {
            return Err("no chunks, or more than a snapshot may have");
        }
        if manifest.chunks.iter().any(|hash| hash.len() != 32) || manifest.root.len() != 32 {
            return Err("a hash has 32 bytes");
        }
        Ok(manifest)
    }

    /// What names the snapshot.
    pub fn hash(&self) -> Root {
        crypto::hash::sha256(&self.encode_to_vec())
    }

    /// Time of the block.
    pub fn time(&self) -> BlockTime {
        BlockTime {
            seconds: self.seconds,
            nanos: self.nanos,
        }
    }
}

#[cfg(test)]
mod tests;
