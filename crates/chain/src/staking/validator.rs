//! A validator: its stake, its shares and the exchange between the two.

use crypto::keys::{Address, VALOPER_PREFIX};
use prost::Name as _;
use prost_types::Any;
use proto::cosmos::crypto::{ed25519, secp256k1};
use proto::cosmos::staking::v1beta1 as types;
use tendermint_proto::v0_38::abci::ValidatorUpdate;
use tendermint_proto::v0_38::crypto::{PublicKey as ConsensusKey, public_key::Sum};

use super::delegation::read_amount;
use crate::context::BlockTime;
use crate::decimal::Dec;
use crate::error::{ChainError, TxError};
use crate::staking::error;

pub use types::BondStatus;

/// Tokens that make one unit of power: the reference's.
pub const POWER_REDUCTION: u128 = 1_000_000;

/// What a validator takes of its delegators' rewards.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Commission {
    /// Part of the rewards.
    pub rate: Dec,
    /// Highest rate it may ever ask.
    pub max_rate: Dec,
    /// Largest change in a day.
    pub max_change_rate: Dec,
    /// Time of the last change.
    pub update_time: BlockTime,
}

/// A validator.
#[derive(Clone, Debug, PartialEq)]
pub struct Validator {
    /// Account of the operator.
    pub operator: Address,
    /// Key with which it signs blocks.
    pub consensus_pubkey: Any,
    /// Whether it is excluded from consensus.
    pub jailed: bool,
    /// Whether its stake counts.
    pub status: BondStatus,
    /// Stake, in upokt.
    pub tokens: u128,
    /// Shares of all delegations.
    pub shares: Dec,
    /// What it tells about itself.
    pub description: types::Description,
    /// Height at which it began to unbond.
    pub unbonding_height: i64,
    /// Time at which it will have unbonded.
    pub unbonding_time: BlockTime,
    /// Commission.
    pub commission: Commission,
    /// Least stake of its own that it promised.
    pub min_self_delegation: u128,
    /// How many others hold its unbonding back.
    pub on_hold: i64,
    /// Numbers of its unbondings.
    pub unbonding_ids: Vec<u64>,
}

impl Validator {
    /// As stored and answered.
    pub fn to_proto(&self) -> types::Validator {
        types::Validator {
            operator_address: self.operator_text(),
            consensus_pubkey: Some(self.consensus_pubkey.clone()),
            jailed: self.jailed,
            status: self.status.into(),
            tokens: self.tokens.to_string(),
            delegator_shares: self.shares.to_wire(),
            description: self.description.clone(),
            unbonding_height: self.unbonding_height,
            unbonding_time: self.unbonding_time.to_proto(),
            commission: types::Commission {
                commission_rates: types::CommissionRates {
                    rate: self.commission.rate.to_wire(),
                    max_rate: self.commission.max_rate.to_wire(),
                    max_change_rate: self.commission.max_change_rate.to_wire(),
                },
                update_time: self.commission.update_time.to_proto(),
            },
            min_self_delegation: self.min_self_delegation.to_string(),
            unbonding_on_hold_ref_count: self.on_hold,
            unbonding_ids: self.unbonding_ids.clone(),
        }
    }

    /// Reads what [`Validator::to_proto`] made.
    ///
    /// # Errors
    /// [`ChainError::Corrupt`] names the part that is none.
    pub fn from_proto(proto: &types::Validator) -> Result<Self, ChainError> {
        let wrong = |reason: String| ChainError::corrupt("validator", reason);
        let operator = Address::from_bech32_with(VALOPER_PREFIX, &proto.operator_address)
            .map_err(|error| wrong(format!("operator_address: {error}")))?;
        let status = BondStatus::try_from(proto.status)
            .ok()
            .filter(|status| *status != BondStatus::Unspecified)
            .ok_or_else(|| wrong(format!("status: {} is none", proto.status)))?;
        let rates = &proto.commission.commission_rates;
        Ok(Self {
            operator,
            consensus_pubkey: proto
                .consensus_pubkey
                .clone()
                .ok_or_else(|| wrong("consensus_pubkey: missing".to_owned()))?,
            jailed: proto.jailed,
            status,
            tokens: read_amount(&proto.tokens)?,
            shares: Dec::from_wire(&proto.delegator_shares)?,
            description: proto.description.clone(),
            unbonding_height: proto.unbonding_height,
            unbonding_time: BlockTime::from_proto(&proto.unbonding_time),
            commission: Commission {
                rate: Dec::from_wire(&rates.rate)?,
                max_rate: Dec::from_wire(&rates.max_rate)?,
                max_change_rate: Dec::from_wire(&rates.max_change_rate)?,
                update_time: BlockTime::from_proto(&proto.commission.update_time),
            },
            min_self_delegation: read_amount(&proto.min_self_delegation)?,
            on_hold: proto.unbonding_on_hold_ref_count,
            unbonding_ids: proto.unbonding_ids.clone(),
        })
    }

