//! Consensus params: what CometBFT is told about blocks, evidence and keys.

use crate::context::Context;
use crate::error::QueryError;

/// Answers a method of `cosmos.consensus.v1.Query`. `None` for methods it does not have.
pub fn query(_ctx: &Context, _method: &str, _data: &[u8]) -> Option<Result<Vec<u8>, QueryError>> {
    None
}
