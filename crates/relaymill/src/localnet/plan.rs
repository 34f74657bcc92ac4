//! Who is who in a local network, and which port is whose: fixed when the data directory is made.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use chain::genesis::Document;
use crypto::keys::SecretKey;
use gateway::config::{GatewayFile, ModelFile};
use gateway::keys as api_keys;
use serde::{Deserialize, Serialize};
use supplier::config::{ServiceFile, SupplierFile};

use super::backend::Backend;
use super::genesis;
use crate::cli::load_genesis;
use crate::files::{read_toml, write_atomically, write_toml_once};
use crate::keys::{LOCAL_CHAIN_PREFIX, load_or_create};

/// Blocks of a local network, in milliseconds.
const BLOCK_TIME_MS: u64 = 1_000;

/// `localnet.json`: what a later run must not change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct State {
    /// Random per directory, so that nothing signed here is valid elsewhere.
    pub(super) chain_id: String,
    /// The gateway's API key, shown at every start.
    pub(super) api_key: String,
    /// Who listens where.
    pub(super) ports: Ports,
    /// The user's own server, if one was given.
    pub(super) backend: Option<Backend>,
}

/// Ports on 127.0.0.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Ports {
    pub(super) rpc: u16,
    pub(super) grpc: u16,
    pub(super) gateway: u16,
    pub(super) engine: u16,
    pub(super) suppliers: u16,
    /// None in a directory made before REST was served.
    #[serde(default)]
    pub(super) rest: Option<u16>,
}

impl Ports {
    const DEFAULT: Self = Self {
        rpc: 26657,
        grpc: 9090,
        gateway: 8080,
        engine: 8090,
        suppliers: 8545,
        rest: Some(1317),
    };

    fn from(first: u16) -> Result<Self> {
        if !(1..=u16::MAX - 8).contains(&first) {
            bail!(
                "--ports-from {first}: nine ports begin there, so at most {}",
                u16::MAX - 8
            );
        }
        Ok(Self {
            rpc: first,
            grpc: first + 1,
            gateway: first + 2,
            engine: first + 3,
            suppliers: first + 4,
            rest: Some(first + 8),
        })
    }
}

/// A service with everyone around it.
#[derive(Clone, Debug)]
pub(super) struct ServicePlan {
    /// Name clients use.
    pub(super) model: String,
    /// Service id on chain.
    pub(super) id: String,
    /// Key names of the suppliers, the application and the Source.
    pub(super) suppliers: Vec<usize>,
    pub(super) application: String,
    pub(super) source: String,
    /// Base URL of the backend.
    pub(super) backend: String,
    /// Compute units of a relay: larger models cost more.
    pub(super) compute_units: u64,
}

/// A local network as it is laid out.
pub(super) struct Plan {
    pub(super) folder: PathBuf,
    pub(super) state: State,
}

impl Plan {
    /// Reads the layout of a directory, or makes one: keys, genesis, configuration files.
    pub(super) fn open(
        folder: &Path,
        ports_from: Option<u16>,
        backend: Option<Backend>,
        params: &[String],
    ) -> Result<Self> {
        let path = folder.join("localnet.json");
        if let Ok(text) = std::fs::read(&path) {
            let state: State =
                serde_json::from_slice(&text).with_context(|| format!("{}", path.display()))?;
            let plan = Self {
                folder: folder.to_owned(),
                state,
            };
            plan.same(ports_from, backend.as_ref(), params)?;
            return Ok(plan);
        }
        let ports = ports_from.map_or(Ok(Ports::DEFAULT), Ports::from)?;
        let mut name = [0; 4];
        getrandom::fill(&mut name).context("no randomness")?;
        let (api_key, _) = api_keys::generate().context("no randomness")?;
        let state = State {
            chain_id: format!("{LOCAL_CHAIN_PREFIX}{}", hex::encode(name)),
            api_key,
            ports,
            backend,
        };
        let plan = Self {
            folder: folder.to_owned(),
            state,
        };
        let document = genesis::build(&plan, params)?;
        // What is wrong with a --param is told before a folder is made of it.
        load_genesis(&Document::parse(&document)?).context("genesis")?;
        write_atomically(&plan.genesis_file(), document.as_bytes(), 0o644)?;
        plan.write_configuration()?;
        // Last: its presence says that everything above is whole.
        write_atomically(&path, &serde_json::to_vec_pretty(&plan.state)?, 0o600)?;
        Ok(plan)
    }

