//! `MsgUpdateParam`: governance changes one param by name.

use proto::pocket::supplier::msg_update_param::AsType;
use proto::pocket::supplier::{MsgUpdateParam, Params};

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
    authority::require(&message.authority, Error::InvalidSigner.text())?;
    let mut new = params::params(ctx)?;
    apply(&mut new, &message)?;
    params::validate(&new).map_err(|log| TxError::status(GrpcCode::InvalidArgument, log))?;
    params::set(ctx, &new);
    Ok(())
}

fn apply(params: &mut Params, message: &MsgUpdateParam) -> Result<(), TxError> {
    let Some(AsType::AsCoin(value)) = &message.as_type else {
        return Err(Error::ParamInvalid.because("missing param AsType"));
    };
    let result = match message.name.as_str() {
        "min_stake" => {
            params.min_stake = Some(value.clone());
            params::validate_min_stake(params)
        }
        "staking_fee" => {
            params.staking_fee = Some(value.clone());
            params::validate_staking_fee(params)
        }
        name => Err(format!("unsupported param {name:?}")),
    };
    result.map_err(|detail| Error::ParamInvalid.because(detail))
}
