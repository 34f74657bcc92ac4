//! The gateway's configuration: as people write it, and as the code uses it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crypto::keys::{Address, SecretKey};
use serde::{Deserialize, Serialize};

use crate::journal::OnRelay;
use crate::keys::{KeyHash, Keys};
use crate::{StartError, limits};

/// `gateway.toml`. Relative paths are relative to the file.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GatewayFile {
    /// The network this gateway belongs to; a node of another one is refused.
    pub chain_id: String,
    /// CometBFT RPC of a node, e.g. `http://127.0.0.1:26657`.
    pub rpc_url: String,
    /// gRPC of the same node, e.g. `http://127.0.0.1:9090`.
    pub grpc_url: String,
    /// Address and port for clients, e.g. `127.0.0.1:8080`.
    pub listen: String,
    /// The gateway's secp256k1 key: the account that applications delegated to.
    pub key_file: PathBuf,
    /// Reads keys that are not encrypted. Only for networks that `relaymill localnet` made.
    #[serde(default)]
    pub dev_plain_keys: bool,
    /// SHA-256 of every API key that may be used, 64 hex digits each.
    pub api_key_hashes: Vec<String>,
    /// Where answered relays are recorded, one JSON object a line.
    pub journal: PathBuf,
    /// Names that requests may be addressed to. Default: loopback names.
    #[serde(default)]
    pub allowed_hosts: Option<Vec<String>>,
    /// Dials suppliers at loopback and private addresses. Default false.
    #[serde(default)]
    pub allow_private_endpoints: bool,
    /// Seconds until the first byte of an answer, over all attempts. Default 300.
    #[serde(default)]
    pub first_byte_timeout_s: Option<u64>,
    /// Seconds of silence inside an answer. Default 120.
    #[serde(default)]
    pub idle_timeout_s: Option<u64>,
    /// What is sold.
    #[serde(rename = "model")]
    pub models: Vec<ModelFile>,
}

/// `[[model]]`: a model as clients name it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelFile {
    /// Name in requests and in `/v1/models`.
    pub id: String,
    /// Service id on chain. Default: the same as `id`.
    #[serde(default)]
    pub service: Option<String>,
    /// Applications that pay for it, each staked for the service and delegated to this gateway.
    pub applications: Vec<String>,
}

/// A model as the code uses it.
#[derive(Clone, Debug)]
pub struct Model {
    /// Name in requests.
    pub id: String,
    /// Service on chain.
    pub service: String,
    /// Applications that pay.
    pub applications: Vec<Address>,
}

/// The configuration as the code uses it.
#[derive(Clone)]
pub struct Config {
    /// Address to listen on.
    pub listen: String,
    /// Signs relays.
    pub key: SecretKey,
    /// Who may use it.
    pub keys: Keys,
    /// The relay journal.
    pub journal: PathBuf,
    /// Called for every answered relay, after the journal.
    pub on_relay: Option<OnRelay>,
    /// Accepted `Host` names.
    pub allowed_hosts: Vec<String>,
    /// Which supplier addresses may be dialled.
    pub policy: net::AddressPolicy,
    /// Until the first byte of an answer.
    pub first_byte: Duration,
    /// Silence inside an answer.
    pub idle: Duration,
    /// What is sold.
    pub models: Vec<Model>,
}

