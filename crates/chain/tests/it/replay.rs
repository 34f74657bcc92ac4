//! Transactions that come twice, too late, or without order.

use prost_types::Timestamp;
use tendermint_proto::v0_38::abci::RequestQuery;

use crate::support::*;

fn unordered(seconds_from_start: i64, nanos: i32, amount: u128) -> Draft {
    let mut draft = Draft::new("alice", 0, 0, &send("alice", "bob", amount));
    draft.body.unordered = true;
    draft.body.timeout_timestamp = Some(Timestamp {
        seconds: START + seconds_from_start,
        nanos,
    });
    draft
}

#[test]
fn an_unordered_transaction_counts_once_until_it_expires() {
    let directory = tempfile::tempdir().unwrap();
    let mut application = start(directory.path(), &document());
    execute(&mut application, 1, &[]);
    let tx = unordered(20, 5, 1).sign();
    assert_eq!(
        check(&application, &tx).code,
        0,
        "{}",
        check(&application, &tx).log
    );
    let results = execute(&mut application, 2, &[tx.clone(), tx.clone()]).tx_results;
    assert_eq!(results[0].code, 0, "{}", results[0].log);
    assert_eq!(results[1].code, 18);
    assert!(results[1].log.contains("has already used timeout"));
    // Another nanosecond is another nonce; the sequence of the account is untouched by all of them.
    let results = execute(&mut application, 3, &[unordered(20, 6, 1).sign()]).tx_results;
    assert_eq!(results[0].code, 0, "{}", results[0].log);
    let results = execute(&mut application, 4, &[transfer("alice", 0, 0, "bob", 1)]).tx_results;
    assert_eq!(results[0].code, 0, "{}", results[0].log);
    // At block 21 the timeout has passed: refused for that, and the nonces are gone from the state.
    for height in 5..=20 {
        execute(&mut application, height, &[]);
    }
    let nonces = |application: &chain::Application| {
        application
            .reader()
            .at(None, |ctx| {
                ctx.scan(
                    chain::auth::keys::NONCES,
                    std::ops::Bound::Unbounded,
                    false,
                    10,
                )
            })
            .unwrap()
            .len()
    };
    assert_eq!(nonces(&application), 2);
    let results = execute(&mut application, 21, &[tx]).tx_results;
    assert_eq!(
        (results[0].code, results[0].codespace.as_str()),
        (42, "sdk")
    );
    assert_eq!(nonces(&application), 0);
}

#[test]
fn checks_see_the_mempool_and_forget_it_with_the_block() {
    let directory = tempfile::tempdir().unwrap();
    let mut application = start(directory.path(), &document());
    execute(&mut application, 1, &[]);
    let first = transfer("alice", 0, 0, "bob", 1);
    let second = transfer("alice", 0, 1, "bob", 1);
    assert_eq!(check(&application, &second).code, 32);
    assert_eq!(check(&application, &first).code, 0);
    assert_eq!(check(&application, &second).code, 0);
    assert_eq!(check(&application, &first).code, 32);
    // A simulation stands on the mempool too.
    let third = transfer("alice", 0, 2, "bob", 1);
    assert!(application.reader().simulate(&third).is_ok());
    assert!(application.reader().simulate(&second).is_err());
    // Over ABCI the answer is JSON, and an error the transaction's own.
    let simulate = |tx: &[u8]| {
        application.reader().abci_query(&RequestQuery {
            path: "/app/simulate".to_owned(),
            data: tx.to_vec().into(),
            ..Default::default()
        })
    };
    let answer = simulate(&third);
    assert_eq!((answer.code, answer.codespace.as_str()), (0, "sdk"));
    let json: serde_json::Value = serde_json::from_slice(&answer.value).unwrap();
    let events = json["result"]["events"].as_array().unwrap();
    assert!(events.iter().any(|event| event["type"] == "transfer"));
    assert!(json["gas_info"]["gas_used"].is_string());
    let answer = simulate(&second);
    assert_eq!((answer.code, answer.codespace.as_str()), (32, "sdk"));
    let garbage = simulate(b"zz");
    assert_eq!((garbage.code, garbage.codespace.as_str()), (2, "sdk"));
    assert!(garbage.log.starts_with("failed to simulate tx: "));
    execute(&mut application, 2, &[]);
    assert_eq!(check(&application, &second).code, 32);
    assert_eq!(check(&application, &first).code, 0);
}

