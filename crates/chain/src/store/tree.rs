//! The Jellyfish Merkle tree over the state, and proofs from it.
//!
//! Leaves are SHA-256 of the key and SHA-256 of the value. The tree's own versions count from 0 at the chain's first
//! block, or at a height that an import chooses, because it wants them without gaps.

use std::collections::BTreeMap;

use jmt::proof::SparseMerkleProof;
use jmt::storage::{LeafNode, Node, NodeKey, TreeReader};
use jmt::{KeyHash, OwnedValue, RootHash, Sha256Jmt, Version};
use redb::{ReadOnlyTable, ReadableTable};

use crate::error::ChainError;
use crate::store::{Changes, Root};

/// jmt's hash; the parameter of its types.
type Hasher = <Sha256Jmt<'static, Nodes<'static, NodeTable>> as HasherOf>::Hasher;

/// Names the hasher inside jmt's alias without depending on its version of `sha2`.
trait HasherOf {
    type Hasher: jmt::SimpleHasher;
}

impl<R, H: jmt::SimpleHasher> HasherOf for jmt::JellyfishMerkleTree<'_, R, H> {
    type Hasher = H;
}

/// Nodes as stored: encoded key to encoded node.
pub(super) type NodeTable = ReadOnlyTable<&'static [u8], &'static [u8]>;

/// Where the tree reads its nodes, and the one value that a proof may ask for.
pub(super) struct Nodes<'a, T> {
    pub(super) table: &'a T,
    pub(super) value: Option<Vec<u8>>,
}

impl<T: ReadableTable<&'static [u8], &'static [u8]>> TreeReader for Nodes<'_, T> {
    fn get_node_option(&self, key: &NodeKey) -> anyhow::Result<Option<Node>> {
        let encoded = borsh::to_vec(key)?;
        match self.table.get(encoded.as_slice())? {
            None => Ok(None),
            Some(bytes) => Ok(Some(borsh::from_slice(bytes.value())?)),
        }
    }

    fn get_value_option(&self, _: Version, _: KeyHash) -> anyhow::Result<Option<OwnedValue>> {
        Ok(self.value.clone())
    }

    fn get_rightmost_leaf(&self) -> anyhow::Result<Option<(NodeKey, LeafNode)>> {
        anyhow::bail!("only a restore asks for the rightmost leaf")
    }
}

/// New and superseded nodes of one version, encoded.
pub(super) struct Update {
    pub(super) root: Root,
    pub(super) nodes: BTreeMap<Vec<u8>, Vec<u8>>,
    pub(super) stale: Vec<Vec<u8>>,
}

/// Puts changes on top of the version before `version`.
pub(super) fn update(
    reader: &impl TreeReader,
    version: u64,
    changes: &Changes,
) -> Result<Update, ChainError> {
    let leaves = changes.iter().map(|(key, value)| {
        let value = value
            .as_ref()
            .map(|value| crypto::hash::sha256(value).to_vec());
        (KeyHash(crypto::hash::sha256(key)), value)
    });
    let (root, batch) = Sha256Jmt::new(reader)
        .put_value_set(leaves, version)
        .map_err(|error| failed(&error))?;
    let mut nodes = BTreeMap::new();
    for (key, node) in batch.node_batch.nodes() {
        nodes.insert(encode(key)?, encode(node)?);
    }
    let stale = &batch.stale_node_index_batch;
    let stale = stale
        .iter()
        .map(|index| encode(&index.node_key))
        .collect::<Result<_, _>>()?;
    Ok(Update {
        root: root.0,
        nodes,
        stale,
    })
}

fn encode<T: borsh::BorshSerialize>(value: &T) -> Result<Vec<u8>, ChainError> {
    borsh::to_vec(value).map_err(|error| ChainError::Store(error.to_string()))
}

fn failed(error: &anyhow::Error) -> ChainError {
    ChainError::Store(format!("{error:#}"))
}

/// That a key has its value in the tree with a given root, or that it has none.
#[derive(Clone, Debug)]
pub struct Proof {
    /// The value; `None` proves absence.
    pub value: Option<Vec<u8>>,
    inner: SparseMerkleProof<Hasher>,
}

impl Proof {
    /// Whether the proof leads from `key` and the value in it to `root`.
    pub fn verify(&self, root: &Root, key: &[u8]) -> bool {
        let value = self.value.as_ref().map(|value| crypto::hash::sha256(value));
        let key = KeyHash(crypto::hash::sha256(key));
        self.inner.verify(RootHash(*root), key, value).is_ok()
    }
}

/// Proves a key at a version; `value` is what the store has under it.
pub(super) fn prove(
    table: &NodeTable,
    version: u64,
    key: &[u8],
    value: Option<Vec<u8>>,
) -> Result<Proof, ChainError> {
    let hash = value
        .as_ref()
        .map(|value| crypto::hash::sha256(value).to_vec());
    let reader = Nodes { table, value: hash };
    let key = KeyHash(crypto::hash::sha256(key));
    let (_, inner) = Sha256Jmt::new(&reader)
        .get_with_proof(key, version)
        .map_err(|error| failed(&error))?;
    Ok(Proof { value, inner })
}
