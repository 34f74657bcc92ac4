//! Every bound of this crate, and how its number was found.

use std::time::Duration;

/// Bytes of a relay request's body. A proof carries the relay (with SiblingData two) in one transaction, and a node takes
/// 1 MiB of transaction by default: two relays of this size and 64 KiB of side nodes and envelope fit.
pub const REQUEST_BODY_BYTES: usize = 480 * 1024;

/// Bytes of a backend's answer that is held to be hashed and signed as a whole.
pub const ANSWER_BYTES: u64 = 32 * 1024 * 1024;

/// Records after which the log is synced. 64 keeps the wait under 5 ms at 13,000 relays a second.
pub const GROUP_RECORDS: usize = 64;

/// Longest wait of a record for a sync: what a power failure can cost.
pub const GROUP_WAIT: Duration = Duration::from_millis(5);

/// Bytes of one record: a request and the signed hash of its answer.
pub const RECORD_BYTES: usize = REQUEST_BODY_BYTES + 64 * 1024;

/// Sessions held at once. A supplier with 50 services and 20 applications each, over the six sessions that are open,
/// claimable or provable at one time.
pub const SESSIONS: usize = 6_000;

/// Sessions that were asked for and do not exist, remembered so that a stranger cannot make us ask the chain again.
pub const UNKNOWN_SESSIONS: usize = 4_096;

/// Ring tables held, 43 KiB each: 86 MiB if all are in use. A ring of two takes five.
pub const RINGS: usize = 2_048;

/// Blocks before the claim window closes at which streams still running are cut.
pub const CUT_BLOCKS: i64 = 2;

/// Wait for a backend's response head. A long prompt on a slow machine takes minutes.
pub const BACKEND_HEAD: Duration = Duration::from_secs(300);

/// Silence inside a backend's answer after which it counts as broken.
pub const BACKEND_IDLE: Duration = Duration::from_secs(120);

/// Requests a service serves at once when the configuration does not say.
pub const SLOTS: usize = 64;

/// Claims or proofs waiting for the transaction sender.
pub const OUTCOMES: usize = 1_024;

/// Blocks a session is kept after its settlement height, so that late news still find it.
pub const KEEP_BLOCKS: i64 = 4;
