//! `MsgDelegateToGateway`: allow a gateway to sign for an application.

use proto::pocket::application::{EventRedelegation, MsgDelegateToGateway};

use super::error::Error;
use super::{params, state};
use crate::context::Context;
use crate::error::{GrpcCode, TxError};
use crate::modules::shared::{self, grid};
use crate::modules::{gateway, gateway::error::Error as GatewayError};

/// Checks the message without state.
pub(super) fn check(message: &MsgDelegateToGateway) -> Result<(), TxError> {
    super::check_address(&message.app_address)?;
    super::check_gateway_address(&message.gateway_address)
}

/// Appends the gateway and forgets that it was ever undelegated.
pub(super) fn execute(ctx: &mut Context<'_>, message: MsgDelegateToGateway) -> Result<(), TxError> {
    check(&message).map_err(|error| TxError::status(GrpcCode::InvalidArgument, error))?;
    let MsgDelegateToGateway {
        app_address,
        gateway_address,
    } = message;
    let mut application = state::get(ctx, &app_address)?.ok_or_else(|| {
        Error::NotFound.status(
            GrpcCode::NotFound,
            format_args!("application with address: {app_address}"),
        )
    })?;
    let gateway = gateway::get(ctx, &gateway_address)?.ok_or_else(|| {
        Error::GatewayNotFound.status(
            GrpcCode::NotFound,
            format_args!("gateway with address: {gateway_address:?}"),
        )
    })?;
    let max = params::params(ctx)?.max_delegated_gateways;
    let delegatees = &mut application.delegatee_gateway_addresses;
    if u64::try_from(delegatees.len()).is_ok_and(|count| count >= max) {
        return Err(Error::MaxDelegatedGateways.status(
            GrpcCode::FailedPrecondition,
            format_args!(
                "application with address {app_address:?} already delegated to {max} (max) gateways"
            ),
        ));
    }
    if !gateway::is_active(&gateway, ctx.block.height) {
        return Err(GatewayError::IsInactive.status(
            GrpcCode::FailedPrecondition,
            format_args!("gateway with address: {gateway_address:?}"),
        ));
    }
    if delegatees.contains(&gateway_address) {
        return Err(Error::AlreadyDelegated.status(
            GrpcCode::AlreadyExists,
            format_args!(
                "application with address {app_address:?} already delegated to gateway with address: {gateway_address:?}"
            ),
        ));
    }
    delegatees.push(gateway_address.clone());
    application.pending_undelegations.retain(|_, pending| {
        pending
            .gateway_addresses
            .retain(|gateway| *gateway != gateway_address);
        !pending.gateway_addresses.is_empty()
    });
    state::save(ctx, &application)?;
    let session_end_height = grid::end(&shared::current(ctx)?, ctx.block.height);
    ctx.emit(&EventRedelegation {
        application: Some(application),
        session_end_height,
    })?;
    Ok(())
}
