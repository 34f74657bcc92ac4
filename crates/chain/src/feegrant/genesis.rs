//! The section `feegrant` of a genesis document.

use prost::Message as _;
use proto::cosmos::feegrant::v1beta1::{GenesisState, Grant};

use super::{Allowance, grant_allowance, keys};
use crate::context::Context;
use crate::error::{ChainError, GenesisError};
use crate::modules::shared::address;

/// Loads allowances.
///
/// # Errors
/// Names the allowance and what is wrong with it.
pub fn init(ctx: &mut Context, state: GenesisState) -> Result<(), GenesisError> {
    for (position, entry) in state.allowances.iter().enumerate() {
        let wrong = |field: &str, reason: &dyn std::fmt::Display| {
            GenesisError::new(format!("allowances[{position}].{field}"), reason)
        };
        let granter = address::parse(&entry.granter).map_err(|e| wrong("granter", &e))?;
        let grantee = address::parse(&entry.grantee).map_err(|e| wrong("grantee", &e))?;
        let any = entry.allowance.as_ref();
        let any = any.ok_or_else(|| wrong("allowance", &"missing"))?;
        let allowance = Allowance::from_any(any)
            .and_then(|own| own.check().map(|()| own))
            .map_err(|e| wrong("allowance", &e))?;
        grant_allowance(ctx, &granter, &grantee, &allowance).map_err(|e| wrong("allowance", &e))?;
    }
    Ok(())
}

/// All allowances, by grantee and granter.
///
/// # Errors
/// When the store fails.
pub fn export(ctx: &Context) -> Result<GenesisState, ChainError> {
    let mut allowances = Vec::new();
    for pair in ctx.iter(keys::ALLOWANCES) {
        let (key, value) = pair?;
        let grant = Grant::decode(value.as_slice())
            .map_err(|error| ChainError::corrupt(hex::encode(&key), error))?;
        allowances.push(grant);
    }
    Ok(GenesisState { allowances })
}
