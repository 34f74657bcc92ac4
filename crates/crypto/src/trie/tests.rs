use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::Value;

use super::digest::{EXTENSION, inner_digest};
use super::*;
use crate::error::Error;
use crate::gob::{decode_proof, encode_proof};
use crate::hash::sha256;
use crate::test_vectors::{array, bytes, integer, poktroll, relay_protocol, text};

/// What the specification says about a set of leaves, word by word and without any care for speed.
mod model {
    use super::*;

    pub(super) type Leaves = BTreeMap<Path, (Vec<u8>, u64)>;

    pub(super) fn digest(encoding: &[u8]) -> Vec<u8> {
        [&sha256(encoding)[..], &encoding[encoding.len() - 16..]].concat()
    }

    pub(super) fn leaf(path: &Path, (value, weight): &(Vec<u8>, u64)) -> Vec<u8> {
        [
            &[0][..],
            path,
            value,
            &weight.to_be_bytes(),
            &1u64.to_be_bytes(),
        ]
        .concat()
    }

    fn number(bytes: &[u8]) -> u64 {
        u64::from_be_bytes(bytes.try_into().unwrap())
    }

    fn inner(left: &[u8], right: &[u8]) -> Vec<u8> {
        let sum = number(&left[32..40]).wrapping_add(number(&right[32..40]));
        let count = number(&left[40..]).wrapping_add(number(&right[40..]));
        [&[1], left, right, &sum.to_be_bytes(), &count.to_be_bytes()].concat()
    }

    pub(super) fn bit(path: &Path, index: usize) -> bool {
        path[index / 8] >> (7 - index % 8) & 1 == 1
    }

    pub(super) fn half(leaves: &Leaves, depth: usize, side: bool) -> Leaves {
        let half = leaves.iter().filter(|(path, _)| bit(path, depth) == side);
        half.map(|(path, leaf)| (*path, leaf.clone())).collect()
    }

    pub(super) fn root(leaves: &Leaves, depth: usize) -> Vec<u8> {
        match leaves.len() {
            0 => vec![0; 48],
            1 => {
                let (path, content) = leaves.first_key_value().unwrap();
                digest(&leaf(path, content))
            }
            _ => {
                let halves = [false, true].map(|side| root(&half(leaves, depth, side), depth + 1));
                digest(&inner(&halves[0], &halves[1]))
            }
        }
    }

    pub(super) struct Proof {
        pub(super) flips: Vec<u16>,
        pub(super) sides: Vec<Vec<u8>>,
        pub(super) leaf: Path,
    }

    pub(super) fn prove(leaves: &Leaves, challenge: &Path) -> Proof {
        let (mut subset, mut depth) = (leaves.clone(), 0);
        let (mut flips, mut sides) = (vec![], vec![]);
        while subset.len() > 1 {
            let mut side = bit(challenge, depth);
            if half(&subset, depth, side).is_empty() {
                side = !side;
                flips.push(depth as u16);
            }
            sides.insert(0, root(&half(&subset, depth, !side), depth + 1));
            subset = half(&subset, depth, side);
            depth += 1;
        }
        Proof {
            flips,
            sides,
            leaf: *subset.first_key_value().unwrap().0,
        }
    }
}

/// A trie over values that the log position indexes.
struct Built {
    trie: SealedTrie,
    values: Vec<Vec<u8>>,
}

impl Built {
    fn new(leaves: impl IntoIterator<Item = (Path, Vec<u8>, u64)>) -> Self {
        let (mut trie, mut values) = (Trie::new(), vec![]);
        for (path, value, weight) in leaves {
            trie.insert(
                path,
                leaf_digest(&path, &value, weight),
                values.len() as u64,
            );
            values.push(value);
        }
        Self {
            trie: trie.seal(),
            values,
        }
    }

    fn from_model(leaves: &model::Leaves) -> Self {
        Self::new(
            leaves
                .iter()
                .map(|(path, (value, weight))| (*path, value.clone(), *weight)),
        )
    }

