//! `MsgUpdateParam`: governance changes one param by name.

use proto::pocket::session::msg_update_param::AsType;
use proto::pocket::session::{MsgUpdateParam, Params};

use super::error::Error;
use super::params;
use crate::context::Context;
use crate::error::{GrpcCode, TxError};
use crate::modules::shared::authority;

/// Checks authority, name, type and the value by itself.
pub(super) fn check(message: &MsgUpdateParam) -> Result<(), TxError> {
    authority::check_sdk(&message.authority)?;
    changed(message).map(|_| ())
}

/// Makes the new value count from the next session start.
pub(super) fn execute(ctx: &mut Context<'_>, message: MsgUpdateParam) -> Result<(), TxError> {
    check(&message).map_err(|error| TxError::status(GrpcCode::InvalidArgument, error))?;
    authority::require(&message.authority, Error::InvalidSigner.text())?;
    let new = changed(&message)?;
    Ok(params::change(ctx, new)?)
}

/// The params with the one value they have.
fn changed(message: &MsgUpdateParam) -> Result<Params, TxError> {
    let name = &message.name;
    if name != "num_suppliers_per_session" {
        return Err(Error::ParamInvalid.because(format_args!("unsupported param {name:?}")));
    }
    let Some(AsType::AsUint64(num_suppliers_per_session)) = message.as_type else {
        return Err(Error::ParamInvalid.because(format_args!(
            "invalid type for param {name:?} expected *types.MsgUpdateParam_AsUint64, got <nil>"
        )));
    };
    let params = Params {
        num_suppliers_per_session,
    };
    params::validate(&params)
        .map_err(|log| TxError::registered(Error::CODESPACE, Error::ParamInvalid.code(), log))?;
    Ok(params)
}
