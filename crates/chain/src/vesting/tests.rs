//! Vesting accounts made by messages.

use prost::{Message, Name};
use proto::cosmos::vesting::v1beta1::Period;

use super::*;
use crate::bank::{coin, upokt};
use crate::router;
use crate::rules::Rules;
use crate::testing::{TestChain, refused};

const ALICE: Address = Address([1; 20]);
const BOB: Address = Address([2; 20]);

fn chain() -> TestChain {
    let mut chain = TestChain::new(Rules::reference());
    chain.fund(&ALICE, 1_000).unwrap();
    chain
}

fn act<M: Message + Name>(chain: &mut TestChain, message: &M) -> Result<Vec<u8>, TxError> {
    chain.run(|ctx| router::execute(ctx, &M::full_name(), &message.encode_to_vec()).unwrap())
}

fn spendable(chain: &TestChain, of: &Address) -> u128 {
    chain.read(|ctx| {
        let account = auth::account(ctx, of).unwrap().unwrap();
        let locked = auth::vesting::locked(&account, ctx.block.time).unwrap();
        bank::balance(ctx, of, "upokt").unwrap() - locked.amount("upokt")
    })
}

fn steady(chain: &TestChain) -> MsgCreateVestingAccount {
    MsgCreateVestingAccount {
        from_address: ALICE.to_bech32(),
        to_address: BOB.to_bech32(),
        amount: vec![upokt(100)],
        end_time: chain.block.time.seconds + 10,
        delayed: false,
    }
}

#[test]
fn coins_are_freed_as_the_message_says() {
    let mut chain = chain();
    let continuous = steady(&chain);
    act(&mut chain, &continuous).unwrap();
    let delayed = MsgCreateVestingAccount {
        to_address: Address([3; 20]).to_bech32(),
        delayed: true,
        ..continuous.clone()
    };
    act(&mut chain, &delayed).unwrap();
    let locked = MsgCreatePermanentLockedAccount {
        from_address: ALICE.to_bech32(),
        to_address: Address([4; 20]).to_bech32(),
        amount: vec![upokt(100)],
    };
    act(&mut chain, &locked).unwrap();
    let period = |amount| Period {
        length: 5,
        amount: vec![upokt(amount)],
    };
    let periodic = MsgCreatePeriodicVestingAccount {
        from_address: ALICE.to_bech32(),
        to_address: Address([5; 20]).to_bech32(),
        start_time: chain.block.time.seconds,
        vesting_periods: vec![period(30), period(70)],
    };
    act(&mut chain, &periodic).unwrap();
    for (later, expected) in [
        (0, [0, 0, 0, 0]),
        (5, [50, 0, 0, 30]),
        (10, [100, 100, 0, 100]),
    ] {
        let mut later_chain = chain.clone();
        later_chain.go_to(1 + later);
        let got = [2, 3, 4, 5].map(|number| spendable(&later_chain, &Address([number; 20])));
        assert_eq!(got, expected, "{later}");
    }
    assert_eq!(spendable(&chain, &ALICE), 600);
}

#[test]
fn what_cannot_be_says_why() {
    type Bend = fn(&mut MsgCreateVestingAccount);
    let rows: [(Bend, &str, u32); 7] = [
        (|own| own.from_address = "x".to_owned(), "sdk", 7),
        (|own| own.to_address.clear(), "sdk", 7),
        (|own| own.amount.clear(), "sdk", 10),
        (
            |own| own.amount = vec![coin(1, "z"), coin(1, "a")],
            "sdk",
            10,
        ),
        (|own| own.end_time = 0, "sdk", 18),
        (|own| own.to_address = own.from_address.clone(), "sdk", 18),
        (
            |own| own.to_address = Address::module("mint").to_bech32(),
            "sdk",
            4,
        ),
    ];
    let mut chain = chain();
    for (bend, codespace, code) in rows {
        let mut message = steady(&chain);
        bend(&mut message);
        refused(act(&mut chain, &message), codespace, code).unwrap();
    }
    let mut poor = steady(&chain);
    poor.amount = vec![upokt(1_001)];
    refused(act(&mut chain, &poor), "sdk", 5).unwrap();
    let never = MsgCreatePeriodicVestingAccount {
        from_address: ALICE.to_bech32(),
        to_address: BOB.to_bech32(),
        start_time: 1,
        vesting_periods: Vec::new(),
    };
    refused(act(&mut chain, &never), "sdk", 18).unwrap();
}

#[test]
fn coins_that_end_to_be_bound_before_they_begin_are_bound_for_that_second() {
    let mut chain = chain();
    let mut past = steady(&chain);
    past.end_time = 1;
    act(&mut chain, &past).unwrap();
    assert_eq!(spendable(&chain, &BOB), 0);
    chain.go_to(2);
    assert_eq!(spendable(&chain, &BOB), 100);
}
