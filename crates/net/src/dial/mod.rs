//! Dialling: from a host name to a connected stream, with the address policy in between.
//!
//! The policy is applied to every resolved address before it is dialled and to the connected
//! socket afterwards; redirects are never followed, so no later name escapes it.
//!
//! Start with [`Dialer::connect_tcp`] for raw streams (WebSocket clients) and [`Client`] for HTTP.

mod client;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_util::rt::TokioIo;
use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_rustls::TlsConnector;

pub use client::{Client, ClientOptions, Deadlines};

use crate::address::AddressPolicy;
use crate::error::{BoxError, NetError, Side, cause};
use crate::limits;
use crate::stream::{Places, Stream};
use crate::tls::{ALPN_HTTP1, ALPN_HTTP2, Roots};

/// How a dialer connects, and where to it may.
#[derive(Clone, Debug)]
pub struct DialOptions {
    /// Which addresses may be dialled.
    pub policy: AddressPolicy,
    /// From resolution to a usable stream, TLS included.
    pub connect_timeout: Duration,
    /// A peer that takes no byte for this long is cut off.
    pub write_stall: Duration,
    /// Connections open at the same time, pooled ones included.
    pub max_connections: usize,
    /// Whom to trust behind `https://`.
    pub roots: Roots,
}

impl Default for DialOptions {
    fn default() -> Self {
        Self {
            policy: AddressPolicy::Public,
            connect_timeout: limits::CONNECT,
            write_stall: limits::WRITE_STALL,
            max_connections: limits::DIALED_CONNECTIONS,
            roots: Roots::default(),
        }
    }
}

/// The HTTP version spoken on a dialled stream; TLS offers exactly this one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Version {
    /// HTTP/1.1: one exchange per connection at a time, so a cancelled one is a closed socket.
    #[default]
    Http1,
    /// HTTP/2, over plain TCP with prior knowledge: for gRPC.
    Http2,
}

/// Connects to hosts. Cheap to clone; clones share the limit on connections.
#[derive(Clone)]
pub struct Dialer {
    options: Arc<DialOptions>,
    places: Places,
    http1: TlsConnector,
    http2: TlsConnector,
}

impl std::fmt::Debug for Dialer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dialer")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

/// Connects to `host:port` as [`Dialer::connect_tcp`] does.
///
/// # Errors
/// As there.
pub async fn connect_tcp(dialer: &Dialer, host: &str, port: u16) -> Result<Stream, NetError> {
    dialer.connect_tcp(host, port).await
}

impl Dialer {
    /// A dialer with these options.
    ///
    /// # Errors
    /// [`NetError::TlsConfig`] when the TLS library refuses its own defaults.
    pub fn new(options: DialOptions) -> Result<Self, NetError> {
        Ok(Self {
            places: Places::new(options.max_connections),
            http1: options.roots.connector(ALPN_HTTP1)?,
            http2: options.roots.connector(ALPN_HTTP2)?,
            options: Arc::new(options),
        })
    }

    /// The options it was made with.
    pub fn options(&self) -> &DialOptions {
        &self.options
    }

    /// Connections open now, pooled ones included.
    pub fn connections(&self) -> usize {
        self.places.open()
    }

    /// A plain stream to `host` (a name, or an address with or without brackets).
    ///
    /// # Errors
    /// [`NetError::Resolve`], [`NetError::AddressRefused`], [`NetError::Connect`],
    /// [`NetError::ConnectTimeout`], [`NetError::TooManyConnections`].
    pub async fn connect_tcp(&self, host: &str, port: u16) -> Result<Stream, NetError> {
        let target = Target {
            host: bare(host),
            port,
        };
        self.within_limit(&target, self.open(&target, None)).await
    }

    /// A stream to the authority of `url`: TLS for `https` and `wss`, plain for `http` and `ws`.
    ///
    /// # Errors
    /// As [`Dialer::connect_tcp`], [`NetError::BadUrl`], [`NetError::TlsHandshake`].
    pub async fn connect(&self, url: &Uri, version: Version) -> Result<Stream, NetError> {
        let bad = |why| NetError::BadUrl {
            url: url.to_string(),
            why,
        };
        let tls = match url.scheme_str() {
            Some("http" | "ws") => false,
            Some("https" | "wss") => true,
            _ => return Err(bad("the scheme must be http, https, ws or wss")),
        };
        let host = url
            .host()
            .filter(|host| !host.is_empty())
            .ok_or_else(|| bad("no host"))?;
        let target = Target {
            host: bare(host),
            port: url.port_u16().unwrap_or(if tls { 443 } else { 80 }),
        };
        let connector = tls.then_some(match version {
            Version::Http1 => &self.http1,
            Version::Http2 => &self.http2,
        });
        self.within_limit(&target, self.open(&target, connector))
            .await
    }

