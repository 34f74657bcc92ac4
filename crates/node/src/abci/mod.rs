//! ABCI 0.38 over a socket: what CometBFT asks of the state machine.
//!
//! CometBFT opens four connections (consensus, mempool, query, snapshots) and may send on each before the last answer has
//! come. Answers leave in the order of the requests of their connection; the connections do not wait for one another:
//! checks, queries and snapshots go on while a block is executed. A frame that cannot be read ends its connection. A
//! request that fails is answered by an exception, on which CometBFT stops; where the failure is the state machine's own,
//! this node stops too, because a restart replays the block.
//!
//! Start with [`serve`]; [`frame`] cuts the stream, [`Machine::answer`] does the work.

use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use net::{LocalListener, LocalStream, Tasks};
use tendermint_proto::v0_38::abci::{Request, ResponseException, request, response};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::Semaphore;

use crate::error::NodeError;
use crate::limits;

pub mod frame;
mod machine;

pub use machine::{Machine, SnapshotPlan};

/// Why a connection ended.
#[derive(Debug, thiserror::Error)]
enum Broken {
    #[error(transparent)]
    Frame(#[from] frame::FrameError),
    #[error("{0}")]
    Socket(#[from] std::io::Error),
    #[error("the rest of a frame did not come within {0:?}")]
    Stalled(Duration),
}

/// Serves connections in `tasks` until they end; a failure of the state machine ends them through `failed`.
pub fn serve(
    listener: LocalListener,
    machine: Arc<Machine>,
    tasks: &Tasks,
    failed: tokio::sync::mpsc::Sender<NodeError>,
) {
    let scope = tasks.clone();
    tasks.spawn(async move {
        let places = Arc::new(Semaphore::new(limits::ABCI_CONNECTIONS));
        loop {
            let next = async {
                let place = Arc::clone(&places).acquire_owned().await.ok()?;
                Some((listener.accepted().await, place))
            };
            let Some(Some((stream, place))) = scope.until_cancelled(next).await else {
                break;
            };
            let connection = Connection {
                stream,
                machine: Arc::clone(&machine),
                tasks: scope.clone(),
                failed: failed.clone(),
            };
            let stopping = scope.clone();
            scope.spawn(async move {
                let _place = place;
                tracing::debug!("ABCI connection");
                match stopping.until_cancelled(connection.run()).await {
                    Some(Err(error)) => tracing::warn!(%error, "ABCI connection ended"),
                    Some(Ok(())) | None => tracing::debug!("ABCI connection closed"),
                }
            });
        }
    });
}

struct Connection {
    stream: LocalStream,
    machine: Arc<Machine>,
    tasks: Tasks,
    failed: tokio::sync::mpsc::Sender<NodeError>,
}

impl Connection {
    /// Reads, answers and writes until the peer closes.
    async fn run(mut self) -> Result<(), Broken> {
        let mut input = BytesMut::new();
        let mut output = BytesMut::new();
        loop {
            while let Some(request) = frame::take(&mut input)? {
                let flush = matches!(request.value, Some(request::Value::Flush(_)));
                let (answer, failure) = self.answer(request).await;
                frame::put(&mut output, answer);
                if let Some(failure) = failure {
                    // CometBFT is told why before the node goes.
                    let written = self.write(&mut output).await;
                    if self.failed.try_send(failure).is_err() {
                        tracing::debug!("the node is stopping already");
                    }
                    return written;
                }
                if flush || output.len() >= limits::ABCI_OUTPUT_BYTES {
                    self.write(&mut output).await?;
                }
            }
            self.write(&mut output).await?;
            if !self.read(&mut input).await? {
                return Ok(());
            }
        }
    }

    /// More bytes; `false` when the peer closed between two frames. The first byte of a frame may take any time.
    async fn read(&mut self, input: &mut BytesMut) -> Result<bool, Broken> {
        input.reserve(limits::ABCI_READ_BYTES);
        let read = if input.is_empty() {
            self.stream.read_buf(input).await?
        } else {
            let stalled = Broken::Stalled(limits::ABCI_STALL);
            let read = tokio::time::timeout(limits::ABCI_STALL, self.stream.read_buf(input));
            read.await.map_err(|_| stalled)??
        };
        if read == 0 && !input.is_empty() {
            return Err(std::io::Error::from(std::io::ErrorKind::UnexpectedEof).into());
        }
        Ok(read > 0)
    }

    async fn write(&mut self, output: &mut BytesMut) -> Result<(), Broken> {
        if output.is_empty() {
            return Ok(());
        }
        let stalled = Broken::Stalled(limits::ABCI_STALL);
        let write = async {
            self.stream.write_all(output).await?;
            self.stream.flush().await
        };
        let written = tokio::time::timeout(limits::ABCI_STALL, write).await;
        written.map_err(|_| stalled)??;
        output.clear();
        Ok(())
    }

    /// One answer, and the failure of the state machine that stops the node. The machine runs beside the event loop.
    async fn answer(&self, request: Request) -> (response::Value, Option<NodeError>) {
        let Some(request) = request.value else {
            return (exception("a request without a value"), None);
        };
        let request = match machine::at_once(request) {
            Ok(answer) => return (answer, None),
            Err(request::Value::Query(request)) => {
                return (
                    response::Value::Query(self.machine.query(request).await),
                    None,
                );
            }
            Err(request) => request,
        };
        let machine = Arc::clone(&self.machine);
        let work = self.tasks.spawn_blocking(move || machine.answer(request));
        let failure = match work.await {
            Ok(Ok(answer)) => return (answer, None),
            Ok(Err(error)) => error,
            Err(error) => NodeError::Driver(error.to_string()),
        };
        (exception(&failure), Some(failure))
    }
}

fn exception(error: impl std::fmt::Display) -> response::Value {
    response::Value::Exception(ResponseException {
        error: error.to_string(),
    })
}

#[cfg(test)]
mod tests;
