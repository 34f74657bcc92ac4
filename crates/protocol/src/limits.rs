//! Every limit of this crate, each with how its number was found.

/// Characters of a service id (relay-protocol §1.3).
pub const MAX_SERVICE_ID_CHARS: usize = 42;

/// Bytes of one stream frame a client buffers while it waits for the delimiter. A reference miner sends frames of up
/// to 100 KiB of body or 100 lines of 256 KiB each (§7.4); ours one backend read, at most 64 KiB. 32 MiB admits the
/// largest legal frame with room for its envelope.
pub const MAX_FRAME_BYTES: usize = 32 * 1024 * 1024;

/// Bytes of a whole streamed answer, kept to check the last frame against. Twice the reference miner's largest
/// non-streamed body (20 MB).
pub const MAX_STREAM_BODY_BYTES: usize = 40 * 1024 * 1024;

/// Bytes of an error text taken over from a miner; the longest recorded one is 0.6 KiB.
pub const MAX_ERROR_TEXT_BYTES: usize = 4096;