    fn prove(&self, challenge: &Path, sibling_data: SiblingData) -> ClosestProof {
        self.trie
            .prove(challenge, sibling_data, |leaf| {
                Ok::<_, Error>(self.values[leaf.position as usize].clone())
            })
            .unwrap()
    }
}

fn numbered(count: u64) -> Built {
    Built::new((0..count).map(|number| {
        let value = format!("relay-{number}").into_bytes();
        (value_path(&value), value, 10 + number % 7)
    }))
}

fn of_vector(item: &Value) -> Built {
    let leaves = item["leaves_in_insertion_order"].as_array().unwrap();
    Built::new(leaves.iter().map(|leaf| {
        let path = sha256(&bytes(&leaf["key"]));
        (path, bytes(&leaf["value"]), integer(&leaf["weight"]) as u64)
    }))
}

#[test]
fn roots_proofs_and_gob_bytes_equal_the_vectors() {
    let items = relay_protocol()["smst"]["items"].as_array().unwrap();
    let (mut proofs, mut extensions) = (0, 0);
    for item in items {
        let built = of_vector(item);
        let root = built.trie.root();
        assert_eq!(root.0.to_vec(), bytes(&item["root48"]), "{}", item["name"]);
        assert_eq!(root.sum(), integer(&item["sum"]) as u64);
        assert_eq!(root.count(), integer(&item["count"]) as u64);
        for wanted in item["proofs"].as_array().unwrap() {
            let challenge = array(&wanted["path"]);
            let mut proof = built.prove(&challenge, SiblingData::Include);
            let flips: Vec<u64> = proof
                .flipped_bits
                .iter()
                .map(|flip| u64::from(*flip))
                .collect();
            assert_eq!(serde_json::json!(flips), wanted["flipped_bits"]);
            assert_eq!(u64::from(proof.depth), wanted["depth"].as_u64().unwrap());
            assert_eq!(proof.closest_path, array(&wanted["closest_path"]));
            assert_eq!(
                built.trie.draw(&challenge).unwrap().path,
                proof.closest_path
            );
            assert_eq!(
                proof.closest_value_hash,
                bytes(&wanted["closest_value_hash"])
            );
            let sides: Vec<String> = proof.side_nodes.iter().map(hex::encode).collect();
            assert_eq!(serde_json::json!(sides), wanted["side_nodes_leaf_to_root"]);

            let sibling = bytes(&wanted["sibling_data"]);
            if sibling.first() == Some(&EXTENSION) {
                // Path bits outside the run depend on the reference's order of insertion.
                proof.sibling_data[3..35].copy_from_slice(&sibling[3..35]);
                extensions += 1;
            }
            assert_eq!(hex::encode(&proof.sibling_data), hex::encode(&sibling));
            let compact = proof.compact();
            let inner = compact.closest_proof.as_ref().unwrap();
            assert_eq!(inner.bit_mask, bytes(&wanted["bitmask"]));
            assert_eq!(
                hex::encode(encode_proof(&compact)),
                text(&wanted["compact_gob"])
            );
            assert_eq!(
                decode_proof(&bytes(&wanted["compact_gob"])).unwrap(),
                compact
            );
            assert_eq!(compact.expand().unwrap(), proof);
            let leaf = verify_closest_strict(&root, &challenge, &compact).unwrap();
            assert_eq!(verify_closest(&root, &compact).unwrap(), leaf);
            assert_eq!(leaf.path, proof.closest_path);
            proofs += 1;
        }
    }
    assert!(proofs >= 36 && extensions >= 2, "{proofs} {extensions}");
}

#[test]
fn the_reference_s_own_claim_opens() {
    let tree = &poktroll()["proof_chain"]["eight_leaf_tree"];
    let root = Root(array(&tree["root48"]));
    let stream = bytes(&tree["compact_gob"]);
    let proof = decode_proof(&stream).unwrap();
    assert_eq!(encode_proof(&proof), stream);
    let leaf = verify_closest_strict(&root, &array(&tree["proof_path"]), &proof).unwrap();
    assert_eq!((leaf.weight, leaf.count), (1000, 1));
    assert_eq!(leaf.path, value_path(leaf.value));
    assert_eq!((root.sum(), root.count()), (8000, 8));

    let claim = &relay_protocol()["end_to_end"]["claim"];
    let root = Root(array(&claim["root_three_leaves"]));
    assert_eq!(root.count(), 3);
}

