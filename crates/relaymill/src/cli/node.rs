//! Which node is meant.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::Args;
use client::{Chain, Config};
use serde_json::Value;

use super::output::{self, Output};
use crate::localnet;

/// How long a command waits for a node that is not up.
const STARTUP_WAIT: Duration = Duration::from_secs(2);

/// Port of gRPC where only the RPC is named: the reference's default.
const GRPC_PORT: u16 = 9090;

/// Which node, and how to print.
#[derive(Args, Debug)]
pub(crate) struct NodeArgs {
    /// Local network whose node is asked.
    #[arg(long, default_value = "relaymill-localnet", global = true)]
    pub(crate) data_dir: PathBuf,
    /// RPC of another node, e.g. http://127.0.0.1:26657.
    #[arg(
        long,
        value_name = "URL",
        alias = "rpc-url",
        env = "RELAYMILL_NODE",
        hide_env_values = true,
        global = true
    )]
    pub(crate) node: Option<String>,
    /// gRPC of that node. Default: port 9090 of the same host.
    #[arg(
        long,
        value_name = "URL",
        alias = "grpc-url",
        env = "RELAYMILL_GRPC",
        hide_env_values = true,
        global = true
    )]
    pub(crate) grpc: Option<String>,
    /// Chain that the node must serve.
    #[arg(
        long,
        value_name = "ID",
        env = "RELAYMILL_CHAIN_ID",
        hide_env_values = true,
        global = true
    )]
    pub(crate) chain_id: Option<String>,
    /// Form of the answer.
    #[arg(long, value_enum, default_value_t = Output::Text, global = true)]
    pub(crate) output: Output,
}

impl NodeArgs {
    /// Connects to the node that is meant. One that stopped making blocks is asked too.
    pub(crate) async fn connect(&self, tasks: &net::Tasks) -> Result<Arc<Chain>> {
        let mut config = match &self.node {
            Some(node) => Config::new(node, &self.grpc_of(node)?)?,
            None => {
                let places = localnet::places(&self.data_dir).context(
                    "no node is known: give --node URL, or --data-dir of a local network",
                )?;
                Config::new(&places.rpc_url, &places.grpc_url)?.expecting(places.chain_id)
            }
        };
        if let Some(chain_id) = &self.chain_id {
            config = config.expecting(chain_id);
        }
        config.max_block_age = None;
        config.startup_wait = STARTUP_WAIT;
        Chain::connect(config, tasks)
            .await
            .map_err(|error| self.unreachable(error))
    }

    /// Says what to do where nobody answers.
    fn unreachable(&self, error: client::Error) -> anyhow::Error {
        let hint = match (&error, &self.node) {
            (client::Error::Unreachable { .. } | client::Error::Timeout { .. }, None) => {
                let folder = self.data_dir.display();
                format!("is `relaymill localnet --data-dir {folder}` running?")
            }
            (client::Error::Unreachable { .. } | client::Error::Timeout { .. }, Some(_)) => {
                "is the node running, and are --node and --grpc its addresses?".to_owned()
            }
            _ => return error.into(),
        };
        anyhow::anyhow!("{error}; {hint}")
    }

    fn grpc_of(&self, node: &str) -> Result<String> {
        if let Some(grpc) = &self.grpc {
            return Ok(grpc.clone());
        }
        let http = node.strip_prefix("tcp://");
        let http = http.map_or_else(|| node.to_owned(), |rest| format!("http://{rest}"));
        let mut url = url::Url::parse(&http).with_context(|| format!("--node {node}"))?;
        url.set_path("");
        // Only URLs without a host have no port.
        let _ = url.set_port(Some(GRPC_PORT));
        Ok(url.to_string())
    }

    /// Whether a local network's node is meant.
    pub(crate) fn is_local_network(&self) -> bool {
        self.node.is_none()
    }

    /// Prints an answer.
    pub(crate) fn print(&self, json: &Value) -> Result<()> {
        output::print(self.output, json)
    }
}
