//! Suppliers: who may change what, when services count, slashing, and what a lookup reads.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use proptest::prelude::*;
use prost::{Message as _, Name as _};
use proto::pocket::shared::msg_update_param::AsType;
use proto::pocket::shared::{MsgUpdateParam, Supplier};
use proto::pocket::supplier::{MsgStakeSupplier, MsgUnstakeSupplier};
use serde_json::Value;

use super::{active_configs_at, candidates_at, configs_of, get, keys, slash, state};
use crate::error::TxError;
use crate::modules::tests::fixture::{self, FUNDS, SERVICES, address, balance, offer, send, upokt};
use crate::router;
use crate::rules::Rules;
use crate::testing::{TestChain, refused};

fn stake(signer: &str, amount: Option<u128>, services: &[&str]) -> MsgStakeSupplier {
    MsgStakeSupplier {
        signer: address(signer),
        owner_address: address("owner"),
        operator_address: address("op"),
        stake: amount.and_then(upokt),
        services: services
            .iter()
            .map(|service| offer(service, "op"))
            .collect(),
    }
}

fn staked(rules: Rules) -> TestChain {
    let mut chain = fixture::chain(rules, &["op", "owner"]);
    send(&mut chain, &stake("op", Some(3_000), &["svc1", "svc2"])).unwrap();
    chain
}

fn supplier(chain: &TestChain) -> Supplier {
    chain.read(|ctx| get(ctx, &address("op")).unwrap()).unwrap()
}

fn offered(chain: &TestChain, height: i64) -> Vec<String> {
    let configs = chain.read(|ctx| active_configs_at(ctx, &address("op"), height).unwrap());
    configs
        .into_iter()
        .map(|config| config.service_id)
        .collect()
}

/// Every index entry must follow from a recorded configuration.
fn assert_indexed(chain: &TestChain) {
    chain.read(|ctx| {
        let mut wanted = BTreeSet::new();
        for supplier in state::all(ctx).unwrap() {
            for config in configs_of(ctx, &supplier.operator_address).unwrap() {
                let (operator, service) = (&config.operator_address, state::service_of(&config));
                let (from, until) = (config.activation_height, config.deactivation_height);
                wanted.insert(keys::by_service(service, from, operator));
                wanted.insert(keys::activation(from, service, operator));
                if until != 0 {
                    wanted.insert(keys::deactivation(until, service, from, operator));
                }
            }
        }
        let mut got = BTreeSet::new();
        for table in [keys::BY_SERVICE, keys::ACTIVATIONS, keys::DEACTIVATIONS] {
            let pairs = ctx
                .scan(table, Bound::Unbounded, false, usize::MAX)
                .unwrap();
            got.extend(pairs.into_iter().map(|(key, _)| key));
        }
        assert_eq!(got, wanted);
    });
}

#[test]
fn a_supplier_serves_from_the_next_session_and_is_announced_then() {
    let mut chain = staked(Rules::reference());
    assert_eq!(balance(&chain, "op"), FUNDS - 3_001);
    assert!(offered(&chain, 10).is_empty());
    let activated = "pocket.supplier.EventSupplierServiceConfigActivated".to_owned();
    let events = fixture::run_to(&mut chain, 11);
    assert_eq!(events, [(11, activated.clone()), (11, activated)]);
    assert_eq!(offered(&chain, 11), ["svc1", "svc2"]);
}

#[test]
fn services_change_without_gap_and_old_ones_are_kept_until_their_claims_are_settled() {
    let mut chain = staked(Rules::reference());
    fixture::run_to(&mut chain, 15);
    send(&mut chain, &stake("op", None, &["svc2"])).unwrap();
    send(&mut chain, &stake("op", None, &["svc3"])).unwrap();
    assert_eq!(offered(&chain, 20), ["svc1", "svc2"]);
    assert_eq!(offered(&chain, 21), ["svc3"]);
    assert_indexed(&chain);
    // The session that ended at 20 settles at 30.
    fixture::run_to(&mut chain, 31);
    assert_eq!(offered(&chain, 20), ["svc1", "svc2"]);
    fixture::end_block(&mut chain);
    assert!(offered(&chain, 20).is_empty());
    assert_eq!(offered(&chain, 31), ["svc3"]);
    assert_indexed(&chain);
}

fn unstake_op() -> MsgUnstakeSupplier {
    MsgUnstakeSupplier {
        signer: address("op"),
        operator_address: address("op"),
    }
}

fn change_param(chain: &mut TestChain, name: &str, value: u64) {
    let message = MsgUpdateParam {
        authority: address("gov"),
        name: name.to_owned(),
        as_type: Some(AsType::AsUint64(value)),
    };
    send(chain, &message).unwrap();
}

