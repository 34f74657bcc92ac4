//! Suppliers in the state: a record without services, and one record per service configuration.

use proto::pocket::shared::{ServiceConfigUpdate, Supplier, SupplierServiceConfig};

use super::{candidates, keys};
use crate::context::Context;
use crate::error::ChainError;
use crate::modules::shared::{grid, history};

/// A supplier by operator, without services and history.
///
/// # Errors
/// When the store fails or the record cannot be read.
pub fn get(ctx: &Context<'_>, operator: &str) -> Result<Option<Supplier>, ChainError> {
    ctx.load(&keys::supplier(operator))
}

/// Stores a supplier; services and history in it are not looked at. Whether it is unbonding is marked apart, by
/// [`mark_unbonding`], because a slashed supplier of the reference is not paid out.
pub fn save(ctx: &mut Context<'_>, supplier: &Supplier) {
    ctx.save(
        keys::supplier(&supplier.operator_address),
        &dehydrated(supplier),
    );
}

/// Marks that a supplier, which stopped at its unstake height, is to be paid out at the end of its unbonding period.
pub(super) fn mark_unbonding(ctx: &mut Context<'_>, supplier: &Supplier) {
    let stopped = grid::signed(supplier.unstake_session_end_height);
    let key = keys::unbonding(stopped, &supplier.operator_address);
    ctx.set(key, vec![1]);
}

/// Takes the mark away, if there is one.
pub(super) fn unmark_unbonding(ctx: &mut Context<'_>, supplier: &Supplier) {
    let stopped = grid::signed(supplier.unstake_session_end_height);
    ctx.remove(&keys::unbonding(stopped, &supplier.operator_address));
}

/// Removes a supplier and all its configurations.
///
/// # Errors
/// As [`get`].
pub(super) fn remove(ctx: &mut Context<'_>, supplier: &Supplier) -> Result<(), ChainError> {
    let operator = &supplier.operator_address;
    for config in configs_of(ctx, operator)? {
        remove_config(ctx, &config)?;
    }
    unmark_unbonding(ctx, supplier);
    ctx.remove(&keys::supplier(operator));
    Ok(())
}

/// All suppliers in order of their operators, without services.
///
/// # Errors
/// As [`get`].
pub(super) fn all(ctx: &Context<'_>) -> Result<Vec<Supplier>, ChainError> {
    history::all(ctx, keys::SUPPLIERS)
}

/// All configurations of a supplier that are still recorded, by service and activation height.
///
/// # Errors
/// As [`get`].
pub fn configs_of(
    ctx: &Context<'_>,
    operator: &str,
) -> Result<Vec<ServiceConfigUpdate>, ChainError> {
    history::all(ctx, &keys::configs(operator))
}

/// What a supplier offers at a height, by service.
///
/// # Errors
/// As [`get`].
pub fn active_configs_at(
    ctx: &Context<'_>,
    operator: &str,
    height: i64,
) -> Result<Vec<SupplierServiceConfig>, ChainError> {
    let configs = configs_of(ctx, operator)?;
    Ok(configs
        .into_iter()
        .filter(|config| is_active(config, height))
        .filter_map(|config| config.service)
        .collect())
}

/// What a supplier offers for one service at a height.
///
/// # Errors
/// As [`get`].
pub fn active_config_at(
    ctx: &Context<'_>,
    operator: &str,
    service_id: &str,
    height: i64,
) -> Result<Option<SupplierServiceConfig>, ChainError> {
    let configs = active_configs_for(ctx, operator, service_id, height)?;
    Ok(configs.into_iter().next())
}

/// What a supplier offers for a service at a height, by activation. There are several when the params that say when one
/// ends and the next begins changed between them.
///
/// # Errors
/// As [`get`].
pub fn active_configs_for(
    ctx: &Context<'_>,
    operator: &str,
    service_id: &str,
    height: i64,
) -> Result<Vec<SupplierServiceConfig>, ChainError> {
    let configs: Vec<ServiceConfigUpdate> =
        history::all(ctx, &keys::configs_for(operator, service_id))?;
    Ok(configs
        .into_iter()
        .filter(|config| is_active(config, height))
        .filter_map(|config| config.service)
        .collect())
}

