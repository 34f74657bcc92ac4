//! `proof_chain`: every recorded claim and proof message in the state it met, through the end of its block.

use crypto::keys::PublicKey;
use prost::Message as _;
use proto::pocket::application::UndelegatingGatewayList;
use proto::pocket::proof::{
    Claim, ClaimProofStatus, MsgCreateClaim, MsgSubmitProof, QueryAllClaimsRequest,
    QueryAllClaimsResponse, QueryGetClaimRequest, QueryGetClaimResponse,
};
use proto::pocket::service::RelayMiningDifficulty;
use serde_json::Value;

use super::world::*;
use crate::bank;
use crate::error::{ChainError, TxError};
use crate::modules::shared::coin;
use crate::modules::{application, proof, service};
use crate::prices::{self, Prices};
use crate::router;
use crate::rules::Rules;
use crate::testing::TestChain;

pub(super) const SERVICE: &str = "llm-chat";
pub(super) const CREATE: &str = "pocket.proof.MsgCreateClaim";
pub(super) const SUBMIT: &str = "pocket.proof.MsgSubmitProof";
/// The gateway that some cases delegate to beside or instead of the one that signed.
const STRANGER: &str = "pokt1cxjgam4x466e3rtmtxzpqpetxattw32cfsuksz";

fn example() -> &'static Value {
    &relay_protocol()["end_to_end"]
}

pub(super) fn address(who: &str) -> &'static str {
    text(&example()["keys"][who]["addr"])
}

fn key(who: &str) -> PublicKey {
    PublicKey::from_bytes(&bytes(&example()["keys"][who]["pub"])).unwrap()
}

/// The state of the end-to-end example, bent by `bend` before it starts.
pub(super) fn start(rules: Rules, bend: impl FnOnce(&mut World)) -> TestChain {
    let mut world = World::new();
    world.service(SERVICE, 1000, &person("service owner"));
    let gateway = address("gateway").to_owned();
    world
        .application(address("app"), SERVICE, 1_000_000_000)
        .delegatee_gateway_addresses = vec![gateway];
    let supplier = address("supplier");
    world.supplier(
        supplier,
        supplier,
        SERVICE,
        &[(supplier.to_owned(), 100)],
        60_000_000_000,
    );
    bend(&mut world);
    let mut chain = world.start(rules);
    for who in ["app", "gateway", "supplier"] {
        public_key(&mut chain, Some(&key(who)), address(who));
    }
    chain.fund(&parse(supplier), 1_000_000).unwrap();
    block_hash(
        &mut chain,
        101,
        &bytes(&example()["session"]["block_hash_at_start"]),
    );
    let tree = &poktroll()["proof_chain"]["eight_leaf_tree"];
    block_hash(&mut chain, 142, &bytes(&tree["seed_block_hash_at_142"]));
    chain
}

pub(super) fn text_of(result: &Value) -> Option<&str> {
    result.get("error").map(text)
}

#[test]
fn recorded_claims() {
    let mut seen = 0;
    for case in list(&poktroll()["proof_chain"]["create_claim"]) {
        let name = text(&case["name"]);
        let mut chain = start(Rules::reference(), |world| {
            world.applications[0].unstake_session_end_height = match name {
                "app unbonding, unstake end = session end (still active)" => 120,
                "app unbonding, unstake end before session end" => 100,
                _ => 0,
            };
        });
        let message = bytes(&case["msg_hex"]);
        if name == "valid, second claim updates" {
            chain.go_to(132);
            execute(&mut chain, CREATE, &message).unwrap();
        }
        chain.go_to(number(&case["height"]));
        match (
            execute(&mut chain, CREATE, &message),
            text_of(&case["result"]),
        ) {
            (Ok(events), None) => {
                assert_eq!(events, expected_events(&case["events"]), "{name}");
                let MsgCreateClaim {
                    supplier_operator_address,
                    session_header,
                    root_hash,
                } = MsgCreateClaim::decode(message.as_slice()).unwrap();
                let header = session_header.unwrap();
                let claims = chain
                    .read(|ctx| proof::claims_ending_at(ctx, header.session_end_block_height))
                    .unwrap();
                let stored = Claim {
                    supplier_operator_address,
                    session_header: Some(header),
                    root_hash,
                    proof_validation_status: 0,
                };
                assert_eq!(claims, [stored], "{name}");
            }
            (Err(error), Some(expected)) => {
                assert_eq!(error.log, expected, "{name}");
                assert_eq!(
                    (error.codespace.as_ref(), error.code),
                    ("undefined", 1),
                    "{name}"
                );
            }
            (got, expected) => panic!("{name}: {got:?}, expected {expected:?}"),
        }
        seen += 1;
    }
    assert_eq!(seen, 23);
}

