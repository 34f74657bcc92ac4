//! Amounts, the draw of the proof requirement, and the proof path.

use prost::Message as _;
use proto::pocket::proof::{Claim, ClaimProofStatus};
use protocol::claim::{
    ClaimedWork, Pricing, ProofRequirement, claim_hash, estimated_relays, pending_form, proof_path,
    requirement, sample_value,
};
use protocol::{ProtocolError, Upokt};
use serde_json::Value;

use crate::vectors::{bytes, bytes32, list, number, poktroll, relay_protocol, text};

/// Whether the reference gave a number (`42000upokt` or `42000`) rather than an error or a panic.
fn plain(value: &Value) -> Option<u128> {
    value
        .as_str()
        .map(|text| text.trim_end_matches("upokt").parse().unwrap())
}

/// `claim.amounts`: wherever the true number fits, ours is that number and equal to the reference's; where it does not
/// fit, or a parameter is outside of its range, ours is an error.
#[test]
fn amounts_of_claims() {
    let (mut equal, mut refused) = (0, 0);
    for case in list(&poktroll()["claim"]["amounts"]) {
        let root = bytes(&case["root_hash"]);
        if root.len() != 48 {
            assert_eq!(
                ClaimedWork::from_root(&root),
                Err(ProtocolError::RootLength(root.len()))
            );
            // The reference also reads roots without a count; a claim of ours has 48 bytes or is none.
            continue;
        }
        if case["claim_service_id"] != case["difficulty_service_id"] {
            // Whose difficulty is used is a question of lookup, not of arithmetic.
            continue;
        }
        let work = ClaimedWork::from_root(&root).unwrap();
        assert_eq!(plain(&case["num_relays"]), Some(work.relays.into()));
        assert_eq!(
            plain(&case["num_claimed_compute_units"]),
            Some(work.compute_units.into())
        );

        let (tokens, granularity) = (number::<u64>(&case["cuttm"]), number(&case["granularity"]));
        let pricing = Pricing::new(&bytes(&case["target_hash"]), tokens, granularity);
        let legal = |value: u64| value <= i64::MAX as u64;
        if !legal(tokens) || !legal(granularity) || granularity == 0 {
            assert!(
                matches!(pricing, Err(ProtocolError::ParameterRange { .. })),
                "{case}"
            );
            refused += 1;
            continue;
        }
        let Ok(pricing) = pricing else {
            assert!(
                case["num_estimated_compute_units"]["panic"].is_string(),
                "{case}"
            );
            refused += 1;
            continue;
        };
        let wrapped = pricing.estimated_compute_units_wrapping(&work);
        if let Some(units) = plain(&case["num_estimated_compute_units"]) {
            assert_eq!(units, wrapped.into(), "{case}");
        }
        match pricing.estimated_compute_units(&work) {
            Ok(units) => {
                assert_eq!(
                    plain(&case["num_estimated_compute_units"]),
                    Some(units.into()),
                    "{case}"
                );
                let relays = estimated_relays(&work, units);
                assert_eq!(
                    plain(&case["num_estimated_relays"]),
                    Some(relays.into()),
                    "{case}"
                );
                equal += 1;
            }
            Err(error) => {
                assert_eq!(error, ProtocolError::CountOverflow);
                refused += 1;
            }
        }
        match pricing.claimed(&work) {
            Ok(amount) => assert_eq!(plain(&case["claimed_upokt"]), Some(amount.0), "{case}"),
            Err(error) => {
                assert_eq!(error, ProtocolError::AmountOverflow);
                // The reference holds up to 256 bits.
                if let Some(text) = case["claimed_upokt"].as_str() {
                    assert!(
                        text.trim_end_matches("upokt").parse::<u128>().is_err(),
                        "{case}"
                    );
                }
            }
        }
    }
    assert!(
        equal > 80 && refused > 10,
        "{equal} equal, {refused} refused"
    );
}

/// `claim.proof_requirement_sample`, the float compared bit by bit.
#[test]
fn draws_of_the_reference() {
    for case in list(&poktroll()["claim"]["proof_requirement_sample"]) {
        let claim = Claim::decode(bytes(&case["claim_bytes"]).as_slice()).unwrap();
        let hash = claim_hash(&claim);
        assert_eq!(hash, bytes32(&case["claim_hash"]));
        let value = sample_value(&hash, &bytes(&case["seed_block_hash"]));
        assert_eq!(
            hex::encode(value.to_bits().to_be_bytes()),
            text(&case["sample_value_bits"])
        );
    }
}

/// `proof_path.path_for_proof`.
#[test]
fn proof_paths_of_the_reference() {
    for case in list(&poktroll()["proof_path"]["path_for_proof"]) {
        let path = proof_path(&bytes(&case["block_hash"]), text(&case["session_id"]));
        assert_eq!(path, bytes32(&case["path"]));
    }
}

/// `end_to_end.claim`: hash, draw and path (its trie and proof are `crypto`'s).
#[test]
fn the_claim_of_the_worked_example() {
    let example = &relay_protocol()["end_to_end"]["claim"];
    let claim = Claim::decode(bytes(&example["claim_bytes"]).as_slice()).unwrap();
    assert_eq!(claim.encode_to_vec(), bytes(&example["claim_bytes"]));
    let hash = claim_hash(&claim);
    assert_eq!(hash, bytes32(&example["claim_hash"]));
    let seed = bytes(&example["seed_block_hash"]);
    let value = sample_value(&hash, &seed);
    assert_eq!(value, example["sample_value"].as_f64().unwrap());
    let session = text(&relay_protocol()["end_to_end"]["session"]["session_id"]);
    assert_eq!(proof_path(&seed, session), bytes32(&example["proof_path"]));

    let decide = |claimed, threshold, probability| {
        requirement(&claim, Upokt(claimed), &seed, Upokt(threshold), probability)
    };
    assert_eq!(decide(100, 100, 0.0), ProofRequirement::Threshold);
    assert_eq!(decide(99, 100, 0.0), ProofRequirement::NotRequired);
    assert_eq!(
        decide(99, 100, value),
        ProofRequirement::Probabilistic,
        "equal is drawn"
    );
    assert!(!decide(99, 100, value - 1e-9).is_required());

    let root = ClaimedWork::from_root(&bytes(&example["root_three_leaves"])).unwrap();
    let weight = number(&example["weight"]);
    assert!(root.weighs(weight) && root.relays == 3);
}

#[test]
fn a_verdict_changes_the_draw_but_not_the_pending_form() {
    let claim = Claim {
        root_hash: vec![1; 48].into(),
        ..Claim::default()
    };
    let judged = Claim {
        proof_validation_status: ClaimProofStatus::Invalid.into(),
        ..claim.clone()
    };
    assert_ne!(claim_hash(&claim), claim_hash(&judged));
    assert_eq!(claim_hash(&claim), claim_hash(&pending_form(&judged)));
}

#[test]
fn a_product_that_wraps_is_not_a_weight() {
    let work = ClaimedWork {
        compute_units: 1000,
        relays: (1 << 61) + 1,
    };
    assert!(work.weighs_wrapping(1000));
    assert!(!work.weighs(1000));
}
