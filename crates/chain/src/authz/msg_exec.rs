//! `MsgExec`: executes messages of other accounts, as far as these have granted it.
//!
//! Each message has exactly one signer. If that is the grantee, no grant is needed. Otherwise the grant under (signer,
//! grantee, message type) is asked first, and changed or removed, before the message runs. Events of the messages get
//! their place in the list as `authz_msg_index`; those of the grants themselves do not. The list is atomic: one failing
//! message fails the transaction.

use crypto::keys::{ADDRESS_PREFIX, Address};
use prost::Name as _;
use prost_types::Any;
use proto::cosmos::authz::v1beta1::{Grant, MsgExec, MsgExecResponse, MsgGrant};

use super::error::Error;
use super::{Acceptance, Authorization, account, delete_grant, grant, keys};
use crate::context::{BlockTime, Context};
use crate::error::{ChainError, TxError};
use crate::limits::{AUTHZ_MESSAGES_MAX, AUTHZ_NESTING_MAX};
use crate::message::decode;
use crate::modules::shared::address;
use crate::{router, sdk};

/// Refuses messages that cannot be read, too many of them and too deep a nesting. What they say is looked at in the
/// block only, as in the reference.
pub(super) fn check(message: &MsgExec) -> Result<(), TxError> {
    let mut left = AUTHZ_MESSAGES_MAX.saturating_sub(1);
    count(message, AUTHZ_NESTING_MAX.saturating_sub(1), &mut left)
}

/// Walks the messages inside of a message. `depth` levels below it are allowed.
fn count(message: &MsgExec, depth: u32, left: &mut u32) -> Result<(), TxError> {
    let refuse = |text: &str| TxError::sdk(sdk::TX_PARSE, format!("{text}: tx parse error"));
    let take = |left: &mut u32| {
        *left = left
            .checked_sub(1)
            .ok_or_else(|| refuse("call limit exceeded"))?;
        Ok::<(), TxError>(())
    };
    for inner in &message.msgs {
        let below = depth.checked_sub(1);
        let below = below.ok_or_else(|| refuse("max depth exceeded"))?;
        take(left)?;
        let name = proto::any::type_name(&inner.type_url);
        if !proto::any::is_canonical(&inner.type_url) || !router::handles(name) {
            let url = &inner.type_url;
            return Err(refuse(&format!("unable to resolve type URL {url}")));
        }
        if name == MsgExec::full_name() {
            count(&decode(&inner.value)?, below, left)?;
        } else if name == MsgGrant::full_name() {
            take(left)?;
            super::msg_grant::check(&decode(&inner.value)?)?;
        }
    }
    Ok(())
}

/// Executes the messages in order.
pub(super) fn execute(ctx: &mut Context, message: MsgExec) -> Result<MsgExecResponse, TxError> {
    if message.grantee.is_empty() {
        return Err(TxError::undefined("empty address string is not allowed"));
    }
    let grantee = account("grantee", &message.grantee)?;
    if message.msgs.is_empty() {
        let text = "messages cannot be empty: invalid request";
        return Err(TxError::sdk(sdk::INVALID_REQUEST, text));
    }
    for (index, inner) in message.msgs.iter().enumerate() {
        let name = proto::any::type_name(&inner.type_url);
        router::check(name, &inner.value)
            .unwrap_or_else(|| Err(no_route(inner)))
            .map_err(|error| error.wrap(format!("msg {index}")))?;
    }
    let mut results = Vec::with_capacity(message.msgs.len());
    for (index, inner) in message.msgs.iter().enumerate() {
        results.push(dispatch(ctx, &grantee, index, inner)?.into());
    }
    Ok(MsgExecResponse { results })
}

fn dispatch(
    ctx: &mut Context,
    grantee: &Address,
    index: usize,
    message: &Any,
) -> Result<Vec<u8>, TxError> {
    let name = proto::any::type_name(&message.type_url);
    let signers =
        router::signers(name, &message.value).unwrap_or_else(|| Err(no_route(message)))?;
    let [signer] = signers.as_slice() else {
        return Err(Error::NumOfSigners.bare());
    };
    let granter = address::of_signer(ADDRESS_PREFIX, signer)?;
    if granter != *grantee {
        use_grant(ctx, &granter, grantee, message)?;
    }
    let first = ctx.events().len();
    let response = router::execute(ctx, name, &message.value)
        .unwrap_or_else(|| Err(no_route(message)))
        .map_err(|error| {
            let shown = proto::json::bytes_to_json(name, &message.value).unwrap_or_default();
            error.wrap(format!("failed to execute message; message {shown}"))
        })?;
    ctx.tag_events(first, "authz_msg_index", &index.to_string());
    Ok(response)
}

/// Asks the grant, and stores what is left of it.
fn use_grant(
    ctx: &mut Context,
    granter: &Address,
    grantee: &Address,
    message: &Any,
) -> Result<(), TxError> {
    let type_url = message.type_url.as_str();
    let Some(found) = grant(ctx, granter, grantee, type_url)? else {
        return Err(Error::NoAuthorizationFound.because(format_args!(
            "failed to get grant with given granter: {}, grantee: {} & msgType: {type_url} ",
            granter.to_bech32(),
            grantee.to_bech32()
        )));
    };
    if let Some(expiration) = &found.expiration
        && BlockTime::from(expiration) < ctx.block.time
    {
        return Err(Error::AuthorizationExpired.bare());
    }
    let any = found.authorization.as_ref();
    let any = any.ok_or_else(|| ChainError::corrupt("grant", "no authorization"))?;
    match Authorization::from_any(any)?.accept(ctx, &message.value)? {
        Acceptance::Keep => Ok(()),
        Acceptance::Delete => delete_grant(ctx, granter, grantee, type_url),
        Acceptance::Update(left) => {
            let grant = Grant {
                authorization: Some(left.to_any()),
                expiration: found.expiration,
            };
            ctx.save(keys::grant(granter, grantee, type_url), &grant);
            Ok(())
        }
    }
}

fn no_route(message: &Any) -> TxError {
    let text = format!(
        "unrecognized message route: {}: unknown request",
        message.type_url
    );
    TxError::sdk(sdk::UNKNOWN_REQUEST, text)
}
