//! One user request as a relay: choose, sign, send, verify; again at another supplier while nothing was answered.
//!
//! Every attempt is a relay of its own with a fresh signature, so two attempts can never be taken for one. All attempts
//! share one deadline: a supplier that is silent for half of what is left is given up for one that was not asked yet, and
//! the last one gets all of it. Once the first verified byte has gone to the client there is no second attempt.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::Full;
use prost::Message as _;
use proto::pocket::service::{RelayRequest, RelayResponse};
use protocol::error_body::{self, MinerError};
use protocol::http::PoktHttpResponse;
use protocol::relay as wire;
use protocol::stream::{STREAM_HEADER, STREAM_VERSION};

use crate::choice::{Attempt, Choice, Outcome};
use crate::config::Config;
use crate::error::{RelayFailure, StartError};
use crate::limits::{ANSWER_BYTES, ATTEMPTS, REST};
use crate::sessions::{Candidate, Ready, Sessions};
use crate::stream::Frames;

const STREAM_NAME: http::HeaderName = http::HeaderName::from_static("pocket-stream");

/// RPC type that the request goes by: REST.
const RPC_TYPE_REST: &str = "4";

/// What is to be relayed.
#[derive(Clone, Debug)]
pub struct Call {
    /// Service on chain.
    pub service: String,
    /// Path at the backend, e.g. `/v1/chat/completions`.
    pub path: &'static str,
    /// The client's body, unchanged.
    pub body: Bytes,
    /// Whether the client wants a stream.
    pub stream: bool,
}

/// Which relay answered.
#[derive(Clone, Debug)]
pub struct Evidence {
    /// Application that pays.
    pub application: String,
    /// Session it counts in.
    pub session_id: String,
    /// Last block of that session.
    pub session_end_height: i64,
    /// Operator address of the supplier.
    pub supplier: String,
    /// SHA-256 of the relay as mined.
    pub relay_hash: [u8; 32],
}

/// A verified answer.
pub enum Answer {
    /// All of it.
    Whole(PoktHttpResponse, Evidence),
    /// Its verified beginning, and the rest as it comes.
    Stream(Box<Frames>),
}

/// Sends relays.
pub struct Relays {
    sessions: Arc<Sessions>,
    choice: Choice,
    client: net::Client,
    first_byte: Duration,
    idle: Duration,
}

/// One attempt under way: what its answer must belong to.
pub(crate) struct Sent {
    pub(crate) request: RelayRequest,
    pub(crate) session: Arc<Ready>,
    pub(crate) candidate: Candidate,
    pub(crate) attempt: Option<Attempt>,
}

impl Relays {
    /// A client pool for the suppliers of these sessions.
    ///
    /// # Errors
    /// When the dialer cannot be made.
    pub fn new(config: &Config, sessions: Arc<Sessions>) -> Result<Arc<Self>, StartError> {
        Ok(Arc::new(Self {
            sessions,
            choice: Choice::default(),
            client: net::Client::with_policy(config.policy)?,
            first_byte: config.first_byte,
            idle: config.idle,
        }))
    }

    /// Relays `call` to suppliers until one answers.
    ///
    /// # Errors
    /// The last [`RelayFailure`], when nobody did.
    pub async fn send(&self, call: &Call) -> Result<Answer, RelayFailure> {
        let start = Instant::now();
        let mut tried = BTreeSet::new();
        let mut last = None;
        for turn in 0..ATTEMPTS {
            let left = self.first_byte.saturating_sub(start.elapsed());
            if left.is_zero() {
                break;
            }
            let Some((session, attempt)) = self.place(&call.service, turn, &tried)? else {
                break;
            };
            tried.insert(attempt.supplier().to_owned());
            let others = session.names.iter().any(|name| !tried.contains(name));
            let share = if others && turn + 1 < ATTEMPTS {
                left / 2
            } else {
                left
            };
            match self.attempt(call, session, attempt, share).await {
                Ok(answer) => return Ok(answer),
                Err(failure) => {
                    tracing::warn!(service = call.service, %failure, turn, "relay attempt failed");
                    let again = failure.is_retryable();
                    last = Some(failure);
                    if !again {
                        break;
                    }
                }
            }
        }
        Err(last.unwrap_or_else(|| RelayFailure::Deadline {
            service: call.service.clone(),
            after: self.first_byte,
        }))
    }

