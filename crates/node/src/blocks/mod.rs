//! Where a node's blocks come from, and where its transactions go.
//!
//! Alone, a node makes and stores its own blocks ([`Own`]). Under CometBFT it executes what the network agreed on and keeps
//! the state only: blocks and transactions are asked for at the RPC of the CometBFT beside it ([`Comet`]). The services
//! ([`crate::services`]) speak to [`Blocks`] and need not know which it is.

use std::sync::Arc;

use bytes::Bytes;
use tendermint_proto::v0_38::abci::ResponseCheckTx;
use tendermint_proto::v0_38::types::{Block, BlockId};

use crate::block::validators::Member;
use crate::error::NodeError;
use crate::mempool::Refused;
use crate::store::{Committed, Included};

mod comet;
mod own;

pub use comet::Comet;
pub use own::{Own, OwnView};

/// The source of blocks. Clones share it.
#[derive(Clone, Debug)]
pub enum Blocks {
    /// This process makes and stores them.
    Own(Own),
    /// A CometBFT beside it does.
    Comet(Comet),
}

/// Who a node is in its network.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// Node id, lower-case hex.
    pub id: String,
    /// Name.
    pub moniker: String,
    /// Version of the consensus engine.
    pub version: String,
    /// Where it listens for peers.
    pub listen_addr: String,
    /// Where its RPC is.
    pub rpc_addr: String,
}

/// Which page of a search for transactions.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    /// From 1.
    pub number: i64,
    /// Entries of a page.
    pub size: usize,
    /// Newest first.
    pub descending: bool,
}

/// Why a search has no answer.
#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    /// The query or the page; the text is the reference's.
    #[error("{0}")]
    Asked(String),
    /// The node.
    #[error(transparent)]
    Node(#[from] NodeError),
}

impl Blocks {
    /// Height of the last block whose state queries see; 0 before the first.
    pub fn height(&self) -> i64 {
        match self {
            Self::Own(own) => own.height(),
            Self::Comet(comet) => comet.height(),
        }
    }

    /// Waits until the state of a height can be queried, and tells the last such height.
    ///
    /// # Errors
    /// When the node stops first.
    pub async fn reached(&self, height: i64) -> Result<i64, NodeError> {
        match self {
            Self::Own(own) => {
                let mut news = own.driver.committed();
                let height_of =
                    |latest: &Option<Arc<Committed>>| latest.as_ref().map_or(0, |it| it.height());
                let reached = news.wait_for(|latest| height_of(latest) >= height).await;
                reached.map(|latest| height_of(&latest))
            }
            Self::Comet(comet) => comet.reached(height).await,
        }
        .map_err(|_| NodeError::Driver("stopped".to_owned()))
    }

    /// A block and its id; the last one with 0. `None` where there is none.
    ///
    /// # Errors
    /// The store's, or CometBFT's.
    pub async fn block(&self, height: i64) -> Result<Option<(BlockId, Block)>, NodeError> {
        match self {
            Self::Own(own) => own.block(height).await,
            Self::Comet(comet) => comet.block(height).await,
        }
    }

    /// A transaction in a block.
    ///
    /// # Errors
    /// As [`Blocks::block`].
    pub async fn tx(&self, hash: &[u8]) -> Result<Option<Included>, NodeError> {
        match self {
            Self::Own(own) => own.tx(hash).await,
            Self::Comet(comet) => comet.tx(hash).await,
        }
    }

    /// A page of the transactions that match a query, and how many match in all.
    ///
    /// # Errors
    /// [`SearchError`].
    pub async fn search(
        &self,
        query: &str,
        page: Page,
    ) -> Result<(Vec<Included>, u64), SearchError> {
        match self {
            Self::Own(own) => own.search(query, page).await,
            Self::Comet(comet) => comet.search(query, page).await,
        }
    }

    /// Checks a transaction and takes it into the mempool.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn add(&self, tx: Bytes) -> Result<ResponseCheckTx, Refused> {
        match self {
            Self::Own(own) => own.driver.add(tx).await,
            Self::Comet(comet) => comet.add(tx).await,
        }
    }

    /// The validators that sign a block.
    ///
    /// # Errors
    /// As [`Blocks::block`].
    pub async fn validators(&self, height: i64) -> Result<Vec<Member>, NodeError> {
        match self {
            Self::Own(own) => own.members(height).await,
            Self::Comet(comet) => comet.validators(height).await,
        }
    }

    /// Whether old blocks are still being fetched.
    ///
    /// # Errors
    /// As [`Blocks::block`].
    pub async fn syncing(&self) -> Result<bool, NodeError> {
        match self {
            Self::Own(_) => Ok(false),
            Self::Comet(comet) => comet.syncing().await,
        }
    }

    /// Who the node is.
    ///
    /// # Errors
    /// As [`Blocks::block`].
    pub async fn identity(&self) -> Result<Identity, NodeError> {
        match self {
            Self::Own(own) => Ok(own.identity()),
            Self::Comet(comet) => comet.identity().await,
        }
    }
}
