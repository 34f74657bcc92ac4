//! A chain seen from outside, ours or a real POKT node: typed queries, blocks, transactions
//! confirmed by inclusion.
//!
//! This crate knows nothing of who uses it. It talks gRPC for queries, CometBFT's JSON-RPC for
//! blocks and results, and a WebSocket for news.
//!
//! What must hold
//! - an error is never an empty answer: absence is the chain's own NOT_FOUND and nothing else;
//! - a block's hash is computed from its header, never taken on trust;
//! - blocks reach everybody in order and without gaps, whatever the connection does;
//! - a transaction counts when a block holds it, or when its effect is seen; one bad message never
//!   sinks its batch.
//!
//! Start with [`Chain::connect`]; transactions with [`tx::Sender`].

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod cache;
pub mod chain;
pub mod config;
pub mod error;
pub mod events;
pub mod feed;
mod grpc;
pub mod header;
pub mod limits;
pub mod query;
pub mod rpc;
#[cfg(test)]
mod testing;
pub mod tx;

pub use chain::{Blocks, Chain};
pub use config::{Config, Timeouts};
pub use error::{Error, Result};
pub use feed::{BlockEvent, FeedState, Health};
pub use query::Account;
pub use tonic::Code;
