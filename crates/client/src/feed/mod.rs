//! The block feed: every block once, in order, however the node behaves.
//!
//! A WebSocket subscription brings headers as they are made. It may close, or worse, stay open and
//! say nothing; the feed counts silence in block times, reconnects, and fetches what it missed by
//! height. Where WebSockets do not work at all, each attempt to reconnect still asks for new blocks
//! over HTTP.
//!
//! Invariants
//! - heights on the board rise by one, but for blocks that the node no longer has, which are
//!   named in the log;
//! - every hash is computed from a header, and every header names the block before it by that
//!   block's hash; a node that answers with another chain changes nothing here but the [`Health`].
//!
//! Start with `follow`; what others see is the `Board`.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::header::{self, Header};
use crate::{Error, Result, limits};

mod source;

pub(crate) use source::{NodeSource, fetch};

/// A committed block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockEvent {
    /// Its height.
    pub height: i64,
    /// Its hash, computed from its header.
    pub hash: [u8; 32],
    /// Its time: what transactions and timeouts are compared with.
    pub time: SystemTime,
    /// Its network.
    pub chain_id: Arc<str>,
    /// The hash of the block before; empty for the first.
    pub previous: Vec<u8>,
}

impl BlockEvent {
    /// The event of a header.
    ///
    /// # Errors
    /// [`Error::Malformed`] for a time that is none.
    pub fn of(header: &Header) -> Result<Self> {
        let time = SystemTime::try_from(header.time)
            .map_err(|error| Error::malformed("header", format!("time: {error}")))?;
        Ok(Self {
            height: header.height,
            hash: header::hash(header),
            time,
            chain_id: header.chain_id.as_str().into(),
            previous: header.last_block_id.hash.clone(),
        })
    }
}

/// How the feed is doing.
#[derive(Clone, Debug)]
pub struct Health {
    /// What it does now.
    pub state: FeedState,
    /// Since when.
    pub since: Instant,
    /// Why, where it is not well.
    pub reason: String,
}

/// What the feed does now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeedState {
    /// Blocks arrive.
    Live,
    /// The node answers, but has no new block for longer than [`limits::SILENT_BLOCK_TIMES`] block
    /// times.
    Stalled,
    /// No connection, or answers that cannot be used; being retried.
    Interrupted,
}

/// Where a feed's blocks come from.
pub(crate) trait Source: Send + Sync + 'static {
    /// An open subscription.
    type Headers: Headers;
    /// Opens a subscription to new headers.
    fn subscribe(&self) -> impl Future<Output = Result<Self::Headers>> + Send;
    /// The oldest and the latest height the node has.
    fn range(&self) -> impl Future<Output = Result<(i64, i64)>> + Send;
    /// A block by its height.
    fn block(&self, height: i64) -> impl Future<Output = Result<BlockEvent>> + Send;
}

/// A subscription. `next` must not lose a header when it is dropped before it is ready.
pub(crate) trait Headers: Send {
    /// The next block; an error ends the subscription.
    fn next(&mut self) -> impl Future<Output = Result<BlockEvent>> + Send;
}

/// What is known of the chain's head, for everybody.
pub(crate) struct Board {
    latest: watch::Sender<BlockEvent>,
    health: watch::Sender<Health>,
    recent: Mutex<BTreeMap<i64, BlockEvent>>,
}

impl Board {
    /// A board that starts with this block.
    pub(crate) fn new(first: BlockEvent) -> Self {
        let health = Health {
            state: FeedState::Live,
            since: Instant::now(),
            reason: String::new(),
        };
        Self {
            recent: Mutex::new(BTreeMap::from([(first.height, first.clone())])),
            latest: watch::Sender::new(first),
            health: watch::Sender::new(health),
        }
    }

    pub(crate) fn latest(&self) -> watch::Receiver<BlockEvent> {
        self.latest.subscribe()
    }

    pub(crate) fn head(&self) -> BlockEvent {
        self.latest.borrow().clone()
    }

    pub(crate) fn height(&self) -> i64 {
        self.latest.borrow().height
    }

    pub(crate) fn health(&self) -> watch::Receiver<Health> {
        self.health.subscribe()
    }

    pub(crate) fn get(&self, height: i64) -> Option<BlockEvent> {
        self.lock().get(&height).cloned()
    }

    /// The usual time between blocks: the median over the latest ones, so that a pause of the
    /// chain does not count for long. `None` while only one is known.
    pub(crate) fn block_time(&self) -> Option<Duration> {
        let recent = self.lock();
        let newest: Vec<&BlockEvent> = recent.values().rev().take(9).collect();
        let mut times: Vec<Duration> = newest
            .windows(2)
            .filter_map(|pair| {
                let [later, earlier] = pair else { return None };
                let blocks = u32::try_from(later.height.saturating_sub(earlier.height)).ok()?;
                later
                    .time
                    .duration_since(earlier.time)
                    .ok()?
                    .checked_div(blocks)
            })
            .collect();
        times.sort();
        times.get(times.len() / 2).copied()
    }

