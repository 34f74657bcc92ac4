//! Genesis of `service`. The history of difficulties has no place in the document: after an import it starts anew, from the
//! latest difficulties, each at the height from which it counts.

use proto::pocket::service::GenesisState;

use super::{keys, params, state};
use crate::context::Context;
use crate::error::{ChainError, GenesisError};
use crate::modules::shared::{address, history, validate};

/// Loads the section.
///
/// # Errors
/// Names the param or the entry that is wrong.
pub fn init_genesis(ctx: &mut Context<'_>, genesis: GenesisState) -> Result<(), GenesisError> {
    params::validate(&genesis.params).map_err(|reason| GenesisError::new("params", reason))?;
    params::set(ctx, &genesis.params);
    for (index, service) in genesis.service_list.iter().enumerate() {
        let at = |reason: &str| GenesisError::new(format!("service_list.{index}"), reason);
        validate::service(service).map_err(|error| at(&error.to_string()))?;
        address::parse(&service.owner_address).map_err(|reason| at(&reason))?;
        if state::exists(ctx, &service.id)? {
            return Err(at("appears twice"));
        }
        state::save(ctx, service);
    }
    for (index, difficulty) in genesis.relay_mining_difficulty_list.iter().enumerate() {
        let at =
            |reason: &str| GenesisError::new(format!("relayMiningDifficultyList.{index}"), reason);
        if difficulty.target_hash.len() != 32 {
            return Err(at("target_hash must have 32 bytes"));
        }
        if state::difficulty(ctx, &difficulty.service_id)?.is_some() {
            return Err(at("appears twice"));
        }
        state::import_difficulty(ctx, difficulty);
    }
    for (index, entry) in genesis.compute_units_per_relay_history.iter().enumerate() {
        if entry.effective_height < 1 || entry.compute_units_per_relay == 0 {
            return Err(GenesisError::new(
                format!("compute_units_per_relay_history.{index}"),
                "height and compute units must be positive",
            ));
        }
        state::set_compute_units(ctx, entry);
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
        service_list: state::all(ctx)?,
        relay_mining_difficulty_list: history::all(ctx, keys::DIFFICULTIES)?,
        compute_units_per_relay_history: history::all(ctx, keys::COMPUTE_UNITS_HISTORY)?,
    })
}
