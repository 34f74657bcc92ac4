//! CometBFT 0.38 blocks: their hashes and the votes that commit them.
//!
//! The types are those of `tendermint-proto`; here is what they hash to (chain specification B.4). Clients recompute the
//! header's hash and sessions are drawn from it, so every field must be exactly what CometBFT would put there: all 376
//! recorded blocks are recomputed in the tests. Start with [`assemble`] and [`header_hash`].

pub mod validators;
pub mod vote;

use prost::Message;
use sha2::{Digest, Sha256};
use tendermint_proto::google::protobuf::Timestamp;
use tendermint_proto::v0_38::abci::ExecTxResult;
use tendermint_proto::v0_38::crypto::{PublicKey, public_key::Sum};
use tendermint_proto::v0_38::types::{
    Block, BlockId, Commit, ConsensusParams, Data, EvidenceList, HashedParams, Header,
    PartSetHeader, SimpleValidator,
};
use tendermint_proto::v0_38::version::Consensus;

use protocol::merkle;
pub use protocol::merkle::Hash;

/// CometBFT's block protocol, in every header.
pub const BLOCK_PROTOCOL: u64 = 11;

/// Bytes of one part of a block as it is gossiped.
const PART_BYTES: usize = 65_536;

/// A member of the validator set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Validator {
    /// Ed25519 key.
    pub key: [u8; 32],
    /// Voting power.
    pub power: i64,
}

impl Validator {
    /// First 20 bytes of the key's SHA-256.
    pub fn address(&self) -> [u8; 20] {
        let mut address = [0; 20];
        address.copy_from_slice(&Sha256::digest(self.key)[..20]);
        address
    }

    /// The key as CometBFT's messages carry it.
    pub fn public_key(&self) -> PublicKey {
        PublicKey {
            sum: Some(Sum::Ed25519(self.key.to_vec())),
        }
    }
}

/// What a new block is made of.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Chain id.
    pub chain_id: String,
    /// Height, from 1.
    pub height: i64,
    /// Block time.
    pub time: Timestamp,
    /// Transactions in order.
    pub txs: Vec<Vec<u8>>,
    /// The block before; default for the first.
    pub last_block_id: BlockId,
    /// Votes for the block before; empty for the first.
    pub last_commit: Commit,
    /// Hash of the state after the block before.
    pub app_hash: Vec<u8>,
    /// [`results_hash`] of the block before.
    pub last_results_hash: Hash,
    /// [`consensus_hash`] of the params in force.
    pub consensus_hash: Hash,
    /// [`validators_hash`] of the set that signs this block.
    pub validators_hash: Hash,
    /// [`validators_hash`] of the set that signs the next one.
    pub next_validators_hash: Hash,
    /// Address of the proposer.
    pub proposer: [u8; 20],
}

/// Puts a block together: header, data, no evidence, last commit.
pub fn assemble(draft: Draft) -> Block {
    let evidence = EvidenceList::default();
    let header = Header {
        version: Some(Consensus {
            block: BLOCK_PROTOCOL,
            app: 0,
        }),
        chain_id: draft.chain_id,
        height: draft.height,
        time: Some(draft.time),
        last_block_id: Some(draft.last_block_id),
        last_commit_hash: commit_hash(&draft.last_commit).to_vec(),
        data_hash: data_hash(&draft.txs).to_vec(),
        validators_hash: draft.validators_hash.to_vec(),
        next_validators_hash: draft.next_validators_hash.to_vec(),
        consensus_hash: draft.consensus_hash.to_vec(),
        app_hash: draft.app_hash,
        last_results_hash: draft.last_results_hash.to_vec(),
        evidence_hash: evidence_hash(&evidence).to_vec(),
        proposer_address: draft.proposer.to_vec(),
    };
    Block {
        header: Some(header),
        data: Some(Data { txs: draft.txs }),
        evidence: Some(evidence),
        last_commit: Some(draft.last_commit),
    }
}

/// A block id with nothing in it, encoded as the reference does.
pub fn no_block_id() -> BlockId {
    BlockId {
        hash: Vec::new(),
        part_set_header: Some(PartSetHeader::default()),
    }
}

/// The commit in block 1, which has no block before it.
pub fn no_commit() -> Commit {
    Commit {
        height: 0,
        round: 0,
        block_id: Some(no_block_id()),
        signatures: Vec::new(),
    }
}

