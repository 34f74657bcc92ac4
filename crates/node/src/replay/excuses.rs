//! The deliberate differences that touch answers only: `docs/differences.toml`.
//!
//! A row excuses one field of one method's answers, nothing that touches state. The list is kept against one recording,
//! named by the hash of its first block: there a row that excuses nothing is an error, so the list cannot outlive what it
//! describes.

use serde::Deserialize;

use super::error::ReplayError;
use super::report::Difference;

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
    /// How the recorded value begins, where only some are excused.
    #[serde(default)]
    pub recorded: String,
    /// How ours begins.
    #[serde(default)]
    pub ours: String,
    /// Why ours is right.
    pub reason: String,
}

impl Excuse {
    fn covers(&self, method: &str, field: &str, found: &Difference) -> bool {
        let below = |rest: &str| rest.is_empty() || rest.starts_with(['.', '[']);
        self.method == method
            && field.strip_prefix(&self.field).is_some_and(below)
            && found.expected.starts_with(&self.recorded)
            && found.got.starts_with(&self.ours)
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
    pub(super) fn excuse(&mut self, method: &str, found: &Difference) -> bool {
        if !found.part.is_answer() {
            return false;
        }
        let field = without_places(&found.field);
        let row = self
            .rows
            .iter_mut()
            .find(|(row, _)| row.covers(method, &field, found));
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
    use crate::replay::report::Part;

    const LIST: &str = r#"
        kept_against = "AB"
        [[difference]]
        method = "/a.Query/B"
        field = "list[].name"
        reason = "because"
    "#;

    fn found(part: Part, field: &str) -> Difference {
        Difference {
            part,
            height: None,
            place: String::new(),
            field: field.to_owned(),
            expected: "13 no such thing".to_owned(),
            got: "0".to_owned(),
        }
    }

    #[test]
    fn a_row_excuses_only_what_it_says_was_recorded_and_is_answered() {
        let excused = |condition: &str| {
            let text = LIST.replace("reason", &format!("{condition}\nreason"));
            let mut list = Excuses::parse("x", &text).unwrap();
            list.excuse("/a.Query/B", &found(Part::Query, "list[].name"))
        };
        assert!(excused("recorded = \"13 no such\"\nours = \"0\""));
        assert!(!excused("recorded = \"13 no other\""));
        assert!(!excused("ours = \"5\""));
    }

    #[test]
    fn a_row_excuses_its_field_and_what_is_below() {
        let mut list = Excuses::parse("x", LIST).unwrap();
        let mut excuse = |part, method: &str, field: &str| list.excuse(method, &found(part, field));
        assert!(excuse(Part::Query, "/a.Query/B", "list[17].name"));
        assert!(excuse(Part::Query, "/a.Query/B", "list[0].name.first"));
        assert!(!excuse(Part::Query, "/a.Query/B", "list[0].names"));
        assert!(!excuse(Part::Query, "/a.Query/C", "list[0].name"));
        assert!(!excuse(Part::Event, "/a.Query/B", "list[0].name"));
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
