//! `shared`: the params that shape sessions and windows, and the rules of the types other modules share.
//!
//! Invariants
//! - the live params are valid; they change through [`mod@params`] only;
//! - history entries are never rewritten once their height has passed, so what counted at a height stays known;
//! - heights, session numbers and windows of a session come from the params at the session's heights.
//!
//! Start with [`params::params_at`]; the grid itself is `protocol::session`, reached through [`grid`].

use proto::pocket::shared::{MsgUpdateParam, MsgUpdateParams};

use crate::context::Context;
use crate::error::ChainError;
use crate::message::messages;

pub(crate) mod address;
pub(crate) mod authority;
pub(crate) mod coin;
mod end_block;
pub(crate) mod ending;
pub mod error;
mod genesis;
pub(crate) mod go_text;
pub mod grid;
pub(crate) mod history;
pub(crate) mod keys;
mod msg_update_param;
mod msg_update_params;
mod params;
mod query;
mod url;
pub(crate) mod validate;

#[cfg(test)]
mod tests;

pub use end_block::end_block;
pub use genesis::{export_genesis, init_genesis};
#[cfg(test)]
pub(crate) use params::validate as validate_params;
pub use params::{current, params, params_at, params_history};
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
