//! State keys of `supplier`.
//!
//! A service configuration is one record, under its operator. The table by service holds only what choosing suppliers
//! for a session needs, so that a lookup reads a few bytes of each candidate and the whole records of the chosen.

use crate::modules::shared::ending;
use crate::modules::shared::keys::{height, text};

/// The params.
pub(crate) const PARAMS: &[u8] = b"supplier/params";
/// Suppliers by operator, without services.
pub(crate) const SUPPLIERS: &[u8] = b"supplier/supplier/";
/// Configurations by operator, service and activation height.
pub(crate) const CONFIGS: &[u8] = b"supplier/config/";
/// Deactivation heights by service, activation height and operator. This order is visible in sessions.
pub(crate) const BY_SERVICE: &[u8] = b"supplier/by-service/";
/// Configurations by activation height, service and operator.
pub(crate) const ACTIVATIONS: &[u8] = b"supplier/activation/";
/// Closed configurations by deactivation height, service, activation height and operator.
pub(crate) const DEACTIVATIONS: &[u8] = b"supplier/deactivation/";
/// Suppliers that are unbonding, by the session end at which they stopped.
pub(crate) const UNBONDING: &[u8] = b"supplier/unbonding/";
/// How often the table by service has changed, by service.
pub(crate) const CHANGES: &[u8] = b"supplier/changes/";

/// A supplier.
pub(crate) fn supplier(operator: &str) -> Vec<u8> {
    one(SUPPLIERS, operator)
}

/// Mark of an unbonding supplier.
pub(crate) fn unbonding(session_end: i64, operator: &str) -> Vec<u8> {
    ending::key(UNBONDING, session_end, operator)
}

/// The count of changes of a service's candidates.
pub(crate) fn changes(service: &str) -> Vec<u8> {
    one(CHANGES, service)
}

/// The configurations of a supplier.
pub(crate) fn configs(operator: &str) -> Vec<u8> {
    one(CONFIGS, operator)
}

/// The configurations of a supplier for one service.
pub(crate) fn configs_for(operator: &str, service: &str) -> Vec<u8> {
    let mut key = configs(operator);
    text(&mut key, service);
    key
}

/// A configuration.
pub(crate) fn config(operator: &str, service: &str, activation: i64) -> Vec<u8> {
    let mut key = configs_for(operator, service);
    height(&mut key, activation);
    key
}

/// The candidates of a service.
pub(crate) fn of_service(service: &str) -> Vec<u8> {
    one(BY_SERVICE, service)
}

/// A candidate of a service.
pub(crate) fn by_service(service: &str, activation: i64, operator: &str) -> Vec<u8> {
    let mut key = of_service(service);
    height(&mut key, activation);
    key.push(b'/');
    text(&mut key, operator);
    key
}

/// The configurations that activate at a height.
pub(crate) fn activations_at(activation: i64) -> Vec<u8> {
    let mut key = ACTIVATIONS.to_vec();
    height(&mut key, activation);
    key
}

/// A configuration by activation.
pub(crate) fn activation(activation: i64, service: &str, operator: &str) -> Vec<u8> {
    let mut key = activations_at(activation);
    text(&mut key, service);
    text(&mut key, operator);
    key
}

/// The closed configurations from a deactivation height on, up to the next height.
pub(crate) fn deactivations_at(deactivation: i64) -> Vec<u8> {
    let mut key = DEACTIVATIONS.to_vec();
    height(&mut key, deactivation);
    key
}

/// A closed configuration by deactivation.
pub(crate) fn deactivation(
    deactivation: i64,
    service: &str,
    activation: i64,
    operator: &str,
) -> Vec<u8> {
    let mut key = deactivations_at(deactivation);
    text(&mut key, service);
    height(&mut key, activation);
    text(&mut key, operator);
    key
}

fn one(table: &[u8], part: &str) -> Vec<u8> {
    let mut key = table.to_vec();
    text(&mut key, part);
    key
}
