//! State keys of `gateway`.

use crate::modules::shared::keys::text;

/// The params.
pub(crate) const PARAMS: &[u8] = b"gateway/params";
/// Gateways by address.
pub(crate) const GATEWAYS: &[u8] = b"gateway/gateway/";
/// Addresses of gateways that have an unstake height.
pub(crate) const UNBONDING: &[u8] = b"gateway/unbonding/";

/// A gateway.
pub(crate) fn gateway(address: &str) -> Vec<u8> {
    let mut key = GATEWAYS.to_vec();
    text(&mut key, address);
    key
}

/// Mark of an unbonding gateway.
pub(crate) fn unbonding(address: &str) -> Vec<u8> {
    let mut key = UNBONDING.to_vec();
    text(&mut key, address);
    key
}
