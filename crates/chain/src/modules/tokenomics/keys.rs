//! State keys of `tokenomics`.

/// The params.
pub(crate) const PARAMS: &[u8] = b"tokenomics/params";
