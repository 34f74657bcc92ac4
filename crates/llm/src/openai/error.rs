//! Errors as OpenAI clients understand them: a status code and `{"error": {…}}`.
//!
//! The official SDKs choose their exception class by the status code alone and show `message`,
//! `param` and `code` to the user, so both must be right.

use std::borrow::Cow;

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::limits::ECHO_CHARS;

/// The object under `error`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ErrorObject {
    /// What is wrong and what would be right, for a person.
    pub message: String,
    /// Class of the error, e.g. `invalid_request_error`.
    #[serde(rename = "type")]
    pub kind: Cow<'static, str>,
    /// Path of the offending field, e.g. `messages[0].role`.
    pub param: Option<String>,
    /// Stable identifier a program can match, e.g. `model_not_found`.
    pub code: Option<Cow<'static, str>>,
}

/// A whole error body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ErrorBody {
    /// The only member.
    pub error: ErrorObject,
}

impl ErrorBody {
    /// Reads an error body as any of the servers we meet writes it: OpenAI's and vLLM's
    /// `{"error": {"message", "type", "param", "code"}}` (with `code` a number or a string), the plain
    /// `{"error": "text"}` of Ollama and of relay miners, and vLLM's older
    /// `{"object": "error", "message", …}`. `None` when the body is none of these.
    pub fn parse(body: &[u8]) -> Option<Self> {
        #[derive(Deserialize)]
        struct Loose {
            error: Option<Value>,
            object: Option<Value>,
            #[serde(flatten)]
            rest: serde_json::Map<String, Value>,
        }
        let loose: Loose = serde_json::from_slice(body).ok()?;
        let object = match loose.error {
            Some(Value::String(message)) => ErrorObject::new("api_error", message),
            Some(Value::Object(map)) => ErrorObject::from_map(&map)?,
            Some(_) => return None,
            None if loose.object == Some(Value::from("error")) => {
                ErrorObject::from_map(&loose.rest)?
            }
            None => return None,
        };
        Some(Self { error: object })
    }

    /// The body as JSON.
    pub fn to_bytes(&self) -> Bytes {
        // Strings and options of strings always serialise.
        Bytes::from(serde_json::to_vec(self).unwrap_or_default())
    }
}

impl ErrorObject {
    fn new(kind: &'static str, message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            kind: Cow::Borrowed(kind),
            param: None,
            code: None,
        }
    }

    fn from_map(map: &serde_json::Map<String, Value>) -> Option<Self> {
        let text = |key: &str| match map.get(key) {
            Some(Value::String(text)) => Some(text.clone()),
            Some(Value::Number(number)) => Some(number.to_string()),
            _ => None,
        };
        Some(Self {
            message: text("message")?,
            kind: text("type").map_or(Cow::Borrowed("api_error"), Cow::Owned),
            param: text("param"),
            code: text("code").map(Cow::Owned),
        })
    }
}

/// A refusal or failure, ready to be sent: HTTP status and error object.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", object.message)]
pub struct ApiError {
    /// HTTP status.
    pub status: StatusCode,
    /// What goes under `error`.
    pub object: ErrorObject,
}