/// Shorter windows do not forget configurations that claims of sessions with longer ones still need.
#[test]
fn configurations_are_kept_as_long_as_the_windows_of_their_last_session_say() {
    let run = |rules: Rules| {
        let mut chain = staked(rules);
        fixture::run_to(&mut chain, 15);
        send(&mut chain, &stake("op", None, &["svc3"])).unwrap();
        change_param(&mut chain, "claim_window_close_offset_blocks", 1);
        // The session that ended at 20 settles at 30; with the windows that are live from 21 on it would at 27.
        fixture::run_to(&mut chain, 28);
        assert_eq!(offered(&chain, 20), ["svc1", "svc2"]);
        fixture::run_to(&mut chain, 29);
        let kept = offered(&chain, 20).len();
        fixture::run_to(&mut chain, 32);
        assert!(offered(&chain, 20).is_empty());
        assert_indexed(&chain);
        kept
    };
    assert_eq!(run(Rules::reference()), 2);
    assert_eq!(run(Rules::mended()), 2);
}

/// The first block of a new session length still counts in the old one, so that what is staked there begins to serve
/// within a session, and nobody is told.
#[test]
fn what_starts_within_a_session_starts_without_an_event() {
    let run = |rules: Rules| {
        let mut chain = fixture::chain(rules, &["op", "owner"]);
        chain.go_to(15);
        change_param(&mut chain, "num_blocks_per_session", 7);
        fixture::run_to(&mut chain, 21);
        send(&mut chain, &stake("op", Some(3_000), &["svc1"])).unwrap();
        let events = fixture::run_to(&mut chain, 40);
        let kind = "EventSupplierServiceConfigActivated";
        let activated = events.iter().filter(|(_, event)| event.ends_with(kind));
        let heights: Vec<i64> = activated.map(|(height, _)| *height).collect();
        let from = (21..40).find(|height| !offered(&chain, *height).is_empty());
        (from, heights)
    };
    assert_eq!(run(Rules::reference()), (Some(31), vec![]));
    assert_eq!(run(Rules::mended()), (Some(28), vec![28]));
}

#[test]
fn less_stake_goes_to_the_owner_and_the_fee_comes_from_the_signer() {
    let mut chain = staked(Rules::reference());
    send(&mut chain, &stake("op", Some(2_000), &[])).unwrap();
    assert_eq!(balance(&chain, "owner"), FUNDS + 1_000);
    assert_eq!(balance(&chain, "op"), FUNDS - 3_002);
    send(&mut chain, &stake("owner", Some(2_500), &[])).unwrap();
    assert_eq!(balance(&chain, "owner"), FUNDS + 1_000 - 501);
    assert_eq!(balance(&chain, "supplier"), 2_500 + 3);
    let log = refused(
        send(&mut chain, &stake("op", Some(999), &[])),
        "undefined",
        1,
    )
    .unwrap();
    assert!(log.contains("must stake at least 1000upokt"));
}

#[test]
fn owner_and_operator_have_different_rights_and_strangers_none() {
    let mut chain = staked(Rules::reference());
    let by = |signer: &str, owner: &str| MsgStakeSupplier {
        owner_address: address(owner),
        ..stake(signer, None, &[])
    };
    let log = refused(send(&mut chain, &by("eve", "owner")), "undefined", 1).unwrap();
    assert!(log.contains("does not match owner address"));
    let log = refused(send(&mut chain, &by("op", "op")), "undefined", 1).unwrap();
    assert!(log.contains("is not allowed to update the owner address"));
    // A module is one as soon as it has an account.
    let mut without_account = chain.clone();
    send(&mut without_account, &by("owner", "gov")).unwrap();
    chain
        .run(|ctx| crate::auth::ensure_module_account(ctx, "gov").map(drop))
        .unwrap();
    let log = refused(send(&mut chain, &by("owner", "gov")), "undefined", 1).unwrap();
    assert!(log.contains("is a module account and cannot be used"));
    send(&mut chain, &by("owner", "heir")).unwrap();
    assert_eq!(supplier(&chain).owner_address, address("heir"));
    let message = MsgUnstakeSupplier {
        signer: address("owner"),
        operator_address: address("op"),
    };
    let log = refused(send(&mut chain, &message), "undefined", 1).unwrap();
    assert!(log.starts_with("rpc error: code = PermissionDenied"));
}

