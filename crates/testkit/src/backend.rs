//! OpenAI backends that the test plays: it receives each call and decides, step by step, what the supplier sees.
//!
//! A prompt that holds the marker of a [`Case`] goes to the test that made the case, whichever supplier it came through;
//! every other prompt is answered at once.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result};
use bytes::Bytes;
use futures_util::stream;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use serde_json::json;
use tokio::sync::{mpsc, oneshot};
use tower::service_fn;

use crate::patiently;

type Body = UnsyncBoxBody<Bytes, net::BoxError>;

/// Larger than anything a supplier lets pass.
const BODY_BYTES: u64 = 64 * 1024 * 1024;

/// What an unscripted prompt is answered.
pub const ANSWER: &str = "So it is.";

/// All backends of a network.
#[derive(Default)]
pub struct Backends {
    cases: Mutex<HashMap<String, mpsc::UnboundedSender<Call>>>,
    next: AtomicU64,
    calls: AtomicU64,
}

/// The calls of one test, told by the marker in their prompts.
pub struct Case {
    /// Put it into the prompt.
    pub marker: String,
    calls: mpsc::UnboundedReceiver<Call>,
    backends: Arc<Backends>,
}

/// A request that a backend received and has not answered yet.
pub struct Call {
    /// Index of the supplier it came through.
    pub supplier: usize,
    /// Its method.
    pub method: Method,
    /// Its path and query.
    pub path: String,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
    answer: oneshot::Sender<Response<Body>>,
}

/// A streamed answer under way. Dropping it ends the stream as HTTP does, with no `[DONE]`.
pub struct Streaming {
    pieces: mpsc::Sender<Result<Bytes, net::BoxError>>,
}

impl Backends {
    /// Listens in the place of the backend of one supplier.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn serve(
        self: &Arc<Self>,
        supplier: usize,
        tasks: &net::Tasks,
    ) -> Result<SocketAddr> {
        let listener = net::listen("127.0.0.1:0", net::ListenLimits::default()).await?;
        let limits = net::ServeLimits {
            body_bytes: BODY_BYTES,
            ..net::ServeLimits::default()
        };
        let own = Arc::clone(self);
        let service = service_fn(move |request| {
            let own = Arc::clone(&own);
            async move { Ok::<_, Infallible>(own.answer(supplier, request).await) }
        });
        Ok(net::serve(listener, service, limits, tasks).local_addr())
    }

    /// A marker of its own for one test.
    pub fn case(self: &Arc<Self>) -> Case {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let marker = format!("[case {number}]");
        let (sender, calls) = mpsc::unbounded_channel();
        self.lock().insert(marker.clone(), sender);
        Case {
            marker,
            calls,
            backends: Arc::clone(self),
        }
    }

    /// Requests that reached any backend.
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    async fn answer(&self, supplier: usize, request: Request<net::RequestBody>) -> Response<Body> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let (head, body) = request.into_parts();
        let Ok(body) = body.read_to_bytes().await else {
            return whole(
                StatusCode::BAD_REQUEST,
                "text/plain",
                Bytes::from_static(b"unreadable"),
            );
        };
        let text = String::from_utf8_lossy(&body);
        let player = self
            .lock()
            .iter()
            .find(|(marker, _)| text.contains(marker.as_str()))
            .map(|(_, sender)| sender.clone());
        let (answer, answered) = oneshot::channel();
        let call = Call {
            supplier,
            method: head.method,
            path: head.uri.to_string(),
            headers: head.headers,
            body: body.clone(),
            answer,
        };
        match player {
            None => call.at_once().await,
            Some(player) => {
                let _ = player.send(call);
            }
        }
        // A test that drops the call leaves the connection without an answer to give.
        answered.await.unwrap_or_else(|_| {
            whole(
                StatusCode::INTERNAL_SERVER_ERROR,
                "text/plain",
                Bytes::new(),
            )
        })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, mpsc::UnboundedSender<Call>>> {
        self.cases.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Case {
    /// The next call with this marker.
    ///
    /// # Errors
    /// When none comes.
    pub async fn call(&mut self) -> Result<Call> {
        patiently("a call of the backend", self.calls.recv())
            .await?
            .context("the backends are gone")
    }

    /// A call that came already, if any did.
    pub fn early_call(&mut self) -> Option<Call> {
        self.calls.try_recv().ok()
    }
}

impl Drop for Case {
    fn drop(&mut self) {
        self.backends.lock().remove(&self.marker);
    }
}

impl Call {
    /// Answers with a chat completion.
    pub fn answer(self, text: &str) {
        let body = json!({
            "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "mill",
            "choices": [{"index": 0, "finish_reason": "stop",
                "message": {"role": "assistant", "content": text}}],
            "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3},
        });
        self.respond(
            StatusCode::OK,
            "application/json",
            body.to_string().into_bytes(),
        );
    }

    /// Answers with this status and body.
    pub fn respond(self, status: StatusCode, kind: &str, body: impl Into<Bytes>) {
        let _ = self.answer.send(whole(status, kind, body.into()));
    }

    /// Begins a stream: the head goes out, nothing else yet.
    pub fn stream(self) -> Streaming {
        let (pieces, mut source) = mpsc::channel::<Result<Bytes, net::BoxError>>(64);
        let frames = stream::poll_fn(move |context| {
            source
                .poll_recv(context)
                .map(|piece| piece.map(|piece| piece.map(Frame::data)))
        });
        let mut response = Response::new(StreamBody::new(frames).boxed_unsync());
        let kind = HeaderValue::from_static("text/event-stream");
        response.headers_mut().insert(CONTENT_TYPE, kind);
        let _ = self.answer.send(response);
        Streaming { pieces }
    }

    /// Waits until whoever asked has left.
    ///
    /// # Errors
    /// When nobody leaves.
    pub async fn abandoned(&mut self) -> Result<()> {
        patiently("the supplier's leaving", self.answer.closed()).await
    }

    async fn at_once(self) {
        let asked: serde_json::Value = serde_json::from_slice(&self.body).unwrap_or_default();
        if asked["stream"] == true {
            let stream = self.stream();
            for word in ["So ", "it ", "is."] {
                stream.text(word).await;
            }
            stream.done().await;
        } else {
            self.answer(ANSWER);
        }
    }
}

impl Streaming {
    /// Sends one event with this text.
    pub async fn text(&self, text: &str) {
        let chunk = json!({
            "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "mill",
            "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": null}],
        });
        self.raw(format!("data: {chunk}\n\n")).await;
    }

    /// Sends bytes as they are.
    pub async fn raw(&self, bytes: impl Into<Bytes>) {
        let _ = self.pieces.send(Ok(bytes.into())).await;
    }

    /// Ends as OpenAI streams do.
    pub async fn done(self) {
        self.raw("data: [DONE]\n\n").await;
    }

    /// Breaks the connection.
    pub async fn cut(self) {
        let _ = self.pieces.send(Err("the backend broke off".into())).await;
    }

    /// Waits until the supplier has closed its connection.
    ///
    /// # Errors
    /// When it stays.
    pub async fn closed(&self) -> Result<()> {
        patiently("the supplier's leaving", self.pieces.closed()).await
    }
}

fn whole(status: StatusCode, kind: &str, body: Bytes) -> Response<Body> {
    let mut response = Response::new(
        Full::new(body)
            .map_err(|never| match never {})
            .boxed_unsync(),
    );
    *response.status_mut() = status;
    if let Ok(kind) = HeaderValue::from_str(kind) {
        response.headers_mut().insert(CONTENT_TYPE, kind);
    }
    response
}
