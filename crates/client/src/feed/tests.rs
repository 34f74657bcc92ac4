//! The feed against a node that can be silent, gone, or another: on a clock of its own, without
//! sockets.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::UNIX_EPOCH;

use tokio::sync::mpsc;

use super::*;

const BLOCK_TIME: Duration = Duration::from_secs(1);

/// A node in memory.
#[derive(Clone)]
struct Node(Arc<NodeState>);

struct NodeState {
    chain: Mutex<Vec<BlockEvent>>,
    earliest: Mutex<i64>,
    listeners: Mutex<Vec<mpsc::UnboundedSender<Result<BlockEvent>>>>,
    up: Mutex<bool>,
    sockets: Mutex<bool>,
    subscriptions: AtomicUsize,
    fetched: Mutex<Vec<i64>>,
}

fn block(height: i64, previous: &[u8], salt: u8) -> BlockEvent {
    let mut hash = [salt; 32];
    hash[..8].copy_from_slice(&height.to_be_bytes());
    BlockEvent {
        height,
        hash,
        time: UNIX_EPOCH + BLOCK_TIME * u32::try_from(height).unwrap(),
        chain_id: "test-1".into(),
        previous: previous.to_vec(),
    }
}

fn gone() -> Error {
    Error::Unreachable {
        node: "n".to_owned(),
        what: "w".to_owned(),
        reason: "refused".to_owned(),
    }
}

impl Node {
    fn at(height: i64) -> Self {
        let node = Self(Arc::new(NodeState {
            chain: Mutex::new(vec![block(1, &[], 0)]),
            earliest: Mutex::new(1),
            listeners: Mutex::default(),
            up: Mutex::new(true),
            sockets: Mutex::new(true),
            subscriptions: AtomicUsize::new(0),
            fetched: Mutex::default(),
        }));
        (1..height).for_each(|_| node.make());
        node
    }

    fn head(&self) -> BlockEvent {
        self.0.chain.lock().unwrap().last().unwrap().clone()
    }

    /// Makes a block and tells nobody.
    fn make(&self) {
        let head = self.head();
        self.0
            .chain
            .lock()
            .unwrap()
            .push(block(head.height + 1, &head.hash, 0));
    }

    /// Makes a block and announces it.
    fn announce(&self) {
        self.make();
        let head = self.head();
        self.0
            .listeners
            .lock()
            .unwrap()
            .retain(|listener| listener.send(Ok(head.clone())).is_ok());
    }

    fn subscriptions(&self) -> usize {
        self.0.subscriptions.load(Ordering::SeqCst)
    }

    /// A board as it is after connecting, and a feed that follows this node.
    fn follow(&self) -> (Arc<Board>, net::Tasks) {
        let board = Arc::new(Board::new(self.head()));
        if let Some(older) = self.0.chain.lock().unwrap().iter().rev().nth(1) {
            board.remember(older.clone());
        }
        let tasks = net::Tasks::new();
        tasks.spawn(follow(self.clone(), board.clone(), tasks.clone()));
        (board, tasks)
    }
}

impl Source for Node {
    type Headers = mpsc::UnboundedReceiver<Result<BlockEvent>>;

    async fn subscribe(&self) -> Result<Self::Headers> {
        if !*self.0.up.lock().unwrap() || !*self.0.sockets.lock().unwrap() {
            return Err(gone());
        }
        self.0.subscriptions.fetch_add(1, Ordering::SeqCst);
        let (sender, receiver) = mpsc::unbounded_channel();
        self.0.listeners.lock().unwrap().push(sender);
        Ok(receiver)
    }

    async fn range(&self) -> Result<(i64, i64)> {
        match *self.0.up.lock().unwrap() {
            true => Ok((*self.0.earliest.lock().unwrap(), self.head().height)),
            false => Err(gone()),
        }
    }

    async fn block(&self, height: i64) -> Result<BlockEvent> {
        // Later heights answer first, as a busy node may.
        tokio::time::sleep(Duration::from_millis(
            20 - u64::try_from(height % 10).unwrap(),
        ))
        .await;
        if !*self.0.up.lock().unwrap() {
            return Err(gone());
        }
        self.0.fetched.lock().unwrap().push(height);
        let chain = self.0.chain.lock().unwrap();
        chain
            .iter()
            .find(|block| block.height == height)
            .cloned()
            .ok_or_else(|| Error::malformed("block", format!("height {height} is not available")))
    }
}

impl Headers for mpsc::UnboundedReceiver<Result<BlockEvent>> {
    async fn next(&mut self) -> Result<BlockEvent> {
        self.recv().await.unwrap_or_else(|| Err(gone()))
    }
}

async fn reached(board: &Board, height: i64) -> Duration {
    let start = Instant::now();
    let mut latest = board.latest();
    let wait = latest.wait_for(|block| block.height >= height);
    tokio::time::timeout(Duration::from_secs(3_600), wait)
        .await
        .unwrap()
        .unwrap();
    start.elapsed()
}

