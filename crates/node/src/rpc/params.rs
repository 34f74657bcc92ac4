//! Arguments of a call, from JSON-RPC params (an object or a list) or from a URI's query, with CometBFT's words for what
//! cannot be read.
//!
//! In JSON, 64-bit integers are text and bytes are base64; in a URI, text is quoted, integers may be, and bytes are
//! `0x` and hex or quoted text.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use crate::services::unhex;
use crate::uri;

/// Where arguments come from.
#[derive(Clone, Debug)]
pub(crate) enum Params {
    /// By name.
    Object(Map<String, Value>),
    /// By place.
    List(Vec<Value>),
    /// From a URI, by name.
    Uri(Vec<(String, String)>),
}

/// Reads arguments of one method.
#[derive(Debug)]
pub(crate) struct Arguments<'a> {
    params: &'a Params,
    /// Names in their order, for lists.
    names: &'a [&'a str],
}

impl Params {
    /// From a URI's query; what cannot be read of it is left out, as in the reference.
    pub(crate) fn from_query(query: &str) -> Self {
        Self::Uri(uri::pairs(query).flatten().collect())
    }

    /// From the `params` of a request.
    ///
    /// # Errors
    /// Neither an object nor a list.
    pub(crate) fn from_json(value: Option<Value>) -> Result<Self, String> {
        match value {
            None | Some(Value::Null) => Ok(Self::Object(Map::new())),
            Some(Value::Object(object)) => Ok(Self::Object(object)),
            Some(Value::Array(list)) => Ok(Self::List(list)),
            Some(other) => {
                let kind = match other {
                    Value::String(_) => "string",
                    Value::Bool(_) => "bool",
                    _ => "number",
                };
                Err(format!(
                    "error converting json params to arguments: unknown type for JSON params: json: cannot unmarshal \
                     {kind} into Go value of type []json.RawMessage. Expected map or array"
                ))
            }
        }
    }

    /// For a method with these argument names.
    ///
    /// # Errors
    /// A list of another length than the names.
    pub(crate) fn arguments<'a>(&'a self, names: &'a [&'a str]) -> Result<Arguments<'a>, String> {
        if let Self::List(list) = self
            && list.len() != names.len()
        {
            return Err(format!(
                "error converting json params to arguments: expected {} parameters ([{}]), got {}",
                names.len(),
                names.join(" "),
                list.len()
            ));
        }
        Ok(Arguments {
            params: self,
            names,
        })
    }
}

