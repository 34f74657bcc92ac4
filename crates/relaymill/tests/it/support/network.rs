//! `relaymill localnet`, all roles in one process.

use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::sync::OnceLock;
use std::time::Duration;

use crypto::keys::SecretKey;
use serde::Deserialize;
use serde_json::Value;
use tempfile::TempDir;

use super::chain::Chain;
use super::load::Gateway;
use super::process::Process;
use super::{wait_for, web};

/// Ports that one network takes: RPC, gRPC, gateway, engine, three suppliers, one more for a backend of one's own, REST.
pub(crate) const PORTS: u16 = 9;

/// Longest wait for the ready file: a debug build loads two models on a busy machine.
const READY: Duration = Duration::from_secs(90);

/// The ready file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ready {
    pub(crate) gateway_url: String,
    pub(crate) api_key: String,
    pub(crate) rpc_url: String,
    pub(crate) grpc_url: String,
    #[allow(dead_code)]
    pub(crate) rest_url: Option<String>,
    pub(crate) models: Vec<String>,
}

/// A local network with a folder of its own.
pub(crate) struct Network {
    process: Option<Process>,
    folder: TempDir,
    arguments: Vec<String>,
    /// Given once: a network keeps its parameters.
    params: Vec<String>,
    /// First of its ports.
    pub(crate) first_port: u16,
    /// As it was written last.
    pub(crate) ready: Ready,
}

impl Network {
    /// A new network, ready for requests. `params` are `module.name=value`.
    pub(crate) fn start(params: &[&str]) -> Self {
        Self::start_with(&[], params)
    }

    /// The same with more arguments.
    pub(crate) fn start_with(more: &[&str], params: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let first_port = web::free_ports(PORTS);
        let text = |path: PathBuf| path.to_str().expect("a path in UTF-8").to_owned();
        let data = text(folder.path().join("net"));
        let ready_file = text(folder.path().join("ready.json"));
        let port = first_port.to_string();
        let arguments = [
            "localnet",
            "--data-dir",
            &data,
            "--ports-from",
            &port,
            "--ready-file",
            &ready_file,
        ];
        let arguments = arguments.iter().chain(more).map(|text| (*text).to_owned());
        let arguments = arguments.collect();
        let params = params
            .iter()
            .flat_map(|param| ["--param".to_owned(), (*param).to_owned()]);
        let params = params.collect();
        let nothing = String::new;
        let ready = Ready {
            gateway_url: nothing(),
            api_key: nothing(),
            rpc_url: nothing(),
            grpc_url: nothing(),
            rest_url: None,
            models: Vec::new(),
        };
        let mut network = Self {
            process: None,
            folder,
            arguments,
            params,
            first_port,
            ready,
        };
        network.launch();
        network
    }

