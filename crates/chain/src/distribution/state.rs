//! Reading and writing what is owed to whom.

use crypto::keys::Address;
use proto::cosmos::distribution::v1beta1 as types;

use super::keys;
use crate::context::Context;
use crate::decimal::{Dec, DecCoins};
use crate::error::ChainError;

/// The present period of a validator.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Current {
    /// Rewards of the delegators since it began.
    pub rewards: DecCoins,
    /// Its number.
    pub period: u64,
}

/// A past period of a validator.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Historical {
    /// Rewards of one token from the first period to the end of this one.
    pub ratio: DecCoins,
    /// How many delegations, slashes and the present period need it; without any it is dropped.
    pub references: u32,
}

/// Where a delegation started to earn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartingInfo {
    /// The period that ended with its start.
    pub previous_period: u64,
    /// Its stake then, in tokens.
    pub stake: Dec,
    /// The height then.
    pub height: u64,
}

/// A slash of a validator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slash {
    /// The period that ended with it.
    pub period: u64,
    /// The part that was taken.
    pub fraction: Dec,
}

impl StartingInfo {
    pub(super) fn to_proto(&self) -> types::DelegatorStartingInfo {
        types::DelegatorStartingInfo {
            previous_period: self.previous_period,
            stake: self.stake.to_wire(),
            height: self.height,
        }
    }

    pub(super) fn from_proto(proto: &types::DelegatorStartingInfo) -> Result<Self, ChainError> {
        Ok(Self {
            previous_period: proto.previous_period,
            stake: Dec::from_wire(&proto.stake)?,
            height: proto.height,
        })
    }
}

impl Slash {
    pub(super) fn to_proto(&self) -> types::ValidatorSlashEvent {
        types::ValidatorSlashEvent {
            validator_period: self.period,
            fraction: self.fraction.to_wire(),
        }
    }

    pub(super) fn from_proto(proto: &types::ValidatorSlashEvent) -> Result<Self, ChainError> {
        Ok(Self {
            period: proto.validator_period,
            fraction: Dec::from_wire(&proto.fraction)?,
        })
    }
}

/// The community pool.
///
/// # Errors
/// When the store fails.
pub fn community_pool(ctx: &Context) -> Result<DecCoins, ChainError> {
    let pool: types::FeePool = ctx.load(keys::FEE_POOL)?.unwrap_or_default();
    DecCoins::from_proto(&pool.community_pool)
}

pub(super) fn save_community_pool(ctx: &mut Context, pool: &DecCoins) {
    let community_pool = pool.to_proto();
    ctx.save(keys::FEE_POOL.to_vec(), &types::FeePool { community_pool });
}

/// Gives to the community pool.
pub(super) fn add_to_community(ctx: &mut Context, coins: &DecCoins) -> Result<(), ChainError> {
    let pool = community_pool(ctx)?.plus(coins)?;
    save_community_pool(ctx, &pool);
    Ok(())
}

/// What a validator and its delegators have not withdrawn.
///
/// # Errors
/// When the store fails.
pub fn outstanding(ctx: &Context, validator: &Address) -> Result<DecCoins, ChainError> {
    let key = keys::outstanding(validator);
    let stored: types::ValidatorOutstandingRewards = ctx.load(&key)?.unwrap_or_default();
    DecCoins::from_proto(&stored.rewards)
}

pub(super) fn save_outstanding(ctx: &mut Context, validator: &Address, coins: &DecCoins) {
    let rewards = coins.to_proto();
    ctx.save(
        keys::outstanding(validator),
        &types::ValidatorOutstandingRewards { rewards },
    );
}

/// Commission that a validator has not withdrawn.
///
/// # Errors
/// When the store fails.
pub fn commission(ctx: &Context, validator: &Address) -> Result<DecCoins, ChainError> {
    let key = keys::commission(validator);
    let stored: types::ValidatorAccumulatedCommission = ctx.load(&key)?.unwrap_or_default();
    DecCoins::from_proto(&stored.commission)
}

