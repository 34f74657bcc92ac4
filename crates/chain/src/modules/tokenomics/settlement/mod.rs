//! Settlement of the claims whose proof window closes with this block (chain specification 3.2 to 3.7).
//!
//! In five steps: claims are collected ([`due`]); every session gets a budget from its application's stake ([`round`]);
//! each claim in turn is settled, expired or discarded ([`claim`], [`logic`]), which queues operations and touches
//! nothing but the round's own copies of applications; the proposers' pools are divided ([`rewards`]); then the state
//! changes: applications are written, queued coins move in sums ([`execute`]), suppliers without proof are slashed.
//!
//! The cost is linear in the claims due: what claims share is looked up once, and nothing is scanned but the index of
//! the heights in question.

use std::collections::BTreeMap;

use proto::pocket::proof::Claim;
use proto::pocket::tokenomics::{EventClaimDiscarded, EventSupplierSlashed};
use protocol::Upokt;

use super::validators::BondedValidator;
use crate::context::Context;
use crate::error::ChainError;
use crate::modules::proof;
use crate::modules::shared::coin;
use crate::modules::supplier;

mod claim;
mod due;
mod execute;
mod logic;
mod operations;
mod rewards;
mod round;

use claim::{ClaimError, Outcome};
use round::{Pools, Round, header};

/// Settles every claim that is due. Gives the leaves that settled, by service. Validators, each with all its delegations,
/// are asked for only when there is something to divide among them.
///
/// # Errors
/// When the store fails.
pub(super) fn settle(
    ctx: &mut Context<'_>,
    validators: impl FnOnce(&Context<'_>) -> Result<Vec<BondedValidator>, ChainError>,
) -> Result<BTreeMap<String, u64>, ChainError> {
    let due = due::collect(ctx)?;
    if due.is_empty() {
        return Ok(BTreeMap::new());
    }
    let mut round = Round::new(ctx)?;
    round.set_budgets(ctx, &due)?;
    let mut relays = BTreeMap::<String, u64>::new();
    let mut expired = Vec::new();
    for claim in &due {
        match round.settle_or_restore(ctx, claim) {
            Ok(Outcome::Settled(count)) => {
                let sum = relays.entry(header(claim).service_id.clone()).or_default();
                *sum = sum.saturating_add(count);
            }
            Ok(Outcome::Expired) => expired.push(claim),
            Err(ClaimError::Chain(error)) => return Err(error),
            Err(ClaimError::Refused { reason, .. }) => discard(ctx, claim, &reason)?,
        }
        proof::remove_claim(ctx, claim);
    }
    if round.pools != Pools::default() {
        let validators = validators(ctx)?;
        round.reward_validators(ctx, &validators)?;
    }
    round.save_applications(ctx)?;
    execute::run(ctx, &round.results, round.first_settled_end)?;
    slash(ctx, &round, &expired)?;
    Ok(relays)
}

/// What validators and delegators get of a pool alone, whatever the claims: amounts by recipient.
///
/// # Errors
/// When the store fails.
#[cfg(test)]
pub(super) fn reward(
    ctx: &mut Context<'_>,
    validators: &[BondedValidator],
    pool: u128,
    reason: i32,
) -> Result<BTreeMap<String, u128>, ChainError> {
    let mut round = Round::new(ctx)?;
    if reason == 20 {
        round.pools.of_burn = Upokt(pool);
    } else {
        round.pools.of_mint = Upokt(pool);
    }
    round.reward_validators(ctx, validators)?;
    let payments = round.results.iter().flat_map(|result| &result.payments);
    Ok(payments
        .map(|payment| (payment.recipient.clone(), payment.amount.0))
        .collect())
}

/// Tells why a claim is worth nothing to anybody. It is removed, so that it cannot block what follows.
fn discard(ctx: &mut Context<'_>, claim: &Claim, reason: &str) -> Result<(), ChainError> {
    let header = header(claim);
    let operator = &claim.supplier_operator_address;
    ctx.emit(&EventClaimDiscarded {
        error: format!(
            "[UNEXPECTED ERROR] Critical error during claim settlement during session {:?} for operator {operator} \
             and service {}. Claim will be discarded to prevent chain halt: {reason}: internal claim settlement error",
            header.session_id, header.service_id
        ),
        service_id: header.service_id.clone(),
        application_address: header.application_address.clone(),
        session_end_block_height: header.session_end_block_height,
        claim_proof_status_int: claim.proof_validation_status,
        supplier_operator_address: operator.clone(),
    })
}

/// Slashes the suppliers of expired claims, once for each. A stake that the module's account does not hold is left as
/// it is (quirk Q16).
fn slash(ctx: &mut Context<'_>, round: &Round, expired: &[&Claim]) -> Result<(), ChainError> {
    if expired.is_empty() {
        return Ok(());
    }
    let penalty = proof::params(ctx)?.proof_missing_penalty;
    let penalty = penalty.as_ref().map_or(0, coin::payable);
    for claim in expired {
        let operator = claim.supplier_operator_address.as_str();
        let services = round.claimed_services(operator);
        let slash = match supplier::slash(ctx, operator, penalty, services) {
            Ok(Some(slash)) => slash,
            Ok(None) => continue,
            Err(ChainError::Refused(refused)) if refused.code != crate::sdk::PANIC => {
                tracing::error!(operator, %refused, "stake of a slashed supplier is not there");
                continue;
            }
            Err(error) => return Err(error),
        };
        let header = header(claim);
        ctx.emit(&EventSupplierSlashed {
            proof_missing_penalty: Upokt(slash.penalty_upokt).to_string(),
            service_id: header.service_id.clone(),
            application_address: header.application_address.clone(),
            session_end_block_height: header.session_end_block_height,
            claim_proof_status_int: claim.proof_validation_status,
            supplier_operator_address: operator.to_owned(),
            supplier_stake_after_slash: Upokt(slash.stake_after_upokt).to_string(),
        })?;
    }
    Ok(())
}
