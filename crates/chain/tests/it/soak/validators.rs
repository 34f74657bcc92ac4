//! Validators: what consensus would hand over about them, and what people do with their stakes.

use std::collections::BTreeMap;

use chain::{ChainError, distribution, mint, slashing, staking};
use crypto::keys::{Address, VALCONS_PREFIX, VALOPER_PREFIX};
use prost_types::{Any, Duration};
use proto::any::pack;
use proto::cosmos::crypto::ed25519::PubKey;
use proto::cosmos::distribution::v1beta1::{
    self as distribution_types, MsgDepositValidatorRewardsPool, MsgFundCommunityPool,
    MsgSetWithdrawAddress, MsgWithdrawDelegatorReward, MsgWithdrawValidatorCommission,
};
use proto::cosmos::evidence::v1beta1::{Equivocation, MsgSubmitEvidence};
use proto::cosmos::mint::v1beta1 as mint_types;
use proto::cosmos::slashing::v1beta1::{self as slashing_types, MsgUnjail};
use proto::cosmos::staking::v1beta1::{
    self as staking_types, CommissionRates, Description, MsgBeginRedelegate,
    MsgCancelUnbondingDelegation, MsgCreateValidator, MsgDelegate, MsgEditValidator, MsgUndelegate,
};
use serde_json::{Map, Value};
use tendermint_proto::google::protobuf::Timestamp;
use tendermint_proto::v0_38::abci::{
    CommitInfo, Misbehavior, MisbehaviorType, Validator, ValidatorUpdate, VoteInfo,
};
use tendermint_proto::v0_38::crypto::public_key::Sum;
use tendermint_proto::v0_38::types::BlockIdFlag;

use super::actors::{PEOPLE, name, text};
use super::blocks::World;
use crate::support::{START, address};

/// People who may run validators.
const OPERATORS: usize = PEOPLE;

/// Keys that each of them has. Who has signed twice with one never comes back with it.
const KEYS: u64 = 4;

/// The sections of the SDK's modules that validators need: three places, short periods.
pub(super) fn genesis(state: &mut Map<String, Value>) {
    let seconds = |seconds| Duration { seconds, nanos: 0 };
    let mut put = |name: &str, json: String| {
        state.insert(name.to_owned(), serde_json::from_str(&json).unwrap());
    };
    let mut params = staking::default_params();
    params.unbonding_time = seconds(12);
    params.max_validators = 3;
    params.historical_entries = 5;
    let section = staking_types::GenesisState {
        params,
        ..Default::default()
    };
    put("staking", proto::json::to_json(&section).unwrap());
    let mut params = slashing::default_params();
    params.signed_blocks_window = 6;
    params.downtime_jail_duration = seconds(4);
    let section = slashing_types::GenesisState {
        params,
        ..Default::default()
    };
    put("slashing", proto::json::to_json(&section).unwrap());
    let section = distribution_types::GenesisState {
        params: distribution::default_params(),
        ..Default::default()
    };
    put("distribution", proto::json::to_json(&section).unwrap());
    let section = mint_types::GenesisState {
        params: mint::zero_params(),
        minter: mint::zero_minter(),
    };
    put("mint", proto::json::to_json(&section).unwrap());
}

/// The sets of validators of the block before, of this one, and of the next, as CometBFT keeps them: powers by
/// consensus address.
#[derive(Clone, Default)]
pub(super) struct Consensus {
    before: BTreeMap<Address, i64>,
    now: BTreeMap<Address, i64>,
    next: BTreeMap<Address, i64>,
    /// Validators that are down.
    down: BTreeMap<Address, bool>,
}

impl Consensus {
    /// Takes what a block answered.
    pub(super) fn apply(&mut self, updates: &[ValidatorUpdate]) {
        let mut after = self.next.clone();
        for update in updates {
            let Some(Sum::Ed25519(key)) = update.pub_key.as_ref().and_then(|key| key.sum.as_ref())
            else {
                panic!("a validator of another key");
            };
            let address = consensus_address(key);
            if update.power == 0 {
                assert!(after.remove(&address).is_some(), "removes nobody");
            } else {
                assert!(update.power > 0);
                after.insert(address, update.power);
            }
        }
        self.before = std::mem::replace(&mut self.now, std::mem::replace(&mut self.next, after));
    }
}

