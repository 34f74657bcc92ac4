//! What each request does.
//!
//! Blocks, genesis and restores go through one lock around the application. Checks have a handle of their own and so do
//! queries; snapshots are files. None of these waits for a block.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use chain::statesync::Shelf;
use chain::{Application, Checker, Reader};
use net::Tasks;
use tendermint_proto::v0_38::abci::request::Value as Asked;
use tendermint_proto::v0_38::abci::response::Value as Answer;
use tendermint_proto::v0_38::abci::response_verify_vote_extension::VerifyStatus;
use tendermint_proto::v0_38::abci::{
    RequestApplySnapshotChunk, RequestCommit, RequestLoadSnapshotChunk, RequestQuery,
    ResponseApplySnapshotChunk, ResponseCommit, ResponseEcho, ResponseExtendVote, ResponseFlush,
    ResponseListSnapshots, ResponseLoadSnapshotChunk, ResponseQuery, ResponseVerifyVoteExtension,
};
use tokio::sync::watch;

use crate::error::NodeError;
use crate::services;
use crate::view::View;

/// When snapshots are made, and where they are.
#[derive(Clone, Debug)]
pub struct SnapshotPlan {
    /// Where they lie.
    pub shelf: Shelf,
    /// One is made every so many blocks; 0 for none.
    pub interval: u64,
}

/// The state machine behind the connections.
#[derive(Debug)]
pub struct Machine {
    application: Mutex<Application>,
    checker: Checker,
    reader: Reader,
    chain_id: String,
    snapshots: SnapshotPlan,
    /// Whether one is being written.
    writing: Arc<AtomicBool>,
    committed: watch::Sender<i64>,
    tasks: Tasks,
    /// What queries are answered from, once the node has it: services of the node stand beside those of the state.
    view: OnceLock<Arc<View>>,
}

impl Machine {
    /// Takes an application over. `chain_id` is the genesis document's: snapshots of other chains are refused.
    ///
    /// # Errors
    /// When its store fails.
    pub fn new(
        application: Application,
        chain_id: String,
        snapshots: SnapshotPlan,
        tasks: &Tasks,
    ) -> Result<Self, NodeError> {
        let height = application.last()?.map_or(0, |(height, _)| height);
        Ok(Self {
            checker: application.checker(),
            reader: application.reader(),
            application: Mutex::new(application),
            chain_id,
            snapshots,
            writing: Arc::default(),
            committed: watch::Sender::new(height),
            tasks: tasks.clone(),
            view: OnceLock::new(),
        })
    }

    /// Lets queries reach the services of the node too, as the reference's do.
    pub(crate) fn answer_from(&self, view: Arc<View>) {
        // Only a node's start calls this, once.
        let _ = self.view.set(view);
    }

    /// Answers a query beside everything else.
    pub(super) async fn query(&self, request: RequestQuery) -> ResponseQuery {
        let Some(view) = self.view.get() else {
            return self.reader.abci_query(&request);
        };
        services::abci(view, request)
            .await
            .unwrap_or_else(|error| ResponseQuery {
                code: error.code,
                log: error.log(),
                codespace: error.codespace.into_owned(),
                ..ResponseQuery::default()
            })
    }

    /// The last committed height as it changes.
    pub fn committed(&self) -> watch::Receiver<i64> {
        self.committed.subscribe()
    }

    /// Answers a request. May take as long as a block does.
    ///
    /// # Errors
    /// What the state machine cannot go on after.
    pub fn answer(&self, request: Asked) -> Result<Answer, NodeError> {
        Ok(match request {
            Asked::CheckTx(request) => Answer::CheckTx(self.checker.check_tx(&request)),
            Asked::Info(request) => Answer::Info(self.application().info(&request)?),
            Asked::InitChain(request) => {
                Answer::InitChain(self.application().init_chain(&request)?)
            }
            Asked::PrepareProposal(request) => {
                Answer::PrepareProposal(self.application().prepare_proposal(&request)?)
            }
            Asked::ProcessProposal(request) => {
                Answer::ProcessProposal(self.application().process_proposal(&request)?)
            }
            Asked::FinalizeBlock(request) => {
                Answer::FinalizeBlock(self.application().finalize_block(&request)?)
            }
            Asked::Commit(request) => Answer::Commit(self.commit(&request)?),
            Asked::ListSnapshots(_) => Answer::ListSnapshots(ResponseListSnapshots {
                snapshots: self.snapshots.shelf.list()?,
            }),
            Asked::OfferSnapshot(request) => {
                let answer = self.application().offer_snapshot(&self.chain_id, &request);
                Answer::OfferSnapshot(answer?)
            }
            Asked::LoadSnapshotChunk(request) => Answer::LoadSnapshotChunk(self.load(&request)),
            Asked::ApplySnapshotChunk(request) => Answer::ApplySnapshotChunk(self.apply(&request)?),
            other => at_once(other)
                .map_err(|_| NodeError::Driver("an ABCI request nobody answers".to_owned()))?,
        })
    }

