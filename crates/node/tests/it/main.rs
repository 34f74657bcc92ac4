//! Nodes as their clients meet them.

mod answers;
mod golden;
mod grpc;
mod mempool;
mod peers;
mod replay;
mod rest;
mod restart;
mod shapes;
mod support;
mod validators;
mod websocket;
