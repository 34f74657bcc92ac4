//! Suppliers that are staked and lie.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Result;
use bytes::Bytes;
use crypto::keys::SecretKey;
use http::{Request, Response};
use http_body_util::Full;
use prost::Message as _;
use proto::pocket::service::RelayRequest;
use protocol::relay as wire;
use tower::service_fn;

/// How it lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lie {
    /// Takes the relay and says nothing.
    BlackHole,
    /// Signs with a key that is not the operator's.
    WrongKey,
    /// Signs one payload and sends another.
    SwappedPayload,
    /// Signs an answer that belongs to another session.
    WrongSession,
    /// Says 200 and sends an error body.
    ErrorBody,
    /// Says 200 and sends bytes that are no message.
    Garbage,
}

/// A running impostor.
#[derive(Clone, Debug, Default)]
pub struct Impostor {
    asked: Arc<AtomicU64>,
}

impl Impostor {
    /// Listens where the operator staked.
    ///
    /// # Errors
    /// When the port is taken.
    pub async fn start(lie: Lie, key: SecretKey, addr: &str, tasks: &net::Tasks) -> Result<Self> {
        let listener = net::listen(addr, net::ListenLimits::default()).await?;
        let own = Self::default();
        let asked = Arc::clone(&own.asked);
        let service = service_fn(move |request: Request<net::RequestBody>| {
            asked.fetch_add(1, Ordering::Relaxed);
            let key = key.clone();
            async move {
                let body = request
                    .into_body()
                    .read_to_bytes()
                    .await
                    .unwrap_or_default();
                if lie == Lie::BlackHole {
                    std::future::pending::<()>().await;
                }
                let answer = answer(lie, &key, &body).unwrap_or_default();
                Ok::<_, Infallible>(Response::new(Full::new(answer)))
            }
        });
        net::serve(listener, service, net::ServeLimits::default(), tasks);
        Ok(own)
    }

    /// Relays it was sent.
    pub fn asked(&self) -> u64 {
        self.asked.load(Ordering::Relaxed)
    }
}

fn answer(lie: Lie, key: &SecretKey, relay: &[u8]) -> Result<Bytes> {
    let relay = RelayRequest::decode(relay)?;
    let mut header = relay.meta.session_header.unwrap_or_default();
    let json = [("content-type", "application/json")];
    let payload = |text: &str| {
        let body = format!(r#"{{"choices":[{{"message":{{"content":"{text}"}}}}]}}"#);
        protocol::http::build_response(200, json, body.into())
    };
    if lie == Lie::WrongSession {
        header.session_id = "ab".repeat(32);
    }
    let mut response = wire::build_response(header, payload("a lie"))?;
    match lie {
        Lie::WrongKey => wire::sign_response(&mut response, &SecretKey::random()?),
        Lie::SwappedPayload => {
            wire::sign_response(&mut response, key);
            response.payload = payload("another lie");
        }
        Lie::ErrorBody => return Ok(Bytes::from_static(br#"{"error":"try elsewhere"}"#)),
        Lie::Garbage => return Ok(Bytes::from_static(b"\xff\xff\xff")),
        Lie::WrongSession | Lie::BlackHole => wire::sign_response(&mut response, key),
    }
    Ok(response.encode_to_vec().into())
}
