//! Chat templates: the Jinja program in a model file that turns messages into a prompt.
//!
//! Set up as Hugging Face's `apply_chat_template` does (blocks trimmed, `raise_exception`, the few
//! Python string methods templates use), because templates are written against it.

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Value, ValueKind, from_args};
use minijinja::{AutoEscape, Environment, Error as JinjaError, ErrorKind, context};

use super::error::{Error, Result};

const NAME: &str = "chat";

/// A compiled template.
#[derive(Debug)]
pub(crate) struct ChatTemplate {
    environment: Environment<'static>,
}

impl ChatTemplate {
    /// Compiles the source; an error names its line.
    pub(crate) fn compile(source: &str) -> Result<Self> {
        let broken = |why| Error::Malformed(format!("the chat template: {why}"));
        let mut environment = Environment::new();
        let syntax = SyntaxConfig::builder()
            .trim_blocks(true)
            .lstrip_blocks(true)
            .build();
        environment.set_syntax(syntax.map_err(broken)?);
        environment.set_auto_escape_callback(|_| AutoEscape::None);
        environment.set_unknown_method_callback(|_, value, method, args| {
            python_method(value, method, args)
        });
        environment.add_function(
            "raise_exception",
            |message: String| -> std::result::Result<(), _> {
                Err(JinjaError::new(ErrorKind::InvalidOperation, message))
            },
        );
        environment
            .add_template_owned(NAME, source.to_owned())
            .map_err(broken)?;
        Ok(Self { environment })
    }

    /// The prompt for `messages` (role and text), open for the assistant's answer.
    pub(crate) fn render(&self, messages: &[(&str, &str)], bos: &str, eos: &str) -> Result<String> {
        let messages: Vec<Value> = messages
            .iter()
            .map(|(role, content)| context! { role => *role, content => *content })
            .collect();
        let refused = |why: JinjaError| {
            Error::Template(why.detail().map_or_else(|| why.to_string(), str::to_owned))
        };
        let template = self.environment.get_template(NAME).map_err(refused)?;
        template
            .render(context! {
                messages => messages,
                add_generation_prompt => true,
                bos_token => bos,
                eos_token => eos,
            })
            .map_err(refused)
    }
}

/// Methods of Python's `str` and `dict` that templates call.
fn python_method(
    value: &Value,
    method: &str,
    args: &[Value],
) -> std::result::Result<Value, JinjaError> {
    let unknown = || JinjaError::from(ErrorKind::UnknownMethod);
    if value.kind() == ValueKind::Map {
        return match method {
            "get" => {
                let (key, default): (Value, Option<Value>) = from_args(args)?;
                let found = value.get_item(&key)?;
                Ok(if found.is_undefined() {
                    default.unwrap_or_default()
                } else {
                    found
                })
            }
            "items" => {
                let mut pairs = Vec::new();
                for key in value.try_iter()? {
                    let item = value.get_item(&key)?;
                    pairs.push(Value::from(vec![key, item]));
                }
                Ok(Value::from(pairs))
            }
            _ => Err(unknown()),
        };
    }
    let Some(text) = value.as_str() else {
        return Err(unknown());
    };
    let trim = |from_start: bool, from_end: bool| -> std::result::Result<Value, JinjaError> {
        let (set,): (Option<String>,) = from_args(args)?;
        let matches = |c: char| {
            set.as_ref()
                .map_or(c.is_whitespace(), |set| set.contains(c))
        };
        let text = if from_start {
            text.trim_start_matches(matches)
        } else {
            text
        };
        Ok(Value::from(if from_end {
            text.trim_end_matches(matches)
        } else {
            text
        }))
    };
    match method {
        "strip" => trim(true, true),
        "lstrip" => trim(true, false),
        "rstrip" => trim(false, true),
        "upper" => Ok(Value::from(text.to_uppercase())),
        "lower" => Ok(Value::from(text.to_lowercase())),
        "startswith" => from_args(args).map(|(s,): (&str,)| Value::from(text.starts_with(s))),
        "endswith" => from_args(args).map(|(s,): (&str,)| Value::from(text.ends_with(s))),
        "split" => {
            let (separator,): (Option<&str>,) = from_args(args)?;
            Ok(match separator {
                Some(separator) => text.split(separator).map(Value::from).collect(),
                None => text.split_whitespace().map(Value::from).collect(),
            })
        }
        "replace" => {
            let (from, to): (&str, &str) = from_args(args)?;
            Ok(Value::from(text.replace(from, to)))
        }
        _ => Err(unknown()),
    }
}

#[cfg(test)]
mod tests;
