//! End of a block: the proofs that arrived in it are judged, their claims get the verdict, and the proofs are deleted.
//!
//! Verification is pure and may run on several threads; what it needs is read before, and what it says is applied after,
//! both in the order of session id and operator. The reference's order is random (quirk Q8).

use std::collections::BTreeMap;
use std::sync::OnceLock;

use bytes::Bytes;
use crypto::keys::PublicKey;
use crypto::ring::Cache;
use proto::pocket::proof::{Claim, ClaimProofStatus, EventProofValidityChecked, Proof};
use proto::pocket::session::SessionHeader;
use protocol::height::Height;
use protocol::proof::{Evidence, Strictness, Submission, check_form, verify};
use protocol::ring::{expected_members, reference_session_end};

use super::appraise::{AppraisalError, Appraiser};
use super::error::Error;
use super::{keys, msg_submit_proof, state};
use crate::auth;
use crate::context::Context;
use crate::error::ChainError;
use crate::limits::RING_TABLES;
use crate::modules::shared::{address, history};
use crate::modules::{application, service, shared};

/// Judges all proofs of the block.
///
/// # Errors
/// When the store fails.
pub fn end_block(ctx: &mut Context<'_>) -> Result<(), ChainError> {
    let (jobs, stored) = gather(ctx)?;
    for key in &stored {
        ctx.remove(key);
    }
    let strictness = msg_submit_proof::strictness(&ctx.rules);
    let workers = &ctx.helpers().workers;
    let verdicts = workers.map(&jobs, |job| verdict(job, strictness).err());
    for (job, failure) in jobs.into_iter().zip(verdicts) {
        let Job {
            mut claim, header, ..
        } = job;
        let status = match failure {
            None => ClaimProofStatus::Validated,
            Some(_) => ClaimProofStatus::Invalid,
        };
        claim.proof_validation_status = status.into();
        state::replace_claim(ctx, &claim);
        ctx.emit(&EventProofValidityChecked {
            block_height: ctx.block.height.max(0).unsigned_abs(),
            failure_reason: failure.unwrap_or_default(),
            service_id: header.service_id,
            application_address: header.application_address,
            session_end_block_height: header.session_end_block_height,
            claim_proof_status_int: claim.proof_validation_status,
            supplier_operator_address: claim.supplier_operator_address,
        })?;
    }
    Ok(())
}

/// A proof with everything that its verdict depends on. What could not be looked up is the text of the verdict.
struct Job {
    claim: Claim,
    /// Of the session on chain.
    header: SessionHeader,
    proof: Proof,
    target_hash: Bytes,
    operator_key: Result<PublicKey, String>,
    ring: Result<Vec<PublicKey>, String>,
    seed_block_hash: Result<Vec<u8>, String>,
    compute_units_per_relay: u64,
}

/// Reads every stored proof with its evidence, in order of session id and operator; and the keys of all proofs.
fn gather(ctx: &Context<'_>) -> Result<(Vec<Job>, Vec<Vec<u8>>), ChainError> {
    let mut jobs = Vec::new();
    let mut stored = Vec::new();
    let mut rings = BTreeMap::new();
    let mut services = BTreeMap::new();
    let mut appraiser = Appraiser::new(ctx)?;
    for pair in ctx.iter(keys::PROOFS) {
        let (key, value) = pair?;
        let proof: Proof = history::decode(&key, &value)?;
        let id = key.strip_prefix(keys::PROOFS).unwrap_or_default();
        // A proof is stored for a claim, and claims are removed at settlement only, which comes later.
        let claim = state::indexed(ctx, id)?;
        stored.push(key);
        let header = proof.session_header.clone().unwrap_or_default();
        let (service_id, start) = (&header.service_id, header.session_start_block_height);
        let ring_of = (
            header.application_address.clone(),
            header.session_end_block_height,
        );
        let ring = match rings.get(&ring_of) {
            Some(ring) => Clone::clone(ring),
            None => {
                let found = ring(ctx, &header)?;
                rings.insert(ring_of, found.clone());
                found
            }
        };
        let service = (service_id.clone(), start);
        let (target_hash, compute_units_per_relay) = match services.get(&service) {
            Some(known) => Clone::clone(known),
            None => {
                let target_hash = service::difficulty_at(ctx, service_id, start)?.target_hash;
                let units = service::compute_units_at(ctx, service_id, start)?.unwrap_or(0);
                let found = (target_hash, units);
                services.insert(service, found.clone());
                found
            }
        };
        jobs.push(Job {
            operator_key: public_key(ctx, &proof.supplier_operator_address)?,
            ring,
            target_hash,
            seed_block_hash: match appraiser.seed(ctx, header.session_end_block_height) {
                Ok(hash) => Ok(hash),
                Err(AppraisalError::Protocol(error)) => Err(error.to_string()),
                Err(AppraisalError::Chain(error)) => return Err(error),
            },
            compute_units_per_relay,
            claim,
            header,
            proof,
        });
    }
    Ok((jobs, stored))
}

