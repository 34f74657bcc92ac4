//! What can go wrong on a socket, on whose side, and whether trying again is safe.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;

use crate::address::Refused;

/// Any error of a service or a body.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A shared cause, so that one failure can be told to every waiter of a single flight.
pub type Cause = Arc<dyn std::error::Error + Send + Sync>;

/// Who caused a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// The peer that called us: it is told what it did wrong.
    Client,
    /// The peer that we called: it is what a breaker counts.
    Upstream,
    /// This process or its configuration: the operator mends it.
    Local,
}

impl std::fmt::Display for Side {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Client => "client",
            Self::Upstream => "upstream",
            Self::Local => "local",
        })
    }
}

/// Everything this crate fails with. [`NetError::side`] says who caused it,
/// [`NetError::is_retryable`] whether the same request may be sent again.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NetError {
    /// A listen address that is no `host:port`. Local.
    #[error("`{addr}` is not a listen address; write `host:port`, e.g. 127.0.0.1:8080 ({cause})")]
    BadListenAddress {
        /// As configured.
        addr: String,
        /// Why it could not be used.
        cause: Cause,
    },
    /// Another process (or a second instance of this one) has the port. Local.
    #[error(
        "address already in use: {addr}; stop the process that has it (`ss -ltnp` names it) or \
         configure another port"
    )]
    AddressInUse {
        /// The address asked for.
        addr: SocketAddr,
    },
    /// The operating system refused the listen address for another reason. Local.
    #[error("cannot listen on {addr}: {cause}")]
    Listen {
        /// The address asked for.
        addr: SocketAddr,
        /// The system's reason.
        cause: Cause,
    },
    /// A Unix socket cannot be made. Local.
    #[error("cannot listen at {}: {cause}", path.display())]
    LocalSocket {
        /// Its path.
        path: std::path::PathBuf,
        /// Why.
        cause: Cause,
    },
    /// Accepting failed. Local; the accept loop pauses and goes on.
    #[error("cannot accept a connection: {cause}")]
    Accept {
        /// The system's reason, e.g. too many open files.
        cause: Cause,
    },
    /// A certificate, key or root that cannot be used. Local.
    #[error("TLS {what}: {cause}")]
    TlsConfig {
        /// Which part.
        what: &'static str,
        /// Why.
        cause: Cause,
    },
    /// A TLS handshake failed or took longer than its limit.
    #[error("TLS handshake with {peer} failed: {cause}")]
    TlsHandshake {
        /// Whose handshake.
        side: Side,
        /// Address or host name of the peer.
        peer: String,
        /// Why.
        cause: Cause,
    },
    /// A URL that is not `http://` or `https://` with a host. Local.
    #[error("`{url}` cannot be dialled: {why}")]
    BadUrl {
        /// The URL as given.
        url: String,
        /// What is missing or wrong.
        why: &'static str,
    },
    /// A name that does not resolve. Upstream, retryable.
    #[error("cannot resolve {host}: {cause}")]
    Resolve {
        /// The host name.
        host: String,
        /// The resolver's reason.
        cause: Cause,
    },
    /// A name that resolves only to addresses the policy refuses. Upstream, not retryable there.
    #[error(
        "{host} leads to {addr}, which is {refused}; only public addresses are dialled here \
         (`allow_private_endpoints = true` lifts this)"
    )]
    AddressRefused {
        /// The host as asked for.
        host: String,
        /// The refused address.
        addr: IpAddr,
        /// The range it lies in.
        refused: Refused,
    },
    /// No address of the host accepted a connection. Upstream, retryable.
    #[error("cannot connect to {host}: {cause}")]
    Connect {
        /// `host:port`.
        host: String,
        /// Reason of the last address tried.
        cause: Cause,
    },
    /// No connection within the limit. Upstream, retryable.
    #[error("no connection to {host} within {} ms", .limit.as_millis())]
    ConnectTimeout {
        /// `host:port`.
        host: String,
        /// The limit.
        limit: Duration,
    },
    /// The dialer holds as many connections as it may. Local, retryable.
    #[error("{limit} connections are open already; the limit is `max_connections` of the dialer")]
    TooManyConnections {
        /// The limit.
        limit: usize,
    },
    /// The exchange broke before a response head arrived. Upstream; retryable only if the request
    /// was not written.
    #[error("request to {host} failed before a response: {cause}")]
    Exchange {
        /// `host:port`.
        host: String,
        /// No byte of the request reached the peer.
        unsent: bool,
        /// Why.
        cause: Cause,
    },
    /// No response head within the deadline. Upstream, not retryable by itself: the peer may be
    /// working on it.
    #[error("{host} sent no response head within {} ms", .limit.as_millis())]
    ResponseHeadTimeout {
        /// `host:port`.
        host: String,
        /// The deadline.
        limit: Duration,
    },
    /// Silence inside a body.
    #[error("{side} sent nothing for {} ms inside a body", .limit.as_millis())]
    BodyIdle {
        /// Who was silent.
        side: Side,
        /// The limit.
        limit: Duration,
    },
    /// A body above its limit, found from its declared length or while reading. As a request this
    /// is 413.
    #[error("body of the {side} exceeds {limit} bytes")]
    BodyTooLarge {
        /// Who sent it.
        side: Side,
        /// The limit in bytes.
        limit: u64,
    },
    /// A body that broke off or violated its framing.
    #[error("body of the {side} broke off: {cause}")]
    Body {
        /// Who sent it.
        side: Side,
        /// Why.
        cause: Cause,
    },
    /// A request without a usable `Host` (or with contradicting ones). Client.
    #[error("the request names no single host")]
    HostMissing,
    /// A `Host` or `Origin` outside the configured names. Client.
    #[error("{field} `{name}` is not served here; add it to the names of this listener")]
    HostRefused {
        /// `Host` or `Origin`.
        field: &'static str,
        /// The name, made printable and cut.
        name: String,
    },
    /// A configured host name that cannot be one. Local.
    #[error("`{name}` is not a host name; write a name or IP address, a port is optional")]
    BadHostName {
        /// As configured.
        name: String,
    },
    /// Tasks that did not end within the shutdown's deadline and were dropped. Local.
    #[error("{left} tasks were still running {} ms after shutdown and were dropped", .limit.as_millis())]
    ShutdownTimeout {
        /// How many.
        left: usize,
        /// The deadline.
        limit: Duration,
    },
}

