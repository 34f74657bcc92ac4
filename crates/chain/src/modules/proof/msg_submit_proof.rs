//! `MsgSubmitProof`: a supplier shows one relay of a claimed tree (chain specification 1.7, relay protocol 6.3). What
//! needs keys, the challenge or the tree is judged at the end of the block.

use proto::pocket::proof::{
    Claim, ClaimProofStatus, EventProofSubmitted, EventProofUpdated, MsgSubmitProof, Proof,
};
use proto::pocket::session::SessionHeader;
use protocol::height::Height;
use protocol::proof::{ProofFailure, Strictness, Submission, check_form};
use protocol::validate;

use super::appraise::{Appraiser, Worth};
use super::error::Error;
use super::msg_create_claim::unpriced;
use super::window::Window;
use super::{MODULE, params, session, state};
use crate::bank;
use crate::context::Context;
use crate::error::{GrpcCode, TxError};
use crate::modules::service;
use crate::modules::shared::{address, coin};
use crate::prices;
use crate::rules::Rules;

/// Bytes of a ring signature for each member: a scalar and a key (relay protocol 3).
const RING_MEMBER_BYTES: usize = 65;

/// Checks the message without state.
pub(super) fn check(message: &MsgSubmitProof) -> Result<(), TxError> {
    let operator = &message.supplier_operator_address;
    if let Err(reason) = address::parse(operator) {
        return Err(TxError::sdk(
            crate::sdk::INVALID_ADDRESS,
            format!("supplier operator address {operator:?}, error: {reason}: invalid address"),
        ));
    }
    let Some(header) = &message.session_header else {
        return Err(Error::InvalidSessionHeader.because("session header is nil"));
    };
    validate::session_header(header).map_err(|error| Error::InvalidSessionHeader.because(error))?;
    if message.proof.is_empty() {
        return Err(Error::InvalidProof.because("proof cannot be empty"));
    }
    Ok(())
}

/// Takes the fee and stores the proof until the end of the block.
pub(super) fn execute(ctx: &mut Context<'_>, message: MsgSubmitProof) -> Result<(), TxError> {
    check(&message).map_err(|error| TxError::status(GrpcCode::InvalidArgument, error))?;
    let MsgSubmitProof {
        supplier_operator_address: operator,
        session_header,
        proof,
    } = message;
    let header = session_header.unwrap_or_default();
    let on_chain = session::on_chain(ctx, &header, &operator, GrpcCode::FailedPrecondition)?;
    let mut appraiser = Appraiser::new(ctx)?;
    let windows = appraiser
        .windows(ctx, on_chain.session_end_block_height)
        .map_err(unpriced)?;
    Window::of_proofs(&windows).require(Height(ctx.block.height))?;
    let proof = Proof {
        supplier_operator_address: operator,
        session_header: Some(on_chain.clone()),
        closest_merkle_proof: proof,
    };
    let ring_members = check_proof(ctx, &on_chain, &proof).map_err(|failure| match failure {
        Refusal::Proof(failure) => TxError::status(GrpcCode::FailedPrecondition, failure),
        Refusal::Other(error) => error,
    })?;
    prices::charge_proof(ctx, proof.closest_merkle_proof.len(), ring_members)?;
    let claim = matching_claim(ctx, &on_chain, &proof.supplier_operator_address)?;
    pay_fee(ctx, &proof.supplier_operator_address)?;
    let worth = appraiser.worth(ctx, &claim).map_err(unpriced)?;
    let requirement = appraiser
        .requirement(ctx, &claim, worth.claimed)
        .map_err(unpriced)?;
    if !requirement.is_required() {
        let text = Error::ProofNotRequired.text();
        return Err(TxError::status(GrpcCode::FailedPrecondition, text));
    }
    let existed = state::save_proof(ctx, &proof)?;
    emit(ctx, &claim, on_chain, &worth, existed)
}

enum Refusal {
    Proof(ProofFailure),
    Other(TxError),
}

/// Checks what needs neither keys nor the challenge; how many members the ring can have that signed the relay.
fn check_proof(
    ctx: &Context<'_>,
    on_chain: &SessionHeader,
    proof: &Proof,
) -> Result<usize, Refusal> {
    let start = on_chain.session_start_block_height;
    let difficulty = service::difficulty_at(ctx, &on_chain.service_id, start)
        .map_err(|error| Refusal::Other(error.into()))?;
    let submission = Submission {
        session_header: on_chain,
        supplier_operator_address: &proof.supplier_operator_address,
        target_hash: &difficulty.target_hash,
        proof: &proof.closest_merkle_proof,
    };
    let formed = check_form(&submission, strictness(&ctx.rules)).map_err(Refusal::Proof)?;
    match formed.proof.expand() {
        Ok(_) => Ok(formed.request.meta.signature.len() / RING_MEMBER_BYTES),
        Err(error) => Err(Refusal::Proof(ProofFailure::Form(error))),
    }
}

