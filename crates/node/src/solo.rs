//! The embedded driver: one validator that proposes, votes for and executes every block itself.
//!
//! The way of a block: transactions through `prepare_proposal`; header and hash; the vote; block and vote on disk;
//! `finalize_block`; results on disk; `commit`. A node that dies anywhere on it comes up at the same block: what was
//! stored and not committed is executed again, at most one block. The commit that a block carries for the one before is
//! signed with the block's own time, as CometBFT's rule for block times demands.
//!
//! Nothing here waits or reads a clock; [`driver`](crate::driver) does.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use chain::Application;
use chain::genesis::Document;
use ed25519_dalek::SigningKey;
use sha2::{Digest, Sha256};
use tendermint_proto::google::protobuf::Timestamp;
use tendermint_proto::v0_38::abci::{
    self, CheckTxType, CommitInfo, RequestCheckTx, RequestFinalizeBlock, RequestInfo,
    RequestPrepareProposal, ResponseCheckTx, VoteInfo,
};
use tendermint_proto::v0_38::types::{Block, BlockId, BlockIdFlag, ConsensusParams};

use crate::block::{self, Draft, Hash, Validator, vote};
use crate::error::{NodeError, StartError};
use crate::limits;
use crate::mempool::{Mempool, Refused, Waiting};
use crate::store::{BlockStore, Committed};
use crate::time;

/// The only validator's voting power.
const POWER: i64 = 1;

/// What the next block builds on.
#[derive(Clone, Debug)]
struct Tip {
    height: i64,
    time: Timestamp,
    id: BlockId,
    app_hash: Vec<u8>,
    results_hash: Hash,
}

/// The driver's state. One owner.
#[derive(Debug)]
pub struct Solo {
    application: Application,
    store: BlockStore,
    mempool: Mempool,
    key: SigningKey,
    validator: Validator,
    chain_id: String,
    genesis_time: Timestamp,
    initial_height: i64,
    genesis_app_hash: Vec<u8>,
    params: ConsensusParams,
    tip: Option<Tip>,
}

impl Solo {
    /// Opens a chain: the state in `application`, blocks in `store`. The first start loads the document; a later one
    /// executes the block that was stored but not committed, if there is one.
    ///
    /// # Errors
    /// [`StartError::Genesis`], [`StartError::Torn`], or a store's.
    pub fn open(
        mut application: Application,
        store: BlockStore,
        key: SigningKey,
        document: &Document,
    ) -> Result<Self, StartError> {
        let info = application
            .info(&RequestInfo::default())
            .map_err(NodeError::from)?;
        let initial_height = document.initial_height.value();
        let validator = Validator {
            key: key.verifying_key().to_bytes(),
            power: POWER,
        };
        let update = abci::ValidatorUpdate {
            pub_key: Some(validator.public_key()),
            power: POWER,
        };
        let request = document.init_chain(vec![update])?;
        let mut genesis_app_hash = Sha256::digest([]).to_vec();
        if info.last_block_height == 0 {
            let answer = application.init_chain(&request).map_err(start_error)?;
            genesis_app_hash = answer.app_hash.to_vec();
        }
        let mut solo = Self {
            application,
            store,
            mempool: Mempool::default(),
            key,
            validator,
            chain_id: document.chain_id.clone(),
            genesis_time: document.time()?,
            initial_height,
            genesis_app_hash,
            params: request.consensus_params.unwrap_or_default(),
            tip: None,
        };
        solo.resume(info.last_block_height)?;
        Ok(solo)
    }

    /// Brings blocks and state together.
    fn resume(&mut self, state: i64) -> Result<(), StartError> {
        let blocks = self
            .store
            .range()?
            .map_or(self.initial_height - 1, |(_, last)| last);
        let executed = if state == 0 {
            self.initial_height - 1
        } else {
            state
        };
        if executed >= self.initial_height {
            let committed = self.store.committed(executed)?;
            let committed = committed.ok_or(StartError::Torn { blocks, state })?;
            self.advance(&committed);
        }
        match blocks - executed {
            0 => {}
            1 => {
                let block = self.store.block(blocks)?;
                let block = block.ok_or_else(|| NodeError::corrupt("last block"))?;
                tracing::info!(height = blocks, "executing the last stored block again");
                self.execute(&block)?;
            }
            _ => return Err(StartError::Torn { blocks, state }),
        }
        Ok(())
    }

