//! The rules of `proof`, each both ways, and all together.

use prost::Message as _;
use proto::pocket::application::UndelegatingGatewayList;
use proto::pocket::proof::{Claim, ClaimProofStatus, MsgCreateClaim};
use proto::pocket::session::SessionHeader;
use proto::pocket::shared::{GenesisState, Params, ParamsUpdate};
use protocol::claim::ProofRequirement;
use protocol::proof::Strictness;
use serde_json::Value;

use super::messages::{CREATE, SERVICE, address, claim_of_case, start, state_of, submit};
use super::world::*;
use crate::modules::proof::{Appraiser, msg_submit_proof};
use crate::modules::shared;
use crate::rules::Rules;
use crate::testing::TestChain;

/// The reference's rules with some changed.
fn with(change: impl FnOnce(&mut Rules)) -> Rules {
    let mut rules = Rules::reference();
    change(&mut rules);
    rules
}

fn case(group: &str, name: &str) -> &'static Value {
    let cases = list(&poktroll()["proof_chain"][group]);
    cases.iter().find(|case| case["name"] == name).unwrap()
}

fn claim_case(name: &str, rules: Rules) -> Result<Vec<Seen>, crate::TxError> {
    let case = case("create_claim", name);
    let mut chain = start(rules, |_| {});
    chain.go_to(number(&case["height"]));
    execute(&mut chain, CREATE, &bytes(&case["msg_hex"]))
}

/// Sends the proof of a case; its claim's status at the end of the block.
fn proof_case(name: &str, rules: Rules) -> Result<ClaimProofStatus, crate::TxError> {
    let case = case("submit_proof", name);
    let mut chain = state_of(name, rules);
    let claim = claim_of_case(case, name).unwrap();
    put_claim(&mut chain, &claim);
    submit(&mut chain, case)?;
    Ok(status_of(&chain, &claim))
}

fn status_of(chain: &TestChain, claim: &Claim) -> ClaimProofStatus {
    let session_id = &claim.session_header.as_ref().unwrap().session_id;
    let stored = chain.read(|ctx| {
        crate::modules::proof::claim(ctx, session_id, &claim.supplier_operator_address)
    });
    ClaimProofStatus::try_from(stored.unwrap().unwrap().proof_validation_status).unwrap()
}

#[test]
fn each_check_of_proofs_has_its_flag() {
    type Flag = fn(&mut Rules) -> &mut bool;
    type Check = fn(&mut Strictness) -> &mut bool;
    let pairs: [(Flag, Check); 6] = [
        (
            |r| &mut r.bind_leaf_to_challenge,
            |s| &mut s.leaf_bound_to_challenge,
        ),
        (
            |r| &mut r.bind_path_to_relay,
            |s| &mut s.path_bound_to_content,
        ),
        (|r| &mut r.bind_leaf_weight, |s| &mut s.leaf_weight),
        (|r| &mut r.checked_claim_sums, |s| &mut s.no_wrapping),
        (|r| &mut r.canonical_relay_bytes, |s| &mut s.canonical_relay),
        (|r| &mut r.strict_relay_form, |s| &mut s.exact_relay),
    ];
    for (flag, check) in pairs {
        let mut expected = Strictness::REFERENCE;
        *check(&mut expected) = true;
        let rules = with(|rules| *flag(rules) = true);
        assert_eq!(msg_submit_proof::strictness(&rules), expected);
    }
    assert_eq!(
        msg_submit_proof::strictness(&Rules::mended()),
        Strictness::FULL
    );
}

#[test]
fn under_all_rules_honest_claims_and_proofs_fare_as_in_the_reference() {
    for case in list(&poktroll()["proof_chain"]["submit_proof"]) {
        let name = text(&case["name"]);
        let mut chain = state_of(name, Rules::mended());
        let claim = claim_of_case(case, name);
        if let Some(claim) = &claim {
            put_claim(&mut chain, claim);
        }
        let ours = submit(&mut chain, case).is_ok()
            && status_of(&chain, claim.as_ref().unwrap()) == ClaimProofStatus::Validated;
        let theirs = case["claim_status_after"] == "VALIDATED";
        // Relays that nobody honest sends, and an operator who may now spend the last coin.
        let crafted = [
            "not dehydrated",
            "replaced by junk",
            "trailing bytes",
            "appended",
            "re-ordered",
        ];
        let expected = match name {
            "balance == fee" | "balance 0, fee 0" => true,
            _ if crafted.iter().any(|part| name.contains(part)) => false,
            _ => theirs,
        };
        assert_eq!(ours, expected, "{name}");
    }
    for name in ["valid at window open", "valid at window close"] {
        assert!(claim_case(name, Rules::mended()).is_ok());
    }
}

#[test]
fn relay_bytes_are_their_own_canonical_encoding() {
    let mended = with(|rules| rules.canonical_relay_bytes = true);
    for name in [
        "relay: unknown non-critical field appended",
        "relay: unknown critical-range field 15 appended",
        "relay: fields re-ordered (res before req)",
    ] {
        let theirs = proof_case(name, Rules::reference()).unwrap();
        assert_eq!(theirs, ClaimProofStatus::Validated, "{name}");
        let log = proof_case(name, mended).unwrap_err().log;
        assert!(log.contains("canonical"), "{name}: {log}");
    }
}

#[test]
fn a_relay_has_exactly_the_form_that_is_signed() {
    let mended = with(|rules| rules.strict_relay_form = true);
    for name in [
        "relay: response payload kept (not dehydrated)",
        "relay: response payload replaced by junk",
        "relay: ring signature with trailing bytes",
    ] {
        let theirs = proof_case(name, Rules::reference()).unwrap();
        assert_eq!(theirs, ClaimProofStatus::Validated, "{name}");
        let ours = proof_case(name, mended);
        assert!(!matches!(ours, Ok(ClaimProofStatus::Validated)), "{name}");
    }
}

