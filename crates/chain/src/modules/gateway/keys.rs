//! State keys of `gateway`.

use crate::modules::shared::ending;
use crate::modules::shared::keys::text;

/// The params.
pub(crate) const PARAMS: &[u8] = b"gateway/params";
/// Gateways by address.
pub(crate) const GATEWAYS: &[u8] = b"gateway/gateway/";
/// Gateways that have an unstake height, by that height.
pub(crate) const UNBONDING: &[u8] = b"gateway/unbonding/";
/// Those of them that applications may still delegate to, by the same height.
pub(crate) const STOPPING: &[u8] = b"gateway/stopping/";

/// A gateway.
pub(crate) fn gateway(address: &str) -> Vec<u8> {
    let mut key = GATEWAYS.to_vec();
    text(&mut key, address);
    key
}

/// Mark of an unbonding gateway.
pub(crate) fn unbonding(session_end: i64, address: &str) -> Vec<u8> {
    ending::key(UNBONDING, session_end, address)
}

/// Mark of an unbonding gateway that has not been undelegated yet.
pub(crate) fn stopping(session_end: i64, address: &str) -> Vec<u8> {
    ending::key(STOPPING, session_end, address)
}