/// The state that a recorded proof met, by the case's name.
pub(super) fn state_of(name: &str, rules: Rules) -> TestChain {
    let hash = bytes(&example()["relay"]["relay_hash"]);
    let mut chain = start(rules, |world| {
        let params = &mut world.proof;
        match name {
            "proof not required (threshold high, probability 0)" => {
                *params = proof_params(0.0, 1_000_000, 1, 1);
            }
            "required by probability 1" => *params = proof_params(1.0, 1_000_000, 1, 1),
            "claimed == threshold (8000 cu * 0.14599 = 1167)" => {
                *params = proof_params(0.0, 1167, 1, 1);
            }
            "claimed = threshold - 1" => *params = proof_params(0.0, 1168, 1, 1),
            "balance 0, fee 0" | "balance 1, fee 0" => *params = proof_params(0.01, 100, 1, 0),
            _ => {}
        }
        let app = &mut world.applications[0];
        let mut undelegated = |end: u64| {
            let gateway_addresses = app.delegatee_gateway_addresses.drain(..).collect();
            let list = UndelegatingGatewayList { gateway_addresses };
            app.pending_undelegations.insert(end, list);
        };
        match name {
            "gateway undelegated, pending key = session end" => undelegated(120),
            "gateway undelegated, pending key = later session end" => undelegated(140),
            "gateway undelegated, pending key = earlier session end" => undelegated(100),
            "gateway undelegated, pending key = session end - 1 (off grid)" => undelegated(119),
            "gateway not delegated at all (placeholder ring expected)" => {
                app.delegatee_gateway_addresses.clear();
            }
            "other gateway delegated instead" => {
                app.delegatee_gateway_addresses = vec![STRANGER.to_owned()];
            }
            "two gateways delegated (superset ring)"
            | "delegated gateway without account (not a signer)" => {
                app.delegatee_gateway_addresses.push(STRANGER.to_owned());
            }
            "same gateway delegated and pending" => {
                let gateway_addresses = app.delegatee_gateway_addresses.clone();
                let list = UndelegatingGatewayList { gateway_addresses };
                app.pending_undelegations.insert(120, list);
            }
            _ => {}
        }
    });
    match name {
        "target == relay hash (not strictly below)" => set_target(&mut chain, hash),
        "target == relay hash + 1" => {
            let mut target = hash;
            target[31] += 1;
            set_target(&mut chain, target);
        }
        "target 31 bytes" => set_target(&mut chain, hash[..31].to_vec()),
        "balance == fee" | "balance 1, fee 0" => set_balance(&mut chain, 1),
        "balance == fee + 1" => set_balance(&mut chain, 2),
        "balance 0, fee 0" => set_balance(&mut chain, 0),
        "gateway account without pubkey" => public_key(&mut chain, None, address("gateway")),
        "supplier account without pubkey" => public_key(&mut chain, None, address("supplier")),
        "other gateway delegated instead" | "two gateways delegated (superset ring)" => {
            let stranger = crypto::keys::SecretKey::from_bytes(&[7; 32])
                .unwrap()
                .public();
            public_key(&mut chain, Some(&stranger), STRANGER);
        }
        _ => {}
    }
    chain
}

/// Sets the difficulty that counts from height 1.
fn set_target(chain: &mut TestChain, target_hash: Vec<u8>) {
    let difficulty = RelayMiningDifficulty {
        service_id: SERVICE.to_owned(),
        block_height: 1,
        num_relays_ema: 100_000,
        target_hash: target_hash.into(),
    };
    chain
        .run(|ctx| service::set_difficulty(ctx, difficulty.clone(), difficulty))
        .unwrap();
}

/// Sets the supplier's balance.
fn set_balance(chain: &mut TestChain, amount: u128) {
    let supplier = parse(address("supplier"));
    let held = chain
        .read(|ctx| bank::balance(ctx, &supplier, bank::UPOKT))
        .unwrap();
    chain
        .run(|ctx| {
            bank::account_to_module(ctx, &supplier, "service", &[coin::upokt(held - amount)])
        })
        .unwrap();
}

