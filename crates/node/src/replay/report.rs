//! What a replay found: differences, bounded in number, and what was compared.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::excuses::{Excuse, Excuses};

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// Code, codespace, log and data of a transaction in a block.
    Transaction,
    /// An event of a transaction or of a block's phases.
    Event,
    /// Updates of validators and parameters, and the validators of a block.
    Block,
    /// The answer of CheckTx.
    Check,
    /// A gRPC call.
    Query,
    /// A REST exchange.
    Rest,
    /// A JSON-RPC exchange.
    Rpc,
    /// A WebSocket frame.
    WebSocket,
    /// An exported state.
    Export,
}

impl Part {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Transaction,
        Self::Event,
        Self::Block,
        Self::Check,
        Self::Query,
        Self::Rest,
        Self::Rpc,
        Self::WebSocket,
        Self::Export,
    ];

    /// Its name in a report.
    pub fn name(self) -> &'static str {
        match self {
            Self::Transaction => "transaction",
            Self::Event => "event",
            Self::Block => "block",
            Self::Check => "check",
            Self::Query => "query",
            Self::Rest => "rest",
            Self::Rpc => "rpc",
            Self::WebSocket => "websocket",
            Self::Export => "export",
        }
    }

    /// Whether it is an answer to somebody, which a deliberate difference may touch.
    pub(super) fn is_answer(self) -> bool {
        matches!(self, Self::Query | Self::Rest | Self::Rpc | Self::WebSocket)
    }
}

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What was compared.
    pub part: Part,
    /// Height of the state; none for "after everything".
    pub height: Option<i64>,
    /// Which one: a transaction's place, a method, a route; with file and line where it has them.
    pub place: String,
    /// Path of the field.
    pub field: String,
    /// What was recorded.
    pub expected: String,
    /// What we say.
    pub got: String,
}

/// Counts of one part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Things compared.
    pub compared: u64,
    /// Differences found, the excused ones left out.
    pub differences: u64,
}

/// What a replay found.
#[derive(Clone, Debug)]
pub struct Report {
    /// Chain id of the recording.
    pub chain_id: String,
    /// Blocks executed.
    pub blocks: u64,
    /// Counts by part.
    pub counts: BTreeMap<Part, Count>,
    /// The first differences of each part.
    pub differences: Vec<Difference>,
    /// Whether a row of the list of differences that excused nothing is an error.
    pub strict: bool,
    /// What was not compared, by reason.
    pub left_out: BTreeMap<String, u64>,
    excuses: Excuses,
    per_part: u64,
}

/// Bytes of a value that are printed.
const SHOWN: usize = 400;

impl Report {
    pub(super) fn new(chain_id: &str, excuses: Excuses, strict: bool, per_part: u64) -> Self {
        Self {
            chain_id: chain_id.to_owned(),
            blocks: 0,
            counts: Part::ALL.map(|part| (part, Count::default())).into(),
            differences: Vec::new(),
            strict,
            left_out: BTreeMap::new(),
            excuses,
            per_part,
        }
    }

    /// Counts things compared.
    pub(super) fn compared(&mut self, part: Part, count: usize) {
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        self.counts.entry(part).or_default().compared += count;
    }

    /// Counts something that is not compared.
    pub(super) fn leave_out(&mut self, reason: impl Into<String>) {
        *self.left_out.entry(reason.into()).or_default() += 1;
    }

    /// Notes a difference, unless it is excused for `method`.
    pub(super) fn differs(&mut self, method: &str, mut difference: Difference) {
        let part = difference.part;
        if self.excuses.excuse(method, &difference) {
            return;
        }
        let count = self.counts.entry(part).or_default();
        count.differences += 1;
        if count.differences <= self.per_part {
            for text in [&mut difference.expected, &mut difference.got] {
                shorten(text);
            }
            self.differences.push(difference);
        }
    }

    /// Rows of the list of differences with how often each was needed.
    pub fn excused(&self) -> &[(Excuse, u64)] {
        self.excuses.rows()
    }

    /// Rows that excused nothing, where that is an error.
    pub fn unused(&self) -> Vec<&Excuse> {
        let rows = self.excuses.rows().iter();
        rows.filter(|(_, count)| self.strict && *count == 0)
            .map(|(row, _)| row)
            .collect()
    }

    /// Differences of all parts.
    pub fn total(&self) -> u64 {
        self.counts.values().map(|count| count.differences).sum()
    }

    /// Whether nothing differs.
    pub fn is_equal(&self) -> bool {
        self.total() == 0 && self.unused().is_empty()
    }

