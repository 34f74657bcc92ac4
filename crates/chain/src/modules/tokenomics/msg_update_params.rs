//! `MsgUpdateParams`: governance replaces all params.

use proto::pocket::tokenomics::MsgUpdateParams;

use super::error::Error;
use super::params;
use crate::context::Context;
use crate::error::{GrpcCode, TxError};
use crate::modules::shared::{address, authority};

/// Checks the message without state.
pub(super) fn check(message: &MsgUpdateParams) -> Result<(), TxError> {
    check_authority(&message.authority)?;
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

/// Checks that the authority is an address.
pub(super) fn check_authority(text: &str) -> Result<(), TxError> {
    address::parse(text).map(|_| ()).map_err(|reason| {
        Error::InvalidAuthority
            .because(format_args!("invalid authority address {text}; ({reason})"))
    })
}