impl GatewayFile {
    /// Checks every value and resolves paths against `file`'s folder; nothing below parses or defaults anything again.
    ///
    /// # Errors
    /// [`StartError::Config`] with file, key and what is accepted.
    pub fn validate(self, file: &Path, key: SecretKey) -> Result<Config, StartError> {
        let wrong = |key: &str, reason: String| StartError::Config {
            file: file.to_owned(),
            key: key.to_owned(),
            reason,
        };
        let hashes: Option<Vec<_>> = self
            .api_key_hashes
            .iter()
            .map(|text| KeyHash::parse(text))
            .collect();
        let hashes = hashes.filter(|hashes| !hashes.is_empty()).ok_or_else(|| {
            wrong(
                "api_key_hashes",
                "expected at least one hash of 64 hex digits".into(),
            )
        })?;
        if self.models.is_empty() {
            return Err(wrong("model", "expected at least one [[model]]".into()));
        }
        let mut seen = BTreeSet::new();
        let mut models = Vec::with_capacity(self.models.len());
        for model in self.models {
            if model.id.is_empty() || !seen.insert(model.id.clone()) {
                return Err(wrong(
                    "model.id",
                    format!("`{}` is empty or used twice", model.id),
                ));
            }
            if model.applications.is_empty() {
                return Err(wrong(
                    "model.applications",
                    format!("`{}` names none", model.id),
                ));
            }
            let parse = |text: &String| {
                Address::from_bech32(text)
                    .map_err(|error| wrong("model.applications", format!("`{text}`: {error}")))
            };
            let applications = model
                .applications
                .iter()
                .map(parse)
                .collect::<Result<_, _>>()?;
            let service = model.service.unwrap_or_else(|| model.id.clone());
            models.push(Model {
                id: model.id,
                service,
                applications,
            });
        }
        let hosts = self.allowed_hosts.unwrap_or_else(|| {
            ["localhost", "127.0.0.1", "::1"]
                .into_iter()
                .map(str::to_owned)
                .collect()
        });
        let seconds =
            |value: Option<u64>, default: Duration| value.map_or(default, Duration::from_secs);
        let folder = file.parent().unwrap_or(Path::new("."));
        Ok(Config {
            listen: self.listen,
            key,
            keys: Keys::new(hashes),
            journal: folder.join(self.journal),
            on_relay: None,
            allowed_hosts: hosts,
            policy: if self.allow_private_endpoints {
                net::AddressPolicy::Any
            } else {
                net::AddressPolicy::Public
            },
            first_byte: seconds(self.first_byte_timeout_s, limits::FIRST_BYTE),
            idle: seconds(self.idle_timeout_s, limits::IDLE),
            models,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"
        chain_id = "relaymill-test"
        rpc_url = "http://127.0.0.1:1"
        grpc_url = "http://127.0.0.1:2"
        listen = "127.0.0.1:0"
        key_file = "gateway.key"
        api_key_hashes = ["0000000000000000000000000000000000000000000000000000000000000000"]
        journal = "relays.jsonl"
        [[model]]
        id = "m"
        applications = ["pokt1rl3gjgzexmplmds3tq3r3yk84zlwdl6djzgsvm"]
    "#;

    fn validate(text: &str) -> Result<Config, StartError> {
        let file: GatewayFile = toml::from_str(text).unwrap();
        file.validate(
            Path::new("net/gateway.toml"),
            SecretKey::from_bytes(&[7; 32]).unwrap(),
        )
    }

    #[test]
    fn paths_follow_the_file_and_the_service_defaults_to_the_model() {
        let config = validate(FILE).unwrap();
        assert_eq!(config.journal, Path::new("net/relays.jsonl"));
        assert_eq!(config.models[0].service, "m");
        assert_eq!(config.policy, net::AddressPolicy::Public);
    }

    #[test]
    fn a_wrong_value_names_file_and_key() {
        let error = validate(&FILE.replace("pokt1rl3", "pokt1xx3"))
            .err()
            .unwrap()
            .to_string();
        assert!(
            error.contains("net/gateway.toml") && error.contains("model.applications"),
            "{error}"
        );
        let error = validate(&FILE.replace("\"0000", "\"zz00"))
            .err()
            .unwrap()
            .to_string();
        assert!(error.contains("api_key_hashes"), "{error}");
    }

    #[test]
    fn an_unknown_key_is_an_error() {
        let text = FILE.replace("journal =", "jurnal =");
        assert!(
            toml::from_str::<GatewayFile>(&text)
                .unwrap_err()
                .to_string()
                .contains("jurnal")
        );
    }
}