    /// The network that tests share which leave it as they found it.
    pub(crate) fn shared() -> &'static Network {
        static SHARED: OnceLock<Network> = OnceLock::new();
        SHARED.get_or_init(|| Network::start(&[]))
    }

    /// Starts the process on its folder and waits until it is ready.
    pub(crate) fn launch(&mut self) {
        let ready_file = self.ready_file();
        let _ = std::fs::remove_file(&ready_file);
        let new = if self.data().join("localnet.json").exists() {
            &[]
        } else {
            self.params.as_slice()
        };
        let arguments: Vec<&str> = self
            .arguments
            .iter()
            .chain(new)
            .map(String::as_str)
            .collect();
        let process = self.process.insert(Process::start(
            "localnet",
            &arguments,
            &self.folder.path().join("log"),
        ));
        let text = wait_for("ready file", READY, || {
            process.assert_running();
            std::fs::read(&ready_file).ok()
        });
        self.ready = serde_json::from_slice(&text).expect("a whole ready file");
    }

    /// A new network whose blocks come faster than people want them.
    pub(crate) fn fast(params: &[&str], block_time_ms: u64) -> Self {
        let mut network = Self::start(params);
        network.stop();
        network.edit_node(|text| {
            text.replace(
                "block_time_ms = 1000",
                &format!("block_time_ms = {block_time_ms}"),
            )
        });
        network.launch();
        network
    }

    /// Ends it in order.
    pub(crate) fn stop(&mut self) {
        let (status, _) = self.interrupt();
        assert!(status.success(), "localnet ended with {status}");
    }

    /// Changes the node's configuration.
    pub(crate) fn edit_node(&self, change: impl FnOnce(String) -> String) {
        let file = self.data().join("node/node.toml");
        let before = std::fs::read_to_string(&file).expect("node.toml");
        let after = change(before.clone());
        assert_ne!(before, after, "nothing was changed");
        std::fs::write(&file, after).expect("node.toml");
    }

    /// Once stopped, starts its node alone and anew: from another genesis document, with the same validator and ports.
    pub(crate) fn node_from(&self, document: &Path) -> Process {
        let (old, new) = (
            self.data().join("node/data"),
            self.data().join("node/data-2"),
        );
        std::fs::create_dir_all(&new).expect("folder");
        std::fs::copy(old.join("validator.key"), new.join("validator.key")).expect("key");
        self.edit_node(|text| {
            let text = text.replace("data_dir = \"data\"", "data_dir = \"data-2\"");
            text.replace(
                "../genesis.json",
                document.to_str().expect("a path in UTF-8"),
            )
        });
        let file = self.data().join("node/node.toml");
        let arguments = ["node", "start", "--config", file.to_str().expect("UTF-8")];
        let mut process = Process::start("node", &arguments, &self.folder.path().join("node.log"));
        let url = format!("http://127.0.0.1:{}/health", self.first_port);
        wait_for("answer of the node", READY, || {
            process.assert_running();
            web::answers(&url).then_some(())
        });
        process
    }

    /// A key of the network.
    pub(crate) fn key(&self, name: &str) -> SecretKey {
        let file = self.data().join(format!("keys/{name}.key"));
        let text = std::fs::read_to_string(file).expect("key");
        let bytes = hex::decode(text.trim()).expect("hex");
        SecretKey::from_bytes(&bytes.try_into().expect("32 bytes")).expect("a key")
    }

    /// kill -9.
    pub(crate) fn kill(&mut self) {
        self.process.take().expect("running").kill();
    }

    /// Ctrl-C.
    pub(crate) fn interrupt(&mut self) -> (ExitStatus, Duration) {
        self.process.take().expect("running").interrupt()
    }

    /// The running process.
    pub(crate) fn process(&self) -> &Process {
        self.process.as_ref().expect("running")
    }

    /// The arguments it was started with.
    pub(crate) fn arguments(&self) -> Vec<&str> {
        self.arguments.iter().map(String::as_str).collect()
    }

    /// Where it says that it is ready.
    pub(crate) fn ready_file(&self) -> PathBuf {
        self.folder.path().join("ready.json")
    }

    /// Its `--data-dir`.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("net")
    }

    /// Its chain.
    pub(crate) fn chain(&self) -> Chain {
        Chain::at(&format!("http://127.0.0.1:{}", self.first_port))
    }

    /// Its front door.
    pub(crate) fn gateway(&self) -> Gateway {
        Gateway {
            url: self.ready.gateway_url.clone(),
            key: self.ready.api_key.clone(),
        }
    }
}

/// A network's genesis.
pub(crate) fn genesis(data: &Path) -> Value {
    let text = std::fs::read(data.join("genesis.json")).expect("genesis.json");
    serde_json::from_slice(&text).expect("genesis.json is JSON")
}

/// One line of the gateway's relay journal.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Journaled {
    pub(crate) request_id: String,
    pub(crate) relay_hash: String,
    pub(crate) model: String,
    pub(crate) service_id: String,
    pub(crate) application: String,
    pub(crate) supplier: String,
    pub(crate) session_id: String,
    pub(crate) session_end_height: i64,
    pub(crate) status: u16,
    pub(crate) stream: bool,
}

/// The relay journal; a line cut by a kill is passed over.
pub(crate) fn journal(data: &Path) -> Vec<Journaled> {
    let text = std::fs::read_to_string(data.join("gateway/relays.jsonl")).unwrap_or_default();
    text.lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect()
}
