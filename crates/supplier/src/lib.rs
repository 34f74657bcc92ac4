//! The supplier serves relays next to a backend and mines them until they are paid.
//!
//! A relay passes these rooms: [`ingress`] reads it, [`admission`] checks it cheapest first and reserves, [`backend`]
//! forwards it, the answer is signed and put into the session's [`log`] before its last byte leaves ([`session`],
//! `streaming`). When the session is over, [`claims`] decides and `keeper` performs: seal, claim, prove, see it paid.
//!
//! What must hold
//! - nothing served is lost: an answer's last byte leaves after its relay is in the log;
//! - nothing waits for the chain or for an fsync between a request and its backend, once a session is open;
//! - the cap fails closed, and no signature is served twice in a session;
//! - kill -9 at any instant needs no manual step: the log is all there is, and it is read back.
//!
//! Start with [`Supplier::start`].

#![cfg_attr(not(test), deny(clippy::unwrap_used))]

pub mod admission;
pub mod backend;
pub mod claims;
pub mod config;
pub mod error;
pub mod ingress;
mod keeper;
pub mod limits;
pub mod log;
pub mod session;
pub mod sessions;
mod streaming;

use std::net::SocketAddr;
use std::sync::Arc;

use client::Chain;
use tokio::sync::{Semaphore, mpsc};

pub use config::{Config, SupplierFile};
pub use error::{LogError, Refusal, StartError};

/// What becomes of a session's work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// The claim is on the chain.
    Claimed {
        /// Session id.
        session_id: String,
        /// Service id.
        service_id: String,
        /// Relays in it.
        relays: u64,
    },
    /// The proof was found valid.
    Proven {
        /// Session id.
        session_id: String,
    },
    /// The chain wants no proof.
    ProofNotNeeded {
        /// Session id.
        session_id: String,
    },
    /// The chain paid.
    Settled {
        /// Session id.
        session_id: String,
        /// What was settled, e.g. `1200upokt`.
        upokt: String,
    },
    /// The work is lost.
    Lost {
        /// Session id.
        session_id: String,
        /// Why.
        why: String,
    },
}

/// Called with every notice.
pub type Observer = Arc<dyn Fn(&Notice) + Send + Sync>;

/// A running supplier. It ends with the tasks it was started in.
pub struct Supplier {
    addr: SocketAddr,
    operator: String,
    sessions: Arc<sessions::Sessions>,
}

impl Supplier {
    /// Reads the session log back, goes on claiming and proving, then listens.
    ///
    /// # Errors
    /// [`StartError`]: every variant is something the operator can mend.
    pub async fn start(
        config: Config,
        chain: Arc<Chain>,
        tasks: &net::Tasks,
    ) -> Result<Self, StartError> {
        let operator = config.key.public().address().to_bech32();
        if chain.supplier(&operator).await?.is_none() {
            return Err(StartError::NotStaked { operator });
        }
        if chain.public_key(&operator).await?.is_none() {
            return Err(StartError::NoPublicKey { operator });
        }
        let listener = net::listen(&config.listen, net::ListenLimits::default()).await?;
        let addr = listener.local_addr();
        let syncer = log::Syncer::start(tasks);
        let folder = config.data_dir.join("sessions");
        let (found, restored) = sessions::Sessions::restore(
            Arc::clone(&chain),
            operator.clone(),
            folder,
            config.accept_placeholder_ring,
            syncer,
        )?;
        let (opened, openings) = mpsc::unbounded_channel();
        let restored = restored
            .into_iter()
            .map(|one| (one.session, one.stage))
            .collect();
        keeper::start(
            Arc::clone(&chain),
            Arc::clone(&found),
            config.key.clone(),
            config.observer.clone(),
            restored,
            openings,
            tasks,
        );
        let slots = |service: &config::Service| admission::Slot {
            free: Arc::new(Semaphore::new(service.slots)),
            service: service.clone(),
        };
        let admission = admission::Admission {
            chain,
            sessions: Arc::clone(&found),
            rings: crypto::ring::Cache::new(limits::RINGS),
            operator: operator.clone(),
            services: config
                .services
                .iter()
                .map(|(id, service)| (id.clone(), slots(service)))
                .collect(),
            opened,
        };
        let client = net::Client::with_policy(net::AddressPolicy::Any)?;
        let endpoint = ingress::Endpoint::new(admission, client, config.key);
        let limits = net::ServeLimits {
            hosts: net::HostCheck::new(&config.allowed_hosts)?,
            body_bytes: limits::REQUEST_BODY_BYTES as u64,
            ..net::ServeLimits::default()
        };
        net::serve(listener, endpoint, limits, tasks);
        Ok(Self {
            addr,
            operator,
            sessions: found,
        })
    }

    /// Where gateways reach it.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Its operator address.
    pub fn operator(&self) -> &str {
        &self.operator
    }

    /// Sessions open, being claimed or waiting for their money.
    pub fn sessions(&self) -> usize {
        self.sessions.len()
    }
}
