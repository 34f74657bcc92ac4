//! The section `staking` of a genesis document.

use std::collections::BTreeSet;

use crypto::keys::{Address, VALOPER_PREFIX};
use proto::cosmos::staking::v1beta1::{GenesisState, LastValidatorPower};

use super::delegation::{Delegation, Redelegation, UnbondingDelegation, operator, read_amount};
use super::validator::Validator;
use super::{hooks, keys, params, pools, state, updates};
use crate::bank::{self, Coins};
use crate::context::Context;
use crate::error::{ChainError, GenesisError, TxError};

/// Loads params, validators and delegations, and bonds the validators with the most tokens. An exported state says
/// itself who is bonded. What consensus must be told is left in `ctx.validator_updates`.
///
/// # Errors
/// Names the field; the two pools must hold exactly what is staked.
pub fn init(ctx: &mut Context, section: &GenesisState) -> Result<(), GenesisError> {
    // Genesis is what happens before the first block, whatever that one's height is.
    let height = std::mem::replace(&mut ctx.block.height, 0);
    let result = load(ctx, section);
    ctx.block.height = height;
    result
}

fn load(ctx: &mut Context, section: &GenesisState) -> Result<(), GenesisError> {
    params::validate(&section.params).map_err(|error| GenesisError::new("params", error))?;
    params::save(ctx, &section.params);
    let total = std::str::from_utf8(&section.last_total_power)
        .ok()
        .map_or(
            Ok(0),
            |text| if text.is_empty() { Ok(0) } else { text.parse() },
        )
        .map_err(|error| GenesisError::new("last_total_power", error))?;
    state::save_last_total_power(ctx, total);

    let (mut bonded, mut not_bonded) = (0_u128, 0_u128);
    load_validators(ctx, section, &mut bonded, &mut not_bonded)?;
    load_delegations(ctx, section)?;
    load_unbondings(ctx, section, &mut not_bonded)?;
    load_redelegations(ctx, section)?;
    for (pool, staked) in [(pools::BONDED, bonded), (pools::NOT_BONDED, not_bonded)] {
        check_pool(ctx, pool, staked)?;
    }

    let mut changes = Vec::new();
    if section.exported {
        for (position, last) in section.last_validator_powers.iter().enumerate() {
            let path = format!("last_validator_powers[{position}].address");
            let address =
                operator(&last.address).map_err(|error| GenesisError::new(&path, error))?;
            let validator = state::validator(ctx, &address)?
                .ok_or_else(|| GenesisError::new(&path, "is no validator"))?;
            state::save_last_power(ctx, &address, Some(last.power));
            changes.push(validator.update(last.power)?);
        }
    } else {
        changes = updates::apply_set_changes(ctx)?;
    }
    ctx.validator_updates = changes;
    Ok(())
}

fn load_validators(
    ctx: &mut Context,
    section: &GenesisState,
    bonded: &mut u128,
    not_bonded: &mut u128,
) -> Result<(), GenesisError> {
    let (mut operators, mut keys) = (BTreeSet::new(), BTreeSet::new());
    for (position, proto) in section.validators.iter().enumerate() {
        let wrong = |reason: String| GenesisError::new(format!("validators[{position}]"), reason);
        let validator = Validator::from_proto(proto).map_err(|error| wrong(error.to_string()))?;
        let consensus = validator
            .consensus_address()
            .map_err(|error| wrong(error.to_string()))?;
        if !operators.insert(validator.operator) || !keys.insert(consensus) {
            return Err(wrong(
                "has the operator or the key of another one".to_owned(),
            ));
        }
        if validator.jailed && validator.is_bonded() {
            return Err(wrong("is bonded and jailed".to_owned()));
        }
        if validator.shares.is_zero() && !validator.is_unbonding() {
            return Err(wrong("has no delegator shares".to_owned()));
        }
        state::save_validator(ctx, &validator);
        state::save_consensus(ctx, &validator)?;
        state::save_power(ctx, &validator)?;
        if !section.exported {
            hooks::validator_created(ctx, &validator)?;
        }
        if validator.is_unbonding() {
            state::queue_validator(ctx, &validator)?;
        }
        let pool = if validator.is_bonded() {
            &mut *bonded
        } else {
            &mut *not_bonded
        };
        *pool = pool
            .checked_add(validator.tokens)
            .ok_or_else(|| wrong("tokens exceed 128 bits".to_owned()))?;
    }
    Ok(())
}

