//! Every limit of this crate, each with how its number was found.
//!
//! What is here is the default of a field in [`ListenLimits`](crate::ListenLimits),
//! [`ServeLimits`](crate::ServeLimits), [`DialOptions`](crate::DialOptions) or
//! [`Deadlines`](crate::Deadlines); an actor that knows better sets the field.

use std::time::Duration;

/// Connections one listener holds open. 10,000 idle streams must fit (one connection each over
/// HTTP/1, 21 KB of memory each in this crate and hyper, measured with 6,000) with room for
/// operators and probes; more wait in the kernel's backlog.
pub const CONNECTIONS: usize = 16_384;

/// Connections the kernel queues before `accept`. A burst of a thousand clients at a session's
/// start is accepted in well under a second; Linux cuts the number at `net.core.somaxconn` (4,096).
pub const BACKLOG: u32 = 4_096;

/// Pause after `accept` failed for want of file descriptors: long enough not to spin, short enough
/// that a freed descriptor is used before a client's usual 5 s connect timeout.
pub const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// From accept to a finished TLS handshake. Two round trips at 500 ms and a slow signature fit
/// several times over.
pub const TLS_HANDSHAKE: Duration = Duration::from_secs(10);

/// From the first byte of a request (or from accept) to the end of its head. 64 KiB over a
/// 56 kbit/s line take 9.4 s; a slow-loris client costs a socket for no longer than this.
pub const HEADER_READ: Duration = Duration::from_secs(10);

/// A connection without a request is closed after this. Twice [`POOL_IDLE`] of our own client, so
/// that the client lets go first and no request meets a closing connection.
pub const CONNECTION_IDLE: Duration = Duration::from_secs(120);

/// After a connection was asked to close (idle HTTP/2 `GOAWAY`), how long the peer may linger.
pub const CONNECTION_LINGER: Duration = Duration::from_secs(5);

/// Bytes of a request or response head after which an unfinished one is refused. Browsers and
/// proxies stop between 8 and 64 KiB; the largest of them must pass. hyper applies it to its read
/// buffer, so over HTTP/1 a head that ends within the last read may be up to twice as long.
pub const HEADER_BYTES: usize = 64 * 1024;

/// Header fields in one HTTP/1 head. This is hyper's built-in default, kept because setting any
/// number moves the parser to the heap (hyper documents 5 % per request); more are answered 431.
pub const HEADER_COUNT: usize = 100;

/// Bytes of a request body unless the actor says otherwise: a chat of 1,000,000 tokens is about
/// 4 MB, images in base64 a few MB more. Anything above is refused before it is buffered.
pub const REQUEST_BODY_BYTES: u64 = 16 * 1024 * 1024;

/// Silence between two chunks of a request body. A client that uploads at all sends within a few
/// retransmissions; TCP's reach 12 s after five losses.
pub const REQUEST_BODY_IDLE: Duration = Duration::from_secs(30);

/// A peer that takes no byte for this long is gone or hostile: its connection is closed and what
/// it held (a backend slot, buffers) is freed. The same minute nginx and HAProxy chose.
pub const WRITE_STALL: Duration = Duration::from_secs(60);

/// Concurrent HTTP/2 streams of a connection. RFC 9113 §6.5.2 asks for at least 100; with
/// [`HTTP2_STREAM_WINDOW`] one connection can make us buffer [`HTTP2_CONNECTION_WINDOW`] at most.
pub const HTTP2_STREAMS: u32 = 256;

/// Streams reset by the peer before the service saw them (rapid reset, CVE-2023-44487). An honest
/// client cancels a handful in a burst; above this the connection gets `ENHANCE_YOUR_CALM`.
pub const HTTP2_PENDING_RESETS: usize = 32;

/// Streams we had to reset for the peer's protocol errors before the connection is closed. Honest
/// peers make none; h2's own default of 1,024 pays for that many errors.
pub const HTTP2_ERROR_RESETS: usize = 64;

/// Flow-control window of one HTTP/2 stream: the bandwidth-delay product of 50 Mbit/s at 40 ms.
pub const HTTP2_STREAM_WINDOW: u32 = 256 * 1024;

/// Flow-control window of one HTTP/2 connection, shared by its streams: four full streams.
pub const HTTP2_CONNECTION_WINDOW: u32 = 1024 * 1024;

/// Bytes queued for writing per HTTP/2 stream. An SSE chunk is some hundred bytes; 64 KiB keep a
/// bulk answer busy for 10 ms at 50 Mbit/s and 10,000 stalled streams under 640 MB.
pub const HTTP2_SEND_BUFFER: usize = 64 * 1024;

/// Interval of our HTTP/2 keepalive pings: below the 60 s after which common load balancers drop
/// a silent connection. Pings of the peer are answered at any rate it may choose, never punished.
pub const HTTP2_PING: Duration = Duration::from_secs(30);

/// A ping unanswered for this long means a dead peer: the usual gRPC value.
pub const HTTP2_PING_TIMEOUT: Duration = Duration::from_secs(20);

/// From the start of name resolution to a usable connection, TLS included. A lost SYN costs 1 s
/// and then 2 s more, so two losses and the round trips fit.
pub const CONNECT: Duration = Duration::from_secs(5);

/// Addresses of one name tried in turn within [`CONNECT`]; two of each family are what public
/// names carry.
pub const ADDRESSES_TRIED: usize = 4;

/// From handing a request to the client until its response head: a long prompt on a loaded
/// backend computes for minutes before the first byte. A caller with a deadline passes its own.
pub const RESPONSE_HEAD: Duration = Duration::from_secs(300);

/// Silence inside a response body. Models pause for seconds between tokens, never for minutes.
pub const RESPONSE_IDLE: Duration = Duration::from_secs(120);

/// Bytes of one response. 100,000 SSE chunks of 300 bytes are 30 MB.
pub const RESPONSE_BYTES: u64 = 64 * 1024 * 1024;

/// How long an unused pooled connection stays open. Ollama and most proxies close after 60 to
/// 75 s, uvicorn (vLLM) after 5 s; hyper notices the close and replaces such a connection.
pub const POOL_IDLE: Duration = Duration::from_secs(60);

/// Unused connections kept per host: the requests in flight at one backend in steady state. One
/// costs a descriptor and about 10 KB.
pub const POOL_IDLE_PER_HOST: usize = 256;

/// Connections of one dialer, in use and pooled: bounds descriptors when thousands of staked
/// endpoints accept and never answer.
pub const DIALED_CONNECTIONS: usize = 16_384;

/// After an aborting shutdown, how long destructors of the dropped tasks may run.
pub const ABORT_GRACE: Duration = Duration::from_millis(250);

/// Bytes of a request body that are read and thrown away after it was found too large, so that its sender gets to read the
/// refusal. Prompts that are too large by mistake are a few MiB; more is not worth the bandwidth.
pub const DISCARD_BYTES: u64 = 16 * 1024 * 1024;

/// Time for that: 16 MiB at 8 MiB/s.
pub const DISCARD_TIME: Duration = Duration::from_secs(2);
