//! Accounts: numbers, sequences, public keys; module accounts, made at first use.
//!
//! Invariant: an account number is given once, in order of creation. Genesis gives the first ones. Queries are in
//! `query`, the nonces of unordered transactions in `unordered`.

use crypto::keys::{Address, PublicKey};
use prost::{Message, Name};
use prost_types::Any;
use proto::cosmos::auth::v1beta1::{BaseAccount, ModuleAccount, Params};
use proto::cosmos::crypto::secp256k1::PubKey;
use proto::cosmos::vesting::v1beta1::{
    ContinuousVestingAccount, DelayedVestingAccount, PeriodicVestingAccount, PermanentLockedAccount,
};

use crate::context::Context;
use crate::error::ChainError;

pub mod genesis;
pub mod keys;
mod modules;
pub mod msg;
mod pubkey;
pub mod query;
pub mod unordered;
pub mod vesting;

pub use modules::{MODULES, ModulePermissions};
pub use pubkey::{MultisigKey, SignerKey};

/// An account as stored.
#[derive(Clone, Debug, PartialEq)]
pub enum Account {
    /// Of a person or an actor.
    Base(BaseAccount),
    /// Of a module.
    Module(ModuleAccount),
    /// Of somebody whose first coins are freed bit by bit.
    ContinuousVesting(ContinuousVestingAccount),
    /// Of somebody whose first coins are freed at one moment.
    DelayedVesting(DelayedVestingAccount),
    /// Of somebody whose first coins are freed in portions.
    PeriodicVesting(PeriodicVestingAccount),
    /// Of somebody whose first coins are never freed.
    PermanentLocked(PermanentLockedAccount),
}

impl Account {
    /// The part that every account has.
    pub fn base(&self) -> Option<&BaseAccount> {
        let vesting = match self {
            Self::Base(base) => return Some(base),
            Self::Module(module) => return module.base_account.as_ref(),
            Self::ContinuousVesting(own) => &own.base_vesting_account,
            Self::DelayedVesting(own) => &own.base_vesting_account,
            Self::PeriodicVesting(own) => &own.base_vesting_account,
            Self::PermanentLocked(own) => &own.base_vesting_account,
        };
        vesting.as_ref()?.base_account.as_ref()
    }

    /// The part that every account has, to change it.
    pub fn base_mut(&mut self) -> Option<&mut BaseAccount> {
        let vesting = match self {
            Self::Base(base) => return Some(base),
            Self::Module(module) => return module.base_account.as_mut(),
            Self::ContinuousVesting(own) => &mut own.base_vesting_account,
            Self::DelayedVesting(own) => &mut own.base_vesting_account,
            Self::PeriodicVesting(own) => &mut own.base_vesting_account,
            Self::PermanentLocked(own) => &mut own.base_vesting_account,
        };
        vesting.as_mut()?.base_account.as_mut()
    }

    /// As the reference stores and answers it.
    pub fn to_any(&self) -> Any {
        match self {
            Self::Base(own) => proto::any::pack(own),
            Self::Module(own) => proto::any::pack(own),
            Self::ContinuousVesting(own) => proto::any::pack(own),
            Self::DelayedVesting(own) => proto::any::pack(own),
            Self::PeriodicVesting(own) => proto::any::pack(own),
            Self::PermanentLocked(own) => proto::any::pack(own),
        }
    }

    /// Reads what [`Account::to_any`] made; `None` for other types.
    pub fn from_any(any: &Any) -> Option<Self> {
        let is = |name: String| proto::any::type_name(&any.type_url) == name;
        if is(BaseAccount::full_name()) {
            proto::any::unpack(any).ok().map(Self::Base)
        } else if is(ModuleAccount::full_name()) {
            proto::any::unpack(any).ok().map(Self::Module)
        } else if is(ContinuousVestingAccount::full_name()) {
            proto::any::unpack(any).ok().map(Self::ContinuousVesting)
        } else if is(DelayedVestingAccount::full_name()) {
            proto::any::unpack(any).ok().map(Self::DelayedVesting)
        } else if is(PeriodicVestingAccount::full_name()) {
            proto::any::unpack(any).ok().map(Self::PeriodicVesting)
        } else if is(PermanentLockedAccount::full_name()) {
            proto::any::unpack(any).ok().map(Self::PermanentLocked)
        } else {
            None
        }
    }
}

