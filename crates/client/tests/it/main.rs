//! The client against a node that answers as the recorded one did, over real sockets on loopback.

#![allow(clippy::unwrap_used)]

mod connect;
mod feed;
mod node;
mod query;
mod tx;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use client::{Chain, Config};
use node::Node;

/// Fails a test instead of hanging it.
async fn soon<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(20), future)
        .await
        .expect("it took too long")
}

/// What connects to `node`; its blocks are from another day, so their age does not matter.
fn config(node: &Node) -> Config {
    let mut config = Config::new(&node.url(), &node.url())
        .unwrap()
        .expecting("pocket");
    config.max_block_age = None;
    config.startup_wait = Duration::ZERO;
    config
}

/// A node at height 85 and a client of it.
async fn connected() -> (Node, Arc<Chain>, net::Tasks) {
    let node = Node::start(85).await;
    let tasks = net::Tasks::new();
    let chain = soon(Chain::connect(config(&node), &tasks)).await.unwrap();
    soon(node.subscribed(1)).await;
    (node, chain, tasks)
}
