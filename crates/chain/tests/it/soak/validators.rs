//! Validators: what consensus would hand over about them, and what people do with their stakes.

use std::collections::BTreeMap;

use chain::{ChainError, distribution, slashing, staking};
use crypto::keys::{Address, VALOPER_PREFIX};
use prost_types::{Any, Duration};
use proto::any::pack;
use proto::cosmos::crypto::ed25519::PubKey;
use proto::cosmos::distribution::v1beta1::{
    self as distribution_types, MsgFundCommunityPool, MsgSetWithdrawAddress,
    MsgWithdrawDelegatorReward, MsgWithdrawValidatorCommission,
};
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

use super::actors::{name, text};
use super::blocks::World;
use crate::support::{START, address};

/// People who may run validators.
const OPERATORS: usize = 6;

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

fn consensus_key(name: &str) -> Vec<u8> {
    crypto::hash::sha256(format!("consensus {name}").as_bytes()).to_vec()
}

fn consensus_address(key: &[u8]) -> Address {
    let hash = crypto::hash::sha256(key);
    Address(hash[..20].try_into().unwrap())
}

fn operator(name: &str) -> String {
    address(name).to_bech32_with(VALOPER_PREFIX)
}

/// Operators of all validators.
pub(super) fn operators(ctx: &chain::Context) -> Result<Vec<String>, ChainError> {
    let validators = staking::validators(ctx)?.into_iter();
    Ok(validators
        .map(|validator| validator.operator.to_bech32_with(VALOPER_PREFIX))
        .collect())
}

impl World {
    /// The votes for the block before; validators go down and come up again.
    pub(super) fn votes(&mut self) -> CommitInfo {
        let mut votes = Vec::new();
        for (address, power) in self.consensus.before.clone() {
            let down = self.consensus.down.entry(address).or_default();
            if self.rng.percent(if *down { 10 } else { 3 }) {
                *down = !*down;
            }
            let flag = if *down || self.rng.percent(5) {
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
        if set.is_empty() || !self.rng.percent(1) {
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
        let operators = self.view.validators.clone();
        if operators.is_empty() || self.rng.percent(5) {
            return operator(&name(self.rng.index(OPERATORS)));
        }
        self.rng.pick(&operators).clone()
    }

    /// Validators and delegations.
    pub(super) fn staked(&mut self) -> Option<(Any, String)> {
        let delegator = self.anybody();
        let delegator_address = text(&delegator);
        let validator_address = self.validator();
        let own = name(self.rng.index(OPERATORS));
        Some(match self.rng.below(16) {
            0 | 1 => (self.create_validator(&own), own),
            2 => {
                let message = MsgEditValidator {
                    description: Description {
                        moniker: format!("validator {}", self.rng.below(9)),
                        ..Default::default()
                    },
                    validator_address: operator(&own),
                    commission_rate: self.rate(),
                    min_self_delegation: String::new(),
                };
                (pack(&message), own)
            }
            3..=6 => {
                let message = MsgDelegate {
                    delegator_address,
                    validator_address,
                    amount: self.amount(3_000_000),
                };
                (pack(&message), delegator)
            }
            7 | 8 => {
                let message = MsgUndelegate {
                    delegator_address,
                    validator_address,
                    amount: self.amount(1_000_000),
                };
                (pack(&message), delegator)
            }
            9 => {
                let message = MsgBeginRedelegate {
                    delegator_address,
                    validator_src_address: validator_address,
                    validator_dst_address: self.validator(),
                    amount: self.amount(1_000_000),
                };
                (pack(&message), delegator)
            }
            10 => {
                let message = MsgCancelUnbondingDelegation {
                    delegator_address,
                    validator_address,
                    amount: self.amount(100_000),
                    creation_height: self.height - 1 - i64::try_from(self.rng.below(6)).unwrap(),
                };
                (pack(&message), delegator)
            }
            11 | 12 => {
                let message = MsgUnjail {
                    validator_addr: operator(&own),
                };
                (pack(&message), own)
            }
            13 => {
                let message = MsgWithdrawDelegatorReward {
                    delegator_address,
                    validator_address,
                };
                (pack(&message), delegator)
            }
            14 => {
                let message = MsgWithdrawValidatorCommission {
                    validator_address: operator(&own),
                };
                (pack(&message), own)
            }
            _ => {
                if self.rng.percent(50) {
                    let message = MsgFundCommunityPool {
                        amount: vec![self.amount(100)],
                        depositor: delegator_address,
                    };
                    (pack(&message), delegator)
                } else {
                    let message = MsgSetWithdrawAddress {
                        delegator_address,
                        withdraw_address: text(&self.anybody()),
                    };
                    (pack(&message), delegator)
                }
            }
        })
    }

    /// A decimal as messages carry it: times 10^18.
    fn rate(&mut self) -> String {
        (u128::from(self.rng.below(30)) * 10_000_000_000_000_000).to_string()
    }

    fn create_validator(&mut self, own: &str) -> Any {
        let key = consensus_key(own).into();
        pack(&MsgCreateValidator {
            description: Description {
                moniker: own.to_owned(),
                ..Default::default()
            },
            commission: CommissionRates {
                rate: self.rate(),
                max_rate: "500000000000000000".to_owned(),
                max_change_rate: "50000000000000000".to_owned(),
            },
            min_self_delegation: "1".to_owned(),
            delegator_address: String::new(),
            validator_address: operator(own),
            pubkey: Some(pack(&PubKey { key })),
            value: self.amount(5_000_000),
        })
    }
}
