//! One room per module of the reference: each owns its part of the state.
//!
//! A module offers the core what [`crate::router`] calls: `init_genesis`, `export_genesis`, `execute`, `check`,
//! `signers`, `query`, `begin_block` and `end_block`. `None` from `execute`, `check`, `signers` or `query` says that the
//! name is not the module's.

pub mod application;
pub mod gateway;
pub mod migration;
pub mod proof;
pub mod service;
pub mod session;
pub mod shared;
pub mod supplier;
pub mod tokenomics;

#[cfg(test)]
mod tests;
