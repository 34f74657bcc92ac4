//! Many messages in few transactions, without any of them sinking the others.
//!
//! Messages are packed in order by bytes and number. When a transaction fails because of one
//! message, the rest go on without it: it is rejected, or, where time may help, packed again at the
//! next block. When the chain does not say which message it is, the batch is halved until it does.
//! So a bad message costs at most a logarithm of simulations, and every message gets an outcome of
//! its own.
//!
//! Start with [`Batcher::run`]; what follows from an outcome is decided in `judge`.

use std::collections::VecDeque;
use std::sync::Arc;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use prost::Message as _;
use prost_types::Any;

use super::send::{Ledger, Sender, Watch, happened, local};
use super::{Class, Outcome, Rejection};
use crate::{BlockEvent, Chain, Result, limits};

/// What one transaction may hold.
#[derive(Clone, Copy, Debug)]
pub struct BatchLimits {
    /// Bytes of its messages. The gas limit is the sender's.
    pub max_bytes: usize,
    /// How many messages.
    pub max_messages: usize,
    /// Transactions under way at the same time; ordered senders do one at a time anyway.
    pub concurrent: usize,
}

impl Default for BatchLimits {
    fn default() -> Self {
        Self {
            max_bytes: limits::TX_BYTES - 2_048,
            max_messages: limits::TX_MESSAGES,
            concurrent: limits::BATCHES,
        }
    }
}

/// A message with the caller's name for it.
#[derive(Clone)]
pub struct Item<K> {
    /// What the outcome is reported under.
    pub key: K,
    /// The message.
    pub message: Any,
    /// Asks whether it has happened already.
    pub effect: Option<Watch>,
}

/// Sends many messages of one account.
pub struct Batcher<L = Chain> {
    sender: Arc<Sender<L>>,
    limits: BatchLimits,
}

/// What follows from the outcome of a batch.
#[derive(Debug)]
enum Verdict {
    /// Each item has this outcome.
    All(Result<Outcome>),
    /// One item has it, the rest go on.
    One(usize, Result<Outcome>),
    /// One item is tried again at the next block, the rest go on.
    Later(usize, Rejection),
    /// Nobody knows whose fault it is.
    Halve,
}

/// An item that waits for a block, and why.
type Later<K> = (Item<K>, Rejection);

impl<L: Ledger> Batcher<L> {
    /// Batches for a sender.
    pub fn new(sender: Arc<Sender<L>>, limits: BatchLimits) -> Self {
        Self { sender, limits }
    }

    /// Sends every item in a block up to height `deadline` and reports each one's outcome, in no
    /// particular order. An item's error is one that [`Sender::send`] did not wait out.
    pub async fn run<K>(&self, items: Vec<Item<K>>, deadline: i64) -> Vec<(K, Result<Outcome>)> {
        let mut done = Vec::with_capacity(items.len());
        let mut waiting = self.pack(items, &mut done);
        let mut later: Vec<Later<K>> = Vec::new();
        let mut under_way = FuturesUnordered::new();
        let mut tried_at = self.sender.ledger.head().height;
        loop {
            while under_way.len() < self.limits.concurrent.max(1) {
                let Some(batch) = waiting.pop_front() else {
                    break;
                };
                under_way.push(async move {
                    let outcome = self.send(&batch, deadline).await;
                    (batch, outcome)
                });
            }
            if under_way.is_empty() && later.is_empty() {
                return done;
            }
            let (mut batch, outcome) = tokio::select! {
                Some(ended) = under_way.next() => ended,
                block = self.sender.ledger.wait_above(tried_at), if !later.is_empty() => {
                    match block {
                        Ok(block) => {
                            tried_at = block.height;
                            let late = std::mem::take(&mut later);
                            let items = self.again(late, &block, deadline, &mut done).await;
                            waiting.extend(self.pack(items, &mut done));
                        }
                        Err(error) => {
                            let lost = later.drain(..).map(|(item, _)| item.key);
                            done.extend(lost.map(|key| (key, Err(error.clone()))));
                        }
                    }
                    continue;
                }
            };
            match self.judge(batch.len(), outcome) {
                Verdict::All(outcome) => {
                    done.extend(batch.into_iter().map(|item| (item.key, outcome.clone())));
                }
                Verdict::One(index, outcome) => {
                    let item = batch.remove(index);
                    tracing::warn!(
                        index,
                        left = batch.len(),
                        "one message refused, the others go on"
                    );
                    done.push((item.key, outcome));
                    waiting.extend((!batch.is_empty()).then_some(batch));
                }
                Verdict::Later(index, rejection) => {
                    tracing::debug!(index, left = batch.len(), %rejection, "one message must wait");
                    later.push((batch.remove(index), rejection));
                    waiting.extend((!batch.is_empty()).then_some(batch));
                }
                Verdict::Halve => {
                    let tail = batch.split_off(batch.len() / 2);
                    waiting.push_front(tail);
                    waiting.push_front(batch);
                }
            }
        }
    }

