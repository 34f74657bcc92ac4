//! Blocks of our own: the store, the thread that makes them, the validator.

use std::net::SocketAddr;
use std::ops::Deref;
use std::sync::Arc;

use net::Tasks;
use tendermint_proto::v0_38::types::{Block, BlockId, ConsensusParams};

use super::{Identity, Page, SearchError};
use crate::block::Validator;
use crate::block::validators::{Member, ValidatorSet};
use crate::driver::Driver;
use crate::error::NodeError;
use crate::limits;
use crate::query::Query;
use crate::rpc;
use crate::store::{BlockStore, Committed, Included};
use crate::view::{COMETBFT_VERSION, View};

/// Store, driver and validator. Clones share them.
#[derive(Clone, Debug)]
pub struct Own {
    /// Blocks.
    pub store: BlockStore,
    /// Mempool and news of blocks.
    pub driver: Driver,
    /// The own key.
    pub validator: Validator,
    /// Where the RPC listens.
    pub rpc_addr: Option<SocketAddr>,
    /// Scope of everything spawned.
    pub tasks: Tasks,
}

impl Own {
    /// The last announced block; queries see its state.
    pub fn latest(&self) -> Option<Arc<Committed>> {
        self.driver.committed().borrow().clone()
    }

    /// Its height; 0 before the first.
    pub fn height(&self) -> i64 {
        self.latest().map_or(0, |committed| committed.height())
    }

    /// The node's id: the validator's address in lower-case hex.
    pub fn id(&self) -> String {
        hex::encode(self.validator.address())
    }

    /// `tcp://` and the RPC's address.
    pub fn rpc_url(&self) -> String {
        self.rpc_addr
            .map_or_else(String::new, |addr| format!("tcp://{addr}"))
    }

    async fn reading<T, E>(
        &self,
        work: impl FnOnce(&BlockStore) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<NodeError> + Send + 'static,
    {
        let store = self.store.clone();
        let task = self.tasks.spawn_blocking(move || work(&store));
        task.await
            .map_err(|error| NodeError::Driver(error.to_string()))?
    }

    /// The validators that sign the block of a height.
    ///
    /// # Errors
    /// When the store fails.
    pub fn validators(&self, height: i64) -> Result<ValidatorSet, NodeError> {
        match self.store.validators(height)? {
            Some(set) => Ok(set),
            None => {
                ValidatorSet::new(std::slice::from_ref(&self.validator)).map_err(NodeError::corrupt)
            }
        }
    }

    pub(super) async fn members(&self, height: i64) -> Result<Vec<Member>, NodeError> {
        let own = self.clone();
        let set = self.reading(move |_| own.validators(height)).await?;
        Ok(set.members().to_vec())
    }

    pub(super) async fn block(&self, height: i64) -> Result<Option<(BlockId, Block)>, NodeError> {
        if height == 0 {
            return Ok(self
                .latest()
                .map(|latest| (latest.id.clone(), latest.block.clone())));
        }
        if height > self.height() {
            return Ok(None);
        }
        let found = self.reading(move |store| {
            Ok::<_, NodeError>(store.meta(height)?.zip(store.block(height)?))
        });
        let found = found.await?;
        Ok(found.map(|(meta, block)| (meta.block_id.unwrap_or_default(), block)))
    }

    pub(super) async fn tx(&self, hash: &[u8]) -> Result<Option<Included>, NodeError> {
        let hash = hash.to_vec();
        let found = self.reading(move |store| store.tx(&hash)).await?;
        Ok(found.filter(|tx| tx.height <= self.height()))
    }

    pub(super) async fn search(
        &self,
        query: &str,
        page: Page,
    ) -> Result<(Vec<Included>, u64), SearchError> {
        let query = Query::parse(query).map_err(SearchError::Asked)?;
        let latest = self.height();
        self.reading(move |store| rpc::search::find_page(store, &query, page, latest))
            .await
    }

    pub(super) fn identity(&self) -> Identity {
        Identity {
            id: self.id(),
            moniker: "relaymill".to_owned(),
            version: COMETBFT_VERSION.to_owned(),
            listen_addr: limits::NO_PEERS.to_owned(),
            rpc_addr: self.rpc_url(),
        }
    }
}

/// A node with blocks of its own, as its RPC sees it.
#[derive(Clone, Debug)]
pub struct OwnView {
    view: Arc<View>,
    own: Own,
    /// Blocks.
    pub store: BlockStore,
    /// Mempool and news of blocks.
    pub driver: Driver,
    /// The own key.
    pub validator: Validator,
}

impl OwnView {
    /// Puts together what the RPC answers from.
    pub fn new(view: Arc<View>, own: Own) -> Self {
        Self {
            view,
            store: own.store.clone(),
            driver: own.driver.clone(),
            validator: own.validator.clone(),
            own,
        }
    }

    /// The validators that sign the block of a height.
    ///
    /// # Errors
    /// When the store fails.
    pub fn validators(&self, height: i64) -> Result<ValidatorSet, NodeError> {
        self.own.validators(height)
    }

    /// The own key's power in the set that signs the next block; 0 outside of it.
    ///
    /// # Errors
    /// When the store fails.
    pub fn power(&self) -> Result<i64, NodeError> {
        let set = self.own.validators(self.own.height().saturating_add(1))?;
        let own = set.members().iter();
        let mut own = own.filter(|member| member.validator.key == self.validator.key);
        Ok(own.next().map_or(0, |member| member.validator.power))
    }

    /// The same node as gRPC and REST see it.
    pub fn shared(&self) -> &Arc<View> {
        &self.view
    }

    /// The last announced block; queries see its state.
    pub fn latest(&self) -> Option<Arc<Committed>> {
        self.own.latest()
    }

    /// The node's id: the validator's address in lower-case hex.
    pub fn id(&self) -> String {
        self.own.id()
    }

    /// `tcp://` and the RPC's address.
    pub fn rpc_url(&self) -> String {
        self.own.rpc_url()
    }

    /// Where the RPC listens.
    pub fn rpc_addr(&self) -> Option<SocketAddr> {
        self.own.rpc_addr
    }

    /// Consensus params after a block.
    ///
    /// # Errors
    /// When the store fails.
    pub fn params(&self, height: i64) -> Result<ConsensusParams, NodeError> {
        let results = self.store.results(height)?;
        let params = results.and_then(|results| results.consensus_param_updates);
        Ok(params.unwrap_or_else(|| self.genesis.consensus.params.to_proto()))
    }

    /// Runs work that reads from disk beside the event loop.
    ///
    /// # Errors
    /// When it panicked or the node is stopping.
    pub async fn blocking<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Self) -> T + Send + 'static,
    ) -> Result<T, NodeError> {
        let view = Arc::clone(self);
        let task = self.tasks.spawn_blocking(move || work(&view));
        task.await
            .map_err(|error| NodeError::Driver(error.to_string()))
    }
}

impl Deref for OwnView {
    type Target = View;

    fn deref(&self) -> &View {
        &self.view
    }
}
