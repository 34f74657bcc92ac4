//! HTTP as a client of the network speaks it, over loopback.

use std::sync::LazyLock;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use serde_json::Value;
use tokio::runtime::Runtime;

/// One runtime for all tests: pooled connections live in it.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("runtime")
});

static CLIENT: LazyLock<net::Client> =
    LazyLock::new(|| net::Client::with_policy(net::AddressPolicy::Any).expect("client"));

/// Runs a future of `net` to its end.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    RUNTIME.block_on(future)
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// Why the body ended before its end.
    pub(crate) cut: Option<String>,
}

impl Answer {
    /// The body as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error} in {} {}", self.status, self.text()))
    }

    /// The body as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A header as text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// A request without a body.
pub(crate) fn get(url: &str) -> Request<Full<Bytes>> {
    request(Method::GET, url, Bytes::new())
}

/// A request with a body.
pub(crate) fn post(url: &str, body: impl Into<Bytes>) -> Request<Full<Bytes>> {
    request(Method::POST, url, body.into())
}

/// Any request.
pub(crate) fn request(method: Method, url: &str, body: Bytes) -> Request<Full<Bytes>> {
    let builder = Request::builder().method(method).uri(url);
    builder.body(Full::new(body)).expect("a correct request")
}

/// Sends a request; an error means that not even a response head came.
pub(crate) fn try_send(request: Request<Full<Bytes>>) -> Result<Answer, String> {
    block_on(async {
        let response = CLIENT
            .request(request)
            .await
            .map_err(|error| error.to_string())?;
        let (head, mut body) = response.into_parts();
        let mut bytes = Vec::new();
        let cut = loop {
            match body.frame().await {
                None => break None,
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        bytes.extend_from_slice(&data);
                    }
                }
                Some(Err(error)) => break Some(error.to_string()),
            }
        };
        Ok(Answer {
            status: head.status,
            headers: head.headers,
            body: bytes.into(),
            cut,
        })
    })
}

/// Sends a request and expects a whole answer.
pub(crate) fn send(request: Request<Full<Bytes>>) -> Answer {
    let url = request.uri().to_string();
    let answer = try_send(request).unwrap_or_else(|error| panic!("{url}: {error}"));
    assert_eq!(answer.cut, None, "{url}: cut answer");
    answer
}

/// A row of ports that nobody uses now, below the range that the system hands out.
pub(crate) fn free_ports(count: u16) -> u16 {
    use std::sync::atomic::{AtomicU16, Ordering};
    static NEXT: AtomicU16 = AtomicU16::new(0);
    const FIRST: u16 = 20_000;
    const ROWS: u16 = 600;
    const ROW: u16 = 20;
    assert!(count <= ROW);
    let offset = (std::process::id() % u32::from(ROWS)) as u16;
    for _ in 0..ROWS {
        let row = (offset + NEXT.fetch_add(1, Ordering::Relaxed)) % ROWS;
        let first = FIRST + row * ROW;
        let free = |port: u16| {
            let listener = net::listen(format!("127.0.0.1:{port}"), net::ListenLimits::default());
            block_on(listener).is_ok()
        };
        if (first..first + count).all(free) {
            return first;
        }
    }
    panic!("no {count} free ports in a row")
}

/// Whether something answers at `url`.
pub(crate) fn answers(url: &str) -> bool {
    let within = Duration::from_secs(5);
    let sent = block_on(async { tokio::time::timeout(within, CLIENT.request(get(url))).await });
    matches!(sent, Ok(Ok(response)) if response.status().is_success())
}
