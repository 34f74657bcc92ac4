//! Slashing: what a missing or invalid proof costs a supplier (chain specification 3.7, quirk Q3).

use proto::pocket::shared::Supplier;
use proto::pocket::supplier::{EventSupplierUnbondingBegin, SupplierUnbondingReason};

use super::msg_unstake_supplier::begin_unbonding;
use super::{MODULE, params, state};
use crate::bank;
use crate::context::Context;
use crate::error::ChainError;
use crate::modules::shared::{self, coin, grid};

/// What a slash did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slash {
    /// Taken from the stake and burned, in upokt: the penalty, or the whole stake when that is less.
    pub penalty_upokt: u128,
    /// What is left of the stake, in upokt.
    pub stake_after_upokt: u128,
}

/// Burns a penalty from the stake of a supplier, through the account of `tokenomics`, and starts its unbonding when the
/// rest is below the minimum; `None` for a supplier that does not exist.
///
/// `claimed_services` are the services this supplier claimed in this settlement, in the order of its first claims: the
/// event shows those of its configurations. In the reference the unbonding is written but neither marked nor are the
/// configurations closed, so that the supplier serves on and is never paid out; the rule `slashed_supplier_unbonds`
/// mends both.
///
/// # Errors
/// When the store fails, or the module account does not hold the stake, which breaks an invariant. Nothing is changed
/// then.
pub fn slash(
    ctx: &mut Context<'_>,
    operator: &str,
    penalty_upokt: u128,
    claimed_services: &[String],
) -> Result<Option<Slash>, ChainError> {
    ctx.atomic(|ctx| {
        let Some(mut supplier) = state::get(ctx, operator)? else {
            return Ok(None);
        };
        let stake = coin::stored(supplier.stake.as_ref())?;
        let penalty_upokt = penalty_upokt.min(stake);
        let stake_after_upokt = stake.saturating_sub(penalty_upokt);
        let penalty = coin::upokt(penalty_upokt);
        bank::module_to_module(ctx, MODULE, "tokenomics", std::slice::from_ref(&penalty))?;
        bank::burn(ctx, "tokenomics", &[penalty])?;
        supplier.stake = Some(coin::upokt(stake_after_upokt));
        state::save(ctx, &supplier);
        let min_stake = coin::stored(params::params(ctx)?.min_stake.as_ref())?;
        if stake_after_upokt < min_stake && supplier.unstake_session_end_height == 0 {
            unbond(ctx, supplier, claimed_services)?;
        }
        Ok(Some(Slash {
            penalty_upokt,
            stake_after_upokt,
        }))
    })
}

fn unbond(
    ctx: &mut Context<'_>,
    mut supplier: Supplier,
    claimed_services: &[String],
) -> Result<(), ChainError> {
    let shared = shared::current(ctx)?;
    let session_end_height = grid::end(&shared, ctx.block.height);
    let mut services = Vec::new();
    for service in claimed_services {
        services.extend(state::active_configs_for(
            ctx,
            &supplier.operator_address,
            service,
            ctx.block.height,
        )?);
    }
    let unbonding_end_height = if ctx.rules.slashed_supplier_unbonds {
        begin_unbonding(ctx, &mut supplier, session_end_height)?;
        let period = shared.supplier_unbonding_period_sessions;
        grid::unbonding_end(&shared, session_end_height, period)
    } else {
        supplier.unstake_session_end_height = grid::unsigned(session_end_height);
        state::save(ctx, &supplier);
        session_end_height
    };
    ctx.emit(&EventSupplierUnbondingBegin {
        supplier: Some(Supplier {
            services,
            ..supplier
        }),
        reason: SupplierUnbondingReason::BelowMinStake.into(),
        session_end_height,
        unbonding_end_height,
    })
}
