//! End of a block: claims that are due settle, then the difficulties of their services move.

use super::{difficulty, settlement, validators};
use crate::context::Context;
use crate::error::ChainError;

/// Settles what is due at this height.
///
/// # Errors
/// When the store fails. A coin that cannot be moved is not an error.
pub fn end_block(ctx: &mut Context<'_>) -> Result<(), ChainError> {
    let relays = settlement::settle(ctx, validators::validators)?;
    difficulty::update(ctx, &relays)
}