/// Which checks beyond the reference's apply on this chain.
pub(super) fn strictness(rules: &Rules) -> Strictness {
    Strictness {
        leaf_bound_to_challenge: rules.bind_leaf_to_challenge,
        path_bound_to_content: rules.bind_path_to_relay,
        leaf_weight: rules.bind_leaf_weight,
        no_wrapping: rules.checked_claim_sums,
        canonical_relay: rules.canonical_relay_bytes,
        exact_relay: rules.strict_relay_form,
    }
}

/// The claim that the proof is for; its header must be the session's.
fn matching_claim(
    ctx: &Context<'_>,
    on_chain: &SessionHeader,
    operator: &str,
) -> Result<Claim, TxError> {
    let refused =
        |error: Error, detail: String| Err(error.status(GrpcCode::FailedPrecondition, detail));
    let session_id = &on_chain.session_id;
    let Some(claim) = state::claim(ctx, session_id, operator)? else {
        return refused(
            Error::ClaimNotFound,
            format!("no claim found for session ID {session_id:?} and supplier {operator:?}"),
        );
    };
    let header = state::header(&claim);
    for (what, claimed, expected, error) in [
        (
            "start",
            header.session_start_block_height,
            on_chain.session_start_block_height,
            Error::InvalidSessionStartHeight,
        ),
        (
            "end",
            header.session_end_block_height,
            on_chain.session_end_block_height,
            Error::InvalidSessionEndHeight,
        ),
    ] {
        if claimed != expected {
            return refused(
                error,
                format!(
                    "claim session {what} height {claimed} does not match proof session {what} height {expected}"
                ),
            );
        }
    }
    for (what, claimed, expected, error) in [
        (
            "application address",
            header.application_address,
            &on_chain.application_address,
            Error::InvalidAddress,
        ),
        (
            "service ID",
            header.service_id,
            &on_chain.service_id,
            Error::ServiceNotFound,
        ),
    ] {
        if claimed != *expected {
            return refused(
                error,
                format!("claim {what} {claimed:?} does not match proof {what} {expected:?}"),
            );
        }
    }
    Ok(claim)
}

/// Moves the fee to the module. The reference wants something to be left afterwards, even without a fee (Q2).
fn pay_fee(ctx: &mut Context<'_>, operator: &str) -> Result<(), TxError> {
    let refused = |error: Error, detail: &dyn std::fmt::Display| {
        Err(error.status(GrpcCode::FailedPrecondition, detail))
    };
    let payer = match address::parse(operator) {
        Ok(payer) => payer,
        Err(reason) => return refused(Error::InvalidAddress, &reason),
    };
    let fee_coin = params::params(ctx)?
        .proof_submission_fee
        .unwrap_or_else(|| coin::upokt(0));
    let fee = coin::payable(&fee_coin);
    let balance = bank::spendable(ctx, &payer, coin::DENOM)?;
    if !ctx.rules.proof_fee_may_empty_balance && balance == 0 {
        return refused(Error::NotEnoughFunds, &"account has no spendable coins");
    }
    if balance < fee || (balance == fee && !ctx.rules.proof_fee_may_empty_balance) {
        let fee = coin::text(&fee_coin);
        return refused(
            Error::NotEnoughFunds,
            &format_args!("account has {balance}, but the proof submission fee is {fee}"),
        );
    }
    match bank::account_to_module(ctx, &payer, MODULE, &[coin::upokt(fee)]) {
        Ok(()) => Ok(()),
        Err(error) if error.code == crate::sdk::PANIC => Err(error),
        Err(error) => refused(Error::FailedToDeductFee, &error),
    }
}

/// The status in these events is always that of a claim without a verdict, even when an earlier proof already had one.
fn emit(
    ctx: &mut Context<'_>,
    claim: &Claim,
    header: SessionHeader,
    worth: &Worth,
    existed: bool,
) -> Result<(), TxError> {
    let submitted = EventProofSubmitted {
        num_relays: worth.work.relays,
        num_claimed_compute_units: worth.work.compute_units,
        num_estimated_compute_units: worth.estimated_compute_units,
        claimed_upokt: worth.claimed.to_string(),
        service_id: header.service_id,
        application_address: header.application_address,
        session_end_block_height: header.session_end_block_height,
        claim_proof_status_int: ClaimProofStatus::PendingValidation.into(),
        supplier_operator_address: claim.supplier_operator_address.clone(),
        num_estimated_relays: worth.estimated_relays,
    };
    if !existed {
        return Ok(ctx.emit(&submitted)?);
    }
    Ok(ctx.emit(&EventProofUpdated {
        num_relays: submitted.num_relays,
        num_claimed_compute_units: submitted.num_claimed_compute_units,
        num_estimated_compute_units: submitted.num_estimated_compute_units,
        claimed_upokt: submitted.claimed_upokt,
        service_id: submitted.service_id,
        application_address: submitted.application_address,
        session_end_block_height: submitted.session_end_block_height,
        claim_proof_status_int: submitted.claim_proof_status_int,
        supplier_operator_address: submitted.supplier_operator_address,
        num_estimated_relays: submitted.num_estimated_relays,
    })?)
}
