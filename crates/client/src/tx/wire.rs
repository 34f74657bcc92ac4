//! Transactions on the wire: simulation and broadcast.

use proto::cosmos::tx::v1beta1 as tx;

use super::{Rejection, Stage};
use crate::query::methods as m;
use crate::{Chain, Error, Result};

impl Chain {
    /// The gas that a signed transaction would use on the latest state, or why it would fail.
    ///
    /// # Errors
    /// [`Error`] when the node cannot say.
    pub async fn simulate(&self, tx_bytes: &[u8]) -> Result<Result<u64, Rejection>> {
        let request = tx::SimulateRequest {
            tx_bytes: tx_bytes.to_vec().into(),
            ..Default::default()
        };
        match self
            .grpc
            .call(&m::SIMULATE, request, self.config.timeouts.transaction)
            .await
        {
            Ok(answer) => {
                let gas = answer.gas_info.map(|info| info.gas_used);
                gas.map(Ok)
                    .ok_or_else(|| Error::malformed("simulate", "no gas in the answer"))
            }
            // The chain's own codes do not survive here, only its text.
            Err(Error::Refused { code, message, .. }) if !refused_for_now(code) => {
                Ok(Err(Rejection {
                    stage: Stage::Simulation,
                    code: code as i32 as u32,
                    codespace: "grpc".to_owned(),
                    log: message,
                }))
            }
            Err(error) => Err(error),
        }
    }

    /// Offers a signed transaction to the node's mempool: accepted there, or why not. Over gRPC,
    /// and over the RPC where gRPC cannot be reached.
    ///
    /// # Errors
    /// [`Error`] when the node cannot say.
    pub async fn broadcast(&self, tx_bytes: &[u8]) -> Result<Result<(), Rejection>> {
        let deadline = self.config.timeouts.transaction;
        let request = tx::BroadcastTxRequest {
            tx_bytes: tx_bytes.to_vec().into(),
            mode: tx::BroadcastMode::Sync.into(),
        };
        let (code, codespace, log) = match self
            .grpc
            .call_once(&m::BROADCAST, request, None, deadline)
            .await
        {
            Ok(answer) => {
                let answer = answer
                    .tx_response
                    .ok_or_else(|| Error::malformed("broadcast", "empty answer"))?;
                (answer.code, answer.codespace, answer.raw_log)
            }
            Err(error) if error.is_transient() => {
                tracing::debug!(%error, "broadcast over gRPC failed, trying the RPC");
                let answer = self.rpc.broadcast_tx_sync(tx_bytes).await?;
                (answer.code, answer.codespace, answer.log)
            }
            Err(error) => return Err(error),
        };
        if code == 0 {
            return Ok(Ok(()));
        }
        Ok(Err(Rejection {
            stage: Stage::Check,
            code,
            codespace,
            log,
        }))
    }
}

/// Codes of a node that cannot answer now, as against one that says no.
fn refused_for_now(code: tonic::Code) -> bool {
    use tonic::Code;
    matches!(
        code,
        Code::Unavailable
            | Code::DeadlineExceeded
            | Code::ResourceExhausted
            | Code::Aborted
            | Code::Cancelled
            | Code::Unimplemented
    )
}