/// Whether a configuration serves at a height.
pub fn is_active(config: &ServiceConfigUpdate, height: i64) -> bool {
    protocol::session::is_active(
        config.activation_height.into(),
        config.deactivation_height.into(),
        height.into(),
    )
}

/// Stores a configuration with its index entries, in place of the one with the same service and activation height.
///
/// # Errors
/// As [`get`].
pub(super) fn save_config(
    ctx: &mut Context<'_>,
    config: &ServiceConfigUpdate,
) -> Result<(), ChainError> {
    let (operator, service) = (&config.operator_address, service_of(config));
    let (from, until) = (config.activation_height, config.deactivation_height);
    let key = keys::config(operator, service, from);
    let before = ctx.load::<ServiceConfigUpdate>(&key)?;
    if let Some(before) = &before {
        drop_entries(ctx, before);
    }
    let entry = keys::by_service(service, from, operator);
    ctx.set(entry, until.to_be_bytes().to_vec());
    ctx.set(keys::activation(from, service, operator), vec![1]);
    if until != 0 {
        ctx.set(keys::deactivation(until, service, from, operator), vec![1]);
    }
    ctx.save(key, config);
    candidates::changed(ctx, service, candidates::reach(before.as_ref(), config))
}

/// Removes a configuration with its index entries.
///
/// # Errors
/// As [`get`].
pub(super) fn remove_config(
    ctx: &mut Context<'_>,
    config: &ServiceConfigUpdate,
) -> Result<(), ChainError> {
    drop_entries(ctx, config);
    candidates::changed(ctx, service_of(config), Some(config.activation_height))
}

fn drop_entries(ctx: &mut Context<'_>, config: &ServiceConfigUpdate) {
    let (operator, service) = (&config.operator_address, service_of(config));
    let (from, until) = (config.activation_height, config.deactivation_height);
    ctx.remove(&keys::by_service(service, from, operator));
    ctx.remove(&keys::activation(from, service, operator));
    if until != 0 {
        ctx.remove(&keys::deactivation(until, service, from, operator));
    }
    ctx.remove(&keys::config(operator, service, from));
}

/// Ends every open configuration of a supplier at a height.
///
/// # Errors
/// As [`get`].
pub(super) fn close_configs(
    ctx: &mut Context<'_>,
    operator: &str,
    deactivation_height: i64,
) -> Result<(), ChainError> {
    end(ctx, operator, deactivation_height, |config| {
        config.deactivation_height == 0
    })
}

/// Ends every configuration of a supplier at a height, those that were closed earlier included.
///
/// # Errors
/// As [`get`].
pub(super) fn end_configs(
    ctx: &mut Context<'_>,
    operator: &str,
    deactivation_height: i64,
) -> Result<(), ChainError> {
    end(ctx, operator, deactivation_height, |_| true)
}

fn end(
    ctx: &mut Context<'_>,
    operator: &str,
    deactivation_height: i64,
    which: impl Fn(&ServiceConfigUpdate) -> bool,
) -> Result<(), ChainError> {
    for config in configs_of(ctx, operator)? {
        if which(&config) {
            save_config(
                ctx,
                &ServiceConfigUpdate {
                    deactivation_height,
                    ..config
                },
            )?;
        }
    }
    Ok(())
}

/// The supplier with what it offers at a height and all its recorded configurations.
///
/// # Errors
/// As [`get`].
pub fn hydrate(ctx: &Context<'_>, supplier: Supplier, height: i64) -> Result<Supplier, ChainError> {
    let service_config_history = configs_of(ctx, &supplier.operator_address)?;
    let active = service_config_history
        .iter()
        .filter(|config| is_active(config, height));
    let services = active.filter_map(|config| config.service.clone()).collect();
    Ok(Supplier {
        services,
        service_config_history,
        ..supplier
    })
}

/// The supplier without services and history.
pub fn dehydrated(supplier: &Supplier) -> Supplier {
    Supplier {
        owner_address: supplier.owner_address.clone(),
        operator_address: supplier.operator_address.clone(),
        stake: supplier.stake.clone(),
        unstake_session_end_height: supplier.unstake_session_end_height,
        services: Vec::new(),
        service_config_history: Vec::new(),
    }
}

/// The service of a configuration; records always have one.
pub(super) fn service_of(config: &ServiceConfigUpdate) -> &str {
    config
        .service
        .as_ref()
        .map_or("", |service| service.service_id.as_str())
}
