//! Applicability, multiplier, targets and the moving average.

use protocol::ProtocolError;
use protocol::decimal::Ratio;
use protocol::difficulty::{
    BASE_TARGET, applicable, ema, multiplier, new_target, probability, scale, scaled_target, target,
};
use serde_json::Value;

use crate::vectors::{bytes, bytes32, list, number, poktroll, relay_protocol, text};

fn ratio(value: &Value) -> Ratio {
    let big = |key: &str| text(&value[key]).parse::<num_bigint::BigUint>().unwrap();
    Ratio::new(big("num"), big("den")).unwrap()
}

/// `relay-protocol-vectors.json` `ema`, and the list of chain §4.
#[test]
fn moving_averages() {
    for case in list(&relay_protocol()["ema"]["items"]) {
        let new = ema(number(&case["prev"]), number(&case["current"]));
        assert_eq!(new, number::<u64>(&case["new"]), "{case}");
    }
    for (current, previous, new) in [
        (1_000, 1_000, 1_000),
        (100_000, 100_000, 100_000),
        (10_000_000_000, 10_000_000_000, 10_000_000_000),
        (250_000, 100_000, 115_000),
        (5, 1_000, 900),
        (1, 2, 1),
        (1_000_000_000, 12_345, 100_011_110),
    ] {
        assert_eq!(ema(previous, current), new);
    }
    assert_eq!(ema(u64::MAX, u64::MAX), u64::MAX);
    assert_eq!(ema(0, 0), 0);
}

/// `relay-protocol-vectors.json` `difficulty`.
#[test]
fn targets_of_the_specification() {
    let group = &relay_protocol()["difficulty"];
    for case in list(&group["from_base"]) {
        let new = new_target(number(&case["ema"]), number(&case["target_num_relays"])).unwrap();
        assert_eq!(new, bytes32(&case["target_hash"]), "{case}");
    }
    for case in list(&group["kat"]) {
        let (ema, wanted) = (number(&case["ema"]), number(&case["target_num_relays"]));
        let new = scaled_target(&bytes32(&case["prev"]), ema, wanted).unwrap();
        assert_eq!(new, bytes32(&case["target_hash"]), "{case}");
    }
}

/// `proof_path.compute_new_target`: equal wherever the reference neither wraps nor panics.
#[test]
fn targets_of_the_reference() {
    let mut equal = 0;
    for case in list(&poktroll()["proof_path"]["compute_new_target"]) {
        let from = bytes32(&case["prev_target_hash"]);
        let (ema, wanted): (u64, u64) = (
            number(&case["new_relays_ema"]),
            number(&case["target_num_relays"]),
        );
        let ours = scaled_target(&from, ema, wanted);
        if wanted == 0 || wanted > i64::MAX as u64 {
            assert!(
                matches!(ours, Err(ProtocolError::ParameterRange { .. })),
                "{case}"
            );
        } else if ema == 0 {
            assert!(case["new_target_hash"]["panic"].is_string());
            assert_eq!(ours.unwrap(), BASE_TARGET);
        } else if ema > i64::MAX as u64 {
            // The reference reads such an average as negative; ours divides by what it is.
            let exact = scale(&from, &Ratio::new(wanted, ema).unwrap());
            assert_eq!(ours.unwrap().as_slice(), exact);
        } else {
            assert_eq!(ours.unwrap(), bytes32(&case["new_target_hash"]), "{case}");
            equal += 1;
        }
    }
    assert!(equal > 60, "{equal}");
}

/// `proof_path.multiplier`.
#[test]
fn multipliers_and_probabilities() {
    for case in list(&poktroll()["proof_path"]["multiplier"]) {
        let hash = bytes(&case["target_hash"]);
        if case["multiplier"]["panic"].is_string() {
            assert_eq!(multiplier(&hash), Err(ProtocolError::ZeroDivisor));
        } else {
            assert_eq!(multiplier(&hash).unwrap(), ratio(&case["multiplier"]));
        }
        assert_eq!(probability(&hash).unwrap(), ratio(&case["probability"]));
    }
}

/// `proof_path.scale_difficulty`.
#[test]
fn scaled_hashes() {
    for case in list(&poktroll()["proof_path"]["scale_difficulty"]) {
        let by = Ratio::new(
            number::<u64>(&case["ratio_num"]),
            number::<u64>(&case["ratio_den"]),
        );
        assert_eq!(
            hex::encode(scale(&bytes(&case["hash"]), &by.unwrap())),
            text(&case["scaled"])
        );
    }
}

/// `proof_path.volume_applicable`: equal for hashes and targets of 32 bytes, and nothing else is a target.
#[test]
fn applicability() {
    let mut compared = 0;
    for case in list(&poktroll()["proof_path"]["volume_applicable"]) {
        let (hash, target_hash) = (bytes(&case["relay_hash"]), bytes(&case["target_hash"]));
        match (<[u8; 32]>::try_from(hash), target(&target_hash)) {
            (Ok(hash), Ok(target)) => {
                assert_eq!(
                    Some(applicable(&hash, &target)),
                    case["applicable"].as_bool()
                );
                compared += 1;
            }
            (_, target) => assert_eq!(target.is_ok(), target_hash.len() == 32),
        }
    }
    assert!(compared > 15, "{compared}");
    assert!(!applicable(&[7; 32], &[7; 32]), "strictly below");
}

/// `proof_path.base_target_hash`.
#[test]
fn the_base_target() {
    assert_eq!(
        BASE_TARGET,
        bytes32(&poktroll()["proof_path"]["base_target_hash"])
    );
}

/// `proof_path.difficulty_update_keeper`: the arithmetic of every recorded update (the storing is the chain's).
#[test]
fn recorded_updates() {
    for update in list(&poktroll()["proof_path"]["difficulty_update_keeper"]["updates"]) {
        let wanted = number(&update["target_num_relays"]);
        let mut previous: Option<u64> = match &update["prev_ema"] {
            Value::Null => None,
            value => Some(number(value)),
        };
        for step in list(&update["steps"]) {
            if !step["panic"].is_null() || !step["error"].is_null() {
                break;
            }
            let relays: u64 = number(&step["num_relays"]);
            let new = ema(previous.unwrap_or(relays), relays);
            assert_eq!(new, number::<u64>(&step["new_ema"]), "{step}");
            if new <= i64::MAX as u64 {
                // Above that the reference computes with a negative number.
                let target = new_target(new, wanted).unwrap();
                assert_eq!(
                    hex::encode(target),
                    text(&step["new_target_hash"]),
                    "{step}"
                );
            }
            previous = Some(new);
        }
    }
}
