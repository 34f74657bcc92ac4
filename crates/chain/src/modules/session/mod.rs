//! `session`: which suppliers serve an application, computed from the state at any height.
//!
//! Invariants
//! - the hash of every executed block is stored under its height, and never changes;
//! - a session is a pure function of the state and a height: the same question at one state has one answer.
//!
//! Start with [`hydrate()`].

use proto::pocket::session::{MsgUpdateParam, MsgUpdateParams};

use crate::context::Context;
use crate::error::ChainError;
use crate::message::messages;

mod draws;
mod end_block;
pub mod error;
mod genesis;
mod hydrate;
mod keys;
mod msg_update_param;
mod msg_update_params;
mod params;
mod query;

#[cfg(test)]
mod tests;

pub use draws::Draws;
pub use end_block::end_block;
pub use error::SessionError;
pub use genesis::{export_genesis, init_genesis};
pub use hydrate::{Outline, hydrate, outline};
#[cfg(test)]
pub(crate) use params::validate as validate_params;
pub use params::{params, params_at};
pub use query::query;

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

/// Where the state keeps the hash of a block.
pub(crate) fn hash_key(height: i64) -> Vec<u8> {
    keys::block_hash(height)
}

/// The hash of a block; empty below height 1 and for a block whose end has not come.
///
/// # Errors
/// When the store fails.
pub fn block_hash(ctx: &Context<'_>, height: i64) -> Result<Vec<u8>, ChainError> {
    if height < 1 {
        return Ok(Vec::new());
    }
    Ok(ctx.get(&keys::block_hash(height))?.unwrap_or_default())
}