#[test]
fn an_empty_trie_has_an_empty_root_and_no_proof() {
    let trie = Trie::new().seal();
    assert_eq!(trie.root(), Root(EMPTY));
    assert!(trie.is_empty() && trie.draw(&[0; 32]).is_none());
    let proof = trie.prove(&[0; 32], SiblingData::Omit, |_| Ok::<_, Error>(vec![]));
    assert_eq!(proof, Err(Error::EmptyTrie));
}

#[test]
fn the_last_write_to_a_path_wins_and_is_reported() {
    let path = [9; 32];
    let mut trie = Trie::new();
    assert_eq!(trie.insert(path, leaf_digest(&path, b"old", 1), 70), None);
    assert_eq!(
        trie.insert([8; 32], leaf_digest(&[8; 32], b"other", 1), 71),
        None
    );
    assert_eq!(
        trie.insert(path, leaf_digest(&path, b"new", 2), 72),
        Some(70)
    );
    assert_eq!(
        trie.insert(path, leaf_digest(&path, b"new", 2), 73),
        Some(72)
    );
    assert!(trie.len() == 2 && trie.contains(&path) && !trie.contains(&[7; 32]));
    let sealed = trie.seal();
    assert_eq!(sealed.draw(&path).unwrap().position, 73);
    assert_eq!(sealed.root().sum(), 3);
    let alone = Built::new([(path, b"new".to_vec(), 2), ([8; 32], b"other".to_vec(), 1)]);
    assert_eq!(sealed.root(), alone.trie.root());
}

#[test]
fn a_wrong_value_from_the_log_is_noticed() {
    let built = numbered(20);
    let position = built.trie.draw(&[3; 32]).unwrap().position;
    let proof = built.trie.prove(&[3; 32], SiblingData::Omit, |_| {
        Ok::<_, Error>(b"relay-x".to_vec())
    });
    assert_eq!(proof, Err(Error::LeafMismatch { position }));
    let failed = built.trie.prove(&[3; 32], SiblingData::Omit, |leaf| {
        Err(Error::LeafMismatch {
            position: leaf.position + 1000,
        })
    });
    assert_eq!(
        failed,
        Err(Error::LeafMismatch {
            position: position + 1000
        })
    );
}

#[test]
fn many_threads_hash_what_one_does() {
    let count = 5 * crate::limits::SEAL_LEAVES_PER_THREAD as u64;
    let built = numbered(count);
    let mut leaves = built.trie.leaves().to_vec();
    assert!(leaves.is_sorted_by_key(|leaf| leaf.path));
    leaves.reverse();
    for threads in [1, 2, 3, 16] {
        assert_eq!(
            SealedTrie::with_threads(leaves.clone(), threads).root(),
            built.trie.root()
        );
    }
    assert_eq!(built.trie.root().count(), count);
}

#[test]
fn leaves_that_differ_in_the_last_bit_only_are_256_deep() {
    let (left, mut right) = ([0xaa; 32], [0xaa; 32]);
    right[31] ^= 1;
    let built = Built::new([(left, b"l".to_vec(), 1), (right, b"r".to_vec(), 2)]);
    let challenge = [0x55; 32];
    let proof = built.prove(&challenge, SiblingData::Include);
    assert_eq!((proof.depth, proof.flipped_bits.len()), (256, 255));
    let compact = proof.compact();
    assert_eq!(compact.depth, [1, 0]);
    verify_closest_strict(&built.trie.root(), &challenge, &compact).unwrap();
    assert_eq!(decode_proof(&encode_proof(&compact)).unwrap(), compact);
}

