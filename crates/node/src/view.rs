//! What every listener answers from: state, blocks, the driver, and who this node is.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use chain::{GrpcCode, QueryAnswer, QueryError, Reader};
use net::Tasks;
use tendermint_proto::v0_38::types::ConsensusParams;

use crate::block::Validator;
use crate::driver::Driver;
use crate::error::NodeError;
use crate::store::{BlockStore, Committed};

/// CometBFT's version, told to clients that choose their decoder by it (chain specification 5.4).
pub const COMETBFT_VERSION: &str = "0.38.22";

/// A running node as its listeners see it.
#[derive(Debug)]
pub struct View {
    /// Chain id.
    pub chain_id: String,
    /// The genesis document.
    pub genesis: chain::genesis::Document,
    /// State at committed heights.
    pub reader: Reader,
    /// Blocks.
    pub store: BlockStore,
    /// Mempool and news of blocks.
    pub driver: Driver,
    /// The only validator.
    pub validator: Validator,
    /// Least price of gas, as configured.
    pub min_gas_price: String,
    /// Heights whose state is kept; 0 for all.
    pub keep_recent: u64,
    /// Where the RPC listens, once it does.
    pub rpc_addr: OnceLock<SocketAddr>,
    /// Scope of everything spawned.
    pub tasks: Tasks,
}

impl View {
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
            .get()
            .map_or_else(String::new, |addr| format!("tcp://{addr}"))
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

    /// A query of the state machine.
    ///
    /// # Errors
    /// Its status.
    pub async fn query(
        self: &Arc<Self>,
        path: String,
        data: Bytes,
        height: Option<i64>,
    ) -> Result<QueryAnswer, QueryError> {
        self.blocking(move |view| view.reader.query(&path, &data, height))
            .await
            .map_err(internal)?
    }
}

/// A failure of ours as a gRPC status.
pub(crate) fn internal(error: impl std::fmt::Display) -> QueryError {
    QueryError::status(GrpcCode::Internal, error.to_string())
}
