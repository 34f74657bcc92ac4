//! `MsgGrant`: lets another account execute messages of a type.

use proto::cosmos::authz::v1beta1::{MsgGrant, MsgGrantResponse};

use super::{Authorization, account, elsewhere, error::Error, save_grant};
use crate::context::{BlockTime, Context};
use crate::error::TxError;
use crate::{auth, bank, router, sdk};

/// Refuses an authorization that cannot be read; everything else waits for the block, as in the reference.
pub(super) fn check(message: &MsgGrant) -> Result<(), TxError> {
    let expiration = message.grant.expiration.as_ref().map(BlockTime::from);
    if expiration.is_some_and(|expiration| !expiration.is_valid()) {
        let text = "expiration is no moment: tx parse error";
        return Err(TxError::sdk(sdk::TX_PARSE, text));
    }
    match &message.grant.authorization {
        Some(any) => Authorization::from_any(any).map(|_| ()),
        None => Ok(()),
    }
}

/// Stores the grant; creates the grantee's account if there is none.
pub(super) fn execute(ctx: &mut Context, message: MsgGrant) -> Result<MsgGrantResponse, TxError> {
    if message.grantee.eq_ignore_ascii_case(&message.granter) {
        return Err(Error::GranteeIsGranter.bare());
    }
    let grantee = account("grantee", &message.grantee)?;
    let granter = account("granter", &message.granter)?;
    let invalid = |text: String| TxError::sdk(sdk::INVALID_TYPE, format!("{text}: invalid type"));
    let authorization = match &message.grant.authorization {
        Some(any) => Authorization::from_any(any)?,
        None => return Err(invalid("authorization is nil".to_owned())),
    };
    authorization.check()?;
    if auth::account(ctx, &grantee)?.is_none() {
        bank::check_receiver(&grantee)?;
        auth::ensure_account(ctx, &grantee)?;
    }
    let type_url = authorization.type_url();
    if type_url.is_empty() {
        return Err(TxError::panic("a stake authorization of no known kind"));
    }
    let name = proto::any::type_name(&type_url);
    let is_handled = router::handles(name) || elsewhere::is_handled(name);
    if !type_url.starts_with('/') || !is_handled {
        return Err(invalid(format!("{type_url} doesn't exist.")));
    }
    let expiration = message.grant.expiration;
    save_grant(ctx, &granter, &grantee, &authorization, expiration)?;
    Ok(MsgGrantResponse {})
}
