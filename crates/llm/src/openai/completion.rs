//! The head of a request to the older `POST /v1/completions`: one prompt, no roles, no template.

use std::borrow::Cow;

use serde::Deserialize;

use super::chat::{include_usage, model, saturate};
use super::error::ApiError;
use super::fields::{self, Field, Sampling, SamplingFields};
use crate::limits::{CHOICES, COMPLETION_LOGPROBS};

/// What is to be continued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Prompt<'a> {
    /// Text.
    Text(Cow<'a, str>),
    /// Token ids of the model's own vocabulary.
    Tokens(Vec<u32>),
    /// Several prompts at once; how many. Our own server does not batch.
    Many(usize),
}

/// The known fields of a completions body, checked.
#[derive(Clone, Debug)]
pub struct CompletionHead<'a> {
    /// Requested model.
    pub model: Cow<'a, str>,
    /// What is to be continued.
    pub prompt: Prompt<'a>,
    /// Whether the answer is to be streamed.
    pub stream: bool,
    /// `stream_options.include_usage`.
    pub include_usage: bool,
    /// Bound on generated tokens.
    pub max_tokens: Option<u32>,
    /// Choices wanted, 1 when absent.
    pub n: u32,
    /// Whether the answer starts with the prompt.
    pub echo: bool,
    /// `suffix` is present: the model is asked to fill a gap.
    pub has_suffix: bool,
    /// How tokens are drawn.
    pub sampling: Sampling<'a>,
    /// Alternatives per token, 0 to 5; `None` for no log probabilities.
    pub logprobs: Option<u32>,
}

#[derive(Deserialize)]
struct Fields<'a> {
    #[serde(borrow)]
    model: Field<'a>,
    #[serde(borrow)]
    prompt: Field<'a>,
    #[serde(borrow)]
    stream: Field<'a>,
    #[serde(borrow)]
    stream_options: Field<'a>,
    #[serde(borrow)]
    max_tokens: Field<'a>,
    #[serde(borrow)]
    n: Field<'a>,
    #[serde(borrow)]
    echo: Field<'a>,
    #[serde(borrow)]
    suffix: Field<'a>,
    #[serde(borrow)]
    temperature: Field<'a>,
    #[serde(borrow)]
    top_p: Field<'a>,
    #[serde(borrow)]
    top_k: Field<'a>,
    #[serde(borrow)]
    presence_penalty: Field<'a>,
    #[serde(borrow)]
    frequency_penalty: Field<'a>,
    #[serde(borrow)]
    seed: Field<'a>,
    #[serde(borrow)]
    stop: Field<'a>,
    #[serde(borrow)]
    logit_bias: Field<'a>,
    #[serde(borrow)]
    logprobs: Field<'a>,
}

impl<'a> CompletionHead<'a> {
    /// Reads and checks a request body. The error is what the client is to be told.
    pub fn parse(body: &'a [u8]) -> Result<Self, ApiError> {
        let text = fields::object(body)?;
        let raw: Fields<'a> = serde_json::from_str(text).map_err(ApiError::bad_json)?;
        let stream = fields::flag(raw.stream, "stream")?;
        Ok(Self {
            model: model(raw.model)?,
            prompt: prompt(raw.prompt)?,
            stream,
            include_usage: include_usage(raw.stream_options, stream)?,
            max_tokens: fields::integer(raw.max_tokens, "max_tokens", 1, i64::MAX)?.map(saturate),
            n: fields::integer(raw.n, "n", 1, CHOICES)?.map_or(1, saturate),
            echo: fields::flag(raw.echo, "echo")?,
            has_suffix: fields::text(raw.suffix, "suffix")?.is_some_and(|text| !text.is_empty()),
            sampling: SamplingFields {
                temperature: raw.temperature,
                top_p: raw.top_p,
                top_k: raw.top_k,
                presence_penalty: raw.presence_penalty,
                frequency_penalty: raw.frequency_penalty,
                seed: raw.seed,
                stop: raw.stop,
                logit_bias: raw.logit_bias,
            }
            .read()?,
            logprobs: fields::integer(raw.logprobs, "logprobs", 0, COMPLETION_LOGPROBS)?
                .map(saturate),
        })
    }
}

fn prompt(field: Field<'_>) -> Result<Prompt<'_>, ApiError> {
    let expected = "a string, an array of strings or an array of token ids";
    let Some(raw) = field else {
        return Err(ApiError::missing("prompt"));
    };
    if raw.get().starts_with('"') {
        return Ok(Prompt::Text(
            fields::text(field, "prompt")?.unwrap_or_default(),
        ));
    }
    if let Ok(tokens) = serde_json::from_str::<Vec<u32>>(raw.get())
        && !tokens.is_empty()
    {
        return Ok(Prompt::Tokens(tokens));
    }
    if let Ok(many) = serde_json::from_str::<Vec<Vec<u32>>>(raw.get())
        && !many.is_empty()
    {
        return Ok(Prompt::Many(many.len()));
    }
    let mut texts = fields::read::<Vec<fields::Text<'_>>>(field, "prompt", expected)?
        .ok_or_else(|| ApiError::missing("prompt"))?;
    match texts.len() {
        0 => Err(ApiError::wrong_value(
            "prompt",
            "an empty array",
            "not empty",
        )),
        1 => Ok(Prompt::Text(texts.remove(0).0)),
        count => Ok(Prompt::Many(count)),
    }
}

#[cfg(test)]
mod tests;
