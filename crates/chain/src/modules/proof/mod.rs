//! `proof`: what suppliers claim for a session, and the proofs that claims are real work.
//!
//! Invariants
//! - a claim is stored under session id and operator, and has exactly the index entries that follow from it, written by
//!   `state::save_claim` and [`remove_claim`] alone;
//! - a proof lives from its transaction to the end of the same block, where its claim gets a verdict;
//! - whether a claim must be proven is a pure function of the claim, the hash of one block and the params; clients
//!   compute the same ([`Appraiser::requirement`]).
//!
//! Start with the two messages; the verdict is in `end_block`, payment in `tokenomics`.

use proto::pocket::proof::{MsgCreateClaim, MsgSubmitProof, MsgUpdateParam, MsgUpdateParams};

use crate::context::Context;
use crate::error::ChainError;
use crate::message::messages;

mod appraise;
mod end_block;
pub mod error;
mod genesis;
mod keys;
mod msg_create_claim;
mod msg_submit_proof;
mod msg_update_param;
mod msg_update_params;
mod params;
mod query;
mod session;
mod state;
mod window;

#[cfg(test)]
pub(crate) mod tests;

pub use appraise::{AppraisalError, Appraiser, Worth};
pub use end_block::end_block;
pub use genesis::{export_genesis, init_genesis};
pub use params::params;
#[cfg(test)]
pub(crate) use params::validate as validate_params;
pub use query::query;
pub use state::{claim, claims_ending_at, remove_claim};

/// Name of the module and of its account.
pub const MODULE: &str = "proof";

messages! {
    MsgUpdateParams: signer authority, check msg_update_params::check, execute msg_update_params::execute;
    MsgUpdateParam: signer authority, check msg_update_param::check, execute msg_update_param::execute;
    MsgCreateClaim: signer supplier_operator_address, check msg_create_claim::check, execute msg_create_claim::execute;
    MsgSubmitProof: signer supplier_operator_address, check msg_submit_proof::check, execute msg_submit_proof::execute;
}

/// Nothing happens at the beginning of a block.
///
/// # Errors
/// Never.
pub fn begin_block(_ctx: &mut Context<'_>) -> Result<(), ChainError> {
    Ok(())
}
