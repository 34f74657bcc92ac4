//! Messages of the module: `MsgUnjail`, and `MsgUpdateParams` by the governance account.

use proto::cosmos::slashing::v1beta1::{
    MsgUnjail, MsgUnjailResponse, MsgUpdateParams, MsgUpdateParamsResponse,
};

use super::{error, params, state};
use crate::context::{BlockTime, Context};
use crate::error::TxError;
use crate::message::operator;
use crate::modules::shared::authority::require_gov;
use crate::staking;

/// A validator whose time in jail is over, and which has its promised stake, takes part again.
pub(super) fn unjail(ctx: &mut Context, message: MsgUnjail) -> Result<MsgUnjailResponse, TxError> {
    let operator = operator("validator input", &message.validator_addr)?;
    let mut validator = staking::existing_validator(ctx, &operator)?;
    let own = staking::existing_delegation(ctx, &operator, &operator)?;
    let tokens = validator.tokens_of(&own.shares)?.truncate()?;
    if tokens < validator.min_self_delegation {
        let promised = validator.min_self_delegation;
        return Err(error::self_delegation_too_low(tokens, promised));
    }
    if !validator.jailed {
        return Err(error::not_jailed());
    }
    // One that was never bonded has no info and may leave when it likes.
    if let Some(info) = state::signing_info(ctx, &validator.consensus_address()?)? {
        let until = BlockTime::from_proto(&info.jailed_until);
        if info.tombstoned || ctx.block.time < until {
            return Err(error::still_jailed());
        }
    }
    staking::unjail(ctx, &mut validator)?;
    Ok(MsgUnjailResponse {})
}

pub(super) fn update_params(
    ctx: &mut Context,
    message: MsgUpdateParams,
) -> Result<MsgUpdateParamsResponse, TxError> {
    require_gov(&message.authority)?;
    params::validate(&message.params)?;
    params::save(ctx, &message.params);
    Ok(MsgUpdateParamsResponse {})
}
