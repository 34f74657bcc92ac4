//! The network: every role started as the binary starts it, and stopped or killed one by one.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use client::Chain;
use crypto::keys::SecretKey;
use gateway::config::{GatewayFile, ModelFile};
use gateway::journal::{self, Entry};
use gateway::keys as api_keys;
use supplier::config::{ServiceFile, SupplierFile};
use supplier::{Notice, Supplier};
use tokio::sync::watch;

use crate::backend::{Backends, Case};
use crate::front::Front;
use crate::impostor::Impostor;
use crate::plan::{Kind, Plan};
use crate::{genesis, patiently};

/// What a role gets for an orderly end.
const SHUTDOWN: Duration = Duration::from_secs(10);

/// Who signs what.
pub struct Keys {
    /// The gateway.
    pub gateway: SecretKey,
    /// The treasury, owner of all services.
    pub dao: SecretKey,
    /// Applications, by service.
    pub applications: BTreeMap<String, SecretKey>,
    /// Operators, by supplier.
    pub operators: Vec<SecretKey>,
}

/// A running network. Dropping it ends every role.
pub struct Network {
    /// What it was made from.
    pub plan: Plan,
    /// Everyone's keys.
    pub keys: Keys,
    /// The test's own eye on the chain.
    pub chain: Arc<Chain>,
    /// The backends, for [`Network::case`].
    pub backends: Arc<Backends>,
    /// A client of the gateway.
    pub front: Front,
    /// Impostors by supplier index.
    pub impostors: BTreeMap<usize, Impostor>,
    pub(crate) news: Arc<News>,
    pub(crate) http: net::Client,
    pub(crate) places: Places,
    chain_id: String,
    tasks: net::Tasks,
    node: tokio::sync::Mutex<Option<(node::Handle, net::Tasks)>>,
    suppliers: tokio::sync::Mutex<BTreeMap<usize, net::Tasks>>,
}

/// Folders and addresses.
pub(crate) struct Places {
    folder: PathBuf,
    /// Removes the folder in the end.
    held: Option<tempfile::TempDir>,
    rpc: String,
    grpc: String,
    /// Of suppliers, by index.
    pub(crate) suppliers: Vec<String>,
    backends: Vec<String>,
}

/// What suppliers reported, and the copies of their logs made at that moment.
pub(crate) struct News {
    notices: Mutex<Vec<(usize, Notice)>>,
    count: watch::Sender<usize>,
}

impl Network {
    /// Starts everything; returns once the first session can be served.
    ///
    /// # Errors
    /// What kept a role from starting.
    pub async fn start(plan: Plan) -> Result<Self> {
        let held = tempfile::tempdir()?;
        let mut network = Self::start_in(plan, held.path()).await?;
        network.places.held = Some(held);
        Ok(network)
    }

    /// The same in a folder that is emptied first: for networks that live as long as the process.
    ///
    /// # Errors
    /// What kept a role from starting.
    pub async fn start_in(plan: Plan, folder: &Path) -> Result<Self> {
        let tasks = net::Tasks::new();
        let keys = Keys {
            gateway: SecretKey::random()?,
            dao: SecretKey::random()?,
            applications: plan
                .services
                .iter()
                .map(|service| Ok((service.id.clone(), SecretKey::random()?)))
                .collect::<Result<_>>()?,
            operators: plan
                .suppliers
                .iter()
                .map(|_| Ok(SecretKey::random()?))
                .collect::<Result<_>>()?,
        };
        let chain_id = format!("relaymill-test-{}", std::process::id());
        let backends = Arc::new(Backends::default());
        let mut places = Places::reserve(&plan, folder).await?;
        for supplier in 0..plan.suppliers.len() {
            let addr = backends.serve(supplier, &tasks).await?;
            places.backends.push(format!("http://{addr}/v1"));
        }
        let document = genesis::build(&plan, &chain_id, &keys, &places.suppliers)?;
        std::fs::write(places.folder().join("genesis.json"), document)?;
        let node = places.start_node(&plan, &tasks).await?;
        let chain = places.connect(&chain_id, &tasks).await?;
        patiently("the first block", chain.wait_above(0)).await??;

        let http = net::Client::with_policy(net::AddressPolicy::Any)?;
        let (api_key, _) = api_keys::generate()?;
        let nowhere = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
        let front = Front {
            http: http.clone(),
            addr: nowhere,
            api_key,
        };
        let mut network = Self {
            plan,
            keys,
            chain,
            backends,
            front,
            impostors: BTreeMap::new(),
            news: Arc::new(News {
                notices: Mutex::default(),
                count: watch::Sender::new(0),
            }),
            http,
            places,
            chain_id,
            tasks,
            node: tokio::sync::Mutex::new(Some(node)),
            suppliers: tokio::sync::Mutex::default(),
        };
        for index in 0..network.plan.suppliers.len() {
            match network.plan.suppliers[index].kind {
                Kind::Honest => network.start_supplier(index).await?,
                Kind::Impostor(lie) => {
                    let key = network.keys.operators[index].clone();
                    let addr = network.places.suppliers[index].clone();
                    let impostor = Impostor::start(lie, key, &addr, &network.tasks).await?;
                    network.impostors.insert(index, impostor);
                }
            }
        }
        network.start_gateway().await?;
        Ok(network)
    }

