//! Genesis of `supplier`. A supplier with services but without history serves them from height 1.

use proto::pocket::shared::{ServiceConfigUpdate, Supplier};
use proto::pocket::supplier::GenesisState;

use super::{params, state};
use crate::context::Context;
use crate::error::{ChainError, GenesisError};
use crate::modules::shared::{address, coin, validate};

/// Loads the section.
///
/// # Errors
/// Names the param or the supplier that is wrong.
pub fn init_genesis(ctx: &mut Context<'_>, genesis: GenesisState) -> Result<(), GenesisError> {
    params::validate(&genesis.params).map_err(|reason| GenesisError::new("params", reason))?;
    params::set(ctx, &genesis.params);
    for (index, supplier) in genesis.supplier_list.iter().enumerate() {
        let at = |field: &str, reason: &str| {
            GenesisError::new(format!("supplierList.{index}.{field}"), reason)
        };
        for (field, text) in [
            ("owner_address", &supplier.owner_address),
            ("operator_address", &supplier.operator_address),
        ] {
            address::parse(text).map_err(|reason| at(field, &reason))?;
        }
        if state::get(ctx, &supplier.operator_address)?.is_some() {
            return Err(at("operator_address", "appears twice"));
        }
        coin::require_stake(supplier.stake.as_ref()).map_err(|reason| at("stake", &reason))?;
        // Beside a history they are what an export shows of it: one service twice where two configurations of it serve.
        if supplier.service_config_history.is_empty() && !supplier.services.is_empty() {
            validate::supplier_services(&supplier.services)
                .map_err(|reason| at("services", &reason))?;
        }
        let configs = configs_of(supplier);
        for config in &configs {
            check_config(config, supplier)
                .map_err(|reason| at("service_config_history", &reason))?;
            state::save_config(ctx, config)?;
        }
        state::save(ctx, supplier);
        if supplier.unstake_session_end_height != 0 {
            state::mark_unbonding(ctx, supplier);
        }
    }
    Ok(())
}

fn configs_of(supplier: &Supplier) -> Vec<ServiceConfigUpdate> {
    if !supplier.service_config_history.is_empty() {
        return supplier.service_config_history.clone();
    }
    let from_the_start = supplier.services.iter().map(|service| ServiceConfigUpdate {
        operator_address: supplier.operator_address.clone(),
        service: Some(service.clone()),
        activation_height: 1,
        deactivation_height: 0,
    });
    from_the_start.collect()
}

fn check_config(config: &ServiceConfigUpdate, supplier: &Supplier) -> Result<(), String> {
    let service = config.service.as_ref().ok_or("a service is missing")?;
    validate::supplier_services(std::slice::from_ref(service))?;
    if config.operator_address != supplier.operator_address {
        return Err(format!("names the operator {}", config.operator_address));
    }
    if config.activation_height < 0 || config.deactivation_height < 0 {
        return Err("heights must not be negative".to_owned());
    }
    Ok(())
}

/// Writes the section; services are those that serve at the exported height.
///
/// # Errors
/// When the store fails.
pub fn export_genesis(ctx: &Context<'_>) -> Result<GenesisState, ChainError> {
    let mut supplier_list = Vec::new();
    for supplier in state::all(ctx)? {
        supplier_list.push(state::hydrate(ctx, supplier, ctx.block.height)?);
    }
    Ok(GenesisState {
        params: params::params(ctx)?,
        supplier_list,
    })
}
