//! What becomes of one claim.

use proto::pocket::application::{ApplicationUnbondingReason, EventApplicationUnbondingBegin};
use proto::pocket::proof::{Claim, ClaimProofStatus};
use proto::pocket::tokenomics::{
    ClaimExpirationReason, EventApplicationOverserviced, EventClaimExpired, EventClaimSettled,
    RewardDistributionDetail,
};
use protocol::claim::ProofRequirement;
use protocol::decimal::shortest_text;
use protocol::{ProtocolError, Upokt};

use super::operations::Operations;
use super::round::{Round, header, settles};
use crate::context::Context;
use crate::error::ChainError;
use crate::modules::proof::{AppraisalError, Worth};
use crate::modules::shared::{self, coin, grid};

/// How a claim ended without an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Paid, as far as the budget goes; with its number of leaves.
    Settled(u64),
    /// A proof was required, and there was none or a wrong one.
    Expired,
}

/// Why a claim has no outcome.
#[derive(Debug)]
pub(super) enum ClaimError {
    /// It is discarded.
    Refused {
        /// Why.
        reason: String,
        /// Whether the event names it an internal error of a token logic module.
        is_internal: bool,
    },
    /// The store failed.
    Chain(ChainError),
}

impl ClaimError {
    /// A reason to discard a claim.
    pub(super) fn refused(reason: impl Into<String>) -> Self {
        Self::Refused {
            reason: reason.into(),
            is_internal: true,
        }
    }
}

impl From<ChainError> for ClaimError {
    fn from(error: ChainError) -> Self {
        Self::Chain(error)
    }
}

impl From<ProtocolError> for ClaimError {
    fn from(error: ProtocolError) -> Self {
        Self::refused(error.to_string())
    }
}

impl From<AppraisalError> for ClaimError {
    fn from(error: AppraisalError) -> Self {
        match error {
            AppraisalError::Protocol(error) => error.into(),
            AppraisalError::Chain(error) => error.into(),
        }
    }
}

impl Round {
    /// Settles or expires a claim.
    ///
    /// # Errors
    /// [`ClaimError::Refused`] when it must be discarded.
    pub(super) fn settle(
        &mut self,
        ctx: &mut Context<'_>,
        claim: &Claim,
    ) -> Result<Outcome, ClaimError> {
        let header = header(claim);
        self.look_up(ctx, claim)?;
        let owner = self.supplier(ctx, &claim.supplier_operator_address)?;
        let owner = owner.owner_address.clone();
        let (worth, requirement) = self.appraise(ctx, claim)?;
        if !settles(claim, requirement) {
            expire(ctx, claim, &worth)?;
            return Ok(Outcome::Expired);
        }
        self.check_sum(ctx, claim, &worth)?;
        let settled = self.cap(ctx, claim, worth.claimed)?;
        let mut operations = Operations::default();
        if !settled.is_zero() {
            self.run_logic(ctx, claim, settled, &mut operations)?;
            self.stop_below_min_stake(ctx, &header.application_address)?;
        }
        self.emit_settled(
            ctx,
            claim,
            &worth,
            requirement,
            settled,
            &owner,
            &operations,
        )?;
        self.first_settled_end
            .get_or_insert(header.session_end_block_height);
        self.results.push(operations);
        Ok(Outcome::Settled(worth.work.relays))
    }

    fn check_sum(
        &mut self,
        ctx: &Context<'_>,
        claim: &Claim,
        worth: &Worth,
    ) -> Result<(), ClaimError> {
        let units = self.compute_units(ctx, header(claim))?;
        let work = &worth.work;
        let weighs = if ctx.rules.checked_claim_sums {
            work.weighs(units)
        } else {
            work.weighs_wrapping(units)
        };
        if weighs {
            return Ok(());
        }
        Err(ClaimError::refused(format!(
            "mismatch: claim compute units ({}) != number of relays ({}) * service compute units per relay ({units}): \
             the root hash in the claim is invalid",
            work.compute_units, work.relays
        )))
    }

    /// What of a claim the application's budget pays.
    fn cap(
        &mut self,
        ctx: &mut Context<'_>,
        claim: &Claim,
        claimed: Upokt,
    ) -> Result<Upokt, ClaimError> {
        let budget = self.budget(claim)?;
        let bonus = self.terms.params.overservicing_bonus_multiplier;
        let capped = budget.cap(claimed, &self.terms.inflation, bonus)?;
        if capped.settled < claimed {
            let header = header(claim);
            ctx.emit(&EventApplicationOverserviced {
                application_addr: header.application_address.clone(),
                supplier_operator_addr: claim.supplier_operator_address.clone(),
                expected_burn: capped.expected_burn.to_string(),
                effective_burn: capped.effective_burn.to_string(),
                service_id: header.service_id.clone(),
                session_end_block_height: header.session_end_block_height,
                spend_limit_exceeded: budget.spend_limit_exceeded,
            })?;
        }
        Ok(capped.settled)
    }

