//! A set of validators as CometBFT keeps it: its order, and whose turn it is to propose.
//!
//! Every height each validator's priority grows by its power, and the one with the most pays the sum of all powers.
//! RPC clients see these numbers, so they are computed exactly as CometBFT 0.38 does: after a change priorities are
//! scaled down to twice the total power and centred on zero; who joins starts at −9/8 of the total.

use std::cmp::Reverse;

use tendermint_proto::v0_38::abci::ValidatorUpdate;
use tendermint_proto::v0_38::crypto::public_key::Sum;
use tendermint_proto::v0_38::types as comet;

use super::{Hash, Validator};

/// The widest spread of priorities, in total powers.
const WINDOW: i128 = 2;

/// A member with its priority.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Key and power.
    pub validator: Validator,
    /// What it has gathered towards its next turn.
    pub priority: i64,
}

/// Validators by power descending, then by address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ValidatorSet {
    members: Vec<Member>,
}

/// Why a set cannot be made or changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SetError {
    /// Only Ed25519 keys sign blocks here.
    #[error("a validator's key is not Ed25519")]
    Key,
    /// Power below zero.
    #[error("power {0} of a validator is negative")]
    Power(i64),
    /// Someone left who was not in.
    #[error("validator {0} is removed but not in the set")]
    Stranger(String),
    /// Nobody would be left.
    #[error("no validator would be left")]
    Empty,
}

impl ValidatorSet {
    /// The set at the start of a chain.
    ///
    /// # Errors
    /// [`SetError`].
    pub fn new(validators: &[Validator]) -> Result<Self, SetError> {
        let mut set = Self::default();
        set.update(validators)?;
        set.advance(1);
        Ok(set)
    }

    /// Changes powers, takes in who is new and lets go whose power is 0.
    ///
    /// # Errors
    /// [`SetError`]; the set is unchanged then.
    pub fn update(&mut self, changes: &[Validator]) -> Result<(), SetError> {
        if changes.is_empty() {
            return Ok(());
        }
        let mut members = self.members.clone();
        let (removed, kept): (Vec<&Validator>, Vec<&Validator>) =
            changes.iter().partition(|change| change.power == 0);
        for change in &kept {
            if change.power < 0 {
                return Err(SetError::Power(change.power));
            }
        }
        let find = |members: &[Member], key: &[u8; 32]| {
            members
                .iter()
                .position(|member| member.validator.key == *key)
        };
        for change in &kept {
            match find(&members, &change.key).and_then(|place| members.get_mut(place)) {
                Some(member) => member.validator.power = change.power,
                None => members.push(Member {
                    validator: (*change).clone(),
                    priority: i64::MIN,
                }),
            }
        }
        // New members start behind all others, those who are about to leave counted in.
        let total = total(&members);
        let behind = -(total + (total >> 3));
        for member in &mut members {
            if find(&self.members, &member.validator.key).is_none() {
                member.priority = clip(behind);
            }
        }
        for change in removed {
            let Some(place) = find(&members, &change.key) else {
                return Err(SetError::Stranger(hex::encode_upper(change.address())));
            };
            members.remove(place);
        }
        if members.is_empty() {
            return Err(SetError::Empty);
        }
        self.members = members;
        self.rescale();
        self.centre();
        let order = |member: &Member| (Reverse(member.validator.power), member.validator.address());
        self.members.sort_by_cached_key(order);
        Ok(())
    }

    /// Lets `times` blocks pass.
    pub fn advance(&mut self, times: u32) {
        self.rescale();
        self.centre();
        // Alone, one always pays what one has gathered.
        let times = if self.members.len() > 1 { times } else { 0 };
        let total = total(&self.members);
        for _ in 0..times {
            for member in &mut self.members {
                let grown = i128::from(member.priority) + i128::from(member.validator.power);
                member.priority = clip(grown);
            }
            let turn = self
                .members
                .iter_mut()
                .max_by_key(|member| (member.priority, Reverse(member.validator.address())));
            if let Some(member) = turn {
                member.priority = clip(i128::from(member.priority) - total);
            }
        }
    }

    /// The members in order.
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// Keys and powers in order.
    pub fn validators(&self) -> Vec<Validator> {
        let members = self.members.iter();
        members.map(|member| member.validator.clone()).collect()
    }

    /// What a header says of this set.
    pub fn hash(&self) -> Hash {
        super::validators_hash(&self.validators())
    }

    fn rescale(&mut self) {
        let priorities = || {
            self.members
                .iter()
                .map(|member| i128::from(member.priority))
        };
        let spread = priorities().max().unwrap_or(0) - priorities().min().unwrap_or(0);
        let widest = WINDOW * total(&self.members);
        if widest > 0 && spread > widest {
            let ratio = (spread + widest - 1) / widest;
            for member in &mut self.members {
                member.priority = clip(i128::from(member.priority) / ratio);
            }
        }
    }

