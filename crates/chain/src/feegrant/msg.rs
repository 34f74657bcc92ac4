//! `MsgGrantAllowance`, `MsgRevokeAllowance`, `MsgPruneAllowances`.

use crypto::keys::{ADDRESS_PREFIX, Address};
use proto::cosmos::feegrant::v1beta1::{
    MsgGrantAllowance, MsgGrantAllowanceResponse, MsgPruneAllowances, MsgPruneAllowancesResponse,
    MsgRevokeAllowance, MsgRevokeAllowanceResponse,
};

use super::error::Error;
use super::{Allowance, grant_allowance, remove_expired, revoke_allowance};
use crate::context::Context;
use crate::error::TxError;
use crate::limits::FEEGRANT_PRUNED_BY_MESSAGE_MAX;
use crate::modules::shared::address;
use crate::sdk;

/// Refuses an allowance that cannot be read; everything else waits for the block, as in the reference.
pub(super) fn check_grant(message: &MsgGrantAllowance) -> Result<(), TxError> {
    match message.allowance.as_ref().map(Allowance::from_any) {
        Some(Err(error)) if error.codespace == sdk::CODESPACE => Err(error),
        _ => Ok(()),
    }
}

/// Gives an allowance.
pub(super) fn grant(
    ctx: &mut Context,
    message: MsgGrantAllowance,
) -> Result<MsgGrantAllowanceResponse, TxError> {
    if message.grantee.eq_ignore_ascii_case(&message.granter) {
        return Err(same("cannot self-grant fee authorization"));
    }
    let grantee = account(&message.grantee)?;
    let granter = account(&message.granter)?;
    super::check_absent(ctx, &granter, &grantee)?;
    let any = message.allowance.as_ref();
    let any = any.ok_or_else(|| Error::NoAllowance.because("failed to get allowance"))?;
    let allowance = Allowance::from_any(any)?;
    allowance.check()?;
    grant_allowance(ctx, &granter, &grantee, &allowance)?;
    Ok(MsgGrantAllowanceResponse {})
}

/// Takes an allowance back.
pub(super) fn revoke(
    ctx: &mut Context,
    message: MsgRevokeAllowance,
) -> Result<MsgRevokeAllowanceResponse, TxError> {
    if message.grantee == message.granter {
        return Err(same("addresses must be different"));
    }
    let grantee = account(&message.grantee)?;
    let granter = account(&message.granter)?;
    revoke_allowance(ctx, &granter, &grantee)?;
    Ok(MsgRevokeAllowanceResponse {})
}

/// Removes some expired allowances. Event: `prune_feegrant`.
pub(super) fn prune(
    ctx: &mut Context,
    message: MsgPruneAllowances,
) -> Result<MsgPruneAllowancesResponse, TxError> {
    remove_expired(ctx, FEEGRANT_PRUNED_BY_MESSAGE_MAX)?;
    ctx.emit_raw("prune_feegrant", &[("pruner", &message.pruner)]);
    Ok(MsgPruneAllowancesResponse {})
}

fn account(text: &str) -> Result<Address, TxError> {
    address::of_signer(ADDRESS_PREFIX, text)
}

fn same(text: &str) -> TxError {
    TxError::sdk(sdk::INVALID_ADDRESS, format!("{text}: invalid address"))
}
