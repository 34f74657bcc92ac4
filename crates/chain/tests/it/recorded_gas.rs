//! What gas does to a transaction that another node has executed before.

use chain::tx::{Gas, GasPrice};
use chain::{Application, ChainError};

use crate::support::*;

fn replaying() -> Application {
    let mut application = Application::for_replay(GasPrice::ZERO).unwrap();
    let request = document().init_chain(Vec::new()).unwrap();
    application.init_chain(&request).unwrap();
    application
}

/// A transfer whose limit would not even pay for its bytes.
fn starved(sequence: u64) -> Vec<u8> {
    let mut draft = Draft::new("alice", 0, sequence, &send("alice", "bob", 5));
    draft.fee.gas_limit = 7;
    draft.sign()
}

#[test]
fn a_replay_counts_gas_and_limits_nothing_but_what_was_recorded() {
    let mut application = replaying();
    assert_eq!(check(&application, &starved(0)).code, 0);
    let txs: Vec<Vec<u8>> = (0..2).map(starved).collect();
    let fates = [Gas::Counted, Gas::Spent];
    let results = application.replay_block(&block(1, &txs), &fates).unwrap();
    application.commit().unwrap();
    let [paid, spent] = results.tx_results.as_slice() else {
        panic!("{results:?}");
    };
    assert_eq!((paid.code, paid.gas_wanted), (0, 7));
    assert!(paid.gas_used > 7);
    assert_eq!((spent.code, spent.codespace.as_str()), (11, "sdk"));
    // The events of the checks, none of the message.
    assert_eq!(spent.events.len(), 7);
    assert_eq!(balance(&application, "alice"), 1_000_000 - 5 - 2 * 10);

    // A block without gas left looks at nothing: the sequence is the same afterwards.
    let results = application
        .replay_block(&block(2, &[starved(2)]), &[Gas::NoneLeft])
        .unwrap();
    application.commit().unwrap();
    let none = &results.tx_results[0];
    assert_eq!((none.code, none.events.len()), (11, 0));
    assert_eq!(check(&application, &starved(2)).code, 0);
}

#[test]
fn only_an_application_made_for_it_replays() {
    let directory = tempfile::tempdir().unwrap();
    let mut application = start(directory.path(), &document());
    let refused = application.replay_block(&block(1, &[]), &[]);
    assert!(matches!(refused, Err(ChainError::Order(_))), "{refused:?}");
    assert_eq!(check(&application, &starved(0)).code, 11);
}