/// Changes a proof and says what the two verifiers make of it.
fn after(change: impl FnOnce(&mut CompactProof)) -> (Result<(), Error>, Result<(), Error>) {
    let built = numbered(40);
    let challenge = sha256(b"challenge");
    let mut proof = built.prove(&challenge, SiblingData::Include).compact();
    change(&mut proof);
    let root = built.trie.root();
    (
        verify_closest(&root, &proof).map(drop),
        verify_closest_strict(&root, &challenge, &proof).map(drop),
    )
}

fn inner(proof: &mut CompactProof) -> &mut CompactInner {
    proof.closest_proof.as_mut().unwrap()
}

#[test]
fn malformed_proofs_are_refused_by_both() {
    assert_eq!(after(|_| ()), (Ok(()), Ok(())));
    let changes: [fn(&mut CompactProof); 19] = [
        |proof| proof.path.truncate(31),
        |proof| proof.path.push(0),
        |proof| proof.closest_path.clear(),
        |proof| proof.closest_value_hash.truncate(15),
        |proof| proof.closest_proof = None,
        |proof| proof.depth = vec![0, 0, 1],
        |proof| proof.depth = vec![1, 1],
        |proof| proof.flipped_bits.push(vec![0, 0, 0]),
        |proof| proof.flipped_bits.push(vec![200]),
        |proof| inner(proof).num_side_nodes = -1,
        |proof| inner(proof).num_side_nodes = 257,
        |proof| inner(proof).num_side_nodes = i64::MAX,
        |proof| inner(proof).num_side_nodes += 1,
        |proof| inner(proof).bit_mask.push(0),
        |proof| inner(proof).bit_mask.clear(),
        |proof| *inner(proof).bit_mask.last_mut().unwrap() ^= 1,
        |proof| drop(inner(proof).side_nodes.pop()),
        |proof| inner(proof).sibling_data = vec![0; 15],
        |proof| inner(proof).sibling_data = vec![EXTENSION; 98],
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let (reference, strict) = after(change);
        assert!(
            matches!(reference, Err(Error::ProofForm { .. })),
            "{number}: {reference:?}"
        );
        assert!(matches!(
            strict,
            Err(Error::ProofForm { .. } | Error::ProofMismatch { .. })
        ));
    }
}

#[test]
fn other_leaves_and_roots_are_refused_by_both() {
    let changes: [fn(&mut CompactProof); 6] = [
        |proof| proof.path[0] ^= 0x80,
        |proof| proof.closest_path[31] ^= 1,
        |proof| proof.closest_value_hash[0] ^= 1,
        |proof| *proof.closest_value_hash.last_mut().unwrap() ^= 2,
        |proof| inner(proof).side_nodes[0][47] ^= 1,
        |proof| inner(proof).sibling_data[40] ^= 1,
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let (reference, strict) = after(change);
        assert!(
            matches!(reference, Err(Error::ProofMismatch { .. })),
            "{number}: {reference:?}"
        );
        assert!(
            matches!(strict, Err(Error::ProofMismatch { .. })),
            "{number}: {strict:?}"
        );
    }
}

#[test]
fn what_the_reference_lets_the_prover_choose_is_refused_by_the_strict_rules() {
    let built = numbered(40);
    let root = built.trie.root();
    // Another leaf than the drawn one: flip whatever bits lead to it.
    let challenge = sha256(b"challenge");
    let other = sha256(b"other");
    let mut chosen = built.prove(&other, SiblingData::Omit).compact();
    let depth = usize::from(chosen.depth[0]);
    let wanted: Path = chosen.closest_path.clone().try_into().unwrap();
    let flips =
        (0..depth).filter(|index| model::bit(&challenge, *index) != model::bit(&wanted, *index));
    chosen.flipped_bits = flips.map(|index| vec![index as u8]).collect();
    chosen.path = challenge.to_vec();
    assert_ne!(built.trie.draw(&challenge).unwrap().path, wanted);
    verify_closest(&root, &chosen).unwrap();
    assert_eq!(
        verify_closest_strict(&root, &challenge, &chosen),
        Err(Error::ProofMismatch {
            reason: "a bit is flipped although its half is not empty"
        })
    );
    // Depth zero binds no bit at all.
    chosen.flipped_bits.clear();
    chosen.depth = vec![0];
    verify_closest(&root, &chosen).unwrap();
    assert!(matches!(
        verify_closest_strict(&root, &challenge, &chosen),
        Err(Error::ProofForm { .. })
    ));

    let unsorted = |proof: &mut CompactProof| {
        proof.flipped_bits.extend([vec![0], vec![0]]);
    };
    let (reference, strict) = after(unsorted);
    assert_eq!(reference, Ok(()));
    assert!(strict.is_err());
    let (reference, strict) = after(|proof| inner(proof).non_membership_leaf_data.push(1));
    assert_eq!(reference, Ok(()));
    assert!(strict.is_err());
    let (reference, strict) = after(|proof| {
        inner(proof).sibling_data.clear();
        inner(proof).side_nodes[0].push(0);
    });
    assert_eq!(
        reference,
        Ok(()),
        "the reference cuts long side nodes when there is no sibling data"
    );
    assert!(strict.is_err());
}

