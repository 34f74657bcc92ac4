//! The gRPC services that are the node's and not the chain's: transactions, blocks, the node itself.
//!
//! [`call`] answers any method by its path; what is not listed here is a query of the state.

use std::sync::Arc;

use bytes::Bytes;
use chain::{QueryAnswer, QueryError};
use prost::Message;

use crate::view::{View, internal};

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
    let Some((service, method)) = path.trim_start_matches('/').split_once('/') else {
        return view.query(path.to_owned(), data, height).await;
    };
    let native = [TX, TENDERMINT, NODE].contains(&service);
    if !native {
        return view.query(path.to_owned(), data, height).await;
    }
    // These services answer for now, but a height that is asked for must be there, and is told.
    let answered = answered(view, height).await?;
    let found = match service {
        TX => tx::call(view, method, &data, answered).await,
        TENDERMINT => tendermint::call(view, method, &data).await,
        _ => node::call(view, method, answered).await,
    };
    match found {
        Some(answer) => answer.map(|value| QueryAnswer {
            value,
            height: answered,
        }),
        // A simulation, which is the chain's, or what nobody has.
        None => {
            let answer = view.query(path.to_owned(), data, None).await?;
            Ok(QueryAnswer {
                height: answered,
                ..answer
            })
        }
    }
}

const TX: &str = "cosmos.tx.v1beta1.Service";
const TENDERMINT: &str = "cosmos.base.tendermint.v1beta1.Service";
const NODE: &str = "cosmos.base.node.v1beta1.Service";

/// The height that an answer tells: the one asked for, if its state is there, or the latest.
async fn answered(view: &Arc<View>, asked: Option<i64>) -> Result<i64, QueryError> {
    let Some(height) = asked.filter(|height| *height != 0) else {
        return Ok(view.height());
    };
    let there = move |view: &View| view.reader.at(Some(height), |_| Ok::<(), QueryError>(()));
    view.blocking(there).await.map_err(internal)??;
    Ok(height)
}

fn decode<M: Message + Default>(data: &Bytes) -> Result<M, QueryError> {
    M::decode(data.clone()).map_err(|error| {
        QueryError::internal(format!("grpc: error unmarshalling request: {error}"))
    })
}
