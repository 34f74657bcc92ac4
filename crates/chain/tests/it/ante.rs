//! The checks before the messages: one bent transaction a row. What the recording covers is in `golden`.

use chain::tx::GasPrice;
use chain::{Application, Options};
use prost::Message as _;
use prost_types::Any;
use proto::cosmos::tx::v1beta1::{AuthInfo, TxRaw};
use tendermint_proto::v0_38::abci::response_process_proposal::ProposalStatus;
use tendermint_proto::v0_38::abci::{RequestPrepareProposal, RequestProcessProposal};

use crate::support::*;

fn application(minimum: &str) -> Application {
    let minimum_gas_price: GasPrice = minimum.parse().unwrap();
    let options = Options {
        minimum_gas_price,
        ..Options::default()
    };
    let mut application = Application::in_memory(options).unwrap();
    let mut builder = builder();
    for name in ["s0", "s1", "s2", "s3", "s4", "s5", "s6"] {
        builder.account(address(name), None, 1_000);
    }
    let document = builder.build().unwrap();
    application
        .init_chain(&document.init_chain(Vec::new()).unwrap())
        .unwrap();
    execute(&mut application, 1, &[]);
    application
}

fn draft() -> Draft {
    Draft::new("alice", 0, 0, &send("alice", "bob", 5))
}

#[test]
fn each_check_refuses_with_its_code() {
    type Bend = fn(&mut Draft);
    let rows: [(&str, u32, &str, Bend); 11] = [
        ("extension", 31, "unknown extension options", |draft| {
            draft.body.extension_options.push(Any {
                type_url: "/cosmos.bank.v1beta1.MsgSend".to_owned(),
                value: Vec::new(),
            });
        }),
        ("memo", 12, "memo too large", |draft| {
            draft.body.memo = "m".repeat(257)
        }),
        ("fee coins", 13, "invalid fee amount", |draft| {
            draft.fee.amount = vec![coin(5), coin(6)];
        }),
        ("a negative fee", 13, "invalid fee provided", |draft| {
            draft.fee.amount = vec![chain::bank::coin(5, "mact"), coin(6)];
            draft.fee.amount[1].amount = "-6".to_owned();
        }),
        ("a fee of an unset amount", 13, "unset", |draft| {
            draft.fee.amount = vec![coin(6)];
            draft.fee.amount[0].amount.clear();
        }),
        (
            "a payer that is no address",
            7,
            "invalid address",
            |draft| {
                draft.fee.payer = "pokt1no".to_owned();
            },
        ),
        ("a fee in coins that nobody has", 5, "0mact", |draft| {
            draft.fee.amount = vec![chain::bank::coin(5, "mact")];
        }),
        ("fee too high", 5, "spendable balance", |draft| {
            draft.fee.amount = vec![coin(2_000_000)]
        }),
        ("granter", 38, "fee-grant not found", |draft| {
            draft.fee.granter = address("bob").to_bech32();
        }),
        ("stranger", 9, "does not exist", |draft| {
            *draft = Draft::new("nobody", 0, 0, &send("nobody", "bob", 5));
        }),
        (
            "key of another",
            8,
            "pubKey does not match signer",
            |draft| {
                draft.signers[0].0 = "bob".to_owned();
            },
        ),
    ];
    let application = application("0");
    for (name, code, text, bend) in rows {
        let mut bent = draft();
        bend(&mut bent);
        let answer = check(&application, &bent.sign());
        assert_eq!(
            (answer.code, answer.codespace.as_str()),
            (code, "sdk"),
            "{name}: {}",
            answer.log
        );
        assert!(answer.log.contains(text), "{name}: {}", answer.log);
    }
}