/// The account of an address.
///
/// # Errors
/// When the store fails or holds something else.
pub fn account(ctx: &Context, address: &Address) -> Result<Option<Account>, ChainError> {
    let Some(any) = ctx.load::<Any>(&keys::account(address))? else {
        return Ok(None);
    };
    let account = Account::from_any(&any).ok_or_else(|| {
        ChainError::corrupt(
            format!("account {}", address.to_bech32()),
            "unknown account type",
        )
    })?;
    Ok(Some(account))
}

/// Stores an account.
pub fn save_account(ctx: &mut Context, address: &Address, account: &Account) {
    ctx.save(keys::account(address), &account.to_any());
}

/// The public key of an account, if it has ever signed or genesis gave it; none for an account with several keys.
///
/// # Errors
/// When the store fails or the key in it is not one.
pub fn public_key(ctx: &Context, address: &Address) -> Result<Option<PublicKey>, ChainError> {
    let Some(account) = account(ctx, address)? else {
        return Ok(None);
    };
    let Some(any) = account.base().and_then(|base| base.pub_key.as_ref()) else {
        return Ok(None);
    };
    SignerKey::from_any(any)
        .map(|key| key.single().cloned())
        .map_err(|reason| ChainError::corrupt(format!("account {}", address.to_bech32()), reason))
}

/// A secp256k1 key as an `Any`.
pub fn encode_public_key(key: &PublicKey) -> Any {
    proto::any::pack(&PubKey {
        key: key.as_bytes().to_vec().into(),
    })
}

/// Makes an account for an address that has none.
///
/// # Errors
/// When the store fails.
pub fn ensure_account(ctx: &mut Context, address: &Address) -> Result<(), ChainError> {
    if ctx.has(&keys::account(address))? {
        return Ok(());
    }
    let account_number = next_number(ctx)?;
    let base = BaseAccount {
        address: address.to_bech32(),
        account_number,
        ..Default::default()
    };
    ctx.set(keys::number(account_number), address.as_bytes().to_vec());
    save_account(ctx, address, &Account::Base(base));
    Ok(())
}

/// Makes a module's account if there is none, and gives its address. An ordinary account under that address becomes the
/// module's, with its number.
///
/// # Errors
/// [`ChainError::Invariant`] for a module that is not in [`MODULES`].
pub fn ensure_module_account(ctx: &mut Context, name: &str) -> Result<Address, ChainError> {
    let module = MODULES
        .iter()
        .find(|module| module.name == name)
        .ok_or_else(|| ChainError::invariant(format!("module `{name}` has no account")))?;
    let address = Address::module(name);
    let base = match account(ctx, &address)? {
        Some(Account::Module(_)) => return Ok(address),
        Some(Account::Base(base)) => base,
        Some(_) => {
            let text = format!("the account of module `{name}` is a vesting account");
            return Err(ChainError::invariant(text));
        }
        None => {
            let account_number = next_number(ctx)?;
            ctx.set(keys::number(account_number), address.as_bytes().to_vec());
            BaseAccount {
                address: address.to_bech32(),
                account_number,
                ..Default::default()
            }
        }
    };
    save_account(ctx, &address, &Account::Module(module.account(base)));
    Ok(address)
}

/// Takes the next account number.
fn next_number(ctx: &mut Context) -> Result<u64, ChainError> {
    let number = match ctx.get(keys::NEXT_NUMBER)? {
        None => 0,
        Some(bytes) => keys::read_u64(&bytes)?,
    };
    let next = number
        .checked_add(1)
        .ok_or_else(|| ChainError::invariant("account numbers used up"))?;
    ctx.set(keys::NEXT_NUMBER.to_vec(), next.to_be_bytes().to_vec());
    Ok(number)
}

/// Params.
///
/// # Errors
/// When the store fails.
pub fn params(ctx: &Context) -> Result<Params, ChainError> {
    Ok(ctx
        .load(keys::PARAMS)?
        .unwrap_or_else(genesis::default_params))
}

/// Stores params.
pub fn save_params(ctx: &mut Context, params: &Params) {
    ctx.set(keys::PARAMS.to_vec(), params.encode_to_vec());
}

#[cfg(test)]
mod tests;
