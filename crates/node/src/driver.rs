//! The thread that owns the [`Solo`] driver: checks transactions as they come, makes a block whenever one is due.
//!
//! Everybody else holds a [`Driver`]: a bounded queue of requests, and the last committed block to wait on. A block
//! shows there only once queries see its state.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use bytes::Bytes;
use net::Tasks;
use tendermint_proto::v0_38::abci::ResponseCheckTx;
use tokio::sync::{oneshot, watch};

use crate::error::NodeError;
use crate::limits;
use crate::mempool::{Refused, Waiting};
use crate::solo::{Decided, Solo};
use crate::store::Committed;
use crate::time;

/// The longest that a stop request can go unnoticed when the queue is full.
const STOP_POLL: Duration = Duration::from_millis(200);

/// What the owner of the state machine is asked for.
pub(crate) enum Command {
    /// `check_tx`, and the transaction into the mempool if it is to be kept.
    Check {
        tx: Bytes,
        keep: bool,
        answer: oneshot::Sender<Result<ResponseCheckTx, Refused>>,
    },
    /// What is in the mempool.
    Waiting {
        limit: usize,
        answer: oneshot::Sender<Waiting>,
    },
    /// Executes a block that was decided elsewhere.
    Follow {
        decided: Box<Decided>,
        answer: oneshot::Sender<Arc<Committed>>,
    },
    /// No more blocks.
    Stop,
}

/// When blocks come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// One of our own every so often.
    Every(Duration),
    /// When [`Driver::follow`] brings one.
    Given,
}

/// The way to the driver. Clones share it.
#[derive(Clone, Debug)]
pub struct Driver {
    commands: SyncSender<Command>,
    committed: watch::Receiver<Option<Arc<Committed>>>,
}

impl Driver {
    /// Starts the thread in `tasks`. The second value tells why it ended: `Ok` after the scope was asked to.
    pub fn start(
        solo: Solo,
        last: Option<Committed>,
        pace: Pace,
        tasks: &Tasks,
    ) -> (Self, oneshot::Receiver<Result<(), NodeError>>) {
        let (commands, receiver) = sync_channel(limits::DRIVER_QUEUE);
        let (announce, committed) = watch::channel(last.map(Arc::new));
        let (ended, end) = oneshot::channel();
        let scope = tasks.clone();
        let thread = tasks.spawn_blocking(move || run(solo, &receiver, &announce, pace, &scope));
        let (scope, stop) = (tasks.clone(), commands.clone());
        tasks.spawn(async move {
            scope.cancelled().await;
            // A full queue is emptied by the thread, which then sees the cancellation itself.
            let _ = stop.try_send(Command::Stop);
        });
        let scope = tasks.clone();
        tasks.spawn(async move {
            let result = thread
                .await
                .unwrap_or_else(|error| Err(NodeError::Driver(error.to_string())));
            if let Err(error) = &result {
                tracing::error!(%error, "the node stopped");
            }
            scope.cancel();
            // Nobody may be listening.
            let _ = ended.send(result);
        });
        (
            Self {
                commands,
                committed,
            },
            end,
        )
    }

    /// A way to whoever answers the commands.
    pub(crate) fn over(
        commands: SyncSender<Command>,
        committed: watch::Receiver<Option<Arc<Committed>>>,
    ) -> Self {
        Self {
            commands,
            committed,
        }
    }

    /// Checks a transaction and takes it into the mempool.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn add(&self, tx: Bytes) -> Result<ResponseCheckTx, Refused> {
        self.check(tx, true).await
    }

    /// Runs `check_tx` only.
    ///
    /// # Errors
    /// [`Refused`], when the node is busy or stopping.
    pub async fn try_check(&self, tx: Bytes) -> Result<ResponseCheckTx, Refused> {
        self.check(tx, false).await
    }

    async fn check(&self, tx: Bytes, keep: bool) -> Result<ResponseCheckTx, Refused> {
        let (answer, receive) = oneshot::channel();
        self.send(Command::Check { tx, keep, answer })?;
        receive.await.unwrap_or(Err(Refused::Stopped))
    }

    /// Executes a block that was decided elsewhere; it is announced when this returns.
    ///
    /// # Errors
    /// When the node is busy or stopping, or makes its own blocks; a block that cannot be executed stops it, and the log
    /// says why.
    pub async fn follow(&self, decided: Decided) -> Result<Arc<Committed>, NodeError> {
        let (answer, receive) = oneshot::channel();
        let decided = Box::new(decided);
        self.send(Command::Follow { decided, answer })
            .map_err(|error| NodeError::Driver(error.to_string()))?;
        let gone = |_| NodeError::Driver("stopped".to_owned());
        receive.await.map_err(gone)
    }

    /// What waits in the mempool.
    ///
    /// # Errors
    /// [`Refused`], when the node is busy or stopping.
    pub async fn waiting(&self, limit: usize) -> Result<Waiting, Refused> {
        let (answer, receive) = oneshot::channel();
        self.send(Command::Waiting { limit, answer })?;
        receive.await.map_err(|_| Refused::Stopped)
    }

    /// The last committed block, to read and to wait on.
    pub fn committed(&self) -> watch::Receiver<Option<Arc<Committed>>> {
        self.committed.clone()
    }

    fn send(&self, command: Command) -> Result<(), Refused> {
        use std::sync::mpsc::TrySendError;
        self.commands
            .try_send(command)
            .map_err(|error| match error {
                TrySendError::Full(_) => {
                    Refused::Full(format!("{} requests are waiting", limits::DRIVER_QUEUE))
                }
                TrySendError::Disconnected(_) => Refused::Stopped,
            })
    }
}

fn run(
    mut solo: Solo,
    commands: &Receiver<Command>,
    announce: &watch::Sender<Option<Arc<Committed>>>,
    pace: Pace,
    tasks: &Tasks,
) -> Result<(), NodeError> {
    let mut due = Instant::now();
    while !tasks.is_cancelled() {
        let now = Instant::now();
        if let Pace::Every(block_time) = pace
            && now >= due
        {
            let committed = solo.produce(time::now())?;
            tracing::debug!(
                height = committed.height(),
                txs = committed.txs().len(),
                "block"
            );
            announce.send_replace(Some(committed));
            // After a pause (a suspended machine) blocks go on at their pace instead of catching up.
            due = (due + block_time).max(now);
            continue;
        }
        let wait = match pace {
            Pace::Every(_) => (due - now).min(STOP_POLL),
            Pace::Given => STOP_POLL,
        };
        match commands.recv_timeout(wait) {
            Ok(Command::Check {
                tx,
                keep: true,
                answer,
            }) => drop(answer.send(solo.check(tx))),
            Ok(Command::Check {
                tx,
                keep: false,
                answer,
            }) => {
                drop(answer.send(Ok(solo.try_check(&tx))));
            }
            Ok(Command::Waiting { limit, answer }) => drop(answer.send(solo.waiting(limit))),
            // A node that makes its own blocks takes none; the one who asked sees the answer dropped.
            Ok(Command::Follow { .. }) if pace != Pace::Given => {}
            Ok(Command::Follow { decided, answer }) => {
                let committed = solo.follow(&decided)?;
                announce.send_replace(Some(Arc::clone(&committed)));
                drop(answer.send(committed));
            }
            Err(RecvTimeoutError::Timeout) => {}
            Ok(Command::Stop) | Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    Ok(())
}
