//! Genesis of `session`. Block hashes are not part of it: after an import, sessions of earlier blocks have other ids.

use proto::pocket::session::GenesisState;

use super::{keys, params};
use crate::context::Context;
use crate::error::{ChainError, GenesisError};
use crate::modules::shared::history;

/// Loads the section.
///
/// # Errors
/// Names the param or the entry that is wrong.
pub fn init_genesis(ctx: &mut Context<'_>, genesis: GenesisState) -> Result<(), GenesisError> {
    params::validate(&genesis.params).map_err(|reason| GenesisError::new("params", reason))?;
    params::set(ctx, &genesis.params);
    let mut previous = 0;
    for (index, entry) in genesis.params_history.iter().enumerate() {
        let at = |reason: &str| GenesisError::new(format!("params_history.{index}"), reason);
        if entry.effective_height <= previous {
            return Err(at("effective heights must be positive and ascending"));
        }
        previous = entry.effective_height;
        let params = entry
            .params
            .as_ref()
            .ok_or_else(|| at("params are missing"))?;
        params::validate(params).map_err(|reason| at(&reason))?;
        params::set_history(ctx, entry);
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
        params_history: history::all(ctx, keys::PARAMS_HISTORY)?,
    })
}