    async fn within_limit(
        &self,
        target: &Target<'_>,
        open: impl Future<Output = Result<Stream, NetError>>,
    ) -> Result<Stream, NetError> {
        let limit = self.options.connect_timeout;
        tokio::time::timeout(limit, open).await.unwrap_or_else(|_| {
            Err(NetError::ConnectTimeout {
                host: target.to_string(),
                limit,
            })
        })
    }

    async fn open(
        &self,
        target: &Target<'_>,
        tls: Option<&TlsConnector>,
    ) -> Result<Stream, NetError> {
        let limit = self.places.limit();
        let place = self
            .places
            .try_take()
            .ok_or(NetError::TooManyConnections { limit })?;
        let tcp = self.reach(target).await?;
        let Some(tls) = tls else {
            return Ok(Stream::plain(tcp, self.options.write_stall, place));
        };
        let failed = |error: BoxError| NetError::TlsHandshake {
            side: Side::Upstream,
            peer: target.to_string(),
            cause: cause(error),
        };
        let name = ServerName::try_from(target.host.to_owned())
            .map_err(|error| failed(Box::new(error)))?;
        let stream = tls
            .connect(name, tcp)
            .await
            .map_err(|error| failed(Box::new(error)))?;
        Ok(Stream::tls(stream.into(), self.options.write_stall, place))
    }

    /// A TCP connection to the first address of the target that accepts one.
    async fn reach(&self, target: &Target<'_>) -> Result<TcpStream, NetError> {
        let deadline = Instant::now() + self.options.connect_timeout;
        let found = tokio::net::lookup_host((target.host, target.port)).await;
        let found: Vec<SocketAddr> = found
            .map_err(|error| NetError::Resolve {
                host: target.host.to_owned(),
                cause: cause(error),
            })?
            .collect();
        let mut failure = NetError::Resolve {
            host: target.host.to_owned(),
            cause: cause("the name has no address"),
        };
        let mut allowed = Vec::with_capacity(found.len());
        for addr in found {
            match self.permitted(target, addr) {
                Ok(()) => allowed.push(addr),
                Err(error) => failure = error,
            }
        }
        allowed.truncate(limits::ADDRESSES_TRIED);
        let mut left = u32::try_from(allowed.len()).unwrap_or(u32::MAX);
        for addr in allowed {
            // An address that swallows packets leaves the others their share of the time.
            let share = deadline.saturating_duration_since(Instant::now()) / left.max(1);
            left = left.saturating_sub(1);
            let error = match tokio::time::timeout(share, connect_addr(addr)).await {
                Ok(Ok(tcp)) => {
                    let peer = tcp.peer_addr().map_err(|error| NetError::Connect {
                        host: target.to_string(),
                        cause: cause(error),
                    })?;
                    self.permitted(target, peer)?;
                    return Ok(tcp);
                }
                Ok(Err(error)) => error,
                Err(_) => io::ErrorKind::TimedOut.into(),
            };
            let text = format!("{error} ({addr})");
            failure = NetError::Connect {
                host: target.to_string(),
                cause: cause(text),
            };
        }
        Err(failure)
    }

    fn permitted(&self, target: &Target<'_>, addr: SocketAddr) -> Result<(), NetError> {
        self.options
            .policy
            .check(addr.ip())
            .map_err(|refused| NetError::AddressRefused {
                host: target.host.to_owned(),
                addr: addr.ip(),
                refused,
            })
    }
}

#[allow(
    clippy::disallowed_methods,
    reason = "this is the one place where sockets are dialled"
)]
async fn connect_addr(addr: SocketAddr) -> io::Result<TcpStream> {
    let tcp = TcpStream::connect(addr).await?;
    tcp.set_nodelay(true)?;
    Ok(tcp)
}

/// A host without brackets, and a port; shown as `host:port`.
struct Target<'a> {
    host: &'a str,
    port: u16,
}

impl std::fmt::Display for Target<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "[{}]:{}", self.host, self.port),
            false => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

fn bare(host: &str) -> &str {
    host.strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(host)
}

/// What the pooled client asks for connections.
#[derive(Clone, Debug)]
pub(crate) struct Connector {
    dialer: Dialer,
    version: Version,
}

impl tower_service::Service<Uri> for Connector {
    type Response = TokioIo<Stream>;
    type Error = NetError;
    type Future = Pin<Box<dyn Future<Output = Result<TokioIo<Stream>, NetError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), NetError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, url: Uri) -> Self::Future {
        let Self { dialer, version } = self.clone();
        Box::pin(async move { dialer.connect(&url, version).await.map(TokioIo::new) })
    }
}
