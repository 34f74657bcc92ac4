//! Applications from stake to payout: services, spend limits, delegations, transfers.

use std::collections::BTreeSet;
use std::ops::Bound;

use proto::pocket::application::{
    Application, MsgDelegateToGateway, MsgStakeApplication, MsgTransferApplication,
    MsgUndelegateFromGateway, MsgUnstakeApplication,
};
use proto::pocket::gateway::{MsgStakeGateway, MsgUnstakeGateway};
use proto::pocket::shared::ApplicationServiceConfig;

use super::{get, is_active, is_staked_for, state};
use crate::bank;
use crate::modules::tests::fixture::{self, FUNDS, address, balance, person, send, upokt};
use crate::rules::Rules;
use crate::testing::{TestChain, refused};

pub(crate) fn stake(name: &str, amount: u128, service_id: &str) -> MsgStakeApplication {
    MsgStakeApplication {
        address: address(name),
        stake: upokt(amount),
        services: vec![ApplicationServiceConfig {
            service_id: service_id.to_owned(),
        }],
        per_session_spend_limit: None,
    }
}

fn app(chain: &TestChain, name: &str) -> Application {
    chain.read(|ctx| get(ctx, &address(name)).unwrap()).unwrap()
}

/// Every key of the module except params and records must follow from a record.
fn assert_indexed(chain: &TestChain) {
    chain.read(|ctx| {
        let wanted: BTreeSet<Vec<u8>> = state::all(ctx)
            .unwrap()
            .iter()
            .flat_map(state::index_of)
            .collect();
        let keys = ctx
            .scan(b"application/", Bound::Unbounded, false, usize::MAX)
            .unwrap();
        let got = keys.into_iter().map(|(key, _)| key).filter(|key| {
            !key.starts_with(super::keys::APPLICATIONS) && key != super::keys::PARAMS
        });
        assert_eq!(got.collect::<BTreeSet<_>>(), wanted);
    });
}

fn with_gateways(people: &[&str]) -> TestChain {
    let mut chain = fixture::chain(
        Rules::reference(),
        &[people, &["gw1", "gw2", "gw3"]].concat(),
    );
    for gateway in ["gw1", "gw2", "gw3"] {
        let message = MsgStakeGateway {
            address: address(gateway),
            stake: upokt(1_000),
        };
        send(&mut chain, &message).unwrap();
    }
    chain
}

fn delegate(app: &str, gateway: &str) -> MsgDelegateToGateway {
    MsgDelegateToGateway {
        app_address: address(app),
        gateway_address: address(gateway),
    }
}

fn undelegate(app: &str, gateway: &str) -> MsgUndelegateFromGateway {
    MsgUndelegateFromGateway {
        app_address: address(app),
        gateway_address: address(gateway),
    }
}

#[test]
fn a_stake_moves_into_escrow_and_only_the_difference_follows() {
    let mut chain = fixture::chain(Rules::reference(), &["app"]);
    let events = send(&mut chain, &stake("app", 2_000, "svc1")).unwrap();
    assert_eq!(events, ["pocket.application.EventApplicationStaked"]);
    send(&mut chain, &stake("app", 2_500, "svc1")).unwrap();
    assert_eq!(balance(&chain, "app"), FUNDS - 2_500);
    assert_eq!(balance(&chain, "application"), 2_500);
    let log = refused(
        send(&mut chain, &stake("app", 2_500, "svc1")),
        "undefined",
        1,
    )
    .unwrap();
    assert!(log.contains("stake amount 2500upokt must be higher than previous stake amount"));
    let log = refused(
        send(&mut chain, &stake("app", FUNDS * 2, "svc1")),
        "undefined",
        1,
    )
    .unwrap();
    assert!(
        log.starts_with("rpc error: code = Internal desc = spendable balance"),
        "{log}"
    );
    assert_eq!(app(&chain, "app").stake, upokt(2_500));
}

/// Services with the heights from which and until when they count.
fn history(application: &Application) -> Vec<(&str, i64, i64)> {
    let entries = application.service_config_history.iter();
    entries
        .map(|entry| {
            let service = entry.service.as_ref().unwrap();
            (
                service.service_id.as_str(),
                entry.activation_height,
                entry.deactivation_height,
            )
        })
        .collect()
}

