//! `MsgBeginRedelegate`: stake moves to another validator at once. Event: `redelegate`.

use proto::cosmos::staking::v1beta1::{MsgBeginRedelegate, MsgBeginRedelegateResponse};

use super::delegate::{redelegate, unbondable_shares};
use super::pools;
use crate::context::Context;
use crate::error::TxError;
use crate::message::{account, operator};
use crate::sdk;

pub(super) fn execute(
    ctx: &mut Context,
    message: MsgBeginRedelegate,
) -> Result<MsgBeginRedelegateResponse, TxError> {
    let from = operator("source validator", &message.validator_src_address)?;
    let to = operator("destination validator", &message.validator_dst_address)?;
    let delegator = account("delegator", &message.delegator_address)?;
    let amount = pools::positive(&message.amount).ok_or_else(|| {
        TxError::sdk(
            sdk::INVALID_REQUEST,
            "invalid shares amount: invalid request",
        )
    })?;
    let shares = unbondable_shares(ctx, &delegator, &from, amount)?;
    pools::check_denom(ctx, &message.amount)?;
    let completion = redelegate(ctx, &delegator, &from, &to, &shares)?;
    ctx.emit_raw(
        "redelegate",
        &[
            ("source_validator", &message.validator_src_address),
            ("destination_validator", &message.validator_dst_address),
            ("amount", &pools::text(&message.amount)),
            (
                "completion_time",
                &proto::time::rfc3339(completion.seconds, 0),
            ),
        ],
    );
    Ok(MsgBeginRedelegateResponse {
        completion_time: completion.to_proto(),
    })
}