#[test]
fn what_makes_the_reference_panic_has_the_code_of_a_panic() {
    type Bend = fn(&mut AuthInfo);
    let rows: [(&str, Bend); 6] = [
        ("no fee", |auth| auth.fee = None),
        ("a granter that is no address", |auth| {
            auth.fee.as_mut().unwrap().granter = "x".to_owned();
        }),
        ("a granter of another prefix", |auth| {
            auth.fee.as_mut().unwrap().granter = address("bob").to_bech32_with("poktvaloper");
        }),
        ("a signer without key", |auth| {
            auth.signer_infos[0].public_key = None;
        }),
        ("a mode of no kind", |auth| {
            auth.signer_infos[0].mode_info.as_mut().unwrap().sum = None;
        }),
        ("one signer info too many", |auth| {
            auth.signer_infos.push(auth.signer_infos[0].clone());
        }),
    ];
    let mut application = application("0");
    let mut first = draft();
    first.fee.amount = vec![coin(1)];
    execute(&mut application, 2, &[first.sign()]);
    for (name, bend) in rows {
        let signed = Draft::new("alice", 0, 1, &send("alice", "bob", 5)).sign();
        let mut raw = TxRaw::decode(signed.as_slice()).unwrap();
        let mut auth_info = AuthInfo::decode(raw.auth_info_bytes.clone()).unwrap();
        bend(&mut auth_info);
        raw.auth_info_bytes = auth_info.encode_to_vec().into();
        let answer = check(&application, &raw.encode_to_vec());
        let got = (answer.code, answer.codespace.as_str());
        assert_eq!(got, (111_222, "undefined"), "{name}: {}", answer.log);
    }
}

#[test]
fn coins_of_nothing_are_no_fee() {
    let mut application = application("0");
    let mut free = draft();
    free.fee.amount = vec![coin(0)];
    assert_eq!(check(&application, &free.sign()).code, 0);
    let result = execute(&mut application, 2, &[free.sign()])
        .tx_results
        .remove(0);
    assert_eq!(result.code, 0, "{}", result.log);
    let mut pairs = result.events.iter().flat_map(|event| &event.attributes);
    let fee = pairs.find(|pair| pair.key == "fee");
    assert_eq!(fee.unwrap().value, "0upokt");
}

#[test]
fn an_unordered_transaction_may_come_at_its_timeout() {
    let mut application = application("0");
    let mut last = draft();
    last.body.unordered = true;
    last.body.timeout_timestamp = Some(prost_types::Timestamp {
        seconds: START + 2,
        nanos: 0,
    });
    let result = execute(&mut application, 2, &[last.sign()])
        .tx_results
        .remove(0);
    assert_eq!(result.code, 0, "{}", result.log);
}

#[test]
fn who_cannot_be_read_cannot_sign() {
    let wrong = address("alice").to_bech32_with("poktvaloper");
    let application = application("0");
    for (from, code, codespace) in [
        ("", 1, "undefined"),
        ("pokt1", 1, "undefined"),
        (wrong.as_str(), 35, "sdk"),
        ("pokt1d3ym7t", 9, "sdk"),
    ] {
        let mut bent = draft();
        let mut message = send("alice", "bob", 5);
        message.from_address = from.to_owned();
        bent.body.messages = vec![proto::any::pack(&message)];
        let answer = check(&application, &bent.sign());
        let got = (answer.code, answer.codespace.as_str());
        assert_eq!(got, (code, codespace), "{from}: {}", answer.log);
    }
}

#[test]
fn a_signer_that_is_no_address_is_found_after_what_the_messages_say() {
    let application = application("0");
    let mut nobody = draft();
    let message = proto::cosmos::bank::v1beta1::MsgSend {
        from_address: "nonsense".to_owned(),
        to_address: address("bob").to_bech32(),
        amount: vec![coin(1)],
    };
    nobody.body.messages = vec![proto::any::pack(&message)];
    let answer = check(&application, &nobody.sign());
    assert_eq!((answer.code, answer.codespace.as_str()), (1, "undefined"));
    let message = proto::pocket::application::MsgUnstakeApplication {
        address: "nonsense".to_owned(),
    };
    nobody.body.messages.push(proto::any::pack(&message));
    let answer = check(&application, &nobody.sign());
    assert_eq!(
        (answer.code, answer.codespace.as_str()),
        (1102, "application")
    );
}