    /// A marker for the prompts of one test.
    pub fn case(&self) -> Case {
        self.backends.case()
    }

    /// Starts a supplier, or starts it again where it left off.
    ///
    /// # Errors
    /// What keeps it from starting.
    pub async fn start_supplier(&self, index: usize) -> Result<()> {
        let tasks = self.tasks.child();
        let folder = self.places.supplier(index);
        std::fs::create_dir_all(folder.join("archive"))?;
        let file = SupplierFile {
            chain_id: self.chain_id.clone(),
            rpc_url: self.places.rpc_url(),
            grpc_url: self.places.grpc_url(),
            listen: self.places.suppliers[index].clone(),
            key_file: "unused".into(),
            dev_plain_keys: true,
            data_dir: ".".into(),
            allowed_hosts: None,
            accept_placeholder_ring: false,
            services: self.plan.suppliers[index]
                .services
                .iter()
                .map(|id| ServiceFile {
                    id: id.clone(),
                    backend: self.places.backends[index].clone(),
                    slots: None,
                    backend_key_file: None,
                })
                .collect(),
        };
        let key = self.keys.operators[index].clone();
        let mut config = file.validate(&folder.join("supplier.toml"), key)?;
        let news = Arc::clone(&self.news);
        config.observer = Some(Arc::new(move |notice| news.take(index, &folder, notice)));
        let chain = self.places.connect(&self.chain_id, &tasks).await?;
        Supplier::start(config, chain, &tasks).await?;
        self.suppliers.lock().await.insert(index, tasks);
        Ok(())
    }

    /// Drops everything the supplier is doing, wherever it stands, as far as one process can do that to a part of itself.
    ///
    /// # Errors
    /// When it does not run.
    pub async fn kill_supplier(&self, index: usize) -> Result<()> {
        let tasks = self.suppliers.lock().await.remove(&index);
        let tasks = tasks.with_context(|| format!("supplier {index} does not run"))?;
        // The error says that tasks had to be dropped, which is the point.
        let _ = tasks.shutdown(Duration::ZERO).await;
        Ok(())
    }

    /// Stops the node.
    ///
    /// # Errors
    /// When it does not run, or does not end.
    pub async fn stop_node(&self) -> Result<()> {
        let running = self.node.lock().await.take();
        let (handle, tasks) = running.context("the node does not run")?;
        tasks.shutdown(SHUTDOWN).await?;
        handle.stopped().await?;
        Ok(())
    }

    /// Starts the node again.
    ///
    /// # Errors
    /// What keeps it from starting.
    pub async fn start_node(&self) -> Result<()> {
        let mut running = self.node.lock().await;
        ensure!(running.is_none(), "the node runs already");
        *running = Some(self.places.start_node(&self.plan, &self.tasks).await?);
        Ok(())
    }

    /// Everything the gateway has answered.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn journal(&self) -> Result<Vec<Entry>> {
        Ok(journal::read(&self.places.journal())?)
    }

    /// The journal's entry of a request.
    ///
    /// # Errors
    /// When there is none.
    pub fn entry(&self, request_id: &str) -> Result<Entry> {
        let found = journal::find(&self.places.journal(), request_id)?;
        found.with_context(|| format!("request {request_id} is not in the journal"))
    }

    /// Operator address of a supplier.
    pub fn operator(&self, index: usize) -> String {
        self.keys.operators[index].public().address().to_bech32()
    }

    /// Index of the supplier with this operator address.
    ///
    /// # Errors
    /// When there is none.
    pub fn index_of(&self, operator: &str) -> Result<usize> {
        let mut indices = 0..self.plan.suppliers.len();
        let found = indices.find(|index| self.operator(*index) == operator);
        found.with_context(|| format!("no supplier is {operator}"))
    }

    /// The open and unsettled sessions of a supplier, as its logs have them.
    ///
    /// # Errors
    /// When a log is not whole.
    pub fn sessions(&self, index: usize) -> Result<Vec<crate::logs::Logged>> {
        crate::logs::read_all(&self.places.supplier(index).join("sessions"))
    }

    /// The sessions of a supplier that were claimed, as their logs were then.
    ///
    /// # Errors
    /// When a log is not whole.
    pub fn claimed(&self, index: usize) -> Result<Vec<crate::logs::Logged>> {
        crate::logs::read_all(&self.places.supplier(index).join("archive"))
    }

    /// Waits for the first notice that `wanted` accepts, counting those that came already.
    ///
    /// # Errors
    /// When none comes.
    pub async fn notice(
        &self,
        what: &str,
        mut wanted: impl FnMut(usize, &Notice) -> bool,
    ) -> Result<(usize, Notice)> {
        let mut count = self.news.count.subscribe();
        let search = async {
            loop {
                count.mark_unchanged();
                let found = self.news.all().into_iter();
                let mut found = found.filter(|(index, notice)| wanted(*index, notice));
                if let Some(found) = found.next() {
                    return found;
                }
                // The sender lives as long as the network.
                let _ = count.changed().await;
            }
        };
        patiently(what, search).await
    }

    async fn start_gateway(&mut self) -> Result<()> {
        let models = self.plan.services.iter().map(|service| ModelFile {
            id: service.id.clone(),
            service: None,
            applications: vec![
                self.keys.applications[&service.id]
                    .public()
                    .address()
                    .to_bech32(),
            ],
        });
        let hash = api_keys::KeyHash::of(&self.front.api_key);
        let file = GatewayFile {
            chain_id: self.chain_id.clone(),
            rpc_url: self.places.rpc_url(),
            grpc_url: self.places.grpc_url(),
            listen: "127.0.0.1:0".to_owned(),
            key_file: "unused".into(),
            dev_plain_keys: true,
            api_key_hashes: vec![hash.to_hex()],
            journal: self.places.journal(),
            allowed_hosts: None,
            allow_private_endpoints: true,
            first_byte_timeout_s: None,
            idle_timeout_s: None,
            models: models.collect(),
        };
        let at = self.places.folder().join("gateway.toml");
        let mut config = file.validate(&at, self.keys.gateway.clone())?;
        config.first_byte = self.plan.first_byte;
        config.idle = self.plan.idle;
        let chain = self.places.connect(&self.chain_id, &self.tasks).await?;
        let running = gateway::Gateway::start(config, chain, &self.tasks).await?;
        self.front.addr = running.addr();
        Ok(())
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        self.tasks.cancel();
    }
}

