use axum::http::HeaderMap;
use axum::routing::{any, get};
use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full};
use net::{Deadlines, NetError, Refused, Side};
use tokio::net::TcpListener;

use super::*;

const SHORT: Duration = Duration::from_millis(100);

fn post(addr: SocketAddr, path: &str) -> Request<Full<Bytes>> {
    Request::post(format!("http://{addr}{path}"))
        .body(Full::from("{}"))
        .unwrap()
}

/// A backend played by hand: reads one request, sends `answer`, and yields the socket.
async fn backend(answer: &'static str) -> (SocketAddr, tokio::task::JoinHandle<TcpStream>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let task = tokio::spawn(async move {
        let (mut tcp, _) = listener.accept().await.unwrap();
        read_until(&mut tcp, "{}").await;
        tcp.write_all(answer.as_bytes()).await.unwrap();
        tcp
    });
    (addr, task)
}

/// Until the peer closed or reset the connection.
async fn closed(mut tcp: TcpStream) {
    let mut byte = [0];
    while matches!(tcp.read(&mut byte).await, Ok(1..)) {}
}

#[tokio::test]
async fn a_dropped_request_closes_its_connection_before_the_head() {
    let (addr, task) = backend("").await;
    let client = client(Version::Http1);
    let request = tokio::spawn(async move { client.request(post(addr, "/")).await.is_ok() });
    let tcp = soon(task).await.unwrap();
    request.abort();
    tokio::time::timeout(CANCEL, closed(tcp)).await.unwrap();
}

#[tokio::test]
async fn a_dropped_body_closes_its_connection_in_mid_stream() {
    let (addr, task) =
        backend("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n").await;
    let client = client(Version::Http1);
    let mut body = soon(client.request(post(addr, "/")))
        .await
        .unwrap()
        .into_body();
    assert_eq!(
        soon(body.frame())
            .await
            .unwrap()
            .unwrap()
            .into_data()
            .unwrap(),
        "abc"
    );
    let tcp = soon(task).await.unwrap();
    drop(body);
    tokio::time::timeout(CANCEL, closed(tcp)).await.unwrap();
}

#[tokio::test]
async fn a_silent_backend_meets_each_deadline() {
    let deadlines = Deadlines {
        head: SHORT,
        idle: SHORT,
        ..Deadlines::default()
    };
    let client = client(Version::Http1);
    let (addr, task) = backend("").await;
    let error = client
        .request_within(post(addr, "/"), deadlines)
        .await
        .unwrap_err();
    assert!(
        matches!(error, NetError::ResponseHeadTimeout { .. }),
        "{error}"
    );
    assert_eq!(error.status(), StatusCode::GATEWAY_TIMEOUT);
    tokio::time::timeout(CANCEL, closed(soon(task).await.unwrap()))
        .await
        .unwrap();

    let (addr, task) = backend("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc").await;
    let deadlines = Deadlines {
        head: SOON,
        ..deadlines
    };
    let body = client
        .request_within(post(addr, "/"), deadlines)
        .await
        .unwrap()
        .into_body();
    let error = soon(body.read_to_bytes()).await.unwrap_err();
    assert!(
        matches!(
            error,
            NetError::BodyIdle {
                side: Side::Upstream,
                ..
            }
        ),
        "{error}"
    );
    tokio::time::timeout(CANCEL, closed(soon(task).await.unwrap()))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_response_is_bounded_and_its_end_is_checked() {
    let client = client(Version::Http1);
    let deadlines = Deadlines {
        response_bytes: 5,
        ..Deadlines::default()
    };
    for answer in [
        "HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nabcdef",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n6\r\nabcdef\r\n0\r\n\r\n",
    ] {
        let (addr, _task) = backend(answer).await;
        let body = client
            .request_within(post(addr, "/"), deadlines)
            .await
            .unwrap()
            .into_body();
        let error = soon(body.read_to_bytes()).await.unwrap_err();
        assert!(
            matches!(error, NetError::BodyTooLarge { limit: 5, .. }),
            "{error}"
        );
        assert_eq!(
            (error.side(), error.status()),
            (Side::Upstream, StatusCode::BAD_GATEWAY)
        );
    }
    let (addr, task) = backend("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc").await;
    let body = client.request(post(addr, "/")).await.unwrap().into_body();
    drop(soon(task).await.unwrap());
    let error = soon(body.read_to_bytes()).await.unwrap_err();
    assert!(
        matches!(
            error,
            NetError::Body {
                side: Side::Upstream,
                ..
            }
        ),
        "{error}"
    );
}

#[tokio::test]
async fn a_backend_that_may_have_seen_the_request_is_no_reason_to_repeat_it() {
    let client = client(Version::Http1);
    let long: &'static str =
        format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "x".repeat(200_000)).leak();
    for answer in ["", "garbage\r\n\r\n", long] {
        let (addr, task) = backend(answer).await;
        let closing = tokio::spawn(async move { drop(task.await) });
        let error = soon(client.request(post(addr, "/"))).await.unwrap_err();
        assert!(
            matches!(error, NetError::Exchange { unsent: false, .. }),
            "{error:?}"
        );
        assert_eq!(
            (error.side(), error.is_retryable()),
            (Side::Upstream, false)
        );
        assert!(error.to_string().contains(&addr.to_string()), "{error}");
        soon(closing).await.unwrap();
    }
}

