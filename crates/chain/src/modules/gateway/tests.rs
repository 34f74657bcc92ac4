//! Gateways from stake to payout.

use proto::pocket::gateway::{MsgStakeGateway, MsgUnstakeGateway, MsgUpdateGatewayMetadata};
use proto::pocket::shared::Metadata;

use super::get;
use crate::bank;
use crate::modules::tests::fixture::{self, FUNDS, address, balance, send, upokt};
use crate::rules::Rules;
use crate::testing::TestChain;

fn staked() -> TestChain {
    let mut chain = fixture::chain(Rules::reference(), &["gw"]);
    let message = MsgStakeGateway {
        address: address("gw"),
        stake: upokt(1_000),
    };
    assert_eq!(
        send(&mut chain, &message).unwrap(),
        ["pocket.gateway.EventGatewayStaked"]
    );
    chain
}

#[test]
fn a_gateway_is_paid_back_after_the_period() {
    let mut chain = staked();
    chain.go_to(13);
    send(
        &mut chain,
        &MsgUnstakeGateway {
            address: address("gw"),
        },
    )
    .unwrap();
    let events = fixture::run_to(&mut chain, 45);
    assert_eq!(
        events,
        [(40, "pocket.gateway.EventGatewayUnbondingEnd".to_owned())]
    );
    assert_eq!(balance(&chain, "gw"), FUNDS);
    assert_eq!(chain.read(|ctx| get(ctx, &address("gw")).unwrap()), None);
}

#[test]
fn a_higher_stake_ends_unbonding() {
    let mut chain = staked();
    send(
        &mut chain,
        &MsgUnstakeGateway {
            address: address("gw"),
        },
    )
    .unwrap();
    let message = MsgStakeGateway {
        address: address("gw"),
        stake: upokt(1_001),
    };
    assert_eq!(
        send(&mut chain, &message).unwrap(),
        [
            "pocket.gateway.EventGatewayUnbondingCanceled",
            "pocket.gateway.EventGatewayStaked"
        ]
    );
    assert_eq!(fixture::run_to(&mut chain, 45), []);
}

#[test]
fn a_payment_that_fails_does_not_stop_the_chain_and_is_tried_again() {
    let mut chain = staked();
    send(
        &mut chain,
        &MsgUnstakeGateway {
            address: address("gw"),
        },
    )
    .unwrap();
    chain
        .run(|ctx| bank::burn(ctx, "gateway", &[bank::upokt(1)]))
        .unwrap();
    assert_eq!(fixture::run_to(&mut chain, 35), []);
    chain
        .run(|ctx| bank::mint(ctx, "gateway", &[bank::upokt(1)]))
        .unwrap();
    let events = fixture::run_to(&mut chain, 45);
    assert_eq!(
        events,
        [(40, "pocket.gateway.EventGatewayUnbondingEnd".to_owned())]
    );
}

#[test]
fn a_card_changes_once() {
    let mut chain = staked();
    let card = |text: &str| MsgUpdateGatewayMetadata {
        address: address("gw"),
        metadata: Some(Metadata {
            card: text.to_owned().into(),
        }),
    };
    let events = send(&mut chain, &card("one")).unwrap();
    assert_eq!(events, ["pocket.gateway.EventGatewayMetadataUpdated"]);
    assert!(send(&mut chain, &card("one")).unwrap().is_empty());
    let nothing = MsgUpdateGatewayMetadata {
        address: address("gw"),
        metadata: None,
    };
    assert!(send(&mut chain, &nothing).unwrap().is_empty());
    let gateway = chain.read(|ctx| get(ctx, &address("gw")).unwrap()).unwrap();
    assert_eq!(gateway.metadata.unwrap().card, "one");
}