#[test]
fn another_service_counts_from_the_next_session_and_a_second_thought_replaces_the_first() {
    let mut chain = fixture::chain(Rules::reference(), &["app"]);
    send(&mut chain, &stake("app", 2_000, "svc1")).unwrap();
    chain.go_to(13);
    send(&mut chain, &stake("app", 2_001, "svc2")).unwrap();
    send(&mut chain, &stake("app", 2_002, "svc3")).unwrap();
    let app = app(&chain, "app");
    assert_eq!(history(&app), [("svc1", 1, 21), ("svc3", 21, 0)]);
    assert_eq!(app.service_configs[0].service_id, "svc3");
    assert!(is_staked_for(&app, "svc1", 20) && !is_staked_for(&app, "svc1", 21));
    assert!(is_staked_for(&app, "svc3", 21) && !is_staked_for(&app, "svc3", 20));
}

#[test]
fn a_spend_limit_is_kept_when_absent_and_cleared_by_zero() {
    let mut chain = fixture::chain(Rules::reference(), &["app"]);
    let limit = |amount, limit| MsgStakeApplication {
        per_session_spend_limit: limit,
        ..stake("app", amount, "svc1")
    };
    send(&mut chain, &limit(2_000, upokt(1_000_000))).unwrap();
    send(&mut chain, &limit(2_001, None)).unwrap();
    assert_eq!(app(&chain, "app").per_session_spend_limit, upokt(1_000_000));
    send(&mut chain, &limit(2_002, upokt(0))).unwrap();
    assert_eq!(app(&chain, "app").per_session_spend_limit, None);
}

#[test]
fn an_undelegated_gateway_is_remembered_until_no_session_can_need_it() {
    let mut chain = with_gateways(&["app"]);
    send(&mut chain, &stake("app", 2_000, "svc1")).unwrap();
    send(&mut chain, &delegate("app", "gw1")).unwrap();
    chain.go_to(13);
    send(&mut chain, &undelegate("app", "gw1")).unwrap();
    assert!(app(&chain, "app").delegatee_gateway_addresses.is_empty());
    assert_eq!(
        app(&chain, "app").pending_undelegations[&20].gateway_addresses,
        [address("gw1")]
    );
    assert_indexed(&chain);
    // Kept while 20 >= h - (1 + 2 * 10).
    fixture::run_to(&mut chain, 41);
    fixture::end_block(&mut chain);
    assert_eq!(app(&chain, "app").pending_undelegations.len(), 1);
    fixture::run_to(&mut chain, 42);
    fixture::end_block(&mut chain);
    assert!(app(&chain, "app").pending_undelegations.is_empty());
    assert_indexed(&chain);
}

#[test]
fn delegating_again_takes_the_undelegation_back() {
    let mut chain = with_gateways(&["app"]);
    send(&mut chain, &stake("app", 2_000, "svc1")).unwrap();
    send(&mut chain, &delegate("app", "gw1")).unwrap();
    send(&mut chain, &undelegate("app", "gw1")).unwrap();
    send(&mut chain, &delegate("app", "gw1")).unwrap();
    assert!(app(&chain, "app").pending_undelegations.is_empty());
    assert_indexed(&chain);
    let again = send(&mut chain, &delegate("app", "gw1"));
    assert!(
        refused(again, "undefined", 1)
            .unwrap()
            .contains("code = AlreadyExists")
    );
    send(&mut chain, &delegate("app", "gw2")).unwrap();
    let third = send(&mut chain, &delegate("app", "gw3"));
    assert!(
        refused(third, "undefined", 1)
            .unwrap()
            .contains("maximum number of delegated")
    );
}

#[test]
fn a_gateway_past_its_last_session_leaves_every_application() {
    let mut chain = with_gateways(&["app"]);
    send(&mut chain, &stake("app", 2_000, "svc1")).unwrap();
    send(&mut chain, &delegate("app", "gw1")).unwrap();
    send(&mut chain, &delegate("app", "gw2")).unwrap();
    chain.go_to(5);
    send(
        &mut chain,
        &MsgUnstakeGateway {
            address: address("gw1"),
        },
    )
    .unwrap();
    fixture::run_to(&mut chain, 11);
    assert_eq!(app(&chain, "app").delegatee_gateway_addresses.len(), 2);
    fixture::end_block(&mut chain);
    let app = app(&chain, "app");
    assert_eq!(app.delegatee_gateway_addresses, [address("gw2")]);
    assert_eq!(
        app.pending_undelegations[&20].gateway_addresses,
        [address("gw1")]
    );
    assert_indexed(&chain);
}

