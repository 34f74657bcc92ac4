//! Genesis of `proof`: params, and the claims that are on their way.

use proto::pocket::proof::{Claim, GenesisState, Proof};
use protocol::claim::ClaimedWork;
use protocol::validate;

use super::{keys, params, state};
use crate::context::Context;
use crate::error::{ChainError, GenesisError};
use crate::modules::shared::{address, history};

/// Loads the section.
///
/// # Errors
/// Names the param, the claim or the proof that is wrong.
pub fn init_genesis(ctx: &mut Context<'_>, genesis: GenesisState) -> Result<(), GenesisError> {
    params::validate(&genesis.params).map_err(|reason| GenesisError::new("params", reason))?;
    params::set(ctx, &genesis.params);
    for (index, claim) in genesis.claim_list.iter().enumerate() {
        let at = |reason: &str| GenesisError::new(format!("claim_list.{index}"), reason);
        check(claim).map_err(|reason| at(&reason))?;
        let (session_id, operator) = (
            state::header(claim).session_id,
            &claim.supplier_operator_address,
        );
        if state::claim(ctx, &session_id, operator)?.is_some() {
            return Err(at("appears twice"));
        }
        state::save_claim(ctx, claim)?;
    }
    for (index, proof) in genesis.proof_list.iter().enumerate() {
        let at = |reason: &str| GenesisError::new(format!("proof_list.{index}"), reason);
        let header = proof
            .session_header
            .as_ref()
            .ok_or_else(|| at("has no session header"))?;
        if state::claim(ctx, &header.session_id, &proof.supplier_operator_address)?.is_none() {
            return Err(at("has no claim"));
        }
        if state::save_proof(ctx, proof)? {
            return Err(at("appears twice"));
        }
    }
    Ok(())
}

fn check(claim: &Claim) -> Result<(), String> {
    address::parse(&claim.supplier_operator_address)?;
    let header = claim
        .session_header
        .as_ref()
        .ok_or("has no session header")?;
    validate::session_header(header).map_err(|error| error.to_string())?;
    if header.session_id.contains('/') {
        return Err("its session id contains a slash".to_owned());
    }
    ClaimedWork::from_root(&claim.root_hash).map_err(|error| error.to_string())?;
    Ok(())
}

/// Writes the section.
///
/// # Errors
/// When the store fails.
pub fn export_genesis(ctx: &Context<'_>) -> Result<GenesisState, ChainError> {
    let claim_list: Vec<Claim> = history::all(ctx, keys::CLAIMS)?;
    let proof_list: Vec<Proof> = history::all(ctx, keys::PROOFS)?;
    Ok(GenesisState {
        params: params::params(ctx)?,
        claim_list,
        proof_list,
    })
}
