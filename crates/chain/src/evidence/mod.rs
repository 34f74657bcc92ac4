//! Evidence: validators that consensus caught signing twice are slashed, jailed and never come back.
//!
//! Order and events are the reference's (Cosmos SDK v0.53). Nobody can hand in evidence by a message: the reference's
//! application gives the module no handlers, so that it panics over evidence that is sound. We answer with its code.

use crypto::keys::VALCONS_PREFIX;
use prost::{Message as _, Name as _};
use prost_types::Any;
use proto::cosmos::evidence::v1beta1::{
    Equivocation, GenesisState, MsgSubmitEvidence, MsgSubmitEvidenceResponse,
    QueryAllEvidenceRequest, QueryAllEvidenceResponse, QueryEvidenceRequest, QueryEvidenceResponse,
};

use crate::consensus;
use crate::context::{BlockTime, Context, Misbehaviour};
use crate::error::{ChainError, GenesisError, GrpcCode, QueryError, TxError};
use crate::message::{account, messages};
use crate::pagination::{paginate_collection, plain};
use crate::sdk;
use crate::slashing;
use crate::staking;
use crate::staking::query::answer;

/// Name of the module.
pub const MODULE: &str = "evidence";

/// Prefix of evidence: its hash.
const EVIDENCE: &[u8] = b"evidence/";

/// The end of time, for who must never come back: the reference's last second of the year 9999.
const FOREVER: BlockTime = BlockTime {
    seconds: 253_402_300_799,
    nanos: 0,
};

messages! {
    MsgSubmitEvidence: signer submitter, check check_submit, execute submit;
}

/// Start of a block: what consensus found.
///
/// # Errors
/// When the store fails or an invariant is broken.
pub fn begin_block(ctx: &mut Context) -> Result<(), ChainError> {
    if !slashing::runs(ctx)? {
        return Ok(());
    }
    for found in ctx.last_commit.misbehaviour.clone() {
        punish(ctx, found)?;
    }
    Ok(())
}

/// Punishes a validator once, for what it did not too long ago. Events: those of slashing and jailing.
fn punish(ctx: &mut Context, found: Misbehaviour) -> Result<(), TxError> {
    let consensus = found.validator;
    // The reference stops at a validator that is gone; there is nothing to punish.
    let Some(validator) = staking::validator_by_consensus(ctx, &consensus)? else {
        return Ok(());
    };
    if validator.is_unbonded() || !slashing::knows_key(ctx, &consensus)? || is_too_old(ctx, &found)?
    {
        return Ok(());
    }
    // One that never signed cannot have signed twice; the reference stops here too.
    match slashing::signing_info(ctx, &consensus)? {
        Some(info) if !info.tombstoned => {}
        _ => return Ok(()),
    }
    // The stake that signed is that of the block before.
    let height = found.height.saturating_sub(1);
    slashing::slash_double_sign(ctx, &consensus, found.power, height)?;
    if !validator.jailed {
        slashing::jail(ctx, &consensus)?;
    }
    slashing::tombstone(ctx, &consensus, FOREVER)?;
    let evidence = Equivocation {
        height: found.height,
        time: found.time.to_proto(),
        power: found.power,
        consensus_address: consensus.to_bech32_with(VALCONS_PREFIX),
    };
    save(ctx, &evidence);
    Ok(())
}

/// Whether the params of consensus say that it is too late, by blocks and by time.
fn is_too_old(ctx: &Context, found: &Misbehaviour) -> Result<bool, ChainError> {
    let Some(limits) = consensus::params(ctx)?.evidence else {
        return Ok(false);
    };
    let now = ctx.block.time.unix_nanos();
    let age = now.saturating_sub(found.time.unix_nanos());
    let blocks = ctx.block.height.saturating_sub(found.height);
    let age_max = limits.max_age_duration.map_or(0, |duration| {
        i128::from(duration.seconds)
            .saturating_mul(1_000_000_000)
            .saturating_add(i128::from(duration.nanos))
    });
    Ok(age > age_max && blocks > limits.max_age_num_blocks)
}

fn save(ctx: &mut Context, evidence: &Equivocation) {
    let hash = crypto::hash::sha256(&evidence.encode_to_vec());
    ctx.save(key(&hash), &proto::any::pack(evidence));
}

fn key(hash: &[u8]) -> Vec<u8> {
    [EVIDENCE, hash].concat()
}

/// Reads evidence of the one kind there is.
fn equivocation(any: &Any) -> Result<Equivocation, String> {
    proto::any::unpack(any).map_err(|error| error.to_string())
}