enum Given<'a> {
    Json(&'a Value),
    Uri(&'a str),
}

impl Arguments<'_> {
    fn get(&self, name: &str) -> Option<Given<'_>> {
        let json = match self.params {
            Params::Object(object) => object.get(name),
            Params::List(list) => {
                let place = self.names.iter().position(|known| *known == name)?;
                list.get(place)
            }
            Params::Uri(pairs) => {
                let (_, value) = pairs.iter().find(|(key, _)| key == name)?;
                return Some(Given::Uri(value)).filter(|_| !value.is_empty());
            }
        };
        json.filter(|value| !value.is_null()).map(Given::Json)
    }

    /// Whether there is evidence.
    ///
    /// # Errors
    /// What is no evidence: an object that names its type.
    pub(crate) fn evidence(&self, name: &str) -> Result<bool, String> {
        let kind = match self.get(name) {
            None => return Ok(false),
            Some(Given::Json(value)) => value["type"].as_str().map(str::to_owned),
            Some(Given::Uri(text)) => {
                let value: Value = serde_json::from_str(text).map_err(|error| self.wrong(error))?;
                value["type"].as_str().map(str::to_owned)
            }
        };
        match kind.as_deref() {
            Some("tendermint/DuplicateVoteEvidence" | "tendermint/LightClientAttackEvidence") => {
                Ok(true)
            }
            _ => Err(self.wrong("evidence is an object with the type and value of its kind")),
        }
    }

    fn wrong(&self, reason: impl std::fmt::Display) -> String {
        let form = if matches!(self.params, Params::Uri(_)) {
            "http"
        } else {
            "json"
        };
        format!("error converting {form} params to arguments: {reason}")
    }

    /// A 64-bit integer.
    ///
    /// # Errors
    /// Anything but text with a number in it, or in a URI a number.
    pub(crate) fn integer(&self, name: &str) -> Result<Option<i64>, String> {
        let (text, quoted) = match self.get(name) {
            None => return Ok(None),
            Some(Given::Json(Value::String(text))) => (text.as_str(), true),
            Some(Given::Json(other)) => {
                return Err(self.wrong(format!(
                    "invalid 64-bit integer encoding {:?}, expected string",
                    json_text(other)
                )));
            }
            Some(Given::Uri(text)) => match unquoted(text) {
                Some(inner) => (inner, true),
                None => (text, false),
            },
        };
        // Without quotes only digits make an integer.
        let plain = text.strip_prefix('-').unwrap_or(text);
        let is_read = quoted || plain.bytes().all(|byte| byte.is_ascii_digit());
        let integer = json_integer(text).filter(|_| is_read);
        integer.map(Some).ok_or_else(|| {
            if quoted {
                self.wrong(unexpected(text))
            } else {
                self.wrong(format!(
                    "invalid 64-bit integer encoding {text:?}, expected string"
                ))
            }
        })
    }

    /// Text.
    ///
    /// # Errors
    /// Another kind; in a URI neither quoted text nor `0x` and hex.
    pub(crate) fn text(&self, name: &str) -> Result<String, String> {
        match self.get(name) {
            None => Ok(String::new()),
            Some(Given::Json(Value::String(text))) => Ok(text.clone()),
            Some(Given::Json(other)) => Err(self.wrong(not_text(other))),
            Some(Given::Uri(text)) => match hex_digits(text) {
                Some(digits) => {
                    let bytes = unhex(digits).map_err(|error| self.wrong(error))?;
                    Ok(String::from_utf8_lossy(&bytes).into_owned())
                }
                None => self.quoted(text),
            },
        }
    }

    /// What a JSON string in a URI says.
    fn quoted(&self, text: &str) -> Result<String, String> {
        match unquoted(text) {
            Some(_) => serde_json::from_str(text).map_err(|error| self.wrong(error)),
            None => Err(self.wrong(unexpected(text))),
        }
    }

    /// True or false.
    ///
    /// # Errors
    /// Anything else.
    pub(crate) fn flag(&self, name: &str) -> Result<bool, String> {
        match self.get(name) {
            None | Some(Given::Uri("false")) => Ok(false),
            Some(Given::Uri("true")) => Ok(true),
            Some(Given::Uri(text)) => Err(self.wrong(unexpected(text))),
            Some(Given::Json(Value::Bool(flag))) => Ok(*flag),
            Some(Given::Json(other)) => Err(self.wrong(format!(
                "json: cannot unmarshal {} into Go value of type bool",
                kind(other)
            ))),
        }
    }

    /// Bytes: base64 in JSON.
    ///
    /// # Errors
    /// No base64; in a URI neither `0x` and hex nor quoted text.
    pub(crate) fn bytes(&self, name: &str) -> Result<Vec<u8>, String> {
        match self.get(name) {
            Some(Given::Json(Value::String(text))) => STANDARD
                .decode(text)
                .map_err(|error| self.wrong(illegal_base64(text, &error))),
            _ => self.uri_bytes(name),
        }
    }

    /// Bytes: hex in JSON.
    ///
    /// # Errors
    /// No hex; in a URI neither `0x` and hex nor quoted text.
    pub(crate) fn hex(&self, name: &str) -> Result<Vec<u8>, String> {
        match self.get(name) {
            Some(Given::Json(Value::String(text))) => {
                unhex(text).map_err(|error| self.wrong(error))
            }
            _ => self.uri_bytes(name),
        }
    }

    fn uri_bytes(&self, name: &str) -> Result<Vec<u8>, String> {
        match self.get(name) {
            None => Ok(Vec::new()),
            Some(Given::Json(other)) => Err(self.wrong(not_text(other))),
            Some(Given::Uri(text)) => match hex_digits(text) {
                Some(digits) => unhex(digits).map_err(|error| self.wrong(error)),
                None => self.quoted(text).map(String::into_bytes),
            },
        }
    }
}

/// An integer as JSON writes it, with space around it.
fn json_integer(text: &str) -> Option<i64> {
    let text = text.trim_matches([' ', '\t', '\n', '\r']);
    let digits = text.strip_prefix('-').unwrap_or(text);
    let zero_leads = digits.len() > 1 && digits.starts_with('0');
    if zero_leads || digits.starts_with('+') {
        return None;
    }
    text.parse().ok()
}

/// What follows `0x`.
fn hex_digits(text: &str) -> Option<&str> {
    text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"))
}

fn unquoted(text: &str) -> Option<&str> {
    text.strip_prefix('"')?.strip_suffix('"')
}

fn json_text(value: &Value) -> String {
    value.to_string()
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "string",
        Value::Number(_) => "number",
        Value::Bool(_) => "bool",
        Value::Array(_) => "array",
        _ => "object",
    }
}

fn not_text(value: &Value) -> String {
    format!(
        "json: cannot unmarshal {} into Go value of type string",
        kind(value)
    )
}

