//! End of a block: gateways that stopped are undelegated, old undelegations forgotten, unbonded stakes paid back, and
//! transfers finished, in this order.

use proto::pocket::application::{
    Application, ApplicationUnbondingReason, EventApplicationStakeStuckInModulePool,
    EventApplicationUnbondingEnd,
};
use proto::pocket::shared::Params as SharedParams;

use super::msg_undelegate_from_gateway::undelegate;
use super::{MODULE, keys, params, state, transfer};
use crate::bank;
use crate::context::Context;
use crate::error::ChainError;
use crate::modules::shared::{self, address, coin, grid};
use crate::modules::{gateway, shared::keys::take_height, shared::keys::take_text};

/// Runs the four steps.
///
/// # Errors
/// When the store fails. A transfer of coins that is refused becomes an event, never an error.
pub fn end_block(ctx: &mut Context<'_>) -> Result<(), ChainError> {
    let shared = shared::current(ctx)?;
    undelegate_stopped_gateways(ctx, &shared)?;
    forget_old_undelegations(ctx)?;
    if grid::is_end(&shared, ctx.block.height) {
        finish_unbonding(ctx)?;
        transfer::finish_due(ctx, grid::end(&shared, ctx.block.height))?;
    }
    Ok(())
}

/// Removes gateways past their last session from every application, without an event.
fn undelegate_stopped_gateways(
    ctx: &mut Context<'_>,
    shared: &SharedParams,
) -> Result<(), ChainError> {
    let height = ctx.block.height;
    for gateway in gateway::unbonding(ctx)? {
        if grid::signed(gateway.unstake_session_end_height) >= height {
            continue;
        }
        for address in marked(ctx, &keys::delegations_to(&gateway.address))? {
            if let Some(mut application) = state::get(ctx, &address)?
                && undelegate(
                    &mut application,
                    &gateway.address,
                    grid::end(shared, height),
                )
            {
                state::save(ctx, &application)?;
            }
        }
    }
    Ok(())
}

/// Drops pending undelegations that no session still due can need.
fn forget_old_undelegations(ctx: &mut Context<'_>) -> Result<(), ChainError> {
    let live = shared::params(ctx)?;
    let kept = live.num_blocks_per_session.saturating_mul(2);
    let kept = grid::signed(kept.saturating_add(live.grace_period_end_offset_blocks));
    let oldest = ctx.block.height.saturating_sub(kept);
    let mut due = Vec::new();
    for pair in ctx.iter(keys::UNDELEGATIONS) {
        let (key, _) = pair?;
        let tail = key.strip_prefix(keys::UNDELEGATIONS).unwrap_or_default();
        let Some((session_end, rest)) = take_height(tail) else {
            continue;
        };
        if session_end >= oldest {
            break;
        }
        if let Some((address, _)) = take_text(rest) {
            due.push((session_end, address.to_owned()));
        }
    }
    for (session_end, address) in due {
        if let Some(mut application) = state::get(ctx, &address)? {
            application
                .pending_undelegations
                .remove(&grid::unsigned(session_end));
            state::save(ctx, &application)?;
        }
    }
    Ok(())
}

/// Pays back and deletes every application whose unbonding period is over.
fn finish_unbonding(ctx: &mut Context<'_>) -> Result<(), ChainError> {
    for address in marked(ctx, keys::UNBONDING)? {
        let Some(application) = state::get(ctx, &address)? else {
            continue;
        };
        let stopped = grid::signed(application.unstake_session_end_height);
        let then = shared::params_at(ctx, stopped)?;
        let unbonding_end_height =
            grid::unbonding_end(&then, stopped, then.application_unbonding_period_sessions);
        if ctx.block.height >= unbonding_end_height {
            pay_back(ctx, application, unbonding_end_height)?;
        }
    }
    Ok(())
}

fn pay_back(
    ctx: &mut Context<'_>,
    application: Application,
    unbonding_end_height: i64,
) -> Result<(), ChainError> {
    let session_end_height = grid::end(&shared::current(ctx)?, ctx.block.height);
    let stake = coin::stored(application.stake.as_ref())?;
    if let Err(reason) = send_stake(ctx, &application.address, stake) {
        ctx.emit(&EventApplicationStakeStuckInModulePool {
            application_address: application.address.clone(),
            stuck_coin: application.stake.clone(),
            reason,
            session_end_height,
        })?;
    }
    state::remove(ctx, &application)?;
    let min_stake = coin::stored(params::params(ctx)?.min_stake.as_ref())?;
    let reason = if stake < min_stake {
        ApplicationUnbondingReason::BelowMinStake
    } else {
        ApplicationUnbondingReason::Elective
    };
    ctx.emit(&EventApplicationUnbondingEnd {
        application: Some(application),
        reason: reason.into(),
        session_end_height,
        unbonding_end_height,
    })
}

fn send_stake(ctx: &mut Context<'_>, owner: &str, stake: u128) -> Result<(), String> {
    if stake == 0 {
        return Ok(());
    }
    let owner = address::parse(owner)?;
    ctx.atomic(|ctx| bank::module_to_account(ctx, MODULE, &owner, &[coin::upokt(stake)]))
        .map_err(|error| error.to_string())
}

/// The addresses that end the keys below `table`.
pub(super) fn marked(ctx: &Context<'_>, table: &[u8]) -> Result<Vec<String>, ChainError> {
    let mut out = Vec::new();
    for pair in ctx.iter(table) {
        let (key, _) = pair?;
        let tail = key.strip_prefix(table).unwrap_or_default();
        if let Some((address, _)) = take_text(tail) {
            out.push(address.to_owned());
        }
    }
    Ok(out)
}
