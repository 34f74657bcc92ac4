//! `MsgUpdateParams` of the module, by the governance account.

use proto::cosmos::staking::v1beta1::{MsgUpdateParams, MsgUpdateParamsResponse};

use super::params;
use crate::context::Context;
use crate::error::TxError;
use crate::modules::shared::authority::require_gov;

pub(super) fn execute(
    ctx: &mut Context,
    message: MsgUpdateParams,
) -> Result<MsgUpdateParamsResponse, TxError> {
    require_gov(&message.authority)?;
    params::validate(&message.params)?;
    params::save(ctx, &message.params);
    Ok(MsgUpdateParamsResponse {})
}
