//! What a process keeps so that execution is faster, and that never changes what comes of it.
//!
//! Everything here is derived: a node that starts without it, or with more or fewer threads, computes the same state,
//! events and gas.

use std::sync::Arc;

use rayon::prelude::*;

use crate::error::ChainError;
use crate::modules::session::Draws;

/// Threads, and sessions drawn before. Clones share both.
#[derive(Clone, Debug, Default)]
pub struct Helpers {
    /// Threads for pure work.
    pub(crate) workers: Workers,
    /// Sessions drawn before.
    pub(crate) draws: Arc<Draws>,
}

impl Helpers {
    /// With so many threads; 0 for as many as the machine has cores.
    ///
    /// # Errors
    /// When the threads cannot be had.
    pub fn new(threads: usize) -> Result<Self, ChainError> {
        Ok(Self {
            workers: Workers::new(threads)?,
            draws: Arc::default(),
        })
    }
}

/// Threads that pure functions are spread over.
#[derive(Clone, Debug, Default)]
pub(crate) struct Workers(Option<Arc<rayon::ThreadPool>>);

impl Workers {
    fn new(threads: usize) -> Result<Self, ChainError> {
        if threads == 1 {
            return Ok(Self(None));
        }
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name(|index| format!("chain-{index}"))
            .build()
            .map_err(|error| ChainError::Threads(error.to_string()))?;
        Ok(Self(Some(Arc::new(pool))))
    }

    /// What `f` makes of each item, in the order of the items. A panic in `f` goes on in the caller.
    pub(crate) fn map<T: Sync, R: Send>(
        &self,
        items: &[T],
        f: impl Fn(&T) -> R + Sync + Send,
    ) -> Vec<R> {
        match &self.0 {
            Some(pool) if items.len() > 1 => pool.install(|| items.par_iter().map(f).collect()),
            _ => items.iter().map(f).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_stand_in_the_order_of_the_items_whatever_the_number_of_threads() {
        let items: Vec<u64> = (0..10_000).collect();
        let square = |item: &u64| item * item;
        let expected: Vec<u64> = items.iter().map(square).collect();
        for threads in [0, 1, 2, 8] {
            let workers = Workers::new(threads).unwrap();
            assert_eq!(workers.map(&items, square), expected, "{threads} threads");
        }
    }
}
