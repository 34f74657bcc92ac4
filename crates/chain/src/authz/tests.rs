//! Grants given, used, used up, expired and taken back.

use prost::{Message, Name};
use prost_types::{Any, Timestamp};
use proto::cosmos::authz::v1beta1::{
    GenericAuthorization, MsgExecResponse, QueryGranteeGrantsRequest, QueryGranteeGrantsResponse,
    QueryGranterGrantsRequest, QueryGranterGrantsResponse, QueryGrantsRequest, QueryGrantsResponse,
};
use proto::cosmos::bank::v1beta1::{Input, MsgMultiSend, MsgSend, Output, SendAuthorization};
use proto::cosmos::base::query::v1beta1::PageRequest;
use proto::cosmos::staking::v1beta1::stake_authorization::{Validators, ValidatorsOneOf};
use proto::cosmos::staking::v1beta1::{AuthorizationType, MsgDelegate, StakeAuthorization};

use super::*;
use crate::bank::{balance, coin, upokt};
use crate::error::{GrpcCode, QueryError};
use crate::router;
use crate::rules::Rules;
use crate::testing::{TestChain, refused};

const ALICE: Address = Address([1; 20]);
const BOB: Address = Address([2; 20]);
const CAROL: Address = Address([3; 20]);

const SEND: &str = "/cosmos.bank.v1beta1.MsgSend";

fn chain() -> TestChain {
    let mut chain = TestChain::new(Rules::reference());
    for account in [ALICE, BOB, CAROL] {
        chain.fund(&account, 1_000).unwrap();
    }
    chain
}

fn act<M: Message + Name>(chain: &mut TestChain, message: &M) -> Result<Vec<u8>, TxError> {
    chain.run(|ctx| router::execute(ctx, &M::full_name(), &message.encode_to_vec()).unwrap())
}

fn generic(type_url: &str) -> Any {
    proto::any::pack(&GenericAuthorization {
        msg: type_url.to_owned(),
    })
}

fn grant_message(from: Address, to: Address, what: Any, expires: Option<i64>) -> MsgGrant {
    MsgGrant {
        granter: from.to_bech32(),
        grantee: to.to_bech32(),
        grant: Grant {
            authorization: Some(what),
            expiration: expires.map(|seconds| Timestamp { seconds, nanos: 0 }),
        },
    }
}

fn send(from: Address, to: Address, amount: u128) -> Any {
    proto::any::pack(&MsgSend {
        from_address: from.to_bech32(),
        to_address: to.to_bech32(),
        amount: vec![upokt(amount)],
    })
}

fn exec(grantee: Address, msgs: Vec<Any>) -> MsgExec {
    MsgExec {
        grantee: grantee.to_bech32(),
        msgs,
    }
}

fn held(chain: &TestChain, account: Address) -> u128 {
    chain.read(|ctx| balance(ctx, &account, "upokt")).unwrap()
}

fn query<Q: Message, A: Message + Default>(
    chain: &TestChain,
    method: &str,
    request: &Q,
) -> Result<A, QueryError> {
    let path = format!("/cosmos.authz.v1beta1.Query/{method}");
    let answer = chain.read(|ctx| router::query(ctx, &path, &request.encode_to_vec()))?;
    Ok(A::decode(answer.as_slice()).unwrap())
}

#[test]
fn a_grantee_spends_for_the_granter_and_events_say_where_it_happened() {
    let mut chain = chain();
    let denied = act(&mut chain, &exec(BOB, vec![send(ALICE, CAROL, 9)]));
    let log = refused(denied, "authz", 2).unwrap();
    assert_eq!(
        log,
        format!(
            "failed to get grant with given granter: {}, grantee: {} & msgType: {SEND} : \
             authorization not found",
            ALICE.to_bech32(),
            BOB.to_bech32()
        )
    );
    act(&mut chain, &grant_message(ALICE, BOB, generic(SEND), None)).unwrap();
    let message = exec(BOB, vec![send(ALICE, CAROL, 9), send(BOB, CAROL, 1)]);
    let (response, events) = chain
        .run(|ctx| {
            let response =
                router::execute(ctx, &MsgExec::full_name(), &message.encode_to_vec()).unwrap()?;
            Ok::<_, TxError>((response, ctx.take_events()))
        })
        .unwrap();
    let response = MsgExecResponse::decode(response.as_slice()).unwrap();
    assert_eq!(response.results, [bytes::Bytes::new(), bytes::Bytes::new()]);
    assert_eq!(held(&chain, ALICE), 991);
    assert_eq!(held(&chain, BOB), 999);
    let places: Vec<_> = events
        .iter()
        .map(|event| {
            let last = event.attributes.last().unwrap();
            (
                event.r#type.as_str(),
                last.key.as_str(),
                last.value.as_str(),
            )
        })
        .collect();
    let of = |kind, place| (kind, "authz_msg_index", place);
    let kinds = ["coin_spent", "coin_received", "transfer", "message"];
    let expected: Vec<_> = ["0", "1"]
        .into_iter()
        .flat_map(|place| kinds.map(|kind| of(kind, place)))
        .collect();
    assert_eq!(places, expected);
}