    fn centre(&mut self) {
        let count = i128::try_from(self.members.len()).unwrap_or(1).max(1);
        let priorities = self
            .members
            .iter()
            .map(|member| i128::from(member.priority));
        let average = priorities.sum::<i128>().div_euclid(count);
        for member in &mut self.members {
            member.priority = clip(i128::from(member.priority) - average);
        }
    }

    /// For the store.
    pub fn to_proto(&self) -> comet::ValidatorSet {
        let validators = self.members.iter().map(|member| comet::Validator {
            address: member.validator.address().to_vec(),
            pub_key: Some(member.validator.public_key()),
            voting_power: member.validator.power,
            proposer_priority: member.priority,
        });
        comet::ValidatorSet {
            validators: validators.collect(),
            ..comet::ValidatorSet::default()
        }
    }

    /// From the store.
    ///
    /// # Errors
    /// [`SetError::Key`].
    pub fn from_proto(set: comet::ValidatorSet) -> Result<Self, SetError> {
        let member = |validator: comet::Validator| {
            let key = ed25519(validator.pub_key.and_then(|key| key.sum))?;
            Ok(Member {
                validator: Validator {
                    key,
                    power: validator.voting_power,
                },
                priority: validator.proposer_priority,
            })
        };
        let members = set.validators.into_iter().map(member);
        Ok(Self {
            members: members.collect::<Result<_, _>>()?,
        })
    }
}

/// The validators that an application names.
///
/// # Errors
/// [`SetError::Key`].
pub fn from_updates(updates: &[ValidatorUpdate]) -> Result<Vec<Validator>, SetError> {
    let read = |update: &ValidatorUpdate| {
        let key = ed25519(update.pub_key.clone().and_then(|key| key.sum))?;
        Ok(Validator {
            key,
            power: update.power,
        })
    };
    updates.iter().map(read).collect()
}

fn ed25519(key: Option<Sum>) -> Result<[u8; 32], SetError> {
    match key {
        Some(Sum::Ed25519(key)) => key.try_into().map_err(|_| SetError::Key),
        _ => Err(SetError::Key),
    }
}

fn total(members: &[Member]) -> i128 {
    let powers = members
        .iter()
        .map(|member| i128::from(member.validator.power));
    powers.sum()
}

fn clip(value: i128) -> i64 {
    i64::try_from(value).unwrap_or(if value < 0 { i64::MIN } else { i64::MAX })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn validator(name: u8, power: i64) -> Validator {
        Validator {
            key: [name; 32],
            power,
        }
    }

    fn priorities(set: &ValidatorSet) -> Vec<i64> {
        set.members().iter().map(|member| member.priority).collect()
    }

    #[test]
    fn turns_go_by_power() {
        // The recorded chain's powers; its RPC says these priorities at heights 1, 6 and, after the change, 55.
        let powers = [validator(1, 1_000_000), validator(2, 340)];
        let mut set = ValidatorSet::new(&powers).unwrap();
        assert_eq!(priorities(&set), [-340, 340]);
        set.advance(5);
        assert_eq!(priorities(&set), [-2_040, 2_040]);
        set.advance(1);
        set.update(&[validator(1, 1_000_054), validator(2, 341)])
            .unwrap();
        set.advance(1);
        set.advance(47);
        assert_eq!(priorities(&set), [-18_748, 18_748]);
    }

    #[test]
    fn who_joins_waits_and_who_leaves_is_gone() {
        let mut set = ValidatorSet::new(&[validator(1, 10), validator(2, 10)]).unwrap();
        set.update(&[validator(3, 20)]).unwrap();
        // −(40 + 5) before the list is centred.
        let average = (-45_i64).div_euclid(3);
        let newcomer = set.members().first().unwrap();
        assert_eq!(newcomer.validator.key, [3; 32]);
        assert_eq!(newcomer.priority, -45 - average);
        let turns: Vec<u8> = (0..8)
            .map(|_| {
                let before = set.clone();
                set.advance(1);
                let paid = |member: &&Member| {
                    let old = before
                        .members()
                        .iter()
                        .find(|old| old.validator == member.validator);
                    old.is_some_and(|old| member.priority < old.priority)
                };
                set.members().iter().find(paid).unwrap().validator.key[0]
            })
            .collect();
        assert_eq!(turns.iter().filter(|name| **name == 3).count(), 3);
        set.update(&[validator(2, 0)]).unwrap();
        assert_eq!(set.members().len(), 2);
        let unknown = set.update(&[validator(9, 0)]);
        assert!(matches!(unknown, Err(SetError::Stranger(_))));
        let gone = [validator(1, 0), validator(3, 0)];
        assert_eq!(set.update(&gone), Err(SetError::Empty));
        assert_eq!(set.members().len(), 2);
        let stored = ValidatorSet::from_proto(set.to_proto()).unwrap();
        assert_eq!(stored, set);
    }
}
