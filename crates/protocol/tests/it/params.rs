//! `validate_basic.params` for the shared parameters.

use prost::Message as _;
use proto::pocket::shared::Params;
use protocol::params::validate_shared;

use crate::validate::assert_verdict;
use crate::vectors::{bytes, list, poktroll, text};

/// Parameters that the reference accepts only because it wraps; ours refuses each (chain §1.1, relay-protocol §4.4).
const STRICTER: [&str; 7] = [
    ".ClaimWindowOpenOffsetBlocks = max",
    ".ClaimWindowCloseOffsetBlocks = max",
    ".ProofWindowOpenOffsetBlocks = max",
    ".ProofWindowCloseOffsetBlocks = max",
    ".ComputeUnitsToTokensMultiplier = max",
    ".GatewayUnbondingPeriodSessions = max",
    ".ComputeUnitCostGranularity = max",
];

/// Cases refused by both, by ours with a text of its own: the reference's shows the wrapped number.
const OTHER_TEXT: [&str; 3] = [
    ".NumBlocksPerSession = max",
    ".SupplierUnbondingPeriodSessions = max",
    ".ApplicationUnbondingPeriodSessions = max",
];

#[test]
fn shared_parameters() {
    let mut seen = 0;
    for case in list(&poktroll()["validate_basic"]["params"]) {
        if text(&case["type"]) != "pocket.shared.Params" {
            continue;
        }
        seen += 1;
        let params = Params::decode(bytes(&case["proto_hex"]).as_slice()).unwrap();
        let (ours, name) = (validate_shared(&params), text(&case["case"]));
        if STRICTER.contains(&name) {
            assert!(ours.is_err() && case["result"].is_null(), "{name}");
        } else if OTHER_TEXT.contains(&name) {
            assert!(ours.is_err() && !case["result"].is_null(), "{name}");
        } else {
            assert_verdict(ours, &case["result"], name);
        }
    }
    assert_eq!(seen, 27);
}
