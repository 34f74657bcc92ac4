//! The node's configuration: as people write it, and as the code uses it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use chain::tx::GasPrice;
use serde::{Deserialize, Serialize};

use crate::error::StartError;
use crate::limits;

/// `node.toml`. Relative paths are relative to the file.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeFile {
    /// Address and port of the CometBFT RPC, e.g. `127.0.0.1:26657`. Not with `[comet]`, whose RPC is CometBFT's own.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub rpc_listen: String,
    /// Address and port of gRPC, e.g. `127.0.0.1:9090`.
    pub grpc_listen: String,
    /// Address and port of REST, e.g. `127.0.0.1:1317`. Without it, REST is not served.
    #[serde(default)]
    pub rest_listen: Option<String>,
    /// Folder of state, blocks and the validator's key. The chain is in here and nowhere else.
    pub data_dir: PathBuf,
    /// The genesis document; read at the first start, compared later.
    pub genesis: PathBuf,
    /// Milliseconds from one block to the next. Not with `[comet]`, which has its own pace.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub block_time_ms: u64,
    /// Heights whose state is kept for queries, 0 for all. Default 1,000.
    #[serde(default)]
    pub keep_recent: Option<u64>,
    /// Least price of gas in this node's mempool, e.g. `0.000000001upokt`. Default `0upokt`.
    #[serde(default)]
    pub min_gas_price: Option<String>,
    /// Names that requests may be addressed to. Default: loopback names.
    #[serde(default)]
    pub allowed_hosts: Option<Vec<String>>,
    /// Blocks come from a CometBFT beside this node instead of being made by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comet: Option<CometFile>,
}

/// `[comet]` of `node.toml`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CometFile {
    /// Where CometBFT's `proxy_app` reaches this node: `unix:///PATH` or `tcp://127.0.0.1:26658`. ABCI knows no keys, so
    /// only loopback addresses are taken. `relaymill node start --abci` overrides it.
    pub abci_listen: String,
    /// RPC of that CometBFT. Default `http://127.0.0.1:26657`.
    #[serde(default)]
    pub rpc_url: Option<String>,
    /// A snapshot for state sync every so many blocks, 0 for none. Default 1,000.
    #[serde(default)]
    pub snapshot_interval: Option<u64>,
    /// Snapshots that are kept. Default 2.
    #[serde(default)]
    pub snapshots_kept: Option<usize>,
}

/// Where CometBFT's RPC is unless configured.
const COMET_RPC_URL: &str = "http://127.0.0.1:26657";

impl CometFile {
    /// A CometBFT at its default RPC address.
    pub fn at(abci_listen: String) -> Self {
        Self {
            abci_listen,
            rpc_url: None,
            snapshot_interval: None,
            snapshots_kept: None,
        }
    }

    fn validate(self) -> Result<CometConfig, (&'static str, String)> {
        let abci_listen = self.abci_listen.parse();
        Ok(CometConfig {
            abci_listen: abci_listen.map_err(|error| ("comet.abci_listen", error))?,
            rpc_url: self.rpc_url.unwrap_or_else(|| COMET_RPC_URL.to_owned()),
            snapshot_interval: self.snapshot_interval.unwrap_or(limits::SNAPSHOT_INTERVAL),
            snapshots_kept: self.snapshots_kept.unwrap_or(limits::SNAPSHOTS_KEPT),
        })
    }
}

/// How CometBFT is met, as the code uses it.
#[derive(Clone, Debug)]
pub struct CometConfig {
    /// Address of the ABCI server.
    pub abci_listen: net::LocalAddress,
    /// CometBFT's RPC.
    pub rpc_url: String,
    /// Blocks from one snapshot to the next; 0 for none.
    pub snapshot_interval: u64,
    /// Snapshots that are kept.
    pub snapshots_kept: usize,
}

#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// The configuration as the code uses it.
#[derive(Clone, Debug)]
pub struct Config {
    /// Address of the RPC.
    pub rpc_listen: String,
    /// Address of gRPC.
    pub grpc_listen: String,
    /// Address of REST, if it is served.
    pub rest_listen: Option<String>,
    /// Folder of the chain.
    pub data_dir: PathBuf,
    /// The genesis document.
    pub genesis: PathBuf,
    /// From one block to the next.
    pub block_time: Duration,
    /// Heights whose state is kept; 0 for all.
    pub keep_recent: u64,
    /// Least price of gas.
    pub min_gas_price: GasPrice,
    /// The same as text.
    pub min_gas_price_text: String,
    /// Accepted `Host` names.
    pub hosts: net::HostCheck,
    /// CometBFT, where blocks come from it.
    pub comet: Option<CometConfig>,
}

/// Shortest time between blocks: three synced writes of a slow disk.
const BLOCK_TIME_MS_MIN: u64 = 10;

