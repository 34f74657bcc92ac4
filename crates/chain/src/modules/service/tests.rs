//! Services: fee, owner, prices and difficulties by height.

use proto::cosmos::auth::v1beta1::BaseAccount;
use proto::cosmos::vesting::v1beta1::{BaseVestingAccount, PermanentLockedAccount};
use proto::pocket::service::{MsgAddService, MsgTransferService, RelayMiningDifficulty};
use proto::pocket::shared::{Metadata, Service};

use super::{compute_units_at, difficulty, difficulty_at, get, set_difficulty};
use crate::auth::{self, Account};
use crate::error::ChainError;
use crate::modules::tests::fixture::{self, FUNDS, address, balance, send};
use crate::rules::Rules;
use crate::testing::refused;

fn add(id: &str, owner: &str, units: u64) -> MsgAddService {
    MsgAddService {
        owner_address: address(owner),
        service: Service {
            id: id.to_owned(),
            name: "a name".to_owned(),
            compute_units_per_relay: units,
            owner_address: address(owner),
            metadata: None,
        },
    }
}

#[test]
fn a_new_service_costs_the_fee_and_its_price_counts_from_the_session_start() {
    let mut chain = fixture::chain(Rules::reference(), &["source"]);
    chain.go_to(13);
    send(&mut chain, &add("new", "source", 5)).unwrap();
    assert_eq!(balance(&chain, "source"), FUNDS - 500);
    assert_eq!(balance(&chain, "service"), 500);
    chain.read(|ctx| {
        assert_eq!(compute_units_at(ctx, "new", 11).unwrap(), Some(5));
        assert_eq!(compute_units_at(ctx, "unknown", 11).unwrap(), None);
    });
}

#[test]
fn the_owner_must_keep_something_after_the_fee() {
    let mut chain = fixture::chain(Rules::reference(), &[]);
    chain.fund(&fixture::person("poor"), 500).unwrap();
    let log = refused(send(&mut chain, &add("new", "poor", 5)), "undefined", 1).unwrap();
    assert!(log.contains("account has 500, but the service fee is 500upokt: not enough funds"));
    chain.fund(&fixture::person("poor"), 1).unwrap();
    send(&mut chain, &add("new", "poor", 5)).unwrap();
}

/// What vesting binds pays no fee.
#[test]
fn bound_coins_do_not_count() {
    let mut chain = fixture::chain(Rules::reference(), &["source"]);
    let source = fixture::person("source");
    let locked = Account::PermanentLocked(PermanentLockedAccount {
        base_vesting_account: Some(BaseVestingAccount {
            base_account: Some(BaseAccount {
                address: address("source"),
                ..Default::default()
            }),
            original_vesting: vec![crate::bank::upokt(FUNDS - 500)],
            ..Default::default()
        }),
    });
    chain
        .run(|ctx| {
            auth::save_account(ctx, &source, &locked);
            Ok::<_, crate::error::ChainError>(())
        })
        .unwrap();
    let log = refused(send(&mut chain, &add("new", "source", 5)), "undefined", 1).unwrap();
    assert!(log.contains("account has 500, but the service fee is 500upokt: not enough funds"));
    chain.fund(&source, 1).unwrap();
    send(&mut chain, &add("new", "source", 5)).unwrap();
}

#[test]
fn a_service_goes_to_another_owner_and_not_to_the_same() {
    let mut chain = fixture::chain(Rules::reference(), &["source"]);
    send(&mut chain, &add("new", "source", 5)).unwrap();
    let to = |owner: &str| MsgTransferService {
        owner_address: address("source"),
        service_id: "new".to_owned(),
        new_owner_address: address(owner),
    };
    let log = refused(send(&mut chain, &to("source")), "undefined", 1).unwrap();
    assert!(log.ends_with("invalid owner address"));
    send(&mut chain, &to("other")).unwrap();
    let owner = chain.read(|ctx| get(ctx, "new").unwrap().unwrap().owner_address);
    assert_eq!(owner, address("other"));
}

#[test]
fn a_price_change_is_live_at_once_and_prices_sessions_from_the_next_start() {
    let mut chain = fixture::chain(Rules::reference(), &["source"]);
    chain.go_to(13);
    let mut message = add("svc1", "source", 9);
    message.service.metadata = Some(Metadata {
        card: "card".to_owned().into(),
    });
    send(&mut chain, &message).unwrap();
    send(&mut chain, &add("svc1", "source", 9)).unwrap();
    assert_eq!(balance(&chain, "source"), FUNDS);
    chain.read(|ctx| {
        let service = get(ctx, "svc1").unwrap().unwrap();
        assert_eq!(service.compute_units_per_relay, 9);
        assert_eq!(service.metadata.unwrap().card, "card");
        assert_eq!(compute_units_at(ctx, "svc1", 20).unwrap(), Some(7));
        assert_eq!(compute_units_at(ctx, "svc1", 21).unwrap(), Some(9));
    });
    let log = refused(send(&mut chain, &add("svc1", "eve", 1)), "undefined", 1).unwrap();
    assert!(log.contains("does not match the new owner address"));
}

#[test]
fn the_first_difficulty_records_what_counted_before() {
    let mut chain = fixture::chain(Rules::reference(), &[]);
    let of = |block_height, byte: u8| RelayMiningDifficulty {
        service_id: "svc1".to_owned(),
        block_height,
        num_relays_ema: 5,
        target_hash: vec![byte; 32].into(),
    };
    chain.go_to(13);
    chain
        .run(|ctx| set_difficulty(ctx, of(0, 1), of(21, 2)))
        .unwrap();
    chain.read(|ctx| {
        let base = difficulty_at(ctx, "svc1", 12).unwrap();
        assert_eq!((base.num_relays_ema, base.block_height), (100, 0));
        assert_eq!(base.target_hash, vec![0xff; 32]);
        assert_eq!(difficulty_at(ctx, "svc1", 13).unwrap(), of(13, 1));
        assert_eq!(difficulty_at(ctx, "svc1", 21).unwrap(), of(21, 2));
        assert_eq!(difficulty(ctx, "svc1").unwrap(), Some(of(21, 2)));
        assert_eq!(difficulty(ctx, "svc2").unwrap(), None);
    });
}

#[test]
fn an_imported_difficulty_counts_at_once() {
    let imported = RelayMiningDifficulty {
        service_id: "svc9".to_owned(),
        block_height: 11,
        num_relays_ema: 700,
        target_hash: vec![3; 32].into(),
    };
    for rules in [Rules::reference(), Rules::mended()] {
        let mut chain = fixture::chain(rules, &[]);
        chain
            .run(|ctx| {
                let mut genesis = super::export_genesis(ctx)?;
                genesis.service_list.clear();
                genesis.relay_mining_difficulty_list = vec![imported.clone()];
                super::init_genesis(ctx, genesis).map_err(|_| ChainError::invariant("genesis"))
            })
            .unwrap();
        chain.read(|ctx| {
            assert_eq!(difficulty(ctx, "svc9").unwrap(), Some(imported.clone()));
            assert_eq!(difficulty_at(ctx, "svc9", 20).unwrap(), imported);
        });
    }
}