fn consensus_key(name: &str, number: u64) -> Vec<u8> {
    crypto::hash::sha256(format!("consensus {number} {name}").as_bytes()).to_vec()
}

fn consensus_address(key: &[u8]) -> Address {
    let hash = crypto::hash::sha256(key);
    Address(hash[..20].try_into().unwrap())
}

fn operator(name: &str) -> String {
    address(name).to_bech32_with(VALOPER_PREFIX)
}

/// Somebody's stake with a validator.
#[derive(Clone)]
pub(super) struct Delegated {
    delegator: String,
    validator: String,
    /// What its shares are worth.
    tokens: u128,
}

/// What there is to change: validators, delegations, unbondings.
#[derive(Default)]
pub(super) struct Stakes {
    /// Operators.
    pub(super) validators: Vec<String>,
    jailed: Vec<String>,
    pub(super) delegations: Vec<Delegated>,
    /// Delegator, validator and the height at which it began.
    pub(super) unbondings: Vec<(String, String, i64)>,
}

impl Stakes {
    pub(super) fn read(ctx: &chain::Context) -> Result<Self, ChainError> {
        let state = staking::genesis::export(ctx)?;
        let mut stakes = Self::default();
        for validator in &state.validators {
            stakes.validators.push(validator.operator_address.clone());
            if validator.jailed {
                stakes.jailed.push(validator.operator_address.clone());
            }
        }
        for delegation in state.delegations {
            let mut of = state.validators.iter();
            let of = of.find(|one| one.operator_address == delegation.validator_address);
            let of = of.unwrap();
            // A little less than what the chain's decimals say, now and then.
            let number = |text: &str| text.parse::<f64>().unwrap();
            let part = number(&delegation.shares) / number(&of.delegator_shares);
            stakes.delegations.push(Delegated {
                delegator: delegation.delegator_address,
                validator: delegation.validator_address,
                tokens: (part * number(&of.tokens)).floor() as u128,
            });
        }
        for unbonding in state.unbonding_delegations {
            for entry in unbonding.entries {
                stakes.unbondings.push((
                    unbonding.delegator_address.clone(),
                    unbonding.validator_address.clone(),
                    entry.creation_height,
                ));
            }
        }
        Ok(stakes)
    }
}

impl World {
    /// The votes for the block before; validators go down and come up again.
    pub(super) fn votes(&mut self) -> CommitInfo {
        let mut votes = Vec::new();
        for (address, power) in self.consensus.before.clone() {
            let down = self.consensus.down.entry(address).or_default();
            if self.rng.percent(if *down { 20 } else { 1 }) {
                *down = !*down;
            }
            let flag = if *down || self.rng.percent(2) {
                BlockIdFlag::Absent
            } else {
                BlockIdFlag::Commit
            };
            votes.push(VoteInfo {
                validator: Some(Validator {
                    address: address.as_bytes().to_vec().into(),
                    power,
                }),
                block_id_flag: flag.into(),
            });
        }
        CommitInfo { round: 0, votes }
    }

    /// Now and then somebody has signed twice.
    pub(super) fn misbehaviour(&mut self) -> Vec<Misbehavior> {
        let set: Vec<(Address, i64)> = self.consensus.before.clone().into_iter().collect();
        if set.is_empty() || self.rng.below(1_000) > 0 {
            return Vec::new();
        }
        let (address, power) = *self.rng.pick(&set);
        let height = (self.height - 1 - i64::try_from(self.rng.below(4)).unwrap()).max(1);
        vec![Misbehavior {
            r#type: MisbehaviorType::DuplicateVote.into(),
            validator: Some(Validator {
                address: address.as_bytes().to_vec().into(),
                power,
            }),
            height,
            time: Some(Timestamp {
                seconds: START + height,
                nanos: 0,
            }),
            total_voting_power: set.iter().map(|(_, power)| power).sum(),
        }]
    }

