//! Who gets the fees of the block before: the community its tax, validators by the power of their votes, each taking its
//! commission before its delegators.

use super::{MODULE, params, state};
use crate::bank;
use crate::context::{Context, Vote};
use crate::decimal::{Dec, DecCoins};
use crate::error::{ChainError, TxError};
use crate::staking::{self, Validator};

/// Account in which fees are collected.
const COLLECTOR: &str = "fee_collector";

/// Start of a block: distributes, and remembers who proposed.
///
/// # Errors
/// When the store fails or an invariant is broken.
pub fn begin_block(ctx: &mut Context) -> Result<(), ChainError> {
    if !super::runs(ctx)? {
        return Ok(());
    }
    if ctx.block.height > 1 {
        allocate(ctx)?;
    }
    let proposer = ctx.block.proposer.clone();
    ctx.set(super::keys::PROPOSER.to_vec(), proposer);
    Ok(())
}

fn allocate(ctx: &mut Context) -> Result<(), TxError> {
    let collector = crate::auth::ensure_module_account(ctx, COLLECTOR)?;
    let collected = bank::balances(ctx, &collector)?;
    bank::module_to_module(ctx, COLLECTOR, MODULE, &collected.to_proto())?;
    let fees = DecCoins::from(&collected);
    let votes = known_votes(ctx)?;
    let total = votes.iter().try_fold(0_i64, |sum, (vote, _)| {
        sum.checked_add(vote.power)
            .ok_or_else(|| ChainError::invariant("the power of all votes exceeds 63 bits"))
    })?;
    if total == 0 {
        return Ok(state::add_to_community(ctx, &fees)?);
    }
    let tax = Dec::from_wire(&params(ctx)?.community_tax)?;
    let share = Dec::one().minus(&tax)?;
    let of_validators = fees.map(|amount| amount.mul_truncate(&share))?;
    let mut left = fees;
    for (vote, validator) in votes {
        let Some(validator) = validator else {
            continue;
        };
        let part = Dec::from_int(vote.power).quo_truncate(&Dec::from_int(total))?;
        let reward = of_validators.map(|amount| amount.mul_truncate(&part))?;
        give(ctx, &validator, &reward)?;
        left = left.minus(&reward)?;
    }
    Ok(state::add_to_community(ctx, &left)?)
}

/// Votes and who cast them, also those of validators that have left consensus since. The share of a validator that is gone
/// or not ours to know goes to the community; the reference stops there.
fn known_votes(ctx: &Context) -> Result<Vec<(Vote, Option<Validator>)>, ChainError> {
    ctx.last_commit
        .votes
        .iter()
        .map(|vote| {
            let validator = staking::validator_by_consensus(ctx, &vote.validator)?;
            Ok((*vote, validator))
        })
        .collect()
}

/// Gives coins to a validator and its delegators. Events: `commission`, `rewards`.
pub(super) fn give(
    ctx: &mut Context,
    validator: &Validator,
    coins: &DecCoins,
) -> Result<(), ChainError> {
    let operator = &validator.operator;
    let text = validator.operator_text();
    let commission = coins.map(|amount| amount.mul(&validator.commission.rate))?;
    let shared = coins.minus(&commission)?;
    ctx.emit_raw(
        "commission",
        &[("amount", &commission.to_string()), ("validator", &text)],
    );
    let sum = state::commission(ctx, operator)?.plus(&commission)?;
    state::save_commission(ctx, operator, &sum);
    let mut current = state::current(ctx, operator)?;
    current.rewards = current.rewards.plus(&shared)?;
    state::save_current(ctx, operator, &current);
    ctx.emit_raw(
        "rewards",
        &[("amount", &coins.to_string()), ("validator", &text)],
    );
    let sum = state::outstanding(ctx, operator)?.plus(coins)?;
    state::save_outstanding(ctx, operator, &sum);
    Ok(())
}
