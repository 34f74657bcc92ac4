//! The deliberate differences that touch answers only: `docs/differences.toml`.
//!
//! A row excuses one field of one method's answers, nothing that touches state. The list is kept against one recording,
//! named by the hash of its first block: there a row that excuses nothing is an error, so the list cannot outlive what it
//! describes.

use serde::Deserialize;

use super::error::ReplayError;
use super::report::Part;

/// The list that is built in.
const BUILT_IN: &str = include_str!("../../../../docs/differences.toml");

/// A list as written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    kept_against: String,
    #[serde(default)]
    difference: Vec<Excuse>,
}

/// One difference that is meant.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Excuse {
    /// Whose answer: a gRPC path, `rpc NAME`, `GET PATH` or `POST PATH` of REST, `websocket TYPE`.
    pub method: String,
    /// Path of the field in the answer's JSON form, places in lists as `[]`. What is below it is excused too.
    pub field: String,
    /// Why ours is right.
    pub reason: String,
}

impl Excuse {
    fn covers(&self, method: &str, field: &str) -> bool {
        let below = |rest: &str| rest.is_empty() || rest.starts_with(['.', '[']);
        self.method == method && field.strip_prefix(&self.field).is_some_and(below)
    }
}

/// The list, and how often each row was needed.
#[derive(Clone, Debug)]
pub struct Excuses {
    rows: Vec<(Excuse, u64)>,
    kept_against: String,
}

impl Excuses {
    /// The built-in list.
    ///
    /// # Errors
    /// Never in a binary that passed its tests.
    pub fn built_in() -> Result<Self, ReplayError> {
        Self::parse("docs/differences.toml", BUILT_IN)
    }

    /// Reads a list; `file` is named in errors.
    ///
    /// # Errors
    /// [`ReplayError::Differences`] for unknown keys, a missing key and rows without a reason.
    pub fn parse(file: &str, text: &str) -> Result<Self, ReplayError> {
        let wrong = |reason: String| ReplayError::Differences {
            file: file.to_owned(),
            reason,
        };
        let list: File = toml::from_str(text).map_err(|error| wrong(error.to_string()))?;
        for (place, row) in list.difference.iter().enumerate() {
            let fields = [&row.method, &row.field, &row.reason];
            if fields.iter().any(|text| text.trim().is_empty()) {
                let place = place + 1;
                let text =
                    format!("difference {place}: method, field and reason must say something");
                return Err(wrong(text));
            }
        }
        Ok(Self {
            rows: list.difference.into_iter().map(|row| (row, 0)).collect(),
            kept_against: list.kept_against,
        })
    }

    /// Whether a difference is one of these; counts it then.
    pub(super) fn excuse(&mut self, part: Part, method: &str, field: &str) -> bool {
        if !part.is_answer() {
            return false;
        }
        let field = without_places(field);
        let row = self
            .rows
            .iter_mut()
            .find(|(row, _)| row.covers(method, &field));
        match row {
            Some((_, count)) => {
                *count += 1;
                true
            }
            None => false,
        }
    }

    /// Rows with how many differences each excused.
    pub fn rows(&self) -> &[(Excuse, u64)] {
        &self.rows
    }

    /// Whether this list is kept against the recording with this first block.
    pub(super) fn is_kept_against(&self, first_block: &[u8]) -> bool {
        hex::encode_upper(first_block) == self.kept_against.to_uppercase()
    }
}

/// A path with `[]` for every `[3]`.
fn without_places(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    let mut inside = false;
    for c in path.chars() {
        match c {
            '[' => {
                inside = true;
                out.push_str("[]");
            }
            ']' => inside = false,
            _ if inside => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = r#"
        kept_against = "AB"
        [[difference]]
        method = "/a.Query/B"
        field = "list[].name"
        reason = "because"
    "#;

    #[test]
    fn a_row_excuses_its_field_and_what_is_below() {
        let mut list = Excuses::parse("x", LIST).unwrap();
        assert!(list.excuse(Part::Query, "/a.Query/B", "list[17].name"));
        assert!(list.excuse(Part::Query, "/a.Query/B", "list[0].name.first"));
        assert!(!list.excuse(Part::Query, "/a.Query/B", "list[0].names"));
        assert!(!list.excuse(Part::Query, "/a.Query/C", "list[0].name"));
        assert!(!list.excuse(Part::Event, "/a.Query/B", "list[0].name"));
        assert_eq!(list.rows()[0].1, 2);
        assert!(list.is_kept_against(&[0xab]) && !list.is_kept_against(&[0xac]));
    }

    #[test]
    fn unknown_keys_and_empty_reasons_are_refused() {
        let wrong = LIST.replace("reason", "raeson");
        assert!(Excuses::parse("x", &wrong).is_err());
        let text = Excuses::parse("list.toml", &LIST.replace("because", " "))
            .unwrap_err()
            .to_string();
        assert!(text.contains("list.toml: difference 1"), "{text}");
        assert!(Excuses::parse("x", "").is_err());
        assert!(Excuses::built_in().is_ok());
    }
}
