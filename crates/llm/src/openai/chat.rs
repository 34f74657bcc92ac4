//! The head of a chat completion request: what has to be known to route, bound and refuse it.
//!
//! Everything a gateway may refuse by itself is checked here (roles, types, ranges), so that a bad
//! request costs nothing. What only the model server can judge (tools, images, formats) is passed.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::error::ApiError;
use super::fields::{self, Field, Sampling, SamplingFields};
use crate::limits::{CHOICES, MESSAGES, TOP_LOGPROBS};

/// Who speaks in a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Instructions.
    System,
    /// Instructions, newer name.
    Developer,
    /// The person asking.
    User,
    /// The model.
    Assistant,
    /// The result of a tool call.
    Tool,
    /// The result of a function call, older form.
    Function,
}

impl Role {
    const ALL: [Self; 6] = [
        Self::System,
        Self::Developer,
        Self::User,
        Self::Assistant,
        Self::Tool,
        Self::Function,
    ];

    /// The role as written in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Developer => "developer",
            Self::User => "user",
            Self::Assistant => "assistant",
            Self::Tool => "tool",
            Self::Function => "function",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text)
    }
}

/// One message; its content stays unread until asked for.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// Who speaks.
    pub role: Role,
    /// A JSON string or array of parts; `None` for an assistant's message with only tool calls.
    pub content: Option<&'a RawValue>,
}

impl<'a> Message<'a> {
    /// The content as text: the string itself, or its text parts joined. An error for parts that are
    /// not text; `index` is the place among the messages, for that error.
    pub fn text(&self, index: usize) -> Result<Cow<'a, str>, ApiError> {
        #[derive(Deserialize)]
        struct Part<'a> {
            #[serde(borrow, rename = "type")]
            kind: fields::Text<'a>,
            #[serde(borrow)]
            text: Option<fields::Text<'a>>,
        }
        let param = format!("messages[{index}].content");
        let Some(raw) = self.content else {
            return Ok(Cow::Borrowed(""));
        };
        if raw.get().starts_with('"') {
            return Ok(fields::text(Some(raw), &param)?.unwrap_or_default());
        }
        let expected = "a string or an array of typed parts";
        let parts = fields::read::<Vec<Part<'a>>>(Some(raw), &param, expected)?.unwrap_or_default();
        let mut whole = String::new();
        for part in parts {
            match (part.kind.0.as_ref(), part.text) {
                ("text", Some(text)) => whole.push_str(&text.0),
                ("text", None) => return Err(ApiError::missing(&format!("{param}[].text"))),
                (other, _) => {
                    return Err(ApiError::wrong_value(&param, other, "of text parts only"));
                }
            }
        }
        Ok(Cow::Owned(whole))
    }
}

/// The known fields of a `POST /v1/chat/completions` body, checked. Strings borrow from the body.
#[derive(Clone, Debug)]
pub struct ChatHead<'a> {
    /// Requested model.
    pub model: Cow<'a, str>,
    /// The conversation, at least one message.
    pub messages: Vec<Message<'a>>,
    /// Whether the answer is to be streamed.
    pub stream: bool,
    /// `stream_options.include_usage`: one more chunk with the usage before `[DONE]`.
    pub include_usage: bool,
    /// Bound on generated tokens: `max_completion_tokens`, else `max_tokens`.
    pub max_tokens: Option<u32>,
    /// Choices wanted, 1 when absent.
    pub n: u32,
    /// How tokens are drawn.
    pub sampling: Sampling<'a>,
    /// Whether log probabilities are wanted.
    pub logprobs: bool,
    /// Alternatives per token, 0 to 20.
    pub top_logprobs: u32,
    /// `tools` or `functions` is present and not empty.
    pub has_tools: bool,
    /// `response_format.type`, e.g. `json_object`.
    pub response_format: Option<Cow<'a, str>>,
    /// The client's own name for its user.
    pub user: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Fields<'a> {
    #[serde(borrow)]
    model: Field<'a>,
    #[serde(borrow)]
    messages: Field<'a>,
    #[serde(borrow)]
    stream: Field<'a>,
    #[serde(borrow)]
    stream_options: Field<'a>,
    #[serde(borrow)]
    max_tokens: Field<'a>,
    #[serde(borrow)]
    max_completion_tokens: Field<'a>,
    #[serde(borrow)]
    n: Field<'a>,
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
    #[serde(borrow)]
    top_logprobs: Field<'a>,
    #[serde(borrow)]
    tools: Field<'a>,
    #[serde(borrow)]
    functions: Field<'a>,
    #[serde(borrow)]
    response_format: Field<'a>,
    #[serde(borrow)]
    user: Field<'a>,
}

impl<'a> ChatHead<'a> {
    /// Reads and checks a request body. The error is what the client is to be told.
    pub fn parse(body: &'a [u8]) -> Result<Self, ApiError> {
        let text = fields::object(body)?;
        let raw: Fields<'a> = serde_json::from_str(text).map_err(ApiError::bad_json)?;
        let stream = fields::flag(raw.stream, "stream")?;
        let logprobs = fields::flag(raw.logprobs, "logprobs")?;
        let max_tokens = fields::integer(raw.max_tokens, "max_tokens", 1, i64::MAX)?;
        let max_completion_tokens = fields::integer(
            raw.max_completion_tokens,
            "max_completion_tokens",
            1,
            i64::MAX,
        )?;
        let top_logprobs = fields::integer(raw.top_logprobs, "top_logprobs", 0, TOP_LOGPROBS)?;
        if top_logprobs.is_some_and(|count| count > 0) && !logprobs {
            let error = ApiError::invalid("`top_logprobs` needs `logprobs` to be true");
            return Err(error.param("top_logprobs").code("invalid_value"));
        }
        Ok(Self {
            model: model(raw.model)?,
            messages: messages(raw.messages)?,
            stream,
            include_usage: include_usage(raw.stream_options, stream)?,
            max_tokens: max_completion_tokens.or(max_tokens).map(saturate),
            n: fields::integer(raw.n, "n", 1, CHOICES)?.map_or(1, saturate),
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
            logprobs,
            top_logprobs: top_logprobs.map_or(0, saturate),
            has_tools: filled(raw.tools, "tools")? || filled(raw.functions, "functions")?,
            response_format: response_format(raw.response_format)?,
            user: fields::text(raw.user, "user")?,
        })
    }
}

