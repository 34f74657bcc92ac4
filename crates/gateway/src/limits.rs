//! Every bound of this crate, and how its number was found.

use std::time::Duration;

/// Bytes of a client's request. A proven relay carries the whole request in one transaction; the supplier's limit follows
/// from the chain's (1 MiB by default) and a proof may carry two relays, so larger prompts could not be proven.
pub const REQUEST_BODY_BYTES: usize = 400 * 1024;

/// Bytes of an answer. The longest generation of today's models, 128 k tokens with log probabilities, stays below 32 MiB.
pub const ANSWER_BYTES: u64 = 32 * 1024 * 1024;

/// Suppliers asked for one request before the client hears of a failure. A session has 15 or more; three keep the wait
/// within what a client tolerates.
pub const ATTEMPTS: usize = 3;

/// Wait for the first byte of an answer, shared by all attempts. A long prompt on a slow machine takes minutes.
pub const FIRST_BYTE: Duration = Duration::from_secs(300);

/// Silence inside an answer after which it counts as broken; the longest pause of a healthy backend is one token.
pub const IDLE: Duration = Duration::from_secs(120);

/// How long a supplier that failed is left alone; doubled with every further failure in a row.
pub const REST: Duration = Duration::from_millis(500);

/// Upper bound of that rest: a supplier that comes back is found within half a minute.
pub const REST_MAX: Duration = Duration::from_secs(30);

/// Suppliers remembered by the choice; a session has at most hundreds, the oldest unused are forgotten first.
pub const SUPPLIERS_REMEMBERED: usize = 4096;

/// Pause between attempts to fetch a session that the chain did not give.
pub const SESSION_RETRY: Duration = Duration::from_millis(250);

/// Attempts to fetch a session within one block.
pub const SESSION_ATTEMPTS: u32 = 3;

/// Bytes of one line of a streamed answer. A chunk holds a token, with log probabilities some kilobytes; the longest
/// honest line is a tool call's arguments in one piece, which 128 k tokens bound at about 512 KiB.
pub const EVENT_LINE_BYTES: usize = 512 * 1024;
