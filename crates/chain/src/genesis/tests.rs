use std::fs::File;
use std::io::Read as _;

use flate2::read::GzDecoder;
use serde_json::{Map, Value};

use super::{export_state, load_state};
use crate::rules::Rules;
use crate::testing::TestChain;

/// Sections that come out of a loaded document as they went in.
const SECTIONS: [&str; 6] = [
    "auth",
    "bank",
    "distribution",
    "mint",
    "slashing",
    "staking",
];

/// The state that the recorded chain exported at a height.
fn exported(height: i64) -> Map<String, Value> {
    let path = format!(
        "{}/../../tests/vectors/golden/chain-a/exports/height-{height}.json.gz",
        env!("CARGO_MANIFEST_DIR")
    );
    let mut text = String::new();
    GzDecoder::new(File::open(path).unwrap())
        .read_to_string(&mut text)
        .unwrap();
    let document: Value = serde_json::from_str(&text).unwrap();
    document["app_state"].as_object().unwrap().clone()
}

#[test]
fn recorded_exports_load_and_are_exported_again() {
    for height in [27, 60, 115, 185, 333] {
        let state = exported(height);
        let mut chain = TestChain::new(Rules::reference());
        chain.go_to(height + 1);
        let again = chain
            .run(|ctx| {
                load_state(ctx, &state)?;
                // Consensus is told the validators that it knew last.
                let last = state["staking"]["last_validator_powers"]
                    .as_array()
                    .unwrap();
                assert_eq!(ctx.validator_updates.len(), last.len());
                Ok::<_, crate::GenesisError>(export_state(ctx)?)
            })
            .unwrap();
        for section in SECTIONS {
            assert_eq!(again[section], state[section], "{section} at {height}");
        }
    }
}
