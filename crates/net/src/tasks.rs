//! The tracked spawner: nothing runs that a shutdown does not wait for.
//!
//! Invariants
//! - a task spawned through a [`Tasks`] is counted there and in every scope above it;
//! - [`Tasks::shutdown`] of a scope cancels it and its children, waits for all of their tasks, and
//!   drops those that outlive the deadline; scopes beside and above it go on.
//!
//! Start with [`Tasks::spawn`]; a long-running task selects on [`Tasks::cancelled`].

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;

use crate::error::NetError;
use crate::limits;

/// A scope of tasks that end together. Clones are the same scope.
#[derive(Clone, Debug, Default)]
pub struct Tasks {
    scope: Arc<Scope>,
}

#[derive(Debug, Default)]
struct Scope {
    tracker: TaskTracker,
    /// Asks tasks to end.
    stop: CancellationToken,
    /// Drops tasks that did not.
    abort: CancellationToken,
    parent: Option<Tasks>,
}

/// A spawned task; await it for its result. Dropping the handle lets the task run on.
#[derive(Debug)]
pub struct Task<T>(tokio::task::JoinHandle<Option<T>>);

/// Why a task has no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TaskError {
    /// It was dropped at the end of a shutdown or by [`Task::abort`].
    #[error("the task was dropped before it ended")]
    Dropped,
    /// It panicked: a bug.
    #[error("the task panicked: {message}")]
    Panicked {
        /// The panic's message.
        message: String,
    },
}

impl Tasks {
    /// A scope of its own.
    pub fn new() -> Self {
        Self::default()
    }

    /// A scope inside this one: it ends when this one does, or earlier by itself.
    pub fn child(&self) -> Self {
        Self {
            scope: Arc::new(Scope {
                tracker: TaskTracker::new(),
                stop: self.scope.stop.child_token(),
                abort: self.scope.abort.child_token(),
                parent: Some(self.clone()),
            }),
        }
    }

    /// Spawns `future` on the current runtime.
    #[allow(clippy::disallowed_methods, reason = "this is the tracked spawner")]
    pub fn spawn<F>(&self, future: F) -> Task<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let tokens = self.tokens();
        let abort = self.scope.abort.clone();
        // Boxed, or the task would hold it twice: as captured and as awaited.
        let future = Box::pin(future);
        Task(tokio::spawn(async move {
            let _tokens = tokens;
            abort.run_until_cancelled_owned(future).await
        }))
    }

    /// Runs `work` on the blocking pool. A shutdown waits for it but cannot drop it.
    #[allow(clippy::disallowed_methods, reason = "this is the tracked spawner")]
    pub fn spawn_blocking<F, T>(&self, work: F) -> Task<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let tokens = self.tokens();
        Task(tokio::task::spawn_blocking(move || {
            let _tokens = tokens;
            Some(work())
        }))
    }

    /// Ready once this scope is asked to end.
    pub fn cancelled(&self) -> impl Future<Output = ()> + Send + 'static {
        self.scope.stop.clone().cancelled_owned()
    }

    /// Whether this scope was asked to end.
    pub fn is_cancelled(&self) -> bool {
        self.scope.stop.is_cancelled()
    }

    /// The token that asks this scope to end, for code that takes one.
    pub fn token(&self) -> &CancellationToken {
        &self.scope.stop
    }

    /// Asks this scope and its children to end, without waiting.
    pub fn cancel(&self) {
        self.scope.stop.cancel();
    }

    /// `future`, or `None` if this scope is asked to end first.
    pub async fn until_cancelled<F: Future>(&self, future: F) -> Option<F::Output> {
        self.scope.stop.run_until_cancelled(future).await
    }

    /// Tasks running in this scope and its children.
    pub fn len(&self) -> usize {
        self.scope.tracker.len()
    }

    /// Whether nothing runs in this scope or its children.
    pub fn is_empty(&self) -> bool {
        self.scope.tracker.is_empty()
    }

    /// Asks this scope to end and waits for its tasks, at most `limit`; then drops what is left.
    ///
    /// # Errors
    /// [`NetError::ShutdownTimeout`] with the number of tasks that had to be dropped.
    pub async fn shutdown(&self, limit: Duration) -> Result<(), NetError> {
        self.scope.stop.cancel();
        self.scope.tracker.close();
        if tokio::time::timeout(limit, self.scope.tracker.wait())
            .await
            .is_ok()
        {
            return Ok(());
        }
        let left = self.scope.tracker.len();
        self.scope.abort.cancel();
        // Whether destructors finish in time changes nothing about the report.
        let _ = tokio::time::timeout(limits::ABORT_GRACE, self.scope.tracker.wait()).await;
        Err(NetError::ShutdownTimeout { left, limit })
    }

    /// One token per scope from here to the root; a task is over when they are dropped.
    fn tokens(&self) -> Vec<TaskTrackerToken> {
        let mut tokens = Vec::with_capacity(1);
        let mut scope = Some(self);
        while let Some(tasks) = scope {
            tokens.push(tasks.scope.tracker.token());
            scope = tasks.scope.parent.as_ref();
        }
        tokens
    }
}

/// Lets hyper spawn HTTP/2 streams into the scope of their connection.
impl<F> hyper::rt::Executor<F> for Tasks
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    fn execute(&self, future: F) {
        self.spawn(future);
    }
}

impl<T> Task<T> {
    /// Drops the task at its next await.
    pub fn abort(&self) {
        self.0.abort();
    }

    /// Whether the task is over.
    pub fn is_finished(&self) -> bool {
        self.0.is_finished()
    }
}

impl<T> Future for Task<T> {
    type Output = Result<T, TaskError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Ready(match ready!(Pin::new(&mut self.0).poll(cx)) {
            Ok(Some(value)) => Ok(value),
            Ok(None) => Err(TaskError::Dropped),
            Err(error) => Err(match error.try_into_panic() {
                Ok(payload) => TaskError::Panicked {
                    message: panic_message(payload.as_ref()),
                },
                Err(_) => TaskError::Dropped,
            }),
        })
    }
}

fn panic_message(payload: &(dyn std::any::Any + Send)) -> String {
    if let Some(text) = payload.downcast_ref::<&str>() {
        (*text).to_owned()
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text.clone()
    } else {
        "no message".to_owned()
    }
}

#[cfg(test)]
mod tests;
