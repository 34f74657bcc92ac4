//! The node's configuration: as people write it, and as the code uses it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use chain::tx::GasPrice;
use serde::{Deserialize, Serialize};

use crate::error::StartError;

/// `node.toml`. Relative paths are relative to the file.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeFile {
    /// Address and port of the CometBFT RPC, e.g. `127.0.0.1:26657`.
    pub rpc_listen: String,
    /// Address and port of gRPC, e.g. `127.0.0.1:9090`.
    pub grpc_listen: String,
    /// Folder of state, blocks and the validator's key. The chain is in here and nowhere else.
    pub data_dir: PathBuf,
    /// The genesis document; read at the first start, compared later.
    pub genesis: PathBuf,
    /// Milliseconds from one block to the next.
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
}

/// The configuration as the code uses it.
#[derive(Clone, Debug)]
pub struct Config {
    /// Address of the RPC.
    pub rpc_listen: String,
    /// Address of gRPC.
    pub grpc_listen: String,
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
}

/// Shortest time between blocks: three synced writes of a slow disk.
const BLOCK_TIME_MS_MIN: u64 = 10;

impl NodeFile {
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
        if self.block_time_ms < BLOCK_TIME_MS_MIN {
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
            data_dir: folder.join(self.data_dir),
            genesis: folder.join(self.genesis),
            block_time: Duration::from_millis(self.block_time_ms),
            keep_recent: self.keep_recent.unwrap_or(chain::limits::KEEP_RECENT),
            min_gas_price,
            min_gas_price_text: price,
            hosts,
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
            data_dir: "data".into(),
            genesis: "genesis.json".into(),
            block_time_ms: 1_000,
            keep_recent: None,
            min_gas_price: None,
            allowed_hosts: None,
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
