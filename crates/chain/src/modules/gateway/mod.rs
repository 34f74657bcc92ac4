//! `gateway`: who signs relays for applications that delegated to it.
//!
//! Invariants
//! - the sum of all stakes is covered by the balance of the module account `gateway`;
//! - a gateway has an unstake height exactly when it is marked as unbonding.
//!
//! Start with [`state::get`] and the messages, one file each. Undelegation of a gateway that stopped is the business
//! of `application`.

use proto::pocket::gateway::{
    MsgStakeGateway, MsgUnstakeGateway, MsgUpdateGatewayMetadata, MsgUpdateParam, MsgUpdateParams,
};

use crate::context::Context;
use crate::error::{ChainError, TxError};
use crate::message::messages;
use crate::modules::shared::address;

mod end_block;
pub mod error;
mod genesis;
mod keys;
mod msg_stake_gateway;
mod msg_unstake_gateway;
mod msg_update_gateway_metadata;
mod msg_update_param;
mod msg_update_params;
mod params;
mod query;
mod state;

#[cfg(test)]
mod tests;

pub use end_block::end_block;
pub use genesis::{export_genesis, init_genesis};
pub use params::params;
pub use query::query;
pub use state::{all, get, is_active, take_stopped};

/// Name of the module and of its account.
pub const MODULE: &str = "gateway";

messages! {
    MsgUpdateParams: signer authority, check msg_update_params::check, execute msg_update_params::execute;
    MsgUpdateParam: signer authority, check msg_update_param::check, execute msg_update_param::execute;
    MsgStakeGateway: signer address, check msg_stake_gateway::check, execute msg_stake_gateway::execute;
    MsgUnstakeGateway: signer address, check msg_unstake_gateway::check, execute msg_unstake_gateway::execute;
    MsgUpdateGatewayMetadata: signer address, check msg_update_gateway_metadata::check, execute msg_update_gateway_metadata::execute;
}

/// Nothing happens at the beginning of a block.
///
/// # Errors
/// Never.
pub fn begin_block(_ctx: &mut Context<'_>) -> Result<(), ChainError> {
    Ok(())
}

/// Checks the address of a gateway in a message.
fn check_address(text: &str) -> Result<(), TxError> {
    address::parse(text).map(|_| ()).map_err(|reason| {
        error::Error::InvalidAddress
            .because(format_args!("invalid gateway address {text}; ({reason})"))
    })
}
