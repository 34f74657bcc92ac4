//! Fees that others pay: up to a limit, a period, or for some messages.

use prost::{Message, Name};
use prost_types::{Any, Duration, Timestamp};
use proto::cosmos::feegrant::v1beta1::{
    AllowedMsgAllowance, BasicAllowance, PeriodicAllowance, QueryAllowanceRequest,
    QueryAllowanceResponse, QueryAllowancesByGranterRequest, QueryAllowancesByGranterResponse,
    QueryAllowancesRequest, QueryAllowancesResponse,
};

use super::*;
use crate::bank::{coin, upokt};
use crate::router;
use crate::rules::Rules;
use crate::testing::{TestChain, refused};

const ALICE: Address = Address([1; 20]);
const BOB: Address = Address([2; 20]);
const CAROL: Address = Address([3; 20]);

const SEND: &str = "/cosmos.bank.v1beta1.MsgSend";

fn chain(rules: Rules) -> TestChain {
    let mut chain = TestChain::new(rules);
    for account in [ALICE, BOB] {
        chain.fund(&account, 1_000).unwrap();
    }
    chain
}

fn act<M: Message + Name>(chain: &mut TestChain, message: &M) -> Result<Vec<u8>, TxError> {
    chain.run(|ctx| router::execute(ctx, &M::full_name(), &message.encode_to_vec()).unwrap())
}

fn basic(limit: u128, expires: Option<i64>) -> BasicAllowance {
    BasicAllowance {
        spend_limit: (limit > 0).then(|| upokt(limit)).into_iter().collect(),
        expiration: expires.map(|seconds| Timestamp { seconds, nanos: 0 }),
    }
}

fn grant(from: Address, to: Address, allowance: Any) -> MsgGrantAllowance {
    MsgGrantAllowance {
        granter: from.to_bech32(),
        grantee: to.to_bech32(),
        allowance: Some(allowance),
    }
}

fn revoke(from: Address, to: Address) -> MsgRevokeAllowance {
    MsgRevokeAllowance {
        granter: from.to_bech32(),
        grantee: to.to_bech32(),
    }
}

