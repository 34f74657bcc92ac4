//! `migration`: moves accounts of POKT's older protocol, which this chain does not. Clients ask for its params only, so
//! those of the genesis document are answered.

use proto::pocket::migration::{Params, QueryParamsResponse};
use serde_json::Value;

use crate::context::Context;
use crate::error::{ChainError, GenesisError, QueryError};
use crate::genesis;
use crate::message::answer;

/// Refuses params that cannot be read; `idle` has seen that nothing else is there.
///
/// # Errors
/// Names the field.
pub(crate) fn check_genesis(section: &Value) -> Result<(), GenesisError> {
    read(section).map(|_| ())
}

fn read(section: &Value) -> Result<Params, GenesisError> {
    match section.get("params") {
        None | Some(Value::Null) => Ok(Params::default()),
        Some(params) => {
            proto::json::from_json(params).map_err(|error| GenesisError::new("params", error))
        }
    }
}

/// Answers a method of `pocket.migration.Query`. `None` for methods it does not have.
pub fn query(ctx: &Context, method: &str) -> Option<Result<Vec<u8>, QueryError>> {
    (method == "Params").then(|| {
        let section = genesis::section(ctx, "migration")?.unwrap_or_default();
        let params = read(&section).map_err(ChainError::from)?;
        Ok(answer(&QueryParamsResponse { params }))
    })
}