impl NetError {
    /// Who caused this.
    pub fn side(&self) -> Side {
        match self {
            Self::TlsHandshake { side, .. }
            | Self::BodyIdle { side, .. }
            | Self::BodyTooLarge { side, .. }
            | Self::Body { side, .. } => *side,
            Self::HostMissing | Self::HostRefused { .. } => Side::Client,
            Self::Resolve { .. }
            | Self::AddressRefused { .. }
            | Self::Connect { .. }
            | Self::ConnectTimeout { .. }
            | Self::Exchange { .. }
            | Self::ResponseHeadTimeout { .. } => Side::Upstream,
            Self::BadListenAddress { .. }
            | Self::AddressInUse { .. }
            | Self::Listen { .. }
            | Self::LocalSocket { .. }
            | Self::Accept { .. }
            | Self::TlsConfig { .. }
            | Self::BadUrl { .. }
            | Self::TooManyConnections { .. }
            | Self::BadHostName { .. }
            | Self::ShutdownTimeout { .. } => Side::Local,
        }
    }

    /// Whether the same request may be sent again, here or elsewhere, because no peer can have
    /// acted on it. A caller with an idempotent request may retry more than this allows.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Resolve { .. }
            | Self::Connect { .. }
            | Self::ConnectTimeout { .. }
            | Self::TooManyConnections { .. }
            | Self::Accept { .. } => true,
            Self::TlsHandshake { side, .. } => *side == Side::Upstream,
            Self::Exchange { unsent, .. } => *unsent,
            _ => false,
        }
    }

    /// The HTTP status that fits when this failure has to be told to the caller of ours.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::BodyTooLarge {
                side: Side::Client, ..
            } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::BodyIdle {
                side: Side::Client, ..
            } => StatusCode::REQUEST_TIMEOUT,
            Self::Body {
                side: Side::Client, ..
            } => StatusCode::BAD_REQUEST,
            Self::HostMissing | Self::HostRefused { .. } => StatusCode::FORBIDDEN,
            Self::TooManyConnections { .. } => StatusCode::SERVICE_UNAVAILABLE,
            Self::ConnectTimeout { .. }
            | Self::ResponseHeadTimeout { .. }
            | Self::BodyIdle {
                side: Side::Upstream,
                ..
            } => StatusCode::GATEWAY_TIMEOUT,
            _ if self.side() == Side::Upstream => StatusCode::BAD_GATEWAY,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

/// Wraps any error as a shared cause.
pub(crate) fn cause(error: impl Into<BoxError>) -> Cause {
    Arc::from(error.into())
}
