//! `MsgUpdateParams` and `MsgSetSendEnabled`: governance says which denominations may be sent.

use std::collections::BTreeSet;

use proto::cosmos::bank::v1beta1::{
    MsgSetSendEnabled, MsgSetSendEnabledResponse, MsgUpdateParams, MsgUpdateParamsResponse,
};

use crate::bank::{self, keys, valid_denom};
use crate::context::Context;
use crate::error::TxError;
use crate::modules::shared::authority;

/// Replaces the params.
pub(super) fn params(
    ctx: &mut Context,
    message: MsgUpdateParams,
) -> Result<MsgUpdateParamsResponse, TxError> {
    authority::require_gov(&message.authority)?;
    if !message.params.send_enabled.is_empty() {
        let text = "use of send_enabled in params is no longer supported";
        return Err(TxError::undefined(text));
    }
    bank::save_params(ctx, message.params.default_send_enabled);
    Ok(MsgUpdateParamsResponse {})
}

/// Sets single denominations, or takes their own setting away.
pub(super) fn send_enabled(
    ctx: &mut Context,
    message: MsgSetSendEnabled,
) -> Result<MsgSetSendEnabledResponse, TxError> {
    authority::require_gov(&message.authority)?;
    let refuse = |text: String| TxError::invalid_request(text);
    let mut seen = BTreeSet::new();
    for entry in &message.send_enabled {
        let denom = &entry.denom;
        if !seen.insert(denom) {
            return Err(refuse(format!(
                "duplicate denom entries found for {denom:?}"
            )));
        }
        if !valid_denom(denom) {
            let text = format!("invalid SendEnabled denom {denom:?}: invalid denom: {denom}");
            return Err(refuse(text));
        }
    }
    for denom in &message.use_default_for {
        if !valid_denom(denom) {
            let text = format!("invalid UseDefaultFor denom {denom:?}: invalid denom: {denom}");
            return Err(refuse(text));
        }
    }
    for entry in &message.send_enabled {
        let flag = vec![u8::from(entry.enabled)];
        ctx.set(keys::send_enabled(&entry.denom), flag);
    }
    for denom in &message.use_default_for {
        ctx.remove(&keys::send_enabled(denom));
    }
    Ok(MsgSetSendEnabledResponse {})
}
