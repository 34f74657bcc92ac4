//! The keyring, and roles whose keys are encrypted.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::network::Network;
use crate::support::process;

const SHORT: Duration = Duration::from_secs(60);

/// A keyring in a folder of its own, with a passphrase file beside it.
pub(crate) struct Ring {
    folder: TempDir,
}

impl Ring {
    pub(crate) fn new() -> Self {
        let ring = Self {
            folder: tempfile::tempdir().expect("folder"),
        };
        private(&ring.path("passphrase"), "correct horse battery staple\n");
        ring
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The options that lead here.
    pub(crate) fn options(&self) -> [String; 4] {
        let text = |name: &str| self.path(name).to_str().expect("UTF-8").to_owned();
        [
            "--keyring-dir".to_owned(),
            text("ring"),
            "--passphrase-file".to_owned(),
            text("passphrase"),
        ]
    }

    fn run(&self, arguments: &[&str]) -> (bool, String, String) {
        let options = self.options();
        let mut all = vec!["keys"];
        all.extend(arguments);
        all.extend(options.iter().map(String::as_str));
        let (status, out, error) = process::run(&all, SHORT);
        assert!(!error.contains("panicked"), "{all:?}: {error}");
        (status.success(), out, error)
    }

    /// Runs `keys` and reads its JSON.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let mut all = arguments.to_vec();
        all.extend(["--output", "json"]);
        let (good, out, error) = self.run(&all);
        assert!(good, "{all:?}: {error}");
        serde_json::from_str(&out).unwrap_or_else(|failure| panic!("{all:?}: {failure} in {out}"))
    }

    fn refused(&self, arguments: &[&str]) -> String {
        let (good, out, error) = self.run(arguments);
        assert!(!good, "{arguments:?}: {out}");
        error
    }
}

fn private(path: &Path, text: &str) {
    fs::write(path, text).expect("file");
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).expect("mode");
}

#[test]
fn keys_are_made_recovered_exported_and_imported() {
    let ring = Ring::new();
    let alice = ring.json(&["add", "alice"]);
    let words = alice["mnemonic"].as_str().expect("shown once").to_owned();
    assert_eq!(words.split(' ').count(), 24);
    let shown = ring.json(&["show", "alice"]);
    assert_eq!(shown["address"], alice["address"]);
    assert!(
        shown["valoper"]
            .as_str()
            .unwrap()
            .starts_with("poktvaloper1")
    );
    assert!(shown.get("mnemonic").is_none(), "{shown}");
    assert_eq!(shown["hd_path"], "m/44'/118'/0'/0/0");
    let file = ring.path("ring").join("alice.key");
    assert_eq!(
        fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let sealed = fs::read_to_string(&file).unwrap();
    assert!(
        sealed.starts_with("-----BEGIN AGE ENCRYPTED FILE-----"),
        "{sealed}"
    );

    private(
        &ring.path("words"),
        &format!("  {}\n", words.to_uppercase()),
    );
    let words = ring.path("words");
    let words = words.to_str().unwrap();
    let again = ring.json(&["add", "again", "--mnemonic-file", words]);
    assert_eq!(again["address"], alice["address"]);
    let second = ring.json(&["add", "second", "--mnemonic-file", words, "--index", "1"]);
    let path = [
        "add",
        "third",
        "--mnemonic-file",
        words,
        "--hd-path",
        "m/44'/118'/0'/0/1",
    ];
    assert_eq!(ring.json(&path)["address"], second["address"]);
    assert_ne!(second["address"], alice["address"]);

    let refused = ring.refused(&["export", "alice", "--unarmored-hex"]);
    assert!(refused.contains("--unsafe"), "{refused}");
    let hex = ring.path("hex");
    let hex = hex.to_str().unwrap();
    let (good, _, error) = ring.run(&[
        "export",
        "alice",
        "--unarmored-hex",
        "--unsafe",
        "--to",
        hex,
    ]);
    assert!(good, "{error}");
    assert_eq!(fs::read_to_string(hex).unwrap().trim().len(), 64);
    let imported = ring.json(&["import", "imported", hex]);
    assert_eq!(imported["address"], alice["address"]);
    let (_, printed, _) = ring.run(&["export", "alice"]);
    assert_eq!(
        printed, sealed,
        "what is exported without --unsafe is encrypted"
    );

    ring.json(&["rename", "imported", "copy"]);
    let names: Vec<Value> = ring.json(&["list"]).as_array().unwrap().to_vec();
    let names: Vec<&str> = names
        .iter()
        .map(|key| key["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["again", "alice", "copy", "second", "third"]);
    assert!(ring.run(&["delete", "copy", "--yes"]).0);
    assert!(ring.refused(&["show", "copy"]).contains("copy"));
    assert!(ring.refused(&["add", "alice"]).contains("already"));
    let nobody = ring.refused(&["add", "x", "--mnemonic-file", "/nowhere"]);
    assert!(nobody.contains("/nowhere"), "{nobody}");
}

#[test]
fn a_role_starts_with_an_encrypted_key_and_its_passphrase_only() {
    let network = Network::shared();
    let ring = Ring::new();
    let copy = |name: &str| {
        let to = ring.path(name);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(network.data().join(name), &to).unwrap();
        to
    };
    let plain = copy("keys/supplier-1.key");
    let file = copy("supplier-1/supplier.toml");
    ring.json(&["import", "supplier", plain.to_str().unwrap()]);
    let (good, _, error) = ring.run(&[
        "export",
        "supplier",
        "--to",
        ring.path("keys/sealed.key").to_str().unwrap(),
    ]);
    assert!(good, "{error}");
    let text = fs::read_to_string(&file).unwrap();
    let text = text.replace("keys/supplier-1.key", "keys/sealed.key");
    let text = text.replace("dev_plain_keys = true\n", "");
    fs::write(&file, text).unwrap();

    let start = |passphrase: &Path| {
        let arguments = [
            "supplier",
            "start",
            "--config",
            file.to_str().unwrap(),
            "--passphrase-file",
            passphrase.to_str().unwrap(),
        ];
        let (status, _, error) = process::run(&arguments, SHORT);
        assert!(!status.success());
        error
    };
    private(&ring.path("wrong"), "another passphrase\n");
    let error = start(&ring.path("wrong"));
    assert!(
        error.contains("sealed.key") && error.contains("passphrase"),
        "{error}"
    );
    assert!(!error.contains("another passphrase"), "{error}");
    // The right one gets it as far as the port, where the network's own supplier listens.
    let error = start(&ring.path("passphrase"));
    assert!(error.contains("in use"), "{error}");
    fs::set_permissions(
        ring.path("keys/sealed.key"),
        fs::Permissions::from_mode(0o644),
    )
    .unwrap();
    let error = start(&ring.path("passphrase"));
    assert!(error.contains("chmod 600"), "{error}");
}
