//! The section `auth` of a genesis document.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use crypto::keys::Address;
use proto::cosmos::auth::v1beta1::{GenesisState, Params};

use crate::auth::{self, Account, keys};
use crate::context::Context;
use crate::error::{ChainError, GenesisError};

/// The SDK's defaults.
pub fn default_params() -> Params {
    Params {
        max_memo_characters: 256,
        tx_sig_limit: 7,
        tx_size_cost_per_byte: 10,
        sig_verify_cost_ed25519: 590,
        sig_verify_cost_secp256k1: 1_000,
    }
}

/// Loads params and accounts. An account keeps its number unless one before it in the document has the same, as in the
/// reference: then it gets the lowest that is free. The next new account comes after the highest.
///
/// # Errors
/// Names the account and what is wrong with it.
pub fn init(ctx: &mut Context, state: GenesisState) -> Result<(), GenesisError> {
    super::msg::check_params(&state.params)
        .map_err(|(field, _)| GenesisError::new(format!("params.{field}"), "must not be 0"))?;
    auth::save_params(ctx, &state.params);
    let mut accounts = Vec::new();
    let mut addresses = BTreeSet::new();
    for (position, any) in state.accounts.iter().enumerate() {
        let wrong = |field: &str, reason: String| {
            GenesisError::new(format!("accounts[{position}]{field}"), reason)
        };
        let mut account = Account::from_any(any).ok_or_else(|| {
            wrong(
                ".@type",
                format!("account type `{}` is not supported", any.type_url),
            )
        })?;
        let base = account
            .base_mut()
            .ok_or_else(|| wrong(".base_account", "missing".to_owned()))?;
        let address = Address::from_bech32(&base.address)
            .map_err(|error| wrong(".address", error.to_string()))?;
        if !addresses.insert(address) {
            return Err(wrong(
                ".address",
                format!("duplicate account {}", base.address),
            ));
        }
        if let Some(any) = &base.pub_key {
            let key = auth::SignerKey::from_any(any).map_err(|reason| wrong(".pub_key", reason))?;
            if key.address() != address {
                return Err(wrong(
                    ".pub_key",
                    format!("is not the key of {}", base.address),
                ));
            }
        }
        if let Account::Module(module) = &account
            && Address::module(&module.name) != address
        {
            return Err(wrong(
                ".name",
                format!("`{}` has another address", module.name),
            ));
        }
        accounts.push((address, account));
    }
    for (address, account) in numbered(accounts) {
        let number = account.base().map_or(0, |base| base.account_number);
        let next = number
            .checked_add(1)
            .ok_or_else(|| GenesisError::new("accounts", "account numbers used up"))?;
        ctx.set(keys::NEXT_NUMBER.to_vec(), next.to_be_bytes().to_vec());
        ctx.set(keys::number(number), address.as_bytes().to_vec());
        auth::save_account(ctx, &address, &account);
    }
    Ok(())
}

/// Accounts in the order of their numbers, each with one of its own.
fn numbered(accounts: Vec<(Address, Account)>) -> Vec<(Address, Account)> {
    let number = |account: &Account| account.base().map_or(0, |base| base.account_number);
    let mut taken = BTreeMap::new();
    let mut again = Vec::new();
    for (address, account) in accounts {
        match taken.entry(number(&account)) {
            Entry::Vacant(free) => {
                free.insert((address, account));
            }
            Entry::Occupied(_) => again.push((address, account)),
        }
    }
    again.sort_by_key(|(_, account)| number(account));
    let mut free = 0..;
    for (address, mut account) in again {
        let Some(number) = free.find(|number| !taken.contains_key(number)) else {
            break;
        };
        if let Some(base) = account.base_mut() {
            base.account_number = number;
        }
        taken.insert(number, (address, account));
    }
    taken.into_values().collect()
}

/// Params and all accounts, by address.
///
/// # Errors
/// When the store fails.
pub fn export(ctx: &Context) -> Result<GenesisState, ChainError> {
    let mut accounts = Vec::new();
    for pair in ctx.iter(keys::ACCOUNTS) {
        let (key, value) = pair?;
        let any = prost::Message::decode(value.as_slice())
            .map_err(|error| ChainError::corrupt(hex::encode(key), error))?;
        accounts.push(any);
    }
    Ok(GenesisState {
        params: auth::params(ctx)?,
        accounts,
    })
}
