//! A node of ours on which a recording is played: state machine, mempool, block store, and what its listeners answer
//! from. Nothing listens; requests are handed to the same handlers in memory.

use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use chain::Application;
use chain::tx::{Gas, GasPrice};
use net::Tasks;
use prost::Message as _;
use proto::cosmos::base::node::v1beta1::ConfigResponse;
use serde_json::Value;
use tendermint_proto::v0_38::abci::{
    self, CheckTxType, CommitInfo, RequestCheckTx, RequestFinalizeBlock, ResponseCheckTx,
    ResponseFinalizeBlock, VoteInfo,
};
use tendermint_proto::v0_38::types::CommitSig;
use tokio::sync::watch;

use super::diff::list;
use super::recording::{Block, Recording};
use crate::block::validators::{self, ValidatorSet};
use crate::block::{self, Hash, Validator};
use crate::blocks::{Blocks, Own, OwnView};
use crate::driver::{Command, Driver};
use crate::error::NodeError;
use crate::limits;
use crate::mempool::{Mempool, Refused};
use crate::queries::Queries;
use crate::store::{BlockStore, Committed};
use crate::view::View;

/// The state machine and what waits for it.
struct Machine {
    application: Application,
    mempool: Mempool,
}

/// The node.
pub(super) struct Stage {
    machine: Arc<Mutex<Machine>>,
    store: BlockStore,
    announce: watch::Sender<Option<Arc<Committed>>>,
    /// Validators of the next block and of the one after it.
    sets: (ValidatorSet, ValidatorSet),
    /// What handlers answer from.
    pub(super) view: Arc<OwnView>,
}

impl Stage {
    /// Loads the genesis of a recording.
    ///
    /// # Errors
    /// The state machine's, when it refuses the genesis document.
    pub(super) fn open(recording: &Recording, tasks: &Tasks) -> Result<Self, NodeError> {
        let genesis = &recording.genesis;
        let min_gas_price = recorded_gas_price(recording);
        let price = min_gas_price.parse().unwrap_or(GasPrice::ZERO);
        let mut application = Application::for_replay(price)?;
        let named = genesis.validators().map_err(chain::ChainError::from)?;
        let request = genesis.init_chain(named);
        let request = request.map_err(chain::ChainError::from)?;
        let answer = application.init_chain(&request)?;
        let first = first_set(recording, &answer.validators)?;
        let mut second = first.clone();
        second.advance(1);

        let store = BlockStore::in_memory()?;
        let initial_height = genesis.initial_height.value();
        store.save_validators(initial_height, &first)?;
        let reader = application.reader();
        let machine = Arc::new(Mutex::new(Machine {
            application,
            mempool: Mempool::default(),
        }));
        let (commands, receiver) = sync_channel(limits::DRIVER_QUEUE);
        let (announce, committed) = watch::channel(None);
        let answering = Arc::clone(&machine);
        tasks.spawn_blocking(move || serve(&answering, &receiver));
        let validator = first.validators().into_iter().next();
        let own = Own {
            store: store.clone(),
            driver: Driver::over(commands, committed),
            validator: validator.unwrap_or(Validator {
                key: [0; 32],
                power: 0,
            }),
            rpc_addr: None,
            tasks: tasks.clone(),
        };
        let view = Arc::new(View {
            chain_id: genesis.chain_id.clone(),
            genesis: genesis.clone(),
            reader,
            blocks: Blocks::Own(own.clone()),
            min_gas_price,
            keep_recent: 0,
            queries: Queries::default(),
            tasks: tasks.clone(),
        });
        let view = Arc::new(OwnView::new(view, own));
        Ok(Self {
            machine,
            store,
            announce,
            sets: (first, second),
            view,
        })
    }

    /// Validators of the next block.
    pub(super) fn validators(&self) -> &ValidatorSet {
        &self.sets.0
    }