impl Places {
    /// Takes ports that are free now. Others may take them before we do, which has not been seen to happen.
    async fn reserve(plan: &Plan, folder: &Path) -> Result<Self> {
        if folder.exists() {
            std::fs::remove_dir_all(folder)?;
        }
        std::fs::create_dir_all(folder)?;
        let mut held = Vec::new();
        for _ in 0..plan.suppliers.len() + 2 {
            held.push(net::listen("127.0.0.1:0", net::ListenLimits::default()).await?);
        }
        let mut addrs = held.iter().map(|one| one.local_addr().to_string());
        Ok(Self {
            folder: folder.to_owned(),
            held: None,
            rpc: addrs.next().context("a port")?,
            grpc: addrs.next().context("a port")?,
            suppliers: addrs.collect(),
            backends: Vec::new(),
        })
    }

    fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn supplier(&self, index: usize) -> PathBuf {
        self.folder().join(format!("supplier-{index}"))
    }

    fn journal(&self) -> PathBuf {
        self.folder().join("relays.jsonl")
    }

    fn rpc_url(&self) -> String {
        format!("http://{}", self.rpc)
    }

    fn grpc_url(&self) -> String {
        format!("http://{}", self.grpc)
    }

    async fn connect(&self, chain_id: &str, tasks: &net::Tasks) -> Result<Arc<Chain>> {
        let config = client::Config::new(&self.rpc_url(), &self.grpc_url())?.expecting(chain_id);
        Ok(Chain::connect(config, tasks).await?)
    }

    async fn start_node(
        &self,
        plan: &Plan,
        tasks: &net::Tasks,
    ) -> Result<(node::Handle, net::Tasks)> {
        let tasks = tasks.child();
        let file = node::NodeFile {
            rpc_listen: self.rpc.clone(),
            grpc_listen: self.grpc.clone(),
            rest_listen: None,
            data_dir: "node".into(),
            genesis: "genesis.json".into(),
            block_time_ms: plan.block_time_ms,
            keep_recent: None,
            min_gas_price: None,
            allowed_hosts: None,
            comet: None,
        };
        let config = file.validate(&self.folder().join("node.toml"))?;
        Ok((node::Node::start(config, &tasks).await?, tasks))
    }
}

impl News {
    fn take(&self, index: usize, folder: &Path, notice: &Notice) {
        if let Notice::Claimed { session_id, .. } = notice {
            // The log is removed some blocks after its session is paid; whoever audits needs it longer.
            if let Err(error) = archive(folder, session_id) {
                panic!("the log of a claimed session cannot be copied: {error}");
            }
        }
        let mut notices = self.notices.lock().unwrap_or_else(PoisonError::into_inner);
        notices.push((index, notice.clone()));
        self.count.send_replace(notices.len());
    }

    pub(crate) fn all(&self) -> Vec<(usize, Notice)> {
        self.notices
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

fn archive(folder: &Path, session_id: &str) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder.join("sessions"))? {
        let entry = entry?;
        let name = entry.file_name();
        if name.to_string_lossy().contains(session_id) {
            std::fs::copy(entry.path(), folder.join("archive").join(name))?;
        }
    }
    Ok(())
}
