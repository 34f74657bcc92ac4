//! `MsgUpdateParam`: governance changes one param by name.

use proto::pocket::application::msg_update_param::AsType;
use proto::pocket::application::{MsgUpdateParam, Params};

use super::error::Error;
use super::params;
use crate::context::Context;
use crate::error::{GrpcCode, TxError};
use crate::modules::shared::authority;

/// Checks authority, name, type and the value by itself.
pub(super) fn check(message: &MsgUpdateParam) -> Result<(), TxError> {
    authority::check_sdk(&message.authority)?;
    apply(&mut Params::default(), message)
}

/// Replaces the one value at once.
pub(super) fn execute(ctx: &mut Context<'_>, message: MsgUpdateParam) -> Result<(), TxError> {
    check(&message).map_err(|error| TxError::status(GrpcCode::InvalidArgument, error))?;
    authority::require_permission(&message.authority, Error::InvalidSigner.text())?;
    let mut new = params::params(ctx)?;
    apply(&mut new, &message)?;
    params::validate(&new).map_err(|log| TxError::status(GrpcCode::InvalidArgument, log))?;
    params::set(ctx, &new);
    Ok(())
}

fn apply(params: &mut Params, message: &MsgUpdateParam) -> Result<(), TxError> {
    let bad = |detail: String| Err(Error::ParamInvalid.because(detail));
    let name = &message.name;
    let wrong_type = |expected: &str, got: &str| {
        bad(format!(
            "invalid type for param {name:?}; expected *types.MsgUpdateParam_{expected}, got *types.MsgUpdateParam_{got}"
        ))
    };
    let Some(value) = &message.as_type else {
        return bad(format!("missing param AsType for parameter {name:?}"));
    };
    match (name.as_str(), value) {
        ("max_delegated_gateways", AsType::AsUint64(value)) => {
            params.max_delegated_gateways = *value;
            params::validate_max_delegated_gateways(*value)
        }
        ("min_stake", AsType::AsCoin(value)) => {
            params.min_stake = Some(value.clone());
            params::validate_min_stake(params)
        }
        ("max_delegated_gateways", AsType::AsCoin(_)) => return wrong_type("AsUint64", "AsCoin"),
        ("min_stake", AsType::AsUint64(_)) => return wrong_type("AsCoin", "AsUint64"),
        _ => return bad(format!("unsupported param {name:?}")),
    }
    .map_err(|detail| Error::ParamInvalid.because(detail))
}
