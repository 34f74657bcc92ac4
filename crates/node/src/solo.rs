//! The embedded driver: one validator that proposes, votes for and executes every block itself.
//!
//! The state machine names the validators, as under CometBFT: a change that block H brings counts from block H + 2. Others
//! may be in the set, absent from every block, as long as the own key holds more than two thirds of the power; else
//! nothing could be committed and the driver stops. A genesis without validators leaves the own key alone, with power 1.
//!
//! The way of a block: transactions through `prepare_proposal`; header and hash; the vote; block and vote on disk;
//! `finalize_block`; results on disk; `commit`. A node that dies anywhere on it comes up at the same block: what was
//! stored and not committed is executed again, at most one block. The commit that a block carries for the one before is
//! signed with the block's own time, as CometBFT's rule for block times demands.
//!
//! As a [`Role::Follower`] it executes blocks that were decided elsewhere, hash and votes as they are.
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
use tendermint_proto::v0_38::types::{Block, BlockId, Commit, CommitSig, ConsensusParams};

use crate::block::validators::{self, ValidatorSet};
use crate::block::{self, Draft, Hash, Validator, vote};
use crate::error::{NodeError, StartError};
use crate::limits;
use crate::mempool::{Mempool, Refused, Waiting};
use crate::store::{BlockStore, Committed};
use crate::time;

/// Voting power of the only validator where the genesis names none.
const POWER: i64 = 1;

/// Whose blocks a driver executes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Its own: its key commits them.
    Alone,
    /// Those that it is given; its key signs nothing.
    Follower,
}

/// What the next block builds on.
#[derive(Clone, Debug)]
struct Tip {
    height: i64,
    time: Timestamp,
    id: BlockId,
    app_hash: Vec<u8>,
    results_hash: Hash,
}

