//! The section `distribution` of a genesis document.

use crypto::keys::{Address, VALCONS_PREFIX, VALOPER_PREFIX};
use proto::cosmos::distribution::v1beta1 as types;
use proto::cosmos::distribution::v1beta1::GenesisState;

use super::state::{Current, Historical, StartingInfo};
use super::{MODULE, keys, params, state};
use crate::bank;
use crate::context::Context;
use crate::decimal::DecCoins;
use crate::error::{ChainError, GenesisError};
use crate::store::Pair;

/// Loads all records.
///
/// # Errors
/// Names the field; the module's account must hold exactly what is owed.
pub fn init(ctx: &mut Context, section: &GenesisState) -> Result<(), GenesisError> {
    params::validate(&section.params).map_err(|error| GenesisError::new("params", error))?;
    params::save(ctx, &section.params);
    let pool = DecCoins::from_proto(&section.fee_pool.community_pool)
        .map_err(|error| GenesisError::new("fee_pool.community_pool", error))?;
    if pool.any_negative() {
        return Err(GenesisError::new("fee_pool.community_pool", "is negative"));
    }
    state::save_community_pool(ctx, &pool);
    load_addresses(ctx, section)?;
    let owed = load_validators(ctx, section)?.plus(&pool)?;
    load_delegations(ctx, section)?;

    let (expected, _) = owed.truncate()?;
    let held = bank::balances(ctx, &Address::module(MODULE))?;
    if held != expected {
        let reason = format!(
            "the account of `{MODULE}` ({}) holds `{held}`, but `{expected}` are owed to validators and community",
            Address::module(MODULE).to_bech32()
        );
        return Err(GenesisError::new("outstanding_rewards", reason));
    }
    Ok(())
}

fn load_addresses(ctx: &mut Context, section: &GenesisState) -> Result<(), GenesisError> {
    for (position, info) in section.delegator_withdraw_infos.iter().enumerate() {
        let path = format!("delegator_withdraw_infos[{position}]");
        let delegator = account(&path, &info.delegator_address)?;
        let to = account(&path, &info.withdraw_address)?;
        ctx.set(keys::withdraw_address(&delegator), to.as_bytes().to_vec());
    }
    let proposer = match section.previous_proposer.as_str() {
        "" => Vec::new(),
        text => Address::from_bech32_with(VALCONS_PREFIX, text)
            .map_err(|error| GenesisError::new("previous_proposer", error))?
            .as_bytes()
            .to_vec(),
    };
    ctx.set(keys::PROPOSER.to_vec(), proposer);
    Ok(())
}

/// Records of validators; gives what is outstanding.
fn load_validators(ctx: &mut Context, section: &GenesisState) -> Result<DecCoins, GenesisError> {
    let mut owed = DecCoins::new();
    for (position, record) in section.outstanding_rewards.iter().enumerate() {
        let path = format!("outstanding_rewards[{position}]");
        let validator = operator(&path, &record.validator_address)?;
        let coins = coins(&path, &record.outstanding_rewards)?;
        owed = owed.plus(&coins)?;
        state::save_outstanding(ctx, &validator, &coins);
    }
    for (position, record) in section.validator_accumulated_commissions.iter().enumerate() {
        let path = format!("validator_accumulated_commissions[{position}]");
        let validator = operator(&path, &record.validator_address)?;
        let coins = coins(&path, &record.accumulated.commission)?;
        state::save_commission(ctx, &validator, &coins);
    }
    for (position, record) in section.validator_historical_rewards.iter().enumerate() {
        let path = format!("validator_historical_rewards[{position}]");
        let validator = operator(&path, &record.validator_address)?;
        let historical = Historical {
            ratio: coins(&path, &record.rewards.cumulative_reward_ratio)?,
            references: record.rewards.reference_count,
        };
        if historical.references == 0 {
            return Err(GenesisError::new(path, "reference_count must not be 0"));
        }
        state::save_historical(ctx, &validator, record.period, &historical);
    }
    for (position, record) in section.validator_current_rewards.iter().enumerate() {
        let path = format!("validator_current_rewards[{position}]");
        let validator = operator(&path, &record.validator_address)?;
        let current = Current {
            rewards: coins(&path, &record.rewards.rewards)?,
            period: record.rewards.period,
        };
        state::save_current(ctx, &validator, &current);
    }
    for (position, record) in section.validator_slash_events.iter().enumerate() {
        let path = format!("validator_slash_events[{position}]");
        let validator = operator(&path, &record.validator_address)?;
        state::Slash::from_proto(&record.validator_slash_event)
            .map_err(|error| GenesisError::new(path, error))?;
        let key = keys::slash(&validator, record.height, record.period);
        ctx.save(key, &record.validator_slash_event);
    }
    Ok(owed)
}

fn load_delegations(ctx: &mut Context, section: &GenesisState) -> Result<(), GenesisError> {
    for (position, record) in section.delegator_starting_infos.iter().enumerate() {
        let path = format!("delegator_starting_infos[{position}]");
        let validator = operator(&path, &record.validator_address)?;
        let delegator = account(&path, &record.delegator_address)?;
        StartingInfo::from_proto(&record.starting_info)
            .map_err(|error| GenesisError::new(path, error))?;
        let key = keys::starting_info(&validator, &delegator);
        ctx.save(key, &record.starting_info);
    }
    Ok(())
}

