//! A machine of the network: its home, and the two processes that run in its namespace.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crypto::keys::SecretKey;
use serde_json::{Value, json};

use super::cometbft;
use crate::support::chain::Chain;
use crate::support::process::Process;
use crate::support::wait_for;

/// A busy machine of two cores takes this long at most to start, or to fetch what it missed.
const PATIENCE: Duration = Duration::from_secs(90);

/// How long CometBFT has to end by itself: it takes well under a second where it does.
const GRACE: Duration = Duration::from_secs(15);

/// A home, its processes if they run, its RPC and its REST.
pub(super) struct Machine {
    pub(super) name: String,
    pub(super) home: PathBuf,
    pub(super) rpc: Chain,
    pub(super) rest: String,
    space: String,
    node: Option<Process>,
    comet: Option<Process>,
}

impl Machine {
    /// A machine whose home is there and whose RPC is at `address`.
    pub(super) fn new(home: PathBuf, space: String, address: std::net::Ipv4Addr) -> Self {
        let name = home
            .file_name()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        // The RPC is for the test, which is outside of the namespace.
        edit(&home.join("config/config.toml"), |text| {
            text.replace("tcp://127.0.0.1:26657", &format!("tcp://{address}:26657"))
        });
        edit(&home.join("node.toml"), |text| {
            let text = text.replace("http://127.0.0.1:26657", &format!("http://{address}:26657"));
            let text = text.replace("127.0.0.1:26660", &format!("{address}:26660"));
            format!("allowed_hosts = [\"{address}\"]\n{text}")
        });
        Self {
            name,
            home,
            rpc: Chain::at(&format!("http://{address}:26657/")),
            rest: format!("http://{address}:26660"),
            space,
            node: None,
            comet: None,
        }
    }

    /// Starts both processes; what they print goes on in the same logs.
    pub(super) fn start(&mut self) {
        let config = self.home.join("node.toml");
        let node = self.inside(
            Path::new(env!("CARGO_BIN_EXE_relaymill")),
            &["--log", "info", "node", "start", "--config", text(&config)],
        );
        self.node = Some(self.spawn(node, "relaymill.log"));
        self.start_comet();
    }

    /// Starts CometBFT only.
    pub(super) fn start_comet(&mut self) {
        let arguments = ["start", "--home", text(&self.home), "--log_level", "error"];
        let comet = self.inside(&cometbft(), &arguments);
        self.comet = Some(self.spawn(comet, "cometbft.log"));
    }

    fn spawn(&self, command: Command, log: &str) -> Process {
        Process::spawn(
            &format!("{} {log}", self.name),
            command,
            &self.home.join(log),
        )
    }

    fn inside(&self, program: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new("ip");
        command
            .args(["netns", "exec", &self.space])
            .arg(program)
            .args(arguments);
        command.env("NO_COLOR", "1").env_remove("RUST_LOG");
        command
    }

    /// kill -9 of both.
    pub(super) fn kill(&mut self) {
        for process in [&mut self.node, &mut self.comet] {
            if let Some(mut process) = process.take() {
                process.kill();
            }
        }
    }

    /// kill -9 of CometBFT only; the node waits for the next one.
    pub(super) fn kill_comet(&mut self) {
        if let Some(mut comet) = self.comet.take() {
            comet.kill();
        }
    }

    /// kill -9 of the node only; CometBFT ends by itself, because nobody answers it any more. Hit while it still catches up
    /// with its peers it may stop halfway; then it is killed, as a supervisor does with what does not end.
    pub(super) fn kill_node(&mut self) {
        if let Some(mut node) = self.node.take() {
            node.kill();
        }
        if let Some(mut comet) = self.comet.take()
            && !comet.ends_within(GRACE)
        {
            comet.kill();
        }
    }

    /// Fails when one of the processes has ended.
    pub(super) fn assert_running(&mut self) {
        for process in [&mut self.node, &mut self.comet].into_iter().flatten() {
            process.assert_running();
        }
    }

    /// What the node printed.
    pub(super) fn printed(&self) -> String {
        std::fs::read_to_string(self.home.join("relaymill.log")).unwrap_or_default()
    }

    /// Latest height; 0 while nobody answers.
    pub(super) fn height(&self) -> i64 {
        let status = self.rpc.try_call("status", &json!({})).ok();
        let height = status.and_then(|status| {
            let height = status["sync_info"]["latest_block_height"].as_str();
            height.and_then(|height| height.parse().ok())
        });
        height.unwrap_or(0)
    }

    /// Waits until this machine has a block.
    pub(super) fn reaches(&mut self, height: i64) -> i64 {
        let what = format!("block {height} at {}", self.name);
        wait_for(&what, PATIENCE, || {
            self.assert_running();
            Some(self.height()).filter(|now| *now >= height)
        })
    }

    /// Waits until a question about this machine's chain is answered.
    pub(super) fn waits_for<T>(
        &mut self,
        what: &str,
        mut question: impl FnMut(&Chain) -> Option<T>,
    ) -> T {
        let what = format!("{what} at {}", self.name);
        wait_for(&what, PATIENCE, || {
            self.assert_running();
            question(&self.rpc)
        })
    }

    /// The app hash in the header of a height.
    pub(super) fn app_hash(&self, height: i64) -> String {
        let header = self.rpc.header(height);
        header["block"]["header"]["app_hash"]
            .as_str()
            .expect("an app hash")
            .to_owned()
    }

    /// The operator's key.
    pub(super) fn operator(&self) -> SecretKey {
        let text = std::fs::read_to_string(self.home.join("keys/operator.key")).expect("key");
        let bytes: [u8; 32] = hex::decode(text.trim())
            .expect("hex")
            .try_into()
            .expect("32 bytes");
        SecretKey::from_bytes(&bytes).expect("a key")
    }

    /// The consensus key: address in upper-case hex, the public key in base64, the key itself.
    pub(super) fn consensus(&self) -> (String, String, ed25519_dalek::SigningKey) {
        use base64::Engine as _;
        let text = std::fs::read(self.home.join("config/priv_validator_key.json")).expect("key");
        let json: Value = serde_json::from_slice(&text).expect("JSON");
        let field = |value: &Value| value.as_str().expect("text").to_owned();
        let private =
            base64::engine::general_purpose::STANDARD.decode(field(&json["priv_key"]["value"]));
        let pair: [u8; 64] = private.expect("base64").try_into().expect("64 bytes");
        let key = ed25519_dalek::SigningKey::from_keypair_bytes(&pair).expect("a key pair");
        (
            field(&json["address"]),
            field(&json["pub_key"]["value"]),
            key,
        )
    }
}

/// Changes a file.
pub(super) fn edit(path: &Path, change: impl FnOnce(String) -> String) {
    let text = std::fs::read_to_string(path).expect("a file");
    std::fs::write(path, change(text)).expect("a file");
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path of text")
}