#[test]
fn a_chain_of_grants_works_from_the_inside_out() {
    let mut chain = chain();
    let exec_url = "/cosmos.authz.v1beta1.MsgExec";
    act(&mut chain, &grant_message(ALICE, BOB, generic(SEND), None)).unwrap();
    act(
        &mut chain,
        &grant_message(BOB, CAROL, generic(exec_url), None),
    )
    .unwrap();
    let inner = exec(BOB, vec![send(ALICE, CAROL, 5)]);
    let outer = exec(CAROL, vec![proto::any::pack(&inner)]);
    act(&mut chain, &outer).unwrap();
    assert_eq!(held(&chain, CAROL), 1_005);
    let revoke = MsgRevoke {
        granter: BOB.to_bech32(),
        grantee: CAROL.to_bech32(),
        msg_type_url: exec_url.to_owned(),
    };
    act(&mut chain, &revoke).unwrap();
    refused(act(&mut chain, &outer), "authz", 2).unwrap();
    refused(act(&mut chain, &revoke), "authz", 2).unwrap();
}

#[test]
fn nesting_and_number_of_messages_are_bounded() {
    let name = MsgExec::full_name();
    let check = |message: &MsgExec| router::check(&name, &message.encode_to_vec()).unwrap();
    let mut nested = send(ALICE, BOB, 1);
    for _ in 0..8 {
        nested = proto::any::pack(&exec(ALICE, vec![nested]));
    }
    // Eight inside, the outer one and the transfer make ten levels.
    assert_eq!(check(&exec(ALICE, vec![nested.clone()])), Ok(()));
    let deeper = proto::any::pack(&exec(ALICE, vec![nested]));
    let log = refused(check(&exec(ALICE, vec![deeper])), "sdk", 2).unwrap();
    assert!(log.contains("max depth exceeded"), "{log}");
    let many = |count| exec(ALICE, vec![send(ALICE, BOB, 1); count]);
    assert_eq!(check(&many(99)), Ok(()));
    refused(check(&many(100)), "sdk", 2).unwrap();
    for url in [
        "cosmos.bank.v1beta1.MsgSend",
        "x/cosmos.bank.v1beta1.MsgSend",
    ] {
        let odd = Any {
            type_url: url.to_owned(),
            ..send(ALICE, BOB, 1)
        };
        refused(check(&exec(ALICE, vec![odd])), "sdk", 2).unwrap();
    }
    let unknown = Any {
        type_url: "/cosmos.auth.v1beta1.BaseAccount".to_owned(),
        value: Vec::new(),
    };
    refused(check(&exec(ALICE, vec![unknown])), "sdk", 2).unwrap();
}

