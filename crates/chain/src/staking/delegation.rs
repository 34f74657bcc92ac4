//! Delegations, and those on their way out or to another validator.

use crypto::keys::{Address, VALOPER_PREFIX};
use proto::cosmos::staking::v1beta1 as types;

use crate::context::BlockTime;
use crate::decimal::Dec;
use crate::error::ChainError;

/// A part of a validator's stake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delegation {
    /// Who owns it.
    pub delegator: Address,
    /// Operator of the validator.
    pub validator: Address,
    /// Shares.
    pub shares: Dec,
}

/// What a delegator took out of a validator and does not have yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnbondingDelegation {
    /// Who gets it.
    pub delegator: Address,
    /// Operator of the validator.
    pub validator: Address,
    /// One a height and completion time.
    pub entries: Vec<UnbondingEntry>,
}

/// One unbonding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnbondingEntry {
    /// Height of its start.
    pub creation_height: i64,
    /// When it ends.
    pub completion_time: BlockTime,
    /// Amount at the start.
    pub initial_balance: u128,
    /// Amount that slashing left.
    pub balance: u128,
    /// Its number.
    pub id: u64,
    /// How many others hold it back.
    pub on_hold: i64,
}

/// What a delegator moved between validators and may still be slashed for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redelegation {
    /// Who moved it.
    pub delegator: Address,
    /// From where.
    pub source: Address,
    /// To where.
    pub destination: Address,
    /// One a move.
    pub entries: Vec<RedelegationEntry>,
}

/// One move.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedelegationEntry {
    /// Height of its start.
    pub creation_height: i64,
    /// When it is done with.
    pub completion_time: BlockTime,
    /// Amount moved.
    pub initial_balance: u128,
    /// Shares that it became.
    pub shares: Dec,
    /// Its number.
    pub id: u64,
    /// How many others hold it back.
    pub on_hold: i64,
}

impl UnbondingEntry {
    /// Whether it ends at or before a moment and nobody holds it back.
    pub fn is_over(&self, now: BlockTime) -> bool {
        self.completion_time <= now && self.on_hold <= 0
    }
}

impl RedelegationEntry {
    /// Whether it ends at or before a moment and nobody holds it back.
    pub fn is_over(&self, now: BlockTime) -> bool {
        self.completion_time <= now && self.on_hold <= 0
    }
}

impl Delegation {
    /// As stored and answered.
    pub fn to_proto(&self) -> types::Delegation {
        types::Delegation {
            delegator_address: self.delegator.to_bech32(),
            validator_address: self.validator.to_bech32_with(VALOPER_PREFIX),
            shares: self.shares.to_wire(),
        }
    }

    /// Reads what [`Delegation::to_proto`] made.
    ///
    /// # Errors
    /// [`ChainError::Corrupt`].
    pub fn from_proto(proto: &types::Delegation) -> Result<Self, ChainError> {
        Ok(Self {
            delegator: account(&proto.delegator_address)?,
            validator: operator(&proto.validator_address)?,
            shares: Dec::from_wire(&proto.shares)?,
        })
    }
}

impl UnbondingDelegation {
    /// As stored and answered.
    pub fn to_proto(&self) -> types::UnbondingDelegation {
        let entry = |entry: &UnbondingEntry| types::UnbondingDelegationEntry {
            creation_height: entry.creation_height,
            completion_time: entry.completion_time.to_proto(),
            initial_balance: entry.initial_balance.to_string(),
            balance: entry.balance.to_string(),
            unbonding_id: entry.id,
            unbonding_on_hold_ref_count: entry.on_hold,
        };
        types::UnbondingDelegation {
            delegator_address: self.delegator.to_bech32(),
            validator_address: self.validator.to_bech32_with(VALOPER_PREFIX),
            entries: self.entries.iter().map(entry).collect(),
        }
    }

    /// Reads what [`UnbondingDelegation::to_proto`] made.
    ///
    /// # Errors
    /// [`ChainError::Corrupt`].
    pub fn from_proto(proto: &types::UnbondingDelegation) -> Result<Self, ChainError> {
        let entry = |entry: &types::UnbondingDelegationEntry| {
            Ok(UnbondingEntry {
                creation_height: entry.creation_height,
                completion_time: BlockTime::from_proto(&entry.completion_time),
                initial_balance: read_amount(&entry.initial_balance)?,
                balance: read_amount(&entry.balance)?,
                id: entry.unbonding_id,
                on_hold: entry.unbonding_on_hold_ref_count,
            })
        };
        Ok(Self {
            delegator: account(&proto.delegator_address)?,
            validator: operator(&proto.validator_address)?,
            entries: proto
                .entries
                .iter()
                .map(entry)
                .collect::<Result<_, ChainError>>()?,
        })
    }
}

impl Redelegation {
    /// As stored and answered.
    pub fn to_proto(&self) -> types::Redelegation {
        types::Redelegation {
            delegator_address: self.delegator.to_bech32(),
            validator_src_address: self.source.to_bech32_with(VALOPER_PREFIX),
            validator_dst_address: self.destination.to_bech32_with(VALOPER_PREFIX),
            entries: self
                .entries
                .iter()
                .map(RedelegationEntry::to_proto)
                .collect(),
        }
    }

    /// Reads what [`Redelegation::to_proto`] made.
    ///
    /// # Errors
    /// [`ChainError::Corrupt`].
    pub fn from_proto(proto: &types::Redelegation) -> Result<Self, ChainError> {
        let entry = |entry: &types::RedelegationEntry| {
            Ok(RedelegationEntry {
                creation_height: entry.creation_height,
                completion_time: BlockTime::from_proto(&entry.completion_time),
                initial_balance: read_amount(&entry.initial_balance)?,
                shares: Dec::from_wire(&entry.shares_dst)?,
                id: entry.unbonding_id,
                on_hold: entry.unbonding_on_hold_ref_count,
            })
        };
        Ok(Self {
            delegator: account(&proto.delegator_address)?,
            source: operator(&proto.validator_src_address)?,
            destination: operator(&proto.validator_dst_address)?,
            entries: proto
                .entries
                .iter()
                .map(entry)
                .collect::<Result<_, ChainError>>()?,
        })
    }
}

impl RedelegationEntry {
    /// As stored and answered.
    pub fn to_proto(&self) -> types::RedelegationEntry {
        types::RedelegationEntry {
            creation_height: self.creation_height,
            completion_time: self.completion_time.to_proto(),
            initial_balance: self.initial_balance.to_string(),
            shares_dst: self.shares.to_wire(),
            unbonding_id: self.id,
            unbonding_on_hold_ref_count: self.on_hold,
        }
    }
}

/// A stored account address.
pub(crate) fn account(text: &str) -> Result<Address, ChainError> {
    Address::from_bech32(text).map_err(|error| ChainError::corrupt("delegator_address", error))
}

/// A stored operator address.
pub(crate) fn operator(text: &str) -> Result<Address, ChainError> {
    Address::from_bech32_with(VALOPER_PREFIX, text)
        .map_err(|error| ChainError::corrupt("validator_address", error))
}

/// A stored amount; empty text is 0, as the reference fills it in.
pub(crate) fn read_amount(text: &str) -> Result<u128, ChainError> {
    if text.is_empty() {
        return Ok(0);
    }
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    digits
        .then(|| text.parse().ok())
        .flatten()
        .ok_or_else(|| ChainError::corrupt("amount", format!("`{text}` is no amount")))
}
