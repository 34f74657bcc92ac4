//! The gateway sells relays behind an OpenAI API.
//!
//! A request passes these rooms: [`ingress`] reads it and maps errors, [`keys`] knows the client, [`sessions`] holds the
//! current session of every application in use, [`choice`] picks a supplier, [`relay`] signs, sends and verifies, and
//! [`journal`] records which relay answered which request before the client has the last byte of its answer.
//!
//! What must hold
//! - no chain query and no lock across an await between a request and its supplier: sessions are fetched on block events;
//! - what a client sees comes from verified responses only;
//! - a stream whose end was not proven by the supplier ends in a typed error, never in `[DONE]`;
//! - neither API keys, nor inbound headers, nor query strings go into a relay: a proven relay is public.
//!
//! Start with [`Gateway::start`].

#![cfg_attr(not(test), deny(clippy::unwrap_used))]

pub mod choice;
pub mod config;
pub mod error;
mod events;
pub mod ingress;
pub mod journal;
pub mod keys;
pub mod limits;
pub mod relay;
pub mod sessions;
mod stream;

use std::net::SocketAddr;
use std::sync::Arc;

pub use config::{Config, GatewayFile};
pub use error::{RelayFailure, StartError};

/// A running gateway. It ends with the tasks it was started in.
pub struct Gateway {
    addr: SocketAddr,
}

impl Gateway {
    /// Fetches the sessions of every configured application, then listens.
    ///
    /// # Errors
    /// [`StartError`]: every variant is something the operator can mend.
    pub async fn start(
        config: Config,
        chain: Arc<client::Chain>,
        tasks: &net::Tasks,
    ) -> Result<Self, StartError> {
        let listener = net::listen(&config.listen, net::ListenLimits::default()).await?;
        let addr = listener.local_addr();
        let journal = journal::Journal::open(&config.journal, config.on_relay.clone())?;
        let sessions = sessions::Sessions::start(&config, Arc::clone(&chain), tasks).await?;
        let relays = relay::Relays::new(&config, sessions)?;
        let hosts = net::HostCheck::new(&config.allowed_hosts)?;
        let front = ingress::Front::new(config, relays, journal);
        let limits = net::ServeLimits {
            hosts,
            body_bytes: limits::REQUEST_BODY_BYTES as u64,
            ..net::ServeLimits::default()
        };
        net::serve(listener, front, limits, tasks);
        Ok(Self { addr })
    }

    /// Where clients reach it.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }
}
