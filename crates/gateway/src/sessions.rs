//! The current session of every application in use, ready before a request needs it.
//!
//! A session's id depends on the hash of its first block, so it cannot be known earlier: it is fetched once, on the block
//! that opens it. Until it arrives requests use the one before, which the grace period allows. Requests read a snapshot
//! and never wait.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use client::Chain;
use crypto::keys::{Address, PublicKey};
use crypto::ring::{Signer, SigningKey};
use http::Uri;
use proto::pocket::session::{Session, SessionHeader};
use proto::pocket::shared::RpcType;

use crate::config::{Config, Model};
use crate::error::{RelayFailure, StartError};
use crate::limits::{SESSION_ATTEMPTS, SESSION_RETRY};

/// A supplier that may be asked in a session.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// Operator address.
    pub operator: String,
    /// Checks its signatures.
    pub key: PublicKey,
    /// Where it serves.
    pub url: Uri,
}

/// A session with all that a relay needs.
pub struct Ready {
    /// The chain's header, echoed in every relay.
    pub header: SessionHeader,
    /// Suppliers with a known key and a usable endpoint, by operator address.
    pub candidates: BTreeMap<String, Candidate>,
    /// Their names, for the choice.
    pub names: Vec<String>,
    /// Signs for the ring of the application and its gateways.
    pub signer: Arc<Signer>,
}

/// One application's place: the session in use.
struct Place {
    application: Address,
    service: String,
    ready: RwLock<Result<Arc<Ready>, String>>,
}

/// All sessions in use.
pub struct Sessions {
    chain: Arc<Chain>,
    key: SigningKey,
    places: BTreeMap<String, Vec<Arc<Place>>>,
}

impl Sessions {
    /// Fetches every session once, then follows the blocks.
    ///
    /// # Errors
    /// [`StartError::Application`] for an application that cannot be signed for; a session that does not exist yet (no
    /// suppliers, say) is no error: the chain is asked again on every block.
    pub async fn start(
        config: &Config,
        chain: Arc<Chain>,
        tasks: &net::Tasks,
    ) -> Result<Arc<Self>, StartError> {
        let key = SigningKey::new(config.key.clone()).map_err(|source| StartError::Ring {
            application: "(none)".to_owned(),
            source,
        })?;
        let own = config.key.public().address().to_bech32();
        let mut places: BTreeMap<String, Vec<Arc<Place>>> = BTreeMap::new();
        for model in &config.models {
            for application in &model.applications {
                check_application(&chain, application, model, &own).await?;
                let row = places.entry(model.service.clone()).or_default();
                if row.iter().all(|place| place.application != *application) {
                    row.push(Arc::new(Place {
                        application: *application,
                        service: model.service.clone(),
                        ready: RwLock::new(Err("not fetched yet".to_owned())),
                    }));
                }
            }
        }
        let sessions = Arc::new(Self { chain, key, places });
        // Each place follows the newest block by itself: one application without a session must not make others late.
        let places = || sessions.places.values().flatten();
        let mut followers = Vec::new();
        for place in places() {
            followers.push((Arc::clone(place), sessions.chain.latest()));
        }
        let height = sessions.chain.height();
        let fetched = places().map(|place| sessions.refresh(place, height));
        futures_util::future::join_all(fetched).await;
        for (place, mut latest) in followers {
            let own = Arc::clone(&sessions);
            let scope = tasks.clone();
            tasks.spawn(async move {
                while let Some(Ok(())) = scope.until_cancelled(latest.changed()).await {
                    let height = latest.borrow_and_update().height;
                    own.refresh(&place, height).await;
                }
            });
        }
        Ok(sessions)
    }

    /// The sessions of a service, one an application, as they are now.
    ///
    /// # Errors
    /// [`RelayFailure::NoSession`] with the last reason, when there is none.
    pub fn of(&self, service: &str) -> Result<Vec<Arc<Ready>>, RelayFailure> {
        let none = |reason: String| RelayFailure::NoSession {
            service: service.to_owned(),
            reason,
        };
        let places = self
            .places
            .get(service)
            .ok_or_else(|| none("not sold here".to_owned()))?;
        let mut ready = Vec::with_capacity(places.len());
        let mut last = String::new();
        for place in places {
            match &*place.ready.read().unwrap_or_else(PoisonError::into_inner) {
                Ok(session) => ready.push(Arc::clone(session)),
                Err(reason) => last.clone_from(reason),
            }
        }
        if ready.is_empty() {
            Err(none(last))
        } else {
            Ok(ready)
        }
    }