    /// Executes a recorded block with what was recorded as its hash, time, proposer and votes. Nobody sees it yet.
    ///
    /// # Errors
    /// The state machine's or the store's.
    pub(super) fn execute(&mut self, block: &Block) -> Result<ResponseFinalizeBlock, NodeError> {
        let header = block.header();
        let request = RequestFinalizeBlock {
            txs: block.tx_bytes(),
            decided_last_commit: Some(self.last_commit(block)?),
            misbehavior: block.misbehavior.clone(),
            hash: block.id.hash.clone().into(),
            height: block.height,
            time: header.time,
            next_validators_hash: header.next_validators_hash.into(),
            proposer_address: header.proposer_address.into(),
        };
        let mut machine = lock(&self.machine);
        let fates = fates(&block.results);
        let results = machine.application.replay_block(&request, &fates)?;
        drop(machine);
        let commit = block.commit.clone().unwrap_or_default();
        self.store.save_block(&block.id, &block.block, &commit)?;
        self.store.save_results(&block.block, &results)?;
        Ok(results)
    }

    /// Commits the executed block and announces it; the mempool is checked again.
    ///
    /// # Errors
    /// The state machine's or the store's.
    pub(super) fn commit(
        &mut self,
        block: &Block,
        results: ResponseFinalizeBlock,
    ) -> Result<(), NodeError> {
        self.advance(block.height, &results)?;
        let mut machine = lock(&self.machine);
        machine.application.commit()?;
        let committed = Arc::new(Committed {
            id: block.id.clone(),
            block: block.block.clone(),
            results,
        });
        let included: Vec<Hash> = block::tx_hashes(committed.txs());
        let Machine {
            application,
            mempool,
        } = &mut *machine;
        mempool.after_block(&included, |tx| check(application, tx, CheckTxType::Recheck));
        drop(machine);
        self.announce.send_replace(Some(committed));
        Ok(())
    }

    /// Checks a transaction and takes it into the mempool, as a node does that is sent one.
    ///
    /// # Errors
    /// [`Refused`] before the check.
    pub(super) fn send(&self, tx: &[u8]) -> Result<ResponseCheckTx, Refused> {
        lock(&self.machine).add(Bytes::copy_from_slice(tx))
    }

    /// Sets of validators move on: updates of a block count from the second block after it.
    fn advance(&mut self, height: i64, results: &ResponseFinalizeBlock) -> Result<(), NodeError> {
        let mut next = self.sets.1.clone();
        let changes = validators::from_updates(&results.validator_updates);
        let changes = changes.map_err(NodeError::corrupt)?;
        next.update(&changes).map_err(NodeError::corrupt)?;
        next.advance(1);
        if !changes.is_empty() {
            self.store
                .save_validators(height.saturating_add(2), &next)?;
        }
        self.sets.0 = std::mem::replace(&mut self.sets.1, next);
        Ok(())
    }

    /// Votes for the block before, with the powers of those who signed it.
    fn last_commit(&self, block: &Block) -> Result<CommitInfo, NodeError> {
        let commit = block.block.last_commit.clone().unwrap_or_default();
        // A chain that goes on from an exported state has votes in its first block: those of the set that it starts with.
        let signed = self.store.validators(block.height.saturating_sub(1))?;
        let signed = signed.map_or_else(|| self.sets.0.validators(), |set| set.validators());
        let votes = commit.signatures.iter().enumerate();
        let votes = votes.map(|(place, vote)| vote_info(vote, place, &signed));
        Ok(CommitInfo {
            round: commit.round,
            votes: votes.collect(),
        })
    }
}

/// Signatures of a commit stand in the order of the set; an absent one does not say whose it is.
fn vote_info(vote: &CommitSig, place: usize, signed: &[Validator]) -> VoteInfo {
    let by_address = signed
        .iter()
        .find(|validator| validator.address() == vote.validator_address.as_slice());
    let validator = by_address.or_else(|| signed.get(place));
    let address = if vote.validator_address.is_empty() {
        validator.map_or_else(Vec::new, |validator| validator.address().to_vec())
    } else {
        vote.validator_address.clone()
    };
    VoteInfo {
        validator: Some(abci::Validator {
            address: address.into(),
            power: validator.map_or(0, |validator| validator.power),
        }),
        block_id_flag: vote.block_id_flag,
    }
}

