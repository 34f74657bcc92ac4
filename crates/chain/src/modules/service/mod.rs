//! `service`: what can be asked for, what a relay of it costs in compute units, and how hard its relays are to mine.
//!
//! Invariants
//! - prices and difficulties of the past stay known: histories are only appended to, or their pending entry replaced;
//! - a change counts from the next session start on, so no running session is repriced; the live price, which a query
//!   shows, changes at once.
//!
//! Start with [`state`]. Difficulty is computed by settlement and stored through [`set_difficulty`].

use proto::pocket::service::{MsgAddService, MsgTransferService, MsgUpdateParam, MsgUpdateParams};

use crate::context::Context;
use crate::error::{ChainError, TxError};
use crate::message::messages;
use crate::modules::shared::address;

pub mod error;
mod genesis;
mod keys;
mod msg_add_service;
mod msg_transfer_service;
mod msg_update_param;
mod msg_update_params;
mod params;
mod query;
mod state;

#[cfg(test)]
mod tests;

pub use genesis::{export_genesis, init_genesis};
pub use params::params;
#[cfg(test)]
pub(crate) use params::validate as validate_params;
pub use query::query;
pub use state::{all, compute_units_at, difficulty, difficulty_at, exists, get, set_difficulty};

/// Name of the module and of its account.
pub const MODULE: &str = "service";

messages! {
    MsgUpdateParams: signer authority, check msg_update_params::check, execute msg_update_params::execute;
    MsgUpdateParam: signer authority, check msg_update_param::check, execute msg_update_param::execute;
    MsgAddService: signer owner_address, check msg_add_service::check, execute msg_add_service::execute;
    MsgTransferService: signer owner_address, check msg_transfer_service::check, execute msg_transfer_service::execute;
}

/// Nothing happens at the beginning of a block.
///
/// # Errors
/// Never.
pub fn begin_block(_ctx: &mut Context<'_>) -> Result<(), ChainError> {
    Ok(())
}

/// Nothing happens at the end of a block: difficulties change with settlement.
///
/// # Errors
/// Never.
pub fn end_block(_ctx: &mut Context<'_>) -> Result<(), ChainError> {
    Ok(())
}

/// Checks an address in a message, named by its role.
fn check_address(role: &str, text: &str) -> Result<(), TxError> {
    address::parse(text).map(|_| ()).map_err(|reason| {
        error::Error::InvalidAddress
            .because(format_args!("invalid {role} address {text}; ({reason})"))
    })
}
