//! `MsgAddService`: register a service for a fee, or change one's own for none.

use proto::pocket::service::{MsgAddService, ServiceComputeUnitsPerRelayUpdate};
use proto::pocket::shared::Service;

use super::error::Error;
use super::{MODULE, keys, params, state};
use crate::bank;
use crate::context::Context;
use crate::error::{GrpcCode, TxError};
use crate::modules::shared::{self, address, coin, grid, history, validate};

/// Checks the message without state.
pub(super) fn check(message: &MsgAddService) -> Result<(), TxError> {
    super::check_address("signer", &message.owner_address)?;
    let owner = &message.service.owner_address;
    if *owner != message.owner_address {
        return Err(Error::InvalidOwnerAddress.because(format_args!(
            "service owner address {owner:?} does not match the signer address {:?}",
            message.owner_address
        )));
    }
    validate::service(&message.service)
}

/// Adds or changes the service.
pub(super) fn execute(ctx: &mut Context<'_>, message: MsgAddService) -> Result<(), TxError> {
    check(&message).map_err(|error| TxError::status(GrpcCode::InvalidArgument, error))?;
    match state::get(ctx, &message.service.id)? {
        Some(existing) => change(ctx, existing, message.service),
        None => add(ctx, message.service),
    }
}

fn change(ctx: &mut Context<'_>, existing: Service, mut new: Service) -> Result<(), TxError> {
    if existing.owner_address != new.owner_address {
        return Err(Error::InvalidOwnerAddress.status(
            GrpcCode::InvalidArgument,
            format_args!(
                "existing owner address {:?} does not match the new owner address {:?}",
                existing.owner_address, new.owner_address
            ),
        ));
    }
    if existing.compute_units_per_relay != new.compute_units_per_relay {
        let entry = |service: &Service, effective_height| ServiceComputeUnitsPerRelayUpdate {
            effective_height,
            service_id: service.id.clone(),
            compute_units_per_relay: service.compute_units_per_relay,
        };
        if history::is_empty(ctx, &keys::compute_units_history(&existing.id))? {
            state::set_compute_units(ctx, &entry(&existing, 1));
        }
        let next_start = grid::next_start(&shared::current(ctx)?, ctx.block.height);
        state::set_compute_units(ctx, &entry(&new, next_start));
    }
    new.metadata = new.metadata.or(existing.metadata);
    state::save(ctx, &new);
    Ok(())
}

fn add(ctx: &mut Context<'_>, service: Service) -> Result<(), TxError> {
    let owner = address::parse(&service.owner_address)
        .map_err(|reason| TxError::status(GrpcCode::InvalidArgument, reason))?;
    let fee = coin::stored(params::params(ctx)?.add_service_fee.as_ref())?;
    let balance = bank::spendable(ctx, &owner, coin::DENOM)?;
    let fee_coin = coin::upokt(fee);
    if balance <= fee {
        return Err(Error::NotEnoughFunds.status(
            GrpcCode::FailedPrecondition,
            format_args!(
                "account has {balance}, but the service fee is {}",
                coin::text(&fee_coin)
            ),
        ));
    }
    bank::account_to_module(ctx, &owner, MODULE, &[fee_coin])
        .map_err(|error| Error::FailedToDeductFee.status(GrpcCode::Internal, error))?;
    state::set_compute_units(
        ctx,
        &ServiceComputeUnitsPerRelayUpdate {
            effective_height: grid::start(&shared::current(ctx)?, ctx.block.height),
            service_id: service.id.clone(),
            compute_units_per_relay: service.compute_units_per_relay,
        },
    );
    state::save(ctx, &service);
    Ok(())
}
