//! One connection, plain or TLS, with its deadline for a peer that takes nothing.
//!
//! TCP_NODELAY is set where a stream is made, so it holds for every stream there is: without it
//! the small writes of a token stream wait 40 ms for an acknowledgement.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep};
use tokio_rustls::TlsStream;

/// An accepted or dialled connection. Holds its place in the limit of its listener or dialer
/// until dropped, also after an HTTP upgrade.
#[derive(Debug)]
pub struct Stream {
    io: Io,
    stall: Stall,
    _place: Place,
}

#[derive(Debug)]
enum Io {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Stream {
    pub(crate) fn plain(tcp: TcpStream, write_stall: Duration, place: Place) -> Self {
        Self {
            io: Io::Plain(tcp),
            stall: Stall::new(write_stall),
            _place: place,
        }
    }

    pub(crate) fn tls(tls: TlsStream<TcpStream>, write_stall: Duration, place: Place) -> Self {
        Self {
            io: Io::Tls(Box::new(tls)),
            stall: Stall::new(write_stall),
            _place: place,
        }
    }

    fn tcp(&self) -> &TcpStream {
        match &self.io {
            Io::Plain(tcp) => tcp,
            Io::Tls(tls) => tls.get_ref().0,
        }
    }

    /// Whether small writes leave at once.
    ///
    /// # Errors
    /// The system's, when the socket is gone.
    pub fn nodelay(&self) -> io::Result<bool> {
        self.tcp().nodelay()
    }

    /// The address at the other end.
    ///
    /// # Errors
    /// The system's, when the socket is gone.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.tcp().peer_addr()
    }

    /// The address at this end.
    ///
    /// # Errors
    /// The system's, when the socket is gone.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.tcp().local_addr()
    }

    /// Whether the stream is encrypted.
    pub fn is_tls(&self) -> bool {
        matches!(self.io, Io::Tls(_))
    }

    /// Whether both ends agreed on HTTP/2 in the TLS handshake.
    pub fn negotiated_http2(&self) -> bool {
        match &self.io {
            Io::Plain(_) => false,
            Io::Tls(tls) => tls.get_ref().1.alpn_protocol() == Some(crate::tls::ALPN_HTTP2),
        }
    }
}

impl hyper_util::client::legacy::connect::Connection for Stream {
    fn connected(&self) -> hyper_util::client::legacy::connect::Connected {
        let connected = hyper_util::client::legacy::connect::Connected::new();
        if self.negotiated_http2() {
            connected.negotiated_h2()
        } else {
            connected
        }
    }
}

/// Calls a method on whichever stream there is.
macro_rules! on_io {
    ($stream:expr, $io:ident => $call:expr) => {
        match &mut $stream.io {
            Io::Plain(tcp) => {
                let $io = Pin::new(tcp);
                $call
            }
            Io::Tls(tls) => {
                let $io = Pin::new(tls.as_mut());
                $call
            }
        }
    };
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        on_io!(self, io => io.poll_read(cx, buf))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = on_io!(self, io => io.poll_write(cx, buf));
        self.stall.watch(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = on_io!(self, io => io.poll_write_vectored(cx, bufs));
        self.stall.watch(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        match &self.io {
            Io::Plain(tcp) => tcp.is_write_vectored(),
            Io::Tls(tls) => tls.is_write_vectored(),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = on_io!(self, io => io.poll_flush(cx));
        self.stall.watch(cx, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let closed = on_io!(self, io => io.poll_shutdown(cx));
        self.stall.watch(cx, closed)
    }
}

/// The time since the peer last took a byte while we had one for it.
#[derive(Debug)]
struct Stall {
    limit: Duration,
    timer: Option<Pin<Box<Sleep>>>,
    waiting: bool,
}

impl Stall {
    fn new(limit: Duration) -> Self {
        Self {
            limit,
            timer: None,
            waiting: false,
        }
    }

    fn watch<T>(
        &mut self,
        cx: &mut Context<'_>,
        progress: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if progress.is_ready() {
            self.waiting = false;
            return progress;
        }
        let timer = self
            .timer
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(self.limit)));
        if !self.waiting {
            timer.as_mut().reset(Instant::now() + self.limit);
            self.waiting = true;
        }
        match timer.as_mut().poll(cx) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(()) => Poll::Ready(Err(io::Error::new(
                io::ErrorKind::TimedOut,
                format!("peer took no byte for {} ms", self.limit.as_millis()),
            ))),
        }
    }
}

/// The connections a listener or dialer may hold, and how many it does.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    free: Arc<Semaphore>,
    open: Arc<AtomicUsize>,
    limit: usize,
}

/// One connection's place; free again when dropped.
#[derive(Debug)]
pub(crate) struct Place {
    _permit: OwnedSemaphorePermit,
    open: Arc<AtomicUsize>,
}

impl Places {
    pub(crate) fn new(limit: usize) -> Self {
        let limit = limit.min(Semaphore::MAX_PERMITS);
        Self {
            free: Arc::new(Semaphore::new(limit)),
            open: Arc::default(),
            limit,
        }
    }

    /// Waits until there is room; [`Places::taken`] turns the permit into a place.
    pub(crate) async fn room(&self) -> OwnedSemaphorePermit {
        let permit = self.free.clone().acquire_owned().await;
        permit.expect("the semaphore is private and nothing here closes it")
    }

    pub(crate) fn try_take(&self) -> Option<Place> {
        self.free
            .clone()
            .try_acquire_owned()
            .ok()
            .map(|permit| self.taken(permit))
    }

    pub(crate) fn taken(&self, permit: OwnedSemaphorePermit) -> Place {
        self.open.fetch_add(1, Ordering::Relaxed);
        Place {
            _permit: permit,
            open: self.open.clone(),
        }
    }

    pub(crate) fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    pub(crate) fn limit(&self) -> usize {
        self.limit
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.open.fetch_sub(1, Ordering::Relaxed);
    }
}
