//! Reading single fields of a request, so that each refusal names its field.
//!
//! A body is read in two steps: the top level into slices of its own text, then every known field by
//! itself. Fields nobody asks about are skipped without being parsed.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::error::ApiError;
use crate::limits::STOP_STRINGS;

/// A field of a request as it stands in the body; absent and `null` are the same, as in OpenAI's API.
pub(super) type Field<'a> = Option<&'a RawValue>;

/// A string, borrowed where it has no escapes.
#[derive(Deserialize)]
pub(super) struct Text<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

/// Checks that `body` is UTF-8 and starts like an object. serde would also read a struct from an
/// array, by position, which no client means.
pub(super) fn object(body: &[u8]) -> Result<&str, ApiError> {
    let text = std::str::from_utf8(body).map_err(ApiError::bad_json)?;
    let start = text.trim_ascii_start();
    if start.starts_with('{') {
        return Ok(text);
    }
    Err(ApiError::bad_json(if start.is_empty() {
        "it is empty"
    } else {
        "it is not an object"
    }))
}

/// What a JSON value is, in words.
pub(super) fn kind(raw: &RawValue) -> &'static str {
    match raw.get().as_bytes().first() {
        Some(b'{') => "an object",
        Some(b'[') => "an array",
        Some(b'"') => "a string",
        Some(b't' | b'f') => "a boolean",
        Some(b'n') => "null",
        _ if raw.get().contains(['.', 'e', 'E']) => "a decimal number",
        _ => "a number",
    }
}

/// Reads a field of any type; `expected` names the type with its article.
pub(super) fn read<'a, T: Deserialize<'a>>(
    field: Field<'a>,
    param: &str,
    expected: &str,
) -> Result<Option<T>, ApiError> {
    let Some(raw) = field else { return Ok(None) };
    match serde_json::from_str(raw.get()) {
        Ok(value) => Ok(Some(value)),
        Err(_) => Err(ApiError::wrong_type(param, expected, kind(raw))),
    }
}

/// Reads a string.
pub(super) fn text<'a>(field: Field<'a>, param: &str) -> Result<Option<Cow<'a, str>>, ApiError> {
    Ok(read::<Text<'a>>(field, param, "a string")?.map(|text| text.0))
}

/// Reads a boolean; absent is `false`.
pub(super) fn flag(field: Field<'_>, param: &str) -> Result<bool, ApiError> {
    Ok(read(field, param, "a boolean")?.unwrap_or(false))
}

/// Reads an integer in `least..=most`.
pub(super) fn integer(
    field: Field<'_>,
    param: &str,
    least: i64,
    most: i64,
) -> Result<Option<i64>, ApiError> {
    let Some(value) = read::<i64>(field, param, "an integer")? else {
        return Ok(None);
    };
    if (least..=most).contains(&value) {
        return Ok(Some(value));
    }
    let accepted = match most {
        i64::MAX => format!("at least {least}"),
        _ => format!("between {least} and {most}"),
    };
    Err(ApiError::wrong_value(param, value, &accepted))
}

/// Reads a number in `least..=most`.
pub(super) fn number(
    field: Field<'_>,
    param: &str,
    least: f64,
    most: f64,
) -> Result<Option<f32>, ApiError> {
    let Some(value) = read::<f64>(field, param, "a number")? else {
        return Ok(None);
    };
    if (least..=most).contains(&value) {
        return Ok(Some(value as f32));
    }
    Err(ApiError::wrong_value(
        param,
        value,
        &format!("between {least} and {most}"),
    ))
}

/// One token's entry of `logit_bias`.
pub type LogitBias = (u32, f32);

/// How tokens are drawn: the part of a request that is equal for chat and completions.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sampling<'a> {
    /// 0 (greedy) to 2; `None` leaves it to the model.
    pub temperature: Option<f32>,
    /// Probability mass kept, 0 to 1.
    pub top_p: Option<f32>,
    /// Tokens kept, an extension most servers have; 0 and −1 mean all.
    pub top_k: Option<i64>,
    /// −2 to 2, once per token that occurred.
    pub presence_penalty: Option<f32>,
    /// −2 to 2, per occurrence.
    pub frequency_penalty: Option<f32>,
    /// Equal seeds give equal answers.
    pub seed: Option<i64>,
    /// Strings that end the answer, themselves left out; at most four, empty ones dropped.
    pub stop: Vec<Cow<'a, str>>,
    /// Added to the logits of single tokens, −100 to 100, ascending by token.
    pub logit_bias: Vec<LogitBias>,
}

/// The fields behind [`Sampling`], unread.
pub(super) struct SamplingFields<'a> {
    pub(super) temperature: Field<'a>,
    pub(super) top_p: Field<'a>,
    pub(super) top_k: Field<'a>,
    pub(super) presence_penalty: Field<'a>,
    pub(super) frequency_penalty: Field<'a>,
    pub(super) seed: Field<'a>,
    pub(super) stop: Field<'a>,
    pub(super) logit_bias: Field<'a>,
}

impl<'a> SamplingFields<'a> {
    pub(super) fn read(self) -> Result<Sampling<'a>, ApiError> {
        Ok(Sampling {
            temperature: number(self.temperature, "temperature", 0.0, 2.0)?,
            top_p: number(self.top_p, "top_p", 0.0, 1.0)?,
            top_k: integer(self.top_k, "top_k", -1, i64::MAX)?,
            presence_penalty: number(self.presence_penalty, "presence_penalty", -2.0, 2.0)?,
            frequency_penalty: number(self.frequency_penalty, "frequency_penalty", -2.0, 2.0)?,
            seed: read(self.seed, "seed", "an integer")?,
            stop: stop(self.stop)?,
            logit_bias: logit_bias(self.logit_bias)?,
        })
    }
}

fn stop(field: Field<'_>) -> Result<Vec<Cow<'_, str>>, ApiError> {
    let Some(raw) = field else {
        return Ok(Vec::new());
    };
    let expected = "a string or an array of strings";
    let mut list = match raw.get().starts_with('[') {
        true => read::<Vec<Text<'_>>>(field, "stop", expected)?.unwrap_or_default(),
        false => read::<Text<'_>>(field, "stop", expected)?
            .into_iter()
            .collect(),
    };
    if list.len() > STOP_STRINGS {
        let accepted = format!("at most {STOP_STRINGS}");
        return Err(ApiError::wrong_value(
            "stop",
            format!("{} strings", list.len()),
            &accepted,
        ));
    }
    list.retain(|text| !text.0.is_empty());
    Ok(list.into_iter().map(|text| text.0).collect())
}

fn logit_bias(field: Field<'_>) -> Result<Vec<LogitBias>, ApiError> {
    let expected = "an object from token ids to numbers";
    let map = read::<std::collections::BTreeMap<u32, f64>>(field, "logit_bias", expected)?;
    let mut list = Vec::new();
    for (token, bias) in map.unwrap_or_default() {
        if !(-100.0..=100.0).contains(&bias) {
            let param = format!("logit_bias.{token}");
            return Err(ApiError::wrong_value(&param, bias, "between -100 and 100"));
        }
        list.push((token, bias as f32));
    }
    Ok(list)
}
