//! State sync: what snapshots are made from, and how a new node gets its state from one.

use tendermint_proto::v0_38::abci::{
    RequestApplySnapshotChunk, RequestOfferSnapshot, ResponseApplySnapshotChunk,
    ResponseOfferSnapshot, response_apply_snapshot_chunk, response_offer_snapshot,
};

use crate::app::Application;
use crate::app::check::CheckState;
use crate::error::ChainError;
use crate::statesync::{Applied, Offered, Restore, Source};

impl Application {
    /// The last committed state, to be written as a snapshot by somebody who has the time. `None` before the first block.
    ///
    /// # Errors
    /// When the store fails.
    pub fn snapshot_source(&self) -> Result<Option<Source>, ChainError> {
        let Some(recorded) = self.disk.last()? else {
            return Ok(None);
        };
        let view = self.disk.snapshot(recorded.block.height)?;
        Ok(Some(Source { view, recorded }))
    }

    /// Looks at a snapshot that peers offer for the chain `chain_id`. A restore that was under way ends.
    ///
    /// # Errors
    /// When the store fails or there is a state that blocks made.
    pub fn offer_snapshot(
        &mut self,
        chain_id: &str,
        request: &RequestOfferSnapshot,
    ) -> Result<ResponseOfferSnapshot, ChainError> {
        use response_offer_snapshot::Result as Answer;
        // Its transaction must end before the next one can begin.
        self.restore = None;
        let snapshot = request.snapshot.clone().unwrap_or_default();
        let height = snapshot.height;
        let offered = Restore::offer(&self.disk, chain_id, &snapshot, &request.app_hash)?;
        let answer = match offered {
            Offered::Accepted(restore) => {
                tracing::info!(height, chunks = snapshot.chunks, "restoring a snapshot");
                self.restore = Some(restore);
                Answer::Accept
            }
            Offered::Format => Answer::RejectFormat,
            Offered::Refused(reason) => {
                tracing::warn!(height, reason, "refusing a snapshot");
                Answer::Reject
            }
        };
        Ok(ResponseOfferSnapshot {
            result: answer.into(),
        })
    }

    /// Takes a chunk of the accepted snapshot. After the last one the application is at the snapshot's height.
    ///
    /// # Errors
    /// When the store fails or no snapshot was accepted.
    pub fn apply_snapshot_chunk(
        &mut self,
        request: &RequestApplySnapshotChunk,
    ) -> Result<ResponseApplySnapshotChunk, ChainError> {
        use response_apply_snapshot_chunk::Result as Answer;
        let Some(restore) = &mut self.restore else {
            return Err(ChainError::Order(
                "a chunk without an accepted snapshot".to_owned(),
            ));
        };
        let awaited = restore.awaited();
        let applied = restore.chunk(request.index, &request.chunk)?;
        let mut answer = ResponseApplySnapshotChunk::default();
        let result = match applied {
            Applied::Taken => Answer::Accept,
            Applied::Done => {
                self.restore = None;
                *self.check.lock() = CheckState::open(&self.disk)?;
                Answer::Accept
            }
            Applied::WrongChunk => {
                tracing::warn!(
                    chunk = request.index,
                    sender = request.sender,
                    "wrong chunk"
                );
                answer.refetch_chunks.push(awaited);
                if !request.sender.is_empty() {
                    answer.reject_senders.push(request.sender.clone());
                }
                Answer::Retry
            }
            Applied::WrongSnapshot(reason) => {
                tracing::warn!(reason, "giving a snapshot up");
                self.restore = None;
                Answer::RejectSnapshot
            }
        };
        answer.result = result.into();
        Ok(answer)
    }
}
