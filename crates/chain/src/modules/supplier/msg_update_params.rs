//! `MsgUpdateParams`: governance replaces all params.

use proto::pocket::supplier::MsgUpdateParams;

use super::error::Error;
use super::params;
use crate::context::Context;
use crate::error::{GrpcCode, TxError};
use crate::modules::shared::authority;

/// Checks the message without state.
pub(super) fn check(message: &MsgUpdateParams) -> Result<(), TxError> {
    authority::check_plain(&message.authority)?;
    params::validate(&message.params)
        .map_err(|log| TxError::registered(Error::CODESPACE, Error::ParamInvalid.code(), log))
}

/// Replaces the params at once.
pub(super) fn execute(ctx: &mut Context<'_>, message: MsgUpdateParams) -> Result<(), TxError> {
    check(&message).map_err(|error| TxError::status(GrpcCode::InvalidArgument, error))?;
    authority::require_permission(&message.authority, Error::InvalidSigner.text())?;
    params::set(ctx, &message.params);
    Ok(())
}
