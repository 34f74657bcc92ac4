//! The pooled HTTP client.
//!
//! Invariants
//! - dropping a response future or a response body before its end closes the HTTP/1 connection
//!   (resets the HTTP/2 stream), so that a backend stops working for nobody;
//! - redirects are answers, not orders; no `Accept-Encoding` is sent;
//! - a request is sent twice only where the first attempt met a pooled connection that closed
//!   before one byte was written.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::ACCEPT_ENCODING;
use http::{Request, Response, Uri};
use http_body::Body;
use http_body_util::BodyExt;
use http_body_util::combinators::UnsyncBoxBody;
use hyper_util::client::legacy;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use super::{Connector, DialOptions, Dialer, Version};
use crate::body::{LimitedBody, ResponseBody};
use crate::error::{BoxError, NetError, Side, cause};
use crate::limits;

/// How long an exchange may take, and how much may come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadlines {
    /// Until the response head, connecting included.
    pub head: Duration,
    /// Silence inside the response body.
    pub idle: Duration,
    /// Bytes of the response body.
    pub response_bytes: u64,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            head: limits::RESPONSE_HEAD,
            idle: limits::RESPONSE_IDLE,
            response_bytes: limits::RESPONSE_BYTES,
        }
    }
}

/// What a client speaks, keeps and waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientOptions {
    /// Spoken on every connection of this client.
    pub version: Version,
    /// Used where a request brings none of its own.
    pub deadlines: Deadlines,
    /// How long an unused connection stays open.
    pub pool_idle: Duration,
    /// Unused connections kept per host.
    pub pool_idle_per_host: usize,
    /// Bytes of a response head.
    pub header_bytes: usize,
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self {
            version: Version::Http1,
            deadlines: Deadlines::default(),
            pool_idle: limits::POOL_IDLE,
            pool_idle_per_host: limits::POOL_IDLE_PER_HOST,
            header_bytes: limits::HEADER_BYTES,
        }
    }
}

type SentBody = UnsyncBoxBody<Bytes, BoxError>;

/// A pooled HTTP client. Cheap to clone; clones share the pool. Also a tower service, so a gRPC
/// stub can use it.
#[derive(Clone, Debug)]
pub struct Client {
    inner: legacy::Client<Connector, SentBody>,
    deadlines: Deadlines,
}

impl Client {
    /// A client that connects through `dialer`.
    pub fn new(dialer: Dialer, options: ClientOptions) -> Self {
        // The executor is hyper's: a connection task ends with its connection, which ends with
        // the pool; tracked, idle pooled connections would hold up every shutdown.
        #[allow(
            clippy::disallowed_methods,
            reason = "the one pooled client of the house"
        )]
        let inner = legacy::Client::builder(TokioExecutor::new())
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(options.pool_idle)
            .pool_max_idle_per_host(options.pool_idle_per_host)
            .http1_max_buf_size(options.header_bytes)
            .http2_only(options.version == Version::Http2)
            .http2_max_header_list_size(u32::try_from(options.header_bytes).unwrap_or(u32::MAX))
            .http2_initial_stream_window_size(limits::HTTP2_STREAM_WINDOW)
            .http2_initial_connection_window_size(limits::HTTP2_CONNECTION_WINDOW)
            .http2_max_send_buf_size(limits::HTTP2_SEND_BUFFER)
            .http2_keep_alive_interval(limits::HTTP2_PING)
            .http2_keep_alive_timeout(limits::HTTP2_PING_TIMEOUT)
            .build(Connector {
                dialer,
                version: options.version,
            });
        Self {
            inner,
            deadlines: options.deadlines,
        }
    }

    /// A client with the default options and this policy: the shortest way to one.
    ///
    /// # Errors
    /// As [`Dialer::new`].
    pub fn with_policy(policy: crate::AddressPolicy) -> Result<Self, NetError> {
        let dialer = Dialer::new(DialOptions {
            policy,
            ..DialOptions::default()
        })?;
        Ok(Self::new(dialer, ClientOptions::default()))
    }

    /// The deadlines of requests that bring none.
    pub fn deadlines(&self) -> Deadlines {
        self.deadlines
    }

    /// Sends `request` and waits for the response head. The URI must be absolute.
    ///
    /// # Errors
    /// [`NetError`] with [`Side::Upstream`] for whatever the peer did or did not do;
    /// [`NetError::BadUrl`] and [`NetError::TooManyConnections`] are ours.
    pub async fn request<B>(&self, request: Request<B>) -> Result<Response<ResponseBody>, NetError>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        self.request_within(request, self.deadlines).await
    }

    /// As [`Client::request`], with the caller's deadlines: attempts of one user request share
    /// theirs.
    ///
    /// # Errors
    /// As [`Client::request`].
    pub async fn request_within<B>(
        &self,
        request: Request<B>,
        deadlines: Deadlines,
    ) -> Result<Response<ResponseBody>, NetError>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let host = host_of(request.uri())?;
        let mut request = request.map(|body| body.map_err(Into::into).boxed_unsync());
        request.headers_mut().remove(ACCEPT_ENCODING);
        match tokio::time::timeout(deadlines.head, self.inner.request(request)).await {
            Ok(Ok(response)) => Ok(response.map(|body| {
                let Deadlines {
                    idle,
                    response_bytes,
                    ..
                } = deadlines;
                LimitedBody::new(body, Side::Upstream, response_bytes, idle)
            })),
            Ok(Err(error)) => Err(explain(error, host)),
            Err(_) => Err(NetError::ResponseHeadTimeout {
                host,
                limit: deadlines.head,
            }),
        }
    }
}

impl<B> tower_service::Service<Request<B>> for Client
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response<ResponseBody>;
    type Error = NetError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<ResponseBody>, NetError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), NetError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let client = self.clone();
        Box::pin(async move { client.request(request).await })
    }
}

/// `host:port` of a URL that can be dialled.
fn host_of(url: &Uri) -> Result<String, NetError> {
    let bad = |why| NetError::BadUrl {
        url: url.to_string(),
        why,
    };
    let port = match url.scheme_str() {
        Some("http") => 80,
        Some("https") => 443,
        _ => return Err(bad("the scheme must be http or https")),
    };
    let host = url
        .host()
        .filter(|host| !host.is_empty())
        .ok_or_else(|| bad("no host"))?;
    Ok(format!("{host}:{}", url.port_u16().unwrap_or(port)))
}

/// Finds what happened inside the pool's error.
fn explain(error: legacy::Error, host: String) -> NetError {
    let mut unsent = error.is_connect();
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(&error);
    let mut deepest = error.to_string();
    while let Some(inner) = source {
        if let Some(known) = inner.downcast_ref::<NetError>() {
            // Our connector's, or that of a request body we forward.
            return known.clone();
        }
        if let Some(hyper) = inner.downcast_ref::<hyper::Error>() {
            unsent |= hyper.is_canceled();
        }
        deepest = inner.to_string();
        source = inner.source();
    }
    NetError::Exchange {
        host,
        unsent,
        cause: cause(deepest),
    }
}