    fn commit(&self, _: &RequestCommit) -> Result<ResponseCommit, NodeError> {
        let mut application = self.application();
        let answer = application.commit()?;
        let height = application.last()?.map_or(0, |(height, _)| height);
        self.begin_snapshot(&application, height)?;
        drop(application);
        self.committed.send_replace(height);
        Ok(answer)
    }

    /// Takes hold of the state when a snapshot is due, and writes it beside the blocks that follow.
    fn begin_snapshot(&self, application: &Application, height: i64) -> Result<(), NodeError> {
        let interval = self.snapshots.interval;
        let due = u64::try_from(height).is_ok_and(|height| {
            height
                .checked_rem(interval)
                .is_some_and(|remainder| remainder == 0)
        });
        if !due || self.writing.swap(true, Ordering::AcqRel) {
            return Ok(());
        }
        let source = match application.snapshot_source() {
            Ok(Some(source)) => source,
            other => {
                self.writing.store(false, Ordering::Release);
                other?;
                return Ok(());
            }
        };
        let (shelf, writing) = (self.snapshots.shelf.clone(), Arc::clone(&self.writing));
        // Whether it succeeds concerns nobody but those who would fetch it.
        drop(self.tasks.spawn_blocking(move || {
            match shelf.write(&source) {
                Ok(manifest) => {
                    let chunks = manifest.chunks.len();
                    tracing::info!(height, chunks, pairs = manifest.pairs, "snapshot");
                }
                Err(error) => tracing::warn!(height, %error, "no snapshot"),
            }
            writing.store(false, Ordering::Release);
        }));
        Ok(())
    }

    fn load(&self, request: &RequestLoadSnapshotChunk) -> ResponseLoadSnapshotChunk {
        let chunk = i64::try_from(request.height)
            .ok()
            .and_then(|height| {
                let shelf = &self.snapshots.shelf;
                shelf.chunk(height, request.format, request.chunk)
            })
            // A peer asks somebody else for what is missing here.
            .unwrap_or_default();
        ResponseLoadSnapshotChunk {
            chunk: chunk.into(),
        }
    }

    fn apply(
        &self,
        request: &RequestApplySnapshotChunk,
    ) -> Result<ResponseApplySnapshotChunk, NodeError> {
        let mut application = self.application();
        let answer = application.apply_snapshot_chunk(request)?;
        if let Some((height, _)) = application.last()? {
            self.committed.send_replace(height);
        }
        Ok(answer)
    }

    pub(super) fn application(&self) -> MutexGuard<'_, Application> {
        // Whoever panicked inside stopped the node; nothing of an unfinished block is on disk.
        self.application
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Answers that need no state.
///
/// # Errors
/// The request, when it needs some.
pub(super) fn at_once(request: Asked) -> Result<Answer, Asked> {
    Ok(match request {
        Asked::Echo(request) => Answer::Echo(ResponseEcho {
            message: request.message,
        }),
        Asked::Flush(_) => Answer::Flush(ResponseFlush {}),
        // The params never enable vote extensions; a vote carries none, and one that does is refused.
        Asked::ExtendVote(_) => Answer::ExtendVote(ResponseExtendVote::default()),
        Asked::VerifyVoteExtension(request) => {
            let status = if request.vote_extension.is_empty() {
                VerifyStatus::Accept
            } else {
                VerifyStatus::Reject
            };
            Answer::VerifyVoteExtension(ResponseVerifyVoteExtension {
                status: status.into(),
            })
        }
        other => return Err(other),
    })
}
