//! What is on disk is always a whole block.

use chain::{Application, ChainError, Options};
use tendermint_proto::v0_38::abci::RequestInfo;

use crate::support::*;

#[test]
fn a_restart_resumes_with_the_same_app_hash() {
    let directory = tempfile::tempdir().unwrap();
    let mut application = start(directory.path(), &document());
    execute(&mut application, 1, &[]);
    let response = execute(&mut application, 2, &[transfer("alice", 0, 0, "bob", 5)]);
    assert_eq!(
        response.tx_results[0].code, 0,
        "{}",
        response.tx_results[0].log
    );
    drop(application);

    let mut application = Application::open(directory.path(), Options::default()).unwrap();
    let info = application.info(&RequestInfo::default()).unwrap();
    assert_eq!(info.last_block_height, 2);
    assert_eq!(info.last_block_app_hash, response.app_hash);
    assert_eq!(balance(&application, "bob"), 1_000_005);
    let again = document().init_chain(Vec::new()).unwrap();
    assert!(matches!(
        application.init_chain(&again),
        Err(ChainError::Order(_))
    ));
    let next = execute(&mut application, 3, &[transfer("alice", 0, 1, "bob", 5)]);
    assert_eq!(next.tx_results[0].code, 0, "{}", next.tx_results[0].log);
    assert_eq!(balance(&application, "bob"), 1_000_010);
    assert_eq!(balance(&application, "alice"), 1_000_000 - 2 * (5 + 10));
}

#[test]
fn a_block_finalized_but_not_committed_is_executed_again() {
    let directory = tempfile::tempdir().unwrap();
    let txs = [transfer("alice", 0, 0, "bob", 5)];
    let mut application = start(directory.path(), &document());
    // Before the first commit nothing is kept: the driver starts over with genesis.
    application.finalize_block(&block(1, &[])).unwrap();
    drop(application);
    let mut application = start(directory.path(), &document());
    execute(&mut application, 1, &[]);
    let lost = application.finalize_block(&block(2, &txs)).unwrap();
    drop(application);

    let mut application = Application::open(directory.path(), Options::default()).unwrap();
    assert_eq!(application.last().unwrap().unwrap().0, 1);
    assert_eq!(balance(&application, "bob"), 1_000_000);
    let again = execute(&mut application, 2, &txs);
    assert_eq!(again, lost);
    assert_eq!(
        application.last().unwrap().unwrap().1.to_vec(),
        again.app_hash
    );
}

#[test]
fn the_same_blocks_give_the_same_app_hash() {
    let run = || {
        let mut application = Application::in_memory(Options::default()).unwrap();
        application
            .init_chain(&document().init_chain(Vec::new()).unwrap())
            .unwrap();
        let mut roots = Vec::new();
        for height in 1..=6_i64 {
            let sequence = u64::try_from(height - 1).unwrap();
            let txs = [
                transfer("alice", 0, sequence, "bob", 7),
                transfer("bob", 1, sequence, "carol", 3),
                transfer("bob", 1, sequence, "carol", 3),
            ];
            roots.push(execute(&mut application, height, &txs).app_hash);
        }
        roots
    };
    let first = run();
    assert_eq!(first, run());
    assert!(first.windows(2).all(|pair| pair[0] != pair[1]));
}

#[test]
fn verbs_out_of_order_are_refused() {
    let mut application = Application::in_memory(Options::default()).unwrap();
    assert!(matches!(
        application.finalize_block(&block(1, &[])),
        Err(ChainError::Order(_))
    ));
    assert!(matches!(application.commit(), Err(ChainError::Order(_))));
    application
        .init_chain(&document().init_chain(Vec::new()).unwrap())
        .unwrap();
    assert!(matches!(
        application.finalize_block(&block(2, &[])),
        Err(ChainError::Order(_))
    ));
    execute(&mut application, 1, &[]);
    assert!(matches!(
        application.finalize_block(&block(1, &[])),
        Err(ChainError::Order(_))
    ));
    assert!(matches!(
        application.finalize_block(&block(3, &[])),
        Err(ChainError::Order(_))
    ));
}

#[test]
fn old_heights_go_on_disk_and_in_memory_alike() {
    let directory = tempfile::tempdir().unwrap();
    let options = Options {
        keep_recent: 3,
        ..Options::default()
    };
    for mut application in [
        Application::open(directory.path(), options).unwrap(),
        Application::in_memory(options).unwrap(),
    ] {
        application
            .init_chain(&document().init_chain(Vec::new()).unwrap())
            .unwrap();
        for height in 1..=8 {
            execute(&mut application, height, &[]);
        }
        let reader = application.reader();
        let seen = (1..=8).filter(|height| {
            let params = reader.at(Some(*height), chain::bank::params);
            params.is_ok()
        });
        assert_eq!(seen.collect::<Vec<_>>(), [6, 7, 8]);
    }
}

#[test]
fn readers_see_committed_heights_only() {
    let mut application = Application::in_memory(Options::default()).unwrap();
    application
        .init_chain(&document().init_chain(Vec::new()).unwrap())
        .unwrap();
    let reader = application.reader();
    assert!(
        reader
            .query("/cosmos.bank.v1beta1.Query/Params", &[], None)
            .is_err()
    );
    execute(&mut application, 1, &[]);
    application
        .finalize_block(&block(2, &[transfer("alice", 0, 0, "bob", 5)]))
        .unwrap();
    let bob = address("bob");
    let at = |height| reader.at(height, |ctx| chain::bank::balance(ctx, &bob, "upokt"));
    assert_eq!(at(None).unwrap(), 1_000_000);
    application.commit().unwrap();
    assert_eq!(at(None).unwrap(), 1_000_005);
    assert_eq!(at(Some(1)).unwrap(), 1_000_000);
    assert!(matches!(at(Some(3)), Err(ChainError::Height(_))));
}