fn account(path: &str, text: &str) -> Result<Address, GenesisError> {
    Address::from_bech32(text).map_err(|error| GenesisError::new(path, error))
}

fn operator(path: &str, text: &str) -> Result<Address, GenesisError> {
    Address::from_bech32_with(VALOPER_PREFIX, text).map_err(|error| GenesisError::new(path, error))
}

fn coins(
    path: &str,
    coins: &[proto::cosmos::base::v1beta1::DecCoin],
) -> Result<DecCoins, GenesisError> {
    DecCoins::from_proto(coins).map_err(|error| GenesisError::new(path, error))
}

/// All records, in the reference's order.
///
/// # Errors
/// When the store fails.
pub fn export(ctx: &Context) -> Result<GenesisState, ChainError> {
    let proposer = ctx.get(keys::PROPOSER)?.unwrap_or_default();
    let proposer: Option<[u8; 20]> = proposer.try_into().ok();
    Ok(GenesisState {
        params: params(ctx)?,
        fee_pool: types::FeePool {
            community_pool: state::community_pool(ctx)?.to_proto(),
        },
        delegator_withdraw_infos: each(ctx, keys::WITHDRAW_ADDRESSES, |key, value| {
            Ok(types::DelegatorWithdrawInfo {
                delegator_address: last(key)?.to_bech32(),
                withdraw_address: last(value)?.to_bech32(),
            })
        })?,
        previous_proposer: proposer
            .map(|bytes| Address(bytes).to_bech32_with(VALCONS_PREFIX))
            .unwrap_or_default(),
        outstanding_rewards: each(ctx, keys::OUTSTANDING, |key, value| {
            let stored: types::ValidatorOutstandingRewards = decode(value)?;
            Ok(types::ValidatorOutstandingRewardsRecord {
                validator_address: last_operator(key)?,
                outstanding_rewards: stored.rewards,
            })
        })?,
        validator_accumulated_commissions: each(ctx, keys::COMMISSIONS, |key, value| {
            Ok(types::ValidatorAccumulatedCommissionRecord {
                validator_address: last_operator(key)?,
                accumulated: decode(value)?,
            })
        })?,
        validator_historical_rewards: each(ctx, keys::HISTORICAL, |key, value| {
            let (key, period) = split_u64(key)?;
            Ok(types::ValidatorHistoricalRewardsRecord {
                validator_address: last_operator(key)?,
                period: u64::from_le_bytes(period),
                rewards: decode(value)?,
            })
        })?,
        validator_current_rewards: each(ctx, keys::CURRENT, |key, value| {
            Ok(types::ValidatorCurrentRewardsRecord {
                validator_address: last_operator(key)?,
                rewards: decode(value)?,
            })
        })?,
        delegator_starting_infos: each(ctx, keys::STARTING_INFOS, |key, value| {
            let rest = key.get(..key.len().saturating_sub(20)).unwrap_or_default();
            Ok(types::DelegatorStartingInfoRecord {
                delegator_address: last(key)?.to_bech32(),
                validator_address: last_operator(rest)?,
                starting_info: decode(value)?,
            })
        })?,
        validator_slash_events: each(ctx, keys::SLASHES, |key, value| {
            let (key, period) = split_u64(key)?;
            let (key, height) = split_u64(key)?;
            Ok(types::ValidatorSlashEventRecord {
                validator_address: last_operator(key)?,
                height: u64::from_be_bytes(height),
                period: u64::from_be_bytes(period),
                validator_slash_event: decode(value)?,
            })
        })?,
    })
}

/// Every pair under a prefix through `f`.
fn each<T>(
    ctx: &Context,
    prefix: &[u8],
    f: impl Fn(&[u8], &[u8]) -> Result<T, ChainError>,
) -> Result<Vec<T>, ChainError> {
    let one = |pair: Result<Pair, ChainError>| {
        let (key, value) = pair?;
        f(&key, &value)
    };
    ctx.iter(prefix).map(one).collect()
}

fn decode<M: prost::Message + Default>(value: &[u8]) -> Result<M, ChainError> {
    M::decode(value).map_err(|error| ChainError::corrupt("distribution", error))
}

fn last(bytes: &[u8]) -> Result<Address, ChainError> {
    bytes
        .last_chunk::<20>()
        .map(|bytes| Address(*bytes))
        .ok_or_else(|| ChainError::corrupt(hex::encode(bytes), "no address at the end"))
}

fn last_operator(bytes: &[u8]) -> Result<String, ChainError> {
    Ok(last(bytes)?.to_bech32_with(VALOPER_PREFIX))
}

fn split_u64(bytes: &[u8]) -> Result<(&[u8], [u8; 8]), ChainError> {
    bytes
        .split_last_chunk::<8>()
        .map(|(rest, number)| (rest, *number))
        .ok_or_else(|| ChainError::corrupt(hex::encode(bytes), "no number at the end"))
}