pub(super) fn save_commission(ctx: &mut Context, validator: &Address, coins: &DecCoins) {
    let commission = coins.to_proto();
    ctx.save(
        keys::commission(validator),
        &types::ValidatorAccumulatedCommission { commission },
    );
}

/// The present period of a validator.
///
/// # Errors
/// When the store fails.
pub fn current(ctx: &Context, validator: &Address) -> Result<Current, ChainError> {
    let key = keys::current(validator);
    let stored: types::ValidatorCurrentRewards = ctx.load(&key)?.unwrap_or_default();
    Ok(Current {
        rewards: DecCoins::from_proto(&stored.rewards)?,
        period: stored.period,
    })
}

pub(super) fn save_current(ctx: &mut Context, validator: &Address, current: &Current) {
    let stored = types::ValidatorCurrentRewards {
        rewards: current.rewards.to_proto(),
        period: current.period,
    };
    ctx.save(keys::current(validator), &stored);
}

/// A past period of a validator.
///
/// # Errors
/// When the store fails.
pub fn historical(
    ctx: &Context,
    validator: &Address,
    period: u64,
) -> Result<Historical, ChainError> {
    let key = keys::historical(validator, period);
    let stored: types::ValidatorHistoricalRewards = ctx.load(&key)?.unwrap_or_default();
    Ok(Historical {
        ratio: DecCoins::from_proto(&stored.cumulative_reward_ratio)?,
        references: stored.reference_count,
    })
}

/// Stores a past period; without references it is dropped.
pub(super) fn save_historical(
    ctx: &mut Context,
    validator: &Address,
    period: u64,
    historical: &Historical,
) {
    let key = keys::historical(validator, period);
    if historical.references == 0 {
        ctx.remove(&key);
        return;
    }
    let stored = types::ValidatorHistoricalRewards {
        cumulative_reward_ratio: historical.ratio.to_proto(),
        reference_count: historical.references,
    };
    ctx.save(key, &stored);
}

/// Where a delegation started to earn.
///
/// # Errors
/// When the store fails.
pub fn starting_info(
    ctx: &Context,
    validator: &Address,
    delegator: &Address,
) -> Result<Option<StartingInfo>, ChainError> {
    ctx.load::<types::DelegatorStartingInfo>(&keys::starting_info(validator, delegator))?
        .map(|proto| StartingInfo::from_proto(&proto))
        .transpose()
}

/// Where a delegator's rewards go: to itself unless it said otherwise.
///
/// # Errors
/// When the store fails.
pub fn withdraw_address(ctx: &Context, delegator: &Address) -> Result<Address, ChainError> {
    match ctx.get(&keys::withdraw_address(delegator))? {
        None => Ok(*delegator),
        Some(bytes) => bytes
            .try_into()
            .map(Address)
            .map_err(|_| ChainError::corrupt("withdraw address", "has 20 bytes")),
    }
}

/// Slashes of a validator from a height to another, both included, in their order.
pub(super) fn slashes_between(
    ctx: &Context,
    validator: &Address,
    first: u64,
    last: u64,
) -> Result<Vec<Slash>, ChainError> {
    let prefix = keys::slashes_of(validator);
    let start = keys::slashes_from(validator, first);
    let end = keys::slashes_from(validator, last.saturating_add(1));
    let mut out = Vec::new();
    let mut from = std::ops::Bound::Included(start);
    loop {
        let limit = crate::limits::SCAN_CHUNK;
        let bound = from.as_ref().map(Vec::as_slice);
        let chunk = ctx.scan(&prefix, bound, false, limit)?;
        for (key, value) in &chunk {
            if *key >= end {
                return Ok(out);
            }
            let proto: types::ValidatorSlashEvent = prost::Message::decode(value.as_slice())
                .map_err(|error| ChainError::corrupt(hex::encode(key), error))?;
            out.push(Slash::from_proto(&proto)?);
        }
        match chunk.last() {
            Some((key, _)) if chunk.len() == limit => {
                from = std::ops::Bound::Excluded(key.clone());
            }
            _ => return Ok(out),
        }
    }
}
