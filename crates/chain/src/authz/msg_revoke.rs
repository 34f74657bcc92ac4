//! `MsgRevoke`: takes a grant back.

use proto::cosmos::authz::v1beta1::{MsgRevoke, MsgRevokeResponse};

use super::{account, delete_grant, error::Error};
use crate::context::Context;
use crate::error::TxError;
use crate::sdk;

/// Removes the grant.
pub(super) fn execute(ctx: &mut Context, message: MsgRevoke) -> Result<MsgRevokeResponse, TxError> {
    if message.grantee.eq_ignore_ascii_case(&message.granter) {
        return Err(Error::GranteeIsGranter.bare());
    }
    let grantee = account("grantee", &message.grantee)?;
    let granter = account("granter", &message.granter)?;
    if message.msg_type_url.is_empty() {
        let text = "missing msg method name: invalid request";
        return Err(TxError::sdk(sdk::INVALID_REQUEST, text));
    }
    delete_grant(ctx, &granter, &grantee, &message.msg_type_url)?;
    Ok(MsgRevokeResponse {})
}
