//! The gRPC services that are the node's and not the chain's: transactions, blocks, the node itself.
//!
//! [`call`] answers any method by its path; what is not listed here is a query of the state.

use std::sync::Arc;

use bytes::Bytes;
use chain::{QueryAnswer, QueryError, sdk};
use prost::Message;
use tendermint_proto::v0_38::abci::{RequestQuery, ResponseQuery};

use crate::view::{View, internal};

mod node;
mod tendermint;
mod tx;

pub(crate) use tx::unhex;

/// Answers a query over ABCI: the RPC's `abci_query`, or CometBFT's where that has the RPC.
///
/// # Errors
/// When too many wait already, or the node is stopping.
pub async fn abci(view: &Arc<View>, request: RequestQuery) -> Result<ResponseQuery, QueryError> {
    let (path, height) = (request.path.as_str(), request.height);
    // A path of a service, `/package.Service/Method`, may be the node's own; its errors are told as the state's are.
    let native = path.starts_with("/cosmos.tx.") || path.starts_with("/cosmos.base.");
    if !native || height < 0 || path.ends_with("/Simulate") {
        return of_the_state(view, request).await;
    }
    Ok(match call(view, path, request.data, Some(height)).await {
        Ok(answer) => ResponseQuery {
            value: answer.value.into(),
            height: answer.height,
            ..ResponseQuery::default()
        },
        Err(error) => ResponseQuery {
            code: error.code,
            log: error.log(),
            // A failed query is told with its height, a refused height is not.
            height: match (error.code, height) {
                (sdk::INVALID_HEIGHT | sdk::NOT_FOUND, _) => 0,
                (_, 0) => view.height(),
                (_, asked) => asked,
            },
            codespace: error.codespace.into_owned(),
            ..ResponseQuery::default()
        },
    })
}

async fn of_the_state(
    view: &Arc<View>,
    mut request: RequestQuery,
) -> Result<ResponseQuery, QueryError> {
    // Of these a slash in front may be missing.
    let first = request.path.split('/').next();
    if matches!(first, Some("app" | "custom" | "p2p" | "store")) {
        request.path.insert(0, '/');
    }
    if !request.path.is_empty() && !request.path.starts_with('/') {
        return Ok(ResponseQuery {
            code: sdk::UNKNOWN_REQUEST,
            log: format!("{UNKNOWN_PATH}: unknown request"),
            codespace: sdk::CODESPACE.to_owned(),
            ..ResponseQuery::default()
        });
    }
    let _turn = view.queries.turn().await?;
    let asked = view.blocking(move |view| {
        let mut answer = view.reader.abci_query(&request);
        if answer.code == sdk::UNKNOWN_REQUEST && answer.log.starts_with(UNKNOWN_PATH) {
            answer.log = format!("{UNKNOWN_PATH}: unknown request");
            return answer;
        }
        let no_state = matches!(answer.code, sdk::INVALID_HEIGHT | sdk::NOT_FOUND);
        let missing = request.path.is_empty() || request.height < 0 || no_state;
        // A failed query is told with its height, a refused one without.
        if answer.code != 0 && answer.height == 0 && !missing && is_method(&request.path) {
            let asked = Some(request.height).filter(|height| *height > 0);
            answer.height = asked.unwrap_or_else(|| view.height());
        }
        answer
    });
    asked.await.map_err(internal)
}

/// Words for a path that no service has.
const UNKNOWN_PATH: &str = "unknown query path";

/// Whether a path names a method that some service could have.
fn is_method(path: &str) -> bool {
    path.trim_start_matches('/')
        .split_once('/')
        .is_some_and(|(service, _)| service.contains('.'))
}

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
