//! What survives a kill.

use bytes::Bytes;
use node::StartError;
use node::block::{self, vote};
use node::solo::Role;

use crate::support::{CHAIN_ID, at, open, transfer, write_genesis};

#[test]
fn a_chain_killed_anywhere_is_the_chain_that_never_stopped() {
    let straight = tempfile::tempdir().unwrap();
    write_genesis(straight.path());
    let (mut solo, store, _reader) = open(straight.path());
    let killed = tempfile::tempdir().unwrap();
    write_genesis(killed.path());
    std::fs::create_dir(killed.path().join("data")).unwrap();
    let key = "data/validator.key";
    std::fs::copy(straight.path().join(key), killed.path().join(key)).unwrap();

    for height in 1..=8_i64 {
        let tx = Bytes::from(transfer("alice", 0, u64::try_from(height).unwrap() - 1, 5));
        let now = at(height * 10);
        assert_eq!(solo.check(tx.clone()).unwrap().code, 0, "{height}");
        let expected = solo.produce(now).unwrap();
        assert_eq!(expected.results.tx_results[0].code, 0);

        let (mut victim, _, _) = open(killed.path());
        assert_eq!(victim.height(), height - 1);
        assert_eq!(victim.check(tx).unwrap().code, 0);
        if height % 2 == 0 {
            // Dropped with the block stored and not executed.
            victim.propose(now).unwrap();
            drop(victim);
        } else {
            victim.produce(now).unwrap();
            drop(victim);
        }
        let (victim, blocks, _) = open(killed.path());
        assert_eq!(victim.height(), height);
        let committed = blocks.committed(height).unwrap().unwrap();
        assert_eq!(committed.id, expected.id, "height {height}");
        assert_eq!(committed.results, expected.results, "height {height}");
    }
    assert_eq!(store.range().unwrap(), Some((1, 8)));
}

#[test]
fn headers_and_commits_are_those_of_cometbft() {
    let folder = tempfile::tempdir().unwrap();
    write_genesis(folder.path());
    let (mut solo, store, reader) = open(folder.path());
    let set = [solo.validator().clone()];
    for second in [5, 5, 4, 9] {
        solo.produce(at(second)).unwrap();
    }
    let mut last_time = None;
    for height in 1..=4 {
        let committed = store.committed(height).unwrap().unwrap();
        let header = committed.header();
        assert_eq!(
            block::block_id(&committed.block),
            Some(committed.id.clone())
        );
        assert_eq!(
            block::validators_hash(&set).as_slice(),
            header.validators_hash
        );
        let time = header.time.map(|time| (time.seconds, time.nanos));
        assert!(time > last_time, "time moves");
        last_time = time;
        let (commit, canonical) = store.commit(height).unwrap().unwrap();
        assert_eq!(canonical, height < 4);
        assert_eq!(commit.block_id, Some(committed.id));
        assert_eq!(vote::committed_power(&commit, CHAIN_ID, &set), Some(1));
        if let Some(next) = store.block(height + 1).unwrap() {
            // CometBFT takes a block's time from the votes for the block before.
            let header = next.header.unwrap();
            assert_eq!(commit.signatures[0].timestamp, header.time);
            assert_eq!(header.app_hash, committed.results.app_hash);
        }
    }
    assert_eq!(
        store.block(1).unwrap().unwrap().header.unwrap().time,
        Some(at(0))
    );
    assert_eq!(reader.latest_height().unwrap(), Some(4));
}

#[test]
fn a_folder_belongs_to_one_genesis() {
    let folder = tempfile::tempdir().unwrap();
    write_genesis(folder.path());
    let (path, data) = (
        folder.path().join("genesis.json"),
        folder.path().join("data"),
    );
    let refused = || {
        node::solo::open_folder(&data, &path, chain::Options::default(), Role::Alone)
            .err()
            .unwrap()
    };
    // Before the first block a document that was wrong is mended in place.
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("1000000", "3000000")).unwrap();
    let error = refused();
    assert!(matches!(error, StartError::Genesis(_)), "{error}");
    std::fs::write(&path, &text).unwrap();
    let (mut solo, ..) = open(folder.path());
    solo.produce(at(1)).unwrap();
    drop(solo);
    std::fs::write(&path, text.replace("1000000", "2000000")).unwrap();
    let error = refused();
    assert!(matches!(error, StartError::OtherChain { .. }), "{error}");
    // The folder alone is enough.
    std::fs::remove_file(&path).unwrap();
    assert!(node::solo::open_folder(&data, &path, chain::Options::default(), Role::Alone).is_ok());
}
