//! Beginning of a block: configurations that start to serve are announced.

use proto::pocket::supplier::EventSupplierServiceConfigActivated;

use super::keys;
use crate::context::Context;
use crate::error::ChainError;
use crate::modules::shared::keys::take_text;
use crate::modules::shared::{self, grid};

/// Emits one event per configuration with this activation height, by service and operator, when a session starts. What
/// was staked in the first block of a new session length has an activation height of the old one in the reference; there
/// it starts to serve without an event.
///
/// # Errors
/// When the store fails.
pub fn begin_block(ctx: &mut Context<'_>) -> Result<(), ChainError> {
    let height = ctx.block.height;
    if grid::start(&shared::current(ctx)?, height) != height {
        return Ok(());
    }
    let table = keys::activations_at(height);
    let mut activated = Vec::new();
    for pair in ctx.iter(&table) {
        let (key, _) = pair?;
        let tail = key.strip_prefix(table.as_slice()).unwrap_or_default();
        let Some((service_id, rest)) = take_text(tail) else {
            continue;
        };
        let Some((operator_address, _)) = take_text(rest) else {
            continue;
        };
        activated.push(EventSupplierServiceConfigActivated {
            activation_height: height,
            operator_address: operator_address.to_owned(),
            service_id: service_id.to_owned(),
        });
    }
    for event in activated {
        ctx.emit(&event)?;
    }
    Ok(())
}
