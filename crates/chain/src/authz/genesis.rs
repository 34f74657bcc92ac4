//! The section `authz` of a genesis document.

use prost::Message as _;
use proto::cosmos::authz::v1beta1::{GenesisState, Grant, GrantAuthorization};

use super::{Authorization, account, keys, save_grant};
use crate::context::{BlockTime, Context};
use crate::error::{ChainError, GenesisError};

/// Loads grants; those that have expired are left out.
///
/// # Errors
/// Names the grant and what is wrong with it.
pub fn init(ctx: &mut Context, state: GenesisState) -> Result<(), GenesisError> {
    for (position, entry) in state.authorization.iter().enumerate() {
        let wrong = |field: &str, reason: &dyn std::fmt::Display| {
            GenesisError::new(format!("authorization[{position}].{field}"), reason)
        };
        let granter = account("granter", &entry.granter).map_err(|e| wrong("granter", &e))?;
        let grantee = account("grantee", &entry.grantee).map_err(|e| wrong("grantee", &e))?;
        let any = entry.authorization.as_ref();
        let any = any.ok_or_else(|| wrong("authorization", &"missing"))?;
        let own = Authorization::from_any(any).map_err(|e| wrong("authorization", &e))?;
        own.check().map_err(|e| wrong("authorization", &e))?;
        let expired = entry
            .expiration
            .as_ref()
            .is_some_and(|expiration| BlockTime::from(expiration) < ctx.block.time);
        if !expired {
            save_grant(ctx, &granter, &grantee, &own, entry.expiration)
                .map_err(|e| wrong("expiration", &e))?;
        }
    }
    Ok(())
}

/// All grants, by granter, grantee and message type.
///
/// # Errors
/// When the store fails.
pub fn export(ctx: &Context) -> Result<GenesisState, ChainError> {
    let mut authorization = Vec::new();
    for pair in ctx.iter(keys::GRANTS) {
        let (key, value) = pair?;
        let (granter, grantee) = keys::split_grant(&key)?;
        let grant = Grant::decode(value.as_slice())
            .map_err(|error| ChainError::corrupt(hex::encode(&key), error))?;
        authorization.push(GrantAuthorization {
            granter: granter.to_bech32(),
            grantee: grantee.to_bech32(),
            authorization: grant.authorization,
            expiration: grant.expiration,
        });
    }
    Ok(GenesisState { authorization })
}
