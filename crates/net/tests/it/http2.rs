//! HTTP/2 peers that no library wants to be: frames written by hand (RFC 9113 §4, §6).

use axum::routing::get;

use super::*;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const ACK: u8 = 1;
const END_STREAM_AND_HEADERS: u8 = 5;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut bytes = length[1..].to_vec();
    bytes.extend([kind, flags]);
    bytes.extend(stream.to_be_bytes());
    bytes.extend(payload);
    bytes
}

/// `GET http://localhost/` from the static table of HPACK (RFC 7541 appendix A).
fn get_headers(stream: u32) -> Vec<u8> {
    let mut block = vec![0x82, 0x86, 0x84, 0x01, 9];
    block.extend(b"localhost");
    frame(HEADERS, END_STREAM_AND_HEADERS, stream, &block)
}

async fn hello(addr: SocketAddr) -> TcpStream {
    let mut tcp = raw(addr).await;
    tcp.write_all(&[PREFACE, &frame(SETTINGS, 0, 0, &[])].concat())
        .await
        .unwrap();
    tcp
}

/// The next frame: kind, flags and payload; `None` when the peer has closed.
async fn next_frame(tcp: &mut TcpStream) -> Option<(u8, u8, Vec<u8>)> {
    let mut head = [0; 9];
    soon(tcp.read_exact(&mut head)).await.ok()?;
    let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
    let mut payload = vec![0; usize::try_from(length).unwrap()];
    soon(tcp.read_exact(&mut payload)).await.ok()?;
    Some((head[3], head[4], payload))
}

fn router() -> Router {
    Router::new().route("/", get(|| async { "hello" }))
}

#[tokio::test]
async fn rapid_reset_closes_the_connection_and_only_this_one() {
    let (server, _tasks) = start(router(), ServeLimits::default()).await;
    let mut tcp = hello(server.local_addr()).await;
    let mut flood = Vec::new();
    for stream in (1..4_000).step_by(2) {
        flood.extend(get_headers(stream));
        flood.extend(frame(RST_STREAM, 0, stream, &8_u32.to_be_bytes()));
    }
    // The server may close while we still write.
    let _ = tcp.write_all(&flood).await;
    let mut reason = None;
    while let Some((kind, _, payload)) = next_frame(&mut tcp).await {
        if kind == GOAWAY {
            reason = Some(u32::from_be_bytes(payload[4..8].try_into().unwrap()));
        }
    }
    // ENHANCE_YOUR_CALM (RFC 9113 §7), unless the close overtook it.
    assert!(matches!(reason, Some(0xb) | None), "{reason:?}");
    let mut other = hello(server.local_addr()).await;
    other.write_all(&get_headers(1)).await.unwrap();
    assert_eq!(body(&mut other).await, b"hello");
}

/// The payload of the first DATA frame.
async fn body(tcp: &mut TcpStream) -> Vec<u8> {
    loop {
        let (kind, _, payload) = next_frame(tcp).await.expect("closed before a body came");
        if kind == DATA {
            return payload;
        }
        assert_ne!(kind, GOAWAY);
    }
}

/// gRPC clients ping idle connections, every 30 s or more often; none of them is punished.
#[tokio::test]
async fn pings_without_a_request_are_answered_and_forgiven() {
    let limits = ServeLimits {
        header_read: Duration::from_millis(100),
        ..ServeLimits::default()
    };
    let (server, _tasks) = start(router(), limits).await;
    let mut tcp = hello(server.local_addr()).await;
    let mut answered = 0;
    for round in 0..100_u64 {
        tcp.write_all(&frame(PING, 0, 0, &round.to_be_bytes()))
            .await
            .unwrap();
        loop {
            let (kind, flags, payload) = next_frame(&mut tcp).await.expect("closed after a ping");
            assert_ne!(kind, GOAWAY);
            if (kind, flags) == (PING, ACK) && payload == round.to_be_bytes() {
                answered += 1;
                break;
            }
        }
    }
    assert_eq!(answered, 100);
    tcp.write_all(&get_headers(1)).await.unwrap();
    assert_eq!(body(&mut tcp).await, b"hello");
}

#[tokio::test]
async fn an_unused_connection_is_told_to_go() {
    let limits = ServeLimits {
        idle: Duration::from_millis(100),
        ..ServeLimits::default()
    };
    let (server, _tasks) = start(router(), limits).await;
    let mut tcp = hello(server.local_addr()).await;
    tcp.write_all(&get_headers(1)).await.unwrap();
    assert_eq!(body(&mut tcp).await, b"hello");
    loop {
        let (kind, _, payload) = next_frame(&mut tcp).await.expect("closed without GOAWAY");
        if kind == GOAWAY {
            assert_eq!(payload[4..8], [0; 4], "an error instead of NO_ERROR");
            break;
        }
    }
}