#[test]
fn an_unstaked_application_serves_its_session_and_is_paid_back_after_the_period() {
    let mut chain = fixture::chain(Rules::reference(), &["app"]);
    send(&mut chain, &stake("app", 2_000, "svc1")).unwrap();
    chain.go_to(13);
    send(
        &mut chain,
        &MsgUnstakeApplication {
            address: address("app"),
        },
    )
    .unwrap();
    assert!(is_active(&app(&chain, "app"), 20) && !is_active(&app(&chain, "app"), 30));
    let again = send(
        &mut chain,
        &MsgUnstakeApplication {
            address: address("app"),
        },
    );
    assert!(
        refused(again, "undefined", 1)
            .unwrap()
            .contains("application is in unbonding period")
    );
    let events = fixture::run_to(&mut chain, 41);
    let ended = (
        40,
        "pocket.application.EventApplicationUnbondingEnd".to_owned(),
    );
    assert_eq!(events, [ended]);
    assert_eq!(balance(&chain, "app"), FUNDS);
    assert_eq!(chain.read(|ctx| get(ctx, &address("app")).unwrap()), None);
    assert_indexed(&chain);
}

#[test]
fn a_stake_that_cannot_be_paid_back_is_reported_and_the_chain_goes_on() {
    let mut chain = fixture::chain(Rules::reference(), &["app"]);
    send(&mut chain, &stake("app", 2_000, "svc1")).unwrap();
    send(
        &mut chain,
        &MsgUnstakeApplication {
            address: address("app"),
        },
    )
    .unwrap();
    chain
        .run(|ctx| bank::burn(ctx, "application", &[bank::upokt(1)]))
        .unwrap();
    let kinds: Vec<String> = fixture::run_to(&mut chain, 31)
        .into_iter()
        .map(|(_, kind)| kind)
        .collect();
    assert_eq!(
        kinds,
        [
            "pocket.application.EventApplicationStakeStuckInModulePool",
            "pocket.application.EventApplicationUnbondingEnd"
        ]
    );
    assert_eq!(chain.read(|ctx| get(ctx, &address("app")).unwrap()), None);
}

#[test]
fn staking_again_ends_unbonding() {
    let mut chain = fixture::chain(Rules::reference(), &["app"]);
    send(&mut chain, &stake("app", 2_000, "svc1")).unwrap();
    send(
        &mut chain,
        &MsgUnstakeApplication {
            address: address("app"),
        },
    )
    .unwrap();
    let events = send(&mut chain, &stake("app", 2_001, "svc1")).unwrap();
    assert_eq!(
        events,
        [
            "pocket.application.EventApplicationUnbondingCanceled",
            "pocket.application.EventApplicationStaked"
        ]
    );
    assert_eq!(fixture::run_to(&mut chain, 45), []);
    assert_indexed(&chain);
}

#[test]
fn a_transfer_to_nobody_moves_the_record() {
    let mut chain = with_gateways(&["app"]);
    send(&mut chain, &stake("app", 2_000, "svc1")).unwrap();
    send(&mut chain, &delegate("app", "gw1")).unwrap();
    chain.go_to(13);
    send(&mut chain, &stake("app", 2_001, "svc2")).unwrap();
    let message = MsgTransferApplication {
        source_address: address("app"),
        destination_address: address("heir"),
    };
    send(&mut chain, &message).unwrap();
    assert!(!is_active(&app(&chain, "app"), 30));
    let events = fixture::run_to(&mut chain, 41);
    assert_eq!(
        events.last().unwrap(),
        &(30, "pocket.application.EventTransferEnd".to_owned())
    );
    let heir = app(&chain, "heir");
    assert_eq!(heir.stake, upokt(2_001));
    assert_eq!(heir.pending_transfer, None);
    assert_eq!(heir.delegatee_gateway_addresses, [address("gw1")]);
    let renamed = |entry: &proto::pocket::application::ApplicationServiceConfigUpdate| {
        entry.application_address == address("heir")
    };
    assert!(heir.service_config_history.iter().all(renamed));
    assert_eq!(chain.read(|ctx| get(ctx, &address("app")).unwrap()), None);
    assert_indexed(&chain);
}