    /// What waited for this block: done by others, too late, or to be tried again.
    async fn again<K>(
        &self,
        later: Vec<Later<K>>,
        block: &BlockEvent,
        deadline: i64,
        done: &mut Vec<(K, Result<Outcome>)>,
    ) -> Vec<Item<K>> {
        let mut items = Vec::with_capacity(later.len());
        for (item, rejection) in later {
            if happened(item.effect.as_ref()).await {
                done.push((
                    item.key,
                    Ok(Outcome::Observed {
                        height: block.height,
                    }),
                ));
            } else if block.height >= deadline {
                let last = Some(rejection);
                done.push((
                    item.key,
                    Ok(Outcome::TimedOut {
                        hash: None,
                        deadline,
                        last,
                    }),
                ));
            } else {
                items.push(item);
            }
        }
        items
    }

    async fn send<K>(&self, batch: &[Item<K>], deadline: i64) -> Result<Outcome> {
        let messages: Vec<Any> = batch.iter().map(|item| item.message.clone()).collect();
        let effects: Option<Vec<Watch>> = batch.iter().map(|item| item.effect.clone()).collect();
        let all = effects.map(|effects| -> Watch {
            let effects = Arc::new(effects);
            Arc::new(move || {
                let effects = effects.clone();
                Box::pin(async move {
                    for effect in effects.iter() {
                        if !effect().await? {
                            return Ok(false);
                        }
                    }
                    Ok(true)
                })
            })
        });
        self.sender
            .run(&messages, deadline, all.as_ref(), false)
            .await
    }

    /// Fills batches in order. What is too large for any is refused at once.
    fn pack<K>(
        &self,
        items: Vec<Item<K>>,
        done: &mut Vec<(K, Result<Outcome>)>,
    ) -> VecDeque<Vec<Item<K>>> {
        let mut batches = VecDeque::new();
        let mut batch: Vec<Item<K>> = Vec::new();
        let mut bytes = 0;
        for item in items {
            // Tag and length of a message in its transaction take at most six bytes.
            let size = item.message.encoded_len() + 6;
            if size > self.limits.max_bytes {
                let log = format!(
                    "tx too large: a message of {size} bytes, limit {}",
                    self.limits.max_bytes
                );
                done.push((item.key, Ok(Outcome::Rejected(local(21, log)))));
                continue;
            }
            if batch.len() >= self.limits.max_messages.max(1)
                || bytes + size > self.limits.max_bytes
            {
                batches.push_back(std::mem::take(&mut batch));
                bytes = 0;
            }
            bytes += size;
            batch.push(item);
        }
        if !batch.is_empty() {
            batches.push_back(batch);
        }
        batches
    }

    /// Decides what an outcome means for a batch of `count` messages.
    fn judge(&self, count: usize, outcome: Result<Outcome>) -> Verdict {
        let failure = match &outcome {
            Ok(Outcome::Rejected(rejection)) => Some(rejection.clone()),
            Ok(Outcome::Included(included)) => included.rejection(),
            Ok(Outcome::Observed { .. } | Outcome::TimedOut { .. }) | Err(_) => None,
        };
        let Some(rejection) = failure else {
            return Verdict::All(outcome);
        };
        let class = rejection.class();
        let unfunded = matches!(class, Class::InsufficientFunds | Class::InsufficientFee);
        match rejection.message_index() {
            Some(index) if index < count => {
                let wait = unfunded && self.sender.options().wait_for_funds;
                match wait || class.passes_with_time() {
                    true => Verdict::Later(index, rejection),
                    false => Verdict::One(index, outcome),
                }
            }
            // The account's troubles are everybody's.
            _ if count < 2 || unfunded || class == Class::SequenceMismatch => Verdict::All(outcome),
            _ => Verdict::Halve,
        }
    }
}

#[cfg(test)]
mod tests;
