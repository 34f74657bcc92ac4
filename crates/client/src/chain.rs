//! A chain seen from outside: connected, followed, asked.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use prost::Name;
use tokio::sync::watch;

use crate::cache::Cache;
use crate::events::BlockEvents;
use crate::feed::{self, BlockEvent, Board, Health, NodeSource};
use crate::grpc::Grpc;
use crate::query::Caches;
use crate::rpc::Rpc;
use crate::rpc::types::Status;
use crate::{Config, Error, Result, limits};

/// A chain, through one node. Shared by everybody in a process, as its caches are.
pub struct Chain {
    pub(crate) config: Config,
    pub(crate) chain_id: Arc<str>,
    pub(crate) grpc: Grpc,
    pub(crate) rpc: Arc<Rpc>,
    pub(crate) board: Arc<Board>,
    pub(crate) caches: Caches,
    blocks: Cache<i64, BlockEvent>,
    tasks: net::Tasks,
}

impl std::fmt::Debug for Chain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Chain")
            .field("chain_id", &self.chain_id)
            .field("rpc", &self.config.rpc_url.as_str())
            .field("height", &self.board.height())
            .finish_non_exhaustive()
    }
}

impl Chain {
    /// Connects to a node and starts to follow its blocks within `tasks`.
    ///
    /// Waits up to `config.startup_wait` for a node that is not up or not at the head of its
    /// network.
    ///
    /// # Errors
    /// [`Error::WrongChain`] at once; [`Error::Behind`], [`Error::Unreachable`] and the
    /// like after the wait; [`Error::Config`] for URLs that cannot be used.
    pub async fn connect(config: Config, tasks: &net::Tasks) -> Result<Arc<Self>> {
        let policy = match config.allow_private {
            true => net::AddressPolicy::Any,
            false => net::AddressPolicy::Public,
        };
        let options = net::DialOptions {
            policy,
            ..net::DialOptions::default()
        };
        let dialer = net::Dialer::new(options).map_err(|error| Error::Config {
            setting: "rpc_url",
            value: config.rpc_url.to_string(),
            reason: error.to_string(),
        })?;
        let rpc = Arc::new(Rpc::new(dialer.clone(), &config.rpc_url, config.timeouts)?);
        let grpc = Grpc::new(dialer.clone(), &config.grpc_url)?;
        let status = ready(&rpc, &config).await?;
        let chain_id: Arc<str> = status.node_info.network.as_str().into();
        let latest = status.sync_info.latest_block_height;
        let board = Arc::new(Board::new(feed::fetch(&rpc, &chain_id, latest).await?));
        // An older block, for the time between blocks. Its absence only makes the feed more
        // patient.
        let older = (latest - 8)
            .max(status.sync_info.earliest_block_height)
            .max(1);
        if older < latest
            && let Ok(block) = feed::fetch(&rpc, &chain_id, older).await
        {
            board.remember(block);
        }
        let source = NodeSource::new(rpc.clone(), dialer, config.clone(), chain_id.clone())?;
        tasks.spawn(feed::follow(source, board.clone(), tasks.clone()));
        Ok(Arc::new(Self {
            config,
            chain_id,
            grpc,
            rpc,
            board,
            caches: Caches::new(),
            blocks: Cache::new(limits::RECENT_BLOCKS),
            tasks: tasks.clone(),
        }))
    }

    /// The chain id of the node.
    pub fn chain_id(&self) -> &str {
        &self.chain_id
    }

    /// The node's JSON-RPC, for what has no typed form here.
    pub fn rpc(&self) -> &Rpc {
        &self.rpc
    }

    /// The latest block known.
    pub fn head(&self) -> BlockEvent {
        self.board.head()
    }

    /// The latest height known.
    pub fn height(&self) -> i64 {
        self.board.height()
    }

    /// The latest block as it changes; blocks may be skipped, see [`Chain::blocks`].
    pub fn latest(&self) -> watch::Receiver<BlockEvent> {
        self.board.latest()
    }

    /// How the feed is doing, as it changes.
    pub fn health(&self) -> watch::Receiver<Health> {
        self.board.health()
    }

    /// The time between blocks as lately seen; `None` until two blocks are known.
    pub fn block_time(&self) -> Option<Duration> {
        self.board.block_time()
    }

    /// Every block after the latest one, in order, each exactly once.
    pub fn blocks(self: &Arc<Self>) -> Blocks {
        self.blocks_from(self.height() + 1)
    }

    /// Every block from `height` on, in order, each exactly once; old ones are fetched.
    pub fn blocks_from(self: &Arc<Self>, height: i64) -> Blocks {
        Blocks {
            chain: self.clone(),
            latest: self.board.latest(),
            next: height.max(1),
        }
    }

    /// Waits for a block above `height` and returns the latest then.
    ///
    /// # Errors
    /// [`Error::Closed`] when the scope of this chain ends first.
    pub async fn wait_above(&self, height: i64) -> Result<BlockEvent> {
        let mut latest = self.board.latest();
        let wait = async {
            latest
                .wait_for(|block| block.height > height)
                .await
                .map(|block| block.clone())
        };
        match self.tasks.until_cancelled(wait).await {
            Some(Ok(block)) => Ok(block),
            _ => Err(Error::Closed),
        }
    }

