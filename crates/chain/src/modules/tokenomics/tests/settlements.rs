//! `tokenomics.settlements`: 56 settlements of the reference, run inside the state machine.

use std::collections::BTreeMap;

use prost::Message as _;
use proto::pocket::proof::Claim;
use proto::pocket::service::RelayMiningDifficulty;
use proto::pocket::shared::{ServiceConfigUpdate, ServiceRevenueShare};
use protocol::settlement::{Delegation, Validator};
use serde_json::Value;

use crate::error::ChainError;
use crate::modules::proof::tests::world::*;
use crate::modules::shared::{coin, keys};
use crate::modules::tokenomics::{BondedValidator, settlement};
use crate::modules::{application, proof, service, supplier};
use crate::rules::Rules;
use crate::testing::TestChain;

const SERVICE: &str = "svc-a";

/// A decimal of 18 places as the staking module holds it.
fn atto(value: &Value) -> u128 {
    let (whole, places) = text(value).split_once('.').unwrap();
    assert_eq!(places.len(), 18);
    format!("{whole}{places}").parse().unwrap()
}

fn validators(case: &Value) -> Vec<BondedValidator> {
    let delegation = |row: &Value| Delegation {
        delegator: text(&row["delegator"]).to_owned(),
        shares: atto(&row["shares"]),
    };
    let validator = |row: &Value| BondedValidator {
        operator_address: text(&row["operator"]).to_owned(),
        validator: Validator {
            account: text(&row["account"]).to_owned(),
            tokens: number(&row["tokens"]),
            delegator_shares: atto(&row["delegator_shares"]),
            commission_rate: atto(&row["commission_rate"]),
            delegations: row["delegations"]
                .as_array()
                .into_iter()
                .flatten()
                .map(delegation)
                .collect(),
        },
    };
    case["validators"]
        .as_array()
        .into_iter()
        .flatten()
        .map(validator)
        .collect()
}

/// The state that a case met, at its settlement height.
fn state_of(case: &Value, rules: Rules) -> TestChain {
    let mut world = World::new();
    let params = &case["params"];
    world.shared = proto::json::from_json(&params["shared"]).unwrap();
    world.proof = proto::json::from_json(&params["proof"]).unwrap();
    world.tokenomics = proto::json::from_json(&params["tokenomics"]).unwrap();
    world.application_min_stake = number(&params["app_min_stake"]);
    world.supplier_min_stake = number(&params["supplier_min_stake"]);
    let offered = &case["service"];
    world.service(SERVICE, number(&offered["cupr"]), text(&offered["owner"]));
    for row in case["applications"].as_array().unwrap() {
        let app = world.application(text(&row["address"]), SERVICE, number(&row["stake"]));
        let limit = &row["per_session_spend_limit"];
        app.per_session_spend_limit = (!limit.is_null()).then(|| coin::upokt(number(limit)));
    }
    let mut shares = Vec::new();
    for row in case["suppliers"].as_array().unwrap() {
        let (operator, owner) = (text(&row["operator"]), text(&row["owner"]));
        let whole = [(owner.to_owned(), 100)];
        let supplier = world.supplier(operator, owner, SERVICE, &whole, number(&row["stake"]));
        supplier.service_config_history[0].deactivation_height =
            number(&row["config_deactivation_height"]);
        shares.push((operator, row["rev_share"].as_array().unwrap()));
    }
    let mut chain = world.start(rules);
    for (operator, shares) in shares {
        set_rev_share(&mut chain, operator, shares);
    }
    let difficulty = RelayMiningDifficulty {
        service_id: SERVICE.to_owned(),
        block_height: 1,
        num_relays_ema: 1,
        target_hash: bytes(&offered["target_hash"]).into(),
    };
    chain
        .run(|ctx| service::set_difficulty(ctx, difficulty.clone(), difficulty))
        .unwrap();
    block_hash(&mut chain, 142, &bytes(&case["seed_block_hash_142"]));
    for row in list(&case["claims"]) {
        put_claim(
            &mut chain,
            &Claim::decode(bytes(&row["claim_bytes"]).as_slice()).unwrap(),
        );
    }
    chain.go_to(number(&case["settlement_height"]));
    chain
}

/// Writes the shares of a supplier's configuration past the checks that every way into the state makes: some cases
/// have lists that no message could have brought.
pub(super) fn set_rev_share(chain: &mut TestChain, operator: &str, shares: &[Value]) {
    let mut key = b"supplier/config/".to_vec();
    keys::text(&mut key, operator);
    keys::text(&mut key, SERVICE);
    keys::height(&mut key, 1);
    chain
        .run(|ctx| {
            let mut config: ServiceConfigUpdate = ctx.load(&key)?.unwrap();
            config.service.as_mut().unwrap().rev_share = shares
                .iter()
                .map(|row| ServiceRevenueShare {
                    address: text(&row["address"]).to_owned(),
                    rev_share_percentage: number(&row["pct"]),
                })
                .collect();
            ctx.save(key, &config);
            Ok::<_, ChainError>(())
        })
        .unwrap();
}

