//! Every limit of this crate, each with how its number was found.

/// Choices (`n`) a client may ask for; the bound of the OpenAI API reference.
pub const CHOICES: i64 = 128;

/// Stop strings in one request; the bound of the OpenAI API reference.
pub const STOP_STRINGS: usize = 4;

/// Alternatives per token (`top_logprobs`); the bound of the OpenAI API reference.
pub const TOP_LOGPROBS: i64 = 20;

/// Alternatives per token in the older completions form (`logprobs`); the bound of its reference.
pub const COMPLETION_LOGPROBS: i64 = 5;

/// Messages in one request. A conversation this long is beyond any context we know; each message
/// costs 40 bytes of bookkeeping, so the list stays under 1 MiB.
pub const MESSAGES: usize = 16_384;

/// Characters of a client's value repeated in an error message: enough to recognise it, too few to
/// flood a log.
pub const ECHO_CHARS: usize = 64;

/// Bytes of one streamed event kept to read its usage. Real last chunks are under 4 KiB; a longer
/// line is passed through by whoever forwards it, but not kept (fault T2: a 1 MB line must not grow
/// memory).
pub const EVENT_BYTES: usize = 256 * 1024;
