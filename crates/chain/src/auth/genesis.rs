//! The section `auth` of a genesis document.

use std::collections::BTreeSet;

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

/// Loads params and accounts. Numbers are given anew in the order of those in the document, as the reference does.
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
    accounts.sort_by_key(|(_, account)| account.base().map_or(0, |base| base.account_number));
    for (address, mut account) in accounts {
        let number = auth::next_number(ctx)?;
        if let Some(base) = account.base_mut() {
            base.account_number = number;
        }
        ctx.set(keys::number(number), address.as_bytes().to_vec());
        auth::save_account(ctx, &address, &account);
    }
    Ok(())
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
