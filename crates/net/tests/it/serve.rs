use std::sync::{Arc, Mutex};
use std::time::Instant;

use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt, stream};
use http::StatusCode;
use http_body_util::{BodyExt, Full};
use net::{HostCheck, NetError, RequestBody};
use tokio::sync::{Notify, oneshot};
use tokio_tungstenite::tungstenite::{Message, client::IntoClientRequest};

use super::*;

const CLOSE: &str = "Host: localhost\r\nConnection: close\r\n";

fn hello() -> Router {
    Router::new().route(
        "/",
        get(|request: Request| async move { format!("{:?}", request.version()) }),
    )
}

#[tokio::test]
async fn http1_and_prior_knowledge_http2_share_a_port() {
    let (server, tasks) = start(hello(), ServeLimits::default()).await;
    let mut clients = Vec::new();
    for (version, shown) in [(Version::Http1, "HTTP/1.1"), (Version::Http2, "HTTP/2.0")] {
        let client = client(version);
        let url = format!("http://{}/", server.local_addr());
        for _ in 0..3 {
            let request = http::Request::get(&url)
                .body(Full::<Bytes>::default())
                .unwrap();
            let response = soon(client.request(request)).await.unwrap();
            assert_eq!(response.status(), StatusCode::OK);
            assert_eq!(response.into_body().read_to_bytes().await.unwrap(), shown);
        }
        clients.push(client);
    }
    // One pooled connection each.
    assert_eq!(server.connections(), 2);
    soon(tasks.shutdown(SOON)).await.unwrap();
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn a_head_that_does_not_come_costs_its_limit_and_no_more() {
    let header_read = Duration::from_millis(200);
    let (server, _tasks) = start(
        hello(),
        ServeLimits {
            header_read,
            ..Default::default()
        },
    )
    .await;
    for part in [
        "",
        "P",
        "PRI * HTTP/2.0",
        "GET / HT",
        "GET / HTTP/1.1\r\nHost: localhost\r\nX",
    ] {
        let begin = Instant::now();
        let answer = exchange(server.local_addr(), part).await;
        assert!(!answer.contains("200"), "{answer}");
        assert!(
            begin.elapsed() >= header_read,
            "{part:?} after {:?}",
            begin.elapsed()
        );
    }
    // One byte at a time moves no deadline.
    let mut tcp = raw(server.local_addr()).await;
    let begin = Instant::now();
    let mut pace = tokio::time::interval(Duration::from_millis(20));
    let head = format!("GET / HTTP/1.1\r\n{CLOSE}X-Slow: {}", "x".repeat(1_000));
    for byte in head.as_bytes() {
        pace.tick().await;
        if tcp.write_all(&[*byte]).await.is_err() {
            break;
        }
    }
    assert!(
        begin.elapsed() < header_read * 10,
        "cut off after {:?}",
        begin.elapsed()
    );
}

#[tokio::test]
async fn an_idle_connection_outlives_the_limit_of_heads_but_not_its_own() {
    let (header_read, idle) = (Duration::from_millis(50), Duration::from_millis(400));
    let limits = ServeLimits {
        header_read,
        idle,
        ..Default::default()
    };
    let (server, _tasks) = start(Router::new().route("/", get(hello_handler)), limits).await;
    let mut tcp = raw(server.local_addr()).await;
    tcp.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .await
        .unwrap();
    read_until(&mut tcp, "hello").await;
    let begin = Instant::now();
    read_all(&mut tcp).await;
    assert!(
        begin.elapsed() >= idle - Duration::from_millis(50),
        "{:?}",
        begin.elapsed()
    );

    // Again, with the next head begun and not ended.
    let mut tcp = raw(server.local_addr()).await;
    tcp.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .await
        .unwrap();
    read_until(&mut tcp, "hello").await;
    tcp.write_all(b"GET /").await.unwrap();
    let begin = Instant::now();
    read_all(&mut tcp).await;
    assert!(begin.elapsed() < idle, "{:?}", begin.elapsed());
}

#[tokio::test]
async fn heads_too_long_or_too_many_are_431() {
    let (server, _tasks) = start(hello(), ServeLimits::default()).await;
    let long = format!(
        "GET / HTTP/1.1\r\n{CLOSE}X: {}\r\n\r\n",
        "x".repeat(200_000)
    );
    let many = format!("GET / HTTP/1.1\r\n{CLOSE}{}\r\n", "X: y\r\n".repeat(99));
    let fits = format!("GET / HTTP/1.1\r\n{CLOSE}{}\r\n", "X: y\r\n".repeat(98));
    assert!(
        exchange(server.local_addr(), &long)
            .await
            .starts_with("HTTP/1.1 431")
    );
    assert!(
        exchange(server.local_addr(), &many)
            .await
            .starts_with("HTTP/1.1 431")
    );
    assert!(
        exchange(server.local_addr(), &fits)
            .await
            .starts_with("HTTP/1.1 200")
    );
}

/// A service on hyper's types: reads the body within the listener's limit, maps the error.
async fn count_bytes(
    request: http::Request<RequestBody>,
) -> Result<http::Response<Full<Bytes>>, NetError> {
    let (status, text) = match request.into_body().read_to_bytes().await {
        Ok(body) => (StatusCode::OK, body.len().to_string()),
        Err(error) => (error.status(), error.to_string()),
    };
    let mut response = http::Response::new(Full::from(text));
    *response.status_mut() = status;
    Ok(response)
}

#[tokio::test]
async fn a_body_above_its_limit_is_413_and_a_silent_one_408() {
    let tasks = Tasks::new();
    let listener = net::listen("127.0.0.1:0", ListenLimits::default())
        .await
        .unwrap();
    let limits = ServeLimits {
        body_bytes: 10,
        body_idle: Duration::from_millis(50),
        ..Default::default()
    };
    let server = net::serve(listener, tower::service_fn(count_bytes), limits, &tasks);
    let post = |rest: &str| format!("POST / HTTP/1.1\r\n{CLOSE}{rest}");
    for (rest, status) in [
        ("Content-Length: 10\r\n\r\n0123456789", "200"),
        // Declared: refused though not a byte of it has come.
        ("Content-Length: 100000000\r\n\r\n", "413"),
        (
            "Transfer-Encoding: chunked\r\n\r\n6\r\n012345\r\n4\r\n6789\r\n0\r\n\r\n",
            "200",
        ),
        (
            "Transfer-Encoding: chunked\r\n\r\n6\r\n012345\r\n5\r\n67890\r\n",
            "413",
        ),
        ("Content-Length: 10\r\n\r\n01234", "408"),
        ("Transfer-Encoding: chunked\r\n\r\nzz\r\n", "400"),
    ] {
        let answer = exchange(server.local_addr(), &post(rest)).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")),
            "{rest:?}: {answer}"
        );
    }
}

