//! What claims are worth and whether they must be proven (chain specification 1.7), with what many claims have in
//! common looked up once: claims of one settlement share a few services, starts and ends.

use std::collections::BTreeMap;

use proto::pocket::proof::{Claim, ClaimProofStatus};
use proto::pocket::shared::Params as SharedParams;
use protocol::claim::{self, ClaimedWork, Pricing, ProofRequirement};
use protocol::height::Height;
use protocol::session::{Grid, Windows};
use protocol::{ProtocolError, Upokt};

use super::{params, state};
use crate::context::Context;
use crate::error::ChainError;
use crate::modules::shared::coin;
use crate::modules::{service, session, shared};

/// The amounts of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Worth {
    /// Sum and count of its root.
    pub work: ClaimedWork,
    /// What it asks for.
    pub claimed: Upokt,
    /// Compute units that were probably done.
    pub estimated_compute_units: u64,
    /// Relays that were probably served.
    pub estimated_relays: u64,
}

/// Why a claim cannot be appraised.
#[derive(Debug, thiserror::Error)]
pub enum AppraisalError {
    /// Its root, or the numbers that price it, are outside of what can be computed.
    #[error(transparent)]
    Protocol(#[from] ProtocolError),
    /// The store failed.
    #[error(transparent)]
    Chain(#[from] ChainError),
}

/// Appraises claims, and remembers what they share.
pub struct Appraiser {
    threshold: Upokt,
    probability: f64,
    shared: BTreeMap<i64, SharedParams>,
    prices: BTreeMap<(String, i64), Pricing>,
    seeds: BTreeMap<i64, Vec<u8>>,
}

impl Appraiser {
    /// With the live proof params.
    ///
    /// # Errors
    /// When the store fails.
    pub fn new(ctx: &Context<'_>) -> Result<Self, ChainError> {
        let params = params::params(ctx)?;
        Ok(Self {
            threshold: Upokt(
                params
                    .proof_requirement_threshold
                    .as_ref()
                    .map_or(0, coin::payable),
            ),
            probability: params.proof_request_probability,
            shared: BTreeMap::new(),
            prices: BTreeMap::new(),
            seeds: BTreeMap::new(),
        })
    }

    /// Shared params at a height.
    ///
    /// # Errors
    /// When the store fails.
    pub fn shared_at(
        &mut self,
        ctx: &Context<'_>,
        height: i64,
    ) -> Result<SharedParams, ChainError> {
        if let Some(params) = self.shared.get(&height) {
            return Ok(*params);
        }
        let params = shared::params_at(ctx, height)?;
        self.shared.insert(height, params);
        Ok(params)
    }

    /// The windows of the session that a claim's header ends with.
    ///
    /// # Errors
    /// When the store fails, or the params have no grid.
    pub fn windows(
        &mut self,
        ctx: &Context<'_>,
        session_end: i64,
    ) -> Result<Windows, AppraisalError> {
        let params = self.shared_at(ctx, session_end)?;
        Ok(Windows::of_height(
            &params,
            &Grid::new(&params)?,
            Height(session_end),
        ))
    }

    /// The hash that draws whether claims of sessions with this end must be proven, and what their proofs must show.
    ///
    /// # Errors
    /// As [`Appraiser::windows`].
    pub fn seed(&mut self, ctx: &Context<'_>, session_end: i64) -> Result<Vec<u8>, AppraisalError> {
        if let Some(hash) = self.seeds.get(&session_end) {
            return Ok(hash.clone());
        }
        let height = self.windows(ctx, session_end)?.seed();
        let hash = session::block_hash(ctx, height.0)?;
        self.seeds.insert(session_end, hash.clone());
        Ok(hash)
    }

    /// What a claim is worth, by prices and difficulty at the start in its header.
    ///
    /// # Errors
    /// When the amounts cannot be computed, or the store fails.
    pub fn worth(&mut self, ctx: &Context<'_>, claim: &Claim) -> Result<Worth, AppraisalError> {
        let work = ClaimedWork::from_root(&claim.root_hash)?;
        let header = state::header(claim);
        let price = self.price(ctx, header.service_id, header.session_start_block_height)?;
        let estimated_compute_units = if ctx.rules.checked_claim_sums {
            price.estimated_compute_units(&work)?
        } else {
            price.estimated_compute_units_wrapping(&work)
        };
        Ok(Worth {
            work,
            claimed: price.claimed(&work)?,
            estimated_compute_units,
            estimated_relays: claim::estimated_relays(&work, estimated_compute_units),
        })
    }

    /// Whether a claim that is worth `claimed` must be proven. By the rule `requirement_drawn_once` the answer does not
    /// depend on the verdict about its proof, except that a claim with an invalid proof was required to have one.
    ///
    /// # Errors
    /// As [`Appraiser::seed`].
    pub fn requirement(
        &mut self,
        ctx: &Context<'_>,
        claim: &Claim,
        claimed: Upokt,
    ) -> Result<ProofRequirement, AppraisalError> {
        let seed = self.seed(ctx, state::header(claim).session_end_block_height)?;
        let draw = |claim: &Claim| {
            claim::requirement(claim, claimed, &seed, self.threshold, self.probability)
        };
        if !ctx.rules.requirement_drawn_once {
            return Ok(draw(claim));
        }
        let drawn = draw(&claim::pending_form(claim));
        let is_invalid = claim.proof_validation_status == i32::from(ClaimProofStatus::Invalid);
        Ok(if is_invalid && !drawn.is_required() {
            ProofRequirement::Probabilistic
        } else {
            drawn
        })
    }

    fn price(
        &mut self,
        ctx: &Context<'_>,
        service_id: String,
        start: i64,
    ) -> Result<&Pricing, AppraisalError> {
        let key = (service_id, start);
        if !self.prices.contains_key(&key) {
            let params = self.shared_at(ctx, start)?;
            let difficulty = service::difficulty_at(ctx, &key.0, start)?;
            let price = Pricing::new(
                &difficulty.target_hash,
                params.compute_units_to_tokens_multiplier,
                params.compute_unit_cost_granularity,
            )?;
            self.prices.insert(key.clone(), price);
        }
        let missing = || ChainError::invariant("a price was just computed");
        Ok(self.prices.get(&key).ok_or_else(missing)?)
    }
}
