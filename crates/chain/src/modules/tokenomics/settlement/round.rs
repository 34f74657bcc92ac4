//! One settlement: the params it runs under, what its claims share, and what has been decided so far.

use std::collections::BTreeMap;
use std::sync::Arc;

use proto::pocket::application::Application;
use proto::pocket::proof::{Claim, ClaimProofStatus};
use proto::pocket::session::SessionHeader;
use proto::pocket::shared::{Service, Supplier, SupplierServiceConfig};
use proto::pocket::tokenomics::Params;
use protocol::claim::ProofRequirement;
use protocol::decimal::Ratio;
use protocol::params::pending_sessions;
use protocol::settlement::{Percentages, SessionBudget, with_surcharge};
use protocol::{ProtocolError, Upokt};

use super::claim::{ClaimError, Outcome};
use super::operations::Operations;
use crate::context::Context;
use crate::error::ChainError;
use crate::modules::proof::{Appraiser, Worth};
use crate::modules::shared::coin;
use crate::modules::tokenomics::params;
use crate::modules::{application, service, supplier};

/// Params in the form that the arithmetic wants.
pub(super) struct Terms {
    pub(super) params: Params,
    pub(super) inflation: Ratio,
    pub(super) mint_ratio: Ratio,
    pub(super) of_burn: Percentages,
    pub(super) of_mint: Percentages,
    pub(super) application_min_stake: Upokt,
}

/// Application and session id: what claims share a budget by.
type Session = (String, String);

/// Operator, service and height: what an offer is of.
type Offer = (String, String, i64);

/// One settlement.
pub(super) struct Round {
    pub(super) terms: Terms,
    pub(super) appraiser: Appraiser,
    applications: BTreeMap<String, Stored>,
    suppliers: BTreeMap<String, Option<Supplier>>,
    services: BTreeMap<String, Option<Service>>,
    compute_units: BTreeMap<(String, i64), Option<u64>>,
    offers: BTreeMap<Offer, Option<Arc<SupplierServiceConfig>>>,
    budgets: BTreeMap<Session, SessionBudget>,
    /// Services by the operator who claimed them.
    claimed: BTreeMap<String, Vec<String>>,
    /// The proposers' parts of claims' mints and of inflation.
    pub(super) pools: Pools,
    /// Operations of settled claims in order; at the end, those of the validators.
    pub(super) results: Vec<Operations>,
    /// End of the session of the first settled claim, which the batch events show.
    pub(super) first_settled_end: Option<i64>,
}

/// What the proposers of blocks share.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Pools {
    pub(super) of_burn: Upokt,
    pub(super) of_mint: Upokt,
}

/// A record that the round works on in place of the state's.
struct Stored {
    application: Option<Application>,
    changed: bool,
}

/// A claim's header; records always have one.
pub(super) fn header(claim: &Claim) -> &SessionHeader {
    static NONE: SessionHeader = SessionHeader {
        application_address: String::new(),
        service_id: String::new(),
        session_id: String::new(),
        session_start_block_height: 0,
        session_end_block_height: 0,
    };
    claim.session_header.as_ref().unwrap_or(&NONE)
}

fn session_of(claim: &Claim) -> Session {
    let header = header(claim);
    (
        header.application_address.clone(),
        header.session_id.clone(),
    )
}

impl Round {
    /// Under the live params.
    ///
    /// # Errors
    /// When the store fails.
    pub(super) fn new(ctx: &Context<'_>) -> Result<Self, ChainError> {
        let params = params::params(ctx)?;
        let min_stake = coin::stored(application::params(ctx)?.min_stake.as_ref())?;
        let checked = |error: ProtocolError| {
            ChainError::invariant(format!("tokenomics params are checked when set: {error}"))
        };
        let burned = &params.mint_equals_burn_claim_distribution;
        Ok(Self {
            terms: Terms {
                inflation: Ratio::from_double(params.global_inflation_per_claim)
                    .map_err(checked)?,
                mint_ratio: Ratio::from_double(params.mint_ratio).map_err(checked)?,
                of_burn: Percentages::of_burn(burned).map_err(checked)?,
                of_mint: Percentages::of_mint(&params.mint_allocation_percentages)
                    .map_err(checked)?,
                application_min_stake: Upokt(min_stake),
                params,
            },
            appraiser: Appraiser::new(ctx)?,
            applications: BTreeMap::new(),
            suppliers: BTreeMap::new(),
            services: BTreeMap::new(),
            compute_units: BTreeMap::new(),
            offers: BTreeMap::new(),
            budgets: BTreeMap::new(),
            claimed: BTreeMap::new(),
            pools: Pools::default(),
            results: Vec::new(),
            first_settled_end: None,
        })
    }

