//! `MsgUpdateParams`: governance replaces all params.

use proto::pocket::shared::MsgUpdateParams;

use super::error::Error;
use super::{authority, params};
use crate::context::Context;
use crate::error::{GrpcCode, TxError};

/// Checks the message without state.
pub(super) fn check(message: &MsgUpdateParams) -> Result<(), TxError> {
    authority::check_plain(&message.authority)?;
    params::validate(&message.params).map_err(registered)
}

/// Schedules the new params.
pub(super) fn execute(ctx: &mut Context<'_>, message: MsgUpdateParams) -> Result<(), TxError> {
    check(&message).map_err(|error| TxError::status(GrpcCode::InvalidArgument, error))?;
    authority::require_permission(&message.authority, Error::InvalidSigner.text())?;
    Ok(params::schedule(ctx, message.params)?)
}

/// [`Error::ParamInvalid`] with a text that already names it.
pub(super) fn registered(log: String) -> TxError {
    TxError::registered(Error::CODESPACE, Error::ParamInvalid.code(), log)
}
