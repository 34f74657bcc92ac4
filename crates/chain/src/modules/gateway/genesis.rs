//! Genesis of `gateway`.

use proto::pocket::gateway::GenesisState;

use super::{params, state};
use crate::context::Context;
use crate::error::{ChainError, GenesisError};
use crate::modules::shared::{address, coin, validate};

/// Loads the section.
///
/// # Errors
/// Names the param or the gateway that is wrong.
pub fn init_genesis(ctx: &mut Context<'_>, genesis: GenesisState) -> Result<(), GenesisError> {
    params::validate(&genesis.params).map_err(|reason| GenesisError::new("params", reason))?;
    params::set(ctx, &genesis.params);
    for (index, gateway) in genesis.gateway_list.iter().enumerate() {
        let at = |field: &str, reason: &str| {
            GenesisError::new(format!("gateway_list.{index}.{field}"), reason)
        };
        address::parse(&gateway.address).map_err(|reason| at("address", &reason))?;
        if state::get(ctx, &gateway.address)?.is_some() {
            return Err(at("address", "appears twice"));
        }
        coin::require_stake(gateway.stake.as_ref()).map_err(|reason| at("stake", &reason))?;
        if let Some(metadata) = &gateway.metadata {
            validate::metadata(metadata).map_err(|error| at("metadata", &error.to_string()))?;
        }
        state::save(ctx, gateway)?;
    }
    Ok(())
}

/// Writes the section.
///
/// # Errors
/// When the store fails.
pub fn export_genesis(ctx: &Context<'_>) -> Result<GenesisState, ChainError> {
    Ok(GenesisState {
        params: params::params(ctx)?,
        gateway_list: state::all(ctx)?,
    })
}
