//! Events over a WebSocket: `subscribe`, `unsubscribe`, `unsubscribe_all`, and every other method.
//!
//! A connection remembers the height it has been told up to and reads what follows from the block store, so a slow
//! client costs no memory and misses nothing; only one that takes no byte for a minute, or answers no ping, is dropped.
//! Every event repeats the id of the request that subscribed to it.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use http::header::{CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, UPGRADE};
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::time::{Instant, interval_at};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

use super::params::Params;
use super::{Body, Call, RpcError, broken_json, envelope, json, run};
use crate::blocks::OwnView as View;
use crate::limits;
use crate::query::{Events, Query};
use crate::store::{Committed, included};

/// A subscription: the id to repeat, and the query.
#[derive(Clone)]
pub(crate) struct Subscription {
    id: Value,
    query: Query,
}

/// One connection's subscriptions, by the text of the query.
pub(crate) type Subscriptions = BTreeMap<String, Subscription>;

/// The methods that only a WebSocket has.
pub(super) const NAMES: [&str; 3] = ["subscribe", "unsubscribe", "unsubscribe_all"];

type Socket = WebSocketStream<TokioIo<Upgraded>>;

/// Answers the handshake and serves the connection in the background.
pub(super) fn upgrade<B>(view: Arc<View>, mut request: Request<B>) -> Response<Body> {
    let key = request.headers().get(SEC_WEBSOCKET_KEY).cloned();
    let upgrade = request.extensions_mut().remove::<OnUpgrade>();
    let mut response = Response::new(Full::new(Bytes::new()));
    let (Some(key), Some(upgrade)) = (key, upgrade) else {
        *response.status_mut() = StatusCode::BAD_REQUEST;
        *response.body_mut() = Full::from("Bad Request\n");
        return response;
    };
    let tasks = view.tasks.clone();
    tasks.spawn(async move {
        let stopping = view.tasks.clone();
        let serve = async {
            let upgraded = match upgrade.await {
                Ok(upgraded) => upgraded,
                Err(error) => {
                    tracing::debug!(%error, "WebSocket handshake broke");
                    return;
                }
            };
            let config = WebSocketConfig::default()
                .max_message_size(Some(limits::FRAME_BYTES))
                .max_frame_size(Some(limits::FRAME_BYTES));
            let io = TokioIo::new(upgraded);
            let socket = WebSocketStream::from_raw_socket(io, Role::Server, Some(config)).await;
            if let Err(error) = serve(&view, socket).await {
                tracing::debug!(%error, "WebSocket ended");
            }
        };
        stopping.until_cancelled(serve).await;
    });
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    if let Ok(accept) = HeaderValue::from_str(&derive_accept_key(key.as_bytes())) {
        headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
    }
    response
}

async fn serve(view: &Arc<View>, mut socket: Socket) -> Result<(), Error> {
    let mut news = view.driver.committed();
    let mut subscriptions = Subscriptions::new();
    let mut told = 0;
    let mut heard = Instant::now();
    let mut ping = interval_at(heard + limits::WEBSOCKET_PING, limits::WEBSOCKET_PING);
    loop {
        tokio::select! {
            message = socket.next() => {
                heard = Instant::now();
                let text = match message.transpose()? {
                    None => return Ok(()),
                    // The library has the answer ready. A client that waits for it and sees the socket end instead takes
                    // that for a broken connection and connects again.
                    Some(Message::Close(_)) => return socket.flush().await,
                    Some(Message::Text(text)) => text,
                    // Pings are answered by the library.
                    Some(_) => continue,
                };
                let before = subscriptions.is_empty();
                let answer = answer(view, &mut subscriptions, text.as_str()).await;
                if before {
                    // Events begin with the next block.
                    told = view.height();
                }
                if let Some(answer) = answer {
                    send(&mut socket, &answer).await?;
                }
            }
            changed = news.changed() => {
                if changed.is_err() {
                    return Ok(());
                }
            }
            _ = ping.tick() => {
                if heard.elapsed() > limits::WEBSOCKET_SILENCE {
                    return Ok(());
                }
                socket.send(Message::Ping(Bytes::new())).await?;
            }
        }
        let latest = news.borrow_and_update().clone();
        if subscriptions.is_empty() {
            continue;
        }
        let Some(latest) = latest else { continue };
        if told < latest.height() {
            told += 1;
            let committed = block_at(view, told, &latest).await;
            for frame in committed
                .iter()
                .flat_map(|block| frames(&subscriptions, block))
            {
                send(&mut socket, &frame).await?;
            }
            if told < latest.height() {
                // More is waiting; in between the client may speak.
                news.mark_changed();
            }
        }
    }
}

