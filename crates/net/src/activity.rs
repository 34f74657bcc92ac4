//! What a served connection is doing, so that its deadlines can be told apart.
//!
//! hyper's own timer starts before the first byte of the next request and so cannot be short for
//! slow heads and long for idle connections at once; HTTP/2 and the protocol detection have none.
//! One [`Activity`] per connection knows all of it:
//!
//! - a request in flight (its service running or its response body alive): no deadline;
//! - bytes received since, but no request yet: the head must be complete `header_read` after the
//!   first of them;
//! - nothing yet since accept: the same limit from accept;
//! - otherwise idle: `idle` after the last request ended.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use http_body::{Body, Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use crate::stream::Stream;

/// While a request runs there is nothing to decide; a shorter look again would only cost.
const RECHECK: Duration = Duration::from_secs(1);

/// How an HTTP/2 connection begins (RFC 9113 §3.4).
const HTTP2_PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// No head is being read.
const NOT_READING: u64 = u64::MAX;

/// Shared by a connection's socket, its requests and its timer.
#[derive(Debug)]
pub(crate) struct Activity {
    opened: Instant,
    in_flight: AtomicUsize,
    served: AtomicBool,
    http2: AtomicBool,
    /// Milliseconds after `opened` at which the last request ended.
    idle_since_ms: AtomicU64,
    /// Milliseconds after `opened` of the first byte that belongs to no request yet.
    reading_since_ms: AtomicU64,
}

/// When a connection must have moved on, and what it is if it has not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deadline {
    /// Busy; look again then.
    Recheck(Instant),
    /// A head not complete by then is a slow-loris.
    Head(Instant),
    /// A connection unused until then may go.
    Idle(Instant),
}

impl Deadline {
    pub(crate) fn at(self) -> Instant {
        match self {
            Self::Recheck(at) | Self::Head(at) | Self::Idle(at) => at,
        }
    }
}

impl Activity {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            opened: Instant::now(),
            in_flight: AtomicUsize::new(0),
            served: AtomicBool::new(false),
            http2: AtomicBool::new(false),
            idle_since_ms: AtomicU64::new(0),
            reading_since_ms: AtomicU64::new(NOT_READING),
        })
    }

    pub(crate) fn deadline(&self, header_read: Duration, idle: Duration) -> Deadline {
        if self.in_flight.load(Ordering::Acquire) > 0 {
            return Deadline::Recheck(Instant::now() + idle.max(RECHECK));
        }
        let reading = self.reading_since_ms.load(Ordering::Relaxed);
        if reading != NOT_READING {
            return Deadline::Head(self.opened + Duration::from_millis(reading) + header_read);
        }
        let fresh = !self.served.load(Ordering::Relaxed) && !self.http2.load(Ordering::Relaxed);
        if fresh {
            return Deadline::Head(self.opened + header_read);
        }
        let since = Duration::from_millis(self.idle_since_ms.load(Ordering::Relaxed));
        Deadline::Idle(self.opened + since + idle)
    }

    /// A request has arrived; it lasts until the guard is dropped.
    pub(crate) fn begin(self: &Arc<Self>, http2: bool) -> InFlight {
        self.http2.store(http2, Ordering::Relaxed);
        self.in_flight.fetch_add(1, Ordering::AcqRel);
        self.served.store(true, Ordering::Relaxed);
        self.reading_since_ms.store(NOT_READING, Ordering::Relaxed);
        InFlight(self.clone())
    }

    fn received(&self, bytes: &[u8]) {
        if bytes.is_empty()
            || self.in_flight.load(Ordering::Relaxed) > 0
            || self.http2.load(Ordering::Relaxed)
            || self.reading_since_ms.load(Ordering::Relaxed) != NOT_READING
        {
            return;
        }
        // Pings and window updates between requests are not heads. A preface cut into pieces is
        // held to the limit of heads until its first request.
        if !self.served.load(Ordering::Relaxed) && bytes.starts_with(HTTP2_PREFACE) {
            self.http2.store(true, Ordering::Relaxed);
            return;
        }
        self.reading_since_ms
            .store(self.now_ms(), Ordering::Relaxed);
    }

    fn now_ms(&self) -> u64 {
        // 584 million years fit.
        u64::try_from(self.opened.elapsed().as_millis()).unwrap_or(NOT_READING - 1)
    }
}

/// One request in flight.
#[derive(Debug)]
pub(crate) struct InFlight(Arc<Activity>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0
            .idle_since_ms
            .store(self.0.now_ms(), Ordering::Relaxed);
        self.0.in_flight.fetch_sub(1, Ordering::AcqRel);
    }
}

/// A socket that reports what it receives.
#[derive(Debug)]
pub(crate) struct Watched {
    pub(crate) stream: Stream,
    pub(crate) activity: Arc<Activity>,
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        self.activity
            .received(buf.filled().get(before..).unwrap_or_default());
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Watched {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[std::io::IoSlice<'_>],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// A response body that keeps its request in flight until it is dropped.
#[derive(Debug)]
pub(crate) struct Counted<B> {
    pub(crate) body: Pin<Box<B>>,
    pub(crate) _in_flight: InFlight,
}

impl<B: Body> Body for Counted<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        self.body.as_mut().poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
