//! The OpenAI HTTP interface in front of the embedded engine.
//!
//! `POST /v1/chat/completions`, `POST /v1/completions`, `GET /v1/models`, `GET /v1/models/{id}`,
//! `GET /health`. The caller binds the socket and serves the [`router`].
//!
//! Invariants
//! - generation runs on blocking threads, at most [`Options::slots`] at once; others wait in the order
//!   they came, at most [`Options::waiting`] of them, the next one is told 429;
//! - a client that leaves ends its work within a token, and its place in the queue at once;
//! - a stream that did not end well ends with an error event, never with `[DONE]`;
//! - a slow reader costs memory bounded by its own answer, never a thread.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderValue, Method, Response, Uri, header};
use axum::routing::{get, post};
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};

use crate::engine::{Model, SamplingDefaults};
use crate::limits::{REQUEST_BYTES, WAITING_REQUESTS};
use crate::openai::{ApiError, ChatHead, CompletionHead, ModelList, ModelObject};

mod admission;
mod job;
mod stream;
mod write;

use admission::Admission;
use job::Job;
use write::{Form, Writer};

/// A model under the name clients use.
#[derive(Clone, Debug)]
pub struct LoadedModel {
    /// What goes into `model` of a request.
    pub id: String,
    /// The model.
    pub model: Arc<Model>,
    /// Unix time in seconds, for the list of models.
    pub created: u64,
    /// Who offers it, for the list of models.
    pub owned_by: String,
    /// How it is sampled where a request does not say; at first what its file says. What neither
    /// says is as OpenAI's reference has it: temperature 1, all tokens.
    pub defaults: SamplingDefaults,
}

impl LoadedModel {
    /// A model offered by `relaymill`, created at the epoch.
    pub fn new(id: impl Into<String>, model: impl Into<Arc<Model>>) -> Self {
        let model = model.into();
        Self {
            id: id.into(),
            defaults: model.sampling_defaults(),
            model,
            created: 0,
            owned_by: "relaymill".into(),
        }
    }
}

/// How much the server takes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Generations at once, at least 1.
    pub slots: usize,
    /// Requests that may wait for a slot.
    pub waiting: usize,
    /// Largest request body.
    pub request_bytes: usize,
}

impl Default for Options {
    /// One generation per core; the rest from [`crate::limits`].
    fn default() -> Self {
        Self {
            slots: std::thread::available_parallelism().map_or(1, usize::from),
            waiting: WAITING_REQUESTS,
            request_bytes: REQUEST_BYTES,
        }
    }
}

/// The server for `models` with default [`Options`].
pub fn router(models: Vec<LoadedModel>) -> Router {
    router_with(models, Options::default())
}

/// The server for `models`.
pub fn router_with(models: Vec<LoadedModel>, options: Options) -> Router {
    let admission = Admission::new(options.slots, options.waiting);
    Router::new()
        .route("/v1/chat/completions", post(chat))
        .route("/v1/completions", post(completions))
        .route("/v1/models", get(list))
        .route("/v1/models/{*id}", get(model))
        .route("/health", get(health))
        .method_not_allowed_fallback(method_not_allowed)
        .fallback(unknown_path)
        .with_state(Arc::new(Server {
            models,
            admission,
            options,
        }))
}

/// What all handlers share.
struct Server {
    models: Vec<LoadedModel>,
    admission: Admission,
    options: Options,
}

impl Server {
    fn model(&self, id: &str) -> Result<&LoadedModel, ApiError> {
        let found = self.models.iter().find(|model| model.id == id);
        found.ok_or_else(|| ApiError::model_not_found(id))
    }

    /// Runs a checked job and answers in the form asked for.
    async fn answer(&self, job: Job, writer: Writer) -> Result<Response<Body>, ApiError> {
        let streamed = job.stream;
        let permit = self.admission.enter().await?;
        let mut answer = job.start(permit);
        let prompt_tokens = answer.started().await?;
        if streamed {
            let frames = stream::frames(answer, writer, prompt_tokens);
            let mut response = Response::new(Body::from_stream(frames));
            let headers = response.headers_mut();
            headers.insert(
                header::CONTENT_TYPE,
                HeaderValue::from_static("text/event-stream"),
            );
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
            return Ok(response);
        }
        let (choices, completion_tokens) = answer.collect().await?;
        Ok(json(writer.whole(
            choices,
            prompt_tokens,
            completion_tokens,
        )))
    }
}

async fn chat(State(server): State<Arc<Server>>, request: Request) -> Response<Body> {
    let answer = async {
        let body = read_body(request, server.options.request_bytes).await?;
        let head = ChatHead::parse(&body)?;
        let model = server.model(&head.model)?;
        let job = Job::chat(model, &head)?;
        let writer = Writer::new(Form::Chat, &model.id, head.include_usage, head.logprobs);
        server.answer(job, writer).await
    };
    answer.await.unwrap_or_else(refusal)
}

async fn completions(State(server): State<Arc<Server>>, request: Request) -> Response<Body> {
    let answer = async {
        let body = read_body(request, server.options.request_bytes).await?;
        let head = CompletionHead::parse(&body)?;
        let model = server.model(&head.model)?;
        let job = Job::completion(model, &head)?;
        let logprobs = head.logprobs.is_some();
        let writer = Writer::new(Form::Completion, &model.id, head.include_usage, logprobs);
        server.answer(job, writer).await
    };
    answer.await.unwrap_or_else(refusal)
}

async fn list(State(server): State<Arc<Server>>) -> Response<Body> {
    json(to_json(&ModelList::new(
        server.models.iter().map(object).collect(),
    )))
}

async fn model(State(server): State<Arc<Server>>, Path(id): Path<String>) -> Response<Body> {
    match server.model(&id) {
        Ok(model) => json(to_json(&object(model))),
        Err(error) => refusal(error),
    }
}

async fn health() -> Response<Body> {
    json(Bytes::from_static(br#"{"status":"ok"}"#))
}

async fn unknown_path(method: Method, uri: Uri) -> Response<Body> {
    refusal(ApiError::unknown_path(method.as_str(), uri.path()))
}

async fn method_not_allowed(method: Method, uri: Uri) -> Response<Body> {
    refusal(ApiError::method_not_allowed(method.as_str(), uri.path()))
}

fn object(model: &LoadedModel) -> ModelObject {
    ModelObject::new(&model.id, model.created, &model.owned_by)
}

fn json(body: Bytes) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

/// `value` as JSON; our own types always serialise.
fn to_json(value: &impl serde::Serialize) -> Bytes {
    Bytes::from(serde_json::to_vec(value).unwrap_or_default())
}

fn refusal(error: ApiError) -> Response<Body> {
    let mut response = error.response().map(Body::from);
    if error.object.code.as_deref() == Some("rate_limit_exceeded") {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

/// The whole body, if it is within the limit: announced sizes are refused before a byte is read.
async fn read_body(request: Request, limit_bytes: usize) -> Result<Bytes, ApiError> {
    let announced = request.headers().get(header::CONTENT_LENGTH);
    let announced = announced.and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > limit_bytes as u64) {
        return Err(ApiError::too_large(limit_bytes));
    }
    match Limited::new(request.into_body(), limit_bytes)
        .collect()
        .await
    {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(ApiError::too_large(limit_bytes)),
        Err(error) => Err(ApiError::invalid(format!(
            "the request body could not be read: {error}"
        ))),
    }
}
