//! Digests of nodes (relay-protocol.md §5.1).

use std::fmt;

use crate::hash::{sha256, sha256_parts};

/// Bits from the most significant of byte 0 on; 0 is left.
pub type Path = [u8; 32];

/// `SHA-256 ‖ BE64 sum ‖ BE64 count`.
pub type Digest = [u8; 48];

/// Digest of an empty subtree.
pub const EMPTY: Digest = [0; 48];

const LEAF: u8 = 0;
const INNER: u8 = 1;
pub(super) const EXTENSION: u8 = 2;

/// The digest at the top of a trie, as a claim carries it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Root(pub Digest);

impl Root {
    /// Compute units of all leaves.
    pub fn sum(&self) -> u64 {
        sum(&self.0)
    }

    /// Number of leaves.
    pub fn count(&self) -> u64 {
        count(&self.0)
    }

    /// The hash part.
    pub fn hash(&self) -> [u8; 32] {
        let [hash @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] = self.0;
        hash
    }

    /// The 48 bytes of `MsgCreateClaim.root_hash`.
    pub fn as_bytes(&self) -> &Digest {
        &self.0
    }
}

impl fmt::Debug for Root {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Root(")?;
        self.hash()
            .iter()
            .try_for_each(|byte| write!(formatter, "{byte:02x}"))?;
        write!(formatter, ", sum {}, count {})", self.sum(), self.count())
    }
}

/// The path of a value in the trie: SHA-256 of its key, which is SHA-256 of the value.
pub fn value_path(value: &[u8]) -> Path {
    sha256(&sha256(value))
}

/// The digest of a leaf of count one.
pub fn leaf_digest(path: &Path, value: &[u8], weight: u64) -> Digest {
    let weight = weight.to_be_bytes();
    let count = 1u64.to_be_bytes();
    let hash = sha256_parts(&[&[LEAF], path, value, &weight, &count]);
    join(hash, weight, count)
}

/// The digest of a leaf whose value has weight and count at its end already.
pub(super) fn counted_leaf_digest(path: &[u8], counted_value: &[u8], tail: &[u8; 16]) -> Digest {
    append(sha256_parts(&[&[LEAF], path, counted_value]), tail)
}

/// Encoding of a leaf.
pub(super) fn leaf_encoding(path: &Path, value: &[u8], weight: u64) -> Vec<u8> {
    [
        &[LEAF],
        &path[..],
        value,
        &weight.to_be_bytes(),
        &1u64.to_be_bytes(),
    ]
    .concat()
}

/// Encoding of an inner node; sum and count wrap.
pub(super) fn inner_encoding(left: &Digest, right: &Digest) -> [u8; 113] {
    let mut encoding = [0; 113];
    encoding[0] = INNER;
    encoding[1..49].copy_from_slice(left);
    encoding[49..97].copy_from_slice(right);
    encoding[97..105].copy_from_slice(&sum(left).wrapping_add(sum(right)).to_be_bytes());
    encoding[105..113].copy_from_slice(&count(left).wrapping_add(count(right)).to_be_bytes());
    encoding
}

/// The digest of an inner node.
pub(super) fn inner_digest(left: &Digest, right: &Digest) -> Digest {
    let encoding = inner_encoding(left, right);
    let [.., a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = encoding;
    append(
        sha256(&encoding),
        &[a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p],
    )
}

/// Encoding of an extension: the run from bit `start` up to the inner node `child` at bit `end` (at
/// most 255).
pub(super) fn extension_encoding(start: u8, end: u8, path: &Path, child: &Digest) -> Vec<u8> {
    [&[EXTENSION, start, end], &path[..], child, &child[32..]].concat()
}

/// The digest at bit `start` of a run of nodes with one child each down to `child` at bit `end`.
pub(super) fn run_digest(path: &Path, start: usize, end: usize, child: Digest) -> Digest {
    (start..end).rev().fold(child, |child, index| {
        if bit(path, index) {
            inner_digest(&EMPTY, &child)
        } else {
            inner_digest(&child, &EMPTY)
        }
    })
}

/// Bit `index` of a path, `false` beyond its end.
pub(super) fn bit(path: &Path, index: usize) -> bool {
    path.get(index / 8)
        .is_some_and(|byte| byte & (0x80 >> (index % 8)) != 0)
}

/// Sum of a digest.
pub(super) fn sum(digest: &Digest) -> u64 {
    let [.., a, b, c, d, e, f, g, h, _, _, _, _, _, _, _, _] = *digest;
    u64::from_be_bytes([a, b, c, d, e, f, g, h])
}

/// Count of a digest.
pub(super) fn count(digest: &Digest) -> u64 {
    let [.., a, b, c, d, e, f, g, h] = *digest;
    u64::from_be_bytes([a, b, c, d, e, f, g, h])
}

fn join(hash: [u8; 32], sum: [u8; 8], count: [u8; 8]) -> Digest {
    let mut digest = [0; 48];
    digest[..32].copy_from_slice(&hash);
    digest[32..40].copy_from_slice(&sum);
    digest[40..].copy_from_slice(&count);
    digest
}

pub(super) fn append(hash: [u8; 32], tail: &[u8; 16]) -> Digest {
    let mut digest = [0; 48];
    digest[..32].copy_from_slice(&hash);
    digest[32..].copy_from_slice(tail);
    digest
}