    /// The operator's address as `poktvaloper…`.
    pub fn operator_text(&self) -> String {
        self.operator.to_bech32_with(VALOPER_PREFIX)
    }

    /// Whether its stake counts.
    pub fn is_bonded(&self) -> bool {
        self.status == BondStatus::Bonded
    }

    /// Whether its stake waits to be free.
    pub fn is_unbonding(&self) -> bool {
        self.status == BondStatus::Unbonding
    }

    /// Whether its stake is free.
    pub fn is_unbonded(&self) -> bool {
        self.status == BondStatus::Unbonded
    }

    /// Address of the consensus key.
    ///
    /// # Errors
    /// When the key is not one.
    pub fn consensus_address(&self) -> Result<Address, ChainError> {
        consensus_address(&self.consensus_pubkey)
            .map_err(|reason| ChainError::corrupt("consensus_pubkey", reason))
    }

    /// Voting power if it were bonded.
    ///
    /// # Errors
    /// Beyond 63 bits.
    pub fn potential_power(&self) -> Result<i64, ChainError> {
        let power = self.tokens.checked_div(POWER_REDUCTION).unwrap_or_default();
        i64::try_from(power).map_err(|_| ChainError::invariant("Int64() out of bound"))
    }

    /// Voting power.
    ///
    /// # Errors
    /// Beyond 63 bits.
    pub fn power(&self) -> Result<i64, ChainError> {
        if self.is_bonded() {
            self.potential_power()
        } else {
            Ok(0)
        }
    }

    /// What consensus is told of it.
    ///
    /// # Errors
    /// When the key is not one.
    pub fn update(&self, power: i64) -> Result<ValidatorUpdate, ChainError> {
        let sum = consensus_key(&self.consensus_pubkey)
            .map_err(|reason| ChainError::corrupt("consensus_pubkey", reason))?;
        Ok(ValidatorUpdate {
            pub_key: Some(ConsensusKey { sum: Some(sum) }),
            power,
        })
    }

    /// Whether all its tokens are gone while shares are left: then nobody can delegate to it.
    pub fn has_bad_rate(&self) -> bool {
        self.tokens == 0 && self.shares.is_positive()
    }

    /// What shares are worth.
    ///
    /// # Errors
    /// Without any shares.
    pub fn tokens_of(&self, shares: &Dec) -> Result<Dec, ChainError> {
        shares.mul_int(self.tokens)?.quo(&self.shares)
    }

    /// What shares are worth, rounded down.
    ///
    /// # Errors
    /// Without any shares.
    pub fn tokens_of_truncated(&self, shares: &Dec) -> Result<Dec, ChainError> {
        shares.mul_int(self.tokens)?.quo_truncate(&self.shares)
    }

    /// The shares of an amount.
    ///
    /// # Errors
    /// staking 22 without any tokens.
    pub fn shares_of(&self, amount: u128) -> Result<Dec, TxError> {
        if self.tokens == 0 {
            return Err(error::INSUFFICIENT_SHARES.plain());
        }
        Ok(self.shares.mul_int(amount)?.quo_int(self.tokens)?)
    }

    /// The shares of an amount, rounded down in another way.
    ///
    /// # Errors
    /// staking 22 without any tokens.
    pub fn shares_of_truncated(&self, amount: u128) -> Result<Dec, TxError> {
        if self.tokens == 0 {
            return Err(error::INSUFFICIENT_SHARES.plain());
        }
        let tokens = Dec::from_int(self.tokens);
        Ok(self.shares.mul_int(amount)?.quo_truncate(&tokens)?)
    }

