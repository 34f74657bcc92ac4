//! What waits for a block: bounds, order, and when it leaves.

use bytes::Bytes;
use node::limits;
use node::mempool::{Refused, Waiting};
use node::solo::Solo;

use crate::support::{at, open, transfer, unordered, write_genesis};

fn solo() -> (tempfile::TempDir, Solo) {
    let folder = tempfile::tempdir().unwrap();
    write_genesis(folder.path());
    let (solo, _, _) = open(folder.path());
    (folder, solo)
}

#[test]
fn an_unordered_transaction_leaves_when_its_time_is_over() {
    let (_folder, mut solo) = solo();
    solo.produce(at(0)).unwrap();
    solo.produce(at(10)).unwrap();
    let (short, long) = (unordered("alice", 0, 15), unordered("alice", 0, 300));
    assert_eq!(solo.check(short.into()).unwrap().code, 0);
    // The next block is made after its time: it is neither included nor kept.
    let block = solo.produce(at(20)).unwrap();
    assert_eq!(
        (block.txs().len(), solo.waiting(9)),
        (0, Waiting::default())
    );
    assert_eq!(solo.check(long.clone().into()).unwrap().code, 0);
    let block = solo.produce(at(30)).unwrap();
    assert_eq!(block.txs(), [long]);
    assert_eq!(block.results.tx_results[0].code, 0);
}

#[test]
fn one_sender_has_a_share_and_its_nonces_go_in_order() {
    let (_folder, mut solo) = solo();
    solo.produce(at(0)).unwrap();
    let send = |solo: &mut Solo, from: &str, number, sequence| {
        solo.check(Bytes::from(transfer(from, number, sequence, 1)))
    };
    assert_eq!(
        send(&mut solo, "alice", 0, 1).unwrap().code,
        32,
        "a nonce too early"
    );
    let share = u64::try_from(limits::MEMPOOL_PER_SENDER).unwrap();
    for sequence in 0..share {
        assert_eq!(send(&mut solo, "alice", 0, sequence).unwrap().code, 0);
    }
    let refused = send(&mut solo, "alice", 0, share).unwrap_err();
    assert!(matches!(refused, Refused::Full(_)), "{refused}");
    assert_eq!(refused.code(), 20);
    assert_eq!(
        send(&mut solo, "carol", 2, 0).unwrap().code,
        0,
        "others have room"
    );

    let block = solo.produce(at(10)).unwrap();
    let codes: Vec<u32> = block
        .results
        .tx_results
        .iter()
        .map(|result| result.code)
        .collect();
    assert_eq!(codes, vec![0; limits::MEMPOOL_PER_SENDER + 1]);
    assert_eq!(
        send(&mut solo, "alice", 0, share).unwrap().code,
        0,
        "there is room again"
    );
}
