//! Coins: balances, supply, transfers, minting and burning, with the SDK's events.
//!
//! Invariant: the supply of a denomination is the sum of all balances in it. Only [`mint`] and [`burn`] change it.
//! Start with [`send`]. Messages are in `msg`, queries in `query`.

use crypto::keys::Address;
use proto::cosmos::bank::v1beta1::Params;
use proto::cosmos::base::v1beta1::Coin;

use crate::auth::{self, vesting};
use crate::context::Context;
use crate::error::{ChainError, TxError};
use crate::sdk;

mod coins;
pub mod genesis;
pub mod keys;
pub mod msg;
mod msg_multi_send;
mod msg_update;
pub mod query;

pub use coins::{Coins, UPOKT, amount, coin, upokt, valid_denom};

/// The balance of an account in one denomination.
///
/// # Errors
/// When the store fails.
pub fn balance(ctx: &Context, address: &Address, denom: &str) -> Result<u128, ChainError> {
    read_amount(ctx, &keys::balance(address, denom))
}

/// All positive balances of an account, by denomination.
///
/// # Errors
/// When the store fails.
pub fn balances(ctx: &Context, address: &Address) -> Result<Coins, ChainError> {
    let prefix = keys::balances(address);
    let mut coins = Coins::new();
    for pair in ctx.iter(&prefix) {
        let (key, value) = pair?;
        let denom = keys::suffix(&prefix, &key)?;
        coins
            .add(&denom, amount_from_bytes(&value)?)
            .ok_or_else(overflow)?;
    }
    Ok(coins)
}

/// What of an account's coins is bound by vesting.
///
/// # Errors
/// When the store fails.
pub fn locked(ctx: &Context, address: &Address) -> Result<Coins, ChainError> {
    match auth::account(ctx, address)? {
        Some(account) => vesting::locked(&account, ctx.block.time),
        None => Ok(Coins::new()),
    }
}

/// What an account may spend of a denomination: its balance less what is bound by vesting.
///
/// # Errors
/// When the store fails.
pub fn spendable(ctx: &Context, address: &Address, denom: &str) -> Result<u128, ChainError> {
    let bound = locked(ctx, address)?.amount(denom);
    Ok(balance(ctx, address, denom)?.saturating_sub(bound))
}

/// How much of a denomination exists.
///
/// # Errors
/// When the store fails.
pub fn supply(ctx: &Context, denom: &str) -> Result<u128, ChainError> {
    read_amount(ctx, &keys::supply(denom))
}

/// How much exists of every denomination.
///
/// # Errors
/// When the store fails.
pub fn total_supply(ctx: &Context) -> Result<Coins, ChainError> {
    let mut coins = Coins::new();
    for pair in ctx.iter(keys::SUPPLIES) {
        let (key, value) = pair?;
        let denom = keys::suffix(keys::SUPPLIES, &key)?;
        coins
            .add(&denom, amount_from_bytes(&value)?)
            .ok_or_else(overflow)?;
    }
    Ok(coins)
}

/// Moves coins between accounts; creates the recipient's account if there is none. Events: `coin_spent`,
/// `coin_received`, `transfer`, `message`.
///
/// # Errors
/// sdk 5 when the balance does not suffice, sdk 10 for malformed coins.
pub fn send(
    ctx: &mut Context,
    from: &Address,
    to: &Address,
    coins: &[Coin],
) -> Result<(), TxError> {
    let coins = Coins::sum(coins)?;
    subtract(ctx, from, &coins)?;
    add(ctx, to, &coins)?;
    auth::ensure_account(ctx, to)?;
    let (sender, recipient) = (from.to_bech32(), to.to_bech32());
    ctx.emit_raw(
        "transfer",
        &[
            ("recipient", &recipient),
            ("sender", &sender),
            ("amount", &coins.to_string()),
        ],
    );
    ctx.emit_raw("message", &[("sender", &sender)]);
    Ok(())
}

/// Pays from a module's account.
///
/// # Errors
/// As [`send`]; sdk 4 when the recipient may not receive.
pub fn module_to_account(
    ctx: &mut Context,
    module: &str,
    to: &Address,
    coins: &[Coin],
) -> Result<(), TxError> {
    check_receiver(to)?;
    send(ctx, &Address::module(module), to, coins)
}

/// Pays into a module's account, creating it at first use.
///
/// # Errors
/// As [`send`].
pub fn account_to_module(
    ctx: &mut Context,
    from: &Address,
    module: &str,
    coins: &[Coin],
) -> Result<(), TxError> {
    auth::ensure_module_account(ctx, module)?;
    send(ctx, from, &Address::module(module), coins)
}

/// Moves coins between modules' accounts, creating the receiving one at first use.
///
/// # Errors
/// As [`send`].
pub fn module_to_module(
    ctx: &mut Context,
    from: &str,
    to: &str,
    coins: &[Coin],
) -> Result<(), TxError> {
    auth::ensure_module_account(ctx, to)?;
    send(ctx, &Address::module(from), &Address::module(to), coins)
}

