//! What delegations earn (F1 fee distribution).
//!
//! A validator's life is cut into periods; each change of its stake ends one. For the end of a period the rewards of one
//! token since the first period are recorded, so that a delegation earns its stake times the difference of two records,
//! whatever happened in between. A slash inside that span is a record of its own, from which on the stake counts less.
//! Records are kept as long as a delegation, a slash or the present period refers to them.

use crypto::keys::Address;

use super::state::{Current, Historical, Slash, StartingInfo};
use super::{MODULE, error, keys, state};
use crate::bank::{self, Coins};
use crate::context::Context;
use crate::decimal::{Dec, DecCoins};
use crate::error::{ChainError, TxError};
use crate::staking::{self, Delegation, Validator};

/// The denomination in which the reference says that nothing was withdrawn: its library's default, which it never sets.
const NOTHING_DENOM: &str = "stake";

/// Begins the records of a validator.
pub(super) fn initialize_validator(ctx: &mut Context, validator: &Address) {
    let first = Historical {
        ratio: DecCoins::new(),
        references: 1,
    };
    state::save_historical(ctx, validator, 0, &first);
    let current = Current {
        rewards: DecCoins::new(),
        period: 1,
    };
    state::save_current(ctx, validator, &current);
    state::save_commission(ctx, validator, &DecCoins::new());
    state::save_outstanding(ctx, validator, &DecCoins::new());
}

/// The number of the period before.
fn before(period: u64) -> Result<u64, ChainError> {
    period
        .checked_sub(1)
        .ok_or_else(|| ChainError::invariant("a validator without distribution records"))
}

/// The sum that the record of the present period will hold when it ends now.
pub(super) fn ratio_now(ctx: &Context, validator: &Validator) -> Result<DecCoins, ChainError> {
    let current = state::current(ctx, &validator.operator)?;
    let last = state::historical(ctx, &validator.operator, before(current.period)?)?;
    if validator.tokens == 0 {
        return Ok(last.ratio);
    }
    let tokens = Dec::from_int(validator.tokens);
    let earned = current.rewards.map(|amount| amount.quo_truncate(&tokens))?;
    last.ratio.plus(&earned)
}

/// Ends the present period; its number and the sum at its end. What a validator without tokens earned goes to the
/// community pool.
pub(super) fn end_period(
    ctx: &mut Context,
    validator: &Validator,
) -> Result<(u64, DecCoins), ChainError> {
    let operator = &validator.operator;
    let ratio = ratio_now(ctx, validator)?;
    let Current { rewards, period } = state::current(ctx, operator)?;
    if validator.tokens == 0 {
        state::add_to_community(ctx, &rewards)?;
        let outstanding = state::outstanding(ctx, operator)?.minus(&rewards)?;
        state::save_outstanding(ctx, operator, &outstanding);
    }
    release(ctx, operator, before(period)?)?;
    let ended = Historical {
        ratio: ratio.clone(),
        references: 1,
    };
    state::save_historical(ctx, operator, period, &ended);
    let next = Current {
        rewards: DecCoins::new(),
        period: period
            .checked_add(1)
            .ok_or_else(|| ChainError::invariant("periods used up"))?,
    };
    state::save_current(ctx, operator, &next);
    Ok((period, ratio))
}

/// One more needs the record of a period.
fn refer(ctx: &mut Context, validator: &Address, period: u64) -> Result<(), ChainError> {
    let mut historical = state::historical(ctx, validator, period)?;
    historical.references = historical.references.saturating_add(1);
    if historical.references > 2 {
        return Err(ChainError::invariant(
            "reference count should never exceed 2",
        ));
    }
    state::save_historical(ctx, validator, period, &historical);
    Ok(())
}

/// One less needs the record of a period.
fn release(ctx: &mut Context, validator: &Address, period: u64) -> Result<(), ChainError> {
    let mut historical = state::historical(ctx, validator, period)?;
    historical.references = historical
        .references
        .checked_sub(1)
        .ok_or_else(|| ChainError::invariant("cannot set negative reference count"))?;
    state::save_historical(ctx, validator, period, &historical);
    Ok(())
}

/// The height as records hold it.
fn height(ctx: &Context) -> u64 {
    u64::try_from(ctx.block.height).unwrap_or(0)
}

/// A delegation starts to earn with the period that just began.
pub(super) fn start(
    ctx: &mut Context,
    delegator: &Address,
    operator: &Address,
) -> Result<(), TxError> {
    let previous_period = before(state::current(ctx, operator)?.period)?;
    refer(ctx, operator, previous_period)?;
    let validator = staking::existing_validator(ctx, operator)?;
    let delegation = staking::existing_delegation(ctx, delegator, operator)?;
    let info = StartingInfo {
        previous_period,
        stake: validator.tokens_of_truncated(&delegation.shares)?,
        height: height(ctx),
    };
    let key = keys::starting_info(operator, delegator);
    ctx.save(key, &info.to_proto());
    Ok(())
}

