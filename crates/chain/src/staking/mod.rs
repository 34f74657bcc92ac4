//! Staking: validators, delegations, and who takes part in consensus.
//!
//! Invariants
//! - the account `bonded_tokens_pool` holds the tokens of bonded validators, `not_bonded_tokens_pool` those of all others
//!   and the balances of all unbondings;
//! - a validator that is not jailed has exactly one place by power, a jailed one has none;
//! - consensus knows the `max_validators` first by power, as of the end of the last block;
//! - the module runs on chains whose genesis has its section; without it there are no validators here and consensus'
//!   own are none of ours.
//!
//! Amounts, events and orders are the reference's (Cosmos SDK v0.53). Start with [`updates`] for consensus, [`delegate`]
//! for stakes and [`slash()`] for what is taken. What other modules do when stakes change is in [`hooks`].

use proto::cosmos::staking::v1beta1::{
    MsgBeginRedelegate, MsgCancelUnbondingDelegation, MsgCreateValidator, MsgDelegate,
    MsgEditValidator, MsgUndelegate, MsgUpdateParams,
};

use crate::context::Context;
use crate::error::ChainError;
use crate::message::{messages, unchecked};

mod delegate;
mod delegation;
mod description;
pub mod error;
pub mod genesis;
mod history;
mod hooks;
pub mod keys;
mod msg_begin_redelegate;
mod msg_cancel_unbonding_delegation;
mod msg_create_validator;
mod msg_delegate;
mod msg_edit_validator;
mod msg_undelegate;
mod msg_update_params;
pub(crate) mod params;
mod pools;
pub(crate) mod query;
mod slash;
mod state;
mod updates;
mod validator;

#[cfg(test)]
mod tests;

pub use delegation::{
    Delegation, Redelegation, RedelegationEntry, UnbondingDelegation, UnbondingEntry,
};
pub use params::{default_params, params};
pub use pools::{BONDED, NOT_BONDED, bonded_ratio, staking_supply};
pub use query::query;
pub use slash::{jail, slash};
pub use state::{
    delegation, delegations_of, delegations_to, existing_delegation, existing_validator,
    last_powers, redelegation, unbonding, validator, validator_by_consensus, validators,
};
pub(crate) use updates::apply_set_changes;
pub use updates::{end_block, unjail};
pub use validator::{BondStatus, Commission, POWER_REDUCTION, Validator};

/// Name of the module.
pub const MODULE: &str = "staking";

messages! {
    MsgCreateValidator: operator validator_address, check msg_create_validator::check, execute msg_create_validator::execute;
    MsgEditValidator: operator validator_address, check unchecked, execute msg_edit_validator::execute;
    MsgDelegate: signer delegator_address, check unchecked, execute msg_delegate::execute;
    MsgBeginRedelegate: signer delegator_address, check unchecked, execute msg_begin_redelegate::execute;
    MsgUndelegate: signer delegator_address, check unchecked, execute msg_undelegate::execute;
    MsgCancelUnbondingDelegation: signer delegator_address, check unchecked, execute msg_cancel_unbonding_delegation::execute;
    MsgUpdateParams: signer authority, check unchecked, execute msg_update_params::execute;
}

/// Whether this chain's genesis has the module's section.
///
/// # Errors
/// When the store fails.
pub fn runs(ctx: &Context) -> Result<bool, ChainError> {
    ctx.has(keys::PARAMS)
}

/// Start of a block: its header and validators are recorded.
///
/// # Errors
/// When the store fails.
pub fn begin_block(ctx: &mut Context) -> Result<(), ChainError> {
    if runs(ctx)? {
        history::begin_block(ctx)?;
    }
    Ok(())
}