impl NodeFile {
    /// Makes the node execute the blocks of a CometBFT that reaches `abci_listen`, whatever the file says about blocks of
    /// its own.
    pub fn follow_comet(&mut self, abci_listen: String) {
        self.rpc_listen.clear();
        self.block_time_ms = 0;
        let comet = self.comet.take();
        let comet = comet.map(|comet| CometFile {
            abci_listen: abci_listen.clone(),
            ..comet
        });
        self.comet = Some(comet.unwrap_or_else(|| CometFile::at(abci_listen)));
    }

    /// Checks every value and resolves paths against `file`'s folder.
    ///
    /// # Errors
    /// [`StartError::Config`] with file, key and what is accepted.
    pub fn validate(self, file: &Path) -> Result<Config, StartError> {
        let wrong = |key: &str, reason: String| StartError::Config {
            file: file.to_owned(),
            key: key.to_owned(),
            reason,
        };
        let comet = self.comet.map(CometFile::validate).transpose();
        let comet = comet.map_err(|(key, reason)| wrong(key, reason))?;
        if comet.is_some() {
            let given = [
                ("rpc_listen", !self.rpc_listen.is_empty()),
                ("block_time_ms", self.block_time_ms > 0),
            ];
            if let Some((key, _)) = given.iter().find(|(_, given)| *given) {
                let reason = "belongs to a node that makes its own blocks; remove it or `[comet]`";
                return Err(wrong(key, reason.to_owned()));
            }
        } else if self.rpc_listen.is_empty() {
            let reason = "missing; expected an address and a port such as 127.0.0.1:26657";
            return Err(wrong("rpc_listen", reason.to_owned()));
        } else if self.block_time_ms < BLOCK_TIME_MS_MIN {
            let reason = format!("expected at least {BLOCK_TIME_MS_MIN}");
            return Err(wrong("block_time_ms", reason));
        }
        let price = self.min_gas_price.unwrap_or_else(|| "0upokt".to_owned());
        let min_gas_price = price
            .parse()
            .map_err(|error| wrong("min_gas_price", error))?;
        let hosts = match &self.allowed_hosts {
            None => net::HostCheck::loopback(),
            Some(names) => net::HostCheck::new(names)
                .map_err(|error| wrong("allowed_hosts", error.to_string()))?,
        };
        let folder = file.parent().unwrap_or(Path::new("."));
        Ok(Config {
            rpc_listen: self.rpc_listen,
            grpc_listen: self.grpc_listen,
            rest_listen: self.rest_listen,
            data_dir: folder.join(self.data_dir),
            genesis: folder.join(self.genesis),
            block_time: Duration::from_millis(self.block_time_ms),
            keep_recent: self.keep_recent.unwrap_or(chain::limits::KEEP_RECENT),
            min_gas_price,
            min_gas_price_text: price,
            hosts,
            comet,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> NodeFile {
        NodeFile {
            rpc_listen: "127.0.0.1:0".to_owned(),
            grpc_listen: "127.0.0.1:0".to_owned(),
            rest_listen: None,
            data_dir: "data".into(),
            genesis: "genesis.json".into(),
            block_time_ms: 1_000,
            keep_recent: None,
            min_gas_price: None,
            allowed_hosts: None,
            comet: None,
        }
    }

    fn refused(change: impl FnOnce(&mut NodeFile)) -> String {
        let mut file = file();
        change(&mut file);
        file.validate(Path::new("net/node.toml"))
            .err()
            .unwrap()
            .to_string()
    }

    #[test]
    fn paths_follow_the_file() {
        let config = file().validate(Path::new("net/node.toml")).unwrap();
        assert_eq!(config.data_dir, Path::new("net/data"));
        assert_eq!(config.genesis, Path::new("net/genesis.json"));
        assert_eq!(config.min_gas_price, GasPrice::ZERO);
    }

    #[test]
    fn blocks_come_from_one_place_only() {
        let text = refused(|file| file.rpc_listen.clear());
        assert!(text.contains("rpc_listen"), "{text}");
        let with_comet = |address: &str| {
            let mut file = file();
            file.comet = Some(CometFile::at(address.to_owned()));
            file
        };
        let text = refused(|file| file.comet = with_comet("unix:///tmp/a").comet);
        assert!(
            text.contains("rpc_listen") && text.contains("[comet]"),
            "{text}"
        );
        let mut alone = with_comet("tcp://10.0.0.1:26658");
        alone.rpc_listen.clear();
        alone.block_time_ms = 0;
        let text = alone
            .validate(Path::new("node.toml"))
            .unwrap_err()
            .to_string();
        assert!(
            text.contains("comet.abci_listen") && text.contains("loopback"),
            "{text}"
        );
    }

    #[test]
    fn a_wrong_value_names_file_and_key() {
        let text = refused(|file| file.block_time_ms = 0);
        assert!(
            text.contains("net/node.toml") && text.contains("block_time_ms"),
            "{text}"
        );
        let text = refused(|file| file.min_gas_price = Some("cheap".into()));
        assert!(text.contains("min_gas_price"), "{text}");
        let text = refused(|file| file.allowed_hosts = Some(vec!["a b".into()]));
        assert!(text.contains("allowed_hosts"), "{text}");
    }
}