#[test]
fn a_timeout_of_the_first_second_of_1970_is_none() {
    let mut application = application("0");
    execute(&mut application, 2, &[]);
    let time = block(2, &[]).time.unwrap();
    let mut late = draft();
    late.body.unordered = true;
    let at = |seconds| prost_types::Timestamp {
        seconds,
        nanos: time.nanos,
    };
    late.body.timeout_timestamp = Some(at(time.seconds - 1));
    assert_eq!(check(&application, &late.sign()).code, 42);
    late.body.timeout_timestamp = Some(prost_types::Timestamp {
        seconds: 0,
        nanos: 5,
    });
    let answer = check(&application, &late.sign());
    assert_eq!(answer.code, 18);
    assert!(answer.log.contains("must have timeout_timestamp set"));
}

#[test]
fn an_allowance_and_keys_are_looked_at_before_fees_and_sequences() {
    let application = application("0");
    let mut bent = draft();
    bent.fee.amount = vec![coin(5), coin(6)];
    bent.fee.granter = address("bob").to_bech32();
    assert_eq!(check(&application, &bent.sign()).code, 38);
    // Neither the account nor the transaction has a key, and the sequence is wrong.
    let mut raw = TxRaw::decode(
        Draft::new("bob", 1, 7, &send("bob", "alice", 5))
            .sign()
            .as_slice(),
    );
    let raw = raw.as_mut().unwrap();
    let mut auth_info = AuthInfo::decode(raw.auth_info_bytes.clone()).unwrap();
    auth_info.signer_infos[0].public_key = None;
    raw.auth_info_bytes = auth_info.encode_to_vec().into();
    assert_eq!(check(&application, &raw.encode_to_vec()).code, 8);
}

/// A transaction of two whose signer infos were changed after both had signed.
fn bent_after(two: &Draft, bend: impl FnOnce(&mut AuthInfo)) -> Vec<u8> {
    let mut raw = TxRaw::decode(two.sign().as_slice()).unwrap();
    let mut auth_info = AuthInfo::decode(raw.auth_info_bytes.clone()).unwrap();
    bend(&mut auth_info);
    raw.auth_info_bytes = auth_info.encode_to_vec().into();
    raw.encode_to_vec()
}

#[test]
fn a_key_that_is_left_out_anywhere_ends_the_check_of_the_first_signature() {
    let mut application = application("0");
    // From here on both keys are known.
    let both = draft().message(&send("bob", "alice", 5));
    let both = both.signer("bob", 1, 0);
    assert_eq!(
        execute(&mut application, 2, &[both.sign()]).tx_results[0].code,
        0
    );
    let codes = |first, second| {
        let mut two = both.clone();
        two.signers[0].2 = first;
        two.signers[1].2 = second;
        let left_out = bent_after(&two, |auth_info| {
            auth_info.signer_infos[1].public_key = None
        });
        let answer = check(&application, &left_out);
        (answer.code, answer.codespace)
    };
    assert_eq!(codes(1, 7), (111_222, "undefined".to_owned()));
    assert_eq!(codes(2, 1), (32, "sdk".to_owned()));
}

#[test]
fn signers_of_an_unordered_transaction_are_checked_one_after_another() {
    let application = application("0");
    let mut two = draft().message(&send("bob", "alice", 5));
    two = two.signer("bob", 1, 1);
    two.body.unordered = true;
    two.body.timeout_timestamp = Some(prost_types::Timestamp {
        seconds: START + 30,
        nanos: 0,
    });
    assert_eq!(check(&application, &two.sign()).code, 18);
    let other = bent_after(&two, |auth_info| {
        auth_info.fee.as_mut().unwrap().gas_limit += 1;
    });
    assert_eq!(check(&application, &other).code, 4);
}

#[test]
fn the_sender_of_a_message_is_shown_in_small_letters() {
    let mut application = application("0");
    let mut capitals = draft();
    let mut message = send("alice", "bob", 5);
    message.from_address = message.from_address.to_uppercase();
    capitals.body.messages = vec![proto::any::pack(&message)];
    let result = execute(&mut application, 2, &[capitals.sign()])
        .tx_results
        .remove(0);
    assert_eq!(result.code, 0, "{}", result.log);
    let mut pairs = result.events.iter().flat_map(|event| &event.attributes);
    let action = pairs.position(|pair| pair.key == "action");
    assert!(action.is_some());
    let sender = pairs.find(|pair| pair.key == "sender").unwrap();
    assert_eq!(sender.value, address("alice").to_bech32());
}

