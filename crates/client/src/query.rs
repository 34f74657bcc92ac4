//! Typed questions to the chain.
//!
//! What never changes is kept by its key: sessions, parameters and difficulties at a height already
//! committed, public keys. What may change with any block is kept for one block: its key holds the
//! latest height. Balances, sequences and claims are asked for every time.
//!
//! "Absent" is `None` and only ever the chain's own NOT_FOUND; everything else that goes wrong is
//! an error.

use std::sync::Arc;

use crypto::keys::PublicKey;
use proto::cosmos::base::query::v1beta1::{PageRequest, PageResponse};
use proto::cosmos::{auth::v1beta1 as auth, bank::v1beta1 as bank};
use proto::pocket::{application, gateway, proof, service, session, shared, supplier, tokenomics};
use protocol::height::Height;
use protocol::session::Grid;
use tonic::Code;

use crate::cache::Cache;
use crate::chain::Chain;
use crate::grpc::Method;
use crate::{Error, Result, limits};

mod accounts;
pub(crate) mod methods;

use accounts::{base_account, public_key};
use methods as m;

/// Everything that is kept.
pub(crate) struct Caches {
    sessions: Cache<(String, String, i64), Arc<session::Session>>,
    shared_params: Cache<i64, shared::Params>,
    difficulties: Cache<(String, i64), Option<service::RelayMiningDifficulty>>,
    compute_units: Cache<(String, i64), Option<u64>>,
    public_keys: Cache<String, Option<PublicKey>>,
    live_params: Cache<(i64, LiveParams), LiveParamsValue>,
    future_shared: Cache<(i64, i64), shared::Params>,
    applications: Cache<(i64, String), Option<Arc<application::Application>>>,
    suppliers: Cache<(i64, String), Option<Arc<shared::Supplier>>>,
    services: Cache<(i64, String), Option<Arc<shared::Service>>>,
}

impl Caches {
    pub(crate) fn new() -> Self {
        Self {
            sessions: Cache::new(limits::SESSIONS),
            shared_params: Cache::new(limits::CACHED),
            difficulties: Cache::new(limits::CACHED),
            compute_units: Cache::new(limits::CACHED),
            public_keys: Cache::new(limits::PUBLIC_KEYS),
            live_params: Cache::new(limits::CACHED),
            future_shared: Cache::new(limits::CACHED),
            applications: Cache::new(limits::CACHED),
            suppliers: Cache::new(limits::CACHED),
            services: Cache::new(limits::CACHED),
        }
    }
}

/// Whose parameters, among those that may change with any block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum LiveParams {
    Shared,
    Session,
    Proof,
    Application,
    Supplier,
    Service,
    Gateway,
    Tokenomics,
}

/// Parameters of any module.
#[derive(Clone)]
enum LiveParamsValue {
    Shared(shared::Params),
    Session(session::Params),
    Proof(proof::Params),
    Application(application::Params),
    Supplier(supplier::Params),
    Service(service::Params),
    Gateway(gateway::Params),
    Tokenomics(tokenomics::Params),
}