#[test]
fn a_transfer_to_somebody_who_staked_meanwhile_merges_both() {
    let mut chain = with_gateways(&["app", "heir"]);
    let limited = |name, amount, limit| MsgStakeApplication {
        per_session_spend_limit: upokt(limit),
        ..stake(name, amount, "svc1")
    };
    send(&mut chain, &limited("app", 2_000, 3_000_000)).unwrap();
    send(&mut chain, &delegate("app", "gw1")).unwrap();
    let message = MsgTransferApplication {
        source_address: address("app"),
        destination_address: address("heir"),
    };
    send(&mut chain, &message).unwrap();
    send(&mut chain, &limited("heir", 1_500, 2_000_000)).unwrap();
    send(&mut chain, &delegate("heir", "gw2")).unwrap();
    fixture::run_to(&mut chain, 21);
    let heir = app(&chain, "heir");
    assert_eq!(heir.stake, upokt(3_500));
    assert_eq!(heir.per_session_spend_limit, upokt(2_000_000));
    assert_eq!(
        heir.delegatee_gateway_addresses,
        [address("gw2"), address("gw1")]
    );
    assert_eq!(heir.service_configs.len(), 1);
    assert_eq!(balance(&chain, "application"), 3_500);
    assert_indexed(&chain);
}

#[test]
fn no_limit_may_be_given_in_any_denomination() {
    let mut chain = fixture::chain(Rules::reference(), &["app"]);
    let limit = |amount, limit, denom: &str| MsgStakeApplication {
        per_session_spend_limit: Some(crate::bank::coin(limit, denom)),
        ..stake("app", amount, "svc1")
    };
    send(&mut chain, &limit(2_000, 1_000_000, "upokt")).unwrap();
    let message = limit(2_001, 5_000_000, "mact");
    let checked = crate::router::check(
        "pocket.application.MsgStakeApplication",
        &prost::Message::encode_to_vec(&message),
    );
    refused(checked.unwrap(), "application", 1118).unwrap();
    send(&mut chain, &limit(2_001, 0, "mact")).unwrap();
    assert_eq!(app(&chain, "app").per_session_spend_limit, None);
}

#[test]
fn a_merge_records_that_services_came_and_forgets_what_the_source_served_before() {
    let mut chain = with_gateways(&["app", "heir"]);
    send(&mut chain, &stake("app", 2_000, "svc1")).unwrap();
    let message = MsgTransferApplication {
        source_address: address("app"),
        destination_address: address("heir"),
    };
    send(&mut chain, &message).unwrap();
    send(&mut chain, &stake("heir", 1_500, "svc2")).unwrap();
    for name in ["heir", "app"] {
        send(&mut chain, &delegate(name, "gw1")).unwrap();
        send(&mut chain, &undelegate(name, "gw1")).unwrap();
        chain.go_to(11);
    }
    fixture::run_to(&mut chain, 21);
    let heir = app(&chain, "heir");
    assert_eq!(
        history(&heir),
        [("svc2", 1, 21), ("svc2", 21, 0), ("svc1", 21, 0)]
    );
    // Where both have undelegated a gateway, the destination's end counts.
    assert_eq!(heir.pending_undelegations.keys().collect::<Vec<_>>(), [&10]);
}

#[test]
fn a_genesis_names_the_application_that_is_wrong() {
    let mut chain = fixture::chain(Rules::reference(), &[]);
    let record = Application {
        address: person("app").to_bech32(),
        stake: upokt(5),
        ..Default::default()
    };
    let state = proto::pocket::application::GenesisState {
        params: chain.read(|ctx| super::params(ctx).unwrap()),
        application_list: vec![record.clone(), record],
    };
    let error = chain
        .run(|ctx| super::init_genesis(ctx, state))
        .unwrap_err();
    assert_eq!(
        (error.path.as_str(), error.reason.as_str()),
        ("application_list.1.address", "appears twice")
    );
}