#[test]
fn a_timeout_height_may_still_be_reached() {
    let mut application = application("0");
    execute(&mut application, 2, &[]);
    let mut late = draft();
    late.body.timeout_height = 2;
    assert_eq!(check(&application, &late.sign()).code, 0);
    let result = execute(&mut application, 3, &[late.sign()])
        .tx_results
        .remove(0);
    assert_eq!((result.code, result.codespace.as_str()), (30, "sdk"));
    assert!(result.log.contains("block height: 3, timeout height: 2"));
}

#[test]
fn more_than_seven_signatures_are_too_many() {
    let application = application("0");
    let mut many = draft();
    for (position, name) in ["s0", "s1", "s2", "s3", "s4", "s5", "s6"]
        .iter()
        .enumerate()
    {
        let number = u64::try_from(position).unwrap() + 3;
        many = many.message(&send(name, "bob", 1)).signer(name, number, 0);
    }
    let answer = check(&application, &many.sign());
    assert_eq!(
        (answer.code, answer.codespace.as_str()),
        (14, "sdk"),
        "{}",
        answer.log
    );
    assert!(answer.log.contains("signatures: 8, limit: 7"));
    many.body.messages.pop();
    many.signers.pop();
    assert_eq!(check(&application, &many.sign()).code, 0);
}

#[test]
fn the_minimum_price_binds_the_mempool_and_not_the_block() {
    let mut application = application("0.001upokt");
    let mut cheap = draft();
    cheap.fee.gas_limit = 200_001;
    cheap.fee.amount = vec![coin(200)];
    let answer = check(&application, &cheap.sign());
    assert_eq!((answer.code, answer.codespace.as_str()), (13, "sdk"));
    assert!(
        answer.log.contains("got: 200upokt required: 201upokt"),
        "{}",
        answer.log
    );
    let mut fair = cheap.clone();
    fair.fee.amount = vec![coin(201)];
    assert_eq!(check(&application, &fair.sign()).code, 0);
    assert_eq!(
        execute(&mut application, 2, &[cheap.sign()]).tx_results[0].code,
        0
    );
}

fn proposed(
    application: &Application,
    txs: &[bytes::Bytes],
    max_tx_bytes: i64,
) -> Vec<bytes::Bytes> {
    let request = RequestPrepareProposal {
        txs: txs.to_vec(),
        max_tx_bytes,
        height: 2,
        ..Default::default()
    };
    application.prepare_proposal(&request).unwrap().txs
}

fn accepted(application: &Application, txs: &[bytes::Bytes]) -> bool {
    let request = RequestProcessProposal {
        txs: txs.to_vec(),
        height: 2,
        ..Default::default()
    };
    let status = application.process_proposal(&request).unwrap().status;
    status == i32::from(ProposalStatus::Accept)
}

/// Transactions of alice with these sequences.
fn of_alice(sequences: std::ops::Range<u64>) -> Vec<bytes::Bytes> {
    let each = sequences.map(|sequence| transfer("alice", 0, sequence, "bob", 1).into());
    each.collect()
}

#[test]
fn proposals_keep_the_order_and_the_limit() {
    let application = application("0");
    let txs = of_alice(0..5);
    // In a block each takes its bytes, a tag and a length of two bytes.
    let size: usize = txs[..3].iter().map(|tx| tx.len() + 3).sum();
    let size = i64::try_from(size).unwrap();
    assert_eq!(proposed(&application, &txs, size), txs[..3]);
    assert_eq!(proposed(&application, &txs, size - 1), txs[..2]);
    assert!(accepted(&application, &txs));
}