/// Texts that a Go decoder writes, or that name a line of a Go file: only the outcome is compared.
const OTHER_TEXT: [&str; 5] = [
    "three-leaf vector proof (leaf value is not a Relay)",
    "garbage proof",
    "target == relay hash (not strictly below)",
    "target 31 bytes",
    "relay: ring signature truncated",
];

pub(super) fn claim_of_case(case: &Value, name: &str) -> Option<Claim> {
    let root = text(&case["claim_root"]);
    let mut header = example_header();
    if name == "claim header end height differs" {
        header.session_end_block_height = 119;
    }
    (!root.is_empty()).then(|| Claim {
        supplier_operator_address: address("supplier").to_owned(),
        session_header: Some(header),
        root_hash: hex::decode(root).unwrap().into(),
        proof_validation_status: 0,
    })
}

fn without_build_path(text: &str) -> String {
    text.replace(" [BUILD_PATH/errors.go:155]", "")
}

/// Sends the proof of a case and ends the block; the error, or the events of the message and of the block's end.
pub(super) fn submit(
    chain: &mut TestChain,
    case: &Value,
) -> Result<(Vec<Seen>, Vec<Seen>), crate::TxError> {
    chain.go_to(number(&case["height"]));
    let submitted = execute(chain, SUBMIT, &bytes(&case["msg_hex"]))?;
    let judged = chain.run(|ctx| {
        proof::end_block(ctx)?;
        Ok::<_, ChainError>(typed_events(ctx))
    });
    Ok((submitted, judged.unwrap()))
}

#[test]
fn recorded_proofs() {
    let (mut accepted, mut refused) = (0, 0);
    for case in list(&poktroll()["proof_chain"]["submit_proof"]) {
        let name = text(&case["name"]);
        let mut chain = state_of(name, Rules::reference());
        let claim = claim_of_case(case, name);
        if let Some(claim) = &claim {
            put_claim(&mut chain, claim);
        }
        match (submit(&mut chain, case), text_of(&case["submit_result"])) {
            (Ok((submitted, mut judged)), None) => {
                assert_eq!(submitted, expected_events(&case["submit_events"]), "{name}");
                let mut expected = expected_events(&case["end_block"]["events"]);
                for (_, attributes) in judged.iter_mut().chain(&mut expected) {
                    for (_, value) in attributes.iter_mut() {
                        *value = without_build_path(value);
                        if OTHER_TEXT.contains(&name) && value.contains("ring signature") {
                            value.clear();
                        }
                    }
                }
                assert_eq!(judged, expected, "{name}");
                let claim = claim.unwrap();
                let header = claim.session_header.as_ref().unwrap();
                let operator = &claim.supplier_operator_address;
                let stored = chain.read(|ctx| proof::claim(ctx, &header.session_id, operator));
                let status = stored.unwrap().unwrap().proof_validation_status;
                let status = ClaimProofStatus::try_from(status).unwrap();
                assert_eq!(
                    status.as_str_name(),
                    text(&case["claim_status_after"]),
                    "{name}"
                );
                let left = chain.read(proof::export_genesis).unwrap().proof_list;
                assert!(left.is_empty(), "{name}");
                accepted += 1;
            }
            (Err(error), Some(expected)) => {
                assert_eq!(
                    (error.codespace.as_ref(), error.code),
                    ("undefined", 1),
                    "{name}"
                );
                if OTHER_TEXT.contains(&name) {
                    let status = expected.split(" desc = ").next().unwrap();
                    assert!(error.log.starts_with(status), "{name}: {}", error.log);
                } else {
                    assert_eq!(error.log, expected, "{name}");
                }
                refused += 1;
            }
            (got, expected) => panic!("{name}: {got:?}, expected {expected:?}"),
        }
    }
    assert_eq!((accepted, refused), (37, 21));
}