    /// Last executed height; 0 before the first.
    pub fn height(&self) -> i64 {
        self.tip.as_ref().map_or(0, |tip| tip.height)
    }

    /// The validator.
    pub fn validator(&self) -> &Validator {
        &self.validator
    }

    /// Checks a transaction and takes it into the mempool.
    ///
    /// # Errors
    /// [`Refused`] before the check.
    pub fn check(&mut self, tx: Bytes) -> Result<ResponseCheckTx, Refused> {
        let application = &self.application;
        self.mempool
            .add(tx, |tx| check(application, tx, CheckTxType::New))
    }

    /// Runs `check_tx` without taking the transaction in.
    pub fn try_check(&self, tx: &Bytes) -> ResponseCheckTx {
        check(&self.application, tx, CheckTxType::New)
    }

    /// What waits in the mempool.
    pub fn waiting(&self, limit: usize) -> Waiting {
        self.mempool.waiting(limit)
    }

    /// Makes the next block.
    ///
    /// # Errors
    /// A store's, or the machine's; the node must stop then.
    pub fn produce(&mut self, now: Timestamp) -> Result<Arc<Committed>, NodeError> {
        let block = self.propose(now)?;
        self.execute(&block)
    }

    /// Puts the next block together and stores it with its vote.
    ///
    /// # Errors
    /// A store's.
    pub fn propose(&mut self, now: Timestamp) -> Result<Block, NodeError> {
        let (height, time) = match &self.tip {
            None => (self.initial_height, self.genesis_time),
            Some(tip) => (tip.height + 1, time::after(tip.time, now)),
        };
        let max_bytes = match self.params.block.map_or(-1, |block| block.max_bytes) {
            ..0 => limits::BLOCK_BYTES,
            limit => limit,
        };
        let proposal = self.application.prepare_proposal(&RequestPrepareProposal {
            max_tx_bytes: max_bytes.saturating_sub(limits::BLOCK_OVERHEAD).max(0),
            txs: self.mempool.txs(),
            height,
            time: Some(time),
            proposer_address: self.validator.address().to_vec().into(),
            ..RequestPrepareProposal::default()
        })?;
        let (last_block_id, last_commit, app_hash, last_results_hash) = match &self.tip {
            None => {
                let results = block::results_hash(&[]);
                (
                    block::no_block_id(),
                    block::no_commit(),
                    self.genesis_app_hash.clone(),
                    results,
                )
            }
            Some(tip) => {
                let commit =
                    vote::commit(&self.chain_id, tip.height, tip.id.clone(), time, &self.key);
                (
                    tip.id.clone(),
                    commit,
                    tip.app_hash.clone(),
                    tip.results_hash,
                )
            }
        };
        let block = block::assemble(Draft {
            chain_id: self.chain_id.clone(),
            height,
            time,
            txs: proposal.txs.iter().map(|tx| tx.to_vec()).collect(),
            last_block_id,
            last_commit,
            app_hash,
            last_results_hash,
            consensus_hash: block::consensus_hash(&self.params),
            validators_hash: block::validators_hash(std::slice::from_ref(&self.validator)),
            proposer: self.validator.address(),
        });
        let id = id_of(&block)?;
        let seen = time::next_millisecond(time);
        let commit = vote::commit(&self.chain_id, height, id.clone(), seen, &self.key);
        self.store.save_block(&id, &block, &commit)?;
        Ok(block)
    }

