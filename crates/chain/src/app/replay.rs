//! Execution of blocks that another node has executed before.

use tendermint_proto::v0_38::abci::{RequestFinalizeBlock, ResponseFinalizeBlock};

use super::{Application, Options};
use crate::error::ChainError;
use crate::tx::{Gas, GasPrice};

impl Application {
    /// An application in memory that replays a recording: every height is kept, and gas limits nothing
    /// ([`Gas::Counted`]), neither in blocks nor in checks.
    ///
    /// # Errors
    /// When memory cannot be had.
    pub fn for_replay(minimum_gas_price: GasPrice) -> Result<Self, ChainError> {
        let options = Options {
            keep_recent: 0,
            minimum_gas_price,
            ..Options::default()
        };
        let mut application = Self::in_memory(options)?;
        application.check.gas = Gas::Counted;
        Ok(application)
    }

    /// As [`Application::finalize_block`]; `gas` says what the recorded node's gas did to each transaction.
    ///
    /// # Errors
    /// As [`Application::finalize_block`], and [`ChainError::Order`] for an application that does not replay.
    pub fn replay_block(
        &mut self,
        request: &RequestFinalizeBlock,
        gas: &[Gas],
    ) -> Result<ResponseFinalizeBlock, ChainError> {
        if self.check.gas == Gas::Enforced {
            let text = "this application does not replay a recording";
            return Err(ChainError::Order(text.to_owned()));
        }
        self.execute(request, gas)
    }
}