#[test]
fn what_cannot_be_granted_or_executed_says_why() {
    let mut chain = chain();
    let grants = [
        (grant_message(ALICE, ALICE, generic(SEND), None), "authz", 7),
        (grant_message(ALICE, BOB, generic(""), None), "undefined", 1),
        (
            grant_message(ALICE, BOB, generic("/no.such.MsgType"), None),
            "sdk",
            29,
        ),
        (
            grant_message(ALICE, BOB, generic(SEND), Some(1_700_000_000)),
            "authz",
            3,
        ),
        (
            grant_message(ALICE, Address::module("fee_collector"), generic(SEND), None),
            "sdk",
            4,
        ),
        (
            grant_message(ALICE, BOB, proto::any::pack(&MsgSend::default()), None),
            "sdk",
            2,
        ),
    ];
    for (message, codespace, code) in grants {
        refused(act(&mut chain, &message), codespace, code).unwrap();
    }
    refused(act(&mut chain, &exec(BOB, Vec::new())), "sdk", 18).unwrap();
    let input = |account: Address| Input {
        address: account.to_bech32(),
        coins: vec![upokt(1)],
    };
    let several = proto::any::pack(&MsgMultiSend {
        inputs: vec![input(ALICE), input(BOB)],
        outputs: vec![Output {
            address: CAROL.to_bech32(),
            coins: vec![upokt(2)],
        }],
    });
    let log = refused(act(&mut chain, &exec(BOB, vec![several])), "authz", 9).unwrap();
    assert_eq!(
        log,
        "authorization can be given to msg with only one signer"
    );
    // The message's own check comes first and is marked with its place.
    let wrong = proto::any::pack(&proto::pocket::shared::MsgUpdateParam {
        authority: Address::module("gov").to_bech32(),
        name: "no_such_param".to_owned(),
        as_type: Some(proto::pocket::shared::msg_update_param::AsType::AsUint64(9)),
    });
    let log = refused(act(&mut chain, &exec(BOB, vec![wrong])), "shared", 1102).unwrap();
    assert_eq!(
        log,
        "msg 0: unsupported param \"no_such_param\": the provided param name is invalid"
    );
}

#[test]
fn a_send_authorization_is_spent_down_and_then_gone() {
    let mut chain = chain();
    let allowed = SendAuthorization {
        spend_limit: vec![upokt(10)],
        allow_list: vec![CAROL.to_bech32()],
    };
    act(
        &mut chain,
        &grant_message(ALICE, BOB, proto::any::pack(&allowed), None),
    )
    .unwrap();
    let mut spend = |to, amount| act(&mut chain, &exec(BOB, vec![send(ALICE, to, amount)]));
    let log = refused(spend(CAROL, 11), "sdk", 5).unwrap();
    assert_eq!(
        log,
        "requested amount is more than spend limit: insufficient funds"
    );
    refused(spend(BOB, 1), "sdk", 4).unwrap();
    spend(CAROL, 4).unwrap();
    refused(spend(CAROL, 7), "sdk", 5).unwrap();
    spend(CAROL, 6).unwrap();
    refused(spend(CAROL, 1), "authz", 2).unwrap();
    assert_eq!(held(&chain, ALICE), 990);
    let empty = SendAuthorization::default();
    let twice = SendAuthorization {
        spend_limit: vec![upokt(1)],
        allow_list: vec![BOB.to_bech32(), BOB.to_bech32()],
    };
    for (bad, codespace, code) in [(empty, "sdk", 10), (twice, "bank", 8)] {
        let message = grant_message(ALICE, BOB, proto::any::pack(&bad), None);
        refused(act(&mut chain, &message), codespace, code).unwrap();
    }
}

#[test]
fn a_stake_authorization_binds_validators_and_amount() {
    let mut chain = chain();
    let list = |names: &[&str]| Validators {
        address: names.iter().map(|name| (*name).to_owned()).collect(),
    };
    let own = |validators, max_tokens| {
        Authorization::Stake(StakeAuthorization {
            max_tokens,
            authorization_type: AuthorizationType::Delegate.into(),
            validators: Some(validators),
        })
    };
    let delegate = |to: &str, amount| {
        MsgDelegate {
            delegator_address: ALICE.to_bech32(),
            validator_address: to.to_owned(),
            amount: upokt(amount),
        }
        .encode_to_vec()
    };
    let allow = own(ValidatorsOneOf::AllowList(list(&["v1"])), Some(upokt(5)));
    assert_eq!(allow.type_url(), "/cosmos.staking.v1beta1.MsgDelegate");
    let mut accept = |own: &Authorization, value: &[u8]| chain.run(|ctx| own.accept(ctx, value));
    refused(accept(&allow, &delegate("v2", 1)), "sdk", 4).unwrap();
    let left = own(ValidatorsOneOf::AllowList(list(&["v1"])), Some(upokt(3)));
    assert_eq!(
        accept(&allow, &delegate("v1", 2)),
        Ok(Acceptance::Update(left))
    );
    assert_eq!(accept(&allow, &delegate("v1", 5)), Ok(Acceptance::Delete));
    let log = refused(accept(&allow, &delegate("v1", 6)), "undefined", 1).unwrap();
    assert_eq!(log, "negative coin amount: -1upokt");
    let deny = own(ValidatorsOneOf::DenyList(list(&["v1"])), None);
    refused(accept(&deny, &delegate("v1", 1)), "sdk", 4).unwrap();
    assert_eq!(accept(&deny, &delegate("v2", 1)), Ok(Acceptance::Keep));
    let other = own(ValidatorsOneOf::DenyList(list(&[])), Some(coin(5, "mact")));
    refused(accept(&other, &delegate("v1", 1)), "undefined", 1).unwrap();
    let none = Authorization::Stake(StakeAuthorization::default());
    refused(none.check(), "authz", 4).unwrap();
}