/// The validators of the first block: what the state machine says, else what was recorded.
fn first_set(
    recording: &Recording,
    updates: &[abci::ValidatorUpdate],
) -> Result<ValidatorSet, NodeError> {
    let ours = validators::from_updates(updates).map_err(NodeError::corrupt)?;
    let validators = if ours.is_empty() {
        recorded_validators(
            recording
                .blocks
                .first()
                .map_or(&Value::Null, |it| &it.validators),
        )
    } else {
        ours
    };
    if validators.is_empty() {
        return Ok(ValidatorSet::default());
    }
    ValidatorSet::new(&validators).map_err(NodeError::corrupt)
}

/// Keys and powers in an answer of the RPC's `validators`.
fn recorded_validators(answer: &Value) -> Vec<Validator> {
    let read = |entry: &Value| {
        use base64::Engine as _;
        let key = entry["pub_key"]["value"].as_str()?;
        let key = base64::engine::general_purpose::STANDARD.decode(key).ok()?;
        let power = entry["voting_power"].as_str()?.parse().ok()?;
        Some(Validator {
            key: key.try_into().ok()?,
            power,
        })
    };
    list(&answer["validators"])
        .iter()
        .filter_map(read)
        .collect()
}

/// The least price of gas that the recorded node said it takes; it decides what CheckTx refuses.
fn recorded_gas_price(recording: &Recording) -> String {
    let method = "/cosmos.base.node.v1beta1.Service/Config";
    let mut queries = recording.queries.iter();
    let answer = queries.find(|query| query.method == method && query.grpc_code == 0);
    let config = answer.and_then(|query| ConfigResponse::decode(query.response.as_slice()).ok());
    config.unwrap_or_default().minimum_gas_price
}

/// What gas did to each transaction on the recorded node.
fn fates(results: &Value) -> Vec<Gas> {
    let fate = |result: &Value| {
        let ran_out = result["codespace"] == "sdk" && result["code"] == 11;
        match ran_out {
            false => Gas::Counted,
            // Events are kept of the checks; there are none where even those did not run.
            true if list(&result["events"]).is_empty() => Gas::NoneLeft,
            true => Gas::Spent,
        }
    };
    list(&results["txs_results"]).iter().map(fate).collect()
}

impl Machine {
    fn add(&mut self, tx: Bytes) -> Result<ResponseCheckTx, Refused> {
        let application = &self.application;
        self.mempool
            .add(tx, |tx| check(application, tx, CheckTxType::New))
    }
}

fn lock(machine: &Mutex<Machine>) -> MutexGuard<'_, Machine> {
    machine.lock().unwrap_or_else(PoisonError::into_inner)
}

fn check(application: &Application, tx: &Bytes, kind: CheckTxType) -> ResponseCheckTx {
    application.check_tx(&RequestCheckTx {
        tx: tx.clone(),
        r#type: kind.into(),
    })
}

/// Answers what handlers ask of the driver, until nobody can ask any more.
fn serve(machine: &Mutex<Machine>, commands: &Receiver<Command>) {
    while let Ok(command) = commands.recv() {
        match command {
            Command::Check {
                tx,
                keep: true,
                answer,
            } => drop(answer.send(lock(machine).add(tx))),
            Command::Check {
                tx,
                keep: false,
                answer,
            } => {
                let checked = check(&lock(machine).application, &tx, CheckTxType::New);
                drop(answer.send(Ok(checked)));
            }
            Command::Waiting { limit, answer } => {
                drop(answer.send(lock(machine).mempool.waiting(limit)));
            }
            // Blocks come from the recording.
            Command::Follow { .. } => {}
            Command::Stop => break,
        }
    }
}