#[test]
fn an_unstaked_supplier_is_paid_out_to_its_owner() {
    let mut chain = staked(Rules::reference());
    fixture::run_to(&mut chain, 15);
    let message = unstake_op();
    send(&mut chain, &message).unwrap();
    assert_eq!(offered(&chain, 20), ["svc1", "svc2"]);
    assert!(offered(&chain, 21).is_empty());
    let events = fixture::run_to(&mut chain, 45);
    assert_eq!(
        events,
        [(40, "pocket.supplier.EventSupplierUnbondingEnd".to_owned())]
    );
    assert_eq!(balance(&chain, "owner"), FUNDS + 3_000);
    assert_eq!(chain.read(|ctx| get(ctx, &address("op")).unwrap()), None);
    assert_indexed(&chain);
}

#[test]
fn only_the_owner_revives_and_services_stay_closed() {
    let mut chain = staked(Rules::reference());
    fixture::run_to(&mut chain, 15);
    let message = unstake_op();
    send(&mut chain, &message).unwrap();
    let log = refused(send(&mut chain, &stake("op", None, &[])), "undefined", 1).unwrap();
    assert!(log.contains("unauthorized supplier update"));
    let events = send(&mut chain, &stake("owner", None, &[])).unwrap();
    assert_eq!(
        events,
        [
            "pocket.supplier.EventSupplierUnbondingCanceled",
            "pocket.supplier.EventSupplierStaked"
        ]
    );
    assert!(offered(&chain, 21).is_empty());
    assert_eq!(fixture::run_to(&mut chain, 45), []);
}

#[test]
fn unstaking_reopens_what_was_closed_unless_mended() {
    for (mended, offers) in [(false, 2), (true, 1)] {
        let mut rules = Rules::reference();
        if mended {
            rules.closed_configs_stay_closed = true;
        }
        let mut chain = staked(rules);
        fixture::run_to(&mut chain, 15);
        send(&mut chain, &stake("op", None, &["svc1"])).unwrap();
        fixture::run_to(&mut chain, 25);
        assert_eq!(offered(&chain, 25), ["svc1"]);
        let message = unstake_op();
        send(&mut chain, &message).unwrap();
        assert_eq!(
            offered(&chain, 25)
                .iter()
                .filter(|id| *id == "svc1")
                .count(),
            offers
        );
        assert!(offered(&chain, 31).is_empty());
        assert_indexed(&chain);
    }
}

