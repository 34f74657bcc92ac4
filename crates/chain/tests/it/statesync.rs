//! A node that begins with a snapshot goes on as the one it came from.

use chain::statesync::Shelf;
use chain::{Application, Options};
use tendermint_proto::v0_38::abci::{
    RequestApplySnapshotChunk, RequestOfferSnapshot, response_apply_snapshot_chunk as chunk,
    response_offer_snapshot as offer,
};

use crate::support::*;

#[test]
fn a_restored_application_has_the_same_app_hashes_and_checks() {
    let folder = tempfile::tempdir().unwrap();
    let mut application = start(&folder.path().join("a"), &document());
    for height in 1..=5_i64 {
        let sequence = u64::try_from(height - 1).unwrap();
        execute(
            &mut application,
            height,
            &[transfer("alice", 0, sequence, "bob", 7)],
        );
    }
    let shelf = Shelf::open(&folder.path().join("shelf"), 1).unwrap();
    shelf
        .write(&application.snapshot_source().unwrap().unwrap())
        .unwrap();
    let snapshot = shelf.list().unwrap().remove(0);
    let (height, app_hash) = application.last().unwrap().unwrap();

    let directory = folder.path().join("b");
    let mut restored = Application::open(&directory, Options::default()).unwrap();
    let request = RequestOfferSnapshot {
        snapshot: Some(snapshot.clone()),
        app_hash: app_hash.to_vec().into(),
    };
    let answer = restored.offer_snapshot(CHAIN_ID, &request).unwrap();
    assert_eq!(answer.result, i32::from(offer::Result::Accept));
    let mut apply = |index: u32, bytes: Vec<u8>| {
        let request = RequestApplySnapshotChunk {
            index,
            chunk: bytes.into(),
            sender: "peer".to_owned(),
        };
        restored.apply_snapshot_chunk(&request).unwrap()
    };
    let bent = apply(0, b"bent".to_vec());
    assert_eq!(bent.result, i32::from(chunk::Result::Retry));
    assert_eq!(
        (bent.refetch_chunks, bent.reject_senders),
        (vec![0], vec!["peer".to_owned()])
    );
    for index in 0..snapshot.chunks {
        let bytes = shelf.chunk(height, snapshot.format, index).unwrap();
        assert_eq!(apply(index, bytes).result, i32::from(chunk::Result::Accept));
    }
    assert_eq!(restored.last().unwrap(), Some((height, app_hash)));
    // Checks start from the restored state at once.
    assert_eq!(check(&restored, &transfer("alice", 0, 5, "bob", 1)).code, 0);

    let step = |application: &mut Application, height: i64, sequence: u64| {
        let txs = [transfer("alice", 0, sequence, "carol", 3)];
        let response = execute(application, height, &txs);
        assert_eq!(
            response.tx_results[0].code, 0,
            "{}",
            response.tx_results[0].log
        );
        response
    };
    assert_eq!(step(&mut application, 6, 5), step(&mut restored, 6, 5));
    drop(restored);
    let mut restored = Application::open(&directory, Options::default()).unwrap();
    assert_eq!(step(&mut application, 7, 6), step(&mut restored, 7, 6));
    assert_eq!(application.last().unwrap(), restored.last().unwrap());
}
