//! How the proposers' pools are divided over validators and their delegators (chain specification 3.5).

use std::collections::BTreeSet;

use proto::pocket::tokenomics::{EventValidatorRewardDistribution, SettlementOpReason as Reason};
use protocol::Upokt;
use protocol::settlement::{ATTO, Validator, ValidatorReward, distribute};

use super::operations::Operations;
use super::round::Round;
use crate::context::Context;
use crate::error::ChainError;
use crate::modules::tokenomics::{BondedValidator, MODULE};

impl Round {
    /// Queues what validators and delegators get. Without bonded validators the pools stay where they were minted.
    ///
    /// # Errors
    /// When an event cannot be made.
    pub(super) fn reward_validators(
        &mut self,
        ctx: &mut Context<'_>,
        validators: &[BondedValidator],
    ) -> Result<(), ChainError> {
        let of_burn = (
            self.pools.of_burn,
            Reason::TlmRelayBurnEqualsMintValidatorRewardDistribution,
            Reason::TlmRelayBurnEqualsMintDelegatorRewardDistribution,
        );
        let of_mint = (
            self.pools.of_mint,
            Reason::TlmGlobalMintValidatorRewardDistribution,
            Reason::TlmGlobalMintDelegatorRewardDistribution,
        );
        let bonded: Vec<Validator> = validators
            .iter()
            .map(|bonded| bonded.validator.clone())
            .collect();
        let accounts: BTreeSet<&str> = bonded
            .iter()
            .map(|validator| validator.account.as_str())
            .collect();
        let mut queue = Operations::default();
        for (pool, to_validator, to_delegator) in [of_burn, of_mint] {
            if pool.is_zero() {
                continue;
            }
            let divided = match distribute(pool, &bonded) {
                Ok(divided) => divided,
                Err(error) => {
                    tracing::error!(%pool, %error, "rewards of validators cannot be divided");
                    continue;
                }
            };
            for (recipient, amount) in &divided.transfers {
                let reason = if accounts.contains(recipient.as_str()) {
                    to_validator
                } else {
                    to_delegator
                };
                queue.pay(MODULE, recipient, reason, *amount);
            }
            for reward in &divided.rewards {
                self.emit_reward(ctx, validators, reward, to_validator)?;
            }
        }
        self.results.push(queue);
        Ok(())
    }

    fn emit_reward(
        &self,
        ctx: &mut Context<'_>,
        validators: &[BondedValidator],
        reward: &ValidatorReward,
        reason: Reason,
    ) -> Result<(), ChainError> {
        let bonded = validators
            .iter()
            .find(|bonded| bonded.validator.account == reward.account);
        let bare = |amount: Upokt| amount.0.to_string();
        // The reference does not look at delegations when the commission takes everything.
        let is_divided = reward.commission < reward.pool_share;
        let of_delegations = |number: u128| if is_divided { number } else { 0 };
        let num_delegators = of_delegations(reward.num_delegators.into());
        ctx.emit(&EventValidatorRewardDistribution {
            session_end_block_height: self.first_settled_end.unwrap_or_default(),
            op_reason: reason.into(),
            validator_operator_address: bonded
                .map(|bonded| bonded.operator_address.clone())
                .unwrap_or_default(),
            validator_account_address: reward.account.clone(),
            commission_rate: bonded
                .map(|bonded| decimal(bonded.validator.commission_rate))
                .unwrap_or_default(),
            pool_share_upokt: bare(reward.pool_share),
            commission_upokt: bare(reward.commission),
            self_delegation_reward_upokt: bare(reward.self_delegation),
            delegators_reward_upokt: bare(reward.delegators),
            total_delegated_stake_upokt: of_delegations(reward.delegated_tokens).to_string(),
            num_delegators: u32::try_from(num_delegators).unwrap_or(u32::MAX),
        })
    }
}

/// A number of the staking module with its 18 places.
fn decimal(atto: u128) -> String {
    let (whole, places) = (atto.checked_div(ATTO), atto.checked_rem(ATTO));
    format!(
        "{}.{:018}",
        whole.unwrap_or_default(),
        places.unwrap_or_default()
    )
}
