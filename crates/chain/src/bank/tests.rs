use proto::cosmos::bank::v1beta1::{Input, MsgMultiSend, Output};

use super::*;
use crate::rules::Rules;
use crate::testing::{TestChain, refused};

const ALICE: Address = Address([1; 20]);
const BOB: Address = Address([2; 20]);

fn kinds(ctx: &mut Context) -> Vec<String> {
    ctx.take_events()
        .into_iter()
        .map(|event| event.r#type)
        .collect()
}

#[test]
fn coins_made_and_destroyed_change_the_supply_and_say_so() {
    let mut chain = TestChain::new(Rules::reference());
    let result: Result<(), TxError> = chain.run(|ctx| {
        mint(ctx, "tokenomics", &[upokt(100)])?;
        assert_eq!(kinds(ctx), ["coin_received", "coinbase"]);
        module_to_account(ctx, "tokenomics", &ALICE, &[upokt(30)])?;
        assert_eq!(
            kinds(ctx),
            ["coin_spent", "coin_received", "transfer", "message"]
        );
        account_to_module(ctx, &ALICE, "application", &[upokt(10)])?;
        module_to_module(ctx, "application", "tokenomics", &[upokt(4)])?;
        kinds(ctx);
        burn(ctx, "tokenomics", &[upokt(50)])?;
        assert_eq!(kinds(ctx), ["coin_spent", "burn"]);
        assert_eq!(supply(ctx, UPOKT)?, 50);
        let held = |name| balance(ctx, &Address::module(name), UPOKT);
        assert_eq!((held("tokenomics")?, held("application")?), (24, 6));
        assert_eq!(balance(ctx, &ALICE, UPOKT)?, 20);
        Ok(())
    });
    result.unwrap();
}

#[test]
fn a_transfer_creates_the_recipient_and_refuses_what_is_not_there() {
    let mut chain = TestChain::new(Rules::reference());
    chain.fund(&ALICE, 10).unwrap();
    let log = refused(
        chain.run(|ctx| send(ctx, &ALICE, &BOB, &[upokt(11)])),
        "sdk",
        5,
    )
    .unwrap();
    assert_eq!(
        log,
        "spendable balance 10upokt is smaller than 11upokt: insufficient funds"
    );
    assert_eq!(chain.read(|ctx| auth::account(ctx, &BOB)).unwrap(), None);
    chain
        .run(|ctx| send(ctx, &ALICE, &BOB, &[upokt(10)]))
        .unwrap();
    // tokenomics took number 0 when it minted, alice 1.
    let bob = chain.read(|ctx| auth::account(ctx, &BOB)).unwrap().unwrap();
    assert_eq!(bob.base().unwrap().account_number, 2);
    assert_eq!(
        chain.read(|ctx| balances(ctx, &ALICE)).unwrap(),
        Coins::new()
    );
}

#[test]
fn modules_do_only_what_they_may() {
    let mut chain = TestChain::new(Rules::reference());
    refused(chain.run(|ctx| mint(ctx, "gov", &[upokt(1)])), "sdk", 4).unwrap();
    refused(chain.run(|ctx| burn(ctx, "mint", &[upokt(1)])), "sdk", 4).unwrap();
    chain.fund(&ALICE, 5).unwrap();
    let collector = Address::module("fee_collector");
    let refuse = |ctx: &mut Context| module_to_account(ctx, "supplier", &collector, &[upokt(0)]);
    let log = refused(chain.run(refuse), "sdk", 4).unwrap();
    assert!(log.ends_with("is not allowed to receive funds: unauthorized"));
    assert!(!is_blocked(&Address::module("gov")));
}

#[test]
fn amounts_are_read_strictly() {
    let wrong = [
        "",
        "-1",
        "+1",
        "1.0",
        " 1",
        "340282366920938463463374607431768211456",
    ];
    for text in wrong {
        let coin = Coin {
            denom: UPOKT.to_owned(),
            amount: text.to_owned(),
        };
        assert_eq!(
            Coins::sum(&[coin]).unwrap_err().code,
            sdk::INVALID_COINS,
            "{text}"
        );
    }
    assert!(Coins::strict(&[coin(1, "mact"), coin(2, UPOKT)]).is_ok());
    for coins in [
        vec![coin(2, UPOKT), coin(1, "mact")],
        vec![coin(1, UPOKT), coin(1, UPOKT)],
        vec![coin(0, UPOKT)],
        vec![coin(1, "u")],
        vec![coin(1, "1pokt")],
    ] {
        assert_eq!(
            Coins::strict(&coins).unwrap_err().code,
            sdk::INVALID_COINS,
            "{coins:?}"
        );
    }
    let many = Coins::sum(&[
        coin(2, UPOKT),
        coin(1, "mact"),
        coin(3, UPOKT),
        coin(0, "zero"),
    ]);
    assert_eq!(many.unwrap().to_string(), "1mact,5upokt");
}

#[test]
fn a_multi_send_says_the_addresses_as_they_were_written() {
    let mut chain = TestChain::new(Rules::reference());
    chain.fund(&ALICE, 10).unwrap();
    let (from, to) = (ALICE.to_bech32(), BOB.to_bech32().to_uppercase());
    let message = MsgMultiSend {
        inputs: vec![Input {
            address: from.clone(),
            coins: vec![upokt(3)],
        }],
        outputs: vec![Output {
            address: to.clone(),
            coins: vec![upokt(3)],
        }],
    };
    let events = chain.run(|ctx| {
        msg_multi_send::execute(ctx, message)?;
        Ok::<_, TxError>(ctx.take_events())
    });
    let events = events.unwrap();
    let transfer = events.iter().find(|event| event.r#type == "transfer");
    let values: Vec<_> = transfer
        .unwrap()
        .attributes
        .iter()
        .map(|pair| pair.value.as_str())
        .collect();
    assert_eq!(values, [to.as_str(), from.as_str(), "3upokt"]);
    assert_eq!(chain.read(|ctx| balance(ctx, &BOB, UPOKT)).unwrap(), 3);
}
