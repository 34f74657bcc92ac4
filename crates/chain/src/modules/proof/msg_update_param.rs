//! `MsgUpdateParam`: governance changes one param by name.

use proto::pocket::proof::msg_update_param::AsType;
use proto::pocket::proof::{MsgUpdateParam, Params};

use super::error::Error;
use super::msg_update_params::check_authority;
use super::params;
use crate::context::Context;
use crate::error::{GrpcCode, TxError};
use crate::modules::shared::authority;

/// Checks authority, name, type and the value by itself.
pub(super) fn check(message: &MsgUpdateParam) -> Result<(), TxError> {
    check_authority(&message.authority)?;
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
    let Some(value) = &message.as_type else {
        return Err(Error::ParamInvalid.because("missing param AsType"));
    };
    let name = message.name.as_str();
    let result = match (name, value) {
        ("proof_request_probability", AsType::AsFloat(value)) => {
            params.proof_request_probability = *value;
            params::validate_probability(*value)
        }
        ("proof_requirement_threshold", AsType::AsCoin(value)) => params::validate_threshold(Some(
            params.proof_requirement_threshold.insert(value.clone()),
        )),
        ("proof_missing_penalty", AsType::AsCoin(value)) => {
            params::validate_penalty(Some(params.proof_missing_penalty.insert(value.clone())))
        }
        ("proof_submission_fee", AsType::AsCoin(value)) => {
            params::validate_fee(Some(params.proof_submission_fee.insert(value.clone())))
        }
        ("proof_request_probability", got) => Err(wrong_type(name, "AsFloat", got)),
        ("proof_requirement_threshold" | "proof_missing_penalty" | "proof_submission_fee", got) => {
            Err(wrong_type(name, "AsCoin", got))
        }
        _ => {
            let detail = format_args!("unsupported param {name:?}");
            return Err(Error::ParamNameInvalid.because(detail));
        }
    };
    result.map_err(|detail| Error::ParamInvalid.because(detail))
}

fn wrong_type(name: &str, expected: &str, got: &AsType) -> String {
    let got = match got {
        AsType::AsBytes(_) => "AsBytes",
        AsType::AsFloat(_) => "AsFloat",
        AsType::AsCoin(_) => "AsCoin",
    };
    format!(
        "invalid type for param {name:?} expected *types.MsgUpdateParam_{expected}, got *types.MsgUpdateParam_{got}"
    )
}