    /// An application that has paid itself below the minimum stops at the end of the running session.
    fn stop_below_min_stake(
        &mut self,
        ctx: &mut Context<'_>,
        address: &str,
    ) -> Result<(), ClaimError> {
        let min_stake = self.terms.application_min_stake;
        let application = self.application(ctx, address)?;
        if Upokt(coin::stored(application.stake.as_ref())?) >= min_stake {
            return Ok(());
        }
        let shared = shared::current(ctx)?;
        let session_end_height = grid::end(&shared, ctx.block.height);
        application.unstake_session_end_height = grid::unsigned(session_end_height);
        ctx.emit(&EventApplicationUnbondingBegin {
            application: Some(application.clone()),
            reason: ApplicationUnbondingReason::BelowMinStake.into(),
            session_end_height,
            unbonding_end_height: grid::unbonding_end(
                &shared,
                session_end_height,
                shared.application_unbonding_period_sessions,
            ),
        })?;
        Ok(())
    }

    #[allow(clippy::too_many_arguments)]
    fn emit_settled(
        &self,
        ctx: &mut Context<'_>,
        claim: &Claim,
        worth: &Worth,
        requirement: ProofRequirement,
        settled: Upokt,
        owner: &str,
        operations: &Operations,
    ) -> Result<(), ClaimError> {
        let header = header(claim);
        let minted = self.terms.mint_ratio.floor_of(settled)?;
        let mut rewards = std::collections::BTreeMap::<String, Upokt>::new();
        for payment in &operations.payments {
            let sum = rewards.entry(payment.recipient.clone()).or_default();
            *sum = sum.plus(payment.amount)?;
        }
        let detailed = operations
            .payments
            .iter()
            .map(|payment| RewardDistributionDetail {
                recipient_address: payment.recipient.clone(),
                op_reason: payment.reason.into(),
                amount: payment.amount.to_string(),
            });
        Ok(ctx.emit(&EventClaimSettled {
            proof_requirement_int: requirement as i32,
            num_relays: worth.work.relays,
            num_claimed_compute_units: worth.work.compute_units,
            num_estimated_compute_units: worth.estimated_compute_units,
            claimed_upokt: worth.claimed.to_string(),
            service_id: header.service_id.clone(),
            application_address: header.application_address.clone(),
            session_end_block_height: header.session_end_block_height,
            claim_proof_status_int: claim.proof_validation_status,
            supplier_operator_address: claim.supplier_operator_address.clone(),
            reward_distribution: rewards
                .into_iter()
                .map(|(recipient, amount)| (recipient, amount.to_string()))
                .collect(),
            reward_distribution_detailed: detailed.collect(),
            settled_upokt: settled.to_string(),
            mint_ratio: shortest_text(self.terms.params.mint_ratio),
            session_id: header.session_id.clone(),
            supplier_owner_address: owner.to_owned(),
            num_estimated_relays: worth.estimated_relays,
            minted_upokt: minted.to_string(),
            overservicing_loss_upokt: worth.claimed.minus(settled)?.to_string(),
            deflation_loss_upokt: settled.minus(minted)?.to_string(),
        })?)
    }
}

fn expire(ctx: &mut Context<'_>, claim: &Claim, worth: &Worth) -> Result<(), ChainError> {
    let header = header(claim);
    let is_invalid = claim.proof_validation_status == i32::from(ClaimProofStatus::Invalid);
    let reason = if is_invalid {
        ClaimExpirationReason::ProofInvalid
    } else {
        ClaimExpirationReason::ProofMissing
    };
    ctx.emit(&EventClaimExpired {
        expiration_reason: reason.into(),
        num_relays: worth.work.relays,
        num_claimed_compute_units: worth.work.compute_units,
        num_estimated_compute_units: worth.estimated_compute_units,
        claimed_upokt: worth.claimed.to_string(),
        service_id: header.service_id.clone(),
        application_address: header.application_address.clone(),
        session_end_block_height: header.session_end_block_height,
        claim_proof_status_int: claim.proof_validation_status,
        supplier_operator_address: claim.supplier_operator_address.clone(),
        num_estimated_relays: worth.estimated_relays,
    })
}
