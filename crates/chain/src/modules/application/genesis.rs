//! Genesis of `application`.

use proto::pocket::application::GenesisState;

use super::{params, state};
use crate::context::Context;
use crate::error::{ChainError, GenesisError};
use crate::modules::shared::{address, coin, validate};

/// Loads the section.
///
/// # Errors
/// Names the param or the application that is wrong.
pub fn init_genesis(ctx: &mut Context<'_>, genesis: GenesisState) -> Result<(), GenesisError> {
    params::validate(&genesis.params).map_err(|reason| GenesisError::new("params", reason))?;
    params::set(ctx, &genesis.params);
    for (index, application) in genesis.application_list.iter().enumerate() {
        let at = |field: &str, reason: &str| {
            GenesisError::new(format!("application_list.{index}.{field}"), reason)
        };
        address::parse(&application.address).map_err(|reason| at("address", &reason))?;
        if state::get(ctx, &application.address)?.is_some() {
            return Err(at("address", "appears twice"));
        }
        coin::require_stake(application.stake.as_ref()).map_err(|reason| at("stake", &reason))?;
        for service in &application.service_configs {
            validate::service_id(&service.service_id)
                .map_err(|reason| at("service_configs", &reason))?;
        }
        state::save(ctx, application)?;
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
        application_list: state::all(ctx)?,
    })
}
