//! `cosmos.base.node.v1beta1.Service`.

use bytes::Bytes;
use chain::QueryError;
use prost::Message;
use proto::cosmos::base::node::v1beta1::{ConfigResponse, StatusResponse};

use crate::view::{View, internal};

pub(super) async fn call(
    view: &View,
    method: &str,
    _: &Bytes,
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
        "Status" => Some(status(view).await),
        _ => None,
    }
}

async fn status(view: &View) -> Result<Vec<u8>, QueryError> {
    let (block, root) = view
        .reader
        .latest_block()?
        .ok_or_else(|| internal("no block has been committed"))?;
    let latest = view.blocks.block(block.height).await.map_err(internal)?;
    let header = latest.and_then(|(_, block)| block.header);
    let validator_hash = header.map(|header| header.validators_hash);
    let status = StatusResponse {
        earliest_store_height: 0,
        height: u64::try_from(block.height).unwrap_or(0),
        timestamp: Some(prost_types::Timestamp {
            seconds: block.time.seconds,
            nanos: block.time.nanos,
        }),
        app_hash: root.to_vec().into(),
        validator_hash: validator_hash.unwrap_or_default().into(),
    };
    Ok(status.encode_to_vec())
}
