//! Genesis of `shared`: the live params and every change that counted or will count.

use proto::pocket::shared::GenesisState;

use super::params;
use crate::context::Context;
use crate::error::{ChainError, GenesisError};

/// Loads the section.
///
/// # Errors
/// Names the param or the entry that is wrong.
pub fn init_genesis(ctx: &mut Context<'_>, state: GenesisState) -> Result<(), GenesisError> {
    params::validate(&state.params).map_err(|reason| GenesisError::new("params", reason))?;
    params::set(ctx, &state.params);
    let mut previous = 0;
    for (index, entry) in state.params_history.iter().enumerate() {
        let at = |reason: &str| GenesisError::new(format!("params_history.{index}"), reason);
        if entry.effective_height <= previous {
            return Err(at("effective heights must be positive and ascending"));
        }
        previous = entry.effective_height;
        let entry_params = entry
            .params
            .as_ref()
            .ok_or_else(|| at("params are missing"))?;
        params::validate(entry_params).map_err(|reason| at(&reason))?;
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
        params_history: params::params_history(ctx)?,
    })
}