#[tokio::test]
async fn a_closed_port_is_retryable_and_named() {
    let addr = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let error = soon(client(Version::Http1).request(post(addr, "/")))
        .await
        .unwrap_err();
    assert!(matches!(error, NetError::Connect { .. }), "{error:?}");
    assert!(error.is_retryable());
    assert!(
        error
            .to_string()
            .contains(&format!("cannot connect to {addr}")),
        "{error}"
    );
}

#[tokio::test]
async fn strangers_urls_do_not_reach_this_machine() {
    let reached = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = reached.local_addr().unwrap().port();
    let client = Client::with_policy(AddressPolicy::Public).unwrap();
    // A name, both families, v4 inside v6, and the spellings only a resolver understands.
    for host in [
        "localhost",
        "127.0.0.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "2130706433",
        "127.1",
        "0.0.0.0",
    ] {
        let request = Request::get(format!("http://{host}:{port}/"));
        let request = request.body(Full::<Bytes>::default()).unwrap();
        let error = soon(client.request(request)).await.unwrap_err();
        let NetError::AddressRefused { refused, .. } = &error else {
            panic!("{host}: {error}")
        };
        assert!(
            matches!(refused, Refused::Loopback | Refused::Unspecified),
            "{host}: {error}"
        );
        assert!(
            error.to_string().contains("allow_private_endpoints"),
            "{error}"
        );
        assert!(!error.is_retryable());
    }
    let none = tokio::time::timeout(SHORT, reached.accept()).await;
    assert!(none.is_err(), "something connected");
}

#[tokio::test]
async fn redirects_are_answers_and_no_encoding_is_asked_for() {
    let router = Router::new()
        .route(
            "/",
            any(|| async { (StatusCode::FOUND, [("location", "/headers")]) }),
        )
        .route(
            "/headers",
            get(
                |headers: HeaderMap| async move { format!("{:?}", headers.get("accept-encoding")) },
            ),
        );
    let (server, _tasks) = start(router, ServeLimits::default()).await;
    let client = client(Version::Http1);
    let response = soon(client.request(post(server.local_addr(), "/")))
        .await
        .unwrap();
    assert_eq!(response.status(), StatusCode::FOUND);
    let request = Request::get(format!("http://{}/headers", server.local_addr()))
        .header("accept-encoding", "gzip")
        .body(Full::<Bytes>::default())
        .unwrap();
    let response = soon(client.request(request)).await.unwrap();
    assert_eq!(response.into_body().read_to_bytes().await.unwrap(), "None");
}

#[tokio::test]
async fn urls_that_cannot_be_dialled_are_ours_to_mend() {
    let client = client(Version::Http1);
    for url in ["/relative", "ftp://localhost/", "localhost:80"] {
        let request = Request::get(url).body(Full::<Bytes>::default()).unwrap();
        let error = client.request(request).await.unwrap_err();
        assert!(matches!(error, NetError::BadUrl { .. }), "{url}: {error}");
        assert_eq!(error.side(), Side::Local);
    }
}

#[tokio::test]
async fn connections_are_reused_and_their_number_is_bounded() {
    let (server, _tasks) = start(
        Router::new().route("/", any(|| async { "ok" })),
        ServeLimits::default(),
    )
    .await;
    let addr = server.local_addr();
    let options = DialOptions {
        policy: AddressPolicy::Any,
        max_connections: 1,
        ..DialOptions::default()
    };
    let dialer = Dialer::new(options).unwrap();
    let client = Client::new(dialer.clone(), ClientOptions::default());
    for _ in 0..5 {
        let response = soon(client.request(post(addr, "/"))).await.unwrap();
        assert_eq!(response.into_body().read_to_bytes().await.unwrap(), "ok");
    }
    assert_eq!((server.connections(), dialer.connections()), (1, 1));
    let error = dialer
        .connect_tcp("127.0.0.1", addr.port())
        .await
        .unwrap_err();
    assert!(
        matches!(error, NetError::TooManyConnections { limit: 1 }),
        "{error}"
    );
    drop(client);
    soon(async {
        while dialer.connections() > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
}
