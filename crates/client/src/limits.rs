//! Every limit of this crate, with how its number was found.

use std::time::Duration;

/// Largest answer of a gRPC query, in bytes. The reference server sends up to 100 MB; a page of
/// 1,000 hydrated suppliers is about 3 MB (chain-a: 3 kB each).
pub const GRPC_ANSWER_BYTES: usize = 64 << 20;

/// Largest answer of a JSON-RPC call, in bytes. `block_results` of a settlement block with 10,000
/// claims is about 30 MB (chain-a: 3 kB of events a claim); the reference mentions far larger ones
/// before its events were trimmed.
pub const RPC_ANSWER_BYTES: usize = 128 << 20;

/// Largest WebSocket message, in bytes. A header event is 2 kB; the rest is room for foreign nodes.
pub const SOCKET_MESSAGE_BYTES: usize = 1 << 20;

/// Attempts of one query before its error is handed to the caller: the first and two more.
pub const QUERY_ATTEMPTS: u32 = 3;

/// Wait before the second attempt; it doubles with each further one. A node that restarts its gRPC
/// server is back in under a second.
pub const QUERY_BACKOFF: Duration = Duration::from_millis(150);

/// Sessions kept. A gateway with 200 applications and 20 services uses 200 a session; ten sessions
/// of them fit.
pub const SESSIONS: usize = 4_096;

/// Entries of each other cache. A difficulty or a parameter set is under 200 bytes.
pub const CACHED: usize = 4_096;

/// Public keys kept: 33 bytes each, and asked for on every relay.
pub const PUBLIC_KEYS: usize = 65_536;

/// Blocks whose hash and time stay in memory: a day of one-minute blocks, 100 kB.
pub const RECENT_BLOCKS: usize = 1_440;

/// Blocks fetched at the same time to repair a gap. Eight keep a node 10 ms away busy without
/// crowding its other users.
pub const GAP_REQUESTS: usize = 8;

/// Block times without a block after which a subscription counts as dead. Consensus rounds that
/// fail take two to three.
pub const SILENT_BLOCK_TIMES: u32 = 4;

/// The shortest silence that counts, whatever the block time: a busy machine pauses for a second or
/// two.
pub const SILENCE_MIN: Duration = Duration::from_secs(5);

/// The longest silence tolerated, whatever the block time, and the one used before two blocks are
/// known.
pub const SILENCE_MAX: Duration = Duration::from_secs(120);

/// Waits between attempts to reconnect: from the first to the last, doubling. Each attempt also
/// asks for new blocks over HTTP, so the last is how old news gets where WebSockets do not work at
/// all.
pub const RECONNECT: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(5));

/// Claims asked for in one page, as the reference's clients do.
pub const PAGE: u64 = 100;

/// Pages followed before a listing is an error: 1,000,000 claims of one supplier.
pub const PAGES: usize = 10_000;

/// Time an unordered transaction stays valid beyond the latest block, and its bounds (chain
/// specification 6.4): the chain refuses more than ten minutes.
pub const UNORDERED_TTL: Duration = Duration::from_secs(120);
/// See [`UNORDERED_TTL`].
pub const UNORDERED_TTL_MAX: Duration = Duration::from_secs(590);

/// Blocks between two broadcasts of a transaction that is not included yet.
pub const REBROADCAST_BLOCKS: i64 = 2;

/// Fresh sequences taken after a mismatch before a transaction counts as rejected.
pub const SEQUENCE_ATTEMPTS: u32 = 5;

/// Largest transaction built by default, in bytes: CometBFT's mempool takes 1 MiB by default, and
/// the frame around our messages needs under 1 kB.
pub const TX_BYTES: usize = 1_000_000;

/// Largest gas of one transaction by default. A claim takes about 100,000 (recorded); a proof of a
/// megabyte 52 million for its bytes on networks of ours, 89 million with the usual margin. These
/// networks allow 120 million.
pub const TX_GAS: u64 = 110_000_000;

/// Messages in one transaction by default. A failure names one message and costs a simulation of
/// the rest.
pub const TX_MESSAGES: usize = 250;

/// Batches under way at the same time when transactions are unordered.
pub const BATCHES: usize = 4;
