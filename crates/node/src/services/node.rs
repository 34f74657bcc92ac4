//! `cosmos.base.node.v1beta1.Service`.

use chain::QueryError;
use prost::Message;
use proto::cosmos::base::node::v1beta1::{ConfigResponse, StatusResponse};

use crate::view::{View, internal};

pub(super) async fn call(
    view: &View,
    method: &str,
    answered: i64,
) -> Option<Result<Vec<u8>, QueryError>> {
    match method {
        "Config" => {
            let config = ConfigResponse {
                minimum_gas_price: view.min_gas_price.clone(),
                pruning_keep_recent: view.keep_recent.to_string(),
                pruning_interval: u8::from(view.keep_recent > 0).to_string(),
                halt_height: 0,
            };
            Some(Ok(config.encode_to_vec()))
        }
        "Status" => Some(status(view, answered).await),
        _ => None,
    }
}

/// Height and time are those asked for; the hashes are the last header's, as in the reference.
async fn status(view: &View, answered: i64) -> Result<Vec<u8>, QueryError> {
    let header = async |height: i64| {
        let block = view.blocks.block(height).await.map_err(internal)?;
        let header = block.and_then(|(_, block)| block.header);
        header.ok_or_else(|| internal(format!("block {height} is not stored")))
    };
    let latest = header(view.height()).await?;
    let time = match answered == latest.height {
        true => latest.time,
        false => header(answered).await?.time,
    };
    let time = time.unwrap_or_default();
    let status = StatusResponse {
        earliest_store_height: 0,
        height: u64::try_from(answered).unwrap_or(0),
        timestamp: Some(prost_types::Timestamp {
            seconds: time.seconds,
            nanos: time.nanos,
        }),
        app_hash: latest.app_hash.into(),
        validator_hash: latest.next_validators_hash.into(),
    };
    Ok(status.encode_to_vec())
}
