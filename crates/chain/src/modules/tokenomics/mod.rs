//! `tokenomics`: what becomes of claims when their proof window is over. Applications pay, suppliers and the others are
//! paid, suppliers without proof are slashed, and difficulties follow the load (chain specification 3 and 4).
//!
//! Invariants
//! - a claim is settled, expired or discarded exactly once, and removed in the same block;
//! - coins appear and vanish through the queued operations of [`settlement`] and through slashing alone; an application's
//!   record loses exactly what is burned or moved out of its module's account;
//! - a coin that cannot be moved stays where it is and the block goes on: nothing an actor can stake, share or own stops
//!   the chain.
//!
//! Start with [`settlement`].

use proto::pocket::tokenomics::{MsgUpdateParam, MsgUpdateParams};

use crate::context::Context;
use crate::error::ChainError;
use crate::message::messages;

mod difficulty;
mod end_block;
pub mod error;
mod genesis;
mod keys;
mod msg_update_param;
mod msg_update_params;
mod params;
mod query;
mod settlement;
mod validators;

#[cfg(test)]
mod tests;

pub use end_block::end_block;
pub use genesis::{export_genesis, init_genesis};
pub use params::params;
#[cfg(test)]
pub(crate) use params::validate as validate_params;
pub use query::query;
pub use validators::{BondedValidator, validators};

/// Name of the module and of its account.
pub const MODULE: &str = "tokenomics";

messages! {
    MsgUpdateParams: signer authority, check msg_update_params::check, execute msg_update_params::execute;
    MsgUpdateParam: signer authority, check msg_update_param::check, execute msg_update_param::execute;
}

/// Nothing happens at the beginning of a block.
///
/// # Errors
/// Never.
pub fn begin_block(_ctx: &mut Context<'_>) -> Result<(), ChainError> {
    Ok(())
}
