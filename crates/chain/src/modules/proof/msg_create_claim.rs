//! `MsgCreateClaim`: a supplier claims the work of a session, by the root of its tree (chain specification 1.7).

use proto::pocket::proof::{
    Claim, ClaimProofStatus, EventClaimCreated, EventClaimUpdated, MsgCreateClaim,
};
use proto::pocket::session::SessionHeader;
use protocol::claim::ClaimedWork;
use protocol::height::Height;
use protocol::validate;

use super::appraise::{AppraisalError, Appraiser, Worth};
use super::error::Error;
use super::window::Window;
use super::{session, state};
use crate::context::Context;
use crate::error::{GrpcCode, TxError};
use crate::modules::service;
use crate::modules::shared::address;

/// Checks the message without state.
pub(super) fn check(message: &MsgCreateClaim) -> Result<(), TxError> {
    let operator = &message.supplier_operator_address;
    if address::parse(operator).is_err() {
        return Err(Error::InvalidAddress.because(operator));
    }
    let Some(header) = &message.session_header else {
        return Err(Error::InvalidSessionHeader.because("session header is nil"));
    };
    validate::session_header(header).map_err(|error| {
        Error::InvalidSessionHeader.because(format_args!("invalid session header: {error}"))
    })?;
    let root = &message.root_hash;
    let work = ClaimedWork::from_root(root).map_err(|error| {
        TxError::registered(
            Error::CODESPACE,
            Error::InvalidRoot.code(),
            error.to_string(),
        )
    })?;
    for (what, value) in [("sum", work.compute_units), ("count", work.relays)] {
        if value == 0 {
            return Err(Error::InvalidRoot.because(format_args!(
                "has zero {what} in Merkle root (hex) {}",
                hex::encode(root)
            )));
        }
    }
    Ok(())
}

/// Stores the claim, in place of an earlier one of the same supplier for the same session.
pub(super) fn execute(ctx: &mut Context<'_>, message: MsgCreateClaim) -> Result<(), TxError> {
    check(&message).map_err(|error| TxError::status(GrpcCode::InvalidArgument, error))?;
    let MsgCreateClaim {
        supplier_operator_address: operator,
        session_header,
        root_hash,
    } = message;
    let header = session_header.unwrap_or_default();
    let on_chain = session::on_chain(ctx, &header, &operator, GrpcCode::InvalidArgument)?;
    if ctx.rules.claim_header_is_session_header {
        session::require_same(&header, &on_chain, GrpcCode::InvalidArgument)?;
    }
    let mut appraiser = Appraiser::new(ctx)?;
    let windows = appraiser
        .windows(ctx, header.session_end_block_height)
        .map_err(unpriced)?;
    Window::of_claims(&windows).require(Height(ctx.block.height))?;
    let claim = Claim {
        supplier_operator_address: operator,
        session_header: Some(header),
        root_hash,
        proof_validation_status: ClaimProofStatus::PendingValidation.into(),
    };
    let header = state::header(&claim);
    let worth = appraiser.worth(ctx, &claim).map_err(unpriced)?;
    check_sum(ctx, &header, &worth.work)?;
    let existed =
        state::claim(ctx, &header.session_id, &claim.supplier_operator_address)?.is_some();
    state::save_claim(ctx, &claim)?;
    emit(ctx, &claim, header, &worth, existed)
}

/// The sum must be what so many relays of the service weigh, by the price at the session's start.
fn check_sum(ctx: &Context<'_>, header: &SessionHeader, work: &ClaimedWork) -> Result<(), TxError> {
    let (id, start) = (&header.service_id, header.session_start_block_height);
    let Some(units) = service::compute_units_at(ctx, id, start)? else {
        return Err(TxError::status(
            GrpcCode::InvalidArgument,
            service::error::Error::NotFound.describe(format_args!("service {id:?}")),
        ));
    };
    let weighs = if ctx.rules.checked_claim_sums {
        work.weighs(units)
    } else {
        work.weighs_wrapping(units)
    };
    if weighs {
        return Ok(());
    }
    Err(Error::ComputeUnitsMismatch.status(
        GrpcCode::InvalidArgument,
        format_args!(
            "claim compute units: {} is not equal to number of relays {} * compute units per relay {units} for service {id}",
            work.compute_units, work.relays
        ),
    ))
}

/// A claim whose amounts cannot be computed.
pub(super) fn unpriced(error: AppraisalError) -> TxError {
    match error {
        AppraisalError::Chain(error) => error.into(),
        AppraisalError::Protocol(error) => {
            Error::InvalidClaimedAmount.status(GrpcCode::FailedPrecondition, error)
        }
    }
}

/// In these two events the reference shows the claimed compute units as the estimated ones, whatever the difficulty.
fn emit(
    ctx: &mut Context<'_>,
    claim: &Claim,
    header: SessionHeader,
    worth: &Worth,
    existed: bool,
) -> Result<(), TxError> {
    let created = EventClaimCreated {
        num_relays: worth.work.relays,
        num_claimed_compute_units: worth.work.compute_units,
        num_estimated_compute_units: worth.work.compute_units,
        claimed_upokt: worth.claimed.to_string(),
        service_id: header.service_id,
        application_address: header.application_address,
        session_end_block_height: header.session_end_block_height,
        claim_proof_status_int: claim.proof_validation_status,
        supplier_operator_address: claim.supplier_operator_address.clone(),
        num_estimated_relays: worth.estimated_relays,
    };
    if !existed {
        return Ok(ctx.emit(&created)?);
    }
    Ok(ctx.emit(&EventClaimUpdated {
        num_relays: created.num_relays,
        num_claimed_compute_units: created.num_claimed_compute_units,
        num_estimated_compute_units: created.num_estimated_compute_units,
        claimed_upokt: created.claimed_upokt,
        service_id: created.service_id,
        application_address: created.application_address,
        session_end_block_height: created.session_end_block_height,
        claim_proof_status_int: created.claim_proof_status_int,
        supplier_operator_address: created.supplier_operator_address,
        num_estimated_relays: created.num_estimated_relays,
    })?)
}
