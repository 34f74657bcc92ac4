//! Real sockets on loopback: what is promised about listeners, servers and clients.

#![allow(clippy::unwrap_used)]
#![allow(
    clippy::disallowed_methods,
    reason = "misbehaving peers are played with raw sockets, which `net` refuses to be"
)]

mod client;
mod http2;
mod listen;
mod serve;
mod tls;

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use net::{
    AddressPolicy, Client, ClientOptions, DialOptions, Dialer, ListenLimits, ServeLimits, Server,
    Tasks, Version,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Within this a broken promise is a failure and not a slow machine.
const SOON: Duration = Duration::from_secs(10);
/// The time within which a departed client must have reached the backend (faults.md T1).
const CANCEL: Duration = Duration::from_millis(500);

/// Fails the test instead of hanging it.
async fn soon<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(SOON, future)
        .await
        .expect("it took too long")
}

async fn start(router: Router, limits: ServeLimits) -> (Server, Tasks) {
    let tasks = Tasks::new();
    let listener = net::listen("127.0.0.1:0", ListenLimits::default())
        .await
        .unwrap();
    (net::serve(listener, router, limits, &tasks), tasks)
}

fn dialer() -> Dialer {
    let options = DialOptions {
        policy: AddressPolicy::Any,
        ..DialOptions::default()
    };
    Dialer::new(options).unwrap()
}

fn client(version: Version) -> Client {
    Client::new(
        dialer(),
        ClientOptions {
            version,
            ..ClientOptions::default()
        },
    )
}

async fn raw(addr: SocketAddr) -> TcpStream {
    TcpStream::connect(addr).await.unwrap()
}

/// Sends `request` on a fresh connection and reads until the server closes.
async fn exchange(addr: SocketAddr, request: &str) -> String {
    let mut tcp = raw(addr).await;
    tcp.write_all(request.as_bytes()).await.unwrap();
    read_all(&mut tcp).await
}

/// Whatever comes until the peer closes; a reset counts as a close.
async fn read_all(tcp: &mut TcpStream) -> String {
    let mut all = Vec::new();
    let _ = soon(tcp.read_to_end(&mut all)).await;
    String::from_utf8_lossy(&all).into_owned()
}

/// Reads until `end` has come.
async fn read_until(tcp: &mut TcpStream, end: &str) -> String {
    let mut all = String::new();
    let mut buffer = [0; 4096];
    while !all.contains(end) {
        let count = soon(tcp.read(&mut buffer)).await.unwrap();
        assert!(count > 0, "closed after {all:?}");
        all.push_str(&String::from_utf8_lossy(&buffer[..count]));
    }
    all
}

/// Signals when it is dropped.
struct OnDrop(Option<tokio::sync::oneshot::Sender<()>>);

impl OnDrop {
    fn new() -> (Self, tokio::sync::oneshot::Receiver<()>) {
        let (send, receive) = tokio::sync::oneshot::channel();
        (Self(Some(send)), receive)
    }
}

impl Drop for OnDrop {
    fn drop(&mut self) {
        if let Some(send) = self.0.take() {
            let _ = send.send(());
        }
    }
}
