//! Answers as our server writes them, and the head of an answer as others read it.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::usage::Usage;

/// Why a choice ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FinishReason {
    /// The model ended it, or a stop string did.
    Stop,
    /// `max_tokens` or the context was reached.
    Length,
}

/// A token among the most likely at its place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TopLogprob {
    /// Text of the token, U+FFFD where its bytes are no text by themselves.
    pub token: String,
    /// Natural logarithm of its probability.
    pub logprob: f32,
    /// Its exact bytes.
    pub bytes: Vec<u8>,
}

/// A generated token with its probability.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TokenLogprob {
    /// The token itself.
    #[serde(flatten)]
    pub chosen: TopLogprob,
    /// The most likely tokens at this place, best first.
    pub top_logprobs: Vec<TopLogprob>,
}

/// `logprobs` of a chat choice.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Logprobs {
    /// One entry per token of the text.
    pub content: Vec<TokenLogprob>,
}

/// `message` of a choice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplyMessage {
    /// Always `assistant`.
    pub role: Cow<'static, str>,
    /// The answer.
    pub content: String,
}

/// One of `choices`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChatChoice {
    /// Its number, from 0.
    pub index: u32,
    /// The answer.
    pub message: ReplyMessage,
    /// Present when asked for.
    pub logprobs: Option<Logprobs>,
    /// Why it ended.
    pub finish_reason: FinishReason,
}

/// A whole answer to a chat completion.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChatAnswer {
    /// `chatcmpl-…`.
    pub id: String,
    /// Always `chat.completion`.
    pub object: Cow<'static, str>,
    /// Unix time in seconds.
    pub created: u64,
    /// The model that answered.
    pub model: String,
    /// As many as `n`.
    pub choices: Vec<ChatChoice>,
    /// Tokens used.
    pub usage: Usage,
}

/// What a streamed chunk adds to a choice.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delta {
    /// `assistant`, in the first chunk of a choice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<Cow<'static, str>>,
    /// More of the text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
}

/// One of `choices` of a chunk.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChunkChoice {
    /// The choice's number.
    pub index: u32,
    /// What is new.
    pub delta: Delta,
    /// Tokens whose text is complete with this chunk.
    pub logprobs: Option<Logprobs>,
    /// Set in the last chunk of a choice.
    pub finish_reason: Option<FinishReason>,
}

/// One event of a streamed chat completion.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChatChunk {
    /// Equal in all chunks of an answer.
    pub id: String,
    /// Always `chat.completion.chunk`.
    pub object: Cow<'static, str>,
    /// Unix time in seconds.
    pub created: u64,
    /// The model that answers.
    pub model: String,
    /// One choice; none in the chunk that carries the usage.
    pub choices: Vec<ChunkChoice>,
    /// Absent unless `include_usage`; then null but in the last chunk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Option<Usage>>,
}

/// `logprobs` of a completions choice: parallel lists.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CompletionLogprobs {
    /// Text of each token.
    pub tokens: Vec<String>,
    /// Logarithm of each token's probability.
    pub token_logprobs: Vec<f32>,
    /// The most likely tokens at each place.
    pub top_logprobs: Vec<std::collections::BTreeMap<String, f32>>,
    /// Where each token's text starts, in characters.
    pub text_offset: Vec<usize>,
}

/// One of `choices` of the older completions form; `finish_reason` is null but at the end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CompletionChoice {
    /// Its number, from 0.
    pub index: u32,
    /// The text, or what is new of it.
    pub text: String,
    /// Present when asked for.
    pub logprobs: Option<CompletionLogprobs>,
    /// Why it ended.
    pub finish_reason: Option<FinishReason>,
}

/// A completions answer, or one event of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CompletionAnswer {
    /// `cmpl-…`.
    pub id: String,
    /// Always `text_completion`.
    pub object: Cow<'static, str>,
    /// Unix time in seconds.
    pub created: u64,
    /// The model that answered.
    pub model: String,
    /// As many as `n`; in a stream one, or none with the usage.
    pub choices: Vec<CompletionChoice>,
    /// As in [`ChatChunk::usage`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Option<Usage>>,
}

/// What a passer-by wants to know of an answer or of one streamed event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnswerHead<'a> {
    /// The server's id of the answer.
    pub id: Option<Cow<'a, str>>,
    /// The model that says it answered.
    pub model: Option<Cow<'a, str>>,
    /// Tokens, where reported.
    pub usage: Option<Usage>,
    /// `error` is present and not null: a 200 that is none.
    pub is_error: bool,
}

impl<'a> AnswerHead<'a> {
    /// Reads the known top-level fields; `None` when it is no JSON object or one of them has another
    /// type.
    pub fn parse(json: &'a [u8]) -> Option<Self> {
        #[derive(Deserialize)]
        struct Fields<'a> {
            #[serde(borrow)]
            id: Option<&'a RawValue>,
            #[serde(borrow)]
            model: Option<&'a RawValue>,
            #[serde(borrow)]
            usage: Option<&'a RawValue>,
            #[serde(borrow)]
            error: Option<&'a RawValue>,
        }
        let text = super::fields::object(json).ok()?;
        let fields: Fields<'a> = serde_json::from_str(text).ok()?;
        if fields.usage.is_some_and(|raw| !raw.get().starts_with('{')) {
            return None;
        }
        let usage = fields
            .usage
            .map(|raw| serde_json::from_str::<Usage>(raw.get()))
            .transpose();
        Some(Self {
            id: super::fields::text(fields.id, "id").ok()?,
            model: super::fields::text(fields.model, "model").ok()?,
            usage: usage.ok()?,
            is_error: fields.error.is_some(),
        })
    }
}

#[cfg(test)]
mod tests;
