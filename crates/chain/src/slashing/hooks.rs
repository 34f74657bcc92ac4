//! What the module does when validators come and go.

use crypto::keys::Address;

use super::{keys, state};
use crate::context::Context;
use crate::error::ChainError;
use crate::staking::Validator;

/// The consensus key of a validator is known from now on.
pub(crate) fn validator_created(
    ctx: &mut Context,
    validator: &Validator,
) -> Result<(), ChainError> {
    let key = keys::pub_key(&validator.consensus_address()?);
    ctx.save(key, &validator.consensus_pubkey);
    Ok(())
}

/// The consensus key of a validator is no longer known.
pub(crate) fn validator_removed(ctx: &mut Context, consensus: &Address) {
    ctx.remove(&keys::pub_key(consensus));
}

/// A validator starts to sign, or starts again.
pub(crate) fn validator_bonded(ctx: &mut Context, consensus: &Address) -> Result<(), ChainError> {
    let height = ctx.block.height;
    let info = match state::signing_info(ctx, consensus)? {
        Some(mut info) => {
            info.start_height = height;
            info
        }
        None => state::new_signing_info(consensus, height),
    };
    state::save_signing_info(ctx, consensus, &info);
    Ok(())
}
