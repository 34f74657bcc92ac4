use axum::routing::get;
use http::Request;
use http_body_util::Empty;
use net::{NetError, Roots, ServerTls, Side};

use super::*;

const CERTIFICATE: &[u8] = include_bytes!("tls_files/certificate.pem");
const KEY: &[u8] = include_bytes!("tls_files/key.pem");

async fn https_server(handshake: Duration) -> (Server, Tasks) {
    let tls = Some(ServerTls::from_pem(CERTIFICATE, KEY).unwrap());
    let limits = ListenLimits {
        tls,
        tls_handshake: handshake,
        ..ListenLimits::default()
    };
    let listener = net::listen("127.0.0.1:0", limits).await.unwrap();
    let router = Router::new().route(
        "/",
        get(|request: axum::extract::Request| async move {
            let peer = *request.extensions().get::<net::Peer>().unwrap();
            format!("{:?} tls={}", request.version(), peer.tls)
        }),
    );
    let tasks = Tasks::new();
    (
        net::serve(listener, router, ServeLimits::default(), &tasks),
        tasks,
    )
}

fn trusting(roots: Roots, version: Version) -> Client {
    let options = DialOptions {
        policy: AddressPolicy::Any,
        roots,
        ..DialOptions::default()
    };
    let dialer = Dialer::new(options).unwrap();
    Client::new(
        dialer,
        ClientOptions {
            version,
            ..ClientOptions::default()
        },
    )
}

fn get_root(addr: SocketAddr) -> Request<Empty<bytes::Bytes>> {
    let url = format!("https://localhost:{}/", addr.port());
    Request::get(url).body(Empty::new()).unwrap()
}

#[tokio::test]
async fn https_speaks_the_version_the_client_wants() {
    let (server, _tasks) = https_server(SOON).await;
    for (version, shown) in [(Version::Http1, "HTTP/1.1"), (Version::Http2, "HTTP/2.0")] {
        let client = trusting(Roots::default().with_pem(CERTIFICATE).unwrap(), version);
        let response = soon(client.request(get_root(server.local_addr())))
            .await
            .unwrap();
        let body = response.into_body().read_to_bytes().await.unwrap();
        assert_eq!(body, format!("{shown} tls=true"));
    }
}

#[tokio::test]
async fn an_unknown_root_is_refused_and_attributed_to_the_upstream() {
    let (server, _tasks) = https_server(SOON).await;
    let client = trusting(Roots::default(), Version::Http1);
    let error = soon(client.request(get_root(server.local_addr())))
        .await
        .unwrap_err();
    assert!(matches!(error, NetError::TlsHandshake { .. }), "{error:?}");
    assert_eq!((error.side(), error.is_retryable()), (Side::Upstream, true));
}

#[tokio::test]
async fn a_client_that_starts_no_handshake_is_closed() {
    let (server, _tasks) = https_server(Duration::from_millis(50)).await;
    assert_eq!(read_all(&mut raw(server.local_addr()).await).await, "");
}

#[test]
fn unusable_pem_names_the_part() {
    let what = |outcome: Result<ServerTls, NetError>| match outcome.unwrap_err() {
        NetError::TlsConfig { what, .. } => what,
        other => panic!("{other}"),
    };
    assert_eq!(what(ServerTls::from_pem(b"", KEY)), "certificate");
    assert_eq!(
        what(ServerTls::from_pem(CERTIFICATE, b"no key")),
        "private key"
    );
    let missing = std::path::Path::new("does-not-exist.pem");
    let error = ServerTls::from_files(missing, missing).unwrap_err();
    assert!(error.to_string().contains("does-not-exist.pem"), "{error}");
}
