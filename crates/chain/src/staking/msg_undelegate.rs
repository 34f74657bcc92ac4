//! `MsgUndelegate`: stake starts on its way back to the delegator. Event: `unbond`.

use proto::cosmos::staking::v1beta1::{MsgUndelegate, MsgUndelegateResponse};

use super::delegate::{unbondable_shares, undelegate};
use super::pools;
use crate::bank;
use crate::context::Context;
use crate::error::TxError;
use crate::message::{account, operator};
use crate::sdk;

pub(super) fn execute(
    ctx: &mut Context,
    message: MsgUndelegate,
) -> Result<MsgUndelegateResponse, TxError> {
    let validator = operator("validator", &message.validator_address)?;
    let delegator = account("delegator", &message.delegator_address)?;
    let amount = pools::positive(&message.amount).ok_or_else(|| {
        TxError::sdk(
            sdk::INVALID_REQUEST,
            "invalid shares amount: invalid request",
        )
    })?;
    let shares = unbondable_shares(ctx, &delegator, &validator, amount)?;
    pools::check_denom(ctx, &message.amount)?;
    let (completion, amount) = undelegate(ctx, &delegator, &validator, &shares)?;
    let coin = bank::coin(amount, &message.amount.denom);
    ctx.emit_raw(
        "unbond",
        &[
            ("validator", &message.validator_address),
            ("delegator", &message.delegator_address),
            ("amount", &pools::text(&coin)),
            (
                "completion_time",
                &proto::time::rfc3339(completion.seconds, 0),
            ),
        ],
    );
    Ok(MsgUndelegateResponse {
        completion_time: completion.to_proto(),
        amount: coin,
    })
}