    /// Gives every session its budget, from the stakes before this settlement: each claim that is due divides it, those
    /// that will settle say what they leave over or want more. A claim that cannot be appraised is passed over here and
    /// discarded later.
    ///
    /// # Errors
    /// When the store fails.
    pub(super) fn set_budgets(
        &mut self,
        ctx: &Context<'_>,
        due: &[Claim],
    ) -> Result<(), ChainError> {
        let mut counts = BTreeMap::<Session, u64>::new();
        for claim in due {
            let count = counts.entry(session_of(claim)).or_default();
            *count = count.saturating_add(1);
        }
        for claim in due {
            let count = counts.get(&session_of(claim)).copied().unwrap_or_default();
            match self.count(ctx, claim, count) {
                Ok(()) | Err(ClaimError::Refused { .. }) => {}
                Err(ClaimError::Chain(error)) => return Err(error),
            }
        }
        Ok(())
    }

    /// Looks for everybody who takes part in a claim. One of them missing discards it, whether it was proven or not, so
    /// that nobody is slashed for it.
    ///
    /// # Errors
    /// [`ClaimError::Refused`] naming who is missing.
    pub(super) fn look_up(&mut self, ctx: &Context<'_>, claim: &Claim) -> Result<(), ClaimError> {
        let header = header(claim);
        self.service(ctx, &header.service_id)?;
        self.compute_units(ctx, header)?;
        self.application(ctx, &header.application_address)?;
        self.supplier(ctx, &claim.supplier_operator_address)?;
        Ok(())
    }

    fn count(&mut self, ctx: &Context<'_>, claim: &Claim, claims: u64) -> Result<(), ClaimError> {
        self.look_up(ctx, claim)?;
        let header = header(claim);
        self.note_claimed(&claim.supplier_operator_address, &header.service_id);
        let application = self.application(ctx, &header.application_address)?;
        let (stake, limit) = (
            coin::stored(application.stake.as_ref())?,
            coin::stored(application.per_session_spend_limit.as_ref())?,
        );
        let worth = self.appraiser.worth(ctx, claim)?;
        if !settles(
            claim,
            self.appraiser.requirement(ctx, claim, worth.claimed)?,
        ) {
            return Ok(());
        }
        let wanted = with_surcharge(worth.claimed, &self.terms.inflation)?;
        let shared = self
            .appraiser
            .shared_at(ctx, header.session_end_block_height)?;
        let budget = self.budgets.entry(session_of(claim)).or_insert_with(|| {
            SessionBudget::new(
                Upokt(stake),
                Some(Upokt(limit)),
                pending_sessions(&shared),
                claims,
            )
        });
        Ok(budget.count(wanted)?)
    }

    /// Settles a claim. When it is refused, nothing of it stays, except that in the reference the stake it took from the
    /// application's record stays taken, and what it gave to the proposers' pools stays in them (quirk Q4).
    pub(super) fn settle_or_restore(
        &mut self,
        ctx: &mut Context<'_>,
        claim: &Claim,
    ) -> Result<Outcome, ClaimError> {
        let address = &header(claim).application_address;
        let before = self
            .applications
            .get(address)
            .map(|stored| stored.application.clone());
        let pools = self.pools;
        let outcome = self.settle(ctx, claim);
        if outcome.is_err() && ctx.rules.discarded_claim_changes_nothing {
            self.pools = pools;
            if let (Some(before), Some(stored)) = (before, self.applications.get_mut(address)) {
                stored.application = before;
            }
        }
        outcome
    }

    /// The budget of a claim's session.
    pub(super) fn budget(&self, claim: &Claim) -> Result<SessionBudget, ClaimError> {
        self.budgets
            .get(&session_of(claim))
            .copied()
            .ok_or_else(|| ClaimError::refused("session has no budget"))
    }

    fn note_claimed(&mut self, operator: &str, service_id: &str) {
        let services = self.claimed.entry(operator.to_owned()).or_default();
        if !services.iter().any(|known| known == service_id) {
            services.push(service_id.to_owned());
        }
    }

    /// The services that a supplier claimed in this settlement, in the order of its first claims; of claims that lack
    /// somebody nothing counts.
    pub(super) fn claimed_services(&self, operator: &str) -> &[String] {
        self.claimed.get(operator).map_or(&[], Vec::as_slice)
    }