    fn same(
        &self,
        ports_from: Option<u16>,
        backend: Option<&Backend>,
        params: &[String],
    ) -> Result<()> {
        let folder = self.folder.display();
        if ports_from.is_some_and(|first| first != self.state.ports.rpc) {
            bail!(
                "{folder} was made with ports from {}, which stand on its chain; take another --data-dir for other ports",
                self.state.ports.rpc
            );
        }
        if backend.is_some() && backend != self.state.backend.as_ref() {
            bail!("{folder} was made without this backend; take a new --data-dir for it");
        }
        if !params.is_empty() {
            bail!("{folder} has its parameters already; --param is for a new --data-dir");
        }
        Ok(())
    }

    /// The services of this network.
    pub(super) fn services(&self) -> Vec<ServicePlan> {
        let engine = format!("http://127.0.0.1:{}/v1", self.state.ports.engine);
        let service = |id: &str, suppliers: &[usize], number: usize, compute_units| ServicePlan {
            model: id.to_owned(),
            id: id.to_owned(),
            suppliers: suppliers.to_vec(),
            application: format!("application-{number}"),
            source: format!("source-{number}"),
            backend: engine.clone(),
            compute_units,
        };
        let mut services = vec![
            service("millstone", &[1, 2], 1, 400),
            service("grist", &[3], 2, 100),
        ];
        if let Some(own) = &self.state.backend {
            services.push(ServicePlan {
                model: own.model.clone(),
                backend: own.url.clone(),
                ..service(&own.service, &[4], 3, 400)
            });
        }
        services
    }

    /// A role's key, made on first use.
    pub(super) fn key(&self, name: &str) -> Result<SecretKey> {
        let keys = self.folder.join("keys");
        std::fs::create_dir_all(&keys)
            .with_context(|| format!("cannot make {}", keys.display()))?;
        load_or_create(&keys.join(format!("{name}.key")))
    }

    /// The public key that the node signs blocks with, made on first use where the node looks for it.
    pub(super) fn validator_key(&self) -> Result<[u8; 32]> {
        let folder = self.folder.join("node/data");
        std::fs::create_dir_all(&folder)
            .with_context(|| format!("cannot make {}", folder.display()))?;
        let key = node::key::load_or_create(&folder.join("validator.key"))?;
        Ok(key.verifying_key().to_bytes())
    }

    pub(super) fn genesis_file(&self) -> PathBuf {
        self.folder.join("genesis.json")
    }

    pub(super) fn node_file(&self) -> PathBuf {
        self.folder.join("node/node.toml")
    }

    pub(super) fn gateway_file(&self) -> PathBuf {
        self.folder.join("gateway/gateway.toml")
    }

    pub(super) fn supplier_file(&self, number: usize) -> PathBuf {
        self.folder.join(format!("supplier-{number}/supplier.toml"))
    }

