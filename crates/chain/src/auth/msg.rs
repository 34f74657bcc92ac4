//! `MsgUpdateParams`: governance sets limits and prices of transactions.

use proto::cosmos::auth::v1beta1::{MsgUpdateParams, MsgUpdateParamsResponse, Params};

use crate::auth;
use crate::context::Context;
use crate::error::TxError;
use crate::message::{messages, unchecked};
use crate::modules::shared::authority;

messages! {
    MsgUpdateParams: signer authority, check unchecked, execute update_params;
}

fn update_params(
    ctx: &mut Context,
    message: MsgUpdateParams,
) -> Result<MsgUpdateParamsResponse, TxError> {
    let expected = authority::gov().to_bech32();
    if message.authority != expected {
        return Err(TxError::undefined(format!(
            "expected gov account as only signer for proposal message; invalid authority; expected \
             {expected}, got {}",
            message.authority
        )));
    }
    check_params(&message.params).map_err(|(_, reason)| TxError::undefined(reason))?;
    auth::save_params(ctx, &message.params);
    Ok(MsgUpdateParamsResponse {})
}

/// Refuses params of 0: the field, and the reference's words.
pub(super) fn check_params(params: &Params) -> Result<(), (&'static str, String)> {
    let positive = [
        ("tx_sig_limit", "tx signature limit", params.tx_sig_limit),
        (
            "sig_verify_cost_ed25519",
            "ED25519 signature verification cost",
            params.sig_verify_cost_ed25519,
        ),
        (
            "sig_verify_cost_secp256k1",
            "SECK256k1 signature verification cost",
            params.sig_verify_cost_secp256k1,
        ),
        (
            "max_memo_characters",
            "max memo characters",
            params.max_memo_characters,
        ),
        (
            "tx_size_cost_per_byte",
            "tx size cost per byte",
            params.tx_size_cost_per_byte,
        ),
    ];
    match positive.into_iter().find(|(_, _, value)| *value == 0) {
        Some((field, words, value)) => Err((field, format!("invalid {words}: {value}"))),
        None => Ok(()),
    }
}