async fn send(socket: &mut Socket, value: &Value) -> Result<(), Error> {
    socket.send(Message::text(json::to_text(value))).await
}

/// A block that has been announced.
async fn block_at(
    view: &Arc<View>,
    height: i64,
    latest: &Arc<Committed>,
) -> Option<Arc<Committed>> {
    if height == latest.height() {
        return Some(Arc::clone(latest));
    }
    let read = view
        .blocking(move |view| view.store.committed(height))
        .await;
    match read.and_then(|read| read) {
        Ok(committed) => committed.map(Arc::new),
        Err(error) => {
            tracing::warn!(%error, height, "an event could not be read");
            None
        }
    }
}

/// The answer to a text frame; none to a notification.
pub(crate) async fn answer(
    view: &Arc<View>,
    subscriptions: &mut Subscriptions,
    text: &str,
) -> Option<Value> {
    let call = serde_json::from_str(text)
        .map_err(|error| RpcError::parse(broken_json(text, &error)))
        .and_then(Call::read);
    let call = match call {
        Ok(call) => call,
        Err(error) => return Some(envelope(None, Err(error))),
    };
    let id = call.id?;
    let result = match call.method.as_str() {
        "subscribe" => subscribe(subscriptions, &id, call.params),
        "unsubscribe" => unsubscribe(subscriptions, call.params),
        "unsubscribe_all" => {
            if subscriptions.is_empty() {
                Err(RpcError::internal("subscription not found"))
            } else {
                subscriptions.clear();
                Ok(json!({}))
            }
        }
        method => run(view, method, call.params).await,
    };
    // Here the reference tells what it cannot read in arguments as a failure of its own.
    let result = result.map_err(RpcError::on_websocket);
    Some(envelope(Some(&id), result))
}

fn query_text(params: Option<Value>) -> Result<String, RpcError> {
    let params = Params::from_json(params).map_err(RpcError::params)?;
    let arguments = params.arguments(&["query"]).map_err(RpcError::params)?;
    arguments.text("query").map_err(RpcError::params)
}

fn subscribe(
    subscriptions: &mut Subscriptions,
    id: &Value,
    params: Option<Value>,
) -> Result<Value, RpcError> {
    let text = query_text(params)?;
    let query = Query::parse(&text)
        .map_err(|error| RpcError::internal(format!("failed to parse query: {error}")))?;
    if subscriptions.contains_key(&text) {
        return Err(RpcError::internal("already subscribed"));
    }
    if subscriptions.len() >= limits::SUBSCRIPTIONS {
        let text = format!(
            "max_subscriptions_per_client {} reached",
            limits::SUBSCRIPTIONS
        );
        return Err(RpcError::internal(text));
    }
    subscriptions.insert(
        text,
        Subscription {
            id: id.clone(),
            query,
        },
    );
    Ok(json!({}))
}

fn unsubscribe(
    subscriptions: &mut Subscriptions,
    params: Option<Value>,
) -> Result<Value, RpcError> {
    let text = query_text(params)?;
    subscriptions
        .remove(&text)
        .map(|_| json!({}))
        .ok_or_else(|| RpcError::internal("subscription not found"))
}

/// What subscribers are told about a block: itself, its header, its events, then its transactions and who signs other
/// blocks with another power.
pub(crate) fn frames(subscriptions: &Subscriptions, committed: &Committed) -> Vec<Value> {
    let mut frames = Vec::new();
    let mut tell = |events: &Events, data: &dyn Fn() -> Value| {
        for (text, subscription) in subscriptions {
            if subscription.query.matches(events) {
                let result = json!({
                    "query": text,
                    "data": data(),
                    "events": json::event_values(events),
                });
                frames.push(envelope(Some(&subscription.id), Ok(result)));
            }
        }
    };
    let block_events = Events::new(&committed.results.events);
    tell(&block_events.named("NewBlock"), &|| {
        json::new_block(committed)
    });
    tell(&Events::default().named("NewBlockHeader"), &|| {
        json::new_block_header(committed)
    });
    let block_events = Events::new(&committed.results.events);
    tell(&block_events.named("NewBlockEvents"), &|| {
        json::new_block_events(committed)
    });
    for index in 0..u32::try_from(committed.txs().len()).unwrap_or(u32::MAX) {
        let Some(tx) = included(committed, index) else {
            break;
        };
        let events = Events::of_tx(tx.height, &tx.hash, &tx.result).named("Tx");
        tell(&events, &|| json::new_tx(&tx));
    }
    if !committed.results.validator_updates.is_empty() {
        let events = Events::default().named("ValidatorSetUpdates");
        tell(&events, &|| json::validator_set_updates(committed));
    }
    frames
}