#[test]
fn a_grant_ends_with_its_time_and_leaves_nothing_behind() {
    let mut chain = chain();
    let now = chain.block.time.seconds;
    let multi = "/cosmos.bank.v1beta1.MsgMultiSend";
    for (url, expires) in [
        (SEND, 5),
        (multi, 5),
        ("/cosmos.authz.v1beta1.MsgGrant", 50),
    ] {
        let message = grant_message(ALICE, BOB, generic(url), Some(now + expires));
        act(&mut chain, &message).unwrap();
    }
    let rows = |chain: &TestChain, prefix: &[u8]| chain.read(|ctx| ctx.iter(prefix).count());
    assert_eq!(
        (rows(&chain, keys::GRANTS), rows(&chain, keys::QUEUE)),
        (3, 2)
    );
    // A new expiration moves the entry, none removes it.
    act(
        &mut chain,
        &grant_message(ALICE, BOB, generic(multi), Some(now + 50)),
    )
    .unwrap();
    act(
        &mut chain,
        &grant_message(ALICE, BOB, generic("/cosmos.authz.v1beta1.MsgGrant"), None),
    )
    .unwrap();
    assert_eq!(
        (rows(&chain, keys::GRANTS), rows(&chain, keys::QUEUE)),
        (3, 2)
    );
    let spend = exec(BOB, vec![send(ALICE, CAROL, 1)]);
    chain.go_to(6);
    chain.run(begin_block).unwrap();
    assert_eq!(chain.block.time.seconds, now + 5);
    act(&mut chain, &spend).unwrap();
    chain.go_to(7);
    refused(act(&mut chain, &spend), "authz", 6).unwrap();
    chain.run(begin_block).unwrap();
    refused(act(&mut chain, &spend), "authz", 2).unwrap();
    assert_eq!(
        (rows(&chain, keys::GRANTS), rows(&chain, keys::QUEUE)),
        (2, 1)
    );
    chain.go_to(52);
    chain.run(begin_block).unwrap();
    assert_eq!(
        (rows(&chain, keys::GRANTS), rows(&chain, keys::QUEUE)),
        (1, 0)
    );
}

#[test]
fn queries_and_export_show_the_grants_in_order() {
    let mut chain = chain();
    let multi = "/cosmos.bank.v1beta1.MsgMultiSend";
    for (from, to, url) in [
        (BOB, CAROL, SEND),
        (ALICE, CAROL, SEND),
        (ALICE, CAROL, multi),
    ] {
        act(&mut chain, &grant_message(from, to, generic(url), None)).unwrap();
    }
    let pair = |url: &str| QueryGrantsRequest {
        granter: ALICE.to_bech32(),
        grantee: CAROL.to_bech32(),
        msg_type_url: url.to_owned(),
        pagination: None,
    };
    let all: QueryGrantsResponse = query(&chain, "Grants", &pair("")).unwrap();
    assert_eq!((all.grants.len(), all.pagination.unwrap().total), (2, 2));
    assert_eq!(all.grants[0].authorization, Some(generic(multi)));
    let one: QueryGrantsResponse = query(&chain, "Grants", &pair(SEND)).unwrap();
    assert_eq!((one.grants.len(), one.pagination), (1, None));
    let none = query::<_, QueryGrantsResponse>(&chain, "Grants", &pair("/x.Y")).unwrap_err();
    assert_eq!((none.grpc, none.code), (GrpcCode::Unknown, 2));
    assert_eq!(
        none.message,
        "codespace authz code 2: authorization not found: authorization not found for /x.Y type"
    );
    let by = QueryGranterGrantsRequest {
        granter: BOB.to_bech32(),
        pagination: None,
    };
    let by: QueryGranterGrantsResponse = query(&chain, "GranterGrants", &by).unwrap();
    assert_eq!(by.grants[0].grantee, CAROL.to_bech32());
    // A filtered page counts what it keeps.
    let to = |account: Address, limit| QueryGranteeGrantsRequest {
        grantee: account.to_bech32(),
        pagination: Some(PageRequest {
            limit,
            count_total: true,
            ..Default::default()
        }),
    };
    let page: QueryGranteeGrantsResponse = query(&chain, "GranteeGrants", &to(CAROL, 1)).unwrap();
    assert_eq!(page.grants[0].granter, ALICE.to_bech32());
    let next = page.pagination.unwrap();
    assert_eq!(next.total, 3);
    let rest = QueryGranteeGrantsRequest {
        grantee: CAROL.to_bech32(),
        pagination: Some(PageRequest {
            key: next.next_key,
            limit: u64::MAX,
            ..Default::default()
        }),
    };
    let rest: QueryGranteeGrantsResponse = query(&chain, "GranteeGrants", &rest).unwrap();
    assert_eq!(rest.grants.len(), 2);
    let nobody: QueryGranteeGrantsResponse = query(&chain, "GranteeGrants", &to(ALICE, 1)).unwrap();
    assert_eq!(
        (nobody.grants.len(), nobody.pagination.unwrap().total),
        (0, 0)
    );
    let wrong = query::<_, QueryGrantsResponse>(&chain, "Grants", &QueryGrantsRequest::default());
    assert_eq!(
        wrong.unwrap_err().message,
        "empty address string is not allowed"
    );

    let exported = chain.read(genesis::export).unwrap();
    let mut again = TestChain::new(Rules::reference());
    again
        .run(|ctx| genesis::init(ctx, exported.clone()))
        .unwrap();
    assert_eq!(again.read(genesis::export).unwrap(), exported);
    assert_eq!(exported.authorization.len(), 3);
}

