//! What `relaymill network init` writes for a real network, used as its operators use it: keys that are encrypted, opened
//! by a passphrase from a file, the environment, or a terminal.
//!
//! The node makes its own blocks here, with the validator's key and the genesis document of the first home: what is under
//! test are the operators' keys, which CometBFT never sees.

use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::process::{self, Process, binary};
use crate::support::{wait_for, web};

const SHORT: Duration = Duration::from_secs(60);
const READY: Duration = Duration::from_secs(90);
const PASSPHRASE: &str = "correct horse battery staple";
const VARIABLE: &str = "RELAYMILL_PASSPHRASE";

/// Not a local network's name: plain keys are refused.
const CHAIN_ID: &str = "operators-1";

struct Scene {
    folder: TempDir,
    /// First of the ports in use: RPC, gRPC, the supplier, the gateway.
    port: u16,
    _node: Process,
}

impl Scene {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        private(&path("passphrase"), PASSPHRASE);
        let (homes, passphrase) = (path("homes"), path("passphrase"));
        let arguments = [
            "network",
            "init",
            CHAIN_ID,
            "--validators",
            "1",
            "--spare",
            "1",
        ];
        let where_to = [
            "--home",
            text(&homes),
            "--passphrase-file",
            text(&passphrase),
        ];
        let (status, _, error) = process::run(&[&arguments[..], &where_to].concat(), SHORT);
        assert!(status.success(), "{error}");
        let port = web::free_ports(4);
        let node = node(&homes.join("validator-1"), &path("node"), port);
        Self {
            folder,
            port,
            _node: node,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn operator(&self, number: u8) -> PathBuf {
        self.path("homes")
            .join(format!("validator-{number}/keys/operator.key"))
    }

    /// Account of an operator, by its place in the genesis document.
    fn address(&self, place: usize) -> String {
        let document = std::fs::read(self.path("homes/genesis.json")).unwrap();
        let document: Value = serde_json::from_slice(&document).unwrap();
        let account = &document["app_state"]["auth"]["accounts"][place];
        account["address"].as_str().unwrap().to_owned()
    }

    fn at(&self, offset: u16) -> String {
        format!("http://127.0.0.1:{}", self.port + offset)
    }

    /// A command that reaches the node.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = binary();
        command
            .args(arguments)
            .args(["--node", &self.at(0), "--grpc", &self.at(1)]);
        command.args(["--output", "json"]);
        command
    }

    /// A transaction of an operator that a block takes.
    fn tx(&self, number: u8, arguments: &[&str]) -> Value {
        let mut command = self.command(&[&["tx"], arguments].concat());
        command
            .arg("--from")
            .arg(self.operator(number))
            .env(VARIABLE, PASSPHRASE);
        let (status, out, error) = process::finish(command, SHORT);
        assert!(status.success(), "{arguments:?}: {error}");
        serde_json::from_str(&out).unwrap()
    }

    fn query(&self, arguments: &[&str]) -> Value {
        let command = self.command(&[&["query"], arguments].concat());
        let (status, out, error) = process::finish(command, SHORT);
        assert!(status.success(), "{arguments:?}: {error}");
        serde_json::from_str(&out).unwrap()
    }
}

/// A node of the network that makes its own blocks.
fn node(home: &Path, folder: &Path, port: u16) -> Process {
    std::fs::create_dir_all(folder.join("data")).unwrap();
    let key = std::fs::read(home.join("config/priv_validator_key.json")).unwrap();
    let key: Value = serde_json::from_slice(&key).unwrap();
    let pair = STANDARD
        .decode(key["priv_key"]["value"].as_str().unwrap())
        .unwrap();
    private(
        &folder.join("data/validator.key"),
        &hex::encode(&pair[..32]),
    );
    let genesis = home.join("config/genesis.json");
    let config = format!(
        "rpc_listen = \"127.0.0.1:{port}\"\ngrpc_listen = \"127.0.0.1:{}\"\ndata_dir = \"data\"\ngenesis = \"{}\"\nblock_time_ms = 250\nmin_gas_price = \"0.001upokt\"\n",
        port + 1,
        text(&genesis)
    );
    let file = folder.join("node.toml");
    std::fs::write(&file, config).unwrap();
    let arguments = ["node", "start", "--config", text(&file)];
    let mut process = Process::start("node", &arguments, &folder.join("log"));
    wait_for("answer of the node", READY, || {
        process.assert_running();
        web::answers(&format!("http://127.0.0.1:{port}/health")).then_some(())
    });
    process
}

