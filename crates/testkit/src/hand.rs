//! Relays made by hand: signed by whom the test wants, sent to whom it wants.

use std::sync::Arc;

use anyhow::{Context as _, Result};
use bytes::Bytes;
use crypto::keys::{PublicKey, SecretKey};
use crypto::ring::Signer;
use http::{Method, Request};
use http_body_util::Full;
use prost::Message as _;
use proto::pocket::service::RelayRequest;
use proto::pocket::session::{Session, SessionHeader};
use protocol::relay as wire;

use crate::front::{Reply, chat_body, reply};
use crate::{Network, patiently};

/// Blocks that a session must have left for a test that wants to stay inside of it.
const BLOCKS_LEFT: i64 = 8;

/// The current session of a service, and who may sign in it.
#[derive(Clone, Debug)]
pub struct Hand {
    /// The session as the chain gave it.
    pub session: Arc<Session>,
    /// Its header.
    pub header: SessionHeader,
    service: String,
}

impl Network {
    /// The session of a service that has some time left.
    ///
    /// # Errors
    /// When the chain has none.
    pub async fn hand(&self, service: &str) -> Result<Hand> {
        let application = &self.keys.applications[service];
        let application = application.public().address().to_bech32();
        let mut height = self.chain.height();
        loop {
            let session = self.chain.session(&application, service, height).await?;
            let header = session.header.clone().context("a session without header")?;
            if header.session_end_block_height - height >= BLOCKS_LEFT {
                return Ok(Hand {
                    session,
                    header,
                    service: service.to_owned(),
                });
            }
            let end = header.session_end_block_height;
            let next = patiently("the next session", self.chain.wait_above(end)).await??;
            height = next.height;
        }
    }

    /// Keys of the ring of a service's application, in its order.
    pub fn ring(&self, service: &str) -> Vec<PublicKey> {
        let application = self.keys.applications[service].public();
        vec![application, self.keys.gateway.public()]
    }

    /// An unsigned relay of a chat request to a supplier.
    pub fn unsigned(&self, hand: &Hand, supplier: usize, prompt: &str) -> RelayRequest {
        let body = chat_body(&hand.service, prompt, false);
        self.unsigned_to(hand, supplier, "POST", "/v1/chat/completions", body)
    }

    /// An unsigned relay of any request to a supplier.
    pub fn unsigned_to(
        &self,
        hand: &Hand,
        supplier: usize,
        method: &str,
        path: &str,
        body: impl Into<Bytes>,
    ) -> RelayRequest {
        let url = format!("http://{}{path}", hand.service);
        let headers = [("content-type", "application/json")];
        let payload = protocol::http::build_request(method, &url, headers, &[], body.into());
        wire::build_request(hand.header.clone(), &self.operator(supplier), payload)
    }

    /// Signed as the gateway would.
    ///
    /// # Errors
    /// Of the signature code.
    pub fn signed(&self, hand: &Hand, request: RelayRequest) -> Result<RelayRequest> {
        sign(request, &self.keys.gateway, self.ring(&hand.service))
    }

    /// Sends a relay to a supplier as it is.
    ///
    /// # Errors
    /// Of the HTTP exchange.
    pub async fn post(&self, supplier: usize, relay: &RelayRequest) -> Result<Reply> {
        self.post_bytes(supplier, relay.encode_to_vec()).await
    }

    /// Sends any bytes to a supplier.
    ///
    /// # Errors
    /// Of the HTTP exchange.
    pub async fn post_bytes(&self, supplier: usize, bytes: impl Into<Bytes>) -> Result<Reply> {
        let request = Request::builder()
            .method(Method::POST)
            .uri(format!("http://{}/", self.places.suppliers[supplier]))
            .body(Full::new(bytes.into()))?;
        reply(&self.http, request).await
    }
}

/// Signs a relay with any key and any ring that holds it.
///
/// # Errors
/// Of the signature code.
pub fn sign(
    mut request: RelayRequest,
    key: &SecretKey,
    ring: Vec<PublicKey>,
) -> Result<RelayRequest> {
    let signer = Signer::new(key.clone(), ring)?;
    let signature = signer.sign(&wire::signable_request(&request))?;
    request.meta.signature = signature.into();
    Ok(request)
}