    /// A session of the service (its applications take turns) and a supplier of it that was not tried.
    fn place(
        &self,
        service: &str,
        turn: usize,
        tried: &BTreeSet<String>,
    ) -> Result<Option<(Arc<Ready>, Attempt)>, RelayFailure> {
        let sessions = self.sessions.of(service)?;
        let first = usize::try_from(getrandom::u32().unwrap_or_default()).unwrap_or_default();
        for offset in 0..sessions.len() {
            let index = first.wrapping_add(turn).wrapping_add(offset) % sessions.len();
            if let Some(session) = sessions.get(index)
                && let Some(attempt) = self.choice.pick(&session.names, tried)
            {
                return Ok(Some((Arc::clone(session), attempt)));
            }
        }
        Ok(None)
    }

    async fn attempt(
        &self,
        call: &Call,
        session: Arc<Ready>,
        attempt: Attempt,
        share: Duration,
    ) -> Result<Answer, RelayFailure> {
        let Some(candidate) = session.candidates.get(attempt.supplier()).cloned() else {
            return Err(RelayFailure::NoSession {
                service: call.service.clone(),
                reason: "the session changed".to_owned(),
            });
        };
        let request = sign(call, &session, &candidate)?;
        let mut sent = Sent {
            request,
            session,
            candidate,
            attempt: Some(attempt),
        };
        let outcome = self.exchange(call, &mut sent, share).await;
        if let (Err(failure), Some(attempt)) = (&outcome, sent.attempt.take()) {
            attempt.settle(blame(failure));
        }
        outcome
    }

    async fn exchange(
        &self,
        call: &Call,
        sent: &mut Sent,
        share: Duration,
    ) -> Result<Answer, RelayFailure> {
        let deadline = tokio::time::Instant::now() + share;
        let supplier = sent.candidate.operator.clone();
        let silent = || RelayFailure::Silent {
            supplier: supplier.clone(),
            after: share,
        };
        let transport = |source| match source {
            net::NetError::ResponseHeadTimeout { .. } => silent(),
            source => RelayFailure::Transport {
                supplier: supplier.clone(),
                source,
            },
        };
        let deadlines = net::Deadlines {
            head: share,
            idle: self.idle,
            response_bytes: ANSWER_BYTES,
        };
        let response = self
            .client
            .request_within(envelope(call, sent), deadlines)
            .await
            .map_err(transport)?;
        let (head, body) = response.into_parts();
        if head.status == StatusCode::OK && head.headers.contains_key(STREAM_HEADER) {
            let taken = Sent {
                request: sent.request.clone(),
                session: Arc::clone(&sent.session),
                candidate: sent.candidate.clone(),
                attempt: sent.attempt.take(),
            };
            let mut frames = Frames::new(taken, body);
            return match tokio::time::timeout_at(deadline, frames.begin()).await {
                Ok(Ok(())) => Ok(Answer::Stream(Box::new(frames))),
                Ok(Err(failure)) => Err(frames.fail(failure)),
                Err(_) => Err(frames.fail(silent())),
            };
        }
        let bytes = tokio::time::timeout_at(deadline, body.read_to_bytes()).await;
        let bytes = bytes.map_err(|_| silent())?.map_err(transport)?;
        let response = match error_body::read(head.status.as_u16(), &bytes) {
            error_body::Body::Response(response) => response,
            error_body::Body::Refusal(error) => {
                return Err(refusal(supplier, error, &head.headers));
            }
        };
        let (response, evidence) = whole(sent, &response)?;
        if let Some(attempt) = sent.attempt.take() {
            let fault = response.status_code >= 500;
            attempt.settle(if fault {
                Outcome::Failed
            } else {
                Outcome::Answered
            });
        }
        if response.status_code >= 500 {
            return Err(RelayFailure::Refused {
                supplier,
                status: u16::try_from(response.status_code).unwrap_or(502),
                reason: "its backend failed".to_owned(),
                retry_after: None,
            });
        }
        Ok(Answer::Whole(response, evidence))
    }
}

