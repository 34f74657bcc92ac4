//! `authz`: one account lets another execute messages in its name (Cosmos SDK v0.53, `x/authz`).
//!
//! A *grant* is an [`Authorization`] under (granter, grantee, message type), with or without an expiration.
//!
//! Invariants
//! - a grant with an expiration stands in the queue under that moment, once; one without does not;
//! - a message executed for a granter was accepted by a grant of that granter, or the grantee is the granter;
//! - a grant is gone in the first block whose time is after its expiration.
//!
//! Start with [`msg_exec`].

use crypto::keys::Address;
use prost::Message as _;
use prost_types::Timestamp;
use proto::cosmos::authz::v1beta1::{
    EventGrant, EventRevoke, Grant, GrantQueueItem, MsgExec, MsgGrant, MsgRevoke,
};

use crate::context::{BlockTime, Context};
use crate::error::{ChainError, TxError};
use crate::limits::{AUTHZ_QUEUE_GAS, SCAN_CHUNK};
use crate::message::{messages, unchecked};
use crate::modules::shared::address;
use crate::sdk;

mod authorization;
mod elsewhere;
pub mod error;
pub mod genesis;
pub mod keys;
mod msg_exec;
mod msg_grant;
mod msg_revoke;
pub mod query;

#[cfg(test)]
mod tests;

pub use authorization::{Acceptance, Authorization};
use error::Error;

messages! {
    MsgExec: signer grantee, check msg_exec::check, execute msg_exec::execute;
    MsgGrant: signer granter, check msg_grant::check, execute msg_grant::execute;
    MsgRevoke: signer granter, check unchecked, execute msg_revoke::execute;
}

/// The grant that lets `grantee` execute messages of a type for `granter`, expired or not.
///
/// # Errors
/// When the store fails.
pub fn grant(
    ctx: &Context,
    granter: &Address,
    grantee: &Address,
    type_url: &str,
) -> Result<Option<Grant>, ChainError> {
    ctx.load(&keys::grant(granter, grantee, type_url))
}

/// Stores a grant in place of an earlier one for the same type. Event: `EventGrant`.
///
/// # Errors
/// authz 3 for an expiration that is not after the block's time.
pub(crate) fn save_grant(
    ctx: &mut Context,
    granter: &Address,
    grantee: &Address,
    authorization: &Authorization,
    expiration: Option<Timestamp>,
) -> Result<(), TxError> {
    let now = ctx.block.time;
    if let Some(expiration) = expiration
        .as_ref()
        .map(BlockTime::from)
        .filter(|time| *time <= now)
    {
        let text = |time: BlockTime| proto::time::rfc3339(time.seconds, 0);
        return Err(Error::InvalidExpirationTime.because(format_args!(
            "expiration must be after the current block time ({}), got {}",
            text(now),
            text(expiration)
        )));
    }
    let type_url = authorization.type_url();
    let old = grant(ctx, granter, grantee, &type_url)?.and_then(|grant| grant.expiration);
    if old != expiration {
        if let Some(old) = &old {
            leave_queue(ctx, granter, grantee, &type_url, old)?;
        }
        if let Some(new) = &expiration {
            join_queue(ctx, granter, grantee, &type_url, new)?;
        }
    }
    let grant = Grant {
        authorization: Some(authorization.to_any()),
        expiration,
    };
    ctx.save(keys::grant(granter, grantee, &type_url), &grant);
    ctx.emit(&EventGrant {
        msg_type_url: type_url,
        granter: granter.to_bech32(),
        grantee: grantee.to_bech32(),
    })?;
    Ok(())
}

/// Removes a grant. Event: `EventRevoke`.
///
/// # Errors
/// authz 2 when there is none.
pub(crate) fn delete_grant(
    ctx: &mut Context,
    granter: &Address,
    grantee: &Address,
    type_url: &str,
) -> Result<(), TxError> {
    let Some(grant) = grant(ctx, granter, grantee, type_url)? else {
        return Err(Error::NoAuthorizationFound.because(format_args!(
            "failed to delete grant of {} to {} for {type_url}",
            granter.to_bech32(),
            grantee.to_bech32()
        )));
    };
    if let Some(expiration) = &grant.expiration {
        leave_queue(ctx, granter, grantee, type_url, expiration)?;
    }
    ctx.remove(&keys::grant(granter, grantee, type_url));
    ctx.emit(&EventRevoke {
        msg_type_url: type_url.to_owned(),
        granter: granter.to_bech32(),
        grantee: grantee.to_bech32(),
    })?;
    Ok(())
}

fn join_queue(
    ctx: &mut Context,
    granter: &Address,
    grantee: &Address,
    type_url: &str,
    expiration: &Timestamp,
) -> Result<(), ChainError> {
    let key = keys::queue(expiration.into(), granter, grantee);
    let mut item: GrantQueueItem = ctx.load(&key)?.unwrap_or_default();
    item.msg_type_urls.push(type_url.to_owned());
    ctx.save(key, &item);
    Ok(())
}

fn leave_queue(
    ctx: &mut Context,
    granter: &Address,
    grantee: &Address,
    type_url: &str,
    expiration: &Timestamp,
) -> Result<(), TxError> {
    let key = keys::queue(expiration.into(), granter, grantee);
    let Some(mut item) = ctx.load::<GrantQueueItem>(&key)? else {
        return Err(Error::NoGrantKeyFound
            .because("can't remove grant from the expire queue, grant key not found"));
    };
    let place = item.msg_type_urls.iter().position(|url| url == type_url);
    let looked_at = place.map_or(item.msg_type_urls.len(), |place| place.saturating_add(1));
    let looked_at = u64::try_from(looked_at).unwrap_or(u64::MAX);
    ctx.charge(looked_at.saturating_mul(AUTHZ_QUEUE_GAS), "grant queue")?;
    if let Some(place) = place {
        item.msg_type_urls.swap_remove(place);
    }
    // An item without types would do nothing when its time comes.
    if item.msg_type_urls.is_empty() {
        ctx.remove(&key);
    } else {
        ctx.save(key, &item);
    }
    Ok(())
}

/// Removes the grants whose expiration is before the block's time.
///
/// # Errors
/// When the store fails.
pub fn begin_block(ctx: &mut Context) -> Result<(), ChainError> {
    // Keys sort by moment; those of the block's own moment are kept, as such a grant still works in this block.
    let first_kept = keys::queue_from(ctx.block.time);
    loop {
        let from = std::ops::Bound::Excluded(first_kept.as_slice());
        let expired = ctx.scan(keys::QUEUE, from, true, SCAN_CHUNK)?;
        for (key, value) in &expired {
            let (granter, grantee) = keys::split_queue(key)?;
            let item = GrantQueueItem::decode(value.as_slice())
                .map_err(|error| ChainError::corrupt(hex::encode(key), error))?;
            ctx.remove(key);
            for type_url in &item.msg_type_urls {
                ctx.remove(&keys::grant(&granter, &grantee, type_url));
            }
        }
        if expired.len() < SCAN_CHUNK {
            return Ok(());
        }
    }
}

/// An account in a message.
///
/// # Errors
/// sdk 7.
fn account(role: &str, text: &str) -> Result<Address, TxError> {
    address::parse(text).map_err(|reason| {
        let text = format!("invalid {role} address: {reason}: invalid address");
        TxError::sdk(sdk::INVALID_ADDRESS, text)
    })
}
