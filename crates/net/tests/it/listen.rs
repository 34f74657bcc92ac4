use futures_util::FutureExt;
use net::{ListenLimits, NetError};

use super::*;

async fn bound(limits: ListenLimits) -> net::Listener {
    net::listen("127.0.0.1:0", limits).await.unwrap()
}

#[tokio::test]
async fn both_ends_send_small_writes_at_once() {
    let listener = bound(ListenLimits::default()).await;
    let dialer = dialer();
    let (accepted, dialled) = tokio::join!(listener.accept(), async {
        let addr = listener.local_addr();
        dialer
            .connect_tcp(&addr.ip().to_string(), addr.port())
            .await
    });
    assert!(
        accepted
            .unwrap()
            .into_stream()
            .await
            .unwrap()
            .nodelay()
            .unwrap()
    );
    assert!(dialled.unwrap().nodelay().unwrap());
}

#[tokio::test]
async fn a_taken_port_is_named_with_the_way_out() {
    let first = bound(ListenLimits::default()).await;
    let addr = first.local_addr();
    let error = net::listen(addr, ListenLimits::default())
        .await
        .unwrap_err();
    assert!(matches!(error, NetError::AddressInUse { .. }), "{error:?}");
    let text = error.to_string();
    assert!(
        text.starts_with(&format!("address already in use: {addr};")),
        "{text}"
    );
    assert!(text.contains("another port"), "{text}");
}

#[tokio::test]
async fn a_port_is_free_again_as_soon_as_its_listener_is_gone() {
    let listener = bound(ListenLimits::default()).await;
    let addr = listener.local_addr();
    // Leaves a connection in TIME_WAIT at the listener's port.
    let peer = raw(addr).await;
    drop(listener.accept().await.unwrap());
    drop(listener);
    drop(peer);
    assert_eq!(
        net::listen(addr, ListenLimits::default())
            .await
            .unwrap()
            .local_addr(),
        addr
    );
}

#[tokio::test]
async fn addresses_that_are_none_are_named() {
    for addr in ["nonsense", "127.0.0.1", "127.0.0.1:99999", ""] {
        let error = net::listen(addr, ListenLimits::default())
            .await
            .unwrap_err();
        assert!(
            matches!(error, NetError::BadListenAddress { .. }),
            "{addr}: {error}"
        );
        assert!(error.to_string().contains(&format!("`{addr}`")), "{error}");
    }
    // 192.0.2.0/24 is for documentation: no interface has it.
    let error = net::listen("192.0.2.1:80", ListenLimits::default())
        .await
        .unwrap_err();
    assert!(matches!(error, NetError::Listen { .. }), "{error}");
}

#[tokio::test]
async fn ipv6_is_written_in_brackets() {
    let listener = net::listen("[::1]:0", ListenLimits::default())
        .await
        .unwrap();
    let addr = listener.local_addr();
    assert!(addr.is_ipv6());
    for host in ["::1", "[::1]"] {
        let stream = dialer().connect_tcp(host, addr.port()).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), addr);
    }
}

#[tokio::test]
async fn a_full_listener_accepts_again_when_a_connection_ends() {
    let listener = bound(ListenLimits {
        connections: 1,
        ..ListenLimits::default()
    })
    .await;
    let _one = raw(listener.local_addr()).await;
    let _two = raw(listener.local_addr()).await;
    let first = soon(listener.accept())
        .await
        .unwrap()
        .into_stream()
        .await
        .unwrap();
    assert!(listener.accept().now_or_never().is_none());
    drop(first);
    soon(listener.accept()).await.unwrap();
}
