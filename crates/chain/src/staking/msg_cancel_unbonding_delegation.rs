//! `MsgCancelUnbondingDelegation`: what is on its way back is delegated again. Event: `cancel_unbonding_delegation`.

use proto::cosmos::staking::v1beta1::{
    MsgCancelUnbondingDelegation, MsgCancelUnbondingDelegationResponse,
};

use super::delegate::{Source, delegate};
use super::validator::BondStatus;
use super::{pools, state};
use crate::context::Context;
use crate::error::{ChainError, GrpcCode, TxError};
use crate::message::{account, operator};
use crate::sdk;
use crate::staking::error;

pub(super) fn execute(
    ctx: &mut Context,
    message: MsgCancelUnbondingDelegation,
) -> Result<MsgCancelUnbondingDelegationResponse, TxError> {
    let refuse = |text: &str| TxError::invalid_request(text);
    let operator = operator("validator", &message.validator_address)?;
    let delegator = account("delegator", &message.delegator_address)?;
    let amount = pools::positive(&message.amount).ok_or_else(|| refuse("invalid amount"))?;
    let height = message.creation_height;
    if height <= 0 {
        return Err(refuse("invalid height"));
    }
    pools::check_denom(ctx, &message.amount)?;
    let validator = state::existing_validator(ctx, &operator)?;
    if validator.has_bad_rate() {
        return Err(error::BAD_EXCHANGE_RATE.plain());
    }
    if validator.jailed {
        return Err(error::JAILED.plain());
    }
    let mut unbonding = state::unbonding(ctx, &delegator, &operator)?.ok_or_else(|| {
        let text = format!(
            "unbonding delegation with delegator {} not found for validator {}",
            message.delegator_address, message.validator_address
        );
        TxError::status(GrpcCode::NotFound, text)
    })?;
    let found = unbonding
        .entries
        .iter()
        .position(|entry| entry.creation_height == height);
    let (Some(index), Some(entry)) = (
        found,
        found.and_then(|index| unbonding.entries.get(index).copied()),
    ) else {
        let text =
            format!("unbonding delegation entry is not found at block height {height}: not found");
        return Err(TxError::sdk(sdk::NOT_FOUND, text));
    };
    if entry.balance < amount {
        let text = "amount is greater than the unbonding delegation entry balance";
        return Err(refuse(text));
    }
    if entry.completion_time < ctx.block.time {
        return Err(refuse("unbonding delegation is already processed"));
    }
    let source = Source::Pool(BondStatus::Unbonding);
    delegate(ctx, &delegator, amount, source, validator)?;
    let left = entry.balance.saturating_sub(amount);
    if left == 0 {
        unbonding.entries.remove(index);
    } else if let Some(entry) = unbonding.entries.get_mut(index) {
        entry.balance = left;
        entry.initial_balance = entry
            .initial_balance
            .checked_sub(amount)
            .ok_or_else(|| ChainError::invariant("an unbonding holds more than it started with"))?;
    }
    state::save_unbonding(ctx, &unbonding);
    ctx.emit_raw(
        "cancel_unbonding_delegation",
        &[
            ("amount", &pools::text(&message.amount)),
            ("validator", &message.validator_address),
            ("delegator", &message.delegator_address),
            ("creation_height", &height.to_string()),
        ],
    );
    Ok(MsgCancelUnbondingDelegationResponse {})
}
