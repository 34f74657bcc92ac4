//! Distribution: fees become rewards of validators, their delegators and the community.
//!
//! Invariants
//! - the account `distribution` holds the whole coins of everything outstanding and of the community pool;
//! - a delegation has a starting record exactly as long as it exists;
//! - a record of a past period is kept as long as something refers to it.
//!
//! Amounts, events and their order are the reference's (Cosmos SDK v0.53), to the last of 18 places. Start with
//! [`rewards`]; what a block hands out is in [`allocation`].

use proto::cosmos::distribution::v1beta1::{
    MsgCommunityPoolSpend, MsgDepositValidatorRewardsPool, MsgFundCommunityPool,
    MsgSetWithdrawAddress, MsgUpdateParams, MsgWithdrawDelegatorReward,
    MsgWithdrawValidatorCommission,
};

use crate::context::Context;
use crate::error::ChainError;
use crate::message::{messages, unchecked};

mod allocation;
mod error;
pub mod genesis;
pub(crate) mod hooks;
pub mod keys;
mod msg;
mod params;
mod query;
mod rewards;
mod state;

pub use allocation::begin_block;
pub use params::{default_params, params};
pub use query::query;
pub use state::{
    Current, Historical, Slash, StartingInfo, commission, community_pool, current, historical,
    outstanding, starting_info, withdraw_address,
};

/// Name of the module and of its account.
pub const MODULE: &str = "distribution";

messages! {
    MsgSetWithdrawAddress: signer delegator_address, check unchecked, execute msg::set_withdraw_address;
    MsgWithdrawDelegatorReward: signer delegator_address, check unchecked, execute msg::withdraw_delegator_reward;
    MsgWithdrawValidatorCommission: operator validator_address, check unchecked, execute msg::withdraw_validator_commission;
    MsgFundCommunityPool: signer depositor, check unchecked, execute msg::fund_community_pool;
    MsgUpdateParams: signer authority, check unchecked, execute msg::update_params;
    MsgCommunityPoolSpend: signer authority, check unchecked, execute msg::community_pool_spend;
    MsgDepositValidatorRewardsPool: signer depositor, check unchecked, execute msg::deposit_validator_rewards_pool;
}

/// Whether this chain's genesis has the module's section.
///
/// # Errors
/// When the store fails.
pub fn runs(ctx: &Context) -> Result<bool, ChainError> {
    ctx.has(keys::PARAMS)
}
