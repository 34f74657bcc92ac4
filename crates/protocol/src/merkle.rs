//! CometBFT's Merkle tree (RFC 6962 without its consistency proofs).
//!
//! A leaf is `SHA-256(0x00 ‖ data)`, an inner node `SHA-256(0x01 ‖ left ‖ right)`; the left side of a split holds the
//! largest power of two below the count; nothing hashes to `SHA-256("")`.

use crypto::hash::{sha256, sha256_parts};

/// A node of the tree.
pub type Hash = [u8; 32];

/// Where an item stands in a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// How many items the tree has.
    pub total: usize,
    /// Place of the item.
    pub index: usize,
    /// The item's leaf.
    pub leaf_hash: Hash,
    /// Siblings from the leaf upwards.
    pub aunts: Vec<Hash>,
}

/// Root over items in their order.
pub fn root<T: AsRef<[u8]>>(items: &[T]) -> Hash {
    match items {
        [] => sha256(&[]),
        [one] => leaf(one.as_ref()),
        many => {
            let (left, right) = many.split_at(split(many.len()));
            inner(&root(left), &root(right))
        }
    }
}

/// Where item `index` stands in the tree. `None` when there is no such item.
pub fn prove<T: AsRef<[u8]>>(items: &[T], index: usize) -> Option<Proof> {
    let item = items.get(index)?;
    let mut aunts = Vec::new();
    climb(items, index, &mut aunts);
    Some(Proof {
        total: items.len(),
        index,
        leaf_hash: leaf(item.as_ref()),
        aunts,
    })
}

fn climb<T: AsRef<[u8]>>(items: &[T], index: usize, aunts: &mut Vec<Hash>) {
    if items.len() < 2 {
        return;
    }
    let at = split(items.len());
    let (left, right) = items.split_at(at);
    match index.checked_sub(at) {
        None => {
            climb(left, index, aunts);
            aunts.push(root(right));
        }
        Some(index) => {
            climb(right, index, aunts);
            aunts.push(root(left));
        }
    }
}

/// The largest power of two below `count`, which is at least 2.
fn split(count: usize) -> usize {
    count.next_power_of_two() / 2
}

fn leaf(data: &[u8]) -> Hash {
    sha256_parts(&[&[0], data])
}

fn inner(left: &Hash, right: &Hash) -> Hash {
    sha256_parts(&[&[1], left, right])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A root from one leaf and its proof, by the definition alone.
    fn fold(proof: &Proof, index: usize, total: usize, aunts: &[Hash]) -> Hash {
        let Some((last, rest)) = aunts.split_last() else {
            return proof.leaf_hash;
        };
        let at = split(total);
        if index < at {
            inner(&fold(proof, index, at, rest), last)
        } else {
            inner(last, &fold(proof, index - at, total - at, rest))
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
