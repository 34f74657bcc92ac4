//! Messages that make vesting accounts: a new account is given coins that are bound at first (Cosmos SDK v0.53,
//! `x/auth/vesting`). What binds them is in [`crate::auth::vesting`].

use crypto::keys::Address;
use proto::cosmos::auth::v1beta1::BaseAccount;
use proto::cosmos::vesting::v1beta1::{
    BaseVestingAccount, ContinuousVestingAccount, DelayedVestingAccount,
    MsgCreatePeriodicVestingAccount, MsgCreatePeriodicVestingAccountResponse,
    MsgCreatePermanentLockedAccount, MsgCreatePermanentLockedAccountResponse,
    MsgCreateVestingAccount, MsgCreateVestingAccountResponse, PeriodicVestingAccount,
    PermanentLockedAccount,
};

use crate::auth::{self, Account};
use crate::bank::{self, Coins};
use crate::context::Context;
use crate::error::{ChainError, TxError};
use crate::message::{messages, unchecked};
use crate::modules::shared::address;
use crate::sdk;

messages! {
    MsgCreateVestingAccount: signer from_address, check unchecked, execute create;
    MsgCreatePermanentLockedAccount: signer from_address, check unchecked, execute create_locked;
    MsgCreatePeriodicVestingAccount: signer from_address, check unchecked, execute create_periodic;
}

/// Bound until a moment, or freed bit by bit from now until then. Events: those of the transfer.
fn create(
    ctx: &mut Context,
    message: MsgCreateVestingAccount,
) -> Result<MsgCreateVestingAccountResponse, TxError> {
    let (from, to) = parties(&message.from_address, &message.to_address)?;
    let coins = Coins::positive(&message.amount)?;
    if message.end_time <= 0 {
        return Err(TxError::invalid_request("invalid end time"));
    }
    bank::msg::check_send_enabled(ctx, &coins)?;
    check_new(ctx, &to)?;
    let start_time = ctx.block.time.seconds;
    give(ctx, &from, &to, &coins, |base| {
        let base_vesting_account = bound(base, &coins, message.end_time);
        if message.delayed {
            Account::DelayedVesting(DelayedVestingAccount {
                base_vesting_account,
            })
        } else {
            Account::ContinuousVesting(ContinuousVestingAccount {
                base_vesting_account,
                start_time,
            })
        }
    })?;
    Ok(MsgCreateVestingAccountResponse {})
}

/// Bound forever. Events: those of the transfer.
fn create_locked(
    ctx: &mut Context,
    message: MsgCreatePermanentLockedAccount,
) -> Result<MsgCreatePermanentLockedAccountResponse, TxError> {
    let (from, to) = parties(&message.from_address, &message.to_address)?;
    let coins = Coins::positive(&message.amount)?;
    bank::msg::check_send_enabled(ctx, &coins)?;
    check_new(ctx, &to)?;
    give(ctx, &from, &to, &coins, |base| {
        Account::PermanentLocked(PermanentLockedAccount {
            base_vesting_account: bound(base, &coins, 0),
        })
    })?;
    Ok(MsgCreatePermanentLockedAccountResponse {})
}

/// Freed in periods, one after another. Events: those of the transfer.
fn create_periodic(
    ctx: &mut Context,
    message: MsgCreatePeriodicVestingAccount,
) -> Result<MsgCreatePeriodicVestingAccountResponse, TxError> {
    let (from, to) = parties(&message.from_address, &message.to_address)?;
    let start_time = message.start_time;
    if start_time < 1 {
        let text = format!("invalid start time of {start_time}, length must be greater than 0");
        return Err(TxError::invalid_request(text));
    }
    let mut coins = Coins::new();
    let mut end_time = Some(start_time);
    for (position, period) in message.vesting_periods.iter().enumerate() {
        let length = period.length;
        if length < 1 {
            let text = format!(
                "invalid period length of {length} in period {position}, length must be greater than 0"
            );
            return Err(TxError::invalid_request(text));
        }
        for (denom, amount) in Coins::positive(&period.amount)?.iter() {
            coins
                .add(denom, amount)
                .ok_or_else(|| TxError::panic("a sum of more than can be counted"))?;
        }
        end_time = end_time.and_then(|end| end.checked_add(length));
    }
    check_new(ctx, &to)?;
    bank::msg::check_send_enabled(ctx, &coins)?;
    let end_time = end_time
        .filter(|end| start_time < *end)
        .ok_or_else(|| TxError::invalid_request("vesting start-time cannot be before end-time"))?;
    give(ctx, &from, &to, &coins, |base| {
        Account::PeriodicVesting(PeriodicVestingAccount {
            base_vesting_account: bound(base, &coins, end_time),
            start_time,
            vesting_periods: message.vesting_periods,
        })
    })?;
    Ok(MsgCreatePeriodicVestingAccountResponse {})
}

/// Who gives and who gets.
fn parties(from: &str, to: &str) -> Result<(Address, Address), TxError> {
    let parse = |role: &str, text: &str| {
        address::parse(text).map_err(|reason| {
            let text = format!("invalid '{role}' address: {reason}: invalid address");
            TxError::sdk(sdk::INVALID_ADDRESS, text)
        })
    };
    Ok((parse("from", from)?, parse("to", to)?))
}

/// Who gets must be allowed to, and must not be there yet.
fn check_new(ctx: &Context, to: &Address) -> Result<(), TxError> {
    bank::check_receiver(to)?;
    match auth::account(ctx, to)? {
        None => Ok(()),
        Some(_) => Err(TxError::invalid_request(format_args!(
            "account {to} already exists"
        ))),
    }
}

fn bound(base: BaseAccount, coins: &Coins, end_time: i64) -> Option<BaseVestingAccount> {
    Some(BaseVestingAccount {
        base_account: Some(base),
        original_vesting: coins.to_proto(),
        end_time,
        ..Default::default()
    })
}

/// Makes an account of a kind, under the next number, and moves the coins there.
fn give(
    ctx: &mut Context,
    from: &Address,
    to: &Address,
    coins: &Coins,
    kind: impl FnOnce(BaseAccount) -> Account,
) -> Result<(), TxError> {
    auth::ensure_account(ctx, to)?;
    let Some(Account::Base(base)) = auth::account(ctx, to)? else {
        return Err(ChainError::invariant("a new account is an ordinary one").into());
    };
    auth::save_account(ctx, to, &kind(base));
    bank::send(ctx, from, to, &coins.to_proto())
}

#[cfg(test)]
mod tests;