    /// Who proposes: the first of the set.
    pub(super) fn proposer(&self) -> Vec<u8> {
        let first = self.consensus.now.keys().next();
        first.map_or(vec![9; 20], |address| address.as_bytes().to_vec())
    }

    fn validator(&mut self) -> String {
        let operators = self.view.stakes.validators.clone();
        if operators.is_empty() || self.rng.percent(5) {
            return operator(&name(self.rng.index(OPERATORS)));
        }
        self.rng.pick(&operators).clone()
    }

    /// Mostly somebody who runs one of these validators, sometimes somebody who may.
    fn own(&mut self, of: &[String]) -> String {
        if of.is_empty() || self.rng.percent(15) {
            return name(self.rng.index(OPERATORS));
        }
        let operator: &String = self.rng.pick(of);
        let operator = Address::from_bech32_with(VALOPER_PREFIX, operator).unwrap();
        self.person(&operator.to_bech32()).unwrap()
    }

    pub(super) fn create_validator(&mut self) -> Option<(Any, String)> {
        let own = self.own(&[]);
        let key = consensus_key(&own, self.rng.below(KEYS)).into();
        let message = MsgCreateValidator {
            description: Description {
                moniker: own.clone(),
                ..Default::default()
            },
            commission: CommissionRates {
                rate: self.rate(),
                max_rate: "500000000000000000".to_owned(),
                max_change_rate: "50000000000000000".to_owned(),
            },
            min_self_delegation: "1".to_owned(),
            delegator_address: String::new(),
            validator_address: operator(&own),
            pubkey: Some(pack(&PubKey { key })),
            value: self.amount(5_000_000),
        };
        Some((pack(&message), own))
    }

    /// The rate is changed seldom: once a day is allowed, and days are long here.
    pub(super) fn edit_validator(&mut self) -> Option<(Any, String)> {
        let own = self.own(&self.view.stakes.validators.clone());
        let message = MsgEditValidator {
            description: Description {
                moniker: format!("validator {}", self.rng.below(9)),
                ..Default::default()
            },
            validator_address: operator(&own),
            commission_rate: if self.rng.percent(20) {
                self.rate()
            } else {
                String::new()
            },
            min_self_delegation: if self.rng.percent(10) {
                self.rng.below(3_000_000).to_string()
            } else {
                String::new()
            },
        };
        Some((pack(&message), own))
    }

    /// Sometimes to the own validator: one without a stake of its own stays in jail.
    pub(super) fn delegate(&mut self) -> Option<(Any, String)> {
        let (delegator, validator_address) = if self.rng.percent(40) {
            let own = self.own(&self.view.stakes.jailed.clone());
            (own.clone(), operator(&own))
        } else {
            (self.anybody(), self.validator())
        };
        let message = MsgDelegate {
            delegator_address: text(&delegator),
            validator_address,
            amount: self.amount(3_000_000),
        };
        Some((pack(&message), delegator))
    }

    /// Mostly somebody who has delegated, and to whom.
    fn delegation(&mut self) -> Option<(String, String)> {
        if self.view.stakes.delegations.is_empty() || self.rng.percent(10) {
            return Some((self.anybody(), self.validator()));
        }
        let own = self.rng.pick(&self.view.stakes.delegations).clone();
        Some((self.person(&own.delegator)?, own.validator))
    }

    /// Something, or all that somebody has delegated.
    pub(super) fn undelegate(&mut self) -> Option<(Any, String)> {
        let (delegator, validator_address, amount) =
            if self.view.stakes.delegations.is_empty() || self.rng.percent(60) {
                let (delegator, validator) = self.delegation()?;
                (delegator, validator, self.amount(1_000_000))
            } else {
                let all = self.view.stakes.delegations.iter();
                let jailed = &self.view.stakes.jailed;
                let mut of: Vec<Delegated> = all
                    .clone()
                    .filter(|own| jailed.contains(&own.validator))
                    .cloned()
                    .collect();
                // Who leaves those in jail, frees their place in the end.
                if of.is_empty() || self.rng.percent(30) {
                    of = all.cloned().collect();
                }
                let own = self.rng.pick(&of).clone();
                let all = chain::bank::upokt(own.tokens);
                (self.person(&own.delegator)?, own.validator, all)
            };
        let message = MsgUndelegate {
            delegator_address: text(&delegator),
            validator_address,
            amount,
        };
        Some((pack(&message), delegator))
    }