    pub(super) fn rpc_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.state.ports.rpc)
    }

    pub(super) fn grpc_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.state.ports.grpc)
    }

    /// None when REST is not served.
    pub(super) fn rest_url(&self) -> Option<String> {
        let port = self.state.ports.rest?;
        Some(format!("http://127.0.0.1:{port}"))
    }

    pub(super) fn gateway_url(&self) -> String {
        format!("http://127.0.0.1:{}/v1", self.state.ports.gateway)
    }

    /// Where a supplier listens, which is what it staked.
    pub(super) fn supplier_addr(&self, number: usize) -> String {
        let offset = u16::try_from(number).unwrap_or(1).saturating_sub(1);
        format!(
            "127.0.0.1:{}",
            self.state.ports.suppliers.saturating_add(offset)
        )
    }

    fn write_configuration(&self) -> Result<()> {
        let node = node::NodeFile {
            rpc_listen: format!("127.0.0.1:{}", self.state.ports.rpc),
            grpc_listen: format!("127.0.0.1:{}", self.state.ports.grpc),
            rest_listen: self
                .state
                .ports
                .rest
                .map(|port| format!("127.0.0.1:{port}")),
            data_dir: "data".into(),
            genesis: "../genesis.json".into(),
            block_time_ms: BLOCK_TIME_MS,
            keep_recent: None,
            min_gas_price: None,
            allowed_hosts: None,
            comet: None,
        };
        write_toml_once(
            &self.node_file(),
            "relaymill node start --config node.toml",
            &node,
        )?;
        for service in self.services() {
            for number in &service.suppliers {
                let file = self.supplier(&service, *number);
                let about = "relaymill supplier start --config supplier.toml";
                write_toml_once(&self.supplier_file(*number), about, &file)?;
            }
        }
        let about = "relaymill gateway start --config gateway.toml";
        write_toml_once(&self.gateway_file(), about, &self.gateway()?)
    }

    fn supplier(&self, service: &ServicePlan, number: usize) -> SupplierFile {
        SupplierFile {
            chain_id: self.state.chain_id.clone(),
            rpc_url: self.rpc_url(),
            grpc_url: self.grpc_url(),
            listen: self.supplier_addr(number),
            key_file: format!("../keys/supplier-{number}.key").into(),
            dev_plain_keys: true,
            data_dir: ".".into(),
            allowed_hosts: None,
            accept_placeholder_ring: false,
            services: vec![ServiceFile {
                id: service.id.clone(),
                backend: service.backend.clone(),
                slots: None,
                backend_key_file: None,
            }],
        }
    }

    fn gateway(&self) -> Result<GatewayFile> {
        let models = self.services().into_iter().map(|service| {
            let application = self
                .key(&service.application)?
                .public()
                .address()
                .to_bech32();
            Ok(ModelFile {
                id: service.model,
                service: Some(service.id),
                applications: vec![application],
            })
        });
        Ok(GatewayFile {
            chain_id: self.state.chain_id.clone(),
            rpc_url: self.rpc_url(),
            grpc_url: self.grpc_url(),
            listen: format!("127.0.0.1:{}", self.state.ports.gateway),
            key_file: "../keys/gateway.key".into(),
            dev_plain_keys: true,
            api_key_hashes: vec![api_keys::KeyHash::of(&self.state.api_key).to_hex()],
            journal: "relays.jsonl".into(),
            allowed_hosts: None,
            allow_private_endpoints: true,
            first_byte_timeout_s: None,
            idle_timeout_s: None,
            models: models.collect::<Result<_>>()?,
        })
    }
}

/// The parts of a local network's directory that queries need.
pub(crate) struct Places {
    /// RPC of its node.
    pub(crate) rpc_url: String,
    /// gRPC of its node.
    pub(crate) grpc_url: String,
    /// Its chain.
    pub(crate) chain_id: String,
    /// The gateway's relay journal.
    pub(crate) journal: PathBuf,
}

/// Reads where a local network's parts are.
pub(crate) fn places(folder: &Path) -> Result<Places> {
    let file = folder.join("gateway/gateway.toml");
    if !file.exists() {
        bail!(
            "{} holds no local network (`relaymill localnet` makes one)",
            folder.display()
        );
    }
    let gateway: GatewayFile = read_toml(&file)?;
    Ok(Places {
        rpc_url: gateway.rpc_url,
        grpc_url: gateway.grpc_url,
        chain_id: gateway.chain_id,
        journal: folder.join("gateway").join(gateway.journal),
    })
}