/// Builds and ring-signs the relay. Only method, path, content type and body enter it: all of it may become public.
fn sign(call: &Call, session: &Ready, candidate: &Candidate) -> Result<RelayRequest, RelayFailure> {
    let accept = if call.stream {
        "text/event-stream"
    } else {
        "application/json"
    };
    let headers = [("content-type", "application/json"), ("accept", accept)];
    let url = format!("http://{}{}", call.service, call.path);
    let payload = protocol::http::build_request("POST", &url, headers, &[], call.body.clone());
    let mut request = wire::build_request(session.header.clone(), &candidate.operator, payload);
    let signature = session
        .signer
        .sign(&wire::signable_request(&request))
        .map_err(RelayFailure::Signing)?;
    request.meta.signature = signature.into();
    Ok(request)
}

fn envelope(call: &Call, sent: &Sent) -> Request<Full<Bytes>> {
    let mut outer = Request::new(Full::new(Bytes::from(sent.request.encode_to_vec())));
    *outer.method_mut() = Method::POST;
    *outer.uri_mut() = sent.candidate.url.clone();
    let headers = outer.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        http::HeaderValue::from_static("application/octet-stream"),
    );
    headers.insert("rpc-type", http::HeaderValue::from_static(RPC_TYPE_REST));
    if call.stream {
        headers.insert(STREAM_NAME, http::HeaderValue::from_static(STREAM_VERSION));
    }
    outer
}

/// A plain answer: one signed RelayResponse over all of it.
fn whole(
    sent: &Sent,
    response: &RelayResponse,
) -> Result<(PoktHttpResponse, Evidence), RelayFailure> {
    check(sent, response)?;
    if response.payload.is_empty() {
        return Err(invalid(sent, "no payload".to_owned()));
    }
    let inner = protocol::http::parse_response(&response.payload)
        .map_err(|error| invalid(sent, error.to_string()))?;
    Ok((inner, evidence(sent, response)))
}

/// Signature, session and payload hash.
pub(crate) fn check(sent: &Sent, response: &RelayResponse) -> Result<(), RelayFailure> {
    wire::verify_response(response, &sent.session.header, &sent.candidate.key)
        .map_err(|error| invalid(sent, error.to_string()))
}

/// The relay as the supplier mines it.
pub(crate) fn evidence(sent: &Sent, response: &RelayResponse) -> Evidence {
    let header = &sent.session.header;
    Evidence {
        application: header.application_address.clone(),
        session_id: header.session_id.clone(),
        session_end_height: header.session_end_block_height,
        supplier: sent.candidate.operator.clone(),
        relay_hash: wire::mined_relay(&sent.request, response).hash,
    }
}

pub(crate) fn invalid(sent: &Sent, reason: String) -> RelayFailure {
    RelayFailure::Invalid {
        supplier: sent.candidate.operator.clone(),
        reason,
    }
}

/// A refusal in either form of the reference's miners. PM answers 200 and means its code.
fn refusal(supplier: String, error: MinerError, headers: &HeaderMap) -> RelayFailure {
    let seconds = headers
        .get(RETRY_AFTER)
        .and_then(|value| value.to_str().ok()?.parse().ok());
    let status = match (&error.registered, error.status) {
        (Some((codespace, 7)), 200) if codespace == "relayer_proxy" => 429,
        (Some((codespace, 11 | 13)), 200) if codespace == "relayer_proxy" => 413,
        (_, 200) => 502,
        (_, status) => status,
    };
    RelayFailure::Refused {
        supplier,
        status,
        reason: error.message,
        retry_after: seconds.map(Duration::from_secs),
    }
}

fn blame(failure: &RelayFailure) -> Outcome {
    match failure {
        RelayFailure::Refused {
            status: 429,
            retry_after,
            ..
        } => Outcome::Busy(retry_after.unwrap_or(REST)),
        RelayFailure::Refused { status: 413, .. } | RelayFailure::Signing(_) => Outcome::Neutral,
        RelayFailure::NoSession { .. } | RelayFailure::Deadline { .. } => Outcome::Neutral,
        _ => Outcome::Failed,
    }
}
