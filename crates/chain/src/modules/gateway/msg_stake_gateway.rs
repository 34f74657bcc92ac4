//! `MsgStakeGateway`: stake, or raise the stake; either ends unbonding.

use proto::cosmos::base::v1beta1::Coin;
use proto::pocket::gateway::{
    EventGatewayStaked, EventGatewayUnbondingCanceled, Gateway, MsgStakeGateway,
};

use super::error::Error;
use super::{MODULE, params, state};
use crate::bank;
use crate::context::Context;
use crate::error::{GrpcCode, TxError};
use crate::modules::shared::coin::{self, Given};
use crate::modules::shared::{self, address, grid};

/// Checks the message without state.
pub(super) fn check(message: &MsgStakeGateway) -> Result<(), TxError> {
    super::check_address(&message.address)?;
    check_stake(message.stake.as_ref())
}

fn check_stake(stake: Option<&Coin>) -> Result<(), TxError> {
    let bad = |detail: String| Err(Error::InvalidStake.because(detail));
    let Some(stake) = stake else {
        return bad("nil gateway stake; (<nil>)".to_owned());
    };
    let stake = Given::of(stake);
    let text = stake.text();
    if !stake.is_well_formed() {
        bad(format!("invalid gateway stake {text}; (invalid denom: )"))
    } else if !stake.is_positive() {
        bad(format!("invalid stake amount for gateway: {text} <= 0"))
    } else if stake.denom != coin::DENOM {
        bad(format!("invalid stake amount denom for gateway {text}"))
    } else {
        Ok(())
    }
}

/// Takes the difference of the stakes into escrow and writes the gateway.
pub(super) fn execute(ctx: &mut Context<'_>, message: MsgStakeGateway) -> Result<(), TxError> {
    check(&message).map_err(|error| TxError::status(GrpcCode::InvalidArgument, error))?;
    let MsgStakeGateway { address, stake } = message;
    let owner = address::parse(&address)
        .map_err(|reason| TxError::status(GrpcCode::InvalidArgument, reason))?;
    let stake = stake.unwrap_or_default();
    let amount = coin::payable(&stake);
    let found = state::get(ctx, &address)?;
    let before = coin::stored(found.as_ref().and_then(|found| found.stake.as_ref()))?;
    if found.is_some() && amount <= before {
        return Err(Error::InvalidStake.status(
            GrpcCode::InvalidArgument,
            format_args!(
                "stake amount {} must be higher than previous stake amount {}",
                coin::text(&stake),
                coin::text(&coin::upokt(before))
            ),
        ));
    }
    let min_stake = params::params(ctx)?.min_stake;
    if amount < coin::stored(min_stake.as_ref())? {
        return Err(Error::InvalidStake.status(
            GrpcCode::InvalidArgument,
            format_args!(
                "gateway {address:?} must stake at least {}",
                coin::text(&min_stake.unwrap_or_default())
            ),
        ));
    }
    let mut gateway = found.unwrap_or_else(|| Gateway {
        address,
        ..Default::default()
    });
    let was_unbonding = gateway.unstake_session_end_height != 0;
    gateway.stake = Some(stake);
    gateway.unstake_session_end_height = 0;
    let escrow = coin::upokt(amount.saturating_sub(before));
    bank::account_to_module(ctx, &owner, MODULE, &[escrow])
        .map_err(|error| TxError::status(GrpcCode::Internal, error))?;
    state::save(ctx, &gateway)?;
    let session_end_height = grid::end(&shared::current(ctx)?, ctx.block.height);
    let shown = Some(state::without_card(&gateway));
    if was_unbonding {
        ctx.emit(&EventGatewayUnbondingCanceled {
            gateway: shown.clone(),
            session_end_height,
        })?;
    }
    ctx.emit(&EventGatewayStaked {
        gateway: shown,
        session_end_height,
    })?;
    Ok(())
}