#[test]
fn wrapped_sums_and_foreign_counts_are_refused_by_the_strict_rules() {
    let side = [
        [7; 32].as_slice(),
        &u64::MAX.to_be_bytes(),
        &1u64.to_be_bytes(),
    ]
    .concat();
    let prove = |path: Path, tail: [u64; 2], side: &[u8]| {
        let counted = [
            b"value".as_slice(),
            &tail[0].to_be_bytes(),
            &tail[1].to_be_bytes(),
        ]
        .concat();
        let leaf: Digest = model::digest(&[&[0], &path[..], &counted].concat())
            .try_into()
            .unwrap();
        let root = Root(inner_digest(&leaf, side.try_into().unwrap()));
        let proof = CompactProof {
            path: path.to_vec(),
            depth: vec![1],
            closest_path: path.to_vec(),
            closest_value_hash: counted,
            closest_proof: Some(CompactInner {
                side_nodes: vec![side.to_vec()],
                bit_mask: vec![0],
                num_side_nodes: 1,
                ..CompactInner::default()
            }),
            ..CompactProof::default()
        };
        (
            verify_closest(&root, &proof).map(drop),
            verify_closest_strict(&root, &path, &proof).map(drop),
        )
    };
    let mismatch = |reason| Err(Error::ProofMismatch { reason });
    let wrap = mismatch("a sum or count exceeds 64 bits");
    assert_eq!(prove([1; 32], [2, 1], &side), (Ok(()), wrap.clone()));
    assert_eq!(prove([1; 32], [2, u64::MAX], &[9; 48]), (Ok(()), wrap));
    assert_eq!(prove([1; 32], [0, 1], &side), (Ok(()), Ok(())));
    let foreign = mismatch("the leaf does not count one");
    assert_eq!(
        prove([1; 32], [2, 5], &[0x11; 48]),
        (Ok(()), foreign.clone())
    );
    assert_eq!(prove([1; 32], [2, 0], &[0x11; 48]), (Ok(()), foreign));
}

#[test]
fn a_leaf_without_value_and_weight_proves_nothing() {
    let path = [1; 32];
    let root = Root(leaf_digest(&path, b"", 0));
    let mut proof = Built::new([(path, vec![], 0)])
        .prove(&path, SiblingData::Omit)
        .compact();
    let refusal = Err(Error::ProofMismatch {
        reason: "the leaf is empty",
    });
    assert_eq!(verify_closest(&root, &proof), refusal);
    proof.closest_value_hash[7] = 1;
    let root = Root(leaf_digest(&path, b"", 1));
    verify_closest_strict(&root, &path, &proof).unwrap();
}

