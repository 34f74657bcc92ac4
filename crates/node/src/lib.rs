//! Runs the chain: drivers, mempool, block store, CometBFT-compatible RPC, gRPC and REST.

pub mod block;
