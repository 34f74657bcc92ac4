//! `feegrant`: one account pays the fees of another, up to an allowance (Cosmos SDK v0.53, `x/feegrant`).
//!
//! Invariants
//! - there is at most one [`Allowance`] under (grantee, granter);
//! - one with an expiration stands in the queue under that moment; it is gone at the end of the first block whose time is
//!   after it, or of a later one when more than [`FEEGRANT_PRUNED_MAX`] expire at once.
//!
//! Start with [`use_granted_fees`], which the fee deduction calls.

use std::ops::Bound;

use crypto::keys::Address;
use proto::cosmos::feegrant::v1beta1::{
    Grant, MsgGrantAllowance, MsgPruneAllowances, MsgRevokeAllowance,
};

use crate::bank::Coins;
use crate::context::Context;
use crate::error::{ChainError, TxError};
use crate::limits::FEEGRANT_PRUNED_MAX;
use crate::message::{messages, unchecked};
use crate::{auth, bank, sdk};

mod allowance;
pub mod error;
pub mod genesis;
pub mod keys;
mod msg;
pub mod query;

#[cfg(test)]
mod tests;

pub use allowance::Allowance;

messages! {
    MsgGrantAllowance: signer granter, check msg::check_grant, execute msg::grant;
    MsgRevokeAllowance: signer granter, check unchecked, execute msg::revoke;
    MsgPruneAllowances: signer pruner, check unchecked, execute msg::prune;
}

/// The allowance of a grantee with a granter, expired or not.
///
/// # Errors
/// When the store fails or holds something else.
pub fn allowance(
    ctx: &Context,
    granter: &Address,
    grantee: &Address,
) -> Result<Option<Allowance>, ChainError> {
    let Some(grant) = ctx.load::<Grant>(&keys::allowance(grantee, granter))? else {
        return Ok(None);
    };
    let wrong = || ChainError::corrupt("feegrant", "not an allowance");
    let any = grant.allowance.ok_or_else(wrong)?;
    Allowance::from_any(&any).map(Some).map_err(|_| wrong())
}

/// Refuses a second allowance between two accounts.
fn check_absent(ctx: &Context, granter: &Address, grantee: &Address) -> Result<(), TxError> {
    if ctx.has(&keys::allowance(grantee, granter))? {
        return Err(TxError::invalid_request("fee allowance already exists"));
    }
    Ok(())
}

/// Stores a new allowance. Event: `set_feegrant`.
///
/// # Errors
/// sdk 18 when there is one already or it has expired, sdk 4 for a grantee that may not exist.
pub(crate) fn grant_allowance(
    ctx: &mut Context,
    granter: &Address,
    grantee: &Address,
    allowance: &Allowance,
) -> Result<(), TxError> {
    check_absent(ctx, granter, grantee)?;
    if auth::account(ctx, grantee)?.is_none() {
        bank::check_receiver(grantee)?;
        auth::ensure_account(ctx, grantee)?;
    }
    if let Some(expiration) = allowance.expires() {
        if expiration < ctx.block.time {
            let text = "expiration is before current block time";
            return Err(TxError::invalid_request(text));
        }
        ctx.set(keys::queue(expiration, grantee, granter), Vec::new());
    }
    save(ctx, granter, grantee, allowance);
    emit(ctx, "set_feegrant", granter, grantee);
    Ok(())
}

/// Removes an allowance. Event: `revoke_feegrant`.
///
/// # Errors
/// sdk 38 when there is none.
pub(crate) fn revoke_allowance(
    ctx: &mut Context,
    granter: &Address,
    grantee: &Address,
) -> Result<(), TxError> {
    let allowance = allowance(ctx, granter, grantee)?.ok_or_else(not_found)?;
    ctx.remove(&keys::allowance(grantee, granter));
    if let Some(expiration) = allowance.expires() {
        // The reference turns the two accounts around here and removes nothing.
        let key = if ctx.rules.revoked_allowance_leaves_queue {
            keys::queue(expiration, grantee, granter)
        } else {
            keys::queue(expiration, granter, grantee)
        };
        ctx.remove(&key);
    }
    emit(ctx, "revoke_feegrant", granter, grantee);
    Ok(())
}

/// Takes a fee from the allowance of `grantee` with `granter`, for messages of the given type URLs. Events:
/// `use_feegrant`, and `update_feegrant` before what is left is stored, or `revoke_feegrant` when nothing is.
///
/// # Errors
/// sdk 38 without allowance, feegrant 2, 3 and 7 when it does not suffice, has expired or is not for such messages.
pub fn use_granted_fees(
    ctx: &mut Context,
    granter: &Address,
    grantee: &Address,
    fee: &Coins,
    type_urls: &[&str],
) -> Result<(), TxError> {
    let mut allowance = allowance(ctx, granter, grantee)?.ok_or_else(not_found)?;
    let used_up = allowance.accept(ctx, fee, type_urls)?;
    if used_up {
        revoke_allowance(ctx, granter, grantee)?;
    }
    emit(ctx, "use_feegrant", granter, grantee);
    if !used_up {
        save(ctx, granter, grantee, &allowance);
        emit(ctx, "update_feegrant", granter, grantee);
    }
    Ok(())
}

/// Removes allowances that have expired.
///
/// # Errors
/// When the store fails.
pub fn end_block(ctx: &mut Context) -> Result<(), ChainError> {
    remove_expired(ctx, FEEGRANT_PRUNED_MAX)
}

/// Removes at most `limit` allowances whose expiration is before the block's time, the earliest first.
fn remove_expired(ctx: &mut Context, limit: usize) -> Result<(), ChainError> {
    let now = keys::queue_from(ctx.block.time);
    let expired = ctx.scan(keys::QUEUE, Bound::Unbounded, false, limit)?;
    for (key, _) in expired.iter().take_while(|(key, _)| *key < now) {
        let (grantee, granter) = keys::split_queue(key)?;
        ctx.remove(key);
        ctx.remove(&keys::allowance(&grantee, &granter));
    }
    Ok(())
}

fn save(ctx: &mut Context, granter: &Address, grantee: &Address, allowance: &Allowance) {
    let grant = Grant {
        granter: granter.to_bech32(),
        grantee: grantee.to_bech32(),
        allowance: Some(allowance.to_any()),
    };
    ctx.save(keys::allowance(grantee, granter), &grant);
}

fn emit(ctx: &mut Context, kind: &str, granter: &Address, grantee: &Address) {
    let (granter, grantee) = (granter.to_bech32(), grantee.to_bech32());
    ctx.emit_raw(kind, &[("granter", &granter), ("grantee", &grantee)]);
}

fn not_found() -> TxError {
    TxError::sdk(sdk::NOT_FOUND, "fee-grant not found: not found")
}