/// What Go's JSON reader says about text that starts no value, or ends one early.
fn unexpected(text: &str) -> String {
    let digits = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let literal = ["true", "false", "null"].into_iter().find_map(|literal| {
        let common = text
            .chars()
            .zip(literal.chars())
            .take_while(|(ours, its)| ours == its)
            .count();
        (common > 0).then_some((literal, common))
    });
    match (text.chars().next(), text[digits..].chars().next(), literal) {
        (None, ..) => "unexpected end of JSON input".to_owned(),
        (_, Some(after), _) if digits > 0 => {
            format!("invalid character '{after}' after top-level value")
        }
        (.., Some((literal, common))) => match text.chars().nth(common) {
            None => "unexpected end of JSON input".to_owned(),
            Some(found) => {
                let expected = literal.chars().nth(common).unwrap_or(' ');
                format!("invalid character '{found}' in literal {literal} (expecting '{expected}')")
            }
        },
        (Some(first), ..) => {
            format!("invalid character '{first}' looking for beginning of value")
        }
    }
}

fn illegal_base64(text: &str, error: &base64::DecodeError) -> String {
    let offset = match error {
        base64::DecodeError::InvalidByte(offset, _)
        | base64::DecodeError::InvalidLastSymbol(offset, _) => *offset,
        _ => text.len(),
    };
    format!("illegal base64 data at input byte {offset}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(value: Value) -> Params {
        Params::from_json(Some(value)).unwrap()
    }

    #[test]
    fn errors_are_the_references() {
        let json = object(json!({ "n": 30, "t": "abc", "b": "%%%", "h": "Uu", "z": "zz!" }));
        let args = json.arguments(&[]).unwrap();
        let start = "error converting json params to arguments: ";
        let got = |text: &str| format!("{start}{text}");
        let int = got("invalid 64-bit integer encoding \"30\", expected string");
        assert_eq!(args.integer("n"), Err(int));
        let text = got("invalid character 'a' looking for beginning of value");
        assert_eq!(args.integer("t"), Err(text));
        assert_eq!(
            args.bytes("b"),
            Err(got("illegal base64 data at input byte 0"))
        );
        assert_eq!(
            args.bytes("z"),
            Err(got("illegal base64 data at input byte 2"))
        );
        assert_eq!(
            args.hex("h"),
            Err(got("encoding/hex: invalid byte: U+0055 'U'"))
        );
        let uri = Params::from_query(
            "height=abc&hash=4198a&query=tx.height=3&data=0x0a&q=%22x%22&n=5&n=%zz",
        );
        let args = uri.arguments(&[]).unwrap();
        let start = "error converting http params to arguments: ";
        let got = |text: &str| format!("{start}{text}");
        let int = "invalid 64-bit integer encoding \"abc\", expected string";
        assert_eq!(args.integer("height"), Err(got(int)));
        assert_eq!(
            args.bytes("hash"),
            Err(got("invalid character 'a' after top-level value"))
        );
        let text = "invalid character 'x' in literal true (expecting 'r')";
        assert_eq!(args.text("query"), Err(got(text)));
        assert_eq!(args.hex("data"), Ok(vec![10]));
        assert_eq!(args.bytes("q"), Ok(b"x".to_vec()));
        assert_eq!(args.integer("n"), Ok(Some(5)));
        assert!(!args.flag("prove").unwrap());
        let uri = Params::from_query(r#"a=%22b\"c%22&b=0X6869&c=%22%22"#);
        let args = uri.arguments(&[]).unwrap();
        assert_eq!(args.text("a"), Ok("b\"c".to_owned()));
        assert_eq!(args.text("b"), Ok("hi".to_owned()));
        assert_eq!(args.bytes("b"), Ok(b"hi".to_vec()));
        assert_eq!(args.bytes("c"), Ok(Vec::new()));
    }

    #[test]
    fn integers_are_json_inside_their_quotes() {
        let json = object(json!({ "a": " 3\n", "b": "01", "c": "+3", "d": "-3", "e": "0" }));
        let args = json.arguments(&[]).unwrap();
        assert_eq!(args.integer("a"), Ok(Some(3)));
        assert!(args.integer("b").is_err());
        assert!(args.integer("c").is_err());
        assert_eq!(args.integer("d"), Ok(Some(-3)));
        assert_eq!(args.integer("e"), Ok(Some(0)));
        let uri = Params::from_query("a=%22%203%22&b=01&c=%22%2B3%22&d=%203");
        let args = uri.arguments(&[]).unwrap();
        assert!(args.integer("d").is_err());
        assert_eq!(args.integer("a"), Ok(Some(3)));
        assert!(args.integer("b").is_err());
        assert!(args.integer("c").is_err());
    }

    #[test]
    fn a_list_fills_names_in_order() {
        let list = Params::from_json(Some(json!(["30"]))).unwrap();
        assert_eq!(
            list.arguments(&["height"]).unwrap().integer("height"),
            Ok(Some(30))
        );
        assert!(list.arguments(&[]).is_err());
        // Neither more nor fewer.
        assert!(list.arguments(&["hash", "prove"]).is_err());
        assert!(Params::List(Vec::new()).arguments(&[]).is_ok());
        assert!(
            Params::from_json(Some(json!("x")))
                .unwrap_err()
                .ends_with("Expected map or array")
        );
    }
}
