//! The two accounts that hold all staked coins: of bonded validators, and of everything else.

use crypto::keys::Address;
use proto::cosmos::base::v1beta1::Coin;

use super::params;
use crate::bank::{self, Coins};
use crate::context::Context;
use crate::decimal::Dec;
use crate::error::{ChainError, TxError};
use crate::sdk;

/// Account of the stake of bonded validators.
pub const BONDED: &str = "bonded_tokens_pool";
/// Account of all other stake.
pub const NOT_BONDED: &str = "not_bonded_tokens_pool";

/// An amount of what is staked; of nothing, no coin at all.
pub(super) fn coins(ctx: &Context, amount: u128) -> Result<Vec<Coin>, ChainError> {
    if amount == 0 {
        return Ok(Vec::new());
    }
    let denom = params(ctx)?.bond_denom;
    Ok(vec![bank::coin(amount, &denom)])
}

/// Moves stake out of consensus.
pub(super) fn bonded_to_not_bonded(ctx: &mut Context, amount: u128) -> Result<(), TxError> {
    let coins = coins(ctx, amount)?;
    bank::module_to_module(ctx, BONDED, NOT_BONDED, &coins)
}

/// Moves stake into consensus.
pub(super) fn not_bonded_to_bonded(ctx: &mut Context, amount: u128) -> Result<(), TxError> {
    let coins = coins(ctx, amount)?;
    bank::module_to_module(ctx, NOT_BONDED, BONDED, &coins)
}

/// Destroys slashed stake.
pub(super) fn burn(ctx: &mut Context, pool: &str, amount: u128) -> Result<(), TxError> {
    if amount == 0 {
        return Ok(());
    }
    let coins = coins(ctx, amount)?;
    bank::burn(ctx, pool, &coins)
}

/// Takes an amount from a delegator. Events: `coin_spent`, `coin_received`.
pub(super) fn pay_in(
    ctx: &mut Context,
    delegator: &Address,
    pool: &'static str,
    amount: u128,
) -> Result<(), TxError> {
    let coins = Coins::sum(&coins(ctx, amount)?)?;
    bank::delegate(ctx, delegator, pool, &coins)
}

/// Gives an amount back to a delegator. Events: `coin_spent`, `coin_received`.
pub(super) fn pay_out(ctx: &mut Context, delegator: &Address, amount: u128) -> Result<(), TxError> {
    let coins = Coins::sum(&coins(ctx, amount)?)?;
    bank::undelegate(ctx, NOT_BONDED, delegator, &coins)
}

/// How much of what is staked exists.
///
/// # Errors
/// When the store fails.
pub fn staking_supply(ctx: &Context) -> Result<u128, ChainError> {
    bank::supply(ctx, &params(ctx)?.bond_denom)
}

/// Which part of what exists is bonded.
///
/// # Errors
/// When the store fails.
pub fn bonded_ratio(ctx: &Context) -> Result<Dec, ChainError> {
    let denom = params(ctx)?.bond_denom;
    let supply = bank::supply(ctx, &denom)?;
    if supply == 0 {
        return Ok(Dec::zero());
    }
    let bonded = bank::balance(ctx, &Address::module(BONDED), &denom)?;
    Dec::from_int(bonded).quo_int(supply)
}

/// The coin of a message: its amount where it is valid and positive. What exceeds 128 bits, which nobody can own, counts
/// as the most that can be counted.
pub(super) fn positive(coin: &Coin) -> Option<u128> {
    let digits = !coin.amount.is_empty() && coin.amount.bytes().all(|byte| byte.is_ascii_digit());
    if !digits || !bank::valid_denom(&coin.denom) {
        return None;
    }
    let amount = coin.amount.parse().unwrap_or(u128::MAX);
    (amount > 0).then_some(amount)
}

/// Refuses a coin of another denomination than the staked one.
pub(super) fn check_denom(ctx: &Context, coin: &Coin) -> Result<(), TxError> {
    let expected = params(ctx)?.bond_denom;
    if coin.denom == expected {
        return Ok(());
    }
    let text = format!(
        "invalid coin denomination: got {}, expected {expected}: invalid request",
        coin.denom
    );
    Err(TxError::sdk(sdk::INVALID_REQUEST, text))
}

/// A coin as events print it: amount, then denomination.
pub(super) fn text(coin: &Coin) -> String {
    let amount = proto::decimal::whole(&coin.amount);
    format!("{}{}", amount.unwrap_or_default(), coin.denom)
}
