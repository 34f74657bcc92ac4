//! `MsgUpdateParam`: governance changes one param by name.

use proto::pocket::service::msg_update_param::AsType;
use proto::pocket::service::{MsgUpdateParam, Params};

use super::error::Error;
use super::params;
use crate::context::Context;
use crate::error::{GrpcCode, TxError};
use crate::modules::shared::authority;

/// Checks authority, name, type and the value by itself.
pub(super) fn check(message: &MsgUpdateParam) -> Result<(), TxError> {
    super::check_address("authority", &message.authority)?;
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
    let bad = |detail: String| Err(Error::ParamInvalid.because(detail));
    let name = &message.name;
    let Some(value) = &message.as_type else {
        return bad("missing param AsType".to_owned());
    };
    match (name.as_str(), value) {
        ("add_service_fee", AsType::AsCoin(value)) => {
            params.add_service_fee = Some(value.clone());
            params::validate_add_service_fee(params)
        }
        ("add_service_fee", AsType::AsUint64(_)) => {
            return bad(format!(
                "invalid type for param {name:?}; expected *types.MsgUpdateParam_AsCoin, got *types.MsgUpdateParam_AsUint64"
            ));
        }
        ("target_num_relays", value) => {
            // The reference reads another type as zero, and refuses that.
            let value = if let AsType::AsUint64(value) = value { *value } else { 0 };
            params.target_num_relays = value;
            params::validate_target_num_relays(value)
        }
        _ => return bad(format!("unsupported param {name:?}")),
    }
    .map_err(|detail| Error::ParamInvalid.because(detail))
}
