//! Configuration that is wrong: the error names file, line and key, and nothing starts.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::support::network::Network;
use crate::support::process;

const SHORT: Duration = Duration::from_secs(30);

/// A role's configuration in a folder of its own, beside copies of what it refers to.
struct Copied {
    _folder: tempfile::TempDir,
    role: &'static str,
    file: PathBuf,
    text: String,
}

impl Copied {
    fn of(role: &'static str, from: &str) -> Self {
        let network = Network::shared();
        let folder = tempfile::tempdir().unwrap();
        let copy = |name: &str| {
            let (from, to) = (network.data().join(name), folder.path().join(name));
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::copy(from, to).unwrap();
        };
        copy("genesis.json");
        copy("keys/gateway.key");
        copy("keys/supplier-1.key");
        copy(from);
        let file = folder.path().join(from);
        let text = fs::read_to_string(&file).unwrap();
        Self {
            _folder: folder,
            role,
            file,
            text,
        }
    }

    /// Starts the role with another text and gives what it complains about.
    fn refused(&self, text: &str) -> String {
        fs::write(&self.file, text).unwrap();
        self.refused_as_it_is()
    }

    fn refused_as_it_is(&self) -> String {
        let arguments = [self.role, "start", "--config", self.file.to_str().unwrap()];
        let (status, out, error) = process::run(&arguments, SHORT);
        assert!(!status.success(), "{} started: {out}", self.role);
        assert!(!error.contains("panicked"), "{error}");
        error
    }

    /// Puts `value` at `key` and expects an error that names file, line and key.
    fn check(&self, key: &str, value: &str) {
        assert!(
            self.text.lines().any(|line| is_key(line, key)),
            "no `{key}` in {}",
            self.text
        );
        let lines = self.text.lines().map(|text| {
            if is_key(text, key) {
                format!("{key} = {value}\n")
            } else {
                format!("{text}\n")
            }
        });
        let error = self.refused(&lines.collect::<String>());
        let line = self.text.lines().position(|line| is_key(line, key));
        let line = format!("line {}", line.expect("the key is there") + 1);
        for words in [file_name(&self.file), &line, key] {
            assert!(
                error.contains(words),
                "{key} = {value}: `{words}` is not named: {error}"
            );
        }
    }

    /// Adds a key that nobody reads.
    fn check_unknown(&self) {
        let error = self.refused(&format!("unheard_of = 1\n{}", self.text));
        for words in [file_name(&self.file), "line 1", "unheard_of"] {
            assert!(error.contains(words), "`{words}` in {error}");
        }
    }

    /// Cuts the text in the middle of a value.
    fn check_cut(&self) {
        let cut = self.text.rfind('"').expect("a value in quotes");
        let line = self.text[..cut].lines().count();
        let error = self.refused(&self.text[..cut]);
        for words in [file_name(&self.file), &format!("line {line}")] {
            assert!(error.contains(words), "`{words}` in {error}");
        }
    }
}

fn is_key(line: &str, key: &str) -> bool {
    line.split('=')
        .next()
        .is_some_and(|name| name.trim() == key)
}

fn file_name(path: &Path) -> &str {
    path.file_name()
        .and_then(|name| name.to_str())
        .expect("a name")
}

#[test]
fn of_a_node() {
    let node = Copied::of("node", "node/node.toml");
    node.check("rpc_listen", "7");
    node.check("block_time_ms", "0");
    node.check("block_time_ms", "\"soon\"");
    node.check_unknown();
    node.check_cut();
}

#[test]
fn of_a_supplier() {
    let supplier = Copied::of("supplier", "supplier-1/supplier.toml");
    supplier.check("dev_plain_keys", "\"yes\"");
    supplier.check("listen", "true");
    supplier.check("backend", "\"ftp://127.0.0.1/v1\"");
    supplier.check("id", "\"not an id\"");
    supplier.check_unknown();
    supplier.check_cut();
}

#[test]
fn of_a_gateway() {
    let gateway = Copied::of("gateway", "gateway/gateway.toml");
    gateway.check("api_key_hashes", "[\"abc\"]");
    gateway.check("applications", "[\"pokt1nobody\"]");
    gateway.check("allow_private_endpoints", "1");
    gateway.check_unknown();
    gateway.check_cut();
}

#[test]
fn a_node_of_another_chain_is_refused() {
    let gateway = Copied::of("gateway", "gateway/gateway.toml");
    let network = Network::shared();
    let chain_id = network.chain().header(1)["block"]["header"]["chain_id"].clone();
    let chain_id = chain_id.as_str().unwrap();
    assert!(chain_id.starts_with("relaymill-local-"), "{chain_id}");
    let error = gateway.refused(&gateway.text.replace(chain_id, "relaymill-local-00000000"));
    assert!(
        error.contains(chain_id) && error.contains("relaymill-local-00000000"),
        "{error}"
    );
}

#[test]
fn keys_that_others_can_read_or_that_are_plain_on_a_public_chain_are_refused() {
    let supplier = Copied::of("supplier", "supplier-1/supplier.toml");
    let key = supplier
        .file
        .parent()
        .unwrap()
        .join("../keys/supplier-1.key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o640)).unwrap();
    let error = supplier.refused_as_it_is();
    assert!(
        error.contains("supplier-1.key") && error.contains("chmod 600"),
        "{error}"
    );

    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    let lines = supplier
        .text
        .lines()
        .map(|line| match line.split_once('=') {
            Some(("chain_id ", _)) => "chain_id = \"pocket\"\n".to_owned(),
            _ => format!("{line}\n"),
        });
    let error = supplier.refused(&lines.collect::<String>());
    assert!(
        error.contains("dev_plain_keys") && error.contains("pocket"),
        "{error}"
    );

    fs::write(&key, "not a key\n").unwrap();
    let error = supplier.refused(&supplier.text);
    assert!(
        error.contains("supplier-1.key") && !error.contains("not a key"),
        "{error}"
    );
}
