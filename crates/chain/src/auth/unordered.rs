//! Nonces of unordered transactions: (sender, timeout), kept until the timeout has passed (chain specification 6.4).

use crypto::keys::Address;

use crate::auth::keys;
use crate::context::Context;
use crate::error::{ChainError, TxError};
use crate::sdk;

/// Remembers that a sender has used a timeout.
///
/// # Errors
/// sdk 18 when it has already.
pub fn use_nonce(ctx: &mut Context, sender: &Address, timeout_nanos: u64) -> Result<(), TxError> {
    let key = keys::nonce(timeout_nanos, sender);
    if ctx.has(&key)? {
        let text = format!(
            "failed to add unordered nonce: sender {} has already used timeout {timeout_nanos}: invalid request",
            sender.to_bech32()
        );
        return Err(TxError::sdk(sdk::INVALID_REQUEST, text));
    }
    ctx.set(key, Vec::new());
    Ok(())
}

/// Forgets the nonces whose timeout is not after the block's time. Runs before BeginBlock.
///
/// # Errors
/// When the store fails.
pub fn expire(ctx: &mut Context) -> Result<(), ChainError> {
    let now = u64::try_from(ctx.block.time.unix_nanos()).unwrap_or(0);
    // Everything with a timeout of at most `now` sorts before the first key of `now + 1`.
    let first_kept = [keys::NONCES, now.saturating_add(1).to_be_bytes().as_slice()].concat();
    let mut expired = Vec::new();
    for pair in ctx.iter_between(keys::NONCES.to_vec(), first_kept) {
        expired.push(pair?.0);
    }
    for key in &expired {
        ctx.remove(key);
    }
    Ok(())
}
