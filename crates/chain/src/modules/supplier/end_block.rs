//! End of a block: suppliers whose unbonding period is over are paid out and deleted, and configurations that no claim
//! can need any more are forgotten.

use std::ops::Bound;

use proto::pocket::shared::Supplier;
use proto::pocket::supplier::{
    EventSupplierStakeStuckInModulePool, EventSupplierUnbondingEnd, SupplierUnbondingReason,
};

use super::{MODULE, keys, params, state};
use crate::bank;
use crate::context::Context;
use crate::error::ChainError;
use crate::modules::shared::keys::{take_height, take_text};
use crate::modules::shared::{self, address, coin, ending, grid};

/// Finishes unbonding at session ends, and prunes at every block.
///
/// # Errors
/// When the store fails. A transfer of coins that is refused becomes an event, never an error.
pub fn end_block(ctx: &mut Context<'_>) -> Result<(), ChainError> {
    if grid::is_end(&shared::current(ctx)?, ctx.block.height) {
        finish_unbonding(ctx)?;
    }
    prune_configs(ctx)
}

fn finish_unbonding(ctx: &mut Context<'_>) -> Result<(), ChainError> {
    let due = ending::due(ctx, keys::UNBONDING, |params| {
        grid::unbonding_end(params, 0, params.supplier_unbonding_period_sessions)
    })?;
    for operator in due {
        let Some(supplier) = state::get(ctx, &operator)? else {
            continue;
        };
        let stopped = grid::signed(supplier.unstake_session_end_height);
        let then = shared::params_at(ctx, stopped)?;
        let unbonding_end_height =
            grid::unbonding_end(&then, stopped, then.supplier_unbonding_period_sessions);
        pay_out(ctx, supplier, unbonding_end_height)?;
    }
    Ok(())
}

fn pay_out(
    ctx: &mut Context<'_>,
    supplier: Supplier,
    unbonding_end_height: i64,
) -> Result<(), ChainError> {
    let session_end_height = grid::end(&shared::current(ctx)?, ctx.block.height);
    let stake = coin::stored(supplier.stake.as_ref())?;
    if let Err(reason) = send_stake(ctx, &supplier.owner_address, stake) {
        ctx.emit(&EventSupplierStakeStuckInModulePool {
            operator_address: supplier.operator_address.clone(),
            owner_address: supplier.owner_address.clone(),
            stuck_coin: supplier.stake.clone(),
            reason,
            session_end_height,
        })?;
    }
    state::remove(ctx, &supplier)?;
    let min_stake = coin::stored(params::params(ctx)?.min_stake.as_ref())?;
    let reason = if stake < min_stake {
        SupplierUnbondingReason::BelowMinStake
    } else {
        SupplierUnbondingReason::Voluntary
    };
    ctx.emit(&EventSupplierUnbondingEnd {
        supplier: Some(supplier),
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

/// Forgets closed configurations once the proof window of their last session is over. Those that still wait for it have
/// a few deactivation heights, each the start of a session, and are not read.
fn prune_configs(ctx: &mut Context<'_>) -> Result<(), ChainError> {
    let height = ctx.block.height;
    let mut from = 0;
    while let Some(deactivation) = next_deactivation(ctx, from)? {
        if deactivation > height {
            break;
        }
        from = deactivation.saturating_add(1);
        let last_height = deactivation.saturating_sub(1);
        let then = shared::params_at(ctx, last_height)?;
        let last_session_end = grid::end(&then, last_height);
        if height <= grid::settlement(&then, last_session_end) {
            continue;
        }
        for key in closed_at(ctx, deactivation)? {
            if let Some(config) = ctx.load(&key)? {
                state::remove_config(ctx, &config)?;
            }
        }
    }
    Ok(())
}

/// The first height, from a height on, at which a configuration was closed.
fn next_deactivation(ctx: &Context<'_>, from: i64) -> Result<Option<i64>, ChainError> {
    let from = keys::deactivations_at(from);
    let first = ctx.scan(keys::DEACTIVATIONS, Bound::Included(&from), false, 1)?;
    let tail = first
        .first()
        .and_then(|(key, _)| key.strip_prefix(keys::DEACTIVATIONS));
    Ok(tail.and_then(take_height).map(|(height, _)| height))
}

/// Keys of the configurations that were closed at a height.
fn closed_at(ctx: &Context<'_>, deactivation: i64) -> Result<Vec<Vec<u8>>, ChainError> {
    let table = keys::deactivations_at(deactivation);
    let mut out = Vec::new();
    for pair in ctx.iter(&table) {
        let (key, _) = pair?;
        let tail = key.strip_prefix(table.as_slice()).unwrap_or_default();
        let parts = take_text(tail).and_then(|(service, rest)| {
            let (activation, rest) = take_height(rest)?;
            let (operator, _) = take_text(rest)?;
            Some(keys::config(operator, service, activation))
        });
        out.extend(parts);
    }
    Ok(out)
}