/// Rewards of a stake from the end of one period to another sum.
fn between(
    ctx: &Context,
    operator: &Address,
    first: u64,
    ratio: &DecCoins,
    stake: &Dec,
) -> Result<DecCoins, ChainError> {
    let start = state::historical(ctx, operator, first)?.ratio;
    let difference = ratio.minus_signed(&start)?;
    if difference.any_negative() {
        let text = "negative rewards should not be possible";
        return Err(ChainError::invariant(text));
    }
    difference.map(|amount| amount.mul_truncate(stake))
}

/// What a delegation has earned when the present period ends with the given sum.
pub(super) fn earned(
    ctx: &Context,
    validator: &Validator,
    delegation: &Delegation,
    ratio: &DecCoins,
) -> Result<DecCoins, ChainError> {
    let operator = &validator.operator;
    // Without a record the reference counts from the first period on, with no stake.
    let info =
        state::starting_info(ctx, operator, &delegation.delegator)?.unwrap_or(StartingInfo {
            previous_period: 0,
            stake: Dec::zero(),
            height: 0,
        });
    let now = height(ctx);
    if info.height == now {
        return Ok(DecCoins::new());
    }
    let (mut period, mut stake, mut rewards) = (info.previous_period, info.stake, DecCoins::new());
    if now > info.height {
        // A slash of this block came after the rewards of this block, but it counts for the stake below.
        for slash in state::slashes_between(ctx, operator, info.height, now)? {
            if slash.period > period {
                let sum = state::historical(ctx, operator, slash.period)?.ratio;
                rewards = rewards.plus(&between(ctx, operator, period, &sum, &stake)?)?;
                let left = Dec::one().minus(&slash.fraction)?;
                stake = stake.mul_truncate(&left)?;
                period = slash.period;
            }
        }
    }
    let present = validator.tokens_of(&delegation.shares)?;
    if stake > present {
        // Rounding in another order may make three units of the last place.
        if stake > present.plus(&Dec::from_places(3))? {
            return Err(ChainError::invariant(format!(
                "calculated final stake for delegator {} greater than current stake: {stake} > {present}",
                delegation.delegator
            )));
        }
        stake = present;
    }
    rewards.plus(&between(ctx, operator, period, ratio, &stake)?)
}

/// Pays a delegation what it has earned and ends its records. Fractions go to the community pool. Events: those of the
/// transfer, `withdraw_rewards`.
pub(super) fn withdraw(
    ctx: &mut Context,
    validator: &Validator,
    delegation: &Delegation,
) -> Result<Coins, TxError> {
    let (operator, delegator) = (&validator.operator, &delegation.delegator);
    let Some(info) = state::starting_info(ctx, operator, delegator)? else {
        return Err(error::empty_delegation_info());
    };
    let (_, ratio) = end_period(ctx, validator)?;
    let earned = earned(ctx, validator, delegation, &ratio)?;
    let outstanding = state::outstanding(ctx, operator)?;
    // The last places may add up to more than there is.
    let rewards = earned.intersect(&outstanding);
    let (coins, rest) = rewards.truncate()?;
    if !coins.is_empty() {
        let to = state::withdraw_address(ctx, delegator)?;
        bank::module_to_account(ctx, MODULE, &to, &coins.to_proto())?;
    }
    state::save_outstanding(ctx, operator, &outstanding.minus(&rewards)?);
    state::add_to_community(ctx, &rest)?;
    release(ctx, operator, info.previous_period)?;
    ctx.remove(&keys::starting_info(operator, delegator));
    let amount = if coins.is_empty() {
        format!("0{NOTHING_DENOM}")
    } else {
        coins.to_string()
    };
    ctx.emit_raw(
        "withdraw_rewards",
        &[
            ("amount", &amount),
            ("validator", &validator.operator_text()),
            ("delegator", &delegator.to_bech32()),
        ],
    );
    Ok(coins)
}

/// What a message answers that withdrew these coins: nothing is a coin too.
pub(super) fn answered(coins: &Coins) -> Vec<proto::cosmos::base::v1beta1::Coin> {
    if coins.is_empty() {
        return vec![bank::coin(0, NOTHING_DENOM)];
    }
    coins.to_proto()
}

/// Records a slash: it ends a period, whose record is needed as long as the slash is.
pub(super) fn record_slash(
    ctx: &mut Context,
    operator: &Address,
    fraction: &Dec,
) -> Result<(), TxError> {
    if *fraction > Dec::one() || fraction.is_negative() {
        let text = format!("fraction must be >=0 and <=1, current fraction: {fraction}");
        return Err(ChainError::invariant(text).into());
    }
    let validator = staking::existing_validator(ctx, operator)?;
    let (period, _) = end_period(ctx, &validator)?;
    refer(ctx, operator, period)?;
    let slash = Slash {
        period,
        fraction: fraction.clone(),
    };
    let key = keys::slash(operator, height(ctx), period);
    ctx.save(key, &slash.to_proto());
    Ok(())
}