/// Takes a delegator's stake into a pool. Events: `coin_spent`, `coin_received`; it is no transfer.
///
/// # Errors
/// sdk 5 when the balance does not suffice, sdk 9 when there is no account.
pub fn delegate(
    ctx: &mut Context,
    delegator: &Address,
    pool: &str,
    coins: &Coins,
) -> Result<(), TxError> {
    let pool = auth::ensure_module_account(ctx, pool)?;
    for (denom, amount) in coins.iter() {
        let held = balance(ctx, delegator, denom)?;
        let Some(rest) = held.checked_sub(amount) else {
            let text = format!(
                "failed to delegate; {held}{denom} is smaller than {coins}: insufficient funds"
            );
            return Err(TxError::sdk(sdk::INSUFFICIENT_FUNDS, text));
        };
        write_balance(ctx, delegator, denom, held, rest);
    }
    let Some(mut account) = auth::account(ctx, delegator)? else {
        let text = format!(
            "failed to track delegation: account {delegator} does not exist: unknown address"
        );
        return Err(TxError::sdk(sdk::UNKNOWN_ADDRESS, text));
    };
    if vesting::track_delegation(&mut account, ctx.block.time, coins)? {
        auth::save_account(ctx, delegator, &account);
    }
    let spender = delegator.to_bech32();
    ctx.emit_raw(
        "coin_spent",
        &[("spender", &spender), ("amount", &coins.to_string())],
    );
    add(ctx, &pool, coins)
}

/// Gives stake back out of a pool. Events: `coin_spent`, `coin_received`; it is no transfer.
///
/// # Errors
/// sdk 5 when the pool does not hold it, sdk 9 when there is no account.
pub fn undelegate(
    ctx: &mut Context,
    pool: &str,
    delegator: &Address,
    coins: &Coins,
) -> Result<(), TxError> {
    let pool = auth::ensure_module_account(ctx, pool)?;
    subtract(ctx, &pool, coins)?;
    let Some(mut account) = auth::account(ctx, delegator)? else {
        let text = format!(
            "failed to track undelegation: account {delegator} does not exist: unknown address"
        );
        return Err(TxError::sdk(sdk::UNKNOWN_ADDRESS, text));
    };
    if vesting::track_undelegation(&mut account, coins)? {
        auth::save_account(ctx, delegator, &account);
    }
    add(ctx, delegator, coins)
}

/// Makes coins in a module's account. Events: `coin_received`, `coinbase`.
///
/// # Errors
/// sdk 4 when the module may not mint, sdk 10 for malformed coins or a supply beyond 128 bits.
pub fn mint(ctx: &mut Context, module: &str, coins: &[Coin]) -> Result<(), TxError> {
    check_permission(module, "minter", "mint")?;
    let address = auth::ensure_module_account(ctx, module)?;
    let coins = Coins::sum(coins)?;
    add(ctx, &address, &coins)?;
    for (denom, amount) in coins.iter() {
        let total = supply(ctx, denom)?.checked_add(amount).ok_or_else(|| {
            TxError::sdk(sdk::INVALID_COINS, "supply exceeds 128 bits: invalid coins")
        })?;
        write_amount(ctx, keys::supply(denom), total);
    }
    let minter = address.to_bech32();
    ctx.emit_raw(
        "coinbase",
        &[("minter", &minter), ("amount", &coins.to_string())],
    );
    Ok(())
}

/// Destroys coins of a module's account. Events: `coin_spent`, `burn`.
///
/// # Errors
/// sdk 4 when the module may not burn, sdk 5 when it does not hold them.
pub fn burn(ctx: &mut Context, module: &str, coins: &[Coin]) -> Result<(), TxError> {
    check_permission(module, "burner", "burn")?;
    let address = auth::ensure_module_account(ctx, module)?;
    let coins = Coins::sum(coins)?;
    subtract(ctx, &address, &coins)?;
    for (denom, amount) in coins.iter() {
        let total = supply(ctx, denom)?.checked_sub(amount).ok_or_else(|| {
            ChainError::invariant(format!("supply of {denom} is less than a balance in it"))
        })?;
        write_amount(ctx, keys::supply(denom), total);
    }
    let burner = address.to_bech32();
    ctx.emit_raw(
        "burn",
        &[("burner", &burner), ("amount", &coins.to_string())],
    );
    Ok(())
}

/// Params, the list of single denominations excluded.
///
/// # Errors
/// When the store fails.
pub fn params(ctx: &Context) -> Result<Params, ChainError> {
    Ok(ctx.load(keys::PARAMS)?.unwrap_or_else(|| Params {
        default_send_enabled: true,
        ..Params::default()
    }))
}

