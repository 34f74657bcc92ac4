//! `MsgDelegate`: coins become part of a validator's stake. Event: `delegate`.

use proto::cosmos::staking::v1beta1::{MsgDelegate, MsgDelegateResponse};

use super::delegate::{Source, delegate};
use super::{pools, state};
use crate::context::Context;
use crate::error::TxError;
use crate::message::{account, operator};
use crate::sdk;

pub(super) fn execute(
    ctx: &mut Context,
    message: MsgDelegate,
) -> Result<MsgDelegateResponse, TxError> {
    let validator = operator("validator", &message.validator_address)?;
    let delegator = account("delegator", &message.delegator_address)?;
    let amount = pools::positive(&message.amount).ok_or_else(|| {
        TxError::sdk(
            sdk::INVALID_REQUEST,
            "invalid delegation amount: invalid request",
        )
    })?;
    let validator = state::existing_validator(ctx, &validator)?;
    pools::check_denom(ctx, &message.amount)?;
    let shares = delegate(ctx, &delegator, amount, Source::Account, validator)?;
    ctx.emit_raw(
        "delegate",
        &[
            ("validator", &message.validator_address),
            ("delegator", &message.delegator_address),
            ("amount", &pools::text(&message.amount)),
            ("new_shares", &shares.to_string()),
        ],
    );
    Ok(MsgDelegateResponse {})
}