/// Sets of leaves that share prefixes of many lengths, as random paths never do.
fn leaves() -> impl Strategy<Value = model::Leaves> {
    let path = (any::<[u8; 2]>(), 0..40usize, any::<bool>()).prop_map(|(tail, at, ones)| {
        let mut path = [if ones { 0xff } else { 0 }; 32];
        let at = at.min(30);
        path[at] ^= tail[0] & 0x93;
        path[at + 1] ^= tail[1] & 0x81;
        path
    });
    let content = (prop::collection::vec(any::<u8>(), 0..20), any::<u64>());
    prop::collection::btree_map(path, content, 1..24)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn roots_and_proofs_are_those_of_the_specification(
        leaves in leaves(),
        challenges: [[u8; 32]; 2],
        near in any::<prop::sample::Index>(),
        flip in 0..256usize,
    ) {
        let built = Built::from_model(&leaves);
        prop_assert_eq!(built.trie.root().0.to_vec(), model::root(&leaves, 0));
        let mut close = *near.get(&leaves.keys().collect::<Vec<_>>()).to_owned();
        close[flip / 8] ^= 0x80 >> (flip % 8);
        for challenge in [challenges[0], challenges[1], close] {
            let wanted = model::prove(&leaves, &challenge);
            let proof = built.prove(&challenge, SiblingData::Include);
            prop_assert_eq!(&proof.flipped_bits, &wanted.flips);
            prop_assert_eq!(proof.closest_path, wanted.leaf);
            prop_assert_eq!(usize::from(proof.depth), wanted.sides.len());
            let sides: Vec<Vec<u8>> = proof.side_nodes.iter().map(|side| side.to_vec()).collect();
            prop_assert_eq!(sides, wanted.sides);
            let compact = proof.compact();
            prop_assert_eq!(compact.expand().unwrap(), proof.clone());
            let root = built.trie.root();
            let (value, weight) = &leaves[&wanted.leaf];
            let reference = verify_closest(&root, &compact);
            if value.is_empty() && *weight == 0 {
                prop_assert!(reference.is_err());
                continue;
            }
            let leaf = reference.unwrap();
            prop_assert_eq!((leaf.value, leaf.weight, leaf.count), (&value[..], *weight, 1));
            // Sums of random weights wrap often, though not always on the way to this leaf.
            let total = leaves.values().map(|(_, weight)| u128::from(*weight)).sum::<u128>();
            let strict = verify_closest_strict(&root, &challenge, &compact);
            prop_assert!(strict.is_ok() || total > u128::from(u64::MAX));
            let without = built.prove(&challenge, SiblingData::Omit);
            prop_assert!(without.sibling_data.is_empty());
            prop_assert_eq!(without.side_nodes, proof.side_nodes);
        }
    }

    #[test]
    fn the_order_of_insertion_does_not_matter(leaves in leaves(), seed: u64) {
        let listed = leaves.iter().map(|(path, (value, weight))| (*path, value.clone(), *weight));
        let mut shuffled: Vec<_> = listed.collect();
        shuffled.sort_by_key(|(path, _, _)| sha256(&[&path[..], &seed.to_be_bytes()].concat()));
        prop_assert_eq!(Built::new(shuffled).trie.root(), Built::from_model(&leaves).trie.root());
    }

    #[test]
    fn arbitrary_proofs_are_judged_without_panic(
        bits in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..4), 0..4),
        sides in prop::collection::vec(prop::collection::vec(any::<u8>(), 40..50), 0..4),
        depth in prop::collection::vec(0..3u8, 0..3),
        mask in prop::collection::vec(any::<u8>(), 0..3),
        number in -1..20i64,
        sibling in prop::collection::vec(0..4u8, 0..110),
        value in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        let proof = CompactProof {
            path: vec![1; 32],
            flipped_bits: bits,
            depth,
            closest_path: vec![1; 32],
            closest_value_hash: value,
            closest_proof: Some(CompactInner {
                side_nodes: sides,
                non_membership_leaf_data: vec![],
                bit_mask: mask,
                num_side_nodes: number,
                sibling_data: sibling,
            }),
        };
        prop_assert!(verify_closest(&Root([1; 48]), &proof).is_err());
        prop_assert!(verify_closest_strict(&Root([1; 48]), &[1; 32], &proof).is_err());
        let _ = proof.expand();
        prop_assert_eq!(decode_proof(&encode_proof(&proof)).unwrap(), proof);
    }
}