#[tokio::test(start_paused = true)]
async fn blocks_that_were_not_announced_are_fetched_and_come_in_order() {
    let node = Node::at(5);
    let (board, _tasks) = node.follow();
    tokio::time::sleep(Duration::from_millis(1)).await;
    node.announce();
    reached(&board, 6).await;
    assert!(node.0.fetched.lock().unwrap().is_empty());
    (0..30).for_each(|_| node.make());
    node.announce();
    reached(&board, 37).await;
    let hashes: Vec<_> = (5..=37)
        .map(|height| board.get(height).unwrap().hash)
        .collect();
    let expected: Vec<_> = node.0.chain.lock().unwrap()[4..]
        .iter()
        .map(|block| block.hash)
        .collect();
    assert_eq!(hashes, expected);
    assert_eq!(node.subscriptions(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_subscription_that_falls_silent_is_replaced_and_its_gap_closed() {
    let node = Node::at(5);
    let (board, _tasks) = node.follow();
    tokio::time::sleep(Duration::from_millis(1)).await;
    node.announce();
    reached(&board, 6).await;
    // The socket stays open and says nothing while the chain goes on.
    (0..9).for_each(|_| node.make());
    let after = reached(&board, 15).await;
    assert!(
        after >= limits::SILENCE_MIN && after < limits::SILENCE_MIN * 2,
        "{after:?}"
    );
    tokio::time::sleep(limits::RECONNECT.1).await;
    node.announce();
    assert!(reached(&board, 16).await < BLOCK_TIME);
    assert_eq!(node.subscriptions(), 2);
    assert_eq!(board.health().borrow().state, FeedState::Live);
}

#[tokio::test(start_paused = true)]
async fn a_subscription_that_closes_is_reopened() {
    let node = Node::at(5);
    let (board, _tasks) = node.follow();
    tokio::time::sleep(Duration::from_millis(1)).await;
    node.0.listeners.lock().unwrap().clear();
    node.make();
    assert!(reached(&board, 6).await < BLOCK_TIME);
    tokio::time::sleep(BLOCK_TIME).await;
    node.announce();
    assert!(reached(&board, 7).await < BLOCK_TIME);
}

#[tokio::test(start_paused = true)]
async fn without_websockets_blocks_still_arrive() {
    let node = Node::at(5);
    *node.0.sockets.lock().unwrap() = false;
    let (board, _tasks) = node.follow();
    for height in 6..20 {
        node.make();
        assert!(reached(&board, height).await <= limits::RECONNECT.1 + BLOCK_TIME);
    }
}

#[tokio::test(start_paused = true)]
async fn ten_minutes_without_a_node_are_caught_up() {
    let node = Node::at(5);
    let (board, _tasks) = node.follow();
    tokio::time::sleep(Duration::from_millis(1)).await;
    *node.0.up.lock().unwrap() = false;
    node.0.listeners.lock().unwrap().clear();
    tokio::time::sleep(Duration::from_secs(600)).await;
    let health = board.health().borrow().clone();
    assert_eq!(health.state, FeedState::Interrupted);
    assert!(health.since.elapsed() > Duration::from_secs(590) && health.reason.contains("refused"));
    (0..600).for_each(|_| node.make());
    *node.0.up.lock().unwrap() = true;
    assert!(reached(&board, 605).await < Duration::from_secs(10));
    assert!((5..=605).all(|height| board.get(height).is_some()));
}

#[tokio::test(start_paused = true)]
async fn a_chain_that_stands_still_is_told_apart_from_a_dead_node() {
    let node = Node::at(5);
    let (board, _tasks) = node.follow();
    let mut health = board.health();
    let stalled = health.wait_for(|health| health.state == FeedState::Stalled);
    tokio::time::timeout(Duration::from_secs(60), stalled)
        .await
        .unwrap()
        .unwrap();
    tokio::time::sleep(limits::RECONNECT.1).await;
    node.announce();
    reached(&board, 6).await;
    assert_eq!(board.health().borrow().state, FeedState::Live);
}

#[tokio::test(start_paused = true)]
async fn another_chain_under_the_same_name_changes_nothing() {
    let node = Node::at(5);
    let (board, _tasks) = node.follow();
    tokio::time::sleep(Duration::from_millis(1)).await;
    let head = board.head();
    // The node is reset: same id and heights, other blocks.
    let mut previous = Vec::new();
    let other: Vec<_> = (1..=9)
        .map(|height| {
            let block = block(height, &previous, 9);
            previous = block.hash.to_vec();
            block
        })
        .collect();
    *node.0.chain.lock().unwrap() = other;
    node.announce();
    tokio::time::sleep(Duration::from_secs(120)).await;
    assert_eq!(board.head(), head);
    let health = board.health().borrow().clone();
    assert_eq!(health.state, FeedState::Interrupted);
    assert!(
        health.reason.contains("another chain than it had"),
        "{}",
        health.reason
    );
}

#[tokio::test(start_paused = true)]
async fn blocks_that_the_node_pruned_are_skipped() {
    let node = Node::at(5);
    let (board, _tasks) = node.follow();
    tokio::time::sleep(Duration::from_millis(1)).await;
    (0..20).for_each(|_| node.make());
    *node.0.earliest.lock().unwrap() = 15;
    node.0
        .chain
        .lock()
        .unwrap()
        .retain(|block| block.height >= 15);
    node.announce();
    reached(&board, 26).await;
    assert!(board.get(14).is_none() && board.get(15).is_some());
}

#[tokio::test(start_paused = true)]
async fn the_feed_ends_with_its_scope() {
    let node = Node::at(5);
    let (_board, tasks) = node.follow();
    tokio::time::sleep(Duration::from_secs(1)).await;
    tasks.shutdown(Duration::from_secs(1)).await.unwrap();
}

#[test]
fn silence_is_counted_in_block_times() {
    let board = Board::new(block(100, &[], 0));
    assert_eq!(board.block_time(), None);
    assert_eq!(board.silence(), limits::SILENCE_MAX);
    board.remember(block(92, &[], 0));
    assert_eq!(board.block_time(), Some(BLOCK_TIME));
    assert_eq!(board.silence(), limits::SILENCE_MIN);
    let mut slow = block(92, &[], 0);
    slow.time = UNIX_EPOCH + Duration::from_secs(100 - 80);
    board.remember(slow);
    assert_eq!(board.silence(), Duration::from_secs(40));
}
