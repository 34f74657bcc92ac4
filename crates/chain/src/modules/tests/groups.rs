//! Every group of `poktroll-vectors.json` that concerns the state machine is asked inside of it. This table says where, or
//! why a group is no concern of it; a group without an entry, or an entry without its test, fails here.

use std::collections::BTreeSet;
use std::fs;

use super::vectors::file;

enum Asked {
    /// File below `modules`, test.
    In(&'static str, &'static str),
    /// With another group, which says so.
    With(&'static str),
    /// Elsewhere, and why.
    No(&'static str),
}

use Asked::{In, No, With};

const SIGNED: &str = "what relays sign: protocol; the chain meets it in proof_chain.submit_proof";
const NOTE: &str = "a note";

const GROUPS: &[(&str, Asked)] = &[
    ("protobuf.messages", No("encodings: proto")),
    ("protobuf.events", No("encodings: proto")),
    ("protobuf.num_types", No(NOTE)),
    ("protobuf.types_not_registered", No(NOTE)),
    ("signable.requests", No(SIGNED)),
    ("signable.responses", No(SIGNED)),
    ("signable.response_wire_oddities", No(SIGNED)),
    ("signable.update_payload_hash_empty_payload", No(SIGNED)),
    ("relay_hash.relays", No(SIGNED)),
    (
        "relay_hash.session_header_validate_basic",
        In(
            "proof/tests/checks.rs",
            "session_headers_of_messages_equal_the_vectors",
        ),
    ),
    (
        "claim.amounts",
        In(
            "proof/tests/appraise.rs",
            "amounts_follow_from_params_and_difficulty_at_the_start_of_the_session",
        ),
    ),
    (
        "claim.proof_requirement_sample",
        In(
            "proof/tests/appraise.rs",
            "requirements_are_drawn_with_the_hash_of_the_block_before_the_proof_window",
        ),
    ),
    (
        "proof_path.base_target_hash",
        With("proof_path.difficulty_update_keeper"),
    ),
    (
        "proof_path.compute_new_target",
        With("proof_path.difficulty_update_keeper"),
    ),
    (
        "proof_path.scale_difficulty",
        With("proof_path.difficulty_update_keeper"),
    ),
    ("proof_path.multiplier", With("claim.amounts")),
    (
        "proof_path.path_for_proof",
        With("proof_chain.submit_proof"),
    ),
    (
        "proof_path.volume_applicable",
        With("proof_chain.submit_proof"),
    ),
    (
        "proof_path.difficulty_update_keeper",
        In(
            "tokenomics/tests/vectors.rs",
            "difficulties_move_as_in_the_reference",
        ),
    ),
    ("session.params", With("session.windows")),
    (
        "session.session_id",
        In(
            "tests/vectors.rs",
            "session_ids_of_the_state_equal_the_vectors",
        ),
    ),
    (
        "session.windows",
        In(
            "proof/tests/windows.rs",
            "windows_of_the_vectors_in_the_state",
        ),
    ),
    (
        "session.supplier_selection",
        In(
            "tests/vectors.rs",
            "the_state_machine_chooses_the_suppliers_of_the_vectors",
        ),
    ),
    (
        "session.grid_after_param_changes",
        In("tests/vectors.rs", "the_grid_moves_as_in_the_vectors"),
    ),
    ("proof_chain.note", No(NOTE)),
    ("proof_chain.vector_checks", No(NOTE)),
    (
        "proof_chain.create_claim",
        In("proof/tests/messages.rs", "recorded_claims"),
    ),
    (
        "proof_chain.submit_proof",
        In("proof/tests/messages.rs", "recorded_proofs"),
    ),
    (
        "proof_chain.eight_leaf_tree",
        With("proof_chain.submit_proof"),
    ),
    (
        "tokenomics.settlements",
        In("tokenomics/tests/settlements.rs", "recorded_settlements"),
    ),
    (
        "tokenomics.settlement_op_reason_names",
        No("encodings: proto"),
    ),
    (
        "tokenomics.supplier_shareholder_split",
        In(
            "tokenomics/tests/shares.rs",
            "shareholders_get_what_they_get_in_the_reference",
        ),
    ),
    (
        "tokenomics.validator_distribution",
        In(
            "tokenomics/tests/vectors.rs",
            "validators_and_delegators_get_what_they_get_in_the_reference",
        ),
    ),
    (
        "tx.txs",
        In(
            "tests/transactions.rs",
            "transactions_have_the_references_bytes_hashes_and_signatures",
        ),
    ),
    (
        "tx.error_table",
        In(
            "tests/transactions.rs",
            "registered_errors_are_those_of_the_reference",
        ),
    ),
    ("ring.placeholder_pubkey", With("ring.rings")),
    ("ring.placeholder_ring_address", With("ring.rings")),
    (
        "ring.rings",
        In(
            "proof/tests/appraise.rs",
            "rings_are_those_of_the_reference",
        ),
    ),
    (
        "ring.existing_vector_signatures_with_pinned_ring_go",
        No("signatures alone: crypto"),
    ),
    (
        "validate_basic.messages",
        In(
            "tests/vectors.rs",
            "stateless_checks_of_messages_equal_the_vectors",
        ),
    ),
    (
        "validate_basic.params",
        In(
            "proof/tests/checks.rs",
            "checks_of_params_equal_the_vectors",
        ),
    ),
    ("validate_basic.types_with_validate_basic", No(NOTE)),
];

#[test]
fn every_group_that_concerns_the_state_machine_is_asked_in_it() {
    let all = file();
    let mut known = BTreeSet::new();
    for (first, members) in all.as_object().unwrap() {
        if ["_about", "verification_of_relay_protocol_vectors"].contains(&first.as_str()) {
            continue;
        }
        let members = members.as_object().unwrap().keys();
        known.extend(members.map(|second| format!("{first}.{second}")));
    }
    let listed: BTreeSet<String> = GROUPS
        .iter()
        .map(|(group, _)| (*group).to_owned())
        .collect();
    assert_eq!(listed.len(), GROUPS.len(), "a group is listed twice");
    assert_eq!(listed, known);
    let entry = |name: &str| GROUPS.iter().find(|(group, _)| *group == name);
    for (group, asked) in GROUPS {
        match asked {
            In(path, test) => {
                let path = format!("{}/src/modules/{path}", env!("CARGO_MANIFEST_DIR"));
                let text = fs::read_to_string(&path).unwrap();
                assert!(
                    text.contains(&format!("#[test]\nfn {test}()")),
                    "{path}: no {test}"
                );
                let last = group.rsplit('.').next().unwrap();
                assert!(
                    text.contains(&format!("\"{last}\"")),
                    "{path} does not read {group}"
                );
            }
            With(other) => {
                let other = entry(other).unwrap_or_else(|| panic!("{group}: no group {other}"));
                assert!(
                    matches!(other.1, In(..)),
                    "{group}: {} is not asked",
                    other.0
                );
            }
            No(why) => assert!(!why.is_empty()),
        }
    }
}
