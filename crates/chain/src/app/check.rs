//! Checks for the mempool, from any thread, beside the one that executes blocks.

use std::sync::{Arc, PoisonError, RwLock, RwLockWriteGuard};

use tendermint_proto::v0_38::abci::{CheckTxType, RequestCheckTx, ResponseCheckTx};

use crate::app::{gas, genesis};
use crate::context::{BlockInfo, Context, Mode};
use crate::error::{ChainError, TxError};
use crate::prices;
use crate::rules::Rules;
use crate::store::{Changes, Disk, Snapshot};
use crate::tx::{Gas, GasPrice, run};

/// Where transactions are checked: the last committed state, and what the mempool's transactions would change.
#[derive(Debug)]
pub(super) struct CheckState {
    pub(super) view: Snapshot,
    pub(super) block: BlockInfo,
    pub(super) rules: Rules,
    pub(super) changes: Changes,
}

impl CheckState {
    /// Checks start from the last committed state.
    pub(super) fn open(disk: &Disk) -> Result<Self, ChainError> {
        let (view, block) = match disk.last()? {
            Some(last) => (disk.snapshot(last.block.height)?, last.block),
            None => (disk.empty_snapshot()?, BlockInfo::default()),
        };
        let ctx = Context::new(&view, block.clone(), Rules::reference(), Mode::Query);
        let rules = genesis::read_rules(&ctx)?;
        drop(ctx);
        Ok(Self {
            view,
            block,
            rules,
            changes: Changes::new(),
        })
    }

    /// Runs `f` above the changes so far and keeps those it makes.
    fn with<T>(&mut self, mode: Mode, f: impl FnOnce(&mut Context) -> T) -> T {
        let changes = std::mem::take(&mut self.changes);
        let mut ctx =
            Context::new(&self.view, self.block.clone(), self.rules, mode).resume(changes);
        let result = f(&mut ctx);
        self.changes = ctx.into_changes();
        result
    }
}

/// Checks transactions for the mempool. Clones share the state that they are checked against; a commit puts the new
/// block's in its place.
#[derive(Clone, Debug)]
pub struct Checker {
    pub(super) state: Arc<RwLock<CheckState>>,
    pub(super) minimum: GasPrice,
    /// What gas limits do; [`Gas::Enforced`] but for a replay.
    pub(super) gas: Gas,
}

impl Checker {
    /// Checks a transaction for the mempool.
    pub fn check_tx(&self, request: &RequestCheckTx) -> ResponseCheckTx {
        let recheck = request.r#type == i32::from(CheckTxType::Recheck);
        let mode = if recheck { Mode::Recheck } else { Mode::Check };
        let (minimum, limits) = (self.minimum, self.gas);
        let outcome = self.lock().with(mode, |ctx| {
            let gas_max = prices::tx_gas_max(ctx).unwrap_or(None);
            run(ctx, &request.tx, minimum, gas_max, limits)
        });
        let gas_wanted = gas(outcome.gas_wanted);
        let gas_used = gas(outcome.gas_used);
        // The events of a check are nobody's: the SDK leaves them out, too.
        match outcome.result {
            Ok(_) => ResponseCheckTx {
                gas_wanted,
                gas_used,
                ..Default::default()
            },
            Err(TxError {
                codespace,
                code,
                log,
            }) => ResponseCheckTx {
                code,
                log,
                gas_wanted,
                gas_used,
                codespace: codespace.into_owned(),
                ..Default::default()
            },
        }
    }

    pub(super) fn lock(&self) -> RwLockWriteGuard<'_, CheckState> {
        // A panic while checking is caught inside; what it left is thrown away with the next commit at the latest.
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}
