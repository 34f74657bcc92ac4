//! The OpenAI front: reads requests, calls, maps errors. It decides nothing about suppliers.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, HeaderName};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full};
use llm::openai::{ApiError, ChatHead, ModelList, ModelObject};
use protocol::http::header_value;

use crate::config::{Config, Model};
use crate::error::RelayFailure;
use crate::journal::{Entry, Journal};
use crate::keys::Keys;
use crate::limits;
use crate::relay::{Answer, Call, Evidence, Relays};

mod streaming;

/// Every body this front sends.
pub type AnswerBody = UnsyncBoxBody<Bytes, net::BoxError>;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const CHAT_PATH: &str = "/v1/chat/completions";

/// The front, as a tower service.
#[derive(Clone)]
pub struct Front(Arc<Inner>);

struct Inner {
    keys: Keys,
    models: Vec<Model>,
    relays: Arc<Relays>,
    journal: Arc<Journal>,
}

/// One request, from arrival to the journal.
struct Ticket {
    id: String,
    model: String,
    service: String,
    stream: bool,
    start: Instant,
    journal: Arc<Journal>,
}

impl Front {
    /// Serves these models.
    pub fn new(config: Config, relays: Arc<Relays>, journal: Arc<Journal>) -> Self {
        Self(Arc::new(Inner {
            keys: config.keys,
            models: config.models,
            relays,
            journal,
        }))
    }
}

impl tower_service::Service<Request<net::RequestBody>> for Front {
    type Response = Response<AnswerBody>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<net::RequestBody>) -> Self::Future {
        let inner = Arc::clone(&self.0);
        Box::pin(async move {
            let id = request_id();
            let outcome = inner.answer(request, &id).await;
            let mut response = outcome.unwrap_or_else(|error| failed(&error));
            if let Ok(value) = HeaderValue::from_str(&id) {
                response.headers_mut().insert(REQUEST_ID, value);
            }
            Ok(response)
        })
    }
}

impl Inner {
    async fn answer(
        &self,
        request: Request<net::RequestBody>,
        id: &str,
    ) -> Result<Response<AnswerBody>, ApiError> {
        let (head, body) = request.into_parts();
        let path = head.uri.path().trim_end_matches('/');
        if path == "/health" {
            return Ok(json(
                StatusCode::OK,
                Bytes::from_static(b"{\"status\":\"ok\"}"),
            ));
        }
        self.admit(&head.headers)?;
        match (path, &head.method) {
            (CHAT_PATH, &Method::POST) => self.chat(body, id).await,
            ("/v1/models", &Method::GET) => Ok(self.list()),
            (CHAT_PATH | "/v1/models", method) => {
                Err(ApiError::method_not_allowed(method.as_str(), path))
            }
            (path, &Method::GET) => match path.strip_prefix("/v1/models/") {
                Some(model) => self.one(model),
                None => Err(ApiError::unknown_path("GET", path)),
            },
            (path, method) => Err(ApiError::unknown_path(method.as_str(), path)),
        }
    }

    fn admit(&self, headers: &HeaderMap) -> Result<(), ApiError> {
        let value = headers
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok());
        let key = value.and_then(|value| {
            let (scheme, key) = value.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then_some(key.trim())
        });
        match key {
            None | Some("") => Err(ApiError::missing_api_key()),
            Some(key) if self.keys.allows(key) => Ok(()),
            Some(_) => Err(ApiError::invalid_api_key()),
        }
    }

    fn list(&self) -> Response<AnswerBody> {
        let models = self.models.iter().map(object).collect();
        json(StatusCode::OK, encoded(&ModelList::new(models)))
    }

    fn one(&self, id: &str) -> Result<Response<AnswerBody>, ApiError> {
        Ok(json(StatusCode::OK, encoded(&object(self.model(id)?))))
    }

    fn model(&self, id: &str) -> Result<&Model, ApiError> {
        self.models
            .iter()
            .find(|model| model.id == id)
            .ok_or_else(|| ApiError::model_not_found(id))
    }

    async fn chat(
        &self,
        body: net::RequestBody,
        id: &str,
    ) -> Result<Response<AnswerBody>, ApiError> {
        let start = Instant::now();
        let body = body.read_to_bytes().await.map_err(|error| unread(&error))?;
        let (model, stream) = {
            let head = ChatHead::parse(&body)?;
            (self.model(&head.model)?, head.stream)
        };
        let ticket = Ticket {
            id: id.to_owned(),
            model: model.id.clone(),
            service: model.service.clone(),
            stream,
            start,
            journal: Arc::clone(&self.journal),
        };
        let call = Call {
            service: model.service.clone(),
            path: CHAT_PATH,
            body,
            stream,
        };
        let answer = self
            .relays
            .send(&call)
            .await
            .map_err(|failure| told(&failure))?;
        match answer {
            Answer::Stream(frames) => Ok(streaming::respond(*frames, ticket)),
            Answer::Whole(inner, evidence) => {
                let status = u16::try_from(inner.status_code).unwrap_or(502);
                ticket
                    .record(&evidence, status)
                    .map_err(|error| journal_failed(&error))?;
                let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
                let kind =
                    header_value(&inner.header, "content-type").unwrap_or("application/json");
                let mut response = json(status, inner.body_bz);
                if let Ok(kind) = HeaderValue::from_str(kind) {
                    response.headers_mut().insert(CONTENT_TYPE, kind);
                }
                Ok(response)
            }
        }
    }
}