#[test]
fn a_claims_header_is_the_sessions() {
    let mended = with(|rules| rules.claim_header_is_session_header = true);
    for name in [
        "header end height 119 (not on grid), height 135",
        "header end height 140, height 155",
        "header start height 110 (inside the session)",
    ] {
        assert!(claim_case(name, Rules::reference()).is_ok(), "{name}");
        let log = claim_case(name, mended).unwrap_err().log;
        assert!(log.contains("height is"), "{name}: {log}");
    }
    assert!(claim_case("valid at window open", mended).is_ok());
}

#[test]
fn a_sum_that_wraps_is_no_sum() {
    let name = "wrapping product: count 2^61+1, sum 1000";
    assert!(claim_case(name, Rules::reference()).is_ok());
    let mended = with(|rules| rules.checked_claim_sums = true);
    assert!(
        claim_case(name, mended)
            .unwrap_err()
            .log
            .contains("mismatch")
    );
}

#[test]
fn the_fee_may_take_the_last_coin() {
    let mended = with(|rules| rules.proof_fee_may_empty_balance = true);
    for name in ["balance == fee", "balance 0, fee 0"] {
        assert!(proof_case(name, Rules::reference()).is_err(), "{name}");
        assert_eq!(
            proof_case(name, mended).unwrap(),
            ClaimProofStatus::Validated,
            "{name}"
        );
    }
}

#[test]
fn the_ring_of_a_session_does_not_change_with_the_length_of_later_ones() {
    let name = "gateway undelegated, pending key = session end";
    let run = |rules: Rules| {
        let case = case("submit_proof", name);
        let mut chain = start(rules, |world| {
            let app = &mut world.applications[0];
            let gateway_addresses = app.delegatee_gateway_addresses.drain(..).collect();
            let list = UndelegatingGatewayList { gateway_addresses };
            app.pending_undelegations.insert(120, list);
        });
        let before = main_net_params();
        let after = Params {
            num_blocks_per_session: 50,
            session_grid_anchor_height: 141,
            session_number_at_anchor: 8,
            ..before
        };
        let entry = |effective_height, params| ParamsUpdate {
            effective_height,
            params: Some(params),
        };
        let genesis = GenesisState {
            params: after,
            params_history: vec![entry(1, before), entry(141, after)],
        };
        chain.run(|ctx| shared::init_genesis(ctx, genesis)).unwrap();
        let claim = claim_of_case(case, name).unwrap();
        put_claim(&mut chain, &claim);
        submit(&mut chain, case).unwrap();
        status_of(&chain, &claim)
    };
    assert_eq!(run(Rules::reference()), ClaimProofStatus::Invalid);
    let mended = with(|rules| rules.ring_params_at_session_end = true);
    assert_eq!(run(mended), ClaimProofStatus::Validated);
}

#[test]
fn the_requirement_is_drawn_once() {
    let draws = |rules: Rules, status: ClaimProofStatus| -> Vec<ProofRequirement> {
        let chain = start(rules, |world| {
            world.proof = proof_params(0.5, u128::MAX, 1, 1)
        });
        let draw = |relays| {
            let claim = claim_of(
                &example_header(),
                address("supplier"),
                relays,
                1000,
                status.into(),
            );
            chain.read(|ctx| {
                let mut appraiser = Appraiser::new(ctx).unwrap();
                let worth = appraiser.worth(ctx, &claim).unwrap();
                appraiser.requirement(ctx, &claim, worth.claimed).unwrap()
            })
        };
        (1..50).map(draw).collect()
    };
    let mended = with(|rules| rules.requirement_drawn_once = true);
    let pending = draws(Rules::reference(), ClaimProofStatus::PendingValidation);
    assert_eq!(draws(mended, ClaimProofStatus::PendingValidation), pending);
    assert_eq!(draws(mended, ClaimProofStatus::Validated), pending);
    assert_ne!(
        draws(Rules::reference(), ClaimProofStatus::Validated),
        pending
    );
    // An invalid proof settles nothing, whatever the draw says.
    let invalid = draws(mended, ClaimProofStatus::Invalid);
    assert!(invalid.iter().all(|requirement| requirement.is_required()));
    let redrawn = draws(Rules::reference(), ClaimProofStatus::Invalid);
    assert!(redrawn.contains(&ProofRequirement::NotRequired));
}

#[test]
fn a_claim_replaces_the_one_before_wherever_it_is_found() {
    // Only the reference takes two claims of one session with different ends.
    let first: MsgCreateClaim = message(&case("create_claim", "valid at window open")["msg_hex"]);
    let mut chain = start(Rules::reference(), |_| {});
    chain.go_to(135);
    execute(&mut chain, CREATE, &first.encode_to_vec()).unwrap();
    let header = SessionHeader {
        session_end_block_height: 119,
        ..first.session_header.clone().unwrap()
    };
    let second = MsgCreateClaim {
        session_header: Some(header),
        ..first
    };
    let events = execute(&mut chain, CREATE, &second.encode_to_vec()).unwrap();
    assert!(events[0].0.ends_with("EventClaimUpdated"));
    let ending = |end| {
        chain
            .read(|ctx| crate::modules::proof::claims_ending_at(ctx, end))
            .unwrap()
    };
    assert!(ending(120).is_empty());
    assert_eq!(ending(119).len(), 1);
    assert_eq!(second.session_header.unwrap().service_id, SERVICE);
}
