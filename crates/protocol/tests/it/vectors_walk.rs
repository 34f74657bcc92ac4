//! No group of either vector file is without a handler: every first- and second-level group is in this table, and every
//! entry of the table is a group.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use crate::vectors::{poktroll, relay_protocol};

/// Who reads a group.
enum Handler {
    /// A test of this crate: module and function.
    Here(&'static str, &'static str),
    /// Tests of another crate: some source file below it names the group.
    Crate(&'static str),
    /// A note, provenance, or a value that another entry's handler reads.
    Data,
}

use Handler::{Crate, Data, Here};

const RELAY_PROTOCOL: &[(&str, Handler)] = &[
    ("keys", Crate("crypto")),
    ("hash_to_scalar", Crate("crypto")),
    ("hash_to_curve", Crate("crypto")),
    ("ring_signatures", Crate("crypto")),
    ("supplier_ecdsa", Crate("crypto")),
    ("go_rand", Crate("crypto")),
    ("smst", Crate("crypto")),
    (
        "session_id",
        Here("session", "session_ids_with_known_answers"),
    ),
    (
        "session_and_selection_example",
        Here("session", "the_worked_example_of_a_session"),
    ),
    ("ema", Here("difficulty", "moving_averages")),
    (
        "difficulty.from_base",
        Here("difficulty", "targets_of_the_specification"),
    ),
    (
        "difficulty.kat",
        Here("difficulty", "targets_of_the_specification"),
    ),
    ("difficulty.provenance", Data),
    ("end_to_end.provenance", Data),
    ("end_to_end.keys", Data),
    (
        "end_to_end.session",
        Here("session", "the_worked_example_of_a_session"),
    ),
    (
        "end_to_end.relay",
        Here("relay", "the_relay_of_the_worked_example"),
    ),
    (
        "end_to_end.claim",
        Here("claim", "the_claim_of_the_worked_example"),
    ),
];

const POKTROLL: &[(&str, Handler)] = &[
    ("verification_of_relay_protocol_vectors", Data),
    ("protobuf.messages", Crate("proto")),
    ("protobuf.events", Crate("proto")),
    ("protobuf.num_types", Data),
    ("protobuf.types_not_registered", Data),
    (
        "signable.requests",
        Here("relay", "requests_are_signed_without_their_signature"),
    ),
    (
        "signable.responses",
        Here(
            "relay",
            "responses_are_signed_without_signature_and_payload",
        ),
    ),
    (
        "signable.response_wire_oddities",
        Here("relay", "odd_encodings_are_normalised_before_hashing"),
    ),
    (
        "signable.update_payload_hash_empty_payload",
        Here("relay", "an_empty_payload_cannot_be_answered"),
    ),
    (
        "relay_hash.relays",
        Here("relay", "relays_are_hashed_without_the_response_payload"),
    ),
    (
        "relay_hash.session_header_validate_basic",
        Here("validate", "session_headers"),
    ),
    ("claim.amounts", Here("claim", "amounts_of_claims")),
    (
        "claim.proof_requirement_sample",
        Here("claim", "draws_of_the_reference"),
    ),
    (
        "proof_path.base_target_hash",
        Here("difficulty", "the_base_target"),
    ),
    (
        "proof_path.compute_new_target",
        Here("difficulty", "targets_of_the_reference"),
    ),
    (
        "proof_path.multiplier",
        Here("difficulty", "multipliers_and_probabilities"),
    ),
    (
        "proof_path.path_for_proof",
        Here("claim", "proof_paths_of_the_reference"),
    ),
    (
        "proof_path.scale_difficulty",
        Here("difficulty", "scaled_hashes"),
    ),
    (
        "proof_path.volume_applicable",
        Here("difficulty", "applicability"),
    ),
    (
        "proof_path.difficulty_update_keeper",
        Here("difficulty", "recorded_updates"),
    ),
    ("session.params", Data),
    (
        "session.session_id",
        Here("session", "session_ids_of_the_reference"),
    ),
    (
        "session.windows",
        Here("session", "windows_at_every_height_of_eight_grids"),
    ),
    (
        "session.supplier_selection",
        Here("session", "the_reference_chooses_the_same_suppliers"),
    ),
    (
        "session.grid_after_param_changes",
        Here("session", "the_grid_follows_parameter_changes"),
    ),
    ("proof_chain.note", Data),
    ("proof_chain.vector_checks", Data),
    ("proof_chain.create_claim", Crate("chain")),
    (
        "proof_chain.eight_leaf_tree",
        Here("proof", "the_eight_leaf_tree"),
    ),
    (
        "proof_chain.submit_proof",
        Here("proof", "recorded_proofs_under_the_references_rules"),
    ),
    ("tokenomics.settlements", Crate("chain")),
    ("tokenomics.settlement_op_reason_names", Crate("proto")),
    (
        "tokenomics.supplier_shareholder_split",
        Here("settlement", "shareholder_splits_of_the_reference"),
    ),
    (
        "tokenomics.validator_distribution",
        Here("settlement", "validator_distributions_of_the_reference"),
    ),
    // The rows in amino JSON wait for that sign mode, in the next issue; their bytes and hashes are checked.
    ("tx.txs", Crate("chain")),
    ("tx.error_table", Crate("chain")),
    ("ring.placeholder_pubkey", Here("ring", "the_placeholder")),
    (
        "ring.placeholder_ring_address",
        Here("ring", "the_placeholder"),
    ),
    ("ring.rings", Here("ring", "rings_of_the_reference")),
    ("ring.existing_vector_signatures_with_pinned_ring_go", Data),
    ("validate_basic.messages", Crate("chain")),
    ("validate_basic.params", Here("params", "shared_parameters")),
    ("validate_basic.types_with_validate_basic", Data),
];

/// Source of this crate's tests, by module.
const MODULES: &[(&str, &str)] = &[
    ("claim", include_str!("claim.rs")),
    ("difficulty", include_str!("difficulty.rs")),
    ("params", include_str!("params.rs")),
    ("proof", include_str!("proof.rs")),
    ("relay", include_str!("relay.rs")),
    ("ring", include_str!("ring.rs")),
    ("session", include_str!("session.rs")),
    ("settlement", include_str!("settlement.rs")),
    ("validate", include_str!("validate.rs")),
];

/// First-level names that one handler reads as a whole, second-level names everywhere else.
fn groups(file: &Value, table: &[(&str, Handler)]) -> BTreeSet<String> {
    let mut groups = BTreeSet::new();
    for (first, value) in file.as_object().unwrap() {
        if first == "_about" {
            continue;
        }
        if table.iter().any(|(group, _)| group == first) {
            groups.insert(first.clone());
            continue;
        }
        let members = value
            .as_object()
            .unwrap_or_else(|| panic!("no handler for group {first}"));
        groups.extend(members.keys().map(|second| format!("{first}.{second}")));
    }
    groups
}

/// Whether a Rust file below `directory` has `wanted` in it.
fn is_named_below(directory: &Path, wanted: &str) -> bool {
    let entries = std::fs::read_dir(directory).into_iter().flatten();
    entries.map(|entry| entry.unwrap().path()).any(|path| {
        if path.is_dir() {
            return is_named_below(&path, wanted);
        }
        let is_source = path.extension().is_some_and(|extension| extension == "rs");
        is_source && std::fs::read_to_string(&path).is_ok_and(|source| source.contains(wanted))
    })
}

#[track_caller]
fn walk(file: &Value, table: &[(&str, Handler)]) {
    let in_table: BTreeSet<String> = table.iter().map(|(group, _)| (*group).to_owned()).collect();
    assert_eq!(in_table.len(), table.len(), "a group is in the table twice");
    assert_eq!(groups(file, table), in_table);
    for (group, handler) in table {
        match handler {
            Here(module, function) => {
                let (_, source) = MODULES.iter().find(|(name, _)| name == module).unwrap();
                assert!(
                    source.contains(&format!("#[test]\nfn {function}()")),
                    "{group}: no test {module}::{function}"
                );
                let last = group.rsplit('.').next().unwrap();
                assert!(
                    source.contains(&format!("\"{last}\"")),
                    "{group}: not read in {module}"
                );
            }
            Crate(name) => {
                let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name);
                let last = group.rsplit('.').next().unwrap();
                assert!(
                    is_named_below(&root, &format!("\"{last}\"")),
                    "{group}: not read in {name}"
                );
            }
            Data => {}
        }
    }
}

#[test]
fn every_group_of_the_relay_protocol_vectors() {
    walk(relay_protocol(), RELAY_PROTOCOL);
}

#[test]
fn every_group_of_the_poktroll_vectors() {
    walk(poktroll(), POKTROLL);
}