impl Ticket {
    fn record(&self, evidence: &Evidence, status: u16) -> std::io::Result<()> {
        let elapsed = self.start.elapsed().as_millis();
        self.journal.record(&Entry {
            request_id: self.id.clone(),
            relay_hash: hex::encode(evidence.relay_hash),
            model: self.model.clone(),
            service_id: self.service.clone(),
            application: evidence.application.clone(),
            supplier: evidence.supplier.clone(),
            session_id: evidence.session_id.clone(),
            session_end_height: evidence.session_end_height,
            status,
            duration_ms: u64::try_from(elapsed).unwrap_or(u64::MAX),
            stream: self.stream,
        })
    }
}

/// What the client is told when no supplier answered.
fn told(failure: &RelayFailure) -> ApiError {
    match failure {
        RelayFailure::NoSession { .. } => ApiError::unavailable(failure.to_string()),
        RelayFailure::Refused { status: 429, .. } => ApiError::busy(
            "every supplier of this model is at its limit for this session; retry in a moment",
        ),
        RelayFailure::Refused { status: 413, .. } => {
            ApiError::too_large(limits::REQUEST_BODY_BYTES)
        }
        RelayFailure::Silent { .. } | RelayFailure::Deadline { .. } => {
            ApiError::timeout(failure.to_string())
        }
        RelayFailure::Signing(_) => {
            tracing::error!(%failure, "signing failed");
            ApiError::internal("the gateway could not sign the request")
        }
        RelayFailure::Transport { .. }
        | RelayFailure::Refused { .. }
        | RelayFailure::Invalid { .. } => ApiError::upstream(failure.to_string()),
    }
}

fn unread(error: &net::NetError) -> ApiError {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return ApiError::too_large(limits::REQUEST_BODY_BYTES);
    }
    ApiError::invalid(format!("the request body could not be read: {error}"))
}

/// An answer that cannot be recorded is not given: every relay a client has must be traceable.
fn journal_failed(error: &std::io::Error) -> ApiError {
    tracing::error!(%error, "the relay journal cannot be written");
    ApiError::internal("the gateway cannot record relays at present")
}

fn object(model: &Model) -> ModelObject {
    ModelObject::new(model.id.clone(), 0, "relaymill")
}

fn encoded(value: &impl serde::Serialize) -> Bytes {
    // Lists of plain strings and numbers always serialize.
    serde_json::to_vec(value).unwrap_or_default().into()
}

fn full(bytes: Bytes) -> AnswerBody {
    Full::new(bytes)
        .map_err(|never| match never {})
        .boxed_unsync()
}

fn json(status: StatusCode, body: Bytes) -> Response<AnswerBody> {
    let mut response = Response::new(full(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn failed(error: &ApiError) -> Response<AnswerBody> {
    error.response().map(full)
}

fn request_id() -> String {
    let mut bytes = [0; 12];
    // Without randomness ids may repeat; requests are still served and recorded.
    let _ = getrandom::fill(&mut bytes);
    format!("req_{}", hex::encode(bytes))
}
