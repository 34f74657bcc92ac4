//! What validators get: the proposers' part of what is minted, and the fees.
//!
//! Only what the genesis documents here need: validators that nobody but themselves delegates to, so that commission and
//! delegation end in one account.

use num_bigint::BigUint;
use serde_json::Value;

use super::{BONDED, DISTRIBUTION, FEE_COLLECTOR, Ledger, NOT_BONDED, TOKENOMICS, big, list, text};
use crate::support::chain::Block;

/// Reasons of the two mints in `EventValidatorRewardDistribution`.
const REASONS: [&str; 2] = [
    "TLM_RELAY_BURN_EQUALS_MINT_VALIDATOR_REWARD_DISTRIBUTION",
    "TLM_GLOBAL_MINT_VALIDATOR_REWARD_DISTRIBUTION",
];

/// A bonded validator.
#[derive(Clone, Debug)]
pub(super) struct Validator {
    account: String,
    tokens: BigUint,
}

impl Validator {
    /// The validators of a genesis document, by account.
    pub(super) fn read_all(state: &Value) -> Vec<Self> {
        let staking = &state["staking"];
        let delegations = list(&staking["delegations"]);
        let each = list(&staking["validators"]).iter().map(|validator| {
            let operator = &validator["operator_address"];
            let own: Vec<&Value> = delegations
                .iter()
                .filter(|delegation| delegation["validator_address"] == *operator)
                .collect();
            assert_eq!(own.len(), 1, "{operator} has one delegation, its own");
            Self {
                account: text(&own[0]["delegator_address"]),
                tokens: big(&validator["tokens"]),
            }
        });
        let mut validators: Vec<Self> = each.collect();
        validators.sort_by(|a, b| a.account.cmp(&b.account));
        validators
    }
}

impl Ledger {
    /// The genesis bonds all of them: their tokens go from one pool to the other.
    pub(super) fn bond_validators(&mut self) {
        let tokens: BigUint = self.validators.iter().map(|one| &one.tokens).sum();
        if tokens > BigUint::default() {
            self.transfer(NOT_BONDED, BONDED, &tokens);
        }
    }

    /// Fees of the block before go to the validators' and the community's common account, from block 2 on.
    pub(super) fn distribute_fees(&mut self, height: i64) {
        if height < 2 || self.validators.is_empty() {
            return;
        }
        let fees = self.balances.get(FEE_COLLECTOR).cloned();
        self.transfer(FEE_COLLECTOR, DISTRIBUTION, &fees.unwrap_or_default());
    }

    /// Each pool goes to the validators by what they have bonded, rounded down; what is left goes one by one to the largest
    /// fractions, among equal ones to the first account.
    pub(super) fn pay_validators(&mut self, pools: &[BigUint; 2]) {
        self.rewards.clear();
        let bonded: BigUint = self.validators.iter().map(|one| &one.tokens).sum();
        if bonded == BigUint::default() {
            return;
        }
        for (index, pool) in pools.iter().enumerate() {
            let mut shares: Vec<BigUint> = Vec::new();
            let mut fractions: Vec<(BigUint, usize)> = Vec::new();
            for (position, validator) in self.validators.iter().enumerate() {
                let product = pool * &validator.tokens;
                shares.push(&product / &bonded);
                fractions.push((product % &bonded, position));
            }
            fractions.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
            let mut left = pool - shares.iter().sum::<BigUint>();
            for (_, position) in fractions {
                if left == BigUint::default() {
                    break;
                }
                shares[position] += 1_u8;
                left -= 1_u8;
            }
            for (validator, share) in self.validators.clone().iter().zip(shares) {
                self.transfer(TOKENOMICS, &validator.account, &share);
                let rewards = self.rewards.entry(validator.account.clone()).or_default();
                rewards[index] = share;
            }
        }
    }

    /// The events name what was computed, and nothing else.
    pub(super) fn check_validators(&self, block: &Block) {
        let mut expected = self.rewards.clone();
        let kind = ".EventValidatorRewardDistribution";
        for event in block
            .events
            .iter()
            .filter(|event| event.kind.ends_with(kind))
        {
            let reason = event.text("op_reason");
            let index = REASONS.iter().position(|name| *name == reason);
            let index = index.unwrap_or_else(|| panic!("block {}: {reason}", block.height));
            let account = event.text("validator_account_address");
            let rewards = expected.get_mut(&account);
            let rewards = rewards.unwrap_or_else(|| panic!("{account} is no validator"));
            let told = BigUint::from(event.number("pool_share_upokt"));
            assert_eq!(told, rewards[index], "block {}: {account}", block.height);
            rewards[index] = BigUint::default();
        }
        for (account, rewards) in expected {
            let nothing = [BigUint::default(), BigUint::default()];
            assert_eq!(
                rewards, nothing,
                "block {}: no event for {account}",
                block.height
            );
        }
    }
}
