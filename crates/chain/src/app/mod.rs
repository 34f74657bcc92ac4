//! The ABCI 2.0 verbs.
//!
//! The order is CometBFT's: `info`; `init_chain` once; then for each height `finalize_block` and `commit`, with
//! `check_tx` in between. `finalize_block` keeps everything in memory; `commit` writes it in one transaction. Dropped
//! between the two, the application comes up at the height before and executes the block again to the same root. Height,
//! time and hash of a block are inputs.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, RwLock};

use serde_json::{Map, Value};
use tendermint_proto::google::protobuf::Timestamp;
use tendermint_proto::v0_38::abci::{
    Event, EventAttribute, ExecTxResult, RequestCheckTx, RequestFinalizeBlock, RequestInfo,
    RequestInitChain, ResponseCheckTx, ResponseCommit, ResponseFinalizeBlock, ResponseInfo,
    ResponseInitChain,
};

use crate::context::{BlockInfo, BlockTime, Context, LastCommit, Mode};
use crate::error::{ChainError, GenesisError, TxError};
use crate::helpers::Helpers;
use crate::limits::KEEP_RECENT;
use crate::router::{self, Step};
use crate::rules::Rules;
use crate::statesync::Restore;
use crate::store::{Batch, Changes, Disk, Root, Snapshot, Store};
use crate::tx::{Gas, GasPrice, Outcome, Transaction, panic_text, read_ahead, run_read};
use crate::{APP_NAME, APP_VERSION, consensus, genesis, prices};

mod check;
mod proposal;
mod reader;
mod replay;
mod sync;

use check::CheckState;
pub use check::Checker;
pub use reader::{QueryAnswer, Reader, Simulation};

/// How an application is opened.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Heights whose state is kept; 0 keeps all.
    pub keep_recent: u64,
    /// Least price of gas in this node's mempool.
    pub minimum_gas_price: GasPrice,
    /// Threads that check signatures and proofs; 0 for as many as the machine has cores. Results do not depend on it.
    pub threads: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            keep_recent: KEEP_RECENT,
            minimum_gas_price: GasPrice::ZERO,
            threads: 0,
        }
    }
}

/// The state machine over its store. One owner drives it; [`Reader`]s answer queries meanwhile.
#[derive(Debug)]
pub struct Application {
    disk: Disk,
    helpers: Helpers,
    check: Checker,
    /// What `init_chain` made, until the first commit.
    genesis: Option<Genesis>,
    /// The state that is being fetched from peers.
    restore: Option<Box<Restore>>,
    /// What `finalize_block` made, until `commit`.
    finalized: Option<(Batch, BlockInfo, Rules)>,
}

/// State before the first block.
#[derive(Debug)]
struct Genesis {
    changes: Changes,
    chain_id: String,
    initial_height: i64,
}

impl Application {
    /// Opens the state in a directory; an empty one waits for `init_chain`.
    ///
    /// # Errors
    /// When the store cannot be opened.
    pub fn open(directory: &Path, options: Options) -> Result<Self, ChainError> {
        Self::over(Disk::open(directory, options.keep_recent)?, options)
    }

    /// An application in memory, for tests and for checking a genesis document.
    ///
    /// # Errors
    /// When memory cannot be had.
    pub fn in_memory(options: Options) -> Result<Self, ChainError> {
        Self::over(Disk::in_memory()?.keeping(options.keep_recent), options)
    }

    fn over(disk: Disk, options: Options) -> Result<Self, ChainError> {
        let check = Checker {
            state: Arc::new(RwLock::new(CheckState::open(&disk)?)),
            minimum: options.minimum_gas_price,
            gas: Gas::Enforced,
        };
        Ok(Self {
            disk,
            helpers: Helpers::new(options.threads)?,
            check,
            genesis: None,
            restore: None,
            finalized: None,
        })
    }

    /// A handle that answers queries from any thread.
    pub fn reader(&self) -> Reader {
        Reader::new(
            self.disk.clone(),
            Arc::clone(&self.check.state),
            self.helpers.clone(),
        )
    }

    /// Last committed height and root.
    ///
    /// # Errors
    /// When the store fails.
    pub fn info(&self, _: &RequestInfo) -> Result<ResponseInfo, ChainError> {
        let last = self.disk.last()?;
        Ok(ResponseInfo {
            data: APP_NAME.to_owned(),
            version: APP_VERSION.to_owned(),
            app_version: 0,
            last_block_height: last.as_ref().map_or(0, |last| last.block.height),
            last_block_app_hash: last.map_or_else(Vec::new, |last| last.root.to_vec()).into(),
        })
    }

