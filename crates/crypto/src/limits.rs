//! Every limit of this crate, with how its number was found.

/// Members of a ring signature. An application delegates to at most 7 gateways at a time (parameter
/// `max_delegated_gateways`), and those leaving within the last sessions stay in the ring, so an
/// honest ring has fewer than 20; 256 leaves room for other parameters and bounds a cold
/// verification to about 35 ms.
pub const MAX_RING_MEMBERS: usize = 256;

/// Attempts to find a nonce without a short challenge. Each of n challenges is short once in 256
/// times, so one attempt of the largest ring succeeds with probability 0.37 and 1,000 fail once in
/// 10^200 times.
pub const MAX_SIGN_ATTEMPTS: usize = 1000;

/// Signatures of one ring verified the cold way before it gets tables. Tables of a ring of two take
/// about 1.3 ms to build and save about 0.17 ms a signature (`cargo bench -p relaymill-crypto`), so
/// they pay after 8; twice that keeps rings that come by chance from getting any.
pub const HOT_AFTER: u32 = 16;

/// Leaves that a thread should have to itself while a trie is sealed: below, starting the thread
/// (20 µs) costs more than the hashing (under 1 µs a leaf) saves.
pub const SEAL_LEAVES_PER_THREAD: usize = 1024;

/// Side nodes of a proof, and its depth: the bits of a path.
pub const MAX_DEPTH: usize = 256;

/// Bytes of a gob stream. A proof holds up to two relays and 12 KiB of digests; a transaction on
/// the chain is smaller.
pub const MAX_GOB_BYTES: usize = 64 << 20;

/// Elements of a list in a gob stream that are kept. The reference accepts up to 256 side nodes
/// and, although only 256 make sense, any number of flipped bits.
pub const MAX_GOB_LIST: usize = 4096;

/// Type definitions in a gob stream, and fields of one; a proof has 3, with at most 6 fields.
pub const MAX_GOB_TYPES: usize = 64;

/// Nesting of values in a gob stream; a proof nests 3 deep.
pub const MAX_GOB_NESTING: usize = 16;

/// log2 of scrypt's work for a file under a passphrase: what `age` uses, a second and 256 MiB on
/// the machines of 2018 it was measured on.
pub const AGE_LOG_N: u8 = 18;

/// The largest such work that is done for a file from elsewhere: the limit of `age` itself, 16
/// seconds and 4 GiB.
pub const MAX_AGE_LOG_N: u8 = 22;

/// Bytes of a file under a passphrase: one chunk of 64 KiB in base64, with its header. A key file has
/// 400.
pub const MAX_AGE_BYTES: usize = 96 << 10;
