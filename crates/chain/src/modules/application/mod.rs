//! `application`: who pays for relays. An application stakes for one service and delegates to gateways that sign for it.
//!
//! Invariants
//! - the sum of all stakes is covered by the balance of the module account `application`;
//! - every index entry follows from a record, and [`state::save`] is the only writer of both;
//! - `pending_undelegations` remembers, by session end, gateways whose signatures still count for that session.
//!
//! Start with [`state::get`] and the messages, one file each.

use proto::pocket::application::{
    MsgDelegateToGateway, MsgStakeApplication, MsgTransferApplication, MsgUndelegateFromGateway,
    MsgUnstakeApplication, MsgUpdateParam, MsgUpdateParams,
};

use crate::context::Context;
use crate::error::{ChainError, TxError};
use crate::message::messages;
use crate::modules::shared::address;

mod end_block;
pub mod error;
mod genesis;
mod keys;
mod msg_delegate_to_gateway;
mod msg_stake_application;
mod msg_transfer_application;
mod msg_undelegate_from_gateway;
mod msg_unstake_application;
mod msg_update_param;
mod msg_update_params;
mod params;
mod query;
mod state;
mod transfer;

#[cfg(test)]
pub(crate) mod tests;

pub use end_block::end_block;
pub use genesis::{export_genesis, init_genesis};
pub use params::params;
pub use query::query;
pub use state::{all, get, is_active, is_staked_for, save};

/// Name of the module and of its account.
pub const MODULE: &str = "application";

messages! {
    MsgUpdateParams: signer authority, check msg_update_params::check, execute msg_update_params::execute;
    MsgUpdateParam: signer authority, check msg_update_param::check, execute msg_update_param::execute;
    MsgStakeApplication: signer address, check msg_stake_application::check, execute msg_stake_application::execute;
    MsgUnstakeApplication: signer address, check msg_unstake_application::check, execute msg_unstake_application::execute;
    MsgDelegateToGateway: signer app_address, check msg_delegate_to_gateway::check, execute msg_delegate_to_gateway::execute;
    MsgUndelegateFromGateway: signer app_address, check msg_undelegate_from_gateway::check, execute msg_undelegate_from_gateway::execute;
    MsgTransferApplication: signer source_address, check msg_transfer_application::check, execute msg_transfer_application::execute;
}

/// Nothing happens at the beginning of a block.
///
/// # Errors
/// Never.
pub fn begin_block(_ctx: &mut Context<'_>) -> Result<(), ChainError> {
    Ok(())
}

/// Checks the address of an application in a message.
fn check_address(text: &str) -> Result<(), TxError> {
    address::parse(text).map(|_| ()).map_err(|reason| {
        error::Error::InvalidAddress.because(format_args!(
            "invalid application address {text}; ({reason})"
        ))
    })
}

/// Checks the address of a gateway in a message.
fn check_gateway_address(text: &str) -> Result<(), TxError> {
    address::parse(text).map(|_| ()).map_err(|reason| {
        error::Error::InvalidGatewayAddress
            .because(format_args!("invalid gateway address {text}; ({reason})"))
    })
}
