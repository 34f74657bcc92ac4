//! Turns for queries of the state: a bounded number runs at a time, a bounded number waits.
//!
//! A query is work on a thread. Without a bound, clients could occupy every thread and core that the node has, the one
//! that executes blocks included. Turns are given in the order of asking.

use std::sync::atomic::{AtomicUsize, Ordering};

use chain::{GrpcCode, QueryError};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::limits::{QUERIES_AT_ONCE, QUERIES_WAITING};

/// Turns for queries.
#[derive(Debug)]
pub struct Queries {
    running: Semaphore,
    waiting: AtomicUsize,
    waiting_max: usize,
}

impl Default for Queries {
    fn default() -> Self {
        Self::new(QUERIES_AT_ONCE, QUERIES_WAITING)
    }
}

impl Queries {
    /// Turns for `running` queries at a time while at most `waiting_max` wait.
    pub fn new(running: usize, waiting_max: usize) -> Self {
        Self {
            running: Semaphore::new(running),
            waiting: AtomicUsize::new(0),
            waiting_max,
        }
    }

    /// Waits for a turn, which ends when it is dropped.
    ///
    /// # Errors
    /// ResourceExhausted when too many wait already.
    pub async fn turn(&self) -> Result<SemaphorePermit<'_>, QueryError> {
        if let Ok(turn) = self.running.try_acquire() {
            return Ok(turn);
        }
        let _place = Place::take(self)?;
        self.running
            .acquire()
            .await
            .map_err(|_| QueryError::internal("the node is stopping"))
    }
}

/// A place in the queue, given back also when the querier goes away.
struct Place<'q>(&'q AtomicUsize);

impl<'q> Place<'q> {
    fn take(queries: &'q Queries) -> Result<Self, QueryError> {
        let place = Self(&queries.waiting);
        if queries.waiting.fetch_add(1, Ordering::Relaxed) < queries.waiting_max {
            return Ok(place);
        }
        Err(QueryError::status(
            GrpcCode::ResourceExhausted,
            format!(
                "{} queries wait for this node already; ask later or another node",
                queries.waiting_max
            ),
        ))
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[tokio::test]
    async fn some_run_some_wait_and_the_rest_is_refused() {
        let queries = Arc::new(Queries::new(1, 1));
        let running = queries.turn().await.unwrap();
        let waits = tokio::spawn({
            let queries = Arc::clone(&queries);
            async move { queries.turn().await.map(drop) }
        });
        while queries.waiting.load(Ordering::Relaxed) == 0 {
            tokio::task::yield_now().await;
        }
        let refused = queries.turn().await.unwrap_err();
        assert_eq!(refused.grpc, GrpcCode::ResourceExhausted);
        drop(running);
        waits.await.unwrap().unwrap();
        // Places and turns came back.
        assert_eq!(queries.waiting.load(Ordering::Relaxed), 0);
        drop(queries.turn().await.unwrap());
    }

    #[tokio::test]
    async fn who_goes_away_gives_the_place_back() {
        let queries = Arc::new(Queries::new(1, 1));
        let running = queries.turn().await.unwrap();
        let waits = tokio::spawn({
            let queries = Arc::clone(&queries);
            async move { queries.turn().await.map(drop) }
        });
        while queries.waiting.load(Ordering::Relaxed) == 0 {
            tokio::task::yield_now().await;
        }
        waits.abort();
        assert!(waits.await.unwrap_err().is_cancelled());
        assert_eq!(queries.waiting.load(Ordering::Relaxed), 0);
        drop(running);
    }
}
