//! `MsgUpdateParam`: governance changes one param by name.

use proto::pocket::gateway::msg_update_param::AsType;
use proto::pocket::gateway::{MsgUpdateParam, Params};

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

/// Replaces the one value at once.
pub(super) fn execute(ctx: &mut Context<'_>, message: MsgUpdateParam) -> Result<(), TxError> {
    check(&message).map_err(|error| TxError::status(GrpcCode::InvalidArgument, error))?;
    authority::require(&message.authority, Error::InvalidSigner.text())?;
    let new = changed(&message)?;
    params::set(ctx, &new);
    Ok(())
}

/// The params with the one value they have.
fn changed(message: &MsgUpdateParam) -> Result<Params, TxError> {
    let Some(AsType::AsCoin(value)) = &message.as_type else {
        return Err(Error::ParamInvalid.because("missing param AsType"));
    };
    if message.name != "min_stake" {
        return Err(
            Error::ParamInvalid.because(format_args!("unsupported param {:?}", message.name))
        );
    }
    let params = Params {
        min_stake: Some(value.clone()),
    };
    params::validate(&params)
        .map_err(|log| TxError::registered(Error::CODESPACE, Error::ParamInvalid.code(), log))?;
    Ok(params)
}
