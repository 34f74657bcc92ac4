//! Settlements of random claims: no coin is lost or made, stakes stay covered, no claim has two outcomes.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proto::pocket::service::RelayMiningDifficulty;
use proto::pocket::session::SessionHeader;

use super::rules::value_of;
use crate::bank;
use crate::error::ChainError;
use crate::modules::proof::tests::world::*;
use crate::modules::shared::coin;
use crate::modules::tokenomics::end_block;
use crate::modules::{application, proof, service, supplier};
use crate::rules::Rules;

/// A claim: application, supplier, relays, status.
type Row = (usize, usize, u64, i32);

#[derive(Clone, Debug)]
struct Scene {
    mended: bool,
    claims: Vec<Row>,
    stakes: Vec<u128>,
    supplier_stakes: Vec<u128>,
    inflation: f64,
    mint_ratio: f64,
    bonus: u64,
    threshold: u128,
    penalty: u128,
    target: u8,
    stopped: bool,
}

fn scenes() -> impl Strategy<Value = Scene> {
    // Small claims too: with a small mint ratio they mint nothing and are discarded.
    let relays = prop_oneof![1..60u64, 1..2_000_000u64];
    let claim = (0..3usize, 0..4usize, relays, 0..3i32);
    let params = (
        prop::sample::select(vec![0.0, 1e-6, 0.1, 1.5]),
        prop::sample::select(vec![1.0, 0.975, 0.5, 0.0001]),
        prop::sample::select(vec![0, 1, 2, 50]),
        prop::sample::select(vec![0, 100, 1_000_000, u128::MAX]),
        prop::sample::select(vec![0, 1, 700, u128::MAX]),
        1..=255u8,
    );
    (
        any::<bool>(),
        any::<bool>(),
        prop::collection::vec(claim, 1..12),
        prop::collection::vec(0..2_000_000_000u128, 3),
        prop::collection::vec(0..2_000u128, 4),
        params,
    )
        .prop_map(
            |(mended, stopped, claims, stakes, supplier_stakes, params)| {
                let (inflation, mint_ratio, bonus, threshold, penalty, target) = params;
                Scene {
                    mended,
                    claims,
                    stakes,
                    supplier_stakes,
                    inflation,
                    mint_ratio,
                    bonus,
                    threshold,
                    penalty,
                    target,
                    stopped,
                }
            },
        )
}

fn sum(events: &[Seen], op_type: &str) -> u128 {
    let of_kind = events
        .iter()
        .filter(|(kind, _)| kind.ends_with("EventSettlementBatch"));
    of_kind
        .filter(|batch| value_of(batch, "op_type") == op_type)
        .map(|batch| upokt(value_of(batch, "total_amount")))
        .sum()
}

fn upokt(text: &str) -> u128 {
    text.trim_end_matches("upokt").parse().unwrap()
}

