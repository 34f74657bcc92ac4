use std::collections::BTreeMap;

use super::*;
use crate::tx::SendOptions;
use crate::tx::send::tests::{Fake, failed, message};

const LATE: &str = "is greater than session claim window close height (8): claim attempted outside of the session's claim window";
const EARLY: &str = "is less than the session's earliest claim commit height (14): claim attempted outside of the session's claim window";

fn items(tags: impl IntoIterator<Item = u8>) -> Vec<Item<u8>> {
    tags.into_iter()
        .map(|tag| Item {
            key: tag,
            message: message(tag),
            effect: None,
        })
        .collect()
}

async fn run(
    chain: &Arc<Fake>,
    limits: BatchLimits,
    tags: impl IntoIterator<Item = u8>,
) -> BTreeMap<u8, Outcome> {
    let batcher = Batcher::new(chain.sender(SendOptions::default()), limits);
    let outcomes = batcher.run(items(tags), 30).await;
    let count = outcomes.len();
    let map: BTreeMap<_, _> = outcomes
        .into_iter()
        .map(|(key, outcome)| (key, outcome.unwrap()))
        .collect();
    assert_eq!(map.len(), count, "each item once");
    map
}

fn first(messages: &[Any], bad: impl Fn(u8) -> bool) -> Option<usize> {
    messages.iter().position(|message| bad(message.value[0]))
}

#[tokio::test(start_paused = true)]
async fn a_hundred_claims_are_one_transaction() {
    let chain = Fake::new(|messages, _| Ok(1_000 * messages.len() as u64));
    let outcomes = run(&chain, BatchLimits::default(), 0..100).await;
    assert!(outcomes.values().all(Outcome::is_success));
    assert_eq!((chain.transactions(), chain.simulations()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn bad_messages_that_the_chain_names_do_not_sink_the_others() {
    let bad = |tag: u8| tag % 10 == 3;
    let chain = Fake::new(move |messages, _| match first(messages, bad) {
        Some(index) => Err(failed(index, LATE)),
        None => Ok(1),
    });
    let outcomes = run(&chain, BatchLimits::default(), 0..50).await;
    for (tag, outcome) in &outcomes {
        assert_eq!(outcome.is_success(), !bad(*tag), "{tag} {outcome:?}");
    }
    assert_eq!(
        outcomes[&3].rejection().unwrap().class(),
        Class::WindowClosed
    );
    assert_eq!(
        (outcomes.len(), chain.transactions(), chain.simulations()),
        (50, 1, 6)
    );
}

#[tokio::test(start_paused = true)]
async fn a_bad_message_that_nobody_names_is_found_by_halving() {
    let chain = Fake::new(|messages, _| match first(messages, |tag| tag == 37) {
        Some(_) => Err(crate::tx::Rejection {
            log: "something is wrong".to_owned(),
            ..failed(0, "")
        }),
        None => Ok(1),
    });
    let outcomes = run(&chain, BatchLimits::default(), 0..64).await;
    assert!(
        outcomes
            .iter()
            .all(|(tag, outcome)| outcome.is_success() == (*tag != 37))
    );
    assert!(chain.simulations() <= 13, "{}", chain.simulations());
}

#[tokio::test(start_paused = true)]
async fn one_that_must_wait_does_not_hold_up_the_others() {
    let chain = Fake::new(|messages, height| match first(messages, |tag| tag < 8) {
        Some(index) if height < 14 => Err(failed(index, EARLY)),
        _ => Ok(1),
    });
    let limits = BatchLimits {
        concurrent: 2,
        ..BatchLimits::default()
    };
    let outcomes = run(&chain, limits, 0..20).await;
    for (tag, outcome) in outcomes {
        let Outcome::Included(included) = outcome else {
            panic!("{tag}: {outcome:?}")
        };
        assert_eq!(included.height, if tag < 8 { 15 } else { 11 }, "{tag}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_never_becomes_possible_ends_at_the_deadline() {
    let chain = Fake::new(|messages, _| match first(messages, |tag| tag == 5) {
        Some(index) => Err(failed(index, EARLY)),
        None => Ok(1),
    });
    let outcomes = run(&chain, BatchLimits::default(), 0..10).await;
    assert!(
        matches!(
            outcomes[&5],
            Outcome::TimedOut {
                deadline: 30,
                last: Some(_),
                ..
            }
        ),
        "{:?}",
        outcomes[&5]
    );
    assert_eq!(
        outcomes
            .values()
            .filter(|outcome| outcome.is_success())
            .count(),
        9
    );
}

#[tokio::test(start_paused = true)]
async fn a_message_that_fails_only_inside_the_block_is_taken_out_there() {
    let chain = Fake::new(|messages, height| match first(messages, |tag| tag == 2) {
        Some(index) if height >= 11 => Err(failed(index, LATE)),
        _ => Ok(1),
    });
    let outcomes = run(&chain, BatchLimits::default(), 0..5).await;
    let failure = outcomes[&2].rejection().unwrap();
    assert_eq!(
        (failure.stage, failure.class()),
        (crate::tx::Stage::Block, Class::WindowClosed)
    );
    assert_eq!(
        outcomes
            .values()
            .filter(|outcome| outcome.is_success())
            .count(),
        4
    );
}

#[tokio::test(start_paused = true)]
async fn bytes_number_and_gas_bound_a_transaction() {
    let chain = Fake::new(|_, _| Ok(1));
    let limits = BatchLimits {
        max_messages: 3,
        ..BatchLimits::default()
    };
    assert!(
        run(&chain, limits, 0..10)
            .await
            .values()
            .all(Outcome::is_success)
    );
    assert_eq!(chain.transactions(), 4);

    let chain = Fake::new(|_, _| Ok(1));
    let one = message(0).encoded_len() + 6;
    let limits = BatchLimits {
        max_bytes: one * 4,
        ..BatchLimits::default()
    };
    assert!(
        run(&chain, limits, 0..10)
            .await
            .values()
            .all(Outcome::is_success)
    );
    assert_eq!(chain.transactions(), 3);
    let limits = BatchLimits {
        max_bytes: one - 1,
        ..BatchLimits::default()
    };
    let outcomes = run(&chain, limits, 0..2).await;
    assert!(
        outcomes
            .values()
            .all(|outcome| outcome.rejection().unwrap().class() == Class::TooLarge)
    );

    let chain = Fake::new(|messages, _| Ok(limits::TX_GAS / 16 * messages.len() as u64));
    let outcomes = run(&chain, BatchLimits::default(), 0..32).await;
    assert!(outcomes.values().all(Outcome::is_success));
    assert_eq!(chain.transactions(), 4);
}

#[tokio::test(start_paused = true)]
async fn what_the_chain_cannot_try_out_in_one_transaction_goes_in_several() {
    let chain = Fake::new(|messages, _| match messages.len() {
        0..=8 => Ok(1),
        _ => Err(Rejection {
            codespace: String::new(),
            code: 2,
            log: "out of gas in location: WritePerByte; gasWanted: 5, gasUsed: 6: out of gas"
                .to_owned(),
            stage: crate::tx::Stage::Simulation,
        }),
    });
    let outcomes = run(&chain, BatchLimits::default(), 0..32).await;
    assert!(outcomes.values().all(Outcome::is_success));
    assert_eq!(chain.transactions(), 4);
}
