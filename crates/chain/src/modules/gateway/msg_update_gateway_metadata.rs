//! `MsgUpdateGatewayMetadata`: replace the card of a gateway.

use proto::pocket::gateway::{EventGatewayMetadataUpdated, MsgUpdateGatewayMetadata};

use super::error::Error;
use super::state;
use crate::context::Context;
use crate::error::{GrpcCode, TxError};
use crate::modules::shared::{self, grid, validate};

/// Checks the message without state.
pub(super) fn check(message: &MsgUpdateGatewayMetadata) -> Result<(), TxError> {
    super::check_address(&message.address)?;
    message.metadata.as_ref().map_or(Ok(()), validate::metadata)
}

/// Writes the card. An absent or an identical one changes nothing and emits nothing.
pub(super) fn execute(
    ctx: &mut Context<'_>,
    message: MsgUpdateGatewayMetadata,
) -> Result<(), TxError> {
    check(&message).map_err(|error| TxError::status(GrpcCode::InvalidArgument, error))?;
    let Some(mut gateway) = state::get(ctx, &message.address)? else {
        return Err(Error::NotFound.status(
            GrpcCode::NotFound,
            format_args!("gateway with address {}", message.address),
        ));
    };
    if message.metadata.is_none() || message.metadata == gateway.metadata {
        return Ok(());
    }
    let size = message
        .metadata
        .as_ref()
        .map_or(0, |metadata| metadata.card.len());
    gateway.metadata = message.metadata;
    state::save(ctx, &gateway)?;
    ctx.emit(&EventGatewayMetadataUpdated {
        gateway_address: gateway.address,
        session_end_height: grid::end(&shared::current(ctx)?, ctx.block.height),
        card_size_bytes: u64::try_from(size).unwrap_or(u64::MAX),
    })?;
    Ok(())
}
