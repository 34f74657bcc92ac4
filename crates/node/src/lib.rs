//! Runs the chain: drivers, mempool, block store, CometBFT-compatible RPC, gRPC and REST.
//!
//! Start with [`Node::start`]. Blocks are made here ([`solo`]) or agreed on by CometBFT ([`abci`]); [`blocks`] is where
//! the services ask for them. [`solo`] says what survives a kill; [`driver`] is the thread around it;
//! [`view`] is what the listeners ([`rpc`], [`grpc`], [`rest`]) answer from. A block is announced only once queries see its
//! state. No state transition happens in this crate.

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod abci;
pub mod block;
pub mod blocks;
mod comet;
pub mod config;
pub mod driver;
pub mod error;
pub mod grpc;
pub mod key;
pub mod limits;
pub mod mempool;
pub mod node;
mod queries;
pub mod query;
pub mod reflection;
pub mod replay;
pub mod rest;
pub mod rpc;
pub mod services;
pub mod solo;
pub mod status;
pub mod store;
pub mod time;
mod uri;
pub mod view;

pub use config::{CometFile, Config, NodeFile};
pub use error::{NodeError, StartError};
pub use node::{Handle, Node};
