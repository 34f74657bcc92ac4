//! Session ids (relay-protocol §3.2).

use std::fmt;

use crate::height::Height;
use crypto::hash::sha3_256;

/// The id of a session: 32 bytes, written as 64 lower-case hex digits everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(pub [u8; 32]);

impl SessionId {
    /// Reads the 64 lower-case hex digits of a header; anything else cannot be the id of a session.
    pub fn parse(text: &str) -> Option<SessionId> {
        let mut id = [0; 32];
        hex::decode_to_slice(text, &mut id).ok()?;
        text.bytes()
            .all(|byte| !byte.is_ascii_uppercase())
            .then_some(SessionId(id))
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

/// What the id and the supplier weights are hashes of: raw block hash, service id, application address and the start
/// height in **little** endian, with dots between. The hash is that of the session's own first block.
pub fn session_preimage(
    start_block_hash: &[u8],
    service_id: &str,
    application_address: &str,
    start: Height,
) -> Vec<u8> {
    [
        start_block_hash,
        b".",
        service_id.as_bytes(),
        b".",
        application_address.as_bytes(),
        b".",
        &start.0.to_le_bytes(),
    ]
    .concat()
}

/// The id of the session with this preimage.
pub fn session_id(preimage: &[u8]) -> SessionId {
    SessionId(sha3_256(preimage))
}
