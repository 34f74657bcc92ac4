//! State keys of `application`.

use crate::modules::shared::ending;
use crate::modules::shared::keys::text;

/// The params.
pub(crate) const PARAMS: &[u8] = b"application/params";
/// Applications by address.
pub(crate) const APPLICATIONS: &[u8] = b"application/app/";
/// Applications that have an unstake height, by that height.
pub(crate) const UNBONDING: &[u8] = b"application/unbonding/";
/// Applications with a pending transfer, by the end of its session.
pub(crate) const TRANSFERS: &[u8] = b"application/transfer/";
/// Gateway and application for each delegation.
pub(crate) const DELEGATIONS: &[u8] = b"application/delegation/";
/// Session end and application for each entry of pending undelegations.
pub(crate) const UNDELEGATIONS: &[u8] = b"application/undelegation/";

/// An application.
pub(crate) fn application(address: &str) -> Vec<u8> {
    one(APPLICATIONS, address)
}

/// Mark of an unbonding application.
pub(crate) fn unbonding(session_end: i64, address: &str) -> Vec<u8> {
    ending::key(UNBONDING, session_end, address)
}

/// Mark of an application with a pending transfer.
pub(crate) fn transfer(session_end: i64, address: &str) -> Vec<u8> {
    ending::key(TRANSFERS, session_end, address)
}

/// The delegations to one gateway.
pub(crate) fn delegations_to(gateway: &str) -> Vec<u8> {
    one(DELEGATIONS, gateway)
}

/// One delegation.
pub(crate) fn delegation(gateway: &str, address: &str) -> Vec<u8> {
    let mut key = delegations_to(gateway);
    text(&mut key, address);
    key
}

/// Mark that an application has pending undelegations recorded at a session end.
pub(crate) fn undelegation(session_end: i64, address: &str) -> Vec<u8> {
    ending::key(UNDELEGATIONS, session_end, address)
}

fn one(table: &[u8], part: &str) -> Vec<u8> {
    let mut key = table.to_vec();
    text(&mut key, part);
    key
}
