//! End of a block: its hash is stored, for the ids of sessions, the draw of proof requirements and the paths of proofs.

use super::keys;
use crate::context::Context;
use crate::error::ChainError;

/// Stores the hash of this block under its height.
///
/// # Errors
/// Never; the signature is that of every phase.
pub fn end_block(ctx: &mut Context<'_>) -> Result<(), ChainError> {
    let hash = ctx.block.hash.clone();
    ctx.set(keys::block_hash(ctx.block.height), hash);
    Ok(())
}