#[test]
fn a_revival_shows_what_is_offered_now_and_new_services_first() {
    let mut chain = staked(Rules::reference());
    fixture::run_to(&mut chain, 15);
    let message = unstake_op();
    send(&mut chain, &message).unwrap();
    let by_owner = MsgStakeSupplier {
        owner_address: address("op"),
        ..stake("owner", None, &[])
    };
    send(&mut chain, &by_owner).unwrap();
    send(&mut chain, &message).unwrap();
    let again = MsgStakeSupplier {
        owner_address: address("op"),
        ..stake("op", None, &["svc3", "svc2"])
    };
    let events = chain
        .run(|ctx| {
            router::execute(ctx, &MsgStakeSupplier::full_name(), &again.encode_to_vec())
                .unwrap()?;
            Ok::<_, TxError>(ctx.take_events())
        })
        .unwrap();
    let canceled = events
        .iter()
        .find(|event| event.r#type.ends_with("EventSupplierUnbondingCanceled"))
        .and_then(|event| event.attributes.iter().find(|pair| pair.key == "supplier"))
        .unwrap();
    let shown: Value = serde_json::from_str(&canceled.value).unwrap();
    let of_each = |list: &Value, pointers: &[&str]| -> Vec<String> {
        let text = |item: &Value, pointer: &str| item.pointer(pointer).unwrap().to_string();
        let items = list.as_array().unwrap().iter();
        items
            .map(|item| {
                let parts: Vec<String> = pointers.iter().map(|at| text(item, at)).collect();
                parts.join(" ").replace('"', "")
            })
            .collect()
    };
    assert_eq!(
        of_each(&shown["services"], &["/service_id"]),
        ["svc1", "svc2"]
    );
    let pointers = [
        "/service/service_id",
        "/activation_height",
        "/deactivation_height",
    ];
    assert_eq!(
        of_each(&shown["service_config_history"], &pointers),
        ["svc3 21 0", "svc2 21 0", "svc1 11 21", "svc2 11 21"]
    );
}

#[test]
fn a_slash_takes_what_is_there_and_burns_it() {
    let mut chain = staked(Rules::reference());
    let supply = |chain: &TestChain| chain.read(|ctx| crate::bank::supply(ctx, "upokt").unwrap());
    let before = supply(&chain);
    let slashed = |chain: &mut TestChain, penalty| {
        chain
            .run(|ctx| slash(ctx, &address("op"), penalty, &[]))
            .unwrap()
            .unwrap()
    };
    let first = slashed(&mut chain, 500);
    assert_eq!((first.penalty_upokt, first.stake_after_upokt), (500, 2_500));
    assert_eq!(supplier(&chain).unstake_session_end_height, 0);
    let second = slashed(&mut chain, 9_000);
    assert_eq!((second.penalty_upokt, second.stake_after_upokt), (2_500, 0));
    assert_eq!(supply(&chain), before - 3_000);
    assert_eq!(supplier(&chain).unstake_session_end_height, 10);
    assert_eq!(
        chain
            .run(|ctx| slash(ctx, &address("eve"), 1, &[]))
            .unwrap(),
        None
    );
}

#[test]
fn a_supplier_slashed_below_the_minimum_serves_on_unless_mended() {
    let outcome = |rules| {
        let mut chain = staked(rules);
        fixture::run_to(&mut chain, 15);
        chain
            .run(|ctx| slash(ctx, &address("op"), 2_500, &["svc2".to_owned()]))
            .unwrap();
        let serves = !offered(&chain, 21).is_empty();
        fixture::run_to(&mut chain, 45);
        (serves, balance(&chain, "owner"))
    };
    assert_eq!(outcome(Rules::reference()), (true, FUNDS));
    assert_eq!(outcome(Rules::mended()), (false, FUNDS + 500));
}

#[test]
fn a_genesis_supplier_with_services_but_no_record_serves_from_the_start() {
    let mut chain = fixture::chain(Rules::reference(), &[]);
    let params = chain.read(|ctx| super::params(ctx).unwrap());
    let record = Supplier {
        owner_address: address("op"),
        operator_address: address("op"),
        stake: upokt(5_000),
        services: vec![offer("svc1", "op")],
        ..Default::default()
    };
    let mut state = proto::pocket::supplier::GenesisState {
        params,
        supplier_list: vec![record],
    };
    chain
        .run(|ctx| super::init_genesis(ctx, state.clone()))
        .unwrap();
    assert_eq!(offered(&chain, 1), ["svc1"]);
    let exported = chain.read(|ctx| super::export_genesis(ctx).unwrap());
    assert_eq!(
        exported.supplier_list[0].service_config_history[0].activation_height,
        1
    );
    // Where two configurations of a service serve, an export shows it twice.
    let mut twice = exported.supplier_list[0].clone();
    let mut second = twice.service_config_history[0].clone();
    second.activation_height = 3;
    twice.service_config_history.push(second);
    twice.services.push(twice.services[0].clone());
    state.supplier_list = vec![twice.clone()];
    let mut chain = fixture::chain(Rules::reference(), &[]);
    chain
        .run(|ctx| super::init_genesis(ctx, state.clone()))
        .unwrap();
    assert_eq!(offered(&chain, 3), ["svc1", "svc1"]);
    twice.service_config_history.clear();
    state.supplier_list = vec![twice];
    let mut chain = fixture::chain(Rules::reference(), &[]);
    let refused = chain.run(|ctx| super::init_genesis(ctx, state));
    assert!(refused.is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Against the plain meaning: a session is served with what was last given before it began.
    #[test]
    fn services_at_a_height_are_the_last_given_before_its_session(
        steps in prop::collection::vec((0_i64..9, 1_usize..8), 1..8),
    ) {
        let mut chain = fixture::chain(Rules::reference(), &["op", "owner"]);
        let mut given = BTreeMap::<i64, Vec<String>>::new();
        for (wait, choice) in steps {
            let height = chain.block.height + wait;
            fixture::run_to(&mut chain, height);
            let services: Vec<&str> = SERVICES
                .iter()
                .enumerate()
                .filter(|(index, _)| choice & (1 << index) != 0)
                .map(|(_, id)| *id)
                .collect();
            send(&mut chain, &stake("op", Some(3_000), &services)).unwrap();
            let next_start = (height - 1) / 10 * 10 + 11;
            given.insert(next_start, services.into_iter().map(str::to_owned).collect());
        }
        assert_indexed(&chain);
        let now = chain.block.height;
        for height in now..now + 25 {
            let wanted = given.range(..=height).next_back().map_or(Vec::new(), |(_, s)| s.clone());
            prop_assert_eq!(offered(&chain, height), wanted.clone());
            for service in SERVICES {
                let found = chain.read(|ctx| candidates_at(ctx, service, height).unwrap());
                prop_assert_eq!(!found.operators.is_empty(), wanted.iter().any(|id| id == service));
            }
        }
    }
}