/// A block that was decided elsewhere, with everything that the state machine is told about it.
#[derive(Clone, Debug)]
pub struct Decided {
    /// Its hash and part set.
    pub id: BlockId,
    /// The block.
    pub block: Block,
    /// Votes for it.
    pub commit: Commit,
    /// Votes for the block before, with the powers of that time.
    pub votes: Vec<VoteInfo>,
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
    /// [`StartError::Genesis`], [`StartError::Validators`], [`StartError::Torn`], [`NodeError::Outvoted`], or a store's.
    pub fn open(
        mut application: Application,
        store: BlockStore,
        key: SigningKey,
        document: &Document,
        role: Role,
    ) -> Result<Self, StartError> {
        let info = application
            .info(&RequestInfo::default())
            .map_err(NodeError::from)?;
        let initial_height = document.initial_height.value();
        let validator = Validator {
            key: key.verifying_key().to_bytes(),
            power: POWER,
        };
        let request = document.init_chain(document.validators()?)?;
        let mut genesis_app_hash = Sha256::digest([]).to_vec();
        if info.last_block_height == 0 {
            let answer = application.init_chain(&request).map_err(start_error)?;
            genesis_app_hash = answer.app_hash.to_vec();
            let named = [&answer.validators, &request.validators];
            let named = named.into_iter().find(|named| !named.is_empty());
            let first = match named {
                Some(named) => validators::from_updates(named).map_err(StartError::validators)?,
                None => vec![validator.clone()],
            };
            let first = ValidatorSet::new(&first).map_err(StartError::validators)?;
            store.save_validators(initial_height, &first)?;
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
        solo.resume(info.last_block_height, role)?;
        if role == Role::Alone {
            solo.quorum(solo.next_height())?;
        }
        Ok(solo)
    }

    /// Brings blocks and state together.
    fn resume(&mut self, state: i64, role: Role) -> Result<(), StartError> {
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
            // It is given again, with its votes.
            1 if role == Role::Follower => {}
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

    /// The own key, with the power that it starts a chain without validators with.
    pub fn validator(&self) -> &Validator {
        &self.validator
    }

    fn next_height(&self) -> i64 {
        self.tip
            .as_ref()
            .map_or(self.initial_height, |tip| tip.height + 1)
    }

    /// The set that signs the block of a height. Folders from before sets were kept have none.
    fn set(&self, height: i64) -> Result<ValidatorSet, NodeError> {
        match self.store.validators(height)? {
            Some(set) => Ok(set),
            None => {
                ValidatorSet::new(std::slice::from_ref(&self.validator)).map_err(NodeError::corrupt)
            }
        }
    }

    /// The set that signs the block of a height, where the own key can commit it alone.
    fn quorum(&self, height: i64) -> Result<ValidatorSet, NodeError> {
        let set = self.set(height)?;
        let powers = || set.members().iter().map(|member| &member.validator);
        let own = powers().filter(|validator| validator.key == self.validator.key);
        let own: i128 = own.map(|validator| i128::from(validator.power)).sum();
        let total: i128 = powers().map(|validator| i128::from(validator.power)).sum();
        if own * 3 > total * 2 {
            return Ok(set);
        }
        Err(NodeError::Outvoted {
            validator: hex::encode_upper(self.validator.address()),
            height,
            own,
            total,
        })
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
    /// [`NodeError::Outvoted`], or a store's.
    pub fn propose(&mut self, now: Timestamp) -> Result<Block, NodeError> {
        let height = self.next_height();
        let time = match &self.tip {
            None => self.genesis_time,
            Some(tip) => time::after(tip.time, now),
        };
        let set = self.quorum(height)?.validators();
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
                let signed = self.set(tip.height)?.validators();
                let commit = self.commit(tip.height, tip.id.clone(), time, &signed);
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
            validators_hash: block::validators_hash(&set),
            next_validators_hash: self.set(height + 1)?.hash(),
            proposer: self.validator.address(),
        });
        let id = id_of(&block)?;
        let seen = time::next_millisecond(time);
        let commit = self.commit(height, id.clone(), seen, &set);
        self.store.save_block(&id, &block, &commit)?;
        Ok(block)
    }

    /// Stores, executes and commits a block that was decided elsewhere.
    ///
    /// # Errors
    /// [`NodeError::Driver`] for a block that is not the next; a store's, or the machine's, and the node must stop then.
    pub fn follow(&mut self, decided: &Decided) -> Result<Arc<Committed>, NodeError> {
        let Decided {
            id,
            block,
            commit,
            votes,
        } = decided;
        let height = block.header.as_ref().map_or(0, |header| header.height);
        let next = self.next_height();
        if height != next {
            let text = format!("given block {height}, the next one is {next}");
            return Err(NodeError::Driver(text));
        }
        self.store.save_block(id, block, commit)?;
        self.run(block, id.clone(), votes.clone())
    }

    /// Executes a stored block of our own and commits it.
    fn execute(&mut self, block: &Block) -> Result<Arc<Committed>, NodeError> {
        let height = block.header.as_ref().map_or(0, |header| header.height);
        let votes = match &block.last_commit {
            Some(commit) if height > self.initial_height => {
                let signed = self.set(height - 1)?.validators();
                let votes = signed.iter().zip(&commit.signatures);
                let info = |(validator, vote): (&Validator, &CommitSig)| VoteInfo {
                    validator: Some(abci::Validator {
                        address: validator.address().to_vec().into(),
                        power: validator.power,
                    }),
                    block_id_flag: vote.block_id_flag,
                };
                votes.map(info).collect()
            }
            _ => Vec::new(),
        };
        self.run(block, id_of(block)?, votes)
    }

    /// Executes a stored block and commits it.
    fn run(
        &mut self,
        block: &Block,
        id: BlockId,
        votes: Vec<VoteInfo>,
    ) -> Result<Arc<Committed>, NodeError> {
        let header = block.header.clone().unwrap_or_default();
        let txs = block
            .data
            .as_ref()
            .map_or(&[] as &[Vec<u8>], |data| &data.txs);
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
        self.keep_changes(header.height, &results.validator_updates)?;
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

    fn commit(&self, height: i64, id: BlockId, time: Timestamp, set: &[Validator]) -> Commit {
        vote::commit(&self.chain_id, height, id, time, &self.key, set)
    }

    /// Keeps the set that a block's changes make of the one that signs the next block.
    fn keep_changes(
        &self,
        height: i64,
        updates: &[abci::ValidatorUpdate],
    ) -> Result<(), NodeError> {
        if updates.is_empty() {
            return Ok(());
        }
        let changes = validators::from_updates(updates).map_err(NodeError::corrupt)?;
        let mut set = self.set(height + 1)?;
        set.update(&changes).map_err(NodeError::corrupt)?;
        set.advance(1);
        self.store.save_validators(height + 2, &set)
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
    role: Role,
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
    let application =
        Application::open(&data_dir.join("state"), options).map_err(NodeError::from)?;
    // Until a block was made, a document that was wrong may be mended.
    let begun = store.range()?.is_some() || application.last().map_err(NodeError::from)?.is_some();
    let text = match (kept, given) {
        (Some(kept), Some(given)) if begun && kept != given => {
            let (genesis, data_dir) = (genesis.to_owned(), data_dir.to_owned());
            return Err(StartError::OtherChain { genesis, data_dir });
        }
        (Some(kept), given) if begun || given.is_none() => kept,
        (_, given) => {
            let given = given.unwrap_or_default();
            Document::parse(&given)?;
            store.save_genesis(&given)?;
            given
        }
    };
    let document = Document::parse(&text)?;
    let reader = application.reader();
    let solo = Solo::open(application, store.clone(), key, &document, role)?;
    Ok((solo, store, reader, document))
}
