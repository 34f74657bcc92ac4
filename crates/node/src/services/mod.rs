//! The gRPC services that are the node's and not the chain's: transactions, blocks, the node itself.
//!
//! [`call`] answers any method by its path; what is not listed here is a query of the state.

use std::sync::Arc;

use bytes::Bytes;
use chain::{QueryAnswer, QueryError};
use prost::Message;

use crate::view::View;

mod node;
mod tendermint;
mod tx;

pub(crate) use tx::unhex;

/// Answers a unary method.
///
/// # Errors
/// The status that a gRPC server answers.
pub async fn call(
    view: &Arc<View>,
    path: &str,
    data: Bytes,
    height: Option<i64>,
) -> Result<QueryAnswer, QueryError> {
    let native = match path.trim_start_matches('/').split_once('/') {
        Some(("cosmos.tx.v1beta1.Service", method)) => tx::call(view, method, &data).await,
        Some(("cosmos.base.tendermint.v1beta1.Service", method)) => {
            tendermint::call(view, method, &data).await
        }
        Some(("cosmos.base.node.v1beta1.Service", method)) => node::call(view, method, &data).await,
        _ => None,
    };
    match native {
        Some(answer) => answer.map(|value| QueryAnswer {
            value,
            height: view.height(),
        }),
        None => view.query(path.to_owned(), data, height).await,
    }
}

fn decode<M: Message + Default>(data: &Bytes) -> Result<M, QueryError> {
    M::decode(data.clone()).map_err(|error| {
        QueryError::internal(format!("grpc: error unmarshalling request: {error}"))
    })
}
