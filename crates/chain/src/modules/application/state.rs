//! Applications in the state, with the indexes that follow from each record.

use std::collections::BTreeSet;

use proto::pocket::application::Application;

use super::keys;
use crate::context::Context;
use crate::error::ChainError;
use crate::modules::shared::{grid, history};

/// An application by address.
///
/// # Errors
/// When the store fails or the record cannot be read.
pub fn get(ctx: &Context<'_>, address: &str) -> Result<Option<Application>, ChainError> {
    ctx.load(&keys::application(address))
}

/// Stores an application and brings its indexes in line with it.
///
/// # Errors
/// As [`get`].
pub fn save(ctx: &mut Context<'_>, application: &Application) -> Result<(), ChainError> {
    let before = get(ctx, &application.address)?;
    reindex(ctx, before.as_ref(), Some(application));
    ctx.save(keys::application(&application.address), application);
    Ok(())
}

/// Removes an application and its index entries.
///
/// # Errors
/// As [`get`].
pub(super) fn remove(ctx: &mut Context<'_>, application: &Application) -> Result<(), ChainError> {
    let before = get(ctx, &application.address)?;
    reindex(ctx, before.as_ref(), None);
    ctx.remove(&keys::application(&application.address));
    Ok(())
}

/// All applications in order of their addresses.
///
/// # Errors
/// As [`get`].
pub fn all(ctx: &Context<'_>) -> Result<Vec<Application>, ChainError> {
    history::all(ctx, keys::APPLICATIONS)
}

/// Whether an application takes part in a session that ends at `session_end`.
pub fn is_active(application: &Application, session_end: i64) -> bool {
    let until = match (
        application.unstake_session_end_height,
        &application.pending_transfer,
    ) {
        (0, None) => return true,
        (0, Some(transfer)) => transfer.session_end_height,
        (unstake, _) => unstake,
    };
    session_end <= grid::signed(until)
}

/// Whether an application is staked for a service at a height: by its history, or by the flat list while it has none.
pub fn is_staked_for(application: &Application, service_id: &str, height: i64) -> bool {
    let history = &application.service_config_history;
    if history.is_empty() {
        return application
            .service_configs
            .iter()
            .any(|config| config.service_id == service_id);
    }
    history.iter().any(|entry| {
        entry.activation_height <= height
            && (entry.deactivation_height == 0 || height < entry.deactivation_height)
            && entry
                .service
                .as_ref()
                .is_some_and(|service| service.service_id == service_id)
    })
}

/// Every index key that a record implies.
pub(super) fn index_of(application: &Application) -> BTreeSet<Vec<u8>> {
    let address = &application.address;
    let mut out = BTreeSet::new();
    if application.unstake_session_end_height != 0 {
        let stopped = grid::signed(application.unstake_session_end_height);
        out.insert(keys::unbonding(stopped, address));
    }
    if let Some(transfer) = &application.pending_transfer {
        let began = grid::signed(transfer.session_end_height);
        out.insert(keys::transfer(began, address));
    }
    for gateway in &application.delegatee_gateway_addresses {
        out.insert(keys::delegation(gateway, address));
    }
    for session_end in application.pending_undelegations.keys() {
        out.insert(keys::undelegation(grid::signed(*session_end), address));
    }
    out
}

fn reindex(ctx: &mut Context<'_>, before: Option<&Application>, after: Option<&Application>) {
    let before = before.map(index_of).unwrap_or_default();
    let after = after.map(index_of).unwrap_or_default();
    for key in before.difference(&after) {
        ctx.remove(key);
    }
    for key in after.difference(&before) {
        // The key says everything; a value must not be empty, because an absent one is.
        ctx.set(key.clone(), vec![1]);
    }
}
