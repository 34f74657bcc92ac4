//! `relaymill replay` on the recorded reference chain, as CI and auditors run it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

fn chain_a() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/golden/chain-a")
}

fn replay(folder: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = Command::new(env!("CARGO_BIN_EXE_relaymill"))
        .arg("replay")
        .arg(folder)
        .args(arguments)
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code(), text(stdout), text(stderr))
}

#[test]
fn the_recorded_chain_ends_0() {
    let (status, text, errors) = replay(&chain_a(), &[]);
    assert_eq!(status, Some(0), "{text}\n{errors}");
    assert!(text.contains("golden-1: 333 blocks replayed"), "{text}");
    assert!(text.contains("not compared: gas numbers"), "{text}");
}

#[test]
fn a_difference_ends_1_and_a_list_that_cannot_be_read_2() {
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("list.toml");
    let with = |text: &str, more: &[&str]| {
        std::fs::write(&list, text).unwrap();
        let mut arguments = vec!["--differences", list.to_str().unwrap(), "--output", "json"];
        arguments.extend(more);
        replay(&chain_a(), &arguments)
    };
    // Without the list of deliberate differences, those are told.
    let (status, text, _) = with("kept_against = \"\"", &["--max-differences", "1"]);
    assert_eq!(status, Some(1));
    let report: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(report["equal"], false);
    assert_eq!(report["counts"]["query"]["differences"], 2);
    let shown = report["differences"].as_array().unwrap();
    assert_eq!(shown.len(), 2, "one of each kind: {text}");

    let (status, _, errors) = with("kept_against = \"\"\nnonsense = 1", &[]);
    assert_eq!(status, Some(2));
    assert!(
        errors.contains("list.toml") && errors.contains("nonsense"),
        "{errors}"
    );
    let (status, _, errors) = replay(folder.path(), &[]);
    assert_eq!(status, Some(2));
    assert!(errors.contains("genesis.json"), "{errors}");
}
