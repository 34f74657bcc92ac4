//! What a relay must show before a byte of it reaches a backend, cheapest check first.
//!
//! Form → header plausible → session and grace → room in the meter (a look) → ring signature → first time → reserved. It
//! stops at the first failure; until the reservation nothing is changed.

use std::sync::Arc;

use bytes::Bytes;
use client::Chain;
use crypto::keys::PublicKey;
use crypto::ring::Cache;
use http_body_util::Full;
use proto::pocket::service::RelayRequest;
use proto::pocket::session::SessionHeader;
use protocol::relay as wire;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::backend::{self, Asker};
use crate::config::Service;
use crate::error::Refusal;
use crate::session::{Reservation, Session};
use crate::sessions::Sessions;

/// Sessions are never longer than this many blocks on any network (MainNet had 60), and grace windows shorter.
const SESSION_BLOCKS_MAX: i64 = 1_000;

/// A service with its slots.
pub struct Slot {
    /// Configuration.
    pub service: Service,
    /// Free slots.
    pub free: Arc<Semaphore>,
}

/// A relay that may go to its backend.
pub struct Admitted {
    /// As signed.
    pub request: RelayRequest,
    /// The session's header.
    pub header: SessionHeader,
    /// Its place in the session.
    pub reservation: Reservation,
    /// What to ask the backend.
    pub backend: http::Request<Full<Bytes>>,
    /// Its slot, given back when it is dropped.
    pub slot: OwnedSemaphorePermit,
}

/// Everything that admission looks at.
pub struct Admission {
    /// For the height.
    pub chain: Arc<Chain>,
    /// Sessions.
    pub sessions: Arc<Sessions>,
    /// Tables of rings.
    pub rings: Cache,
    /// This supplier.
    pub operator: String,
    /// Services by id.
    pub services: std::collections::BTreeMap<String, Slot>,
    /// Told of every session that opens.
    pub opened: tokio::sync::mpsc::UnboundedSender<Arc<Session>>,
}

impl Admission {
    /// Checks one relay.
    ///
    /// # Errors
    /// The first [`Refusal`].
    pub async fn admit(&self, bytes: &[u8]) -> Result<Admitted, Refusal> {
        let malformed = |error: protocol::ProtocolError| Refusal::Malformed(error.to_string());
        let request = wire::decode_request(bytes).map_err(malformed)?;
        protocol::validate::relay_request(&request).map_err(malformed)?;
        let header = request.meta.session_header.clone();
        let header = header.ok_or_else(|| Refusal::Malformed("no session header".to_owned()))?;
        if request.meta.supplier_operator_address != self.operator {
            return Err(Refusal::WrongSupplier(
                request.meta.supplier_operator_address,
            ));
        }
        let slot = self.services.get(&header.service_id);
        let slot = slot.ok_or_else(|| Refusal::UnknownService(header.service_id.clone()))?;
        self.plausible(&header)?;
        let inner = protocol::http::parse_request(&request.payload).map_err(malformed)?;
        let asker = Asker {
            supplier: &self.operator,
            application: &header.application_address,
        };
        let backend = backend::request(&slot.service, &inner, asker)?;

        let (session, fresh) = self.sessions.find(&header).await?;
        if fresh {
            // The keeper ends only with the process; a session nobody tracks must not take relays.
            self.opened
                .send(Arc::clone(&session))
                .map_err(|_| Refusal::Expired {
                    session: header.session_id.clone(),
                    why: "the supplier is stopping",
                })?;
        }
        if self.chain.height() > session.opened.grace_end {
            return Err(Refusal::Expired {
                session: header.session_id,
                why: "its grace period ended",
            });
        }
        session.has_room()?;
        let replay_key = self.verify(&request, &session).await?;
        let slot = Arc::clone(&slot.free)
            .try_acquire_owned()
            .map_err(|_| Refusal::Busy {
                slots: slot.service.slots,
            })?;
        let reservation = session.reserve(replay_key)?;
        Ok(Admitted {
            request,
            header,
            reservation,
            backend,
            slot,
        })
    }

    /// A cheap bound that keeps strangers from making us ask the chain.
    fn plausible(&self, header: &SessionHeader) -> Result<(), Refusal> {
        let (start, end) = (
            header.session_start_block_height,
            header.session_end_block_height,
        );
        let now = self.chain.height();
        let length = end.saturating_sub(start).saturating_add(1);
        let near = start <= now.saturating_add(1) && end >= now.saturating_sub(SESSION_BLOCKS_MAX);
        if length > SESSION_BLOCKS_MAX || !near {
            return Err(Refusal::Implausible { start, end, now });
        }
        Ok(())
    }

    /// Verifies the ring signature. A member that is not expected may have been delegated to since the session opened:
    /// then the chain is asked again, once a block.
    async fn verify(&self, request: &RelayRequest, session: &Session) -> Result<[u8; 32], Refusal> {
        let message = wire::signable_request(request);
        let signature = &request.meta.signature;
        let refused = |error: crypto::Error| Refusal::Signature(error.to_string());
        let (asked_at, expected) = self.ring(session).await?;
        match self.rings.verify(&message, signature, &expected) {
            Err(crypto::Error::RingMember { .. }) if asked_at < self.chain.height() => {
                self.sessions.refresh_ring(session).await?;
                let (_, expected) = session.ring();
                self.rings
                    .verify(&message, signature, &expected)
                    .map_err(refused)
            }
            outcome => outcome.map_err(refused),
        }
        .map(|verified| verified.replay_key)
    }

    async fn ring(&self, session: &Session) -> Result<(i64, Vec<PublicKey>), Refusal> {
        let ring = session.ring();
        if ring.0 > 0 {
            return Ok(ring);
        }
        self.sessions.refresh_ring(session).await?;
        Ok(session.ring())
    }
}