#[tokio::test]
async fn only_configured_names_are_served() {
    let hosts = HostCheck::new(["api.example.com"]).unwrap();
    let (server, _tasks) = start(
        hello(),
        ServeLimits {
            hosts,
            ..Default::default()
        },
    )
    .await;
    let get = |fields: &str| format!("GET / HTTP/1.1\r\nConnection: close\r\n{fields}\r\n");
    let answer = |fields: &str| {
        let (addr, request) = (server.local_addr(), get(fields));
        async move { exchange(addr, &request).await }
    };
    assert!(
        answer("Host: api.example.com\r\n")
            .await
            .starts_with("HTTP/1.1 200")
    );
    for fields in [
        "Host: localhost\r\n",
        "Host: api.example.com\r\nOrigin: http://evil.example\r\n",
        "Host: evil.example\r\n",
        "",
    ] {
        let answer = answer(fields).await;
        assert!(answer.starts_with("HTTP/1.1 403"), "{fields:?}: {answer}");
        assert!(
            answer.contains("content-type: application/json"),
            "{answer}"
        );
        assert!(answer.contains(r#""code":"host_not_allowed""#), "{answer}");
    }
    // HTTP/2 names the host in `:authority`.
    let request = http::Request::get(format!("http://{}/", server.local_addr()));
    let request = request.body(Full::<Bytes>::default()).unwrap();
    let response = soon(client(Version::Http2).request(request)).await.unwrap();
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn the_check_is_also_a_layer() {
    let router = hello().layer(HostCheck::new(["inner.example"]).unwrap());
    let limits = ServeLimits {
        hosts: HostCheck::any(),
        ..Default::default()
    };
    let (server, _tasks) = start(router, limits).await;
    let get = |host| format!("GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    let answer = exchange(server.local_addr(), &get("inner.example")).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let answer = exchange(server.local_addr(), &get("localhost")).await;
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
}

#[tokio::test]
async fn a_shutdown_lets_requests_in_flight_end() {
    let (entered, release) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let gate = (entered.clone(), release.clone());
    let router = Router::new().route("/", get(hello_handler)).route(
        "/slow",
        get(move || async move {
            gate.0.notify_one();
            gate.1.notified().await;
            "done"
        }),
    );
    let (server, tasks) = start(router, ServeLimits::default()).await;
    let addr = server.local_addr();
    let mut idle = raw(addr).await;
    idle.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .await
        .unwrap();
    read_until(&mut idle, "hello").await;
    let slow = tokio::spawn(async move {
        exchange(addr, "GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n").await
    });
    soon(entered.notified()).await;

    let drain = tokio::spawn(async move { tasks.shutdown(SOON).await });
    // The idle connection and the port go at once, the request stays.
    assert_eq!(read_all(&mut idle).await, "");
    soon(async {
        while TcpStream::connect(addr).await.is_ok() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert!(!drain.is_finished() && !slow.is_finished());
    release.notify_one();
    assert!(soon(slow).await.unwrap().ends_with("done"));
    soon(drain).await.unwrap().unwrap();
}

async fn hello_handler() -> &'static str {
    "hello"
}

#[tokio::test]
async fn a_shutdown_does_not_wait_longer_than_told() {
    let entered = Arc::new(Notify::new());
    let signal = entered.clone();
    let router = Router::new().route(
        "/",
        get(move || async move {
            signal.notify_one();
            std::future::pending::<&'static str>().await
        }),
    );
    let (server, tasks) = start(router, ServeLimits::default()).await;
    let mut tcp = raw(server.local_addr()).await;
    tcp.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .await
        .unwrap();
    soon(entered.notified()).await;
    let error = soon(tasks.shutdown(Duration::from_millis(50)))
        .await
        .unwrap_err();
    assert!(
        matches!(error, NetError::ShutdownTimeout { left: 1, .. }),
        "{error}"
    );
    assert_eq!(read_all(&mut tcp).await, "");
    assert!(tasks.is_empty());
}

/// What a handler holds, reported when it is dropped.
type Held = Arc<Mutex<Option<OnDrop>>>;

async fn leaves_before_the_head(held: Held, entered: Arc<Notify>) -> &'static str {
    let _held = held.lock().unwrap().take();
    entered.notify_one();
    std::future::pending().await
}

fn stream_then_wait(held: Held) -> Response {
    let held = held.lock().unwrap().take();
    let chunks = stream::once(async { Ok::<_, NetError>(Bytes::from_static(b"data: 1\n\n")) })
        .chain(stream::once(async move {
            let _held = held;
            std::future::pending().await
        }));
    Body::from_stream(chunks).into_response()
}

/// A server whose `/head` never answers and whose `/stream` stops after one chunk, and the signal
/// that whatever it was doing has been dropped.
async fn stalling() -> (Server, Tasks, Arc<Notify>, oneshot::Receiver<()>) {
    let (held, dropped) = OnDrop::new();
    let held: Held = Arc::new(Mutex::new(Some(held)));
    let entered = Arc::new(Notify::new());
    let (in_head, in_stream, signal) = (held.clone(), held, entered.clone());
    let router = Router::new()
        .route(
            "/head",
            post(move || leaves_before_the_head(in_head, signal)),
        )
        .route(
            "/stream",
            post(move || std::future::ready(stream_then_wait(in_stream))),
        );
    let (server, tasks) = start(router, ServeLimits::default()).await;
    (server, tasks, entered, dropped)
}

#[tokio::test]
async fn a_client_that_leaves_cancels_the_handler() {
    let (server, _tasks, entered, dropped) = stalling().await;
    let mut tcp = raw(server.local_addr()).await;
    tcp.write_all(b"POST /head HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}")
        .await
        .unwrap();
    soon(entered.notified()).await;
    drop(tcp);
    tokio::time::timeout(CANCEL, dropped)
        .await
        .unwrap()
        .unwrap();
}

#[tokio::test]
async fn a_client_that_leaves_in_mid_stream_drops_the_body() {
    for version in [Version::Http1, Version::Http2] {
        let (server, _tasks, _, dropped) = stalling().await;
        let request = http::Request::post(format!("http://{}/stream", server.local_addr()));
        let request = request.body(Full::from("{}")).unwrap();
        let client = client(version);
        let mut body = soon(client.request(request)).await.unwrap().into_body();
        let first = soon(body.frame())
            .await
            .unwrap()
            .unwrap()
            .into_data()
            .unwrap();
        assert_eq!(first, "data: 1\n\n");
        drop(body);
        tokio::time::timeout(CANCEL, dropped)
            .await
            .unwrap()
            .unwrap();
    }
}

#[tokio::test]
async fn a_client_that_takes_nothing_is_cut_off() {
    let (held, dropped) = OnDrop::new();
    let held: Held = Arc::new(Mutex::new(Some(held)));
    let router = Router::new().route(
        "/",
        get(move || async move {
            let held = held.lock().unwrap().take();
            let block = Bytes::from(vec![0; 64 * 1024]);
            Body::from_stream(stream::repeat_with(move || {
                let _held = &held;
                Ok::<_, NetError>(block.clone())
            }))
        }),
    );
    let limits = ListenLimits {
        write_stall: Duration::from_millis(100),
        ..Default::default()
    };
    let listener = net::listen("127.0.0.1:0", limits).await.unwrap();
    let tasks = Tasks::new();
    let server = net::serve(listener, router, ServeLimits::default(), &tasks);
    let mut tcp = raw(server.local_addr()).await;
    tcp.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .await
        .unwrap();
    soon(dropped).await.unwrap();
}

#[tokio::test]
async fn an_upgraded_connection_is_the_handlers_and_keeps_its_place() {
    let router = Router::new().route(
        "/",
        any(|mut request: Request| async move {
            let upgrade = hyper::upgrade::on(&mut request);
            tokio::spawn(async move {
                let mut io = hyper_util::rt::TokioIo::new(upgrade.await.unwrap());
                let mut word = [0; 4];
                io.read_exact(&mut word).await.unwrap();
                word.reverse();
                io.write_all(&word).await.unwrap();
            });
            (
                StatusCode::SWITCHING_PROTOCOLS,
                [("connection", "upgrade"), ("upgrade", "rev")],
            )
        }),
    );
    let limits = ServeLimits {
        idle: Duration::from_millis(50),
        ..Default::default()
    };
    let (server, _tasks) = start(router, limits).await;
    let mut tcp = raw(server.local_addr()).await;
    let head = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: upgrade\r\nUpgrade: rev\r\n\r\n";
    tcp.write_all(head.as_bytes()).await.unwrap();
    let answer = read_until(&mut tcp, "\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 101"), "{answer}");
    assert_eq!(server.connections(), 1);
    tcp.write_all(b"abcd").await.unwrap();
    assert_eq!(read_all(&mut tcp).await, "dcba");
    soon(async {
        while server.connections() > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn web_sockets_work_through_axum_and_the_dialer() {
    use axum::extract::ws::WebSocketUpgrade;
    let router = Router::new().route(
        "/ws",
        any(|upgrade: WebSocketUpgrade| async {
            upgrade.on_upgrade(|mut socket| async move {
                while let Some(Ok(message)) = socket.recv().await {
                    if socket.send(message).await.is_err() {
                        return;
                    }
                }
            })
        }),
    );
    let (server, _tasks) = start(router, ServeLimits::default()).await;
    let addr = server.local_addr();
    let dial = || async move {
        dialer()
            .connect_tcp("127.0.0.1", addr.port())
            .await
            .unwrap()
    };
    let url = format!("ws://{addr}/ws");
    let (mut socket, _) = tokio_tungstenite::client_async(&url, dial().await)
        .await
        .unwrap();
    socket.send(Message::text("ping")).await.unwrap();
    assert_eq!(
        soon(socket.next()).await.unwrap().unwrap(),
        Message::text("ping")
    );

    let mut foreign = url.into_client_request().unwrap();
    foreign
        .headers_mut()
        .insert("origin", "http://evil.example".parse().unwrap());
    let refused = tokio_tungstenite::client_async(foreign, dial().await)
        .await
        .unwrap_err();
    assert!(refused.to_string().contains("403"), "{refused}");
}
