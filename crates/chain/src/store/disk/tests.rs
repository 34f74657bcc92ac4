use std::collections::BTreeMap;
use std::ops::Bound;

use proptest::prelude::*;

use super::*;

fn block(height: i64) -> BlockInfo {
    BlockInfo {
        chain_id: "store-test".to_owned(),
        height,
        time: BlockTime {
            seconds: height * 2,
            nanos: 5,
        },
        hash: vec![7; 32],
        proposer: Vec::new(),
    }
}

fn put(disk: &Disk, height: i64, changes: Changes) -> Root {
    let batch = disk.apply(height, changes).unwrap();
    disk.commit(&batch, &block(height)).unwrap();
    batch.root
}

fn change(key: &[u8], value: Option<&[u8]>) -> Changes {
    Changes::from([(key.to_vec(), value.map(<[u8]>::to_vec))])
}

#[test]
fn heights_keep_their_values_and_reopening_finds_them() {
    let directory = tempfile::tempdir().unwrap();
    let disk = Disk::open(directory.path(), 0).unwrap();
    assert_eq!(disk.last().unwrap(), None);
    let first = put(&disk, 5, change(b"a", Some(b"1")));
    let second = put(&disk, 6, change(b"a", Some(b"2")));
    let third = put(&disk, 7, change(b"a", None));
    assert!(first != second && second != third);
    drop(disk);

    let disk = Disk::open(directory.path(), 0).unwrap();
    assert_eq!(
        disk.last().unwrap(),
        Some(Recorded {
            root: third,
            block: block(7)
        })
    );
    assert_eq!(disk.get(5, b"a").unwrap(), Some(b"1".to_vec()));
    assert_eq!(disk.get(6, b"a").unwrap(), Some(b"2".to_vec()));
    assert_eq!(disk.get(7, b"a").unwrap(), None);
    assert_eq!(disk.root(6).unwrap(), second);
}

#[test]
fn heights_outside_what_is_kept_are_refused_in_the_sdks_words() {
    let disk = Disk::in_memory().unwrap();
    let text = |height| disk.at(height).unwrap_err().to_string();
    assert!(text(1).contains("is not ready; please wait for first block"));
    let disk = Disk {
        keep_recent: 3,
        ..disk
    };
    for height in 1..=10 {
        put(&disk, height, change(b"a", Some(&height.to_be_bytes())));
    }
    let text = |height| disk.at(height).unwrap_err().to_string();
    assert!(text(11).contains("cannot query with height in the future"));
    assert!(text(-1).contains("cannot query with height < 0"));
    assert!(text(7).contains("version does not exist (latest height: 10)"));
    for height in 8..=10 {
        assert_eq!(
            disk.get(height, b"a").unwrap(),
            Some(height.to_be_bytes().to_vec())
        );
    }
}

#[test]
fn pruning_leaves_only_what_the_kept_heights_see() {
    let disk = Disk {
        keep_recent: 2,
        ..Disk::in_memory().unwrap()
    };
    for height in 1..=50_i64 {
        let mut changes = change(b"hot", Some(&height.to_be_bytes()));
        changes.insert(format!("once-{height}").into_bytes(), Some(vec![1]));
        if height > 1 {
            changes.insert(format!("once-{}", height - 1).into_bytes(), None);
        }
        put(&disk, height, changes);
    }
    let latest = disk.read().unwrap().open_table(LATEST).unwrap();
    // `hot` and once-50.
    assert_eq!(latest.iter().unwrap().count(), 2);
    let history = disk.read().unwrap().open_table(HISTORY).unwrap();
    // `hot` at 49; once-49 with its value at 49 and its removal at 50.
    assert_eq!(history.iter().unwrap().count(), 3);
    let nodes = disk.read().unwrap().open_table(NODES).unwrap();
    assert!(nodes.iter().unwrap().count() < 12);
    assert!(
        disk.prove(49, b"once-49")
            .unwrap()
            .verify(&disk.root(49).unwrap(), b"once-49")
    );
}

#[test]
fn a_batch_that_is_not_committed_changes_nothing() {
    let disk = Disk::in_memory().unwrap();
    let root = put(&disk, 1, change(b"a", Some(b"1")));
    let batch = disk.apply(2, change(b"a", Some(b"2"))).unwrap();
    assert_ne!(batch.root, root);
    assert_eq!(disk.last().unwrap().unwrap().root, root);
    assert_eq!(
        disk.apply(2, change(b"a", Some(b"2"))).unwrap().root,
        batch.root
    );
    assert!(matches!(
        disk.apply(3, Changes::new()),
        Err(ChainError::Order(_))
    ));
}

#[test]
fn proofs_verify_and_tampered_ones_do_not() {
    let disk = Disk::in_memory().unwrap();
    let changes = (0..100_u8)
        .map(|key| (vec![key], Some(vec![key, key])))
        .collect();
    let root = put(&disk, 1, changes);
    let mut proof = disk.prove(1, &[7]).unwrap();
    assert_eq!(proof.value, Some(vec![7, 7]));
    assert!(proof.verify(&root, &[7]));
    assert!(!proof.verify(&root, &[8]));
    assert!(!proof.verify(&[0; 32], &[7]));
    proof.value = Some(vec![7, 8]);
    assert!(!proof.verify(&root, &[7]));
    let absent = disk.prove(1, &[200]).unwrap();
    assert_eq!(absent.value, None);
    assert!(absent.verify(&root, &[200]));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Every height reads as a plain map would, in both directions, and the root depends on the state alone.
    #[test]
    fn reads_as_a_map(steps in prop::collection::vec(
        prop::collection::btree_map(
            prop::collection::vec(prop::sample::select(vec![0_u8, 1, 255]), 0..4),
            prop::option::of(prop::collection::vec(any::<u8>(), 0..3)),
            0..8,
        ), 1..24),
        low in prop::collection::vec(prop::sample::select(vec![0_u8, 1, 255]), 0..4),
        limit in 1_usize..6,
    ) {
        let disk = Disk::in_memory().unwrap();
        let mut model: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
        let mut history = Vec::new();
        for (position, changes) in steps.into_iter().enumerate() {
            put(&disk, i64::try_from(position).unwrap() + 1, changes.clone());
            for (key, value) in changes {
                match value {
                    Some(value) => model.insert(key, value),
                    None => model.remove(&key),
                };
            }
            history.push(model.clone());
        }
        for (position, model) in history.iter().enumerate() {
            let view = disk.snapshot(i64::try_from(position).unwrap() + 1).unwrap();
            let owned = |(key, value): (&Vec<u8>, &Vec<u8>)| (key.clone(), value.clone());
            for bound in [Bound::Included(low.as_slice()), Bound::Excluded(&low), Bound::Unbounded] {
                let expected: Vec<_> =
                    model.range::<[u8], _>((bound, Bound::Unbounded)).take(limit).map(owned).collect();
                prop_assert_eq!(view.range(bound, Bound::Unbounded, false, limit).unwrap(), expected);
                let expected: Vec<_> =
                    model.range::<[u8], _>((Bound::Unbounded, bound)).rev().take(limit).map(owned).collect();
                prop_assert_eq!(view.range(Bound::Unbounded, bound, true, limit).unwrap(), expected);
            }
            for key in model.keys() {
                prop_assert_eq!(&view.get(key).unwrap(), &model.get(key).cloned());
            }
        }
        let twin = Disk::in_memory().unwrap();
        let all = model.into_iter().map(|(key, value)| (key, Some(value))).collect();
        let root = put(&twin, 1, all);
        prop_assert_eq!(disk.last().unwrap().unwrap().root, root);
    }
}