impl ApiError {
    fn new(status: StatusCode, kind: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            object: ErrorObject::new(kind, message),
        }
    }

    /// A 400 with type `invalid_request_error`.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_request_error", message)
    }

    /// Names the field the error is about, e.g. `stream_options`.
    pub fn param(mut self, param: impl Into<String>) -> Self {
        self.object.param = Some(param.into());
        self
    }

    /// Sets the stable identifier.
    pub fn code(mut self, code: &'static str) -> Self {
        self.object.code = Some(Cow::Borrowed(code));
        self
    }

    /// 400: the body is not JSON, or not an object.
    pub fn bad_json(why: impl std::fmt::Display) -> Self {
        Self::invalid(format!(
            "the request body is not a JSON object we can read: {why}"
        ))
        .code("invalid_json")
    }

    /// 400: a required field is absent or null.
    pub fn missing(param: &str) -> Self {
        Self::invalid(format!("missing required field `{param}`"))
            .param(param)
            .code("missing_required_parameter")
    }

    /// 400: a field has the wrong JSON type.
    pub fn wrong_type(param: &str, expected: &str, got: &str) -> Self {
        Self::invalid(format!("`{param}` must be {expected}, got {got}"))
            .param(param)
            .code("invalid_type")
    }

    /// 400: a field has the right type and a value that is not accepted.
    pub fn wrong_value(param: &str, got: impl std::fmt::Display, accepted: &str) -> Self {
        Self::invalid(format!(
            "`{param}` is {}, it must be {accepted}",
            echo(&got.to_string())
        ))
        .param(param)
        .code("invalid_value")
    }

    /// 400: a field this server does not implement.
    pub fn unsupported(param: &str, why: &str) -> Self {
        Self::invalid(format!("`{param}` is not supported here: {why}"))
            .param(param)
            .code("unsupported_parameter")
    }

    /// 400: prompt does not fit the context; counts are tokens.
    pub fn context_length(prompt_tokens: usize, context_tokens: usize) -> Self {
        Self::invalid(format!(
            "the prompt has {prompt_tokens} tokens and the model's context is {context_tokens}; \
             at least one must be left for the answer"
        ))
        .param("messages")
        .code("context_length_exceeded")
    }

    /// 401: no `Authorization: Bearer …` header.
    pub fn missing_api_key() -> Self {
        Self::invalid("no API key given; send it as `Authorization: Bearer KEY`")
            .status(StatusCode::UNAUTHORIZED)
            .code("missing_api_key")
    }

    /// 401: the key is not known or was revoked. Never repeats the key.
    pub fn invalid_api_key() -> Self {
        Self::invalid("the API key is not valid")
            .status(StatusCode::UNAUTHORIZED)
            .code("invalid_api_key")
    }

    /// 403: the key is good but may not do this.
    pub fn forbidden(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "permission_error", message).code("permission_denied")
    }

    /// 404: no such model, or not for this key.
    pub fn model_not_found(model: &str) -> Self {
        Self::invalid(format!(
            "the model `{}` does not exist; GET /v1/models lists those that do",
            echo(model)
        ))
        .status(StatusCode::NOT_FOUND)
        .param("model")
        .code("model_not_found")
    }

    /// 404: no such path.
    pub fn unknown_path(method: &str, path: &str) -> Self {
        Self::invalid(format!(
            "there is nothing at {} {}",
            echo(method),
            echo(path)
        ))
        .status(StatusCode::NOT_FOUND)
        .code("unknown_url")
    }

    /// 405: the path exists, not for this method.
    pub fn method_not_allowed(method: &str, path: &str) -> Self {
        Self::invalid(format!("{} is not allowed on {}", echo(method), echo(path)))
            .status(StatusCode::METHOD_NOT_ALLOWED)
            .code("method_not_allowed")
    }

    /// 413: the body is larger than `limit_bytes`.
    pub fn too_large(limit_bytes: usize) -> Self {
        Self::invalid(format!(
            "the request body is larger than {limit_bytes} bytes"
        ))
        .status(StatusCode::PAYLOAD_TOO_LARGE)
        .code("request_too_large")
    }

    /// 429: too many requests now; trying later may work.
    pub fn busy(message: impl Into<String>) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, "rate_limit_error", message)
            .code("rate_limit_exceeded")
    }

    /// 429: the key's budget is used up; trying later does not help.
    pub fn quota(message: impl Into<String>) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, "insufficient_quota", message)
            .code("insufficient_quota")
    }

    /// 500: our fault.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "server_error", message).code("internal_error")
    }

    /// 502: a server behind us failed or answered nonsense.
    pub fn upstream(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_GATEWAY, "server_error", message).code("upstream_error")
    }

    /// 503: nobody can serve this now.
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "server_error", message).code("unavailable")
    }

    /// 504: a server behind us did not answer in time.
    pub fn timeout(message: impl Into<String>) -> Self {
        Self::new(StatusCode::GATEWAY_TIMEOUT, "server_error", message).code("timeout")
    }

    /// The same error under another status.
    pub fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// The error body, without the status.
    pub fn body(&self) -> ErrorBody {
        ErrorBody {
            error: self.object.clone(),
        }
    }

    /// A complete HTTP response.
    pub fn response(&self) -> Response<Bytes> {
        let mut response = Response::new(self.body().to_bytes());
        *response.status_mut() = self.status;
        response.headers_mut().insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        );
        response
    }
}

/// A client's value, shortened and without control characters, for an error message.
pub(crate) fn echo(value: &str) -> String {
    let clean = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    let mut short: String = value.chars().take(ECHO_CHARS).map(clean).collect();
    if value.chars().nth(ECHO_CHARS).is_some() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests;