fn check(scene: &Scene) {
    let mut world = World::new();
    world.proof = proof_params(0.3, scene.threshold, scene.penalty, 1);
    world.tokenomics.global_inflation_per_claim = scene.inflation;
    world.tokenomics.mint_ratio = scene.mint_ratio;
    world.tokenomics.overservicing_bonus_multiplier = scene.bonus;
    world.application_min_stake = 1_000_000;
    world.supplier_min_stake = 1_000;
    world.service("llm", 1_000, &person("source"));
    let apps: Vec<String> = (0..3)
        .map(|index| person(&format!("app {index}")))
        .collect();
    let operators: Vec<String> = (0..4)
        .map(|index| person(&format!("operator {index}")))
        .collect();
    for (address, stake) in apps.iter().zip(&scene.stakes) {
        world.application(address, "llm", *stake);
    }
    for (operator, stake) in operators.iter().zip(&scene.supplier_stakes) {
        let shares = [(person("holder"), 33), (operator.clone(), 67)];
        world.supplier(operator, &person("owner"), "llm", &shares, *stake);
    }
    if scene.stopped {
        world.suppliers[0].service_config_history[0].deactivation_height = 141;
    }
    let rules = if scene.mended {
        Rules::mended()
    } else {
        Rules::reference()
    };
    let mut chain = world.start(rules);
    let mut target_hash = vec![0xff; 32];
    target_hash[0] = scene.target;
    let difficulty = RelayMiningDifficulty {
        service_id: "llm".to_owned(),
        block_height: 1,
        num_relays_ema: 1,
        target_hash: target_hash.into(),
    };
    chain
        .run(|ctx| service::set_difficulty(ctx, difficulty.clone(), difficulty))
        .unwrap();
    let mut due = BTreeMap::new();
    for (app, operator, relays, status) in &scene.claims {
        let header = SessionHeader {
            application_address: apps[*app].clone(),
            service_id: "llm".to_owned(),
            session_id: format!("{app}").repeat(64),
            session_start_block_height: 101,
            session_end_block_height: 120,
        };
        put_claim(
            &mut chain,
            &claim_of(&header, &operators[*operator], *relays, 1_000, *status),
        );
        due.insert((app, operator), ());
    }
    chain.go_to(153);
    let before = balances(&chain);
    let mut run = || {
        chain
            .run(|ctx| {
                end_block(ctx)?;
                Ok::<_, ChainError>(typed_events(ctx))
            })
            .unwrap()
    };
    let events = run();
    assert!(run().is_empty(), "something settled twice");

    let outcomes: Vec<(&str, &str)> = events
        .iter()
        .filter(|(kind, _)| {
            [
                "EventClaimSettled",
                "EventClaimExpired",
                "EventClaimDiscarded",
            ]
            .iter()
            .any(|outcome| kind.ends_with(outcome))
        })
        .map(|event| {
            (
                value_of(event, "application_address"),
                value_of(event, "supplier_operator_address"),
            )
        })
        .collect();
    let mut distinct = outcomes.clone();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(distinct.len(), due.len(), "each claim has an outcome");
    assert_eq!(outcomes.len(), due.len(), "each claim has one outcome");
    let left = chain.read(proof::export_genesis).unwrap().claim_list;
    assert!(left.is_empty());

    let after = balances(&chain);
    let slashed: u128 = events
        .iter()
        .filter(|(kind, _)| kind.ends_with("EventSupplierSlashed"))
        .map(|event| upokt(value_of(event, "proof_missing_penalty")))
        .sum();
    let (minted, burned) = (sum(&events, "mint"), sum(&events, "burn") + slashed);
    assert_eq!(after["supply"] + burned, before["supply"] + minted);
    let held = |balances: &BTreeMap<String, u128>| -> u128 {
        balances
            .iter()
            .filter(|(who, _)| *who != "supply")
            .map(|(_, amount)| amount)
            .sum()
    };
    assert_eq!(held(&after), after["supply"]);

    let backing = |module: &str| {
        chain
            .read(|ctx| bank::balance(ctx, &parse(&person(module)), bank::UPOKT))
            .unwrap()
    };
    let staked: u128 = apps
        .iter()
        .map(|address| {
            chain
                .read(|ctx| application::get(ctx, address))
                .unwrap()
                .unwrap()
        })
        .map(|app| coin::stored(app.stake.as_ref()).unwrap())
        .sum();
    let supplied: u128 = operators
        .iter()
        .map(|operator| {
            chain
                .read(|ctx| supplier::get(ctx, operator))
                .unwrap()
                .unwrap()
        })
        .map(|supplier| coin::stored(supplier.stake.as_ref()).unwrap())
        .sum();
    assert_eq!(backing("supplier"), supplied);
    if scene.mended {
        assert_eq!(backing("application"), staked);
    } else {
        assert!(backing("application") >= staked);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn coins_are_conserved_and_claims_settle_once(scene in scenes()) {
        check(&scene);
    }
}
