//! The OpenAI HTTP interface as data: what is asked, what is answered, what is refused.
//!
//! Used by the gateway (which reads the head of a request and the end of an answer, and passes the
//! bytes between untouched), by the supplier (usage), and by our own server. Shapes follow the public
//! OpenAI API reference; nothing here opens a socket.
//!
//! Invariants
//! - a request is never turned into a tree: known fields are read, all else is skipped in place;
//! - of a stream only the last event is ever parsed;
//! - every refusal names the field, the value and what would be accepted.
//!
//! Start with [`ChatHead::parse`] for requests, [`ApiError`] for refusals, [`Tail`] for streams.

mod answer;
mod chat;
mod completion;
mod error;
mod fields;
mod models;
mod sse;
mod usage;

pub use answer::{
    AnswerHead, ChatAnswer, ChatChoice, ChatChunk, ChunkChoice, CompletionAnswer, CompletionChoice,
    CompletionLogprobs, Delta, FinishReason, Logprobs, ReplyMessage, TokenLogprob, TopLogprob,
};
pub use chat::{ChatHead, Message, Role};
pub use completion::{CompletionHead, Prompt};
pub use error::{ApiError, ErrorBody, ErrorObject};
pub use fields::{LogitBias, Sampling};
pub use models::{ModelList, ModelObject};
pub use sse::{DONE, DONE_FRAME, Tail, error_frame, events, frame};
pub use usage::Usage;