/// Stores params.
pub(crate) fn save_params(ctx: &mut Context, default_send_enabled: bool) {
    let params = Params {
        default_send_enabled,
        ..Params::default()
    };
    ctx.save(keys::PARAMS.to_vec(), &params);
}

/// Whether a denomination may be sent.
///
/// # Errors
/// When the store fails.
pub fn is_send_enabled(ctx: &Context, denom: &str) -> Result<bool, ChainError> {
    match ctx.get(&keys::send_enabled(denom))? {
        Some(flag) => Ok(flag == [1]),
        None => Ok(params(ctx)?.default_send_enabled),
    }
}

/// Whether an address may not receive transfers: some modules' accounts (chain specification 0.1).
pub fn is_blocked(address: &Address) -> bool {
    auth::MODULES
        .iter()
        .any(|module| module.blocked && Address::module(module.name) == *address)
}

/// Refuses a recipient that may not receive.
///
/// # Errors
/// sdk 4.
pub(crate) fn check_receiver(to: &Address) -> Result<(), TxError> {
    if is_blocked(to) {
        let text = format!(
            "{} is not allowed to receive funds: unauthorized",
            to.to_bech32()
        );
        return Err(TxError::sdk(sdk::UNAUTHORIZED, text));
    }
    Ok(())
}

fn check_permission(module: &str, permission: &str, verb: &str) -> Result<(), TxError> {
    let known = auth::MODULES.iter().find(|known| known.name == module);
    if known.is_some_and(|known| known.permissions.contains(&permission)) {
        return Ok(());
    }
    let text =
        format!("module account {module} does not have permissions to {verb} tokens: unauthorized");
    Err(TxError::sdk(sdk::UNAUTHORIZED, text))
}

/// Takes coins from an account and says so; what is bound in a vesting account is not taken.
fn subtract(ctx: &mut Context, address: &Address, coins: &Coins) -> Result<(), TxError> {
    let locked = locked(ctx, address)?;
    for (denom, amount) in coins.iter() {
        let held = balance(ctx, address, denom)?;
        let bound = locked.amount(denom);
        let Some(spendable) = held.checked_sub(bound) else {
            let text = format!(
                "locked amount exceeds account balance funds: {bound}{denom} > {held}{denom}: \
                 insufficient funds"
            );
            return Err(TxError::sdk(sdk::INSUFFICIENT_FUNDS, text));
        };
        let Some(rest) = held.checked_sub(amount).filter(|_| amount <= spendable) else {
            let text = format!(
                "spendable balance {spendable}{denom} is smaller than {amount}{denom}: \
                 insufficient funds"
            );
            return Err(TxError::sdk(sdk::INSUFFICIENT_FUNDS, text));
        };
        write_balance(ctx, address, denom, held, rest);
    }
    let spender = address.to_bech32();
    ctx.emit_raw(
        "coin_spent",
        &[("spender", &spender), ("amount", &coins.to_string())],
    );
    Ok(())
}

/// Gives coins to an account and says so.
fn add(ctx: &mut Context, address: &Address, coins: &Coins) -> Result<(), TxError> {
    for (denom, amount) in coins.iter() {
        let held = balance(ctx, address, denom)?;
        let total = held.checked_add(amount).ok_or_else(overflow)?;
        write_balance(ctx, address, denom, held, total);
    }
    let receiver = address.to_bech32();
    ctx.emit_raw(
        "coin_received",
        &[("receiver", &receiver), ("amount", &coins.to_string())],
    );
    Ok(())
}

fn overflow() -> ChainError {
    ChainError::invariant("a balance exceeds 128 bits although it is part of the supply")
}

fn read_amount(ctx: &Context, key: &[u8]) -> Result<u128, ChainError> {
    ctx.get(key)?
        .map_or(Ok(0), |bytes| amount_from_bytes(&bytes))
}

fn amount_from_bytes(bytes: &[u8]) -> Result<u128, ChainError> {
    let bytes = bytes
        .try_into()
        .map_err(|_| ChainError::corrupt("bank", "an amount has 16 bytes"))?;
    Ok(u128::from_be_bytes(bytes))
}

/// Writes a balance, and whether the account is a holder where that changes.
fn write_balance(ctx: &mut Context, address: &Address, denom: &str, before: u128, after: u128) {
    if before == 0 && after > 0 {
        ctx.set(keys::holder(denom, address), Vec::new());
    } else if before > 0 && after == 0 {
        ctx.remove(&keys::holder(denom, address));
    }
    write_amount(ctx, keys::balance(address, denom), after);
}

/// Writes an amount; zero is absence.
fn write_amount(ctx: &mut Context, key: Vec<u8>, amount: u128) {
    if amount == 0 {
        ctx.remove(&key);
    } else {
        ctx.set(key, amount.to_be_bytes().to_vec());
    }
}

#[cfg(test)]
mod tests;
