//! End of a block: gateways whose unbonding period is over are paid back and deleted.

use proto::pocket::gateway::{EventGatewayUnbondingEnd, Gateway};

use super::{MODULE, keys, state};
use crate::bank;
use crate::context::Context;
use crate::error::ChainError;
use crate::modules::shared::{self, address, coin, ending, grid};

/// Finishes unbonding at session ends.
///
/// # Errors
/// When the store fails. A payment that is refused leaves the gateway as it is, to be tried again at the next session
/// end: the reference halts there (Q16).
pub fn end_block(ctx: &mut Context<'_>) -> Result<(), ChainError> {
    let shared = shared::current(ctx)?;
    if !grid::is_end(&shared, ctx.block.height) {
        return Ok(());
    }
    let session_end_height = grid::end(&shared, ctx.block.height);
    let due = ending::due(ctx, keys::UNBONDING, |params| {
        grid::unbonding_end(params, 0, params.gateway_unbonding_period_sessions)
    })?;
    for address in due {
        let Some(gateway) = state::get(ctx, &address)? else {
            continue;
        };
        let stopped = grid::signed(gateway.unstake_session_end_height);
        let then = shared::params_at(ctx, stopped)?;
        let unbonding_end_height =
            grid::unbonding_end(&then, stopped, then.gateway_unbonding_period_sessions);
        if let Err(reason) = send_stake(ctx, &gateway)? {
            tracing::error!(
                gateway = gateway.address,
                reason,
                "stake of a gateway is stuck"
            );
            continue;
        }
        state::remove(ctx, &gateway);
        ctx.emit(&EventGatewayUnbondingEnd {
            gateway: Some(state::without_card(&gateway)),
            session_end_height,
            unbonding_end_height,
        })?;
    }
    Ok(())
}

fn send_stake(ctx: &mut Context<'_>, gateway: &Gateway) -> Result<Result<(), String>, ChainError> {
    let stake = coin::upokt(coin::stored(gateway.stake.as_ref())?);
    let owner = match address::parse(&gateway.address) {
        Ok(owner) => owner,
        Err(reason) => return Ok(Err(reason)),
    };
    Ok(ctx
        .atomic(|ctx| bank::module_to_account(ctx, MODULE, &owner, &[stake]))
        .map_err(|error| error.to_string()))
}
