//! Gateways in the state.

use proto::pocket::gateway::Gateway;

use super::keys;
use crate::context::Context;
use crate::error::ChainError;
use crate::modules::shared::{grid, history, keys::take_text};

/// A gateway by address.
///
/// # Errors
/// When the store fails or the record cannot be read.
pub fn get(ctx: &Context<'_>, address: &str) -> Result<Option<Gateway>, ChainError> {
    ctx.load(&keys::gateway(address))
}

/// Stores a gateway and marks whether it is unbonding.
pub(super) fn save(ctx: &mut Context<'_>, gateway: &Gateway) {
    if gateway.unstake_session_end_height == 0 {
        ctx.remove(&keys::unbonding(&gateway.address));
    } else {
        ctx.set(keys::unbonding(&gateway.address), vec![1]);
    }
    ctx.save(keys::gateway(&gateway.address), gateway);
}

/// Removes a gateway.
pub(super) fn remove(ctx: &mut Context<'_>, address: &str) {
    ctx.remove(&keys::unbonding(address));
    ctx.remove(&keys::gateway(address));
}

/// All gateways in order of their addresses.
///
/// # Errors
/// As [`get`].
pub fn all(ctx: &Context<'_>) -> Result<Vec<Gateway>, ChainError> {
    history::all(ctx, keys::GATEWAYS)
}

/// Gateways that are unbonding, in order of their addresses.
///
/// # Errors
/// As [`get`].
pub fn unbonding(ctx: &Context<'_>) -> Result<Vec<Gateway>, ChainError> {
    let mut out = Vec::new();
    for pair in ctx.iter(keys::UNBONDING) {
        let (key, _) = pair?;
        let tail = key.strip_prefix(keys::UNBONDING).unwrap_or_default();
        if let Some((address, _)) = take_text(tail) {
            out.extend(get(ctx, address)?);
        }
    }
    Ok(out)
}

/// Whether a gateway still serves at a height: always, or to the end of the session in which it unstaked.
pub fn is_active(gateway: &Gateway, height: i64) -> bool {
    let stopped = gateway.unstake_session_end_height;
    stopped == 0 || height <= grid::signed(stopped)
}

/// A gateway without its card, as events and dehydrated answers show it.
pub(super) fn without_card(gateway: &Gateway) -> Gateway {
    Gateway {
        metadata: None,
        ..gateway.clone()
    }
}