    /// Adds tokens and gives the shares issued for them; the first ones are issued one to one.
    ///
    /// # Errors
    /// Beyond the range of amounts.
    pub fn add_tokens(&mut self, amount: u128) -> Result<Dec, TxError> {
        let issued = if self.shares.is_zero() {
            Dec::from_int(amount)
        } else {
            self.shares_of(amount)?
        };
        self.tokens = self
            .tokens
            .checked_add(amount)
            .ok_or_else(|| ChainError::invariant("a validator's tokens exceed 128 bits"))?;
        self.shares = self.shares.plus(&issued)?;
        Ok(issued)
    }

    /// Removes shares and gives the tokens for them. Fractions stay with the others; the last shares get all that is
    /// left.
    ///
    /// # Errors
    /// When there are not so many.
    pub fn remove_shares(&mut self, shares: &Dec) -> Result<u128, ChainError> {
        let remaining = self.shares.minus(shares)?;
        let tokens = if remaining.is_zero() {
            self.tokens
        } else {
            self.tokens_of(shares)?.truncate()?
        };
        self.remove_tokens(tokens)?;
        self.shares = remaining;
        Ok(tokens)
    }

    /// Removes tokens without shares.
    ///
    /// # Errors
    /// When there are not so many.
    pub fn remove_tokens(&mut self, tokens: u128) -> Result<(), ChainError> {
        self.tokens = self.tokens.checked_sub(tokens).ok_or_else(|| {
            ChainError::invariant("attempting to remove more tokens than available in validator")
        })?;
        Ok(())
    }
}

impl BlockTime {
    /// As protobuf.
    pub(crate) fn to_proto(self) -> prost_types::Timestamp {
        prost_types::Timestamp {
            seconds: self.seconds,
            nanos: self.nanos,
        }
    }

    /// From protobuf.
    pub(crate) fn from_proto(time: &prost_types::Timestamp) -> Self {
        Self {
            seconds: time.seconds,
            nanos: time.nanos,
        }
    }
}

/// The consensus key inside an `Any`.
pub(crate) fn consensus_key(any: &Any) -> Result<Sum, String> {
    let key = key_bytes(any)?;
    let (bytes, size) = match &key {
        Sum::Ed25519(bytes) => (bytes, 32),
        Sum::Secp256k1(bytes) => (bytes, 33),
    };
    if bytes.len() != size {
        return Err(format!("the key has {} bytes, not {size}", bytes.len()));
    }
    Ok(key)
}

/// The same, whatever its length.
pub(super) fn key_bytes(any: &Any) -> Result<Sum, String> {
    let name = proto::any::type_name(&any.type_url);
    let wrong = |error: proto::ProtoError| error.to_string();
    if name == ed25519::PubKey::full_name() {
        let key: ed25519::PubKey = proto::any::unpack(any).map_err(wrong)?;
        Ok(Sum::Ed25519(key.key.to_vec()))
    } else if name == secp256k1::PubKey::full_name() {
        let key: secp256k1::PubKey = proto::any::unpack(any).map_err(wrong)?;
        Ok(Sum::Secp256k1(key.key.to_vec()))
    } else {
        Err(format!("`{}` is no consensus key", any.type_url))
    }
}

/// The name that consensus params give to a key's type.
pub(crate) fn key_type(key: &Sum) -> &'static str {
    match key {
        Sum::Ed25519(_) => "ed25519",
        Sum::Secp256k1(_) => "secp256k1",
    }
}

/// The address of the consensus key inside an `Any`.
pub(super) fn consensus_address(any: &Any) -> Result<Address, String> {
    match consensus_key(any)? {
        Sum::Ed25519(key) => {
            let [address @ .., _, _, _, _, _, _, _, _, _, _, _, _] = crypto::hash::sha256(&key);
            Ok(Address(address))
        }
        // Also of bytes that are no point: nobody asks before somebody signs.
        Sum::Secp256k1(key) => Ok(Address::of_secp256k1(&key)),
    }
}
