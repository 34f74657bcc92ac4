//! What every listener answers from: state, blocks, and who this node is.

use std::sync::Arc;

use bytes::Bytes;
use chain::{GrpcCode, QueryAnswer, QueryError, Reader};
use net::Tasks;

use crate::blocks::Blocks;
use crate::error::NodeError;
use crate::queries::Queries;

/// CometBFT's version, told to clients that choose their decoder by it (chain specification 5.4).
pub const COMETBFT_VERSION: &str = "0.38.22";

/// A running node as gRPC and REST see it; its own RPC sees a [`crate::blocks::OwnView`].
#[derive(Debug)]
pub struct View {
    /// Chain id.
    pub chain_id: String,
    /// The genesis document.
    pub genesis: chain::genesis::Document,
    /// State at committed heights.
    pub reader: Reader,
    /// Blocks and the way of transactions.
    pub blocks: Blocks,
    /// Least price of gas, as configured.
    pub min_gas_price: String,
    /// Heights whose state is kept; 0 for all.
    pub keep_recent: u64,
    /// Turns for queries of the state.
    pub queries: Queries,
    /// Scope of everything spawned.
    pub tasks: Tasks,
}

impl View {
    /// Height of the last block whose state queries see; 0 before the first.
    pub fn height(&self) -> i64 {
        self.blocks.height()
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

    /// A query of the state machine, or a simulation, in its turn.
    ///
    /// # Errors
    /// Its status; ResourceExhausted when too many wait.
    pub async fn query(
        self: &Arc<Self>,
        path: String,
        data: Bytes,
        height: Option<i64>,
    ) -> Result<QueryAnswer, QueryError> {
        let _turn = self.queries.turn().await?;
        self.blocking(move |view| view.reader.query(&path, &data, height))
            .await
            .map_err(internal)?
    }
}

/// A failure of ours as a gRPC status.
pub(crate) fn internal(error: impl std::fmt::Display) -> QueryError {
    QueryError::status(GrpcCode::Internal, error.to_string())
}