/// Header hash and part set of a block. `None` for a block without a header.
pub fn block_id(block: &Block) -> Option<BlockId> {
    let hash = header_hash(block.header.as_ref()?).to_vec();
    Some(BlockId {
        hash,
        part_set_header: Some(part_set_header(block)),
    })
}

/// Hash of a header: the Merkle root of its fourteen fields, each in a protobuf wrapper, empty ones as nothing.
pub fn header_hash(header: &Header) -> Hash {
    let wrapped = |bytes: &Vec<u8>| bytes.encode_to_vec();
    let version = header.version.unwrap_or_default();
    let time = header.time.unwrap_or_default();
    let last = header.last_block_id.clone().unwrap_or_default();
    merkle::root(&[
        version.encode_to_vec(),
        header.chain_id.encode_to_vec(),
        header.height.encode_to_vec(),
        time.encode_to_vec(),
        with_parts(last).encode_to_vec(),
        wrapped(&header.last_commit_hash),
        wrapped(&header.data_hash),
        wrapped(&header.validators_hash),
        wrapped(&header.next_validators_hash),
        wrapped(&header.consensus_hash),
        wrapped(&header.app_hash),
        wrapped(&header.last_results_hash),
        wrapped(&header.evidence_hash),
        wrapped(&header.proposer_address),
    ])
}

/// The part set header is written even when empty.
fn with_parts(mut id: BlockId) -> BlockId {
    id.part_set_header.get_or_insert_default();
    id
}

/// Count and root of the parts that a block is gossiped in.
pub fn part_set_header(block: &Block) -> PartSetHeader {
    let bytes = block.encode_to_vec();
    let parts: Vec<&[u8]> = bytes.chunks(PART_BYTES).collect();
    PartSetHeader {
        total: u32::try_from(parts.len()).unwrap_or(u32::MAX),
        hash: merkle::root(&parts).to_vec(),
    }
}

/// Root over the hashes of transactions.
pub fn data_hash<T: AsRef<[u8]>>(txs: &[T]) -> Hash {
    merkle::root(&tx_hashes(txs))
}

/// SHA-256 of each transaction: what names it, and a leaf of [`data_hash`].
pub fn tx_hashes<T: AsRef<[u8]>>(txs: &[T]) -> Vec<Hash> {
    txs.iter().map(|tx| Sha256::digest(tx).into()).collect()
}

/// Root over evidence.
pub fn evidence_hash(evidence: &EvidenceList) -> Hash {
    let items: Vec<Vec<u8>> = evidence
        .evidence
        .iter()
        .map(Message::encode_to_vec)
        .collect();
    merkle::root(&items)
}

/// Root over the votes of a commit.
pub fn commit_hash(commit: &Commit) -> Hash {
    let votes = commit.signatures.iter().map(|vote| {
        let mut vote = vote.clone();
        vote.timestamp.get_or_insert(vote::ABSENT);
        vote.encode_to_vec()
    });
    merkle::root(&votes.collect::<Vec<_>>())
}

/// Root over what must be deterministic in results: code, data and gas.
pub fn results_hash(results: &[ExecTxResult]) -> Hash {
    let leaves = results.iter().map(|result| {
        let deterministic = ExecTxResult {
            code: result.code,
            data: result.data.clone(),
            gas_wanted: result.gas_wanted,
            gas_used: result.gas_used,
            ..ExecTxResult::default()
        };
        deterministic.encode_to_vec()
    });
    merkle::root(&leaves.collect::<Vec<_>>())
}

/// Root over keys and powers, by power descending, then by address.
pub fn validators_hash(validators: &[Validator]) -> Hash {
    let mut sorted: Vec<&Validator> = validators.iter().collect();
    sorted.sort_by_key(|validator| (std::cmp::Reverse(validator.power), validator.address()));
    let leaves = sorted.into_iter().map(|validator| {
        let simple = SimpleValidator {
            pub_key: Some(validator.public_key()),
            voting_power: validator.power,
        };
        simple.encode_to_vec()
    });
    merkle::root(&leaves.collect::<Vec<_>>())
}

/// Hash of the params that bind blocks: their limits in bytes and gas.
pub fn consensus_hash(params: &ConsensusParams) -> Hash {
    let block = params.block.unwrap_or_default();
    let hashed = HashedParams {
        block_max_bytes: block.max_bytes,
        block_max_gas: block.max_gas,
    };
    Sha256::digest(hashed.encode_to_vec()).into()
}

#[cfg(test)]
mod tests;