/// The keys that may sign for an application in a session, or why the ring cannot be built.
pub(super) fn ring(
    ctx: &Context<'_>,
    header: &SessionHeader,
) -> Result<Result<Vec<PublicKey>, String>, ChainError> {
    let app = &header.application_address;
    let failed = |reason: &str| {
        Error::InvalidRelayRequest.describe(format_args!(
            "error getting ring for application address {app}: {reason}"
        ))
    };
    let Some(application) = application::get(ctx, app)? else {
        return Ok(Err(failed(
            &application::error::Error::NotFound.describe(app),
        )));
    };
    let header_end = Height(header.session_end_block_height);
    let session_end = if ctx.rules.ring_params_at_session_end {
        header_end
    } else {
        match reference_session_end(&shared::params(ctx)?, header_end) {
            Ok(end) => end,
            Err(error) => return Ok(Err(failed(&error.to_string()))),
        }
    };
    let mut members = Vec::new();
    let expected = expected_members(&application, session_end);
    for address in expected.addresses() {
        match public_key(ctx, address)? {
            Ok(key) => members.push((address.to_owned(), key)),
            Err(reason) => return Ok(Err(failed(&reason))),
        }
    }
    let found = |address: &str| {
        members
            .iter()
            .find(|(member, _)| member == address)
            .map(|(_, key)| *key)
    };
    Ok(expected
        .resolve(found)
        .map_err(|error| failed(&error.to_string())))
}

/// The public key of an account, or why there is none.
fn public_key(ctx: &Context<'_>, text: &str) -> Result<Result<PublicKey, String>, ChainError> {
    let address = match address::parse(text) {
        Ok(address) => address,
        Err(reason) => return Ok(Err(reason)),
    };
    if let Some(key) = auth::public_key(ctx, &address)? {
        return Ok(Ok(key));
    }
    Ok(Err(match auth::account(ctx, &address)? {
        Some(_) => "public key not found".to_owned(),
        None => format!("account not found for address {text}: account not found"),
    }))
}

/// Tables of rings that this process has seen. Verdicts do not depend on them.
fn ring_tables() -> &'static Cache {
    static TABLES: OnceLock<Cache> = OnceLock::new();
    TABLES.get_or_init(|| Cache::new(RING_TABLES))
}

/// Why a proof is invalid, if it is.
fn verdict(job: &Job, strictness: Strictness) -> Result<(), String> {
    let operator_key = job.operator_key.as_ref().map_err(Clone::clone)?;
    let ring = job.ring.as_ref().map_err(Clone::clone)?;
    let seed_block_hash = job.seed_block_hash.as_ref().map_err(Clone::clone)?;
    let submission = Submission {
        session_header: &job.header,
        supplier_operator_address: &job.proof.supplier_operator_address,
        target_hash: &job.target_hash,
        proof: &job.proof.closest_merkle_proof,
    };
    let evidence = Evidence {
        application_address: &job.header.application_address,
        ring,
        ring_tables: Some(ring_tables()),
        operator_key,
        session_id: &job.header.session_id,
        seed_block_hash,
        root: &job.claim.root_hash,
        compute_units_per_relay: job.compute_units_per_relay,
    };
    check_form(&submission, strictness)
        .and_then(|formed| verify(&formed, &evidence, strictness))
        .map_err(|failure| failure.to_string())
}