    /// Brings a place to the session that `height` lies in.
    async fn refresh(&self, place: &Place, height: i64) {
        let current = match &*place.ready.read().unwrap_or_else(PoisonError::into_inner) {
            Ok(session) => session.header.session_end_block_height,
            Err(_) => 0,
        };
        if height <= current {
            return;
        }
        let mut outcome = Err(String::new());
        for attempt in 0..SESSION_ATTEMPTS {
            if attempt > 0 {
                tokio::time::sleep(SESSION_RETRY).await;
            }
            outcome = self.prepare(place, height).await;
            if outcome.is_ok() {
                break;
            }
        }
        let mut ready = place.ready.write().unwrap_or_else(PoisonError::into_inner);
        match outcome {
            Ok(session) => *ready = Ok(Arc::new(session)),
            // The old session stays in use: grace allows it, and its suppliers say so when it does not.
            Err(reason) => {
                tracing::warn!(application = %place.application, service = %place.service, %reason,
                    "no new session");
                if ready.is_err() {
                    *ready = Err(reason);
                }
            }
        }
    }

    async fn prepare(&self, place: &Place, height: i64) -> Result<Ready, String> {
        let application = place.application.to_bech32();
        let session = self
            .chain
            .session(&application, &place.service, height)
            .await;
        let session = session.map_err(|error| error.to_string())?;
        let signer = self.signer(&session, &application).await?;
        let header = session
            .header
            .clone()
            .ok_or("the node sent a session without header")?;
        let mut candidates = BTreeMap::new();
        for supplier in &session.suppliers {
            let operator = supplier.operator_address.clone();
            let url = supplier
                .services
                .iter()
                .filter(|config| config.service_id == place.service)
                .flat_map(|config| &config.endpoints)
                .filter(|endpoint| matches!(endpoint.rpc_type(), RpcType::Rest | RpcType::JsonRpc))
                .find_map(|endpoint| endpoint.url.parse::<Uri>().ok());
            let key = self.chain.public_key(&operator).await;
            match (url, key) {
                (Some(url), Ok(Some(key))) => {
                    candidates.insert(operator.clone(), Candidate { operator, key, url });
                }
                (None, _) => tracing::debug!(%operator, "supplier without a usable endpoint"),
                (_, Ok(None)) => {
                    tracing::debug!(%operator, "supplier without a public key on chain")
                }
                (_, Err(error)) => return Err(error.to_string()),
            }
        }
        if candidates.is_empty() {
            return Err("no supplier of the session has an endpoint and a public key".to_owned());
        }
        let names = candidates.keys().cloned().collect();
        Ok(Ready {
            header,
            candidates,
            names,
            signer: Arc::new(signer),
        })
    }

    /// The ring is the application and its gateways, in the application's own order.
    async fn signer(&self, session: &Session, application: &str) -> Result<Signer, String> {
        let record = session
            .application
            .as_ref()
            .ok_or("the node sent a session without application")?;
        let gateways = record
            .delegatee_gateway_addresses
            .iter()
            .map(String::as_str);
        let mut ring = Vec::new();
        for member in std::iter::once(application).chain(gateways) {
            let key = self
                .chain
                .public_key(member)
                .await
                .map_err(|error| error.to_string())?;
            ring.push(key.ok_or_else(|| {
                format!("ring member {member} has no public key on chain; any transaction of it mends that")
            })?);
        }
        if !ring.contains(self.key.public()) {
            return Err(format!(
                "{application} is not delegated to this gateway; run `relaymill tx application delegate`"
            ));
        }
        self.key.signer(ring).map_err(|error| error.to_string())
    }
}

async fn check_application(
    chain: &Chain,
    address: &Address,
    model: &Model,
    gateway: &str,
) -> Result<(), StartError> {
    let wrong = |reason: String| StartError::Application {
        application: address.to_bech32(),
        reason,
    };
    let application = chain.application(&address.to_bech32()).await?;
    let application = application.ok_or_else(|| wrong("is not staked".to_owned()))?;
    let staked = application
        .service_configs
        .iter()
        .any(|config| config.service_id == model.service);
    if !staked {
        return Err(wrong(format!(
            "is not staked for service {}",
            model.service
        )));
    }
    if !application
        .delegatee_gateway_addresses
        .iter()
        .any(|delegatee| delegatee == gateway)
    {
        return Err(wrong(format!("is not delegated to gateway {gateway}")));
    }
    Ok(())
}
