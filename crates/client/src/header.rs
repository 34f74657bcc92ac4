//! Block headers as CometBFT's JSON writes them, and their hash.
//!
//! A block's hash is the Merkle root of the fourteen fields of its header (chain specification
//! B.4). Session ids and proof draws depend on it, so it is recomputed from the fields and never
//! taken on trust.
//!
//! Start with [`hash`].

use prost::Message;
use prost_types::Timestamp;
use protocol::merkle;
use serde::{Deserialize, Serialize};

use crate::rpc::codec;

/// A block header, field for field.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// Protocol versions.
    pub version: Version,
    /// Network.
    pub chain_id: String,
    /// Height.
    #[serde(with = "codec::int")]
    pub height: i64,
    /// Time the proposer and its voters agreed on.
    #[serde(with = "codec::time")]
    pub time: Timestamp,
    /// The block before.
    pub last_block_id: BlockId,
    /// Votes for the block before.
    #[serde(with = "codec::hex")]
    pub last_commit_hash: Vec<u8>,
    /// Transactions.
    #[serde(with = "codec::hex")]
    pub data_hash: Vec<u8>,
    /// Validators of this block.
    #[serde(with = "codec::hex")]
    pub validators_hash: Vec<u8>,
    /// Validators of the next.
    #[serde(with = "codec::hex")]
    pub next_validators_hash: Vec<u8>,
    /// Consensus parameters.
    #[serde(with = "codec::hex")]
    pub consensus_hash: Vec<u8>,
    /// State after the block before.
    #[serde(with = "codec::hex")]
    pub app_hash: Vec<u8>,
    /// Transaction results of the block before.
    #[serde(with = "codec::hex")]
    pub last_results_hash: Vec<u8>,
    /// Evidence of misbehaviour.
    #[serde(with = "codec::hex")]
    pub evidence_hash: Vec<u8>,
    /// Who proposed it: 20 bytes.
    #[serde(with = "codec::hex")]
    pub proposer_address: Vec<u8>,
}

/// Protocol versions of a block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// Block protocol; 11 for CometBFT 0.38.
    #[serde(default, with = "codec::int", skip_serializing_if = "is_zero")]
    pub block: u64,
    /// Application protocol.
    #[serde(default, with = "codec::int", skip_serializing_if = "is_zero")]
    pub app: u64,
}

fn is_zero(value: &u64) -> bool {
    *value == 0
}

/// A block by its hash and that of its parts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockId {
    /// Header hash; empty before block 1.
    #[serde(with = "codec::hex")]
    pub hash: Vec<u8>,
    /// The parts it is gossiped in.
    pub parts: Parts,
}

/// The parts a block is gossiped in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parts {
    /// How many.
    pub total: u32,
    /// Their Merkle root.
    #[serde(with = "codec::hex")]
    pub hash: Vec<u8>,
}

/// The hash of a header: what CometBFT calls the block's hash.
pub fn hash(header: &Header) -> [u8; 32] {
    let version = proto::tendermint::version::Consensus {
        block: header.version.block,
        app: header.version.app,
    };
    let last = proto::tendermint::types::BlockId {
        hash: header.last_block_id.hash.clone(),
        part_set_header: Some(proto::tendermint::types::PartSetHeader {
            total: header.last_block_id.parts.total,
            hash: header.last_block_id.parts.hash.clone(),
        }),
    };
    // prost encodes String, i64 and Vec<u8> as the google wrapper types, whose default is no bytes
    // at all.
    merkle::root(&[
        version.encode_to_vec(),
        header.chain_id.encode_to_vec(),
        header.height.encode_to_vec(),
        header.time.encode_to_vec(),
        last.encode_to_vec(),
        header.last_commit_hash.encode_to_vec(),
        header.data_hash.encode_to_vec(),
        header.validators_hash.encode_to_vec(),
        header.next_validators_hash.encode_to_vec(),
        header.consensus_hash.encode_to_vec(),
        header.app_hash.encode_to_vec(),
        header.last_results_hash.encode_to_vec(),
        header.evidence_hash.encode_to_vec(),
        header.proposer_address.encode_to_vec(),
    ])
}

#[cfg(test)]
mod tests;
