//! Every flag of [`Rules`] has a test that shows both outcomes. This table says which; a flag without an entry, or an entry
//! without its test, fails here.

use std::collections::BTreeSet;
use std::fs;

use crate::rules::Rules;

/// Flag, file below `src`, test.
const TESTS: &[(&str, &str, &str)] = &[
    (
        "bind_leaf_to_challenge",
        "modules/proof/tests/forged.rs",
        "a_leaf_of_the_provers_choice_is_refused_by_its_rule",
    ),
    (
        "bind_path_to_relay",
        "modules/proof/tests/forged.rs",
        "a_relay_at_another_path_is_refused_by_its_rule",
    ),
    (
        "bind_leaf_weight",
        "modules/proof/tests/forged.rs",
        "a_leaf_of_any_weight_is_refused_by_its_rule",
    ),
    (
        "checked_claim_sums",
        "modules/proof/tests/forged.rs",
        "a_tree_whose_sum_wraps_is_refused_by_its_rule",
    ),
    (
        "canonical_relay_bytes",
        "modules/proof/tests/rules.rs",
        "relay_bytes_are_their_own_canonical_encoding",
    ),
    (
        "strict_relay_form",
        "modules/proof/tests/rules.rs",
        "a_relay_has_exactly_the_form_that_is_signed",
    ),
    (
        "claim_header_is_session_header",
        "modules/proof/tests/rules.rs",
        "a_claims_header_is_the_sessions",
    ),
    (
        "requirement_drawn_once",
        "modules/proof/tests/rules.rs",
        "the_requirement_is_drawn_once",
    ),
    (
        "ring_params_at_session_end",
        "modules/proof/tests/rules.rs",
        "the_ring_of_a_session_does_not_change_with_the_length_of_later_ones",
    ),
    (
        "proof_fee_may_empty_balance",
        "modules/proof/tests/rules.rs",
        "the_fee_may_take_the_last_coin",
    ),
    (
        "slashed_supplier_unbonds",
        "modules/tokenomics/tests/rules.rs",
        "a_slashed_supplier_unbonds",
    ),
    (
        "closed_configs_stay_closed",
        "modules/supplier/tests.rs",
        "unstaking_reopens_what_was_closed_unless_mended",
    ),
    (
        "discarded_claim_changes_nothing",
        "modules/tokenomics/tests/rules.rs",
        "a_discarded_claim_leaves_the_applications_record_alone",
    ),
    (
        "rev_share_at_session",
        "modules/tokenomics/tests/rules.rs",
        "shares_are_those_of_the_session",
    ),
    (
        "params_update_on_pending",
        "modules/shared/tests.rs",
        "a_second_change_of_a_session_undoes_the_pending_one_unless_mended",
    ),
    (
        "grid_of_the_height",
        "modules/shared/tests.rs",
        "an_unstake_in_the_first_block_of_a_new_length_ends_with_the_old_session_length_unless_mended",
    ),
    (
        "session_size_from_first_height",
        "modules/session/tests.rs",
        "a_smaller_session_size_reaches_back_into_sessions_before_it_unless_mended",
    ),
    (
        "revoked_allowance_leaves_queue",
        "feegrant/tests.rs",
        "a_revoked_allowance_takes_no_later_one_with_it",
    ),
];

/// The flags of rules with their values.
fn flags(rules: Rules) -> Vec<(String, bool)> {
    let value = serde_json::to_value(rules).unwrap();
    let flags = value.as_object().unwrap().iter();
    flags
        .map(|(name, value)| (name.clone(), value.as_bool().unwrap()))
        .collect()
}

#[test]
fn every_flag_has_a_test_of_both_outcomes() {
    let listed: BTreeSet<&str> = TESTS.iter().map(|(flag, ..)| *flag).collect();
    assert_eq!(listed.len(), TESTS.len(), "a flag is listed twice");
    let known = flags(Rules::reference());
    let known: BTreeSet<&str> = known.iter().map(|(flag, _)| flag.as_str()).collect();
    assert_eq!(listed, known);
    for (flag, file, test) in TESTS {
        let path = format!("{}/src/{file}", env!("CARGO_MANIFEST_DIR"));
        let text = fs::read_to_string(&path).unwrap();
        let body = text.split(&format!("fn {test}(")).nth(1);
        let body = body.unwrap_or_else(|| panic!("{file} has no test {test}"));
        let body = body.split("\n#[test]").next().unwrap();
        // Alone, or among all.
        let named = [
            format!("rules.{flag} = true"),
            format!("{flag}: true"),
            "mended()".to_owned(),
        ];
        let named = named.iter().any(|name| body.contains(name));
        assert!(named, "{test} does not set {flag}");
    }
}

#[test]
fn the_reference_has_no_flag_set_and_our_networks_all() {
    assert!(flags(Rules::reference()).iter().all(|(_, set)| !set));
    for (flag, set) in flags(Rules::mended()) {
        assert!(set, "{flag}");
    }
}
