//! The relay endpoint: reads a relay, has it admitted and served, maps refusals. It decides nothing.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full};
use prost::Message as _;
use protocol::relay as wire;

use crate::admission::{Admission, Admitted};
use crate::backend;
use crate::error::Refusal;
use crate::limits::REQUEST_BODY_BYTES;
use crate::session::signed;
use crate::streaming;
use crypto::keys::SecretKey;

/// Every body this endpoint sends.
pub type AnswerBody = UnsyncBoxBody<Bytes, net::BoxError>;

/// [`protocol::stream::STREAM_HEADER`] as HTTP libraries spell it.
pub const STREAM_HEADER: http::HeaderName =
    http::HeaderName::from_static(protocol::stream::STREAM_HEADER);

/// Headers of a backend's answer that go back in the relay; the rest describes one hop.
const ANSWER_HEADERS: [&str; 3] = ["content-type", "retry-after", "x-request-id"];

/// The endpoint, as a tower service.
#[derive(Clone)]
pub struct Endpoint(Arc<Inner>);

struct Inner {
    admission: Admission,
    client: net::Client,
    key: SecretKey,
}

impl Endpoint {
    /// Serves what `admission` lets pass.
    pub fn new(admission: Admission, client: net::Client, key: SecretKey) -> Self {
        Self(Arc::new(Inner {
            admission,
            client,
            key,
        }))
    }
}

impl tower_service::Service<Request<net::RequestBody>> for Endpoint {
    type Response = Response<AnswerBody>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<net::RequestBody>) -> Self::Future {
        let inner = Arc::clone(&self.0);
        Box::pin(async move {
            Ok(inner
                .answer(request)
                .await
                .unwrap_or_else(|why| refused(&why)))
        })
    }
}

impl Inner {
    async fn answer(
        &self,
        request: Request<net::RequestBody>,
    ) -> Result<Response<AnswerBody>, Refusal> {
        let (head, body) = request.into_parts();
        if matches!(head.uri.path(), "/health" | "/healthz" | "/ready") {
            return Ok(json(
                StatusCode::OK,
                Bytes::from_static(b"{\"status\":\"ok\"}"),
            ));
        }
        let bytes = body
            .read_to_bytes()
            .await
            .map_err(|error| match error.status() {
                StatusCode::PAYLOAD_TOO_LARGE => Refusal::TooLarge {
                    limit: REQUEST_BODY_BYTES,
                },
                _ => Refusal::Malformed(error.to_string()),
            })?;
        let mut admitted = self.admission.admit(&bytes).await?;
        let ask = std::mem::take(&mut admitted.backend);
        let answer = backend::send(&self.client, ask).await?;
        let status = answer.status();
        if status.is_server_error() {
            return Err(Refusal::BackendStatus(status.as_u16()));
        }
        let streams = backend::is_stream(answer.headers().get(CONTENT_TYPE));
        if streams && head.headers.contains_key(STREAM_HEADER) {
            return Ok(streaming::respond(admitted, answer, self.key.clone()));
        }
        self.whole(admitted, answer).await
    }

    /// One signed answer over the whole body.
    async fn whole(
        &self,
        mut admitted: Admitted,
        answer: Response<net::ResponseBody>,
    ) -> Result<Response<AnswerBody>, Refusal> {
        let (head, body) = answer.into_parts();
        let backend_failed = |error: net::NetError| Refusal::Backend(error.to_string());
        let body = body.read_to_bytes().await.map_err(backend_failed)?;
        let payload =
            protocol::http::build_response(head.status.as_u16(), carried(&head.headers), body);
        let response = wire::build_response(admitted.header.clone(), payload)
            .map_err(|error| Refusal::Backend(error.to_string()))?;
        let response = signed(response, &self.key);
        admitted
            .reservation
            .mine(&admitted.request, &response)
            .map_err(|error| Refusal::Unrecorded(error.to_string()))?;
        let mut out = Response::new(full(response.encode_to_vec().into()));
        let kind = HeaderValue::from_static("application/octet-stream");
        out.headers_mut().insert(CONTENT_TYPE, kind);
        Ok(out)
    }
}

/// The backend's headers that go back.
pub(crate) fn carried(headers: &HeaderMap) -> Vec<(&str, &str)> {
    let kept = ANSWER_HEADERS
        .iter()
        .map(|name| (*name, headers.get(*name)));
    kept.filter_map(|(name, value)| Some((name, value?.to_str().ok()?)))
        .collect()
}

pub(crate) fn full(bytes: Bytes) -> AnswerBody {
    Full::new(bytes)
        .map_err(|never| match never {})
        .boxed_unsync()
}

fn json(status: StatusCode, body: Bytes) -> Response<AnswerBody> {
    let mut response = Response::new(full(body));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// A refusal in HA's form: status code and `{"error": …}`.
fn refused(refusal: &Refusal) -> Response<AnswerBody> {
    let status = refusal.status();
    if status.is_server_error() {
        tracing::warn!(%refusal, "relay not served");
    } else {
        tracing::debug!(%refusal, "relay refused");
    }
    json(
        status,
        protocol::error_body::encode(&refusal.to_string()).into(),
    )
}
