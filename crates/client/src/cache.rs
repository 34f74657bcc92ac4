//! A bounded cache with single flight: however many ask for a key at the same time, the chain is
//! asked once.
//!
//! Invariants
//! - failures are shared by those who waited for them and never kept;
//! - at most `capacity` values are held: two generations of half of it, the older one dropped when
//!   the younger is full, and whatever is used moves to the younger;
//! - a flight whose waiters all left is forgotten, so nobody inherits its elapsed deadline.

use std::collections::HashMap;
use std::future::Future;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared, WeakShared};

use crate::Result;

type Flight<V> = BoxFuture<'static, Result<V>>;

pub(crate) struct Cache<K, V> {
    state: Mutex<State<K, V>>,
    half: usize,
}

struct State<K, V> {
    young: HashMap<K, V>,
    old: HashMap<K, V>,
    flights: HashMap<K, WeakShared<Flight<V>>>,
}

impl<K, V> Cache<K, V>
where
    K: Clone + Eq + Hash,
    V: Clone,
{
    pub(crate) fn new(capacity: usize) -> Self {
        let state = State {
            young: HashMap::new(),
            old: HashMap::new(),
            flights: HashMap::new(),
        };
        Self {
            state: Mutex::new(state),
            half: capacity.div_ceil(2).max(1),
        }
    }

    /// The value of `key`, fetched when absent.
    pub(crate) async fn get<F>(&self, key: K, fetch: impl FnOnce() -> F) -> Result<V>
    where
        F: Future<Output = Result<V>> + Send + 'static,
    {
        self.get_if(key, |_| true, fetch).await
    }

    /// As [`Cache::get`]; a value is kept only if `keep` says so.
    pub(crate) async fn get_if<F>(
        &self,
        key: K,
        keep: impl Fn(&V) -> bool,
        fetch: impl FnOnce() -> F,
    ) -> Result<V>
    where
        F: Future<Output = Result<V>> + Send + 'static,
    {
        let flight = {
            let mut state = self.lock();
            if let Some(value) = state.find(&key, self.half) {
                return Ok(value);
            }
            match state.flights.get(&key).and_then(WeakShared::upgrade) {
                Some(flight) => flight,
                None => state.start(key.clone(), fetch().boxed().shared(), self.half),
            }
        };
        let result = flight.clone().await;
        let mut state = self.lock();
        let ours = state.flights.get(&key).and_then(WeakShared::upgrade);
        if ours.is_some_and(|ours| ours.ptr_eq(&flight)) {
            state.flights.remove(&key);
            if let Ok(value) = &result
                && keep(value)
            {
                state.put(key, value.clone(), self.half);
            }
        }
        result
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        let state = self.lock();
        state.young.len() + state.old.len()
    }

    /// A panic elsewhere leaves the maps consistent, as each change is one call.
    fn lock(&self) -> MutexGuard<'_, State<K, V>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K, V> State<K, V>
where
    K: Clone + Eq + Hash,
    V: Clone,
{
    fn find(&mut self, key: &K, half: usize) -> Option<V> {
        if let Some(value) = self.young.get(key) {
            return Some(value.clone());
        }
        let value = self.old.remove(key)?;
        self.put(key.clone(), value.clone(), half);
        Some(value)
    }

    fn put(&mut self, key: K, value: V, half: usize) {
        if self.young.len() >= half && !self.young.contains_key(&key) {
            self.old = std::mem::take(&mut self.young);
        }
        self.old.remove(&key);
        self.young.insert(key, value);
    }

    fn start(&mut self, key: K, flight: Shared<Flight<V>>, half: usize) -> Shared<Flight<V>> {
        if self.flights.len() >= half {
            self.flights.retain(|_, flight| flight.upgrade().is_some());
        }
        if let Some(weak) = flight.downgrade() {
            self.flights.insert(key, weak);
        }
        flight
    }
}

#[cfg(test)]
mod tests;
