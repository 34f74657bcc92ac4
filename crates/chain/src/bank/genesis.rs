//! The section `bank` of a genesis document.

use std::collections::BTreeSet;

use crypto::keys::Address;
use prost::Message;
use proto::cosmos::bank::v1beta1::{Balance, GenesisState, Metadata, SendEnabled};

use crate::bank::{self, Coins, keys, valid_denom};
use crate::context::Context;
use crate::error::{ChainError, GenesisError};

/// Loads balances, supply and metadata.
///
/// # Errors
/// Names the field; the supply, where given, must equal the sum of the balances.
pub fn init(ctx: &mut Context, state: GenesisState) -> Result<(), GenesisError> {
    let send_enabled = [state.params.send_enabled.as_slice(), &state.send_enabled].concat();
    let mut denoms = BTreeSet::new();
    for entry in &send_enabled {
        if !valid_denom(&entry.denom) || !denoms.insert(&entry.denom) {
            let reason = format!("`{}` is malformed or listed twice", entry.denom);
            return Err(GenesisError::new("send_enabled", reason));
        }
        ctx.set(
            keys::send_enabled(&entry.denom),
            vec![u8::from(entry.enabled)],
        );
    }
    bank::save_params(ctx, state.params.default_send_enabled);

    let total = init_balances(ctx, &state.balances)?;
    let supply =
        Coins::strict(&state.supply).map_err(|error| GenesisError::new("supply", error))?;
    if !state.supply.is_empty() && supply != total {
        let reason = format!("is {supply}, but the balances sum up to {total}");
        return Err(GenesisError::new("supply", reason));
    }
    for (denom, amount) in total.iter() {
        bank::write_amount(ctx, keys::supply(denom), amount);
    }

    let mut bases = BTreeSet::new();
    for (position, metadata) in state.denom_metadata.iter().enumerate() {
        let path = format!("denom_metadata[{position}].base");
        if !valid_denom(&metadata.base) || !bases.insert(&metadata.base) {
            let reason = format!("`{}` is malformed or described twice", metadata.base);
            return Err(GenesisError::new(path, reason));
        }
        ctx.save(keys::metadata(&metadata.base), metadata);
    }
    Ok(())
}

fn init_balances(ctx: &mut Context, balances: &[Balance]) -> Result<Coins, GenesisError> {
    let mut total = Coins::new();
    let mut addresses = BTreeSet::new();
    for (position, entry) in balances.iter().enumerate() {
        let wrong = |field: &str, reason: String| {
            GenesisError::new(format!("balances[{position}].{field}"), reason)
        };
        let address = Address::from_bech32(&entry.address)
            .map_err(|error| wrong("address", error.to_string()))?;
        if !addresses.insert(address) {
            return Err(wrong(
                "address",
                format!("duplicate balance of {}", entry.address),
            ));
        }
        let coins = Coins::strict(&entry.coins).map_err(|error| wrong("coins", error.log))?;
        for (denom, amount) in coins.iter() {
            total
                .add(denom, amount)
                .ok_or_else(|| wrong("coins", "the supply exceeds 128 bits".to_owned()))?;
            bank::write_balance(ctx, &address, denom, 0, amount);
        }
    }
    Ok(total)
}

/// Balances by address, supply, metadata.
///
/// # Errors
/// When the store fails.
pub fn export(ctx: &Context) -> Result<GenesisState, ChainError> {
    let mut balances: Vec<Balance> = Vec::new();
    for pair in ctx.iter(keys::BALANCES) {
        let (key, value) = pair?;
        let (address, denom) = keys::split_balance(&key)?;
        let address = address.to_bech32();
        let coin = bank::coin(bank::amount_from_bytes(&value)?, &denom);
        match balances.last_mut() {
            Some(last) if last.address == address => last.coins.push(coin),
            _ => balances.push(Balance {
                address,
                coins: vec![coin],
            }),
        }
    }
    let supply = bank::total_supply(ctx)?.to_proto();
    let mut denom_metadata = Vec::new();
    for pair in ctx.iter(keys::METADATA) {
        let (key, value) = pair?;
        let metadata = Metadata::decode(value.as_slice())
            .map_err(|error| ChainError::corrupt(hex::encode(key), error))?;
        denom_metadata.push(metadata);
    }
    let mut send_enabled = Vec::new();
    for pair in ctx.iter(keys::SEND_ENABLED) {
        let (key, value) = pair?;
        let denom = keys::suffix(keys::SEND_ENABLED, &key)?;
        send_enabled.push(SendEnabled {
            denom,
            enabled: value == [1],
        });
    }
    Ok(GenesisState {
        params: bank::params(ctx)?,
        balances,
        supply,
        denom_metadata,
        send_enabled,
    })
}
