//! The deterministic state machine: modules, transaction checks, settlement, genesis, store.
//!
//! No network, no clock, no async: whoever drives it gives height, time and hash of each block. Start with
//! [`Application`], which has the ABCI verbs; [`router`] says which module runs when; [`context::Context`] is what a
//! module sees of the state.

#![cfg_attr(
    not(test),
    deny(
        clippy::arithmetic_side_effects,
        clippy::indexing_slicing,
        clippy::unwrap_used
    )
)]

pub mod app;
pub mod auth;
pub mod authz;
pub mod bank;
pub mod consensus;
pub mod context;
pub mod decimal;
pub mod distribution;
pub mod error;
pub mod evidence;
pub mod feegrant;
pub mod genesis;
pub mod gov;
pub mod helpers;
pub mod limits;
mod message;
pub mod mint;
pub mod modules;
pub mod pagination;
pub mod prices;
pub mod router;
pub mod rules;
pub mod sdk;
pub mod slashing;
pub mod staking;
pub mod statesync;
pub mod store;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod tx;
pub mod upgrade;
pub mod vesting;

/// Name of the application, as the reference calls itself.
pub const APP_NAME: &str = "pocket";

/// Version of the reference whose behaviour this is; its relay miner wants at least v0.1.25 (chain specification 5.4).
pub const APP_VERSION: &str = "v0.1.35";

pub use app::{Application, Checker, Options, QueryAnswer, Reader, Simulation};
pub use context::{BlockInfo, BlockTime, Context, LastCommit, Misbehaviour, Mode, Vote};
pub use error::{ChainError, GenesisError, GrpcCode, QueryError, TxError};
pub use prices::Prices;
pub use rules::Rules;