    /// Loads genesis into memory; the first commit writes it.
    ///
    /// # Errors
    /// [`ChainError::Genesis`] names the field; [`ChainError::Order`] when there is a chain already.
    pub fn init_chain(
        &mut self,
        request: &RequestInitChain,
    ) -> Result<ResponseInitChain, ChainError> {
        if let Some(last) = self.disk.last()? {
            let height = last.block.height;
            return Err(ChainError::Order(format!(
                "init_chain, but the chain is at height {height}"
            )));
        }
        let state: Map<String, Value> = serde_json::from_slice(&request.app_state_bytes)
            .map_err(|error| GenesisError::new("app_state", error))?;
        let initial_height = request.initial_height.max(1);
        let block = BlockInfo {
            chain_id: request.chain_id.clone(),
            height: initial_height,
            time: block_time(request.time.as_ref()),
            ..BlockInfo::default()
        };
        let view = self.disk.empty_snapshot()?;
        let mut ctx = Context::new(&view, block.clone(), Rules::reference(), Mode::Genesis);
        let params = request.consensus_params.clone();
        let params = params.unwrap_or_else(|| consensus::Form::default().to_proto());
        consensus::init(&mut ctx, &params)?;
        genesis::load_state(&mut ctx, &state)?;
        let rules = ctx.rules;
        let validators = std::mem::take(&mut ctx.validator_updates);
        let validators = genesis::agree_on_validators(validators, &request.validators)?;
        let changes = ctx.into_changes();

        let mut check = self.check.lock();
        // Before the first block, transactions are checked as if the genesis block were the last one.
        check.block = BlockInfo {
            height: initial_height.saturating_sub(1),
            ..block
        };
        check.rules = rules;
        check.changes.clone_from(&changes);
        drop(check);
        self.genesis = Some(Genesis {
            changes,
            chain_id: request.chain_id.clone(),
            initial_height,
        });
        Ok(ResponseInitChain {
            consensus_params: None,
            validators,
            app_hash: crypto::hash::sha256(&[]).to_vec().into(),
        })
    }

    /// Checks a transaction for the mempool.
    pub fn check_tx(&self, request: &RequestCheckTx) -> ResponseCheckTx {
        self.check.check_tx(request)
    }

    /// A handle that checks transactions from any thread, also while a block is executed.
    pub fn checker(&self) -> Checker {
        self.check.clone()
    }

    /// Executes a block in memory. Called again before `commit`, it starts over.
    ///
    /// # Errors
    /// When the store fails, the height does not follow, or a phase of the block fails; the node must stop then.
    pub fn finalize_block(
        &mut self,
        request: &RequestFinalizeBlock,
    ) -> Result<ResponseFinalizeBlock, ChainError> {
        self.execute(request, &[])
    }

    /// Executes a block; what gas does to a transaction is `gas` at its place, else what the application does.
    fn execute(
        &mut self,
        request: &RequestFinalizeBlock,
        gas: &[Gas],
    ) -> Result<ResponseFinalizeBlock, ChainError> {
        let (view, genesis, chain_id) = self.before(request.height)?;
        let block = BlockInfo {
            chain_id,
            height: request.height,
            time: block_time(request.time.as_ref()),
            hash: request.hash.to_vec(),
            proposer: request.proposer_address.to_vec(),
        };
        let mut ctx = Context::new(&view, block.clone(), Rules::reference(), Mode::Deliver)
            .with_helpers(self.helpers.clone())
            .resume(genesis);
        let rules = genesis::read_rules(&ctx)?;
        ctx.rules = rules;
        ctx.last_commit = LastCommit::from_request(request, self.last_root()?);

        let txs = read_ahead(&ctx, &request.txs);
        let mut events = phase(&mut ctx, "PreBlock", router::PRE_BLOCK)?;
        events.extend(phase(&mut ctx, "BeginBlock", router::BEGIN_BLOCK)?);
        let gas_max = prices::tx_gas_max(&ctx)?;
        let mut gas_left = consensus::block_gas_max(&ctx)?;
        let mut tx_results = Vec::with_capacity(request.txs.len());
        for (place, tx) in txs.into_iter().enumerate() {
            let gas = gas.get(place).copied().unwrap_or(self.check.gas);
            tx_results.push(deliver(&mut ctx, tx, gas, gas_max, &mut gas_left));
        }
        events.extend(phase(&mut ctx, "EndBlock", router::END_BLOCK)?);
        let params = consensus::params(&ctx)?;
        let validator_updates = std::mem::take(&mut ctx.validator_updates);

        let batch = self.disk.apply(request.height, ctx.into_changes())?;
        let app_hash = batch.root.to_vec().into();
        self.finalized = Some((batch, block, rules));
        Ok(ResponseFinalizeBlock {
            events,
            tx_results,
            validator_updates,
            consensus_param_updates: Some(params),
            app_hash,
        })
    }

