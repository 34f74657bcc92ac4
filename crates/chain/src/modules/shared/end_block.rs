//! End of a block: params whose height has come become live. Runs after every other pocket module, so that the whole
//! block still ran under the old ones.

use super::params;
use crate::context::Context;
use crate::error::ChainError;

/// Promotes the params that count from this height.
///
/// # Errors
/// When the store fails.
pub fn end_block(ctx: &mut Context<'_>) -> Result<(), ChainError> {
    params::promote(ctx)
}