    pub(super) fn redelegate(&mut self) -> Option<(Any, String)> {
        let (delegator, validator_src_address) = self.delegation()?;
        let message = MsgBeginRedelegate {
            delegator_address: text(&delegator),
            validator_src_address,
            validator_dst_address: self.validator(),
            amount: self.amount(1_000_000),
        };
        Some((pack(&message), delegator))
    }

    /// Mostly of an unbonding that goes on.
    pub(super) fn cancel_unbonding(&mut self) -> Option<(Any, String)> {
        let (delegator, validator_address, creation_height) =
            if self.view.stakes.unbondings.is_empty() || self.rng.percent(10) {
                let height = self.height - 1 - i64::try_from(self.rng.below(6)).unwrap();
                (self.anybody(), self.validator(), height)
            } else {
                let (delegator, validator, height) =
                    self.rng.pick(&self.view.stakes.unbondings).clone();
                (self.person(&delegator)?, validator, height)
            };
        let message = MsgCancelUnbondingDelegation {
            delegator_address: text(&delegator),
            validator_address,
            amount: self.amount(100_000),
            creation_height,
        };
        Some((pack(&message), delegator))
    }

    pub(super) fn unjail(&mut self) -> Option<(Any, String)> {
        let own = self.own(&self.view.stakes.jailed.clone());
        let message = MsgUnjail {
            validator_addr: operator(&own),
        };
        Some((pack(&message), own))
    }

    pub(super) fn withdraw_reward(&mut self) -> Option<(Any, String)> {
        let (delegator, validator_address) = self.delegation()?;
        let message = MsgWithdrawDelegatorReward {
            delegator_address: text(&delegator),
            validator_address,
        };
        Some((pack(&message), delegator))
    }

    pub(super) fn withdraw_commission(&mut self) -> Option<(Any, String)> {
        let own = self.own(&self.view.stakes.validators.clone());
        let message = MsgWithdrawValidatorCommission {
            validator_address: operator(&own),
        };
        Some((pack(&message), own))
    }

    pub(super) fn set_withdraw_address(&mut self) -> Option<(Any, String)> {
        let delegator = self.anybody();
        let to = self.anybody();
        let message = MsgSetWithdrawAddress {
            delegator_address: text(&delegator),
            withdraw_address: self.recipient(&to),
        };
        Some((pack(&message), delegator))
    }

    pub(super) fn fund_community(&mut self) -> Option<(Any, String)> {
        let depositor = self.anybody();
        let message = MsgFundCommunityPool {
            amount: vec![self.amount(100)],
            depositor: text(&depositor),
        };
        Some((pack(&message), depositor))
    }

    pub(super) fn deposit_rewards(&mut self) -> Option<(Any, String)> {
        let depositor = self.anybody();
        let message = MsgDepositValidatorRewardsPool {
            depositor: text(&depositor),
            validator_address: self.validator(),
            amount: vec![self.amount(100)],
        };
        Some((pack(&message), depositor))
    }

    pub(super) fn submit_evidence(&mut self) -> Option<(Any, String)> {
        let submitter = self.anybody();
        let accused = address(&self.own(&[]));
        let message = MsgSubmitEvidence {
            submitter: text(&submitter),
            evidence: Some(pack(&Equivocation {
                height: self.height - 1,
                time: prost_types::Timestamp {
                    seconds: START,
                    nanos: 0,
                },
                power: 1,
                consensus_address: accused.to_bech32_with(VALCONS_PREFIX),
            })),
        };
        Some((pack(&message), submitter))
    }

    /// A decimal as messages carry it: times 10^18.
    fn rate(&mut self) -> String {
        (u128::from(self.rng.below(30)) * 10_000_000_000_000_000).to_string()
    }
}