/// Bob lets Alice pay; the names of the events.
fn spend(chain: &mut TestChain, amount: u128) -> Result<Vec<String>, TxError> {
    let fee = Coins::strict(&[upokt(amount)]).unwrap();
    chain.run(|ctx| {
        use_granted_fees(ctx, &ALICE, &BOB, &fee, &[SEND])?;
        let events = ctx.take_events().into_iter();
        Ok(events.map(|event| event.r#type).collect())
    })
}

#[test]
fn a_basic_allowance_is_spent_down_and_then_gone() {
    let mut chain = chain(Rules::mended());
    refused(spend(&mut chain, 1), "sdk", 38).unwrap();
    let message = grant(ALICE, BOB, proto::any::pack(&basic(10, None)));
    act(&mut chain, &message).unwrap();
    refused(act(&mut chain, &message), "sdk", 18).unwrap();
    // That there is one is seen before what is wrong with the next.
    let nothing = grant(ALICE, BOB, proto::any::pack(&basic(0, None)));
    refused(act(&mut chain, &nothing), "sdk", 18).unwrap();
    refused(spend(&mut chain, 11), "feegrant", 2).unwrap();
    assert_eq!(
        spend(&mut chain, 4).unwrap(),
        ["use_feegrant", "update_feegrant"]
    );
    refused(spend(&mut chain, 7), "feegrant", 2).unwrap();
    assert_eq!(
        spend(&mut chain, 6).unwrap(),
        ["revoke_feegrant", "use_feegrant"]
    );
    refused(spend(&mut chain, 1), "sdk", 38).unwrap();
    refused(act(&mut chain, &revoke(ALICE, BOB)), "sdk", 38).unwrap();
    // Without a limit it never ends; the grantee's account is made.
    act(
        &mut chain,
        &grant(ALICE, CAROL, proto::any::pack(&basic(0, None))),
    )
    .unwrap();
    assert!(
        chain
            .read(|ctx| auth::account(ctx, &CAROL))
            .unwrap()
            .is_some()
    );
}

#[test]
fn a_period_gives_again_what_the_whole_still_allows() {
    let mut chain = chain(Rules::mended());
    let now = chain.block.time.seconds;
    let periodic = PeriodicAllowance {
        basic: basic(25, None),
        period: Duration {
            seconds: 10,
            nanos: 0,
        },
        period_spend_limit: vec![upokt(10)],
        period_can_spend: Vec::new(),
        period_reset: Timestamp {
            seconds: now + 5,
            nanos: 0,
        },
    };
    act(&mut chain, &grant(ALICE, BOB, proto::any::pack(&periodic))).unwrap();
    refused(spend(&mut chain, 1), "feegrant", 2).unwrap();
    chain.go_to(6);
    spend(&mut chain, 10).unwrap();
    refused(spend(&mut chain, 1), "feegrant", 2).unwrap();
    let reset = |chain: &TestChain| match chain.read(|ctx| allowance(ctx, &ALICE, &BOB)).unwrap() {
        Some(Allowance::Periodic(own)) => own.period_reset.seconds - now,
        other => panic!("{other:?}"),
    };
    // One period after the last; one after now when nothing happened for long.
    assert_eq!(reset(&chain), 15);
    chain.go_to(101);
    spend(&mut chain, 9).unwrap();
    assert_eq!(reset(&chain), 110);
    chain.go_to(111);
    // 6 are left of the whole.
    refused(spend(&mut chain, 7), "feegrant", 2).unwrap();
    assert_eq!(
        spend(&mut chain, 6).unwrap(),
        ["revoke_feegrant", "use_feegrant"]
    );
}

#[test]
fn only_listed_messages_are_paid() {
    let mut chain = chain(Rules::mended());
    let only = |urls: &[&str]| AllowedMsgAllowance {
        allowance: Some(proto::any::pack(&basic(10, None))),
        allowed_messages: urls.iter().map(|url| (*url).to_owned()).collect(),
    };
    let message = grant(ALICE, BOB, proto::any::pack(&only(&["/x.Y"])));
    act(&mut chain, &message).unwrap();
    refused(spend(&mut chain, 1), "feegrant", 7).unwrap();
    act(&mut chain, &revoke(ALICE, BOB)).unwrap();
    let message = grant(ALICE, BOB, proto::any::pack(&only(&["/x.Y", SEND])));
    act(&mut chain, &message).unwrap();
    spend(&mut chain, 4).unwrap();
    refused(spend(&mut chain, 7), "feegrant", 2).unwrap();
}

#[test]
fn what_cannot_be_allowed_says_why() {
    let mut chain = chain(Rules::mended());
    let now = chain.block.time.seconds;
    let period = |each: u128, denom: &str| PeriodicAllowance {
        basic: basic(5, None),
        period_spend_limit: vec![coin(each, denom)],
        ..Default::default()
    };
    let none = AllowedMsgAllowance {
        allowance: Some(proto::any::pack(&basic(1, None))),
        allowed_messages: Vec::new(),
    };
    let moment = BasicAllowance {
        spend_limit: Vec::new(),
        expiration: Some(Timestamp {
            seconds: i64::MAX,
            nanos: 0,
        }),
    };
    let rows = [
        (
            grant(ALICE, ALICE, proto::any::pack(&basic(1, None))),
            "sdk",
            7,
        ),
        (
            grant(ALICE, BOB, proto::any::pack(&basic(1, Some(now - 1)))),
            "sdk",
            18,
        ),
        (
            grant(ALICE, BOB, proto::any::pack(&basic(1, Some(-1)))),
            "feegrant",
            4,
        ),
        (grant(ALICE, BOB, proto::any::pack(&moment)), "sdk", 2),
        (
            grant(ALICE, BOB, proto::any::pack(&period(1, "mact"))),
            "sdk",
            10,
        ),
        (grant(ALICE, BOB, proto::any::pack(&none)), "feegrant", 6),
        (
            grant(ALICE, BOB, proto::any::pack(&revoke(ALICE, BOB))),
            "sdk",
            2,
        ),
        (
            grant(
                ALICE,
                Address::module("mint"),
                proto::any::pack(&basic(1, None)),
            ),
            "sdk",
            4,
        ),
    ];
    for (position, (message, codespace, code)) in rows.into_iter().enumerate() {
        refused(act(&mut chain, &message), codespace, code)
            .unwrap_or_else(|error| panic!("{position}: {error}"));
    }
}

/// An allowance until 5, revoked, and another until 50: what the expiry of the first does to the second.
fn second_allowance_after_the_first_expired(rules: Rules) -> bool {
    let mut chain = chain(rules);
    let now = chain.block.time.seconds;
    let until = |seconds| grant(ALICE, BOB, proto::any::pack(&basic(9, Some(now + seconds))));
    act(&mut chain, &until(5)).unwrap();
    act(&mut chain, &revoke(ALICE, BOB)).unwrap();
    act(&mut chain, &until(50)).unwrap();
    chain.go_to(7);
    chain.run(end_block).unwrap();
    chain
        .read(|ctx| allowance(ctx, &ALICE, &BOB))
        .unwrap()
        .is_some()
}

#[test]
fn a_revoked_allowance_takes_no_later_one_with_it() {
    assert!(!second_allowance_after_the_first_expired(Rules::reference()));
    let rules = Rules {
        revoked_allowance_leaves_queue: true,
        ..Rules::reference()
    };
    assert!(second_allowance_after_the_first_expired(rules));
}

#[test]
fn expired_allowances_go_a_bounded_number_at_a_time() {
    let mut chain = chain(Rules::mended());
    let now = chain.block.time.seconds;
    for number in 0..210_u8 {
        let to = Address([number.wrapping_add(10); 20]);
        let message = grant(ALICE, to, proto::any::pack(&basic(1, Some(now + 1))));
        act(&mut chain, &message).unwrap();
    }
    let left = |chain: &TestChain| chain.read(|ctx| ctx.iter(keys::ALLOWANCES).count());
    chain.go_to(2);
    chain.run(end_block).unwrap();
    assert_eq!(left(&chain), 210);
    chain.go_to(3);
    refused(
        chain.run(|ctx| {
            let to = Address([10; 20]);
            use_granted_fees(ctx, &ALICE, &to, &Coins::new(), &[])
        }),
        "feegrant",
        3,
    )
    .unwrap();
    let prune = MsgPruneAllowances {
        pruner: BOB.to_bech32(),
    };
    act(&mut chain, &prune).unwrap();
    assert_eq!(left(&chain), 135);
    chain.run(end_block).unwrap();
    assert_eq!(left(&chain), 0);
}

#[test]
fn queries_and_export_show_the_allowances() {
    let mut chain = chain(Rules::mended());
    for (from, to) in [(ALICE, CAROL), (BOB, CAROL), (ALICE, BOB)] {
        act(
            &mut chain,
            &grant(from, to, proto::any::pack(&basic(3, None))),
        )
        .unwrap();
    }
    let ask = |method: &str, request: Vec<u8>| {
        let path = format!("/cosmos.feegrant.v1beta1.Query/{method}");
        chain.read(|ctx| router::query(ctx, &path, &request))
    };
    let one = QueryAllowanceRequest {
        granter: ALICE.to_bech32(),
        grantee: BOB.to_bech32(),
    };
    let one = ask("Allowance", one.encode_to_vec()).unwrap();
    let one = QueryAllowanceResponse::decode(one.as_slice()).unwrap();
    assert_eq!(one.allowance.unwrap().grantee, BOB.to_bech32());
    let to = QueryAllowancesRequest {
        grantee: CAROL.to_bech32(),
        pagination: None,
    };
    let to = ask("Allowances", to.encode_to_vec()).unwrap();
    let to = QueryAllowancesResponse::decode(to.as_slice()).unwrap();
    assert_eq!((to.allowances.len(), to.pagination.unwrap().total), (2, 2));
    let by = QueryAllowancesByGranterRequest {
        granter: ALICE.to_bech32(),
        pagination: None,
    };
    let by = ask("AllowancesByGranter", by.encode_to_vec()).unwrap();
    let by = QueryAllowancesByGranterResponse::decode(by.as_slice()).unwrap();
    assert_eq!((by.allowances.len(), by.pagination.unwrap().total), (2, 2));
    let error = ask("Allowances", Vec::new()).unwrap_err();
    assert_eq!(
        (error.grpc as i32, error.message.as_str()),
        (2, "empty address string is not allowed")
    );

    let exported = chain.read(genesis::export).unwrap();
    let mut again = TestChain::new(Rules::mended());
    again
        .run(|ctx| genesis::init(ctx, exported.clone()))
        .unwrap();
    assert_eq!(again.read(genesis::export).unwrap(), exported);
    assert_eq!(exported.allowances.len(), 3);
}