/// Changes of balances, in the form of the vectors.
fn changes(
    before: &BTreeMap<String, u128>,
    after: &BTreeMap<String, u128>,
) -> BTreeMap<String, i128> {
    let mut out = BTreeMap::new();
    for name in before.keys().chain(after.keys()) {
        let of = |all: &BTreeMap<String, u128>| {
            i128::try_from(all.get(name).copied().unwrap_or_default()).unwrap()
        };
        let module = ["application", "supplier", "tokenomics"]
            .into_iter()
            .find(|module| person(module) == *name);
        let shown = module.map_or(name.clone(), |module| format!("module:{module}"));
        if of(after) != of(before) {
            out.insert(shown, of(after) - of(before));
        }
    }
    out
}

#[test]
fn recorded_settlements() {
    let mut seen = BTreeMap::<String, usize>::new();
    for case in list(&poktroll()["tokenomics"]["settlements"]) {
        let name = &case["case"];
        assert!(case["result"]["error"].is_null());
        let mut chain = state_of(case, Rules::reference());
        let before = balances(&chain);
        let validators = validators(case);
        let mut events = chain
            .run(|ctx| {
                settlement::settle(ctx, |_| Ok(validators))?;
                Ok::<_, ChainError>(typed_events(ctx))
            })
            .unwrap();
        for (kind, _) in &events {
            *seen
                .entry(kind.rsplit('.').next().unwrap().to_owned())
                .or_default() += 1;
        }
        let batches = |events: &[Seen]| {
            events
                .iter()
                .filter(|(kind, _)| kind.ends_with("EventSettlementBatch"))
                .count()
        };
        if let Some(omitted) = case["settlement_batch_events_omitted"].as_u64() {
            assert_eq!(
                batches(&events),
                usize::try_from(omitted).unwrap(),
                "case {name}"
            );
            events.retain(|(kind, _)| !kind.ends_with("EventSettlementBatch"));
        }
        let mut expected = expected_events(&case["events"]);
        for (_, attributes) in &mut expected {
            for (_, value) in attributes {
                *value = value.replace(" [BUILD_PATH/errors.go:155]", "");
            }
        }
        for (ours, theirs) in events.iter().zip(&expected) {
            assert_eq!(ours, theirs, "case {name}");
        }
        assert_eq!(events.len(), expected.len(), "case {name}");
        let moved = changes(&before, &balances(&chain));
        let wanted: BTreeMap<String, i128> = case["balance_changes"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(who, amount)| (who.clone(), number(amount)))
            .collect();
        assert_eq!(moved, wanted, "case {name}");
        check_records(&chain, case);
    }
    for kind in [
        "EventClaimSettled",
        "EventClaimExpired",
        "EventClaimDiscarded",
        "EventApplicationOverserviced",
        "EventSupplierSlashed",
        "EventSupplierRevShareFallbackDistribution",
        "EventSettlementBatch",
        "EventValidatorRewardDistribution",
    ] {
        assert!(
            seen.get(kind).is_some_and(|count| *count > 0),
            "{kind}: {seen:?}"
        );
    }
}

fn check_records(chain: &TestChain, case: &Value) {
    let name = &case["case"];
    let (mut apps, mut suppliers) = (0, 0);
    for row in case["applications_after"].as_array().unwrap() {
        let app = chain
            .read(|ctx| application::get(ctx, text(&row["address"])))
            .unwrap()
            .unwrap();
        assert_eq!(
            coin::text(app.stake.as_ref().unwrap()),
            text(&row["stake"]),
            "case {name}"
        );
        let height: u64 = number(&row["unstake_session_end_height"]);
        assert_eq!(app.unstake_session_end_height, height, "case {name}");
        apps += 1;
    }
    for row in case["suppliers_after"].as_array().unwrap() {
        let operator = text(&row["operator"]);
        let supplier = chain
            .read(|ctx| supplier::get(ctx, operator))
            .unwrap()
            .unwrap();
        let stake = coin::text(supplier.stake.as_ref().unwrap());
        assert_eq!(stake, text(&row["stake"]), "case {name}");
        let height: u64 = number(&row["unstake_session_end_height"]);
        assert_eq!(supplier.unstake_session_end_height, height, "case {name}");
        suppliers += 1;
    }
    assert!(apps > 0 && suppliers > 0);
    let left = chain.read(proof::export_genesis).unwrap().claim_list.len();
    assert_eq!(left, number::<usize>(&case["claims_left"]), "case {name}");
}