#[test]
fn a_failing_message_takes_everything_back_but_fee_and_sequence() {
    let directory = tempfile::tempdir().unwrap();
    let mut application = start(directory.path(), &document());
    let tx = Draft::new("alice", 0, 0, &send("alice", "bob", 5))
        .message(&send("alice", "carol", 9_000_000))
        .sign();
    let result = execute(&mut application, 1, &[tx]).tx_results.remove(0);
    assert_eq!((result.code, result.codespace.as_str()), (5, "sdk"));
    assert!(
        result
            .log
            .starts_with("failed to execute message; message index: 1: spendable balance")
    );
    assert_eq!(balance(&application, "alice"), 1_000_000 - 10);
    assert_eq!(balance(&application, "bob"), 1_000_000);
    assert!(result.events.iter().all(|event| {
        event
            .attributes
            .iter()
            .all(|attribute| attribute.key != "msg_index")
    }));
    assert_eq!(result.events.len(), 7);
    let next = execute(&mut application, 2, &[transfer("alice", 0, 1, "bob", 5)]);
    assert_eq!(next.tx_results[0].code, 0);
}

#[test]
fn several_signers_each_sign_and_the_named_payer_pays() {
    let directory = tempfile::tempdir().unwrap();
    let mut application = start(directory.path(), &document());
    let mut draft = Draft::new("alice", 0, 0, &send("alice", "bob", 5))
        .message(&send("bob", "alice", 6))
        .signer("bob", 1, 0)
        .signer("carol", 2, 0);
    draft.fee.payer = address("carol").to_bech32();
    let results = execute(&mut application, 1, &[draft.sign()]).tx_results;
    assert_eq!(results[0].code, 0, "{}", results[0].log);
    assert_eq!(balance(&application, "alice"), 1_000_001);
    assert_eq!(balance(&application, "bob"), 999_999);
    assert_eq!(balance(&application, "carol"), 999_990);
    draft.signers.pop();
    let results = execute(&mut application, 2, &[draft.sign()]).tx_results;
    assert_eq!(results[0].code, 4);
}

#[test]
fn gas_agrees_between_simulation_and_block_and_is_bounded() {
    let directory = tempfile::tempdir().unwrap();
    let mut application = start(directory.path(), &document());
    execute(&mut application, 1, &[]);
    let mut draft = Draft::new("alice", 0, 0, &send("alice", "bob", 5));
    let estimate = application
        .reader()
        .simulate(&draft.sign())
        .unwrap()
        .gas_used;
    draft.fee.gas_limit = estimate;
    let result = execute(&mut application, 2, &[draft.sign()])
        .tx_results
        .remove(0);
    assert_eq!(result.code, 0, "{}", result.log);
    assert_eq!(u64::try_from(result.gas_used).unwrap(), estimate);
    // One unit less fails in the message, keeps the fee, and says where.
    draft.signers[0].2 = 1;
    let estimate = application
        .reader()
        .simulate(&draft.sign())
        .unwrap()
        .gas_used;
    draft.fee.gas_limit = estimate - 1;
    let result = execute(&mut application, 3, &[draft.sign()])
        .tx_results
        .remove(0);
    assert_eq!((result.code, result.codespace.as_str()), (11, "sdk"));
    assert!(
        result.log.contains("out of gas in location"),
        "{}",
        result.log
    );
    assert_eq!(balance(&application, "alice"), 1_000_000 - 5 - 20);
}
