use std::collections::BTreeMap;

use proptest::prelude::*;
use tendermint_proto::v0_38::abci;

use super::*;
use crate::context::BlockInfo;
use crate::error::ChainError;
use crate::store::{Changes, Disk, Store as _};

fn block(height: i64) -> BlockInfo {
    BlockInfo {
        chain_id: "sync-test".to_owned(),
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

fn source(disk: &Disk) -> Source {
    let recorded = disk.last().unwrap().unwrap();
    let view = disk.snapshot(recorded.block.height).unwrap();
    Source { view, recorded }
}

/// A store with the given state at height 9, and its snapshot on a shelf.
struct Made {
    disk: Disk,
    shelf: Shelf,
    snapshot: abci::Snapshot,
    root: Root,
    _folder: tempfile::TempDir,
}

fn made(state: &BTreeMap<Vec<u8>, Vec<u8>>) -> Made {
    let folder = tempfile::tempdir().unwrap();
    let disk = Disk::in_memory().unwrap();
    // Values that changed and keys that went must leave no trace in a snapshot.
    let early = state
        .keys()
        .map(|key| (key.clone(), Some(b"early".to_vec())));
    let mut early: Changes = early.collect();
    early.insert(b"gone".to_vec(), Some(b"gone".to_vec()));
    put(&disk, 8, early);
    let values = state.iter();
    let mut late: Changes = values.map(|(k, v)| (k.clone(), Some(v.clone()))).collect();
    late.entry(b"gone".to_vec()).or_insert(None);
    let root = put(&disk, 9, late);
    let shelf = Shelf::open(folder.path(), 2).unwrap();
    shelf.write(&source(&disk)).unwrap();
    let snapshot = shelf.list().unwrap().remove(0);
    Made {
        disk,
        shelf,
        snapshot,
        root,
        _folder: folder,
    }
}

fn accepted(disk: &Disk, made: &Made) -> Box<Restore> {
    match Restore::offer(disk, "sync-test", &made.snapshot, &made.root).unwrap() {
        Offered::Accepted(restore) => restore,
        other => panic!("{other:?}"),
    }
}

fn refused(change: impl FnOnce(&mut abci::Snapshot, &mut Root)) -> Offered {
    let mut made = made(&BTreeMap::from([(b"a".to_vec(), b"1".to_vec())]));
    change(&mut made.snapshot, &mut made.root);
    let disk = Disk::in_memory().unwrap();
    Restore::offer(&disk, "sync-test", &made.snapshot, &made.root).unwrap()
}

#[test]
fn an_offer_must_be_what_it_says_and_lead_to_the_trusted_hash() {
    assert!(matches!(refused(|it, _| it.format = 2), Offered::Format));
    assert!(matches!(
        refused(|it, _| it.height = 8),
        Offered::Refused(_)
    ));
    assert!(matches!(
        refused(|it, _| it.chunks = 2),
        Offered::Refused(_)
    ));
    assert!(matches!(
        refused(|_, root| root[0] ^= 1),
        Offered::Refused(_)
    ));
    let bent = refused(|it, _| {
        let mut bytes = it.metadata.to_vec();
        bytes[0] ^= 1;
        it.metadata = bytes.into();
    });
    assert!(matches!(bent, Offered::Refused(_)));
    let made = made(&BTreeMap::from([(b"a".to_vec(), b"1".to_vec())]));
    let disk = Disk::in_memory().unwrap();
    let other = Restore::offer(&disk, "another", &made.snapshot, &made.root).unwrap();
    assert!(matches!(other, Offered::Refused(_)));
    let onto_itself = Restore::offer(&made.disk, "sync-test", &made.snapshot, &made.root);
    assert!(matches!(onto_itself, Err(ChainError::Order(_))));
}

#[test]
fn a_wrong_chunk_costs_a_fetch_and_a_wrong_snapshot_leaves_nothing() {
    let mut made = made(&BTreeMap::from([(b"a".to_vec(), b"1".to_vec())]));
    let disk = Disk::in_memory().unwrap();
    let chunk = made.shelf.chunk(9, FORMAT, 0).unwrap();
    let mut restore = accepted(&disk, &made);
    assert_eq!(restore.chunk(0, b"bent").unwrap(), Applied::WrongChunk);
    assert_eq!(restore.chunk(1, &chunk).unwrap(), Applied::WrongChunk);
    drop(restore);
    // A snapshot of another state under the trusted root, its own hashes all in order.
    let mut stream = Vec::new();
    super::stream::put(&mut stream, b"a", b"2");
    let mut manifest = Manifest::decode(made.snapshot.metadata.as_ref()).unwrap();
    manifest.chunks = vec![crypto::hash::sha256(&stream).to_vec()];
    made.snapshot.hash = manifest.hash().to_vec().into();
    made.snapshot.metadata = manifest.encode_to_vec().into();
    let mut restore = accepted(&disk, &made);
    let applied = restore.chunk(0, &stream).unwrap();
    assert!(matches!(applied, Applied::WrongSnapshot(reason) if reason.contains("app hash")));
    drop(restore);
    assert_eq!(disk.last().unwrap(), None);
    assert!(disk.import().is_ok());
}

/// CometBFT can die after the last chunk is committed here and before it remembers so; it then begins from nothing.
#[test]
fn a_restored_state_that_no_block_followed_is_replaced_by_the_next_snapshot() {
    let state = |value: &str| BTreeMap::from([(b"a".to_vec(), value.as_bytes().to_vec())]);
    let (first, second) = (made(&state("1")), made(&state("2")));
    let disk = Disk::in_memory().unwrap();
    let restore = |from: &Made, chunks: usize| {
        let mut restore = accepted(&disk, from);
        let chunk = from.shelf.chunk(9, FORMAT, 0).unwrap();
        if chunks == 1 {
            assert_eq!(restore.chunk(0, &chunk).unwrap(), Applied::Done);
        }
    };
    restore(&first, 1);
    // An attempt that ends early leaves what was there.
    restore(&second, 0);
    assert_eq!(disk.last().unwrap(), first.disk.last().unwrap());
    assert_eq!(disk.get(9, b"a").unwrap(), Some(b"1".to_vec()));
    restore(&second, 1);
    assert_eq!(disk.last().unwrap(), second.disk.last().unwrap());
    assert_eq!(disk.get(9, b"a").unwrap(), Some(b"2".to_vec()));
    let change = Changes::from([(b"b".to_vec(), Some(b"3".to_vec()))]);
    assert_eq!(
        put(&disk, 10, change.clone()),
        put(&second.disk, 10, change)
    );
    // From the first block on the state is the node's own.
    let refused = Restore::offer(&disk, "sync-test", &first.snapshot, &first.root);
    let Err(ChainError::Order(text)) = refused else {
        panic!("{refused:?}")
    };
    assert!(
        text.contains("up to 10") && text.contains("remove its state"),
        "{text}"
    );
}

#[test]
fn the_shelf_keeps_the_newest_and_forgets_what_was_unfinished() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Disk::in_memory().unwrap();
    let shelf = Shelf::open(folder.path(), 2).unwrap();
    for height in 1..=4 {
        let change = (b"a".to_vec(), Some(height.to_string().into_bytes()));
        put(&disk, height, Changes::from([change]));
        shelf.write(&source(&disk)).unwrap();
    }
    assert_eq!(shelf.heights().unwrap(), [4, 3]);
    assert!(shelf.chunk(4, FORMAT, 0).is_some());
    assert!(shelf.chunk(4, FORMAT, 1).is_none());
    assert!(shelf.chunk(4, FORMAT + 1, 0).is_none());
    assert!(shelf.chunk(2, FORMAT, 0).is_none());
    std::fs::create_dir(folder.path().join("partial-5")).unwrap();
    assert_eq!(
        Shelf::open(folder.path(), 2).unwrap().heights().unwrap(),
        [4, 3]
    );
    assert!(!folder.path().join("partial-5").exists());
}

#[test]
fn a_state_of_many_chunks_and_batches_has_the_same_root() {
    let value = |number: u32| vec![u8::try_from(number % 251).unwrap(); 300];
    let count = u32::try_from(limits::IMPORT_PAIRS).unwrap() + 1_000;
    let state = (0..count).map(|number| (number.to_be_bytes().to_vec(), value(number)));
    let made = made(&state.collect());
    assert!(made.snapshot.chunks > 1);
    let disk = Disk::in_memory().unwrap();
    let mut restore = accepted(&disk, &made);
    for index in 0..made.snapshot.chunks {
        let chunk = made.shelf.chunk(9, FORMAT, index).unwrap();
        let applied = restore.chunk(index, &chunk).unwrap();
        let last = index + 1 == made.snapshot.chunks;
        assert_eq!(applied, if last { Applied::Done } else { Applied::Taken });
    }
    assert_eq!(disk.last().unwrap(), made.disk.last().unwrap());
    let change = Changes::from([(5_u32.to_be_bytes().to_vec(), None)]);
    assert_eq!(put(&disk, 10, change.clone()), put(&made.disk, 10, change));
    let proof = disk.prove(10, &6_u32.to_be_bytes()).unwrap();
    assert!(proof.verify(&disk.root(10).unwrap(), &6_u32.to_be_bytes()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_restored_store_goes_on_as_the_one_it_came_from(
        state in prop::collection::btree_map(
            prop::collection::vec(any::<u8>(), 1..40), prop::collection::vec(any::<u8>(), 0..80), 1..60,
        ),
        blocks in prop::collection::vec(
            prop::collection::btree_map(
                prop::collection::vec(0_u8..4, 1..3), prop::option::of(prop::collection::vec(any::<u8>(), 0..9)), 0..9,
            ),
            1..5,
        ),
    ) {
        let made = made(&state);
        let disk = Disk::in_memory().unwrap();
        let mut restore = accepted(&disk, &made);
        let chunk = made.shelf.chunk(9, FORMAT, 0).unwrap();
        prop_assert_eq!(restore.chunk(0, &chunk).unwrap(), Applied::Done);
        prop_assert_eq!(disk.last().unwrap(), made.disk.last().unwrap());
        for (key, value) in &state {
            prop_assert_eq!(disk.get(9, key).unwrap(), Some(value.clone()));
        }
        for (height, changes) in (10..).zip(blocks) {
            prop_assert_eq!(put(&disk, height, changes.clone()), put(&made.disk, height, changes));
        }
    }
}