/// The `model` field: required, a string, not empty.
pub(super) fn model(field: Field<'_>) -> Result<Cow<'_, str>, ApiError> {
    match fields::text(field, "model")? {
        Some(model) if !model.is_empty() => Ok(model),
        Some(_) => Err(ApiError::wrong_value("model", "empty", "the id of a model")),
        None => Err(ApiError::missing("model")),
    }
}

/// `stream_options.include_usage`; the options are refused without `stream`, as OpenAI does.
pub(super) fn include_usage(field: Field<'_>, stream: bool) -> Result<bool, ApiError> {
    #[derive(Deserialize)]
    struct Options<'a> {
        #[serde(borrow)]
        include_usage: Field<'a>,
    }
    let Some(raw) = field else { return Ok(false) };
    if !raw.get().starts_with('{') {
        return Err(ApiError::wrong_type(
            "stream_options",
            "an object",
            fields::kind(raw),
        ));
    }
    if !stream {
        let error = ApiError::invalid("`stream_options` needs `stream` to be true");
        return Err(error.param("stream_options").code("invalid_value"));
    }
    let options = fields::read::<Options<'_>>(field, "stream_options", "an object")?;
    let include_usage = options.and_then(|options| options.include_usage);
    fields::flag(include_usage, "stream_options.include_usage")
}

/// A checked, positive count as 32 bits; more than fits means no bound.
pub(super) fn saturate(value: i64) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

fn messages(field: Field<'_>) -> Result<Vec<Message<'_>>, ApiError> {
    let list = fields::read::<Vec<&RawValue>>(field, "messages", "an array")?
        .ok_or_else(|| ApiError::missing("messages"))?;
    if list.is_empty() || list.len() > MESSAGES {
        let accepted = format!("an array of 1 to {MESSAGES} messages");
        return Err(ApiError::wrong_value(
            "messages",
            format!("{} long", list.len()),
            &accepted,
        ));
    }
    list.into_iter()
        .enumerate()
        .map(|(index, raw)| message(index, raw))
        .collect()
}

fn message(index: usize, raw: &RawValue) -> Result<Message<'_>, ApiError> {
    #[derive(Deserialize)]
    struct Fields<'a> {
        #[serde(borrow)]
        role: Field<'a>,
        #[serde(borrow)]
        content: Field<'a>,
        #[serde(borrow)]
        tool_calls: Field<'a>,
        #[serde(borrow)]
        function_call: Field<'a>,
        #[serde(borrow)]
        refusal: Field<'a>,
    }
    let param = |name: &str| format!("messages[{index}]{name}");
    if !raw.get().starts_with('{') {
        return Err(ApiError::wrong_type(
            &param(""),
            "an object",
            fields::kind(raw),
        ));
    }
    let known: Fields<'_> =
        serde_json::from_str(raw.get()).map_err(|why| ApiError::bad_json(why).param(param("")))?;
    let name = fields::text(known.role, &param(".role"))?
        .ok_or_else(|| ApiError::missing(&param(".role")))?;
    let Some(role) = Role::parse(&name) else {
        let all: Vec<_> = Role::ALL.into_iter().map(Role::as_str).collect();
        let accepted = format!("one of {}", all.join(", "));
        let got = format!("`{}`", super::error::echo(&name));
        return Err(ApiError::wrong_value(&param(".role"), got, &accepted));
    };
    let called = known
        .tool_calls
        .or(known.function_call)
        .or(known.refusal)
        .is_some();
    match known.content {
        Some(content) if !content.get().starts_with(['"', '[']) => Err(ApiError::wrong_type(
            &param(".content"),
            "a string or an array of parts",
            fields::kind(content),
        )),
        None if role != Role::Assistant || !called => Err(ApiError::missing(&param(".content"))),
        content => Ok(Message { role, content }),
    }
}

fn filled(field: Field<'_>, param: &str) -> Result<bool, ApiError> {
    let list = fields::read::<Vec<serde::de::IgnoredAny>>(field, param, "an array")?;
    Ok(list.is_some_and(|list| !list.is_empty()))
}

fn response_format(field: Field<'_>) -> Result<Option<Cow<'_, str>>, ApiError> {
    #[derive(Deserialize)]
    struct Format<'a> {
        #[serde(borrow, rename = "type")]
        kind: Field<'a>,
    }
    let Some(raw) = field else { return Ok(None) };
    if !raw.get().starts_with('{') {
        return Err(ApiError::wrong_type(
            "response_format",
            "an object",
            fields::kind(raw),
        ));
    }
    let format = fields::read::<Format<'_>>(field, "response_format", "an object")?;
    let kind = format.and_then(|format| format.kind);
    match fields::text(kind, "response_format.type")? {
        Some(kind) => Ok(Some(kind)),
        None => Err(ApiError::missing("response_format.type")),
    }
}

#[cfg(test)]
mod tests;
