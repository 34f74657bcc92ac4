//! How answers are printed, and how a person is asked.

use anyhow::{Result, bail};
use base64::Engine as _;
use clap::ValueEnum;
use serde_json::{Value, json};

use crate::keys::confirm;

/// How an answer is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// For people.
    Text,
    /// One JSON document.
    Json,
}

/// Prints an answer.
pub(crate) fn print(output: Output, json: &Value) -> Result<()> {
    match output {
        Output::Json => println!("{json}"),
        Output::Text => print!("{}", text(json)),
    }
    Ok(())
}

/// A public key as the SDK's tools write and read it.
pub(crate) fn public_key_json(kind: &str, bytes: &[u8]) -> Value {
    let key = base64::engine::general_purpose::STANDARD.encode(bytes);
    json!({ "@type": kind, "key": key })
}

/// Goes on only with consent: given in advance, or on the terminal.
pub(crate) fn agree(in_advance: bool, question: &str) -> Result<()> {
    if in_advance {
        return Ok(());
    }
    match confirm(question)? {
        Some(true) => Ok(()),
        Some(false) => bail!("nothing was done"),
        None => bail!("{question} There is no terminal to ask on: give --yes"),
    }
}

/// A document as indented lines of `key: value`, lists with dashes: what YAML looks like.
pub(crate) fn text(json: &Value) -> String {
    let mut out = String::new();
    match json {
        Value::Object(_) | Value::Array(_) => lines(&mut out, json, 0, false),
        scalar => {
            out.push_str(&plain(scalar));
            out.push('\n');
        }
    }
    out
}

/// Writes the entries of an object or list; the first continues a line that was begun with a dash.
fn lines(out: &mut String, json: &Value, depth: usize, continued: bool) {
    let indent = |out: &mut String, first: bool| {
        if !(first && continued) {
            out.push_str(&"  ".repeat(depth));
        }
    };
    match json {
        Value::Object(entries) => {
            for (index, (key, value)) in entries.iter().enumerate() {
                indent(out, index == 0);
                out.push_str(key);
                out.push(':');
                value_after(out, value, depth);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                indent(out, index == 0);
                out.push('-');
                match item {
                    Value::Object(entries) if !entries.is_empty() => {
                        out.push(' ');
                        lines(out, item, depth + 1, true);
                    }
                    other => value_after(out, other, depth),
                }
            }
        }
        _ => {}
    }
}

/// Writes what stands after a colon or dash, to the end of the line or on lines of its own.
fn value_after(out: &mut String, value: &Value, depth: usize) {
    let empty = match value {
        Value::Object(entries) => entries.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    };
    match value {
        Value::Object(_) | Value::Array(_) if !empty => {
            out.push('\n');
            lines(out, value, depth + 1, false);
        }
        Value::Object(_) => out.push_str(" {}\n"),
        Value::Array(_) => out.push_str(" []\n"),
        scalar => {
            out.push(' ');
            out.push_str(&plain(scalar));
            out.push('\n');
        }
    }
}

/// A string without quotes unless it would be taken for something else.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => {
            let lines = text.is_empty() || text.chars().any(char::is_control);
            if lines {
                value.to_string()
            } else {
                text.clone()
            }
        }
        Value::Null => "null".to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_what_people_read() {
        let json = json!({
            "a": "x", "n": 1, "none": null, "empty": [], "hollow": {}, "lines": "1\n2",
            "o": { "b": true, "l": ["p", "q"], "r": [{ "s": 1, "t": { "u": "v" } }, { "s": 2 }] },
        });
        let expected = "a: x\nn: 1\nnone: null\nempty: []\nhollow: {}\nlines: \"1\\n2\"\no:\n  b: true\n  l:\n    - p\n    - q\n  r:\n    - s: 1\n      t:\n        u: v\n    - s: 2\n";
        assert_eq!(text(&json), expected);
        assert_eq!(text(&json!("x")), "x\n");
    }
}