/// Writes one accessor a module; what is kept under a module's key is of its type.
macro_rules! live_params {
    ($($(#[$doc:meta])* $name:ident: $variant:ident, $module:ident, $method:path;)*) => {
        impl Chain {
            $(
                $(#[$doc])*
                ///
                /// # Errors
                /// [`Error`] when the node cannot say.
                pub async fn $name(&self) -> Result<$module::Params> {
                    let grpc = self.grpc.clone();
                    let deadline = self.config.timeouts.query;
                    let key = (self.height(), LiveParams::$variant);
                    let value = self.caches.live_params.get(key, move || async move {
                        let request = $module::QueryParamsRequest {};
                        let answer = grpc.call(&$method, request, deadline).await?;
                        Ok(LiveParamsValue::$variant(answer.params))
                    }).await?;
                    match value {
                        LiveParamsValue::$variant(params) => Ok(params),
                        _ => Err(Error::malformed(stringify!($name), "of another module")),
                    }
                }
            )*
        }
    };
}

live_params! {
    /// The shared parameters that hold now. Windows of a session are computed from those
    /// [at](Chain::shared_params_at) its end.
    shared_params: Shared, shared, m::SHARED_PARAMS;
    /// How many suppliers a session has.
    session_params: Session, session, m::SESSION_PARAMS;
    /// When proofs are asked for, and what they cost.
    proof_params: Proof, proof, m::PROOF_PARAMS;
    /// What applications must stake.
    application_params: Application, application, m::APPLICATION_PARAMS;
    /// What suppliers must stake.
    supplier_params: Supplier, supplier, m::SUPPLIER_PARAMS;
    /// What a service costs, and how many relays a claim aims at.
    service_params: Service, service, m::SERVICE_PARAMS;
    /// What gateways must stake.
    gateway_params: Gateway, gateway, m::GATEWAY_PARAMS;
    /// How coins are made and shared.
    tokenomics_params: Tokenomics, tokenomics, m::TOKENOMICS_PARAMS;
}

/// An account as far as clients need it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its address.
    pub address: String,
    /// Its key; absent until its first transaction.
    pub public_key: Option<PublicKey>,
    /// Its number, signed with every transaction.
    pub number: u64,
    /// The sequence of its next ordered transaction.
    pub sequence: u64,
}

impl Chain {
    /// The shared parameters at `height`.
    ///
    /// # Errors
    /// [`Error`] when the node cannot say.
    pub async fn shared_params_at(&self, height: i64) -> Result<shared::Params> {
        let (grpc, deadline) = (self.grpc.clone(), self.config.timeouts.query);
        let fetch = move || async move {
            let request = shared::QueryParamsAtHeightRequest { height };
            let answer = grpc.call(&m::SHARED_PARAMS_AT, request, deadline).await?;
            Grid::new(&answer.params).map_err(|error| Error::malformed("shared params", error))?;
            Ok(answer.params)
        };
        let latest = self.height();
        if height <= latest {
            return self.caches.shared_params.get(height, fetch).await;
        }
        self.caches.future_shared.get((latest, height), fetch).await
    }

    /// The session of an application and a service that `height` lies in, as it is at its start:
    /// the suppliers are those that claims are checked against. Its `application` is what the chain
    /// knew when it was first asked; [`Chain::application`] is live.
    ///
    /// # Errors
    /// [`Error::Refused`] with the chain's text where there is no such session:
    /// application or service unknown, not staked, or without suppliers.
    pub async fn session(
        &self,
        application: &str,
        service: &str,
        height: i64,
    ) -> Result<Arc<session::Session>> {
        let params = self.shared_params_at(height).await?;
        let start = session_start(&params, height)?;
        let key = (application.to_owned(), service.to_owned(), start);
        let request = session::QueryGetSessionRequest {
            application_address: application.to_owned(),
            service_id: service.to_owned(),
            block_height: start,
        };
        let (grpc, deadline) = (self.grpc.clone(), self.config.timeouts.query);
        let fetch = move || async move {
            let answer = grpc
                .call(&m::GET_SESSION, request.clone(), deadline)
                .await?;
            checked_session(answer.session, &request).map(Arc::new)
        };
        self.caches.sessions.get(key, fetch).await
    }

    /// An application as it is now.
    ///
    /// # Errors
    /// [`Error`] when the node cannot say.
    pub async fn application(
        &self,
        address: &str,
    ) -> Result<Option<Arc<application::Application>>> {
        let (grpc, deadline) = (self.grpc.clone(), self.config.timeouts.query);
        let request = application::QueryGetApplicationRequest {
            address: address.to_owned(),
        };
        let fetch = move || async move {
            let asked = request.address.clone();
            let Some(answer) = grpc.find(&m::APPLICATION, request, deadline).await? else {
                return Ok(None);
            };
            same("application", &asked, &answer.application.address)?;
            Ok(Some(Arc::new(answer.application)))
        };
        self.caches
            .applications
            .get((self.height(), address.to_owned()), fetch)
            .await
    }

    /// A supplier as it is now, with its services and their history.
    ///
    /// # Errors
    /// [`Error`] when the node cannot say.
    pub async fn supplier(&self, operator: &str) -> Result<Option<Arc<shared::Supplier>>> {
        let (grpc, deadline) = (self.grpc.clone(), self.config.timeouts.query);
        let request = supplier::QueryGetSupplierRequest {
            operator_address: operator.to_owned(),
            ..Default::default()
        };
        let fetch = move || async move {
            let asked = request.operator_address.clone();
            let Some(answer) = grpc.find(&m::SUPPLIER, request, deadline).await? else {
                return Ok(None);
            };
            same("supplier", &asked, &answer.supplier.operator_address)?;
            Ok(Some(Arc::new(answer.supplier)))
        };
        self.caches
            .suppliers
            .get((self.height(), operator.to_owned()), fetch)
            .await
    }

    /// A service as it is now, with its card.
    ///
    /// # Errors
    /// [`Error`] when the node cannot say.
    pub async fn service(&self, id: &str) -> Result<Option<Arc<shared::Service>>> {
        let (grpc, deadline) = (self.grpc.clone(), self.config.timeouts.query);
        let request = service::QueryGetServiceRequest {
            id: id.to_owned(),
            dehydrated: false,
        };
        let fetch = move || async move {
            let asked = request.id.clone();
            let Some(answer) = grpc.find(&m::SERVICE, request, deadline).await? else {
                return Ok(None);
            };
            same("service", &asked, &answer.service.id)?;
            Ok(Some(Arc::new(answer.service)))
        };
        self.caches
            .services
            .get((self.height(), id.to_owned()), fetch)
            .await
    }

    /// A gateway as it is now. Not cached.
    ///
    /// # Errors
    /// [`Error`] when the node cannot say.
    pub async fn gateway(&self, address: &str) -> Result<Option<gateway::Gateway>> {
        let request = gateway::QueryGetGatewayRequest {
            address: address.to_owned(),
            ..Default::default()
        };
        let answer = self
            .grpc
            .find(&m::GATEWAY, request, self.config.timeouts.query)
            .await?;
        let Some(gateway::QueryGetGatewayResponse { gateway }) = answer else {
            return Ok(None);
        };
        same("gateway", address, &gateway.address)?;
        Ok(Some(gateway))
    }

    /// The relay difficulty of a service at `height`: it decides which relays of a session that
    /// started then are mined. `None` for an unknown service.
    ///
    /// # Errors
    /// [`Error`] when the node cannot say, and for a height above the latest.
    pub async fn difficulty_at(
        &self,
        service: &str,
        height: i64,
    ) -> Result<Option<service::RelayMiningDifficulty>> {
        self.committed("difficulty_at", height)?;
        let (grpc, deadline) = (self.grpc.clone(), self.config.timeouts.query);
        let request = service::QueryGetRelayMiningDifficultyAtHeightRequest {
            service_id: service.to_owned(),
            block_height: height,
        };
        let fetch = move || async move {
            let asked = request.service_id.clone();
            let Some(answer) = grpc.find(&m::DIFFICULTY_AT, request, deadline).await? else {
                return Ok(None);
            };
            let difficulty = answer.relay_mining_difficulty;
            same("difficulty", &asked, &difficulty.service_id)?;
            if difficulty.target_hash.len() != 32 {
                let reason = format!("target of {} bytes", difficulty.target_hash.len());
                return Err(Error::malformed("difficulty", reason));
            }
            Ok(Some(difficulty))
        };
        let key = (service.to_owned(), height);
        self.caches
            .difficulties
            .get_if(key, Option::is_some, fetch)
            .await
    }

    /// The compute units of one relay of a service at `height`: the weight of a leaf. `None` for an
    /// unknown service. Nodes too old to know say what holds now.
    ///
    /// # Errors
    /// [`Error`] when the node cannot say, and for a height above the latest.
    pub async fn compute_units_at(&self, service: &str, height: i64) -> Result<Option<u64>> {
        self.committed("compute_units_at", height)?;
        let (grpc, deadline) = (self.grpc.clone(), self.config.timeouts.query);
        let request = service::QueryComputeUnitsPerRelayAtHeightRequest {
            service_id: service.to_owned(),
            block_height: height,
        };
        let fetch = move || async move {
            let answer = grpc.find(&m::COMPUTE_UNITS_AT, request, deadline).await?;
            match answer.map(|answer| answer.compute_units_per_relay) {
                Some(0) => Err(Error::malformed("compute units", "0 for one relay")),
                units => Ok(units),
            }
        };
        let key = (service.to_owned(), height);
        match self
            .caches
            .compute_units
            .get_if(key, Option::is_some, fetch)
            .await
        {
            Err(Error::Refused {
                code: Code::Unimplemented,
                ..
            }) => Ok(self
                .service(service)
                .await?
                .map(|service| service.compute_units_per_relay)),
            result => result,
        }
    }

    /// An account as it is now. Not cached.
    ///
    /// # Errors
    /// [`Error`] when the node cannot say; [`Error::Malformed`] for an account of an unknown kind.
    pub async fn account(&self, address: &str) -> Result<Option<Account>> {
        account(&self.grpc, self.config.timeouts.query, address).await
    }

    /// The public key of an account: `None` until its first transaction. Known keys are kept for
    /// good, absence is not.
    ///
    /// # Errors
    /// As [`Chain::account`].
    pub async fn public_key(&self, address: &str) -> Result<Option<PublicKey>> {
        let (grpc, deadline) = (self.grpc.clone(), self.config.timeouts.query);
        let owned = address.to_owned();
        let fetch = move || async move {
            let found = account(&grpc, deadline, &owned).await?;
            Ok(found.and_then(|account| account.public_key))
        };
        self.caches
            .public_keys
            .get_if(address.to_owned(), Option::is_some, fetch)
            .await
    }

    /// A balance in the smallest unit of `denom`; 0 for an account that does not exist. Not cached.
    ///
    /// # Errors
    /// [`Error`] when the node cannot say; [`Error::Malformed`] for an answer that names no amount.
    pub async fn balance(&self, address: &str, denom: &str) -> Result<u128> {
        let request = bank::QueryBalanceRequest {
            address: address.to_owned(),
            denom: denom.to_owned(),
        };
        let answer = self
            .grpc
            .call(&m::BALANCE, request, self.config.timeouts.query)
            .await?;
        let coin = answer
            .balance
            .ok_or_else(|| Error::malformed("balance", "no coin"))?;
        if coin.denom != denom {
            return Err(Error::malformed(
                "balance",
                format!("asked for {denom}, got {}", coin.denom),
            ));
        }
        let wrong = |_| Error::malformed("balance", format!("`{}` is no amount", coin.amount));
        coin.amount.parse().map_err(wrong)
    }

    /// A claim as it is now; `None` before it is made and after it is settled. Not cached.
    ///
    /// # Errors
    /// [`Error`] when the node cannot say.
    pub async fn claim(&self, session_id: &str, operator: &str) -> Result<Option<proof::Claim>> {
        let request = proof::QueryGetClaimRequest {
            session_id: session_id.to_owned(),
            supplier_operator_address: operator.to_owned(),
        };
        let answer = self
            .grpc
            .find(&m::CLAIM, request, self.config.timeouts.query)
            .await?;
        let Some(proof::QueryGetClaimResponse { claim }) = answer else {
            return Ok(None);
        };
        same("claim", operator, &claim.supplier_operator_address)?;
        let header = claim.session_header.as_ref();
        let session = header.map_or("", |header| header.session_id.as_str());
        same("claim", session_id, session)?;
        Ok(Some(claim))
    }

    /// All claims of a supplier that are not settled. Not cached.
    ///
    /// # Errors
    /// [`Error`] when the node cannot say.
    pub async fn claims_of(&self, operator: &str) -> Result<Vec<proof::Claim>> {
        use proof::query_all_claims_request::Filter;
        let request = |pagination| proof::QueryAllClaimsRequest {
            pagination: Some(pagination),
            filter: Some(Filter::SupplierOperatorAddress(operator.to_owned())),
        };
        self.list(&m::ALL_CLAIMS, request, |answer| {
            (answer.claims, answer.pagination)
        })
        .await
    }

    /// All applications, or those that delegate to `gateway`. Not cached.
    ///
    /// # Errors
    /// [`Error`] when the node cannot say.
    pub async fn applications(
        &self,
        gateway: Option<&str>,
    ) -> Result<Vec<application::Application>> {
        let request = |pagination| application::QueryAllApplicationsRequest {
            pagination: Some(pagination),
            delegatee_gateway_address: gateway.unwrap_or_default().to_owned(),
        };
        let split = |answer: application::QueryAllApplicationsResponse| {
            (answer.applications, answer.pagination)
        };
        self.list(&m::ALL_APPLICATIONS, request, split).await
    }

    /// All suppliers, without their services. Not cached.
    ///
    /// # Errors
    /// [`Error`] when the node cannot say.
    pub async fn suppliers(&self) -> Result<Vec<shared::Supplier>> {
        let request = |pagination| supplier::QueryAllSuppliersRequest {
            pagination: Some(pagination),
            ..Default::default()
        };
        self.list(&m::ALL_SUPPLIERS, request, |answer| {
            (answer.supplier, answer.pagination)
        })
        .await
    }

    /// All services, without their cards. Not cached.
    ///
    /// # Errors
    /// [`Error`] when the node cannot say.
    pub async fn services(&self) -> Result<Vec<shared::Service>> {
        let request = |pagination| service::QueryAllServicesRequest {
            pagination: Some(pagination),
            dehydrated: true,
        };
        self.list(&m::ALL_SERVICES, request, |answer| {
            (answer.service, answer.pagination)
        })
        .await
    }

    /// All gateways. Not cached.
    ///
    /// # Errors
    /// [`Error`] when the node cannot say.
    pub async fn gateways(&self) -> Result<Vec<gateway::Gateway>> {
        let request = |pagination| gateway::QueryAllGatewaysRequest {
            pagination: Some(pagination),
            ..Default::default()
        };
        self.list(&m::ALL_GATEWAYS, request, |answer| {
            (answer.gateways, answer.pagination)
        })
        .await
    }

    /// Follows a listing to its end. All pages are of one state, so that nothing is listed twice or
    /// not at all.
    async fn list<Q, A, T>(
        &self,
        method: &Method<Q, A>,
        request: impl Fn(PageRequest) -> Q,
        split: impl Fn(A) -> (Vec<T>, Option<PageResponse>),
    ) -> Result<Vec<T>>
    where
        Q: prost::Message + Clone + Send + Sync + 'static,
        A: prost::Message + Default + Send + Sync + 'static,
    {
        let height = self.height();
        let mut all = Vec::new();
        let mut key = bytes::Bytes::new();
        for _ in 0..limits::PAGES {
            let page = PageRequest {
                key: key.clone(),
                limit: limits::PAGE,
                ..Default::default()
            };
            let request = request(page);
            let deadline = self.config.timeouts.bulk;
            let answer = crate::grpc::retry(|| {
                self.grpc
                    .call_once(method, request.clone(), Some(height), deadline)
            })
            .await?;
            let (mut items, page) = split(answer);
            all.append(&mut items);
            match page {
                Some(page) if !page.next_key.is_empty() => key = page.next_key,
                _ => return Ok(all),
            }
        }
        Err(Error::malformed(
            method.path,
            format!("more than {} pages", limits::PAGES),
        ))
    }

    /// What is asked at a height is kept for good, so the height must be past.
    fn committed(&self, what: &str, height: i64) -> Result<()> {
        let latest = self.height();
        if height <= latest {
            return Ok(());
        }
        let reason = format!("height {height} is above the latest block {latest}");
        Err(Error::Refused {
            method: what.to_owned(),
            code: Code::OutOfRange,
            message: reason,
        })
    }
}

/// First block of the session that `height` lies in.
fn session_start(params: &shared::Params, height: i64) -> Result<i64> {
    let grid = Grid::new(params).map_err(|error| Error::malformed("shared params", error))?;
    Ok(grid.start(Height(height)).0)
}

/// An answer about something else, or about nothing, is no answer.
fn same(what: &str, asked: &str, got: &str) -> Result<()> {
    if asked == got {
        return Ok(());
    }
    Err(Error::malformed(
        what,
        format!("asked for `{asked}`, got `{got}`"),
    ))
}

/// A session that is whole and the one asked for.
fn checked_session(
    session: Option<session::Session>,
    request: &session::QueryGetSessionRequest,
) -> Result<session::Session> {
    let wrong = |reason: &str| Error::malformed("session", reason);
    let session = session.ok_or_else(|| wrong("empty answer"))?;
    let header = session.header.as_ref().ok_or_else(|| wrong("no header"))?;
    if header.application_address != request.application_address
        || header.service_id != request.service_id
    {
        return Err(wrong("of another application or service"));
    }
    let (start, end) = (
        header.session_start_block_height,
        header.session_end_block_height,
    );
    if !(start..=end).contains(&request.block_height) {
        return Err(wrong(&format!(
            "blocks {start} to {end} do not hold {}",
            request.block_height
        )));
    }
    if header.session_id.is_empty() || session.application.is_none() {
        return Err(wrong("no id or no application"));
    }
    Ok(session)
}

async fn account(
    grpc: &crate::grpc::Grpc,
    deadline: std::time::Duration,
    address: &str,
) -> Result<Option<Account>> {
    let request = auth::QueryAccountRequest {
        address: address.to_owned(),
    };
    let Some(answer) = grpc.find(&m::ACCOUNT, request, deadline).await? else {
        return Ok(None);
    };
    let any = answer
        .account
        .ok_or_else(|| Error::malformed("account", "empty answer"))?;
    let base = base_account(&any)?;
    same("account", address, &base.address)?;
    let public_key = base.pub_key.as_ref().map(public_key).transpose()?.flatten();
    Ok(Some(Account {
        address: base.address,
        public_key,
        number: base.account_number,
        sequence: base.sequence,
    }))
}

#[cfg(test)]
mod tests;
