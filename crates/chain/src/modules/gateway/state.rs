//! Gateways in the state.

use proto::pocket::gateway::Gateway;

use super::keys;
use crate::context::Context;
use crate::error::ChainError;
use crate::modules::shared::{ending, grid, history};

/// A gateway by address.
///
/// # Errors
/// When the store fails or the record cannot be read.
pub fn get(ctx: &Context<'_>, address: &str) -> Result<Option<Gateway>, ChainError> {
    ctx.load(&keys::gateway(address))
}

/// Stores a gateway and marks whether it is unbonding.
///
/// # Errors
/// As [`get`].
pub(super) fn save(ctx: &mut Context<'_>, gateway: &Gateway) -> Result<(), ChainError> {
    let address = &gateway.address;
    let before = get(ctx, address)?.map_or(0, |before| before.unstake_session_end_height);
    let after = gateway.unstake_session_end_height;
    if before != after {
        unmark(ctx, before, address);
        if after != 0 {
            let stopped = grid::signed(after);
            ctx.set(keys::unbonding(stopped, address), vec![1]);
            ctx.set(keys::stopping(stopped, address), vec![1]);
        }
    }
    ctx.save(keys::gateway(address), gateway);
    Ok(())
}

/// Removes a gateway.
pub(super) fn remove(ctx: &mut Context<'_>, gateway: &Gateway) {
    unmark(ctx, gateway.unstake_session_end_height, &gateway.address);
    ctx.remove(&keys::gateway(&gateway.address));
}

fn unmark(ctx: &mut Context<'_>, unstake_session_end_height: u64, address: &str) {
    if unstake_session_end_height != 0 {
        let stopped = grid::signed(unstake_session_end_height);
        ctx.remove(&keys::unbonding(stopped, address));
        ctx.remove(&keys::stopping(stopped, address));
    }
}

/// Addresses, in their order, of gateways whose last session is over and that have not been taken from their
/// applications yet; each is given once.
///
/// # Errors
/// When the store fails.
pub fn take_stopped(ctx: &mut Context<'_>) -> Result<Vec<String>, ChainError> {
    let last = ctx.block.height.saturating_sub(1);
    let mut stopped = Vec::new();
    for (session_end, address) in ending::between(ctx, keys::STOPPING, 0, last)? {
        ctx.remove(&keys::stopping(session_end, &address));
        stopped.push(address);
    }
    stopped.sort_unstable();
    Ok(stopped)
}

/// All gateways in order of their addresses.
///
/// # Errors
/// As [`get`].
pub fn all(ctx: &Context<'_>) -> Result<Vec<Gateway>, ChainError> {
    history::all(ctx, keys::GATEWAYS)
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
