//! Vectors of difficulty updates, of what validators get, and of how a supplier's share is split, in the state.

use std::collections::BTreeMap;

use proto::pocket::service::RelayMiningDifficulty;
use protocol::settlement::{Delegation, Validator};
use serde_json::Value;

use crate::error::ChainError;
use crate::modules::proof::tests::world::*;
use crate::modules::tokenomics::{BondedValidator, difficulty, settlement};
use crate::modules::{service, shared};
use crate::rules::Rules;

/// Sessions of ten blocks, as by default.
fn world(target_num_relays: u64) -> World {
    let mut world = World::new();
    world.shared = crate::modules::tests::fixture::PARAMS;
    world.target_num_relays = target_num_relays;
    world.service("svc", 1_000, &person("source"));
    world
}

#[test]
fn difficulties_move_as_in_the_reference() {
    let updates = &poktroll()["proof_path"]["difficulty_update_keeper"]["updates"];
    let mut seen = 0;
    for update in list(updates) {
        let mut chain = world(number(&update["target_num_relays"])).start(Rules::reference());
        if !update["prev_ema"].is_null() {
            let previous = RelayMiningDifficulty {
                service_id: "svc".to_owned(),
                block_height: 1,
                num_relays_ema: number(&update["prev_ema"]),
                target_hash: vec![0xff; 32].into(),
            };
            chain
                .run(|ctx| service::set_difficulty(ctx, previous.clone(), previous))
                .unwrap();
        }
        for step in list(&update["steps"]) {
            let relays: u64 = number(&step["num_relays"]);
            chain.go_to(number(&step["height"]));
            let before = chain.read(|ctx| service::difficulty(ctx, "svc")).unwrap();
            let events = chain
                .run(|ctx| {
                    difficulty::update(ctx, &BTreeMap::from([("svc".to_owned(), relays)]))?;
                    Ok::<_, ChainError>(typed_events(ctx))
                })
                .unwrap();
            // Above 2^63 - 1 the reference computes with a negative number, and at 0 it panics.
            if !step["panic"].is_null() || number::<u64>(&step["new_ema"]) > i64::MAX as u64 {
                break;
            }
            let latest = chain
                .read(|ctx| service::difficulty(ctx, "svc"))
                .unwrap()
                .unwrap();
            assert_eq!(
                latest.num_relays_ema,
                number::<u64>(&step["new_ema"]),
                "{step}"
            );
            assert_eq!(
                hex::encode(&latest.target_hash),
                text(&step["new_target_hash"]),
                "{step}"
            );
            if let Some(expected) = step["latest"]["block_height"].as_i64() {
                assert_eq!(latest.block_height, expected, "{step}");
            }
            // The vectors leave open what target an old average had.
            if before.is_none_or(|before| before.block_height > 1) && !step["events"].is_null() {
                assert_eq!(events, expected_events(&step["events"]), "{step}");
            }
            seen += 1;
        }
    }
    assert!(seen > 70, "{seen}");
}

/// What counts while nothing has settled, at a height and now.
#[test]
fn a_service_without_a_record_has_the_base_difficulty() {
    let group = &poktroll()["proof_path"]["difficulty_update_keeper"];
    let mut chain = world(100_000).start(Rules::reference());
    chain.go_to(50);
    for lookup in [
        "lookup_without_history_at_height",
        "lookup_latest_without_record",
    ] {
        let expected: RelayMiningDifficulty =
            proto::json::from_json(&group[lookup]["difficulty"]).unwrap();
        let found = chain.read(|ctx| service::difficulty_at(ctx, &expected.service_id, 40));
        assert_eq!(found.unwrap(), expected, "{lookup}");
        let latest = chain.read(|ctx| service::difficulty(ctx, &expected.service_id));
        assert_eq!(latest.unwrap(), None);
    }
}

/// A number of the staking module times 10^18.
fn atto(value: &Value) -> u128 {
    let (whole, places) = text(value).split_once('.').unwrap_or((text(value), ""));
    format!("{whole}{places:0<18}").parse().unwrap()
}

fn validators(case: &Value) -> Vec<BondedValidator> {
    let validators = case["validators"].as_array().into_iter().flatten();
    let read = |row: &Value| {
        let delegations = row["delegations"].as_array().into_iter().flatten();
        BondedValidator {
            operator_address: text(&row["operator"]).to_owned(),
            validator: Validator {
                account: text(&row["account"]).to_owned(),
                tokens: number(&row["tokens"]),
                delegator_shares: atto(&row["delegator_shares"]),
                commission_rate: atto(&row["commission_rate"]),
                delegations: delegations
                    .map(|delegation| Delegation {
                        delegator: text(&delegation["delegator"]).to_owned(),
                        shares: atto(&delegation["shares"]),
                    })
                    .collect(),
            },
        }
    };
    validators.map(read).collect()
}

#[test]
fn validators_and_delegators_get_what_they_get_in_the_reference() {
    let mut seen = 0;
    for case in list(&poktroll()["tokenomics"]["validator_distribution"]) {
        let amount: u128 = text(&case["amount"])
            .trim_end_matches("upokt")
            .parse()
            .unwrap();
        let reason: i32 = number(&case["op_reason"]);
        let mut chain = world(1).start(Rules::reference());
        let validators = validators(case);
        let (payments, events) = chain
            .run(|ctx| {
                let payments = settlement::reward(ctx, &validators, amount, reason)?;
                Ok::<_, ChainError>((payments, typed_events(ctx)))
            })
            .unwrap();
        let expected = case["transfers"]["mod_to_acct"]
            .as_array()
            .into_iter()
            .flatten();
        let expected: BTreeMap<String, u128> = expected
            .map(|transfer| {
                let amount = text(&transfer[2]).trim_end_matches("upokt").parse();
                (text(&transfer[1]).to_owned(), amount.unwrap())
            })
            .collect();
        assert_eq!(payments, expected, "{case}");
        let without_end = |events: Vec<Seen>| {
            let events = events.into_iter().map(|(kind, mut attributes)| {
                attributes.retain(|(key, _)| key != "session_end_block_height");
                (kind, attributes)
            });
            events.collect::<Vec<_>>()
        };
        assert_eq!(
            without_end(events),
            without_end(expected_events(&case["events"])),
            "{case}"
        );
        seen += usize::from(amount > 0);
        assert!(chain.read(shared::params).is_ok());
    }
    assert!(seen > 20, "{seen}");
}
