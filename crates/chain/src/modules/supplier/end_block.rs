//! End of a block: suppliers whose unbonding period is over are paid out and deleted, and configurations that no claim
//! can need any more are forgotten.

use proto::pocket::shared::Supplier;
use proto::pocket::supplier::{
    EventSupplierStakeStuckInModulePool, EventSupplierUnbondingEnd, SupplierUnbondingReason,
};

use super::{MODULE, keys, params, state};
use crate::bank;
use crate::context::Context;
use crate::error::ChainError;
use crate::modules::shared::keys::{take_height, take_text};
use crate::modules::shared::{self, address, coin, grid};

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
    for operator in state::unbonding(ctx)? {
        let Some(supplier) = state::get(ctx, &operator)? else {
            continue;
        };
        let stopped = grid::signed(supplier.unstake_session_end_height);
        let then = shared::params_at(ctx, stopped)?;
        let unbonding_end_height =
            grid::unbonding_end(&then, stopped, then.supplier_unbonding_period_sessions);
        if ctx.block.height >= unbonding_end_height {
            pay_out(ctx, supplier, unbonding_end_height)?;
        }
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
    state::remove(ctx, &supplier.operator_address)?;
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

/// Forgets closed configurations once the proof window of their last session is over.
fn prune_configs(ctx: &mut Context<'_>) -> Result<(), ChainError> {
    let height = ctx.block.height;
    let mut due = Vec::new();
    for pair in ctx.iter(keys::DEACTIVATIONS) {
        let (key, _) = pair?;
        let tail = key.strip_prefix(keys::DEACTIVATIONS).unwrap_or_default();
        let Some((deactivation, rest)) = take_height(tail) else {
            continue;
        };
        if deactivation > height {
            break;
        }
        let last_height = deactivation.saturating_sub(1);
        let then = shared::params_at(ctx, last_height)?;
        let last_session_end = grid::end(&then, last_height);
        if height <= grid::settlement(&then, last_session_end) {
            continue;
        }
        let Some((service, rest)) = take_text(rest) else {
            continue;
        };
        let Some((activation, rest)) = take_height(rest) else {
            continue;
        };
        let Some((operator, _)) = take_text(rest) else {
            continue;
        };
        due.push(keys::config(operator, service, activation));
    }
    for key in due {
        if let Some(config) = ctx.load(&key)? {
            state::remove_config(ctx, &config);
        }
    }
    Ok(())
}
