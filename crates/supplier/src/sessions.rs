//! The sessions this supplier serves: found by id, opened on their first relay.
//!
//! A relay names its session; the chain decides what that session is. It is asked once, single flight, and only for relays
//! whose header is plausible, so that a stranger cannot make us ask. What does not exist is remembered for the block.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use client::Chain;
use crypto::keys::PublicKey;
use proto::pocket::session::SessionHeader;
use proto::pocket::shared::Params;
use protocol::amount::Upokt;
use protocol::claim::Pricing;
use protocol::difficulty;
use protocol::height::Height;
use protocol::metering::session_limit;
use protocol::ring::expected_members;
use protocol::session::Windows;

use crate::claims::{Due, Stage};
use crate::error::{LogError, Refusal};
use crate::limits::{SESSIONS, UNKNOWN_SESSIONS};
use crate::log::Syncer;
use crate::session::{Opened, Restored, Session};

/// All of them.
pub struct Sessions {
    chain: Arc<Chain>,
    operator: String,
    folder: PathBuf,
    syncer: Arc<Syncer>,
    accept_placeholder: bool,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    open: BTreeMap<String, Arc<Session>>,
    opening: HashMap<String, Arc<tokio::sync::Mutex<()>>>,
    refused: HashMap<SessionKey, (i64, Refusal)>,
}

/// All five fields: what was refused under one header says nothing about another.
#[derive(Clone, PartialEq, Eq, Hash)]
struct SessionKey(String, String, String, i64, i64);

impl SessionKey {
    fn of(header: &SessionHeader) -> Self {
        Self(
            header.application_address.clone(),
            header.service_id.clone(),
            header.session_id.clone(),
            header.session_start_block_height,
            header.session_end_block_height,
        )
    }
}

/// Windows of a session as the claims machine takes them.
pub fn due(opened: &Opened) -> Due {
    Due {
        claim_open: opened.claim_open,
        claim_close: opened.claim_close,
        proof_open: opened.proof_open,
        proof_close: opened.proof_close,
    }
}

impl Sessions {
    /// Reads every session that an earlier run left, and returns how far each got.
    ///
    /// # Errors
    /// [`LogError`]: a damaged file must be looked at by a person, as it is money.
    pub fn restore(
        chain: Arc<Chain>,
        operator: String,
        folder: PathBuf,
        accept_placeholder: bool,
        syncer: Arc<Syncer>,
    ) -> Result<(Arc<Self>, Vec<Restored>), LogError> {
        let wrap = |source| LogError::Io {
            path: folder.clone(),
            source,
        };
        std::fs::create_dir_all(&folder).map_err(wrap)?;
        let mut paths = Vec::new();
        for entry in std::fs::read_dir(&folder).map_err(wrap)? {
            let path = entry.map_err(wrap)?.path();
            if path.extension().is_some_and(|extension| extension == "log") {
                paths.push(path);
            }
        }
        paths.sort();
        let mut known = Known::default();
        let mut restored = Vec::new();
        for path in paths {
            if let Some(found) = Session::restore(&path, &syncer)? {
                let id = found.session.opened.session_id.clone();
                known.open.insert(id, Arc::clone(&found.session));
                restored.push(found);
            }
        }
        let known = Mutex::new(known);
        let sessions = Self {
            chain,
            operator,
            folder,
            syncer,
            accept_placeholder,
            known,
        };
        Ok((Arc::new(sessions), restored))
    }

    /// The session by id, if it is open here.
    pub fn get(&self, id: &str) -> Option<Arc<Session>> {
        self.lock().open.get(id).cloned()
    }