    /// What a claim is worth, and whether it had to be proven.
    pub(super) fn appraise(
        &mut self,
        ctx: &Context<'_>,
        claim: &Claim,
    ) -> Result<(Worth, ProofRequirement), ClaimError> {
        let worth = self.appraiser.worth(ctx, claim)?;
        Ok((
            worth,
            self.appraiser.requirement(ctx, claim, worth.claimed)?,
        ))
    }

    /// The service of a claim.
    pub(super) fn service(&mut self, ctx: &Context<'_>, id: &str) -> Result<&Service, ClaimError> {
        if !self.services.contains_key(id) {
            self.services.insert(id.to_owned(), service::get(ctx, id)?);
        }
        let found = self.services.get(id).and_then(Option::as_ref);
        found.ok_or_else(|| ClaimError::refused("service not found"))
    }

    /// Compute units of a relay at the start of a claim's session.
    pub(super) fn compute_units(
        &mut self,
        ctx: &Context<'_>,
        header: &SessionHeader,
    ) -> Result<u64, ClaimError> {
        let key = (header.service_id.clone(), header.session_start_block_height);
        let units = match self.compute_units.get(&key) {
            Some(units) => *units,
            None => {
                let units = service::compute_units_at(ctx, &key.0, key.1)?;
                self.compute_units.insert(key, units);
                units
            }
        };
        let positive = units.filter(|units| *units > 0);
        positive.ok_or_else(|| ClaimError::refused("service has no compute units per relay"))
    }

    /// What a supplier offers for a service at a height.
    pub(super) fn offer(
        &mut self,
        ctx: &Context<'_>,
        operator: &str,
        service_id: &str,
        height: i64,
    ) -> Result<Option<Arc<SupplierServiceConfig>>, ChainError> {
        let key = (operator.to_owned(), service_id.to_owned(), height);
        if let Some(offer) = self.offers.get(&key) {
            return Ok(offer.clone());
        }
        let offer = supplier::active_config_at(ctx, operator, service_id, height)?.map(Arc::new);
        self.offers.insert(key, offer.clone());
        Ok(offer)
    }

    /// The supplier of a claim.
    pub(super) fn supplier(
        &mut self,
        ctx: &Context<'_>,
        operator: &str,
    ) -> Result<&Supplier, ClaimError> {
        if !self.suppliers.contains_key(operator) {
            self.suppliers
                .insert(operator.to_owned(), supplier::get(ctx, operator)?);
        }
        let found = self.suppliers.get(operator).and_then(Option::as_ref);
        found.ok_or_else(|| ClaimError::refused("supplier not found"))
    }

    /// The application of a claim, as the claims before have left it.
    pub(super) fn application(
        &mut self,
        ctx: &Context<'_>,
        address: &str,
    ) -> Result<&mut Application, ClaimError> {
        if !self.applications.contains_key(address) {
            let application = application::get(ctx, address)?;
            self.applications.insert(
                address.to_owned(),
                Stored {
                    application,
                    changed: false,
                },
            );
        }
        let found = self.applications.get_mut(address);
        found
            .and_then(|stored| stored.application.as_mut())
            .ok_or_else(|| ClaimError::refused("application not found"))
    }

    /// Takes an amount from the application's record. What is missing is told by `short`, in its own words.
    pub(super) fn take_stake(
        &mut self,
        ctx: &Context<'_>,
        address: &str,
        amount: Upokt,
        short: impl FnOnce(Upokt) -> String,
    ) -> Result<(), ClaimError> {
        let application = self.application(ctx, address)?;
        let stake = Upokt(coin::stored(application.stake.as_ref())?);
        let left = stake.minus(amount).map_err(|_| ClaimError::Refused {
            reason: short(amount.minus_or_zero(stake)),
            is_internal: false,
        })?;
        application.stake = Some(left.to_coin());
        if let Some(stored) = self.applications.get_mut(address) {
            stored.changed = true;
        }
        Ok(())
    }

    /// Writes the applications that have changed.
    ///
    /// # Errors
    /// When the store fails.
    pub(super) fn save_applications(&self, ctx: &mut Context<'_>) -> Result<(), ChainError> {
        for stored in self.applications.values().filter(|stored| stored.changed) {
            if let Some(application) = &stored.application {
                application::save(ctx, application)?;
            }
        }
        Ok(())
    }
}

/// Whether a claim is paid: proven, or not asked to be.
pub(super) fn settles(claim: &Claim, requirement: ProofRequirement) -> bool {
    claim.proof_validation_status == i32::from(ClaimProofStatus::Validated)
        || !requirement.is_required()
}