    /// The report for people: differences first, then the summary.
    pub fn to_text(&self) -> String {
        let mut lines = Vec::new();
        for part in Part::ALL {
            let of_part = self.differences.iter().filter(|one| one.part == part);
            lines.extend(of_part.map(Difference::to_text));
            let count = self.counts.get(&part).copied().unwrap_or_default();
            if count.differences > self.per_part {
                let more = count.differences - self.per_part;
                lines.push(format!("{}: {more} more differences", part.name()));
            }
        }
        lines.push(format!(
            "{}: {} blocks replayed",
            self.chain_id, self.blocks
        ));
        for (part, count) in &self.counts {
            lines.push(format!(
                "{:>12}: {:>6} compared, {} differ",
                part.name(),
                count.compared,
                count.differences
            ));
        }
        for (row, count) in self.excused() {
            let (method, field) = (&row.method, &row.field);
            let text = format!("excused {count} times: {method} {field}: {}", row.reason);
            lines.push(text);
        }
        for row in self.unused() {
            let (method, field) = (&row.method, &row.field);
            lines.push(format!(
                "excuses nothing: {method} {field}: take the row out"
            ));
        }
        for (reason, count) in &self.left_out {
            lines.push(format!("not compared, {count} times: {reason}"));
        }
        lines.extend(
            ALWAYS_FREE
                .iter()
                .map(|what| format!("not compared: {what}")),
        );
        lines.join("\n")
    }

    /// The report as one JSON document.
    pub fn to_json(&self) -> Value {
        let differences = self.differences.iter().map(|one| {
            json!({
                "part": one.part.name(),
                "height": one.height,
                "place": one.place,
                "field": one.field,
                "expected": one.expected,
                "got": one.got,
            })
        });
        let counts = self.counts.iter().map(|(part, count)| {
            let counts = json!({ "compared": count.compared, "differences": count.differences });
            (part.name().to_owned(), counts)
        });
        let excused = self.excused().iter().map(|(row, count)| {
            json!({
                "method": row.method,
                "field": row.field,
                "reason": row.reason,
                "count": count,
            })
        });
        json!({
            "equal": self.is_equal(),
            "chain_id": self.chain_id,
            "blocks": self.blocks,
            "counts": counts.collect::<serde_json::Map<_, _>>(),
            "differences": differences.collect::<Vec<_>>(),
            "excused": excused.collect::<Vec<_>>(),
            "unused_rows_are_errors": self.strict,
            "left_out": self.left_out,
            "always_free": ALWAYS_FREE,
        })
    }
}

/// What no recording is compared for.
const ALWAYS_FREE: [&str; 5] = [
    "gas numbers (a recorded sdk 11 is repeated after the checks), and hashes of state and results",
    "prose of logs, status texts, failure_reason and EventClaimDiscarded.error, but for what clients match on",
    "page keys, the order of map entries and of EventProofValidityChecked within a block",
    "the node itself: its id, names, addresses, versions of its libraries, wall clock",
    "relays.jsonl and keys.json, which are not the chain's",
];

impl Difference {
    fn to_text(&self) -> String {
        let height = self
            .height
            .map_or_else(|| "the end".to_owned(), |height| height.to_string());
        format!(
            "{} at {height}: {}: {}\n    expected {}\n    got      {}",
            self.part.name(),
            self.place,
            self.field,
            self.expected,
            self.got
        )
    }
}

fn shorten(text: &mut String) {
    if text.len() > SHOWN {
        let cut = (0..=SHOWN).rev().find(|cut| text.is_char_boundary(*cut));
        let rest = text.len() - cut.unwrap_or(0);
        text.truncate(cut.unwrap_or(0));
        text.push_str(&format!("… and {rest} bytes"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn difference(part: Part, field: &str) -> Difference {
        Difference {
            part,
            height: Some(7),
            place: "here".to_owned(),
            field: field.to_owned(),
            expected: "é".repeat(500),
            got: "b".to_owned(),
        }
    }

    #[test]
    fn differences_are_bounded_counted_and_excused() {
        let list = "kept_against = \"\"\n[[difference]]\nmethod = \"m\"\nfield = \"f\"\nreason = \"r\"\n\
                    [[difference]]\nmethod = \"m\"\nfield = \"g\"\nreason = \"r\"";
        let excuses = Excuses::parse("x", list).unwrap();
        let mut report = Report::new("chain", excuses, true, 2);
        for _ in 0..5 {
            report.differs("m", difference(Part::Query, "a"));
        }
        report.differs("m", difference(Part::Query, "f"));
        report.differs("m", difference(Part::Event, "f"));
        assert_eq!(report.total(), 6);
        assert_eq!(report.differences.len(), 3);
        assert!(report.differences[0].expected.len() < 450);
        let text = report.to_text();
        assert!(text.contains("query: 3 more differences"), "{text}");
        assert!(text.contains("excuses nothing: m g"), "{text}");
        assert!(text.contains("excused 1 times: m f: r"), "{text}");
        assert_eq!(report.to_json()["counts"]["query"]["differences"], 5);
        assert!(!report.is_equal());
    }

    #[test]
    fn an_unneeded_row_is_an_error_only_where_the_list_is_kept() {
        let list =
            "kept_against = \"\"\n[[difference]]\nmethod = \"m\"\nfield = \"f\"\nreason = \"r\"";
        for strict in [true, false] {
            let excuses = Excuses::parse("x", list).unwrap();
            assert_eq!(Report::new("chain", excuses, strict, 2).is_equal(), !strict);
        }
    }
}
