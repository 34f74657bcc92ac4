//! `MsgUpdateParams`: governance changes the limits of blocks, of evidence, and the kinds of validators' keys. They hold
//! from the next block on.

use std::fmt::Write as _;

use prost::Message as _;
use proto::cosmos::consensus::v1::{MsgUpdateParams, MsgUpdateParamsResponse};
use tendermint_proto::v0_38::types::{AbciParams, ConsensusParams, VersionParams};

use super::{PARAMS, check_bounds, params};
use crate::context::Context;
use crate::error::TxError;
use crate::message::{messages, unchecked};
use crate::modules::shared::authority;

messages! {
    MsgUpdateParams: signer authority, check unchecked, execute update_params;
}

/// Replaces the params. Event: `update_consensus_params`.
fn update_params(
    ctx: &mut Context,
    message: MsgUpdateParams,
) -> Result<MsgUpdateParamsResponse, TxError> {
    authority::require_gov(&message.authority)?;
    if message.block.is_none() || message.evidence.is_none() || message.validator.is_none() {
        return Err(TxError::undefined("all parameters must be present"));
    }
    let old = params(ctx)?;
    let asked = ConsensusParams {
        block: message.block,
        evidence: message.evidence,
        validator: message.validator.clone(),
        version: Some(VersionParams { app: 0 }),
        abci: message.abci,
    };
    let new = ConsensusParams {
        abci: message.abci.or(old.abci),
        ..asked.clone()
    };
    check_bounds(&new)
        .map_err(|(field, reason)| TxError::undefined(format!("{field} {reason}")))?;
    check_extensions(ctx, old.abci.unwrap_or_default(), message.abci)?;
    ctx.set(PARAMS.to_vec(), new.encode_to_vec());
    ctx.emit_raw(
        "update_consensus_params",
        &[
            ("authority", &message.authority),
            ("parameters", &text(&asked)),
        ],
    );
    Ok(MsgUpdateParamsResponse {})
}

/// Vote extensions can be switched on once, at a height to come.
fn check_extensions(
    ctx: &Context,
    old: AbciParams,
    asked: Option<AbciParams>,
) -> Result<(), TxError> {
    let before = old.vote_extensions_enable_height;
    let after = asked.map_or(before, |abci| abci.vote_extensions_enable_height);
    if after == before {
        return Ok(());
    }
    let refuse = |text: String| Err(TxError::undefined(text));
    let height = ctx.block.height;
    if before != 0 && after == 0 {
        return refuse("vote extensions cannot be disabled once enabled".to_owned());
    }
    if after <= height {
        return refuse(format!(
            "VoteExtensionsEnableHeight must be updated to a future height, initial height: \
             {height}, enabled height: {after}"
        ));
    }
    if before != 0 && height >= before {
        return refuse(format!(
            "VoteExtensionsEnableHeight cannot be modified once the initial height has occurred, \
             initial height: {before}, current height {height}"
        ));
    }
    Ok(())
}

/// The params as Go prints the message.
fn text(params: &ConsensusParams) -> String {
    let mut out = String::new();
    let number = |out: &mut String, name: &str, value: i64| {
        if value != 0 {
            // Writing to a String cannot fail.
            let _ = write!(out, "{name}:{value} ");
        }
    };
    if let Some(block) = &params.block {
        out.push_str("block:<");
        number(&mut out, "max_bytes", block.max_bytes);
        number(&mut out, "max_gas", block.max_gas);
        out.push_str("> ");
    }
    if let Some(evidence) = &params.evidence {
        out.push_str("evidence:<");
        number(&mut out, "max_age_num_blocks", evidence.max_age_num_blocks);
        let age = evidence.max_age_duration.unwrap_or_default();
        out.push_str("max_age_duration:<");
        number(&mut out, "seconds", age.seconds);
        number(&mut out, "nanos", age.nanos.into());
        out.push_str("> ");
        number(&mut out, "max_bytes", evidence.max_bytes);
        out.push_str("> ");
    }
    if let Some(validator) = &params.validator {
        out.push_str("validator:<");
        for kind in &validator.pub_key_types {
            let _ = write!(out, "pub_key_types:{kind:?} ");
        }
        out.push_str("> ");
    }
    out.push_str("version:<> ");
    if let Some(abci) = &params.abci {
        out.push_str("abci:<");
        let height = abci.vote_extensions_enable_height;
        number(&mut out, "vote_extensions_enable_height", height);
        out.push_str("> ");
    }
    out
}
