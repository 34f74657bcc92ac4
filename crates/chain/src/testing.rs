//! Contexts without a disk, for tests of modules here and elsewhere (feature `testing`).

use crate::context::{BlockInfo, BlockTime, Context, Mode};
use crate::error::{ChainError, TxError};
use crate::rules::Rules;
use crate::store::{Memory, View};

/// A state in memory that moves from block to block.
#[derive(Clone, Debug)]
pub struct TestChain {
    memory: Memory,
    /// The block that contexts are given.
    pub block: BlockInfo,
    /// The rules that contexts are given.
    pub rules: Rules,
}

impl TestChain {
    /// An empty state at height 1 of the chain `relaymill-test`.
    pub fn new(rules: Rules) -> Self {
        let block = BlockInfo {
            chain_id: "relaymill-test".to_owned(),
            height: 1,
            time: BlockTime {
                seconds: 1_700_000_000,
                nanos: 0,
            },
            hash: vec![1; 32],
            proposer: vec![2; 20],
        };
        Self {
            memory: Memory::new(),
            block,
            rules,
        }
    }

    /// Runs `f` on a context and keeps its changes when it succeeds.
    ///
    /// # Errors
    /// Those of `f`.
    pub fn run<T, E>(&mut self, f: impl FnOnce(&mut Context) -> Result<T, E>) -> Result<T, E> {
        let mut ctx = Context::for_test(&self.memory, self.block.clone(), self.rules);
        let result = f(&mut ctx)?;
        let changes = ctx.into_changes();
        self.memory.apply(changes);
        Ok(result)
    }

    /// Runs `f` on a context that is thrown away.
    pub fn read<T>(&self, f: impl FnOnce(&Context) -> T) -> T {
        f(&Context::for_test(
            &self.memory,
            self.block.clone(),
            self.rules,
        ))
    }

    /// Goes to a height; the block's hash is made from it, its time one second a block.
    pub fn go_to(&mut self, height: i64) {
        let ahead = height.saturating_sub(self.block.height);
        self.block.height = height;
        self.block.time.seconds = self.block.time.seconds.saturating_add(ahead);
        self.block.hash = crypto::hash::sha256(&height.to_be_bytes()).to_vec();
    }

    /// The state itself.
    pub fn view(&self) -> &dyn View {
        &self.memory
    }

    /// Mints upokt for an account.
    ///
    /// # Errors
    /// When it has more than 128 bits of it.
    pub fn fund(&mut self, address: &crypto::keys::Address, amount: u128) -> Result<(), TxError> {
        self.run(|ctx| {
            crate::bank::mint(ctx, "tokenomics", &[crate::bank::upokt(amount)])?;
            crate::bank::module_to_account(
                ctx,
                "tokenomics",
                address,
                &[crate::bank::upokt(amount)],
            )
        })
    }
}

impl<'a> Context<'a> {
    /// A context that executes a block over any view.
    pub fn for_test(view: &'a dyn View, block: BlockInfo, rules: Rules) -> Self {
        Self::new(view, block, rules, Mode::Deliver)
    }
}

/// Fails when `result` is not an error with this codespace and code; gives the log.
pub fn refused<T: std::fmt::Debug>(
    result: Result<T, TxError>,
    codespace: &str,
    code: u32,
) -> Result<String, ChainError> {
    match result {
        Err(error) if error.codespace == codespace && error.code == code => Ok(error.log),
        other => Err(ChainError::invariant(format!(
            "expected {codespace} {code}, got {other:?}"
        ))),
    }
}