    /// Executes a stored block and commits it.
    fn execute(&mut self, block: &Block) -> Result<Arc<Committed>, NodeError> {
        let id = id_of(block)?;
        let header = block.header.clone().unwrap_or_default();
        let txs = block
            .data
            .as_ref()
            .map_or(&[] as &[Vec<u8>], |data| &data.txs);
        let votes = if header.height > self.initial_height {
            let validator = abci::Validator {
                address: self.validator.address().to_vec().into(),
                power: POWER,
            };
            let block_id_flag = BlockIdFlag::Commit.into();
            vec![VoteInfo {
                validator: Some(validator),
                block_id_flag,
            }]
        } else {
            Vec::new()
        };
        let results = self.application.finalize_block(&RequestFinalizeBlock {
            txs: txs.iter().map(|tx| Bytes::copy_from_slice(tx)).collect(),
            decided_last_commit: Some(CommitInfo { round: 0, votes }),
            misbehavior: Vec::new(),
            hash: id.hash.clone().into(),
            height: header.height,
            time: header.time,
            next_validators_hash: header.next_validators_hash.into(),
            proposer_address: header.proposer_address.into(),
        })?;
        self.store.save_results(block, &results)?;
        self.application.commit()?;
        let committed = Arc::new(Committed {
            id,
            block: block.clone(),
            results,
        });
        self.advance(&committed);
        let included = block::tx_hashes(committed.txs());
        let application = &self.application;
        self.mempool
            .after_block(&included, |tx| check(application, tx, CheckTxType::Recheck));
        Ok(committed)
    }

    fn advance(&mut self, committed: &Committed) {
        if let Some(params) = &committed.results.consensus_param_updates {
            self.params = params.clone();
        }
        let header = committed.header();
        self.tip = Some(Tip {
            height: header.height,
            time: header.time.unwrap_or_default(),
            id: committed.id.clone(),
            app_hash: committed.results.app_hash.to_vec(),
            results_hash: block::results_hash(&committed.results.tx_results),
        });
    }
}

fn check(application: &Application, tx: &Bytes, kind: CheckTxType) -> ResponseCheckTx {
    application.check_tx(&RequestCheckTx {
        tx: tx.clone(),
        r#type: kind.into(),
    })
}

fn id_of(block: &Block) -> Result<BlockId, NodeError> {
    block::block_id(block).ok_or_else(|| NodeError::corrupt("block without a header"))
}

fn start_error(error: chain::ChainError) -> StartError {
    match error {
        chain::ChainError::Genesis(error) => StartError::Genesis(error),
        other => StartError::Node(other.into()),
    }
}

/// Everything of a chain that lies in one directory: `state/`, `blocks.redb` and `validator.key`.
///
/// # Errors
/// [`StartError`]; a folder that cannot be made, a document that cannot be read, another chain.
pub fn open_folder(
    data_dir: &Path,
    genesis: &Path,
    options: chain::Options,
) -> Result<(Solo, BlockStore, chain::Reader, Document), StartError> {
    let file = |path: &Path| {
        let path = path.to_owned();
        move |source| StartError::File { path, source }
    };
    std::fs::create_dir_all(data_dir).map_err(file(data_dir))?;
    let key = crate::key::load_or_create(&data_dir.join("validator.key"))?;
    let store = BlockStore::open(data_dir)?;
    let kept = store.genesis()?;
    let given = match std::fs::read_to_string(genesis) {
        Ok(text) => Some(text),
        // A folder that was copied needs no document beside it.
        Err(error) if kept.is_some() && error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => return Err(file(genesis)(error)),
    };
    let text = match (kept, given) {
        (Some(kept), Some(given)) if kept != given => {
            let (genesis, data_dir) = (genesis.to_owned(), data_dir.to_owned());
            return Err(StartError::OtherChain { genesis, data_dir });
        }
        (Some(kept), _) => kept,
        (None, given) => {
            let given = given.unwrap_or_default();
            Document::parse(&given)?;
            store.save_genesis(&given)?;
            given
        }
    };
    let document = Document::parse(&text)?;
    let application =
        Application::open(&data_dir.join("state"), options).map_err(NodeError::from)?;
    let reader = application.reader();
    let solo = Solo::open(application, store.clone(), key, &document)?;
    Ok((solo, store, reader, document))
}
