//! The supplier's configuration: as people write it, and as the code uses it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crypto::keys::SecretKey;
use http::Uri;
use serde::{Deserialize, Serialize};

use crate::{StartError, limits};

/// `supplier.toml`. Relative paths are relative to the file.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SupplierFile {
    /// The network this supplier belongs to; a node of another one is refused.
    pub chain_id: String,
    /// CometBFT RPC of a node, e.g. `http://127.0.0.1:26657`.
    pub rpc_url: String,
    /// gRPC of the same node, e.g. `http://127.0.0.1:9090`.
    pub grpc_url: String,
    /// Address and port for gateways, e.g. `0.0.0.0:8545`.
    pub listen: String,
    /// The operator's secp256k1 key: signs answers, claims and proofs.
    pub key_file: PathBuf,
    /// Reads keys that are not encrypted. Only for networks that `relaymill localnet` made.
    #[serde(default)]
    pub dev_plain_keys: bool,
    /// Folder of the session log: the only record of unpaid work.
    pub data_dir: PathBuf,
    /// Names that requests may be addressed to. Default: loopback names; put the staked URL's host here.
    #[serde(default)]
    pub allowed_hosts: Option<Vec<String>>,
    /// Serves applications that delegated to no gateway: anyone can sign for those. Default false.
    #[serde(default)]
    pub accept_placeholder_ring: bool,
    /// What is served.
    #[serde(rename = "service")]
    pub services: Vec<ServiceFile>,
}

/// `[[service]]`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceFile {
    /// Service id as registered on chain.
    pub id: String,
    /// OpenAI-compatible base URL, e.g. `http://127.0.0.1:11434/v1`.
    pub backend: String,
    /// Requests served at the same time; more are refused with 429. Default 64.
    #[serde(default)]
    pub slots: Option<usize>,
    /// File with a bearer token for the backend.
    #[serde(default)]
    pub backend_key_file: Option<PathBuf>,
}

/// A service as the code uses it.
#[derive(Clone, Debug)]
pub struct Service {
    /// Service id on chain.
    pub id: String,
    /// Where its backend is.
    pub backend: Uri,
    /// Requests served at once.
    pub slots: usize,
    /// Bearer token for the backend.
    pub backend_key: Option<String>,
}

/// The configuration as the code uses it.
#[derive(Clone)]
pub struct Config {
    /// Address to listen on.
    pub listen: String,
    /// The operator's key.
    pub key: SecretKey,
    /// Folder of the session log.
    pub data_dir: PathBuf,
    /// Accepted `Host` names.
    pub allowed_hosts: Vec<String>,
    /// Whether rings with the placeholder key are served.
    pub accept_placeholder_ring: bool,
    /// What is served, by service id.
    pub services: BTreeMap<String, Service>,
    /// Told what becomes of claims and relays.
    pub observer: Option<crate::Observer>,
}

impl SupplierFile {
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
        let folder = file.parent().unwrap_or(Path::new("."));
        let mut services = BTreeMap::new();
        for service in self.services {
            protocol::validate::service_id(&service.id)
                .map_err(|error| wrong("service.id", error.to_string()))?;
            let backend = backend_uri(&service.backend).ok_or_else(|| {
                wrong(
                    "service.backend",
                    format!("`{}` is no http(s) URL", service.backend),
                )
            })?;
            let slots = service.slots.unwrap_or(limits::SLOTS);
            if slots == 0 {
                return Err(wrong("service.slots", "expected at least 1".to_owned()));
            }
            let backend_key = match &service.backend_key_file {
                None => None,
                Some(path) => {
                    let path = folder.join(path);
                    let text = std::fs::read_to_string(&path).map_err(|error| {
                        wrong(
                            "service.backend_key_file",
                            format!("{}: {error}", path.display()),
                        )
                    })?;
                    Some(text.trim().to_owned())
                }
            };
            let id = service.id.clone();
            let used = services.insert(
                id.clone(),
                Service {
                    id: id.clone(),
                    backend,
                    slots,
                    backend_key,
                },
            );
            if used.is_some() {
                return Err(wrong("service.id", format!("`{id}` is used twice")));
            }
        }
        if services.is_empty() {
            return Err(wrong(
                "service",
                "expected at least one [[service]]".to_owned(),
            ));
        }
        let hosts = self.allowed_hosts.unwrap_or_else(|| {
            ["localhost", "127.0.0.1", "::1"]
                .into_iter()
                .map(str::to_owned)
                .collect()
        });
        Ok(Config {
            listen: self.listen,
            key,
            data_dir: folder.join(self.data_dir),
            allowed_hosts: hosts,
            accept_placeholder_ring: self.accept_placeholder_ring,
            services,
            observer: None,
        })
    }
}

fn backend_uri(text: &str) -> Option<Uri> {
    let uri: Uri = text.trim_end_matches('/').parse().ok()?;
    let http = matches!(uri.scheme_str(), Some("http" | "https"));
    (http && uri.authority().is_some() && uri.query().is_none()).then_some(uri)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"
        chain_id = "relaymill-test"
        rpc_url = "http://127.0.0.1:1"
        grpc_url = "http://127.0.0.1:2"
        listen = "127.0.0.1:0"
        key_file = "operator.key"
        data_dir = "supplier"
        [[service]]
        id = "millstone"
        backend = "http://127.0.0.1:11434/v1/"
    "#;

    fn validate(text: &str) -> Result<Config, StartError> {
        let file: SupplierFile = toml::from_str(text).unwrap();
        file.validate(
            Path::new("net/supplier.toml"),
            SecretKey::from_bytes(&[7; 32]).unwrap(),
        )
    }

    #[test]
    fn paths_follow_the_file() {
        let config = validate(FILE).unwrap();
        assert_eq!(config.data_dir, Path::new("net/supplier"));
        assert_eq!(
            config.services["millstone"].backend,
            "http://127.0.0.1:11434/v1"
        );
        assert!(!config.accept_placeholder_ring);
    }

    #[test]
    fn a_wrong_value_names_file_and_key() {
        let error = validate(&FILE.replace("http://127.0.0.1:11434", "ftp://x"))
            .err()
            .unwrap()
            .to_string();
        assert!(
            error.contains("net/supplier.toml") && error.contains("service.backend"),
            "{error}"
        );
        let error = validate(&FILE.replace("\"millstone\"", "\"mill stone\""))
            .err()
            .unwrap()
            .to_string();
        assert!(error.contains("service.id"), "{error}");
    }

    #[test]
    fn an_unknown_key_is_an_error() {
        let error =
            toml::from_str::<SupplierFile>(&FILE.replace("backend =", "bakend =")).unwrap_err();
        assert!(error.to_string().contains("bakend"), "{error}");
    }
}