#[test]
fn a_proposal_has_no_garbage_nothing_late_and_nothing_that_follows_what_was_left_out() {
    let application = application("0");
    let garbage = bytes::Bytes::from_static(b"garbage");
    let mut late = draft();
    late.body.timeout_height = 1;
    let late: bytes::Bytes = late.sign().into();
    let of_alice = of_alice(0..2);
    let of_bob = bytes::Bytes::from(transfer("bob", 1, 0, "alice", 1));
    let txs = [
        garbage.clone(),
        late.clone(),
        of_alice[1].clone(),
        of_bob.clone(),
    ];
    // alice's second transaction counts on the sequence of the one that is late.
    assert_eq!(
        proposed(&application, &txs, 100_000),
        std::slice::from_ref(&of_bob)
    );
    assert!(accepted(&application, &[late, of_bob.clone()]));
    assert!(!accepted(&application, &[of_bob, garbage]));
}

#[test]
fn a_proposal_has_no_more_gas_than_a_block() {
    let mut json = serde_json::to_value(document()).unwrap();
    json["consensus"]["params"]["block"]["max_gas"] = "700000".into();
    let document = serde_json::from_value(json).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let mut application = start(directory.path(), &document);
    execute(&mut application, 1, &[]);
    // Each may use 300,000.
    let txs = of_alice(0..3);
    assert_eq!(proposed(&application, &txs, 100_000), txs[..2]);
    assert!(accepted(&application, &txs[..2]));
    assert!(!accepted(&application, &txs));
}

#[test]
fn our_own_networks_bound_a_transaction_and_its_simulation_alike() {
    let mut builder = builder();
    builder.gas.tx_gas_max = 60_000;
    let document = builder.build().unwrap();
    let mut application = Application::in_memory(Options::default()).unwrap();
    application
        .init_chain(&document.init_chain(Vec::new()).unwrap())
        .unwrap();
    execute(&mut application, 1, &[]);
    let mut greedy = draft();
    greedy.fee.gas_limit = 60_001;
    let answer = check(&application, &greedy.sign());
    assert_eq!((answer.code, answer.codespace.as_str()), (41, "sdk"));
    let text = "tx gas limit 60001 exceeds block max gas 60000: invalid gas limit";
    assert_eq!(answer.log, text);
    let result = execute(&mut application, 2, &[greedy.sign()])
        .tx_results
        .remove(0);
    assert_eq!((result.code, result.codespace.as_str()), (41, "sdk"));
    // A simulation may use as much as a transaction, whatever limit it names.
    let many = (0..10).fold(draft(), |draft, _| draft.message(&send("alice", "bob", 5)));
    let error = application.reader().simulate(&many.sign()).unwrap_err();
    assert!(error.message.contains("out of gas in location"), "{error}");
    assert!(error.message.contains("gasWanted: 60000"), "{error}");
    // The prices are part of the state.
    let exported = application.reader().export(None).unwrap();
    assert_eq!(exported["relaymill"]["gas"]["tx_gas_max"], 60_000);
    assert_eq!(exported["relaymill"]["gas"]["ring_member"], 20_000);
}

#[test]
fn a_block_of_our_own_networks_is_bounded_in_gas() {
    let document = builder().build().unwrap();
    let mut application = Application::in_memory(Options::default()).unwrap();
    application
        .init_chain(&document.init_chain(Vec::new()).unwrap())
        .unwrap();
    let response = execute(&mut application, 1, &[]);
    let params = response.consensus_param_updates.unwrap();
    assert_eq!(params.block.unwrap().max_gas, chain::prices::BLOCK_GAS_MAX);
}

#[test]
fn a_simulation_takes_any_key() {
    let application = application("0upokt");
    // Bob's key, and his signature, where alice has to sign.
    let other = Draft::new("bob", 0, 0, &send("alice", "bob", 5)).sign();
    let answer = check(&application, &other);
    assert_eq!((answer.code, answer.codespace.as_str()), (8, "sdk"));
    application.reader().simulate(&other).unwrap();
    let late = Draft::new("bob", 0, 9, &send("alice", "bob", 5)).sign();
    let error = application.reader().simulate(&late).unwrap_err();
    assert!(
        error.message.contains("account sequence mismatch"),
        "{error}"
    );
}