    /// State, genesis changes and chain id that a block builds on.
    fn before(&self, height: i64) -> Result<(Snapshot, Changes, String), ChainError> {
        let wrong = |expected: i64| {
            Err(ChainError::Order(format!(
                "block {height} given where {expected} is next"
            )))
        };
        match (self.disk.last()?, &self.genesis) {
            (Some(last), _) => {
                let expected = last.block.height.saturating_add(1);
                if height != expected {
                    return wrong(expected);
                }
                let view = self.disk.snapshot(last.block.height)?;
                Ok((view, Changes::new(), last.block.chain_id))
            }
            (None, Some(genesis)) => {
                if height != genesis.initial_height {
                    return wrong(genesis.initial_height);
                }
                let view = self.disk.empty_snapshot()?;
                Ok((view, genesis.changes.clone(), genesis.chain_id.clone()))
            }
            (None, None) => Err(ChainError::Order("a block before init_chain".to_owned())),
        }
    }

    /// Writes the executed block. Queries see it from now on; checks start from it.
    ///
    /// # Errors
    /// When nothing was finalized or the store fails.
    pub fn commit(&mut self) -> Result<ResponseCommit, ChainError> {
        let Some((batch, block, _)) = &self.finalized else {
            return Err(ChainError::Order(
                "commit without finalize_block".to_owned(),
            ));
        };
        // Held while writing, so that nobody checks against a state that is no longer the last.
        let mut check = self.check.lock();
        self.disk.commit(batch, block)?;
        *check = CheckState::open(&self.disk)?;
        drop(check);
        self.finalized = None;
        self.genesis = None;
        Ok(ResponseCommit { retain_height: 0 })
    }

    /// Last committed height and root; `None` before the first block.
    ///
    /// # Errors
    /// When the store fails.
    pub fn last(&self) -> Result<Option<(i64, Root)>, ChainError> {
        Ok(self.disk.last()?.map(|last| (last.block.height, last.root)))
    }

    /// Root after the last block; that of nothing before the first.
    fn last_root(&self) -> Result<Vec<u8>, ChainError> {
        let last = self.disk.last()?;
        Ok(last.map_or_else(
            || crypto::hash::sha256(&[]).to_vec(),
            |last| last.root.to_vec(),
        ))
    }
}

/// Runs the steps of a phase; their events carry its name.
fn phase(ctx: &mut Context, name: &'static str, steps: &[Step]) -> Result<Vec<Event>, ChainError> {
    for (module, step) in steps {
        let result = catch_unwind(AssertUnwindSafe(|| step(ctx)));
        result.map_err(|panic| ChainError::Panic {
            phase: name,
            module,
            height: ctx.block.height,
            message: panic_text(panic.as_ref()),
        })??;
    }
    let mut events = ctx.take_events();
    for event in &mut events {
        let (key, value) = ("mode".to_owned(), name.to_owned());
        event.attributes.push(EventAttribute {
            key,
            value,
            index: true,
        });
    }
    Ok(events)
}

/// One transaction of a block. `gas_left` is what the block's limit still allows.
fn deliver(
    ctx: &mut Context,
    tx: Result<Transaction, TxError>,
    limits: Gas,
    gas_max: Option<u64>,
    gas_left: &mut Option<u64>,
) -> ExecTxResult {
    let limits = match *gas_left {
        Some(0) if limits == Gas::Enforced => Gas::NoneLeft,
        _ => limits,
    };
    let Outcome {
        result,
        gas_wanted,
        gas_used,
        events,
    } = run_read(ctx, tx, GasPrice::ZERO, gas_max, limits);
    // A transaction's last step may exceed its limit; the block's gas is what proposals count by.
    let counted = gas_used.min(gas_wanted);
    *gas_left = gas_left.map(|left| left.saturating_sub(counted));
    match result {
        Ok(data) => ExecTxResult {
            data: prost::Message::encode_to_vec(&data).into(),
            gas_wanted: gas(gas_wanted),
            gas_used: gas(gas_used),
            events,
            ..Default::default()
        },
        Err(error) => refused(error, gas_wanted, gas_used, events),
    }
}

fn refused(error: TxError, gas_wanted: u64, gas_used: u64, events: Vec<Event>) -> ExecTxResult {
    ExecTxResult {
        code: error.code,
        log: error.log,
        gas_wanted: gas(gas_wanted),
        gas_used: gas(gas_used),
        events,
        codespace: error.codespace.into_owned(),
        ..Default::default()
    }
}

/// Gas in a result.
fn gas(gas: u64) -> i64 {
    i64::try_from(gas).unwrap_or(i64::MAX)
}

fn block_time(time: Option<&Timestamp>) -> BlockTime {
    time.map_or_else(BlockTime::default, |time| BlockTime {
        seconds: time.seconds,
        nanos: time.nanos,
    })
}
