//! Slashing: validators that do not sign lose stake and leave consensus for a while; those that signed twice, forever.
//!
//! Invariants
//! - every validator that was ever bonded has a signing info;
//! - its counter is the number of missed blocks in the window.
//!
//! Amounts, events and their order are the reference's (Cosmos SDK v0.53). Start with [`liveness`]; double signatures
//! are found by [`crate::evidence`].

use crypto::keys::{Address, VALCONS_PREFIX};
use proto::cosmos::slashing::v1beta1::{MsgUnjail, MsgUpdateParams};

use crate::context::{BlockTime, Context};
use crate::decimal::Dec;
use crate::error::{ChainError, TxError};
use crate::message::{messages, unchecked};
use crate::staking;

mod error;
pub mod genesis;
pub(crate) mod hooks;
pub mod keys;
mod liveness;
mod msg;
mod params;
mod query;
mod state;

pub use liveness::begin_block;
pub use params::{default_params, params};
pub use query::query;
pub use state::signing_info;

/// Name of the module.
pub const MODULE: &str = "slashing";

messages! {
    MsgUnjail: operator validator_addr, check unchecked, execute msg::unjail;
    MsgUpdateParams: signer authority, check unchecked, execute msg::update_params;
}

/// Whether this chain's genesis has the module's section.
///
/// # Errors
/// When the store fails.
pub fn runs(ctx: &Context) -> Result<bool, ChainError> {
    ctx.has(keys::PARAMS)
}

/// Whether a validator's consensus key is known.
///
/// # Errors
/// When the store fails.
pub(crate) fn knows_key(ctx: &Context, consensus: &Address) -> Result<bool, ChainError> {
    ctx.has(&keys::pub_key(consensus))
}

/// Slashes a validator for two signatures at one height. Event: `slash`.
///
/// # Errors
/// Those of [`staking::slash`].
pub(crate) fn slash_double_sign(
    ctx: &mut Context,
    consensus: &Address,
    power: i64,
    height: i64,
) -> Result<(), TxError> {
    let fraction = params::text(&params(ctx)?.slash_fraction_double_sign);
    let fraction = Dec::from_wire(&fraction)?;
    let burned = staking::slash(ctx, consensus, height, power, &fraction)?;
    ctx.emit_raw(
        "slash",
        &[
            ("address", &consensus.to_bech32_with(VALCONS_PREFIX)),
            ("power", &power.to_string()),
            ("reason", "double_sign"),
            ("burned_coins", &burned.to_string()),
        ],
    );
    Ok(())
}

/// Jails a validator. Event: `slash`.
///
/// # Errors
/// When there is none, or it is jailed.
pub(crate) fn jail(ctx: &mut Context, consensus: &Address) -> Result<(), TxError> {
    staking::jail(ctx, consensus)?;
    let address = consensus.to_bech32_with(VALCONS_PREFIX);
    ctx.emit_raw("slash", &[("jailed", &address)]);
    Ok(())
}

/// Excludes a validator until a moment, and forever from coming back.
///
/// # Errors
/// slashing 8 when it never signed, slashing 9 when it is out already.
pub(crate) fn tombstone(
    ctx: &mut Context,
    consensus: &Address,
    until: BlockTime,
) -> Result<(), TxError> {
    let mut info = state::signing_info(ctx, consensus)?.ok_or_else(|| {
        error::no_signing_info("cannot jail validator that does not have any signing information")
    })?;
    if info.tombstoned {
        return Err(error::tombstoned());
    }
    info.jailed_until = until.to_proto();
    info.tombstoned = true;
    state::save_signing_info(ctx, consensus, &info);
    Ok(())
}
