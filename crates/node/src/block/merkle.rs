//! CometBFT's Merkle tree (RFC 6962 without its consistency proofs).
//!
//! A leaf is `SHA-256(0x00 ‖ data)`, an inner node `SHA-256(0x01 ‖ left ‖ right)`; the left side of a split holds the
//! largest power of two below the count; nothing hashes to `SHA-256("")`.

use sha2::{Digest, Sha256};
use tendermint_proto::v0_38::crypto::Proof;

/// A node of the tree.
pub type Hash = [u8; 32];

/// Root over items in their order.
pub fn root<T: AsRef<[u8]>>(items: &[T]) -> Hash {
    match items {
        [] => Sha256::digest([]).into(),
        [one] => leaf(one.as_ref()),
        many => {
            let (left, right) = many.split_at(split(many.len()));
            inner(&root(left), &root(right))
        }
    }
}

/// Where item `index` stands in the tree: its leaf and the siblings from the leaf upwards. `None` when there is no such
/// item.
pub fn prove<T: AsRef<[u8]>>(items: &[T], index: usize) -> Option<Proof> {
    let item = items.get(index)?;
    let mut aunts = Vec::new();
    climb(items, index, &mut aunts);
    Some(Proof {
        total: i64::try_from(items.len()).ok()?,
        index: i64::try_from(index).ok()?,
        leaf_hash: leaf(item.as_ref()).to_vec(),
        aunts,
    })
}

fn climb<T: AsRef<[u8]>>(items: &[T], index: usize, aunts: &mut Vec<Vec<u8>>) {
    if items.len() < 2 {
        return;
    }
    let at = split(items.len());
    let (left, right) = items.split_at(at);
    if index < at {
        climb(left, index, aunts);
        aunts.push(root(right).to_vec());
    } else {
        climb(right, index - at, aunts);
        aunts.push(root(left).to_vec());
    }
}

/// The largest power of two below `count`, which is at least 2.
fn split(count: usize) -> usize {
    count.next_power_of_two() / 2
}

fn leaf(data: &[u8]) -> Hash {
    Sha256::new_with_prefix([0])
        .chain_update(data)
        .finalize()
        .into()
}

fn inner(left: &Hash, right: &Hash) -> Hash {
    Sha256::new_with_prefix([1])
        .chain_update(left)
        .chain_update(right)
        .finalize()
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A root from one leaf and its proof, by the definition alone.
    fn fold(proof: &Proof, index: usize, total: usize, aunts: &[Vec<u8>]) -> Hash {
        let Some((last, rest)) = aunts.split_last() else {
            return proof.leaf_hash.clone().try_into().unwrap();
        };
        let at = split(total);
        let sibling: Hash = last.clone().try_into().unwrap();
        if index < at {
            inner(&fold(proof, index, at, rest), &sibling)
        } else {
            inner(&sibling, &fold(proof, index - at, total - at, rest))
        }
    }

    #[test]
    fn every_item_proves_the_root() {
        for count in 1..20 {
            let items: Vec<Vec<u8>> = (0..count).map(|i| vec![i; usize::from(i)]).collect();
            for index in 0..items.len() {
                let proof = prove(&items, index).unwrap();
                assert_eq!(fold(&proof, index, items.len(), &proof.aunts), root(&items));
            }
            assert_eq!(prove(&items, items.len()), None);
        }
    }
}
