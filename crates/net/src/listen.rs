//! Listeners: the only place where a port is bound.

use std::fmt::Display;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream};

use crate::error::{NetError, Side, cause};
use crate::limits;
use crate::stream::{Place, Places, Stream};
use crate::tls::ServerTls;

/// What a listener bounds, and its certificate if it has one.
#[derive(Clone, Debug)]
pub struct ListenLimits {
    /// Connections open at the same time; more wait in the kernel's backlog.
    pub connections: usize,
    /// From accept to a finished TLS handshake.
    pub tls_handshake: Duration,
    /// A peer that takes no byte for this long is cut off.
    pub write_stall: Duration,
    /// Serve TLS with this certificate; plain TCP without.
    pub tls: Option<ServerTls>,
}

impl Default for ListenLimits {
    fn default() -> Self {
        Self {
            connections: limits::CONNECTIONS,
            tls_handshake: limits::TLS_HANDSHAKE,
            write_stall: limits::WRITE_STALL,
            tls: None,
        }
    }
}

/// A bound port. Every stream it yields has TCP_NODELAY set.
#[derive(Debug)]
pub struct Listener {
    tcp: TcpListener,
    addr: SocketAddr,
    limits: Arc<ListenLimits>,
    places: Places,
}

/// An accepted connection whose TLS handshake, if any, is still to come. It runs outside the
/// accept loop, so that a slow peer delays only itself.
#[derive(Debug)]
pub struct Accepted {
    tcp: TcpStream,
    peer: SocketAddr,
    limits: Arc<ListenLimits>,
    place: Place,
}

/// Binds `addr`, written `host:port`: an IPv4 or bracketed IPv6 address or a name, port 0 for any
/// free one. A name with several addresses is bound at the first that works.
///
/// # Errors
/// [`NetError::AddressInUse`], [`NetError::BadListenAddress`] or [`NetError::Listen`]; each names
/// the address.
pub async fn listen(addr: impl Display, limits: ListenLimits) -> Result<Listener, NetError> {
    let addr = addr.to_string();
    let bad = |error: io::Error| NetError::BadListenAddress {
        addr: addr.clone(),
        cause: cause(error),
    };
    let mut failure = bad(io::Error::other("the name has no address"));
    for candidate in tokio::net::lookup_host(&addr).await.map_err(bad)? {
        match bind(candidate) {
            Ok(tcp) => {
                let addr = tcp.local_addr().map_err(|error| NetError::Listen {
                    addr: candidate,
                    cause: cause(error),
                })?;
                let places = Places::new(limits.connections);
                return Ok(Listener {
                    tcp,
                    addr,
                    limits: Arc::new(limits),
                    places,
                });
            }
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                failure = NetError::AddressInUse { addr: candidate };
            }
            Err(error) => {
                failure = NetError::Listen {
                    addr: candidate,
                    cause: cause(error),
                };
            }
        }
    }
    Err(failure)
}

#[allow(
    clippy::disallowed_methods,
    reason = "this is the one place where ports are bound"
)]
fn bind(addr: SocketAddr) -> io::Result<TcpListener> {
    let socket = if addr.is_ipv4() {
        TcpSocket::new_v4()?
    } else {
        TcpSocket::new_v6()?
    };
    // A restart must not wait for connections of the last run in TIME_WAIT; on Unix this does not
    // let two listeners share a port.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(addr)?;
    socket.listen(limits::BACKLOG)
}

impl Listener {
    /// The bound address, with the port the system chose if 0 was asked for.
    pub fn local_addr(&self) -> SocketAddr {
        self.addr
    }

    /// Whether connections are TLS.
    pub fn is_tls(&self) -> bool {
        self.limits.tls.is_some()
    }

    /// The next connection, as soon as there is one and the limit leaves room for it.
    ///
    /// # Errors
    /// [`NetError::Accept`]: mostly a lack of file descriptors; worth trying again after
    /// [`limits::ACCEPT_PAUSE`].
    pub async fn accept(&self) -> Result<Accepted, NetError> {
        let failed = |error: BoxedIo| NetError::Accept {
            cause: cause(error),
        };
        let permit = self.places.room().await;
        loop {
            let (tcp, peer) = match self.tcp.accept().await {
                Ok(accepted) => accepted,
                Err(error) if is_peers_fault(&error) => continue,
                Err(error) => return Err(failed(Box::new(error))),
            };
            // Fails only where the peer has gone already.
            if tcp.set_nodelay(true).is_ok() {
                let (limits, place) = (self.limits.clone(), self.places.taken(permit));
                return Ok(Accepted {
                    tcp,
                    peer,
                    limits,
                    place,
                });
            }
        }
    }

    /// Places for connections, for metrics.
    pub(crate) fn places(&self) -> Places {
        self.places.clone()
    }
}

type BoxedIo = Box<dyn std::error::Error + Send + Sync>;

/// Errors of `accept` that concern one connection and not the listener (accept(2)).
fn is_peers_fault(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
    )
}

impl Accepted {
    /// Who connected.
    pub fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// The bare connection, for [`crate::local`]; its place in the listener's count is given back at once.
    pub(crate) fn into_tcp(self) -> TcpStream {
        self.tcp
    }

    /// The stream, after the TLS handshake where the listener has a certificate.
    ///
    /// # Errors
    /// [`NetError::TlsHandshake`], also when it takes too long.
    pub async fn into_stream(self) -> Result<Stream, NetError> {
        let Self {
            tcp,
            peer,
            limits,
            place,
        } = self;
        let Some(tls) = &limits.tls else {
            return Ok(Stream::plain(tcp, limits.write_stall, place));
        };
        let failed = |error: BoxedIo| NetError::TlsHandshake {
            side: Side::Client,
            peer: peer.to_string(),
            cause: cause(error),
        };
        let handshake = tls.acceptor.accept(tcp);
        match tokio::time::timeout(limits.tls_handshake, handshake).await {
            Ok(Ok(stream)) => Ok(Stream::tls(stream.into(), limits.write_stall, place)),
            Ok(Err(error)) => Err(failed(Box::new(error))),
            Err(elapsed) => Err(failed(Box::new(elapsed))),
        }
    }
}