#[test]
fn a_proof_pays_for_its_ring_and_its_bytes_on_our_own_networks() {
    let case = &list(&poktroll()["proof_chain"]["submit_proof"])[0];
    let name = text(&case["name"]);
    let wire = bytes(&case["msg_hex"]);
    let gas = |prices: Prices| {
        let mut chain = state_of(name, Rules::reference());
        put_claim(&mut chain, &claim_of_case(case, name).unwrap());
        chain.run(|ctx| prices::save(ctx, &prices)).unwrap();
        chain.go_to(number(&case["height"]));
        let spent: Result<u64, TxError> = chain.run(|ctx| {
            ctx.meter(None);
            router::execute(ctx, SUBMIT, &wire).unwrap()?;
            Ok(ctx.gas_used())
        });
        spent.unwrap()
    };
    let (free, paid) = (gas(Prices::reference()), gas(Prices::ours()));
    let proof: MsgSubmitProof = message(&case["msg_hex"]);
    let stored = 10 * u64::try_from(proof.proof.len()).unwrap();
    // A ring of two takes 199 bytes, which could hold a third member but for the head.
    let work = 3 * 20_000 + 2_000 + stored;
    // Reading the prices costs a little more than reading that there are none.
    assert!(
        (work..work + 1_000).contains(&(paid - free)),
        "{paid} {free} {stored}"
    );
}

#[test]
fn many_proofs_are_judged_in_order_on_any_number_of_threads() {
    let case = &list(&poktroll()["proof_chain"]["submit_proof"])[0];
    let message: MsgSubmitProof = message(&case["msg_hex"]);
    let claim = claim_of_case(case, "").unwrap();
    let mut chain = start(Rules::reference(), |_| {});
    chain.go_to(143);
    // Proofs that differ in nothing but the session id under which they are stored; only the true one is valid.
    let mut expected = Vec::new();
    for index in 0..8 {
        let mut header = claim.session_header.clone().unwrap();
        if index != 4 {
            header.session_id = format!("{index}{}", &header.session_id[1..]);
        }
        expected.push((header.session_id.clone(), index == 4));
        let claim = Claim {
            session_header: Some(header.clone()),
            ..claim.clone()
        };
        put_claim(&mut chain, &claim);
        let proof = proto::pocket::proof::Proof {
            supplier_operator_address: message.supplier_operator_address.clone(),
            session_header: Some(header),
            closest_merkle_proof: message.proof.clone(),
        };
        chain
            .run(|ctx| proof::state::save_proof(ctx, &proof))
            .unwrap();
    }
    expected.sort();
    chain.run(proof::end_block).unwrap();
    let claims = chain.read(|ctx| proof::claims_ending_at(ctx, 120)).unwrap();
    let got: Vec<(String, bool)> = claims
        .into_iter()
        .map(|claim| {
            let valid = claim.proof_validation_status == i32::from(ClaimProofStatus::Validated);
            (claim.session_header.unwrap().session_id, valid)
        })
        .collect();
    assert_eq!(got, expected);
}

fn ask<M: prost::Message, A: prost::Message + Default>(
    chain: &TestChain,
    method: &str,
    request: &M,
) -> Result<A, crate::QueryError> {
    let path = format!("/pocket.proof.Query/{method}");
    let answer = chain.read(|ctx| router::query(ctx, &path, &request.encode_to_vec()))?;
    Ok(A::decode(answer.as_slice()).unwrap())
}

#[test]
fn proofs_are_not_looked_for_by_what_cannot_be_an_address_or_a_session() {
    use proto::pocket::proof::query_all_proofs_request::Filter;
    use proto::pocket::proof::{QueryAllProofsRequest, QueryAllProofsResponse};
    let chain = start(Rules::reference(), |_| {});
    for (filter, found) in [
        (Filter::SupplierOperatorAddress(String::new()), false),
        (Filter::SupplierOperatorAddress(person("one")), true),
        (Filter::SessionId(String::new()), false),
        (Filter::SessionId("aa".to_owned()), true),
        (Filter::SessionEndHeight(0), true),
    ] {
        let request = QueryAllProofsRequest {
            pagination: None,
            filter: Some(filter),
        };
        let answer: Result<QueryAllProofsResponse, _> = ask(&chain, "AllProofs", &request);
        let code = answer.map(|_| ()).map_err(|error| error.grpc);
        let refused = Err(crate::error::GrpcCode::InvalidArgument);
        assert_eq!(code, if found { Ok(()) } else { refused });
    }
}

