//! State keys of `service`.

use crate::modules::shared::keys::{height, text};

/// The params.
pub(crate) const PARAMS: &[u8] = b"service/params";
/// Services by id.
pub(crate) const SERVICES: &[u8] = b"service/service/";
/// The latest difficulty by service.
pub(crate) const DIFFICULTIES: &[u8] = b"service/difficulty/";
/// Difficulties by service and the height from which they count.
pub(crate) const DIFFICULTY_HISTORY: &[u8] = b"service/difficulty-history/";
/// Compute units per relay by service and the height from which they count.
pub(crate) const COMPUTE_UNITS_HISTORY: &[u8] = b"service/compute-units-history/";

/// A service.
pub(crate) fn service(id: &str) -> Vec<u8> {
    one(SERVICES, id)
}

/// The latest difficulty of a service.
pub(crate) fn difficulty(id: &str) -> Vec<u8> {
    one(DIFFICULTIES, id)
}

/// All difficulties of a service.
pub(crate) fn difficulty_history(id: &str) -> Vec<u8> {
    one(DIFFICULTY_HISTORY, id)
}

/// All prices of a service.
pub(crate) fn compute_units_history(id: &str) -> Vec<u8> {
    one(COMPUTE_UNITS_HISTORY, id)
}

/// An entry of a service's history.
pub(crate) fn at(mut table: Vec<u8>, effective_height: i64) -> Vec<u8> {
    height(&mut table, effective_height);
    table
}

fn one(table: &[u8], id: &str) -> Vec<u8> {
    let mut key = table.to_vec();
    text(&mut key, id);
    key
}