fn private(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn encrypted_keys_of_operators_sign_and_serve() {
    let scene = Scene::new();
    for number in [1, 2] {
        let key = std::fs::read_to_string(scene.operator(number)).unwrap();
        assert!(
            key.starts_with("-----BEGIN AGE ENCRYPTED FILE-----"),
            "{key}"
        );
    }
    every_source_of_a_passphrase(&scene);
    a_supplier_serves(&scene);
}

/// A passphrase from a file, the environment and a terminal; none, and a wrong one.
fn every_source_of_a_passphrase(scene: &Scene) {
    let operator = scene.operator(1);
    let edit = |details: &str| {
        let arguments = ["tx", "staking", "edit-validator", "--details", details];
        let mut command = scene.command(&arguments);
        command.arg("--from").arg(&operator).arg("--yes");
        command
    };
    let said = || {
        let all = scene.query(&["staking", "validators"]);
        all["validators"][0]["description"]["details"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let mut of_file = edit("by file");
    of_file
        .arg("--passphrase-file")
        .arg(scene.path("passphrase"));
    let (status, _, error) = process::finish(of_file, SHORT);
    assert!(status.success(), "{error}");
    assert_eq!(said(), "by file");
    let mut of_environment = edit("by environment");
    of_environment.env(VARIABLE, PASSPHRASE);
    let (status, _, error) = process::finish(of_environment, SHORT);
    assert!(status.success(), "{error}");
    assert_eq!(said(), "by environment");
    let (status, printed) = on_a_terminal(&edit("by hand"), PASSPHRASE);
    assert!(status.success(), "{printed}");
    assert!(
        !printed.contains(PASSPHRASE),
        "the passphrase was shown: {printed}"
    );
    assert_eq!(said(), "by hand");

    let mut wrong = edit("by guess");
    wrong.env(VARIABLE, "another passphrase");
    let (status, _, error) = process::finish(wrong, SHORT);
    assert_eq!(status.code(), Some(1), "{error}");
    assert!(
        error.contains("operator.key") && error.contains("passphrase"),
        "{error}"
    );
    // No terminal either: the test may have one, a process in a session of its own has not.
    let without = edit("by nothing");
    let mut detached = Command::new("setsid");
    detached
        .arg("--wait")
        .arg(without.get_program())
        .args(without.get_args());
    detached.env_remove(VARIABLE);
    let (status, _, error) = process::finish(detached, SHORT);
    assert_eq!(status.code(), Some(1), "{error}");
    assert!(
        error.contains("--passphrase-file") && error.contains(VARIABLE),
        "{error}"
    );
    assert_eq!(said(), "by hand");
}

/// Runs a command on a terminal of its own, and types a line once it is asked for a passphrase.
fn on_a_terminal(command: &Command, line: &str) -> (ExitStatus, String) {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let quoted = words.map(|word| format!("'{}'", word.to_str().unwrap()));
    let quoted = quoted.collect::<Vec<_>>().join(" ");
    let mut script = Command::new("script");
    script
        .args(["-q", "-e", "-c", &quoted, "/dev/null"])
        .env_remove(VARIABLE);
    script
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut child = script.spawn().unwrap();
    let (mut keys, mut screen) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let (mut printed, mut byte) = (Vec::new(), [0]);
    let mut typed = false;
    while screen.read(&mut byte).unwrap() == 1 {
        printed.push(byte[0]);
        if !typed && printed.ends_with(b"operator.key: ") {
            keys.write_all(format!("{line}\n").as_bytes()).unwrap();
            typed = true;
        }
    }
    let printed = String::from_utf8_lossy(&printed).into_owned();
    assert!(typed, "it asked for nothing: {printed}");
    (child.wait().unwrap(), printed)
}

/// The operator of the second home stakes a supplier and runs it with the same key, and a gateway with the first one's.
fn a_supplier_serves(scene: &Scene) {
    let (supplier_at, gateway_at) = (scene.at(2), scene.at(3));
    scene.tx(1, &["service", "add", "svc", "100"]);
    let at = [
        "--service",
        "svc",
        "--url",
        &supplier_at,
        "--stake",
        "60pokt",
    ];
    scene.tx(2, &[&["supplier", "stake"], &at[..]].concat());
    scene.tx(1, &["gateway", "stake", "1pokt"]);
    let (gateway, application) = (scene.address(0), scene.address(1));
    scene.tx(2, &["application", "stake", "50pokt", "svc"]);
    scene.tx(2, &["application", "delegate", &gateway]);
    let both = |more: &str, port: u16, number: u8| {
        let (rpc, grpc, key) = (scene.at(0), scene.at(1), scene.operator(number));
        format!(
            "chain_id = \"{CHAIN_ID}\"\nrpc_url = \"{rpc}\"\ngrpc_url = \"{grpc}\"\nlisten = \"127.0.0.1:{}\"\nkey_file = \"{}\"\n{more}",
            scene.port + port,
            text(&key)
        )
    };
    let services =
        "data_dir = \"supplier\"\n[[service]]\nid = \"svc\"\nbackend = \"http://127.0.0.1:9/v1\"\n";
    let supplier = scene.path("supplier.toml");
    std::fs::write(&supplier, both(services, 2, 2)).unwrap();
    let gateway = scene.path("gateway.toml");
    let hash = hex::encode([7; 32]);
    let models = format!(
        "api_key_hashes = [\"{hash}\"]\njournal = \"relays.jsonl\"\n[[model]]\nid = \"svc\"\napplications = [\"{application}\"]\n"
    );
    std::fs::write(&gateway, both(&models, 3, 1)).unwrap();
    for (role, file, url) in [
        ("supplier", &supplier, supplier_at),
        ("gateway", &gateway, gateway_at),
    ] {
        let mut command = binary();
        command.args([role, "start", "--config", text(file)]);
        command.env(VARIABLE, PASSPHRASE);
        let mut process = Process::spawn(role, command, &scene.path(&format!("{role}.log")));
        wait_for(&format!("answer of the {role}"), READY, || {
            process.assert_running();
            web::answers(&format!("{url}/health")).then_some(())
        });
        assert!(!process.printed().contains(PASSPHRASE));
        let (status, _) = process.interrupt();
        assert!(status.success(), "{role} ended with {status}");
    }
}