    /// The session that a relay names, all five fields compared. Opens it on its first relay: then the second value is
    /// true, and the caller must have it tracked before the relay is served.
    ///
    /// # Errors
    /// [`Refusal::Session`] for one that is not the chain's or not ours, [`Refusal::Expired`] for one that is not open
    /// here and can take no relays any more, [`Refusal::ChainDown`].
    pub async fn find(&self, header: &SessionHeader) -> Result<(Arc<Session>, bool), Refusal> {
        if let Some(session) = self.get(&header.session_id) {
            return matching(session, header).map(|session| (session, false));
        }
        let key = SessionKey::of(header);
        let height = self.chain.height();
        let turn = {
            let mut known = self.lock();
            if let Some((at, refusal)) = known.refused.get(&key)
                && *at == height
            {
                return Err(refusal.clone());
            }
            Arc::clone(known.opening.entry(header.session_id.clone()).or_default())
        };
        let _turn = turn.lock().await;
        if let Some(session) = self.get(&header.session_id) {
            return matching(session, header).map(|session| (session, false));
        }
        let outcome = self.open(header).await;
        let mut known = self.lock();
        known.opening.remove(&header.session_id);
        match outcome {
            Ok(session) => {
                known
                    .open
                    .insert(header.session_id.clone(), Arc::clone(&session));
                Ok((session, true))
            }
            Err(refusal) => {
                if matches!(refusal, Refusal::Session(_) | Refusal::Expired { .. }) {
                    if known.refused.len() >= UNKNOWN_SESSIONS {
                        known.refused.clear();
                    }
                    known.refused.insert(key, (height, refusal.clone()));
                }
                Err(refusal)
            }
        }
    }

    async fn open(&self, header: &SessionHeader) -> Result<Arc<Session>, Refusal> {
        if self.lock().open.len() >= SESSIONS {
            return Err(Refusal::Session(
                "too many sessions are open here".to_owned(),
            ));
        }
        let (start, end) = (
            header.session_start_block_height,
            header.session_end_block_height,
        );
        let (application, service) = (&header.application_address, &header.service_id);
        let session = self
            .chain
            .session(application, service, start)
            .await
            .map_err(refused)?;
        if session.header.as_ref() != Some(header) {
            return Err(Refusal::Session("its header is not the chain's".to_owned()));
        }
        if !session
            .suppliers
            .iter()
            .any(|supplier| supplier.operator_address == self.operator)
        {
            return Err(Refusal::Session(format!(
                "supplier {} is not in it",
                self.operator
            )));
        }
        let at_start = self.chain.shared_params_at(start).await.map_err(down)?;
        let at_end = self.chain.shared_params_at(end).await.map_err(down)?;
        let units = self
            .chain
            .compute_units_at(service, start)
            .await
            .map_err(down)?;
        let units = units.ok_or_else(|| Refusal::Session("its service is unknown".to_owned()))?;
        let target = self
            .chain
            .difficulty_at(service, start)
            .await
            .map_err(down)?;
        let target = target.map_or_else(
            || difficulty::BASE_TARGET.to_vec(),
            |found| found.target_hash.to_vec(),
        );
        let application_now = self.chain.application(application).await.map_err(down)?;
        let application_now = application_now
            .ok_or_else(|| Refusal::Session("its application is unknown".to_owned()))?;
        let stake = application_now
            .stake
            .as_ref()
            .and_then(|coin| coin.amount.parse::<u128>().ok());
        let per_session = self
            .chain
            .session_params()
            .await
            .map_err(down)?
            .num_suppliers_per_session;
        let opened = describe(
            header,
            &at_start,
            &at_end,
            units,
            &target,
            stake.unwrap_or(0),
            per_session,
        )?;
        if self.chain.height() > opened.grace_end {
            return Err(Refusal::Expired {
                session: opened.session_id,
                why: "its grace period ended",
            });
        }
        let (height, ring) = self.ring(application, end).await?;
        // No await from here on: a request that is dropped must not leave a file that nobody tracks.
        let session = Session::open(opened, &self.folder, &self.syncer)
            .map_err(|error| Refusal::Unrecorded(error.to_string()))?;
        session.set_ring(height, ring);
        Ok(session)
    }

