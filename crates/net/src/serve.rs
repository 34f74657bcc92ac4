//! Serving HTTP: HTTP/1 and HTTP/2 (with prior knowledge or by ALPN) on one listener, upgrades
//! included, with every limit of [`ServeLimits`] and a drain at shutdown.
//!
//! Invariants
//! - no request reaches the service before its head is complete, small enough, and addressed to a
//!   name of [`ServeLimits::hosts`];
//! - once the scope is asked to end, no connection is accepted, idle ones close, and requests in
//!   flight run to their end or to the scope's deadline;
//! - a client that leaves drops the service's future or the response body it was reading.
//!
//! Start with [`serve`]; the timer of a connection is explained in [`activity`](crate::activity).

use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use http_body_util::{Either, Full};
use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::time::Instant;
use tower::ServiceExt;
use tower_service::Service;

use crate::activity::{Activity, Counted, Deadline, InFlight, Watched};
use crate::body::{LimitedBody, RequestBody};
use crate::error::{BoxError, Side};
use crate::host::{HostCheck, refusal};
use crate::limits;
use crate::listen::{Accepted, Listener};
use crate::stream::Places;
use crate::tasks::Tasks;

/// What a server bounds, and the names it answers to.
#[derive(Clone, Debug)]
pub struct ServeLimits {
    /// Names a request may be addressed to; loopback names unless configured.
    pub hosts: HostCheck,
    /// From the first byte of a request to the end of its head, also from accept.
    pub header_read: Duration,
    /// Bytes of a head; more are answered 431.
    pub header_bytes: usize,
    /// A connection without a request closes after this.
    pub idle: Duration,
    /// Bytes of a request body, enforced as it is read.
    pub body_bytes: u64,
    /// Silence inside a request body.
    pub body_idle: Duration,
    /// Concurrent HTTP/2 streams per connection.
    pub http2_streams: u32,
}

impl Default for ServeLimits {
    fn default() -> Self {
        Self {
            hosts: HostCheck::loopback(),
            header_read: limits::HEADER_READ,
            header_bytes: limits::HEADER_BYTES,
            idle: limits::CONNECTION_IDLE,
            body_bytes: limits::REQUEST_BODY_BYTES,
            body_idle: limits::REQUEST_BODY_IDLE,
            http2_streams: limits::HTTP2_STREAMS,
        }
    }
}

/// Who sent a request; an extension of every request served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// The address at the other end of the connection.
    pub addr: SocketAddr,
    /// Whether the connection is encrypted.
    pub tls: bool,
}

/// A running server. Dropping it changes nothing: the scope it was given ends it.
#[derive(Clone, Debug)]
pub struct Server {
    addr: SocketAddr,
    places: Places,
}

impl Server {
    /// Where it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.addr
    }

    /// Connections open now, upgraded ones included.
    pub fn connections(&self) -> usize {
        self.places.open()
    }

    /// Connections it holds at most.
    pub fn max_connections(&self) -> usize {
        self.places.limit()
    }
}

/// Serves `service` on `listener` until `tasks` is asked to end, then drains. An `axum::Router`
/// and tonic's `Routes` are such services. Every request carries its [`Peer`].
///
/// The work of one connection runs in `tasks`; `tasks.shutdown(limit)` waits for the drain.
pub fn serve<S, B>(listener: Listener, service: S, limits: ServeLimits, tasks: &Tasks) -> Server
where
    S: Service<Request<RequestBody>, Response = Response<B>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Into<BoxError>,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    let server = Server {
        addr: listener.local_addr(),
        places: listener.places(),
    };
    let scope = tasks.clone();
    tasks.spawn(async move {
        let limits = Arc::new(limits);
        let builder = Arc::new(builder(&limits, &scope));
        loop {
            let accepted = match scope.until_cancelled(listener.accept()).await {
                None => return,
                Some(Ok(accepted)) => accepted,
                Some(Err(error)) => {
                    tracing::warn!(addr = %listener.local_addr(), %error, "accept failed");
                    if scope
                        .until_cancelled(tokio::time::sleep(limits::ACCEPT_PAUSE))
                        .await
                        .is_none()
                    {
                        return;
                    }
                    continue;
                }
            };
            scope.spawn(connection(
                accepted,
                service.clone(),
                builder.clone(),
                limits.clone(),
                scope.clone(),
            ));
        }
    });
    server
}

fn builder(limits: &ServeLimits, tasks: &Tasks) -> auto::Builder<Tasks> {
    let mut builder = auto::Builder::new(tasks.clone());
    builder
        .http1()
        .timer(TokioTimer::new())
        // `Activity` does this, and tells a slow head from an idle connection.
        .header_read_timeout(None)
        .max_buf_size(limits.header_bytes);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(u32::try_from(limits.header_bytes).unwrap_or(u32::MAX))
        .max_concurrent_streams(limits.http2_streams)
        .max_pending_accept_reset_streams(limits::HTTP2_PENDING_RESETS)
        .max_local_error_reset_streams(limits::HTTP2_ERROR_RESETS)
        .initial_stream_window_size(limits::HTTP2_STREAM_WINDOW)
        .initial_connection_window_size(limits::HTTP2_CONNECTION_WINDOW)
        .max_send_buf_size(limits::HTTP2_SEND_BUFFER)
        .keep_alive_interval(limits::HTTP2_PING)
        .keep_alive_timeout(limits::HTTP2_PING_TIMEOUT);
    builder
}

