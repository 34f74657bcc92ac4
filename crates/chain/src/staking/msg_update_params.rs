//! `MsgUpdateParams` of the module, by the governance account.

use proto::cosmos::staking::v1beta1::{MsgUpdateParams, MsgUpdateParamsResponse};

use super::params;
use crate::context::Context;
use crate::error::TxError;
use crate::message::check_authority;

pub(super) fn execute(
    ctx: &mut Context,
    message: &MsgUpdateParams,
) -> Result<MsgUpdateParamsResponse, TxError> {
    check_authority(&message.authority)?;
    params::validate(&message.params)?;
    params::save(ctx, &message.params);
    Ok(MsgUpdateParamsResponse {})
}