    /// Asks for the keys that may sign now: the application, its gateways, and those it left during the session.
    ///
    /// # Errors
    /// [`Refusal::Session`] naming a member without a public key; [`Refusal::ChainDown`].
    pub async fn refresh_ring(&self, session: &Session) -> Result<(), Refusal> {
        let opened = &session.opened;
        let (height, keys) = self.ring(&opened.application, opened.end_height).await?;
        session.set_ring(height, keys);
        Ok(())
    }

    /// The keys that may sign for an application in a session with this end, and the height they were asked for at.
    async fn ring(&self, address: &str, end: i64) -> Result<(i64, Vec<PublicKey>), Refusal> {
        let height = self.chain.height();
        let application = self.chain.application(address).await.map_err(down)?;
        let application =
            application.ok_or_else(|| Refusal::Session("its application is unknown".to_owned()))?;
        let ring = expected_members(&application, Height(end));
        let mut known = HashMap::new();
        for member in ring.addresses() {
            if let Some(key) = self.chain.public_key(member).await.map_err(down)? {
                known.insert(member, key);
            }
        }
        let mut keys = ring
            .resolve(|member| known.get(member).copied())
            .map_err(|missing| Refusal::Session(missing.to_string()))?;
        if ring.has_placeholder() && !self.accept_placeholder {
            // The last one; everybody can sign with it.
            keys.pop();
        }
        Ok((height, keys))
    }

    /// Forgets a session and removes its file.
    pub fn forget(&self, id: &str) {
        let session = self.lock().open.remove(id);
        if let Some(Err(error)) = session.map(|session| session.forget()) {
            tracing::warn!(%error, "a settled session's log stays behind");
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.lock().open.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where a fresh session stands.
pub const FRESH: Stage = Stage::Serving;

fn matching(session: Arc<Session>, header: &SessionHeader) -> Result<Arc<Session>, Refusal> {
    if session.opened.header() == *header {
        return Ok(session);
    }
    Err(Refusal::Session("its header is not the chain's".to_owned()))
}

/// Prices and windows: what relays cost at the session's start, when things are due by the parameters at its end
/// (relay-protocol 7.7, T10).
fn describe(
    header: &SessionHeader,
    at_start: &Params,
    at_end: &Params,
    compute_units: u64,
    target_hash: &[u8],
    stake_upokt: u128,
    suppliers_per_session: u64,
) -> Result<Opened, Refusal> {
    let bad = |error: protocol::ProtocolError| Refusal::Session(error.to_string());
    let windows = Windows::new(at_end, Height(header.session_end_block_height));
    let pricing = Pricing::new(
        target_hash,
        at_start.compute_units_to_tokens_multiplier,
        at_start.compute_unit_cost_granularity,
    )
    .map_err(bad)?;
    let cost = pricing.relay_cost(compute_units).map_err(bad)?;
    let limit = session_limit(Upokt(stake_upokt), suppliers_per_session, at_end);
    Ok(Opened {
        application: header.application_address.clone(),
        service_id: header.service_id.clone(),
        session_id: header.session_id.clone(),
        start_height: header.session_start_block_height,
        end_height: header.session_end_block_height,
        grace_end: windows.grace_end.0,
        claim_open: windows.claim_open.0,
        claim_close: windows.claim_close.0,
        proof_open: windows.proof_open.0,
        proof_close: windows.proof_close.0,
        compute_units_per_relay: compute_units,
        target_hash: hex::encode(target_hash),
        relay_cost_upokt: cost.0,
        limit_upokt: limit.0,
    })
}

fn refused(error: client::Error) -> Refusal {
    match error {
        client::Error::Refused { .. } => Refusal::Session(error.to_string()),
        other => down(other),
    }
}

#[allow(clippy::needless_pass_by_value)]
fn down(error: client::Error) -> Refusal {
    Refusal::ChainDown(error.to_string())
}
