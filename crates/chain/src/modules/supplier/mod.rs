//! `supplier`: who serves relays, with which endpoints, and how its revenue is shared.
//!
//! Invariants
//! - the sum of all stakes is covered by the balance of the module account `supplier`;
//! - a service configuration serves from its activation height up to, not including, its deactivation height; both are
//!   session starts, so the suppliers of a running session never change;
//! - a configuration has exactly the index entries that follow from it, written by `save_config` and `remove_config`
//!   alone; it stays recorded until the proof window of its last session is over.
//!
//! Start with [`state`]; what a session sees is [`candidates_at`].

use proto::pocket::supplier::{
    MsgStakeSupplier, MsgUnstakeSupplier, MsgUpdateParam, MsgUpdateParams,
};

use crate::message::messages;

mod begin_block;
mod candidates;
mod end_block;
pub mod error;
mod genesis;
mod keys;
mod msg_stake_supplier;
mod msg_unstake_supplier;
mod msg_update_param;
mod msg_update_params;
mod params;
mod query;
mod slash;
mod state;

#[cfg(test)]
mod tests;

pub use begin_block::begin_block;
pub use candidates::{Candidates, Version, candidates_at, version};
pub use end_block::end_block;
pub use genesis::{export_genesis, init_genesis};
pub use params::params;
pub use query::query;
pub use slash::{Slash, slash};
pub use state::{
    active_config_at, active_configs_at, active_configs_for, configs_of, dehydrated, get, hydrate,
    is_active, save,
};

/// Name of the module and of its account.
pub const MODULE: &str = "supplier";

messages! {
    MsgUpdateParams: signer authority, check msg_update_params::check, execute msg_update_params::execute;
    MsgUpdateParam: signer authority, check msg_update_param::check, execute msg_update_param::execute;
    MsgStakeSupplier: signer signer, check msg_stake_supplier::check, execute msg_stake_supplier::execute;
    MsgUnstakeSupplier: signer signer, check msg_unstake_supplier::check, execute msg_unstake_supplier::execute;
}