fn load_delegations(ctx: &mut Context, section: &GenesisState) -> Result<(), GenesisError> {
    for (position, proto) in section.delegations.iter().enumerate() {
        let wrong =
            |error: TxError| GenesisError::new(format!("delegations[{position}]"), error.log);
        let delegation = Delegation::from_proto(proto).map_err(|error| wrong(error.into()))?;
        let Delegation {
            delegator,
            validator,
            ..
        } = &delegation;
        if !section.exported {
            hooks::before_delegation_created(ctx, validator).map_err(wrong)?;
        }
        state::save_delegation(ctx, &delegation);
        if !section.exported {
            hooks::delegation_modified(ctx, delegator, validator).map_err(wrong)?;
        }
    }
    Ok(())
}

fn load_unbondings(
    ctx: &mut Context,
    section: &GenesisState,
    not_bonded: &mut u128,
) -> Result<(), GenesisError> {
    for (position, proto) in section.unbonding_delegations.iter().enumerate() {
        let wrong = |reason: String| {
            GenesisError::new(format!("unbonding_delegations[{position}]"), reason)
        };
        let unbonding =
            UnbondingDelegation::from_proto(proto).map_err(|error| wrong(error.to_string()))?;
        state::save_unbonding(ctx, &unbonding);
        for entry in &unbonding.entries {
            state::queue_unbonding(ctx, &unbonding, entry.completion_time)?;
            *not_bonded = not_bonded
                .checked_add(entry.balance)
                .ok_or_else(|| wrong("balances exceed 128 bits".to_owned()))?;
        }
    }
    Ok(())
}

fn load_redelegations(ctx: &mut Context, section: &GenesisState) -> Result<(), GenesisError> {
    for (position, proto) in section.redelegations.iter().enumerate() {
        let redelegation = Redelegation::from_proto(proto)
            .map_err(|error| GenesisError::new(format!("redelegations[{position}]"), error))?;
        state::save_redelegation(ctx, &redelegation);
        for entry in &redelegation.entries {
            state::queue_redelegation(ctx, &redelegation, entry.completion_time)?;
        }
    }
    Ok(())
}

/// A pool must hold exactly what is staked.
fn check_pool(ctx: &mut Context, pool: &str, staked: u128) -> Result<(), GenesisError> {
    let held = bank::balances(ctx, &Address::module(pool))?;
    let expected = Coins::sum(&pools::coins(ctx, staked)?)?;
    if held == expected {
        return Ok(());
    }
    let reason = format!(
        "`{pool}` ({}) holds {}, but {} are staked: give it the tokens of its validators in bank.balances",
        Address::module(pool).to_bech32(),
        or_nothing(&held),
        or_nothing(&expected),
    );
    Err(GenesisError::new("validators", reason))
}

fn or_nothing(coins: &Coins) -> String {
    if coins.is_empty() {
        "nothing".to_owned()
    } else {
        coins.to_string()
    }
}

/// All of it, marked as exported.
///
/// # Errors
/// When the store fails.
pub fn export(ctx: &Context) -> Result<GenesisState, ChainError> {
    let last_power = |(operator, power): (Address, i64)| LastValidatorPower {
        address: operator.to_bech32_with(VALOPER_PREFIX),
        power,
    };
    let total = state::last_total_power(ctx)?;
    Ok(GenesisState {
        params: params(ctx)?,
        last_total_power: total.to_string().into_bytes().into(),
        last_validator_powers: state::last_powers(ctx)?
            .into_iter()
            .map(last_power)
            .collect(),
        validators: state::validators(ctx)?
            .iter()
            .map(Validator::to_proto)
            .collect(),
        delegations: all(ctx, keys::DELEGATIONS)?,
        unbonding_delegations: all(ctx, keys::UNBONDINGS)?,
        redelegations: all(ctx, keys::REDELEGATIONS)?,
        exported: true,
    })
}

/// All stored messages under a prefix.
fn all<M: prost::Message + Default>(ctx: &Context, prefix: &[u8]) -> Result<Vec<M>, ChainError> {
    let decode = |pair: Result<crate::store::Pair, ChainError>| {
        let (key, value) = pair?;
        M::decode(value.as_slice()).map_err(|error| ChainError::corrupt(hex::encode(key), error))
    };
    ctx.iter(prefix).map(decode).collect()
}

/// What a staked amount needs in genesis: kept here for who builds documents.
///
/// # Errors
/// When the text is no amount.
pub fn tokens(validator: &proto::cosmos::staking::v1beta1::Validator) -> Result<u128, ChainError> {
    read_amount(&validator.tokens)
}
