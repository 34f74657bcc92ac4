//! `MsgUpdateParam`: governance changes one param by name.

use proto::pocket::shared::msg_update_param::AsType;
use proto::pocket::shared::{MsgUpdateParam, Params};

use super::error::Error;
use super::{address, authority, params};
use crate::context::Context;
use crate::error::{GrpcCode, TxError};

/// Checks authority, name, type and the value by itself.
pub(super) fn check(message: &MsgUpdateParam) -> Result<(), TxError> {
    address::parse(&message.authority).map_err(|reason| {
        Error::InvalidAddress.because(format_args!(
            "invalid authority address {}; ({reason})",
            message.authority
        ))
    })?;
    value(message).map(|_| ())
}

/// Schedules the params with the one value changed.
pub(super) fn execute(ctx: &mut Context<'_>, message: MsgUpdateParam) -> Result<(), TxError> {
    check(&message).map_err(|error| TxError::status(GrpcCode::InvalidArgument, error))?;
    authority::require(&message.authority, Error::InvalidSigner.text())?;
    let value = value(&message)?;
    let mut new = params::update_base(ctx)?;
    if let Some(field) = field(&mut new, &message.name) {
        *field = value;
    }
    params::validate(&new).map_err(|log| TxError::status(GrpcCode::InvalidArgument, log))?;
    Ok(params::schedule(ctx, new)?)
}

/// The value, once name, type and range are right.
fn value(message: &MsgUpdateParam) -> Result<u64, TxError> {
    let name = &message.name;
    let Some(value) = &message.as_type else {
        return Err(Error::ParamInvalid.because("missing param AsType"));
    };
    if field(&mut Params::default(), name).is_none() {
        return Err(Error::ParamNameInvalid.because(format_args!("unsupported param {name:?}")));
    }
    let got = match value {
        AsType::AsUint64(value) => {
            return params::validate_value(name, *value)
                .map(|()| *value)
                .map_err(|detail| Error::ParamInvalid.because(detail));
        }
        AsType::AsString(_) => "AsString",
        AsType::AsBytes(_) => "AsBytes",
    };
    Err(Error::ParamInvalid.because(format_args!(
        "invalid type for param {name:?} expected *types.MsgUpdateParam_AsUint64, got *types.MsgUpdateParam_{got}"
    )))
}

/// The field a name stands for; the grid's anchor is derived and has none.
fn field<'a>(params: &'a mut Params, name: &str) -> Option<&'a mut u64> {
    Some(match name {
        "num_blocks_per_session" => &mut params.num_blocks_per_session,
        "grace_period_end_offset_blocks" => &mut params.grace_period_end_offset_blocks,
        "claim_window_open_offset_blocks" => &mut params.claim_window_open_offset_blocks,
        "claim_window_close_offset_blocks" => &mut params.claim_window_close_offset_blocks,
        "proof_window_open_offset_blocks" => &mut params.proof_window_open_offset_blocks,
        "proof_window_close_offset_blocks" => &mut params.proof_window_close_offset_blocks,
        "supplier_unbonding_period_sessions" => &mut params.supplier_unbonding_period_sessions,
        "application_unbonding_period_sessions" => {
            &mut params.application_unbonding_period_sessions
        }
        "gateway_unbonding_period_sessions" => &mut params.gateway_unbonding_period_sessions,
        "compute_units_to_tokens_multiplier" => &mut params.compute_units_to_tokens_multiplier,
        "compute_unit_cost_granularity" => &mut params.compute_unit_cost_granularity,
        _ => return None,
    })
}