#[test]
fn claims_are_found_by_session_operator_and_end() {
    use proto::cosmos::base::query::v1beta1::PageRequest;
    use proto::pocket::proof::query_all_claims_request::Filter;
    let mut chain = start(Rules::reference(), |_| {});
    let header = example_header();
    let mut all = Vec::new();
    for (session, end) in [("aa", 120), ("bb", 120), ("cc", 140)] {
        for operator in ["one", "two"] {
            let header = proto::pocket::session::SessionHeader {
                session_id: session.to_owned(),
                session_end_block_height: end,
                ..header.clone()
            };
            all.push(claim_of(&header, &person(operator), 3, 1000, 0));
        }
    }
    for claim in &all {
        put_claim(&mut chain, claim);
    }
    all.sort_by_key(|claim| {
        let header = claim.session_header.clone().unwrap();
        (header.session_id, claim.supplier_operator_address.clone())
    });
    let list = |filter: Option<Filter>| -> Vec<Claim> {
        let request = QueryAllClaimsRequest {
            pagination: None,
            filter,
        };
        let answer: QueryAllClaimsResponse = ask(&chain, "AllClaims", &request).unwrap();
        assert_eq!(answer.pagination.unwrap().total, answer.claims.len() as u64);
        answer.claims
    };
    let of = |wanted: &dyn Fn(&Claim) -> bool| -> Vec<Claim> {
        all.iter().filter(|claim| wanted(claim)).cloned().collect()
    };
    assert_eq!(list(None), all);
    assert_eq!(
        list(Some(Filter::SupplierOperatorAddress(person("two")))),
        of(&|claim| claim.supplier_operator_address == person("two"))
    );
    // The beginning of an address finds all that begin so.
    let everyone = list(Some(Filter::SupplierOperatorAddress("pokt1".to_owned())));
    assert_eq!(everyone.len(), all.len());
    assert_eq!(
        list(Some(Filter::SessionId("bb".to_owned()))),
        of(&|claim| claim.session_header.as_ref().unwrap().session_id == "bb")
    );
    assert_eq!(
        list(Some(Filter::SessionEndHeight(140))),
        of(&|claim| claim
            .session_header
            .as_ref()
            .unwrap()
            .session_end_block_height
            == 140)
    );
    // Page by page, as the miners do.
    let mut pages = Vec::new();
    let mut key = bytes::Bytes::new();
    loop {
        let request = QueryAllClaimsRequest {
            pagination: Some(PageRequest {
                key,
                limit: 2,
                ..Default::default()
            }),
            filter: Some(Filter::SessionEndHeight(120)),
        };
        let answer: QueryAllClaimsResponse = ask(&chain, "AllClaims", &request).unwrap();
        pages.extend(answer.claims);
        key = answer.pagination.unwrap().next_key;
        if key.is_empty() {
            break;
        }
    }
    assert_eq!(pages, list(Some(Filter::SessionEndHeight(120))));
    // A removed claim leaves no trace.
    for claim in &all {
        chain
            .run(|ctx| {
                proof::remove_claim(ctx, claim);
                Ok::<_, ChainError>(())
            })
            .unwrap();
    }
    let left = chain.read(|ctx| {
        let tables: [&[u8]; 3] = [
            b"proof/claim/",
            b"proof/claim-by-end/",
            b"proof/claim-by-operator/",
        ];
        tables
            .iter()
            .map(|table| ctx.iter(table).count())
            .sum::<usize>()
    });
    assert_eq!(left, 0);
    let gone = QueryGetClaimRequest {
        session_id: "aa".to_owned(),
        supplier_operator_address: person("one"),
    };
    let answer: Result<QueryGetClaimResponse, _> = ask(&chain, "Claim", &gone);
    assert!(answer.unwrap_err().message.ends_with("claim not found"));
}

#[test]
fn a_genesis_with_claims_loads_and_exports_the_same() {
    let mut chain = start(Rules::reference(), |_| {});
    let claim = claim_of(&example_header(), address("supplier"), 5, 1000, 1);
    let genesis = proto::pocket::proof::GenesisState {
        params: proof_params(0.5, 10, 2, 3),
        claim_list: vec![claim.clone()],
        proof_list: vec![],
    };
    chain
        .run(|ctx| proof::init_genesis(ctx, genesis.clone()))
        .unwrap();
    assert_eq!(chain.read(proof::export_genesis).unwrap(), genesis);
    let twice = proto::pocket::proof::GenesisState {
        claim_list: vec![claim.clone(), claim],
        ..genesis
    };
    let error = start(Rules::reference(), |_| {}).run(|ctx| proof::init_genesis(ctx, twice));
    assert_eq!(error.unwrap_err().path, "claim_list.1");
    assert!(
        chain
            .read(|ctx| application::get(ctx, address("app")))
            .unwrap()
            .is_some()
    );
}
