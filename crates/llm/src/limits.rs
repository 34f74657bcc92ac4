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

/// Nesting of arrays in GGUF metadata. Real files have arrays of scalars only; the bound keeps the
/// reader's recursion shallow.
pub const GGUF_ARRAY_DEPTH: usize = 4;

/// Elements of one array in GGUF metadata. The largest vocabularies have 262,144 tokens and about
/// twice as many merges; at 32 bytes an element this bounds the reader to 64 MiB an array.
pub const GGUF_ARRAY_LENGTH: usize = 2 * 1024 * 1024;

/// Any size in a model's metadata (width, heads, context). Far above every Llama model, and small
/// enough that products of two never overflow.
pub const MODEL_DIMENSION: u64 = 1 << 24;

/// Context the engine serves, whatever the file allows. Attention over 32,768 tokens already takes
/// seconds a token on one core.
pub const CONTEXT_TOKENS: usize = 32_768;

/// Prompt tokens that share one pass over the weights. From 16 on the weights are no longer the
/// bottleneck; larger batches only delay the answer to a cancellation.
pub const PREFILL_TOKENS: usize = 16;

/// Choices our own server generates for one request, one after the other in one slot. More is better
/// asked in several requests, which share the slots.
pub const ENGINE_CHOICES: u32 = 8;

/// Largest request body our own server reads. A context of 32,768 tokens is about 128 KiB of text;
/// escapes can make it six times as long.
pub const REQUEST_BYTES: usize = 1024 * 1024;

/// Requests that may wait for our own server. At 50 ms an answer on two cores the last of 128 waits
/// about 3 s, less than clients' usual patience.
pub const WAITING_REQUESTS: usize = 128;
