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
use crate::modules::gateway;
use crate::modules::shared::keys::take_text;
use crate::modules::shared::{self, address, coin, ending, grid};

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
    for gateway in gateway::take_stopped(ctx)? {
        for address in delegators(ctx, &gateway)? {
            if let Some(mut application) = state::get(ctx, &address)?
                && undelegate(&mut application, &gateway, grid::end(shared, height))
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
    let last = ctx.block.height.saturating_sub(kept).saturating_sub(1);
    for (session_end, address) in ending::between(ctx, keys::UNDELEGATIONS, 0, last)? {
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
    let due = ending::due(ctx, keys::UNBONDING, |params| {
        grid::unbonding_end(params, 0, params.application_unbonding_period_sessions)
    })?;
    for address in due {
        let Some(application) = state::get(ctx, &address)? else {
            continue;
        };
        let stopped = grid::signed(application.unstake_session_end_height);
        let then = shared::params_at(ctx, stopped)?;
        let unbonding_end_height =
            grid::unbonding_end(&then, stopped, then.application_unbonding_period_sessions);
        pay_back(ctx, application, unbonding_end_height)?;
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
        // The reference asks the bank all the same, which refuses a list with a coin of nothing.
        return Err(format!("0{}: invalid coins", coin::DENOM));
    }
    let owner = address::parse(owner)?;
    ctx.atomic(|ctx| bank::module_to_account(ctx, MODULE, &owner, &[coin::upokt(stake)]))
        .map_err(|error| error.to_string())
}

/// The applications that delegate to a gateway, in order of their addresses.
fn delegators(ctx: &Context<'_>, gateway: &str) -> Result<Vec<String>, ChainError> {
    let table = keys::delegations_to(gateway);
    let mut out = Vec::new();
    for pair in ctx.iter(&table) {
        let (key, _) = pair?;
        let tail = key.strip_prefix(table.as_slice()).unwrap_or_default();
        if let Some((address, _)) = take_text(tail) {
            out.push(address.to_owned());
        }
    }
    Ok(out)
}