/// One connection from its handshake to its close.
#[allow(
    clippy::disallowed_methods,
    reason = "this is the one place where connections are served"
)]
async fn connection<S, B>(
    accepted: Accepted,
    service: S,
    builder: Arc<auto::Builder<Tasks>>,
    limits: Arc<ServeLimits>,
    tasks: Tasks,
) where
    S: Service<Request<RequestBody>, Response = Response<B>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Into<BoxError>,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    let peer = accepted.peer();
    let stream = match tasks.until_cancelled(accepted.into_stream()).await {
        None => return,
        Some(Ok(stream)) => stream,
        Some(Err(error)) => {
            tracing::debug!(%peer, %error, "connection refused");
            return;
        }
    };
    let activity = Activity::new();
    let guarded = Guarded {
        service,
        peer: Peer {
            addr: peer,
            tls: stream.is_tls(),
        },
        limits: limits.clone(),
        activity: activity.clone(),
    };
    let io = TokioIo::new(Watched {
        stream,
        activity: activity.clone(),
    });
    let mut connection = pin!(builder.serve_connection_with_upgrades(io, guarded));
    let mut cancelled = pin!(tasks.cancelled());
    let mut timer = pin!(tokio::time::sleep_until(
        activity.deadline(limits.header_read, limits.idle).at()
    ));
    // Asked to close: by us for idleness, or by the scope.
    let (mut lingers_until, mut draining) = (None, false);

    poll_fn(|cx| {
        if !draining && cancelled.as_mut().poll(cx).is_ready() {
            draining = true;
            connection.as_mut().graceful_shutdown();
        }
        if let Poll::Ready(outcome) = connection.as_mut().poll(cx) {
            if let Err(error) = outcome {
                tracing::debug!(%peer, %error, "connection ended with an error");
            }
            return Poll::Ready(());
        }
        loop {
            let deadline = activity.deadline(limits.header_read, limits.idle);
            let at = match (lingers_until, deadline) {
                (Some(until), Deadline::Idle(_)) => until,
                _ => deadline.at(),
            };
            // A deadline that moved away is noticed when the old one fires: one timer update per
            // idle period instead of two per request.
            if timer.deadline() > at {
                timer.as_mut().reset(at);
            }
            if timer.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            if at > Instant::now() {
                timer.as_mut().reset(at);
                continue;
            }
            match deadline {
                Deadline::Recheck(_) => {}
                Deadline::Head(_) => {
                    tracing::debug!(%peer, "no complete request head in time");
                    return Poll::Ready(());
                }
                Deadline::Idle(_) if lingers_until.is_some() => return Poll::Ready(()),
                Deadline::Idle(_) => {
                    lingers_until = Some(Instant::now() + limits::CONNECTION_LINGER);
                    connection.as_mut().graceful_shutdown();
                    if connection.as_mut().poll(cx).is_ready() {
                        return Poll::Ready(());
                    }
                }
            }
        }
    })
    .await;
}

/// The service as one connection sees it: hosts checked, bodies limited, requests counted.
struct Guarded<S> {
    service: S,
    peer: Peer,
    limits: Arc<ServeLimits>,
    activity: Arc<Activity>,
}

type Answer<B> = Response<Counted<Either<B, Full<Bytes>>>>;

impl<S, B> hyper::service::Service<Request<Incoming>> for Guarded<S>
where
    S: Service<Request<RequestBody>, Response = Response<B>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Into<BoxError>,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Answer<B>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Answer<B>, BoxError>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let in_flight = self
            .activity
            .begin(request.version() == http::Version::HTTP_2);
        if let Err(error) = self.limits.hosts.check(request.uri(), request.headers()) {
            tracing::debug!(peer = %self.peer.addr, %error, "request refused");
            let answer = refusal(&error).map(|body| counted(Either::Right(body), in_flight));
            return Box::pin(std::future::ready(Ok(answer)));
        }
        let (bytes, idle) = (self.limits.body_bytes, self.limits.body_idle);
        let mut request = request.map(|body| LimitedBody::new(body, Side::Client, bytes, idle));
        request.extensions_mut().insert(self.peer);
        let service = self.service.clone();
        Box::pin(async move {
            let answer = service.oneshot(request).await.map_err(Into::into)?;
            Ok(answer.map(|body| counted(Either::Left(body), in_flight)))
        })
    }
}

fn counted<B>(body: B, in_flight: InFlight) -> Counted<B> {
    Counted {
        body: Box::pin(body),
        _in_flight: in_flight,
    }
}
