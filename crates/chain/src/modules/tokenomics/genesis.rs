//! Genesis of `tokenomics`: params alone.

use proto::pocket::tokenomics::GenesisState;

use super::params;
use crate::context::Context;
use crate::error::{ChainError, GenesisError};

/// Loads the section.
///
/// # Errors
/// Names the param that is wrong.
pub fn init_genesis(ctx: &mut Context<'_>, genesis: GenesisState) -> Result<(), GenesisError> {
    params::validate(&genesis.params).map_err(|reason| GenesisError::new("params", reason))?;
    params::set(ctx, &genesis.params);
    Ok(())
}

/// Writes the section.
///
/// # Errors
/// When the store fails.
pub fn export_genesis(ctx: &Context<'_>) -> Result<GenesisState, ChainError> {
    Ok(GenesisState {
        params: params::params(ctx)?,
    })
}