    /// A block by its height: from memory, else fetched and its hash recomputed.
    ///
    /// # Errors
    /// [`Error::Rpc`] for a height the node does not have.
    pub async fn block(&self, height: i64) -> Result<BlockEvent> {
        if let Some(block) = self.board.get(height) {
            return Ok(block);
        }
        let (rpc, chain_id) = (self.rpc.clone(), self.chain_id.clone());
        let fetch = move || async move { feed::fetch(&rpc, &chain_id, height).await };
        self.blocks.get(height, fetch).await
    }

    /// The hash of a block: what session ids, proof paths and proof draws are made from.
    ///
    /// # Errors
    /// As [`Chain::block`].
    pub async fn block_hash(&self, height: i64) -> Result<[u8; 32]> {
        Ok(self.block(height).await?.hash)
    }

    /// What a block did. Not cached.
    ///
    /// # Errors
    /// As [`Chain::block`].
    pub async fn events(&self, height: i64) -> Result<BlockEvents> {
        let results = self.rpc.block_results(height).await?;
        if results.height != height {
            let reason = format!("the node answered with block {}", results.height);
            return Err(Error::malformed(format!("block_results {height}"), reason));
        }
        Ok(BlockEvents::of(results))
    }

    /// Any query by its type names, as `abci_query`: path `/package.Query/Method`.
    ///
    /// # Errors
    /// [`Error::Refused`] with the application's text.
    pub async fn query<Q, A>(&self, path: &str, request: &Q, height: i64) -> Result<A>
    where
        Q: prost::Message,
        A: prost::Message + Name + Default,
    {
        let answer = self
            .rpc
            .abci_query(path, &request.encode_to_vec(), height)
            .await?;
        if answer.code != 0 {
            return Err(Error::Refused {
                method: path.to_owned(),
                code: tonic::Code::Unknown,
                message: format!("{} ({} {})", answer.log, answer.codespace, answer.code),
            });
        }
        A::decode(answer.value.as_slice()).map_err(|error| Error::malformed(A::full_name(), error))
    }
}

/// Blocks in order, each exactly once, however slowly they are taken.
#[derive(Debug)]
pub struct Blocks {
    chain: Arc<Chain>,
    latest: watch::Receiver<BlockEvent>,
    next: i64,
}

impl Blocks {
    /// The next block; `None` once the chain's scope has ended. May be dropped and called again
    /// without loss.
    pub async fn next(&mut self) -> Option<BlockEvent> {
        let tasks = self.chain.tasks.clone();
        tasks.until_cancelled(self.take()).await.flatten()
    }

    async fn take(&mut self) -> Option<BlockEvent> {
        let mut wait = limits::RECONNECT.0;
        loop {
            let latest = self.latest.borrow_and_update().height;
            if self.next > latest {
                self.latest.changed().await.ok()?;
                continue;
            }
            match self.chain.block(self.next).await {
                Ok(block) => {
                    self.next += 1;
                    return Some(block);
                }
                Err(error) => tracing::warn!(height = self.next, %error, "block cannot be fetched"),
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(limits::RECONNECT.1);
            if let Ok(status) = self.chain.rpc.status().await {
                self.next = self.next.max(status.sync_info.earliest_block_height);
            }
        }
    }
}

/// The status of a node that serves the right chain and follows its head, waited for.
async fn ready(rpc: &Rpc, config: &Config) -> Result<Status> {
    let deadline = tokio::time::Instant::now() + config.startup_wait;
    let mut wait = limits::RECONNECT.0;
    loop {
        let result = rpc
            .status()
            .await
            .and_then(|status| checked(status, rpc, config));
        match result {
            Err(error) if error.is_transient() && tokio::time::Instant::now() + wait < deadline => {
                tracing::info!(%error, "waiting for the node");
            }
            result => return result,
        }
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(limits::RECONNECT.1);
    }
}

fn checked(status: Status, rpc: &Rpc, config: &Config) -> Result<Status> {
    let network = &status.node_info.network;
    if let Some(expected) = &config.chain_id
        && expected != network
    {
        return Err(Error::WrongChain {
            node: rpc.node().to_owned(),
            actual: network.clone(),
            expected: expected.clone(),
        });
    }
    let sync = &status.sync_info;
    let time = SystemTime::try_from(sync.latest_block_time)
        .map_err(|error| Error::malformed("status", format!("latest_block_time: {error}")))?;
    // A block from the future is our clock's problem, not the node's.
    let age = SystemTime::now().duration_since(time).unwrap_or_default();
    let limit = config.max_block_age.unwrap_or(Duration::MAX);
    if sync.catching_up || sync.latest_block_height < 1 || age > limit {
        return Err(Error::Behind {
            node: rpc.node().to_owned(),
            height: sync.latest_block_height,
            age_s: age.as_secs(),
            limit_s: limit.as_secs(),
            catching_up: sync.catching_up,
        });
    }
    Ok(status)
}
