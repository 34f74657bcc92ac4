use clap::Parser;

use super::*;

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    args: GenesisArgs,
}

/// Runs `genesis` with these arguments in a folder.
fn genesis(folder: &Path, arguments: &[&str]) -> Result<()> {
    let file = folder.join("genesis.json");
    let all = ["genesis", "--file", file.to_str().unwrap()];
    let line = Line::try_parse_from(all.iter().chain(arguments))?;
    run(line.args)
}

fn person(number: u8) -> String {
    Address([number; 20]).to_bech32()
}

#[test]
fn a_document_is_made_filled_and_loads() {
    let folder = tempfile::tempdir().unwrap();
    let (alice, bob, carol) = (person(1), person(2), person(3));
    let config = folder.path().join("supplier.toml");
    std::fs::write(
        &config,
        "[[services]]\nservice_id = \"svc\"\nendpoints = [{ url = \"http://127.0.0.1:1\" }]\n",
    )
    .unwrap();
    let config = config.to_str().unwrap().to_owned();
    let key = |number: u8| {
        let key = ed25519_dalek::SigningKey::from_bytes(&[number; 32]);
        let key = key.verifying_key().to_bytes();
        crate::cli::output::public_key_json("/cosmos.crypto.ed25519.PubKey", &key).to_string()
    };
    let (one, other) = (key(1), key(2));
    let steps: [&[&str]; 14] = [
        &["new", "test-1", "--time", "2026-01-01T00:00:00Z"],
        &["validate"],
        &["add-account", &alice, "10000pokt,7mact"],
        &["add-account", &bob, "10000pokt"],
        &["add-account", &carol, "10000pokt"],
        &["add-account", &carol, "5upokt"],
        &["add-service", "svc", "100", &alice],
        &["add-gateway", &bob, "1pokt"],
        &[
            "add-application",
            &alice,
            "1000pokt",
            "svc",
            "--gateway",
            &bob,
        ],
        &[
            "add-supplier",
            &carol,
            "10000000005upokt",
            "--config",
            &config,
        ],
        &[
            "add-validator",
            &bob,
            "2000pokt",
            "--pubkey",
            &one,
            "--moniker",
            "one",
        ],
        &[
            "add-validator",
            &alice,
            "1000pokt",
            "--pubkey",
            &other,
            "--moniker",
            "other",
        ],
        &[
            "set-param",
            "shared.num_blocks_per_session=20",
            "proof.proof_request_probability=0.5",
        ],
        &["validate"],
    ];
    for step in steps {
        genesis(folder.path(), step).unwrap_or_else(|error| panic!("{step:?}: {error:#}"));
    }
    let text = std::fs::read_to_string(folder.path().join("genesis.json")).unwrap();
    let json: Value = serde_json::from_str(&text).unwrap();
    let state = &json["app_state"];
    assert_eq!(state["shared"]["params"]["num_blocks_per_session"], "20");
    // All of carol's coins are staked, so no empty balance is left.
    let balances = state["bank"]["balances"].as_array().unwrap();
    assert!(!balances.iter().any(|balance| balance["address"] == carol));
    let supply = state["bank"]["supply"].as_array().unwrap();
    assert_eq!(supply[0], json!({ "denom": "mact", "amount": "7" }));
    assert_eq!(
        supply[1],
        json!({ "denom": "upokt", "amount": "30000000005" })
    );
    assert_eq!(state["staking"]["validators"].as_array().unwrap().len(), 2);
    assert_eq!(state["auth"]["accounts"].as_array().unwrap().len(), 3);
}

#[test]
fn what_is_wrong_is_named_by_section_and_field() {
    let folder = tempfile::tempdir().unwrap();
    let error = |arguments: &[&str]| {
        let error = genesis(folder.path(), arguments).err();
        let error = error.unwrap_or_else(|| panic!("{arguments:?} did not fail"));
        format!("{error:#}")
    };
    assert!(error(&["validate"]).contains("genesis.json"));
    for foreign in ["pocket", "pocket-lego-testnet"] {
        assert!(error(&["new", foreign]).contains("network of POKT"));
    }
    genesis(folder.path(), &["new", "test-1"]).unwrap();
    assert!(error(&["new", "test-1"]).contains("--overwrite"));
    let alice = person(1);
    let unpaid = error(&["add-gateway", &alice, "1pokt"]);
    assert!(unpaid.contains("has 0 upokt"), "{unpaid}");
    let param = error(&["set-param", "shared.no_such=1"]);
    assert!(param.contains("shared.no_such"), "{param}");

    genesis(
        folder.path(),
        &["set-param", "shared.num_blocks_per_session=0"],
    )
    .unwrap();
    let refused = error(&["validate"]);
    assert!(
        refused.contains("app_state.shared.params") && refused.contains("NumBlocksPerSession"),
        "{refused}"
    );
    genesis(folder.path(), &["new", "test-1", "--overwrite"]).unwrap();
    let file = folder.path().join("genesis.json");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("service_list", "service_lizt")).unwrap();
    let refused = error(&["validate"]);
    assert!(refused.contains("service_lizt"), "{refused}");
}