/// What is wrong with evidence by itself.
fn validate(evidence: &Equivocation) -> Result<(), String> {
    if evidence.time.seconds <= 0 {
        let time = proto::time::rfc3339(evidence.time.seconds, evidence.time.nanos.into());
        return Err(format!("invalid equivocation time: {time}"));
    }
    if evidence.height < 1 {
        return Err(format!("invalid equivocation height: {}", evidence.height));
    }
    if evidence.power < 1 {
        let power = evidence.power;
        return Err(format!("invalid equivocation validator power: {power}"));
    }
    if evidence.consensus_address.is_empty() {
        return Err("invalid equivocation validator consensus address: ".to_owned());
    }
    Ok(())
}

/// Evidence must be of a known kind.
fn check_submit(message: &MsgSubmitEvidence) -> Result<(), TxError> {
    match &message.evidence {
        Some(any) if proto::any::type_name(&any.type_url) != Equivocation::full_name() => {
            let text = format!(
                "no concrete type registered for type URL {}: tx parse error",
                any.type_url
            );
            Err(TxError::sdk(sdk::TX_PARSE, text))
        }
        _ => Ok(()),
    }
}

fn submit(
    ctx: &mut Context,
    message: MsgSubmitEvidence,
) -> Result<MsgSubmitEvidenceResponse, TxError> {
    let refuse = |code: u32, text: String| Err(TxError::registered(MODULE, code, text));
    account("submitter", &message.submitter)?;
    let Some(any) = &message.evidence else {
        return refuse(3, "missing evidence: invalid evidence".to_owned());
    };
    let evidence = equivocation(any)
        .map_err(|reason| TxError::sdk(sdk::TX_PARSE, format!("{reason}: tx parse error")))?;
    if let Err(reason) = validate(&evidence) {
        let text = format!("failed basic validation: {reason}: invalid evidence");
        return refuse(3, text);
    }
    let hash = crypto::hash::sha256(&evidence.encode_to_vec());
    if ctx.has(&key(&hash))? {
        let text = format!("{}: evidence already exists", hex::encode_upper(hash));
        return refuse(5, text);
    }
    Err(TxError::panic("no router of evidence"))
}

/// Loads the section `evidence`.
///
/// # Errors
/// Names the entry.
pub fn init_genesis(ctx: &mut Context, section: &GenesisState) -> Result<(), GenesisError> {
    for (position, any) in section.evidence.iter().enumerate() {
        let wrong = |reason: String| GenesisError::new(format!("evidence[{position}]"), reason);
        let evidence = equivocation(any).map_err(wrong)?;
        validate(&evidence).map_err(wrong)?;
        save(ctx, &evidence);
    }
    Ok(())
}

/// The section `evidence`.
///
/// # Errors
/// When the store fails.
pub fn export_genesis(ctx: &Context) -> Result<GenesisState, ChainError> {
    let mut evidence = Vec::new();
    for pair in ctx.iter(EVIDENCE) {
        let (key, value) = pair?;
        let any = Any::decode(value.as_slice())
            .map_err(|error| ChainError::corrupt(hex::encode(key), error))?;
        evidence.push(any);
    }
    Ok(GenesisState { evidence })
}

/// Answers a method of `cosmos.evidence.v1beta1.Query`. `None` for methods it does not have.
pub fn query(ctx: &Context, method: &str, data: &[u8]) -> Option<Result<Vec<u8>, QueryError>> {
    Some(match method {
        "Evidence" => answer(data, |request| one(ctx, &request)),
        "AllEvidence" => answer(data, |request| all(ctx, &request)),
        _ => return None,
    })
}

fn one(ctx: &Context, request: &QueryEvidenceRequest) -> Result<QueryEvidenceResponse, QueryError> {
    let hash = &request.hash;
    if hash.is_empty() {
        let text = "invalid request; hash is empty";
        return Err(QueryError::status(GrpcCode::InvalidArgument, text));
    }
    let bytes = hex::decode(hash)
        .map_err(|error| QueryError::unknown(format!("invalid evidence hash: {error}")))?;
    let evidence: Any = ctx
        .load(&key(&bytes))?
        .ok_or_else(|| QueryError::not_found(format!("evidence {hash} not found")))?;
    Ok(QueryEvidenceResponse {
        evidence: Some(evidence),
    })
}

fn all(
    ctx: &Context,
    request: &QueryAllEvidenceRequest,
) -> Result<QueryAllEvidenceResponse, QueryError> {
    let page = request.pagination.as_ref();
    let (evidence, page) = paginate_collection(ctx, EVIDENCE, page, |_, value| {
        Any::decode(value)
            .map(Some)
            .map_err(|error| QueryError::unknown(error.to_string()))
    })
    .map_err(plain)?;
    Ok(QueryAllEvidenceResponse {
        evidence,
        pagination: Some(page),
    })
}

#[cfg(test)]
mod tests;