#[test]
fn signers_inside_are_read_as_those_of_a_transaction() {
    let mut chain = chain();
    let from = |text: String| {
        proto::any::pack(&MsgSend {
            from_address: text,
            to_address: CAROL.to_bech32(),
            amount: vec![upokt(1)],
        })
    };
    let nobody = exec(BOB, vec![from(String::new())]);
    refused(act(&mut chain, &nobody), "undefined", 1).unwrap();
    let operator = exec(BOB, vec![from(ALICE.to_bech32_with("poktvaloper"))]);
    refused(act(&mut chain, &operator), "sdk", 35).unwrap();
}

#[test]
fn odd_coins_and_kinds_end_as_in_the_reference() {
    let mut chain = chain();
    let unknown = StakeAuthorization {
        authorization_type: 9,
        ..Default::default()
    };
    let message = grant_message(ALICE, BOB, proto::any::pack(&unknown), None);
    refused(act(&mut chain, &message), "undefined", 111_222).unwrap();
    let limit = SendAuthorization {
        spend_limit: vec![coin(5, "mact"), upokt(10)],
        ..Default::default()
    };
    let message = grant_message(ALICE, BOB, proto::any::pack(&limit), None);
    act(&mut chain, &message).unwrap();
    let negative = proto::cosmos::base::v1beta1::Coin {
        amount: "-1".to_owned(),
        ..upokt(0)
    };
    for (coins, codespace, code) in [
        (vec![upokt(1), coin(1, "mact")], "sdk", 10),
        (vec![upokt(11), coin(1, "mact")], "sdk", 5),
        (vec![upokt(0), upokt(11)], "sdk", 5),
        (vec![upokt(0), upokt(10)], "sdk", 10),
        (vec![upokt(1), upokt(1)], "undefined", 111_222),
        (vec![coin(1, "x")], "undefined", 111_222),
        (vec![negative], "undefined", 111_222),
        (vec![coin(1, "other")], "sdk", 5),
    ] {
        let inner = proto::any::pack(&MsgSend {
            from_address: ALICE.to_bech32(),
            to_address: CAROL.to_bech32(),
            amount: coins,
        });
        refused(act(&mut chain, &exec(BOB, vec![inner])), codespace, code).unwrap();
    }
}

#[test]
fn a_grant_may_be_for_what_only_the_reference_handles() {
    let mut chain = chain();
    for url in [
        "/cosmos.gov.v1.MsgVote",
        "/pocket.migration.MsgClaimMorseAccount",
        "/cosmos.vesting.v1beta1.MsgCreateVestingAccount",
    ] {
        act(&mut chain, &grant_message(ALICE, BOB, generic(url), None)).unwrap();
    }
    let message = grant_message(ALICE, BOB, generic("/cosmos.gov.v1.MsgNone"), None);
    refused(act(&mut chain, &message), "sdk", 29).unwrap();
}
