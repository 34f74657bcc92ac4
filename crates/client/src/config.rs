//! Which node to ask, and how long to wait for it.

use std::time::Duration;

use url::Url;

use crate::{Error, Result};

/// A node and what is expected of it.
#[derive(Clone, Debug)]
pub struct Config {
    /// CometBFT JSON-RPC, e.g. `http://127.0.0.1:26657`; its WebSocket is `/websocket` below it.
    pub rpc_url: Url,
    /// gRPC, e.g. `http://127.0.0.1:9090`, or `https://…`.
    pub grpc_url: Url,
    /// The chain id this node must serve; `None` takes whatever it says.
    pub chain_id: Option<String>,
    /// Deadlines.
    pub timeouts: Timeouts,
    /// Oldest latest block, by our clock, of a node that follows its network; `None` accepts any.
    /// Default 10 minutes.
    pub max_block_age: Option<Duration>,
    /// How long [`Chain::connect`](crate::Chain::connect) waits for a node that is not up or
    /// behind. Default 10 s.
    pub startup_wait: Duration,
    /// Whether the node may be at a loopback or private address; a configured node may. Default
    /// true.
    pub allow_private: bool,
}

/// Deadlines of single requests.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// One attempt of a query. Default 5 s.
    pub query: Duration,
    /// Large answers: `block_results`, listings. Default 30 s.
    pub bulk: Duration,
    /// Simulation and broadcast. Default 10 s.
    pub transaction: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            query: Duration::from_secs(5),
            bulk: Duration::from_secs(30),
            transaction: Duration::from_secs(10),
        }
    }
}

impl Config {
    /// A node by its two URLs, with defaults for the rest.
    ///
    /// # Errors
    /// [`Error::Config`] naming the URL that cannot be used.
    pub fn new(rpc_url: &str, grpc_url: &str) -> Result<Self> {
        Ok(Self {
            rpc_url: parse("rpc_url", rpc_url)?,
            grpc_url: parse("grpc_url", grpc_url)?,
            chain_id: None,
            timeouts: Timeouts::default(),
            max_block_age: Some(Duration::from_secs(600)),
            startup_wait: Duration::from_secs(10),
            allow_private: true,
        })
    }

    /// The same, refusing any other chain than this.
    #[must_use]
    pub fn expecting(mut self, chain_id: impl Into<String>) -> Self {
        self.chain_id = Some(chain_id.into());
        self
    }
}

/// `http` and `https` are what they are, `tcp` is what Cosmos tools write for `http`.
pub(crate) fn parse(setting: &'static str, text: &str) -> Result<Url> {
    let wrong = |reason: String| Error::Config {
        setting,
        value: text.to_owned(),
        reason,
    };
    let http = text
        .strip_prefix("tcp://")
        .map(|rest| format!("http://{rest}"));
    let url =
        Url::parse(http.as_deref().unwrap_or(text)).map_err(|error| wrong(error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(wrong("expected http:// or https://".to_owned()));
    }
    if url.host_str().is_none() {
        return Err(wrong("names no host".to_owned()));
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_of_cosmos_tools_are_understood_and_others_named() {
        let config = Config::new("tcp://127.0.0.1:26657", "http://127.0.0.1:9090").unwrap();
        assert_eq!(config.rpc_url.as_str(), "http://127.0.0.1:26657/");
        let error = Config::new("http://ok", "127.0.0.1:9090")
            .unwrap_err()
            .to_string();
        assert!(error.starts_with("grpc_url `127.0.0.1:9090`"), "{error}");
    }
}