    /// Silence after which the subscription counts as dead.
    pub(crate) fn silence(&self) -> Duration {
        let expected = self
            .block_time()
            .map(|time| time.saturating_mul(limits::SILENT_BLOCK_TIMES));
        expected
            .unwrap_or(limits::SILENCE_MAX)
            .clamp(limits::SILENCE_MIN, limits::SILENCE_MAX)
    }

    /// Adds the next block. It must name the one before it by its hash.
    pub(crate) fn publish(&self, block: BlockEvent) -> Result<()> {
        let head = self.head();
        let linked = block.height != head.height + 1 || block.previous == head.hash;
        if !linked || block.chain_id != head.chain_id {
            return Err(Error::malformed(
                format!("block {}", block.height),
                format!(
                    "it is of chain `{}` and follows block {}, but block {} of chain `{}` is {}: \
                     the node has another chain than it had",
                    block.chain_id,
                    hex::encode_upper(&block.previous),
                    head.height,
                    head.chain_id,
                    hex::encode_upper(head.hash),
                ),
            ));
        }
        if block.height > head.height {
            self.remember(block.clone());
            self.latest.send_replace(block);
            self.set(FeedState::Live, "");
        }
        Ok(())
    }

    /// Adds an old block.
    pub(crate) fn remember(&self, block: BlockEvent) {
        let mut recent = self.lock();
        recent.insert(block.height, block);
        if recent.len() > limits::RECENT_BLOCKS {
            recent.pop_first();
        }
    }

    fn set(&self, state: FeedState, reason: &str) {
        self.health.send_if_modified(|health| {
            if health.state == state && health.reason == reason {
                return false;
            }
            let since = if health.state == state {
                health.since
            } else {
                Instant::now()
            };
            *health = Health {
                state,
                since,
                reason: reason.to_owned(),
            };
            true
        });
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<i64, BlockEvent>> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps the board up to date until the scope ends.
pub(crate) async fn follow<S: Source>(source: S, board: Arc<Board>, tasks: net::Tasks) {
    let endless = async {
        let (first, last) = limits::RECONNECT;
        let mut wait = first;
        loop {
            let height = board.height();
            let error = subscription(&source, &board).await;
            if board.height() > height {
                wait = first;
            }
            tracing::warn!(%error, wait_ms = wait.as_millis(), "block feed interrupted");
            let state = match catch_up(&source, &board).await {
                Ok(0) if matches!(error, Error::Timeout { .. }) => FeedState::Stalled,
                _ => FeedState::Interrupted,
            };
            board.set(state, &error.to_string());
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(last);
        }
    };
    let _: Option<()> = tasks.until_cancelled(endless).await;
}

/// One subscription from opening to its end, which is always an error.
async fn subscription<S: Source>(source: &S, board: &Board) -> Error {
    let run = async {
        let mut headers = source.subscribe().await?;
        // Only now, so that nothing falls between what is fetched and what is announced.
        catch_up(source, board).await?;
        loop {
            let silence = board.silence();
            let block = tokio::time::timeout(silence, headers.next())
                .await
                .map_err(|_| Error::Timeout {
                    node: "the node".to_owned(),
                    what: "new block".to_owned(),
                    after_ms: u64::try_from(silence.as_millis()).unwrap_or(u64::MAX),
                })??;
            if block.height > board.height() + 1 {
                catch_up(source, board).await?;
            }
            board.publish(block)?;
        }
    };
    let ended: Result<std::convert::Infallible> = run.await;
    match ended {
        Err(error) => error,
        Ok(never) => match never {},
    }
}

/// Publishes what the node has and the board has not, and says how many blocks that was.
async fn catch_up<S: Source>(source: &S, board: &Board) -> Result<usize> {
    let (earliest, latest) = source.range().await?;
    let mut from = board.height() + 1;
    if earliest > from {
        tracing::error!(
            from,
            to = earliest - 1,
            "the node no longer has blocks that were missed"
        );
        from = earliest;
    }
    if from > latest {
        return Ok(0);
    }
    tracing::debug!(from, to = latest, "fetching missed blocks");
    let mut blocks = stream::iter(from..=latest)
        .map(|height| source.block(height))
        .buffered(limits::GAP_REQUESTS);
    let mut count = 0;
    while let Some(block) = blocks.try_next().await? {
        board.publish(block)?;
        count += 1;
    }
    Ok(count)
}

#[cfg(test)]
mod tests;
