//! Messages of the module: where rewards go, taking them, giving to the community and to a validator's delegators, and
//! what the governance account may do.

use crypto::keys::{ADDRESS_PREFIX, Address, VALOPER_PREFIX};
use proto::cosmos::distribution::v1beta1 as types;

use super::{MODULE, allocation, error, keys, params, rewards, state};
use crate::bank::{self, Coins};
use crate::context::Context;
use crate::decimal::{Dec, DecCoins};
use crate::error::TxError;
use crate::message::{account, operator};
use crate::modules::shared::address;
use crate::modules::shared::authority::require_gov;
use crate::sdk;
use crate::staking;

/// Event: `set_withdraw_address`.
pub(super) fn set_withdraw_address(
    ctx: &mut Context,
    message: types::MsgSetWithdrawAddress,
) -> Result<types::MsgSetWithdrawAddressResponse, TxError> {
    let delegator = account("delegator", &message.delegator_address)?;
    let to = account("withdraw", &message.withdraw_address)?;
    check_not_blocked(&to)?;
    if !params(ctx)?.withdraw_addr_enabled {
        return Err(error::withdraw_address_disabled());
    }
    ctx.emit_raw(
        "set_withdraw_address",
        &[("withdraw_address", &to.to_bech32())],
    );
    let key = keys::withdraw_address(&delegator);
    ctx.set(key, to.as_bytes().to_vec());
    Ok(types::MsgSetWithdrawAddressResponse {})
}

fn check_not_blocked(to: &Address) -> Result<(), TxError> {
    if bank::is_blocked(to) {
        let text = format!("{to} is not allowed to receive external funds: unauthorized");
        return Err(TxError::sdk(sdk::UNAUTHORIZED, text));
    }
    Ok(())
}

/// Events: those of the transfer, `withdraw_rewards`.
pub(super) fn withdraw_delegator_reward(
    ctx: &mut Context,
    message: types::MsgWithdrawDelegatorReward,
) -> Result<types::MsgWithdrawDelegatorRewardResponse, TxError> {
    let operator = operator("validator", &message.validator_address)?;
    let delegator = account("delegator", &message.delegator_address)?;
    let validator = staking::existing_validator(ctx, &operator)?;
    let delegation = staking::existing_delegation(ctx, &delegator, &operator)?;
    let coins = rewards::withdraw(ctx, &validator, &delegation)?;
    rewards::start(ctx, &delegator, &operator)?;
    Ok(types::MsgWithdrawDelegatorRewardResponse {
        amount: rewards::answered(&coins),
    })
}

/// Events: those of the transfer, `withdraw_commission`.
pub(super) fn withdraw_validator_commission(
    ctx: &mut Context,
    message: types::MsgWithdrawValidatorCommission,
) -> Result<types::MsgWithdrawValidatorCommissionResponse, TxError> {
    let operator = operator("validator", &message.validator_address)?;
    let commission = state::commission(ctx, &operator)?;
    if commission.is_empty() {
        return Err(error::no_commission());
    }
    let (coins, rest) = commission.truncate()?;
    // Fractions stay until they are whole.
    state::save_commission(ctx, &operator, &rest);
    let outstanding = state::outstanding(ctx, &operator)?.minus(&DecCoins::from(&coins))?;
    state::save_outstanding(ctx, &operator, &outstanding);
    if !coins.is_empty() {
        let to = state::withdraw_address(ctx, &operator)?;
        bank::module_to_account(ctx, MODULE, &to, &coins.to_proto())?;
    }
    ctx.emit_raw("withdraw_commission", &[("amount", &coins.to_string())]);
    Ok(types::MsgWithdrawValidatorCommissionResponse {
        amount: coins.to_proto(),
    })
}

/// Events: those of the transfer.
pub(super) fn fund_community_pool(
    ctx: &mut Context,
    message: types::MsgFundCommunityPool,
) -> Result<types::MsgFundCommunityPoolResponse, TxError> {
    let depositor = account("depositor", &message.depositor)?;
    let coins = given(&message.amount)?;
    bank::account_to_module(ctx, &depositor, MODULE, &message.amount)?;
    state::add_to_community(ctx, &DecCoins::from(&coins))?;
    Ok(types::MsgFundCommunityPoolResponse {})
}

/// Coins that must be there and well formed.
fn given(amount: &[proto::cosmos::base::v1beta1::Coin]) -> Result<Coins, TxError> {
    if amount.is_empty() {
        return Err(TxError::sdk(
            sdk::INVALID_COINS,
            "amount cannot be nil: invalid coins",
        ));
    }
    Coins::strict(amount)
}

pub(super) fn update_params(
    ctx: &mut Context,
    message: types::MsgUpdateParams,
) -> Result<types::MsgUpdateParamsResponse, TxError> {
    account("authority", &message.authority)?;
    require_gov(&message.authority)?;
    for deprecated in [
        &message.params.base_proposer_reward,
        &message.params.bonus_proposer_reward,
    ] {
        if !matches!(Dec::read_wire(deprecated), Some(value) if value.as_ref().is_none_or(Dec::is_zero))
        {
            let text = "cannot update base or bonus proposer reward because these are deprecated \
                        fields: invalid request";
            return Err(TxError::sdk(sdk::INVALID_REQUEST, text));
        }
    }
    params::validate(&message.params)?;
    params::save(ctx, &message.params);
    Ok(types::MsgUpdateParamsResponse {})
}

/// Events: those of the transfer.
pub(super) fn community_pool_spend(
    ctx: &mut Context,
    message: types::MsgCommunityPoolSpend,
) -> Result<types::MsgCommunityPoolSpendResponse, TxError> {
    account("authority", &message.authority)?;
    require_gov(&message.authority)?;
    let coins = given(&message.amount)?;
    let recipient = address::of_signer(ADDRESS_PREFIX, &message.recipient)?;
    check_not_blocked(&recipient)?;
    let left = state::community_pool(ctx)?.minus_signed(&DecCoins::from(&coins))?;
    if left.any_negative() {
        return Err(error::bad_distribution());
    }
    bank::module_to_account(ctx, MODULE, &recipient, &coins.to_proto())?;
    state::save_community_pool(ctx, &left);
    Ok(types::MsgCommunityPoolSpendResponse {})
}

/// Events: those of the transfer, `commission`, `rewards`.
pub(super) fn deposit_validator_rewards_pool(
    ctx: &mut Context,
    message: types::MsgDepositValidatorRewardsPool,
) -> Result<types::MsgDepositValidatorRewardsPoolResponse, TxError> {
    let depositor = address::of_signer(ADDRESS_PREFIX, &message.depositor)?;
    let coins = Coins::strict(&message.amount)?;
    bank::account_to_module(ctx, &depositor, MODULE, &message.amount)?;
    let operator = address::of_signer(VALOPER_PREFIX, &message.validator_address)?;
    let validator = staking::existing_validator(ctx, &operator)?;
    allocation::give(ctx, &validator, &DecCoins::from(&coins))?;
    Ok(types::MsgDepositValidatorRewardsPoolResponse {})
}
