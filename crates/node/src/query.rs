//! CometBFT's query language: `tm.event='Tx' AND message.sender='pokt1…'`.
//!
//! Conditions joined by `AND`, each a key (event type and attribute, joined by a dot), an operator and an operand:
//! quoted text, a number, `TIME` and an RFC 3339 time, or `DATE` and a date. A query matches events when every condition is met by some value of its key. Error texts
//! are the reference's.

use std::collections::BTreeMap;

use tendermint_proto::v0_38::abci::{Event, ExecTxResult};

use crate::limits;

/// How a condition compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// `=`
    Equal,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `CONTAINS`
    Contains,
    /// `EXISTS`
    Exists,
}

/// One condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// `type.attribute`.
    pub key: String,
    /// Comparison.
    pub operator: Operator,
    /// Text, or the digits of a number; empty for `EXISTS`.
    pub operand: String,
    /// What the operand is.
    kind: Kind,
}

/// What an operand is compared as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    Number,
    /// A time or the start of a day.
    Moment,
}

/// A parsed query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    conditions: Vec<Condition>,
}

/// Values of events by `type.attribute`.
#[derive(Clone, Debug, Default)]
pub struct Events(BTreeMap<String, Vec<String>>);

impl Events {
    /// The indexed attributes of events.
    pub fn new(events: &[Event]) -> Self {
        let mut values = Self::default();
        for event in events {
            for attribute in event.attributes.iter().filter(|attribute| attribute.index) {
                values.add(
                    format!("{}.{}", event.r#type, attribute.key),
                    attribute.value.clone(),
                );
            }
        }
        values
    }

    /// Those of a transaction, with its hash and height.
    pub fn of_tx(height: i64, hash: &[u8], result: &ExecTxResult) -> Self {
        let mut values = Self::new(&result.events);
        values.add("tx.hash".to_owned(), hex::encode_upper(hash));
        values.add("tx.height".to_owned(), height.to_string());
        values
    }

    /// With `tm.event`.
    #[must_use]
    pub fn named(mut self, event: &str) -> Self {
        self.add("tm.event".to_owned(), event.to_owned());
        self
    }

    /// All keys with their values.
    pub fn iter(&self) -> impl Iterator<Item = (&String, &Vec<String>)> {
        self.0.iter()
    }

    fn add(&mut self, key: String, value: String) {
        self.0.entry(key).or_default().push(value);
    }

    fn meets(&self, condition: &Condition) -> bool {
        let Some(values) = self.0.get(&condition.key) else {
            return false;
        };
        values.iter().any(|value| condition.met_by(value))
    }
}

/// An end of a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Below.
    Lower,
    /// Above.
    Upper,
}

impl Condition {
    /// The end of a range that it is, if it is one.
    pub fn side(&self) -> Option<Side> {
        match self.operator {
            Operator::Less | Operator::LessOrEqual => Some(Side::Upper),
            Operator::Greater | Operator::GreaterOrEqual => Some(Side::Lower),
            Operator::Equal | Operator::Contains | Operator::Exists => None,
        }
    }

    /// Whether its operand is a number, or a text that is one.
    pub fn is_number(&self) -> bool {
        self.operand.parse::<f64>().is_ok()
    }

    /// Whether CometBFT's indexer finds a value by this condition: values are compared as text, and by size only where the
    /// whole value is a number.
    pub fn found_by(&self, value: &str) -> bool {
        match self.operator {
            Operator::Equal => value == self.operand,
            Operator::Exists | Operator::Contains => self.met_by(value),
            _ => self.kind == Kind::Number && value.parse::<f64>().is_ok() && self.met_by(value),
        }
    }

    fn met_by(&self, value: &str) -> bool {
        match self.operator {
            Operator::Exists => return true,
            Operator::Contains => return value.contains(&self.operand),
            Operator::Equal if self.kind == Kind::Text => return value == self.operand,
            _ => {}
        }
        let ordering = if self.kind == Kind::Moment {
            let pair = moment(value).zip(moment(&self.operand));
            pair.map(|(value, operand)| value.cmp(&operand))
        } else {
            let pair = number(value).zip(number(&self.operand));
            pair.and_then(|(value, operand)| value.partial_cmp(&operand))
        };
        let Some(ordering) = ordering else {
            return false;
        };
        match self.operator {
            Operator::Equal => ordering.is_eq(),
            Operator::Less => ordering.is_lt(),
            Operator::LessOrEqual => ordering.is_le(),
            Operator::Greater => ordering.is_gt(),
            Operator::GreaterOrEqual => ordering.is_ge(),
            Operator::Contains | Operator::Exists => false,
        }
    }
}

/// Seconds and nanoseconds of a time, or of the start of a day.
fn moment(text: &str) -> Option<(i64, i32)> {
    if text.contains('T') {
        proto::time::parse_rfc3339(text)
    } else {
        proto::time::parse_rfc3339(&format!("{text}T00:00:00Z"))
    }
}

/// The first number in a value such as `100upokt`.
fn number(text: &str) -> Option<f64> {
    let start = text.find(|c: char| c.is_ascii_digit())?;
    let digits = &text[start..];
    let end = digits
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(digits.len());
    digits[..end].parse().ok()
}

impl Query {
    /// Reads a query.
    ///
    /// # Errors
    /// Offset and what was found there.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.chars().count() > limits::QUERY_CHARS {
            return Err(format!(
                "maximum query length exceeded: {}",
                limits::QUERY_CHARS
            ));
        }
        let mut parser = Parser { text, at: 0 };
        let mut conditions = Vec::new();
        loop {
            conditions.push(parser.condition()?);
            match parser.next()? {
                (_, Token::End) => return Ok(Self { conditions }),
                (_, Token::Word("AND")) => {}
                (offset, token) => {
                    return Err(format!("offset {offset}: got {}, wanted AND", token.name()));
                }
            }
        }
    }

    /// The conditions.
    pub fn conditions(&self) -> impl Iterator<Item = &Condition> {
        self.conditions.iter()
    }

    /// Whether events match.
    pub fn matches(&self, events: &Events) -> bool {
        self.conditions
            .iter()
            .all(|condition| events.meets(condition))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token<'a> {
    End,
    Word(&'a str),
    Text(&'a str),
    Number(&'a str),
    Compare(Operator),
}

impl Token<'_> {
    fn name(self) -> &'static str {
        match self {
            Self::End => "EOF",
            Self::Word("AND") => "AND operator",
            Self::Word("CONTAINS") => "CONTAINS operator",
            Self::Word("EXISTS") => "EXISTS operator",
            Self::Word(_) => "tag",
            Self::Text(_) => "string",
            Self::Number(_) => "number",
            Self::Compare(Operator::Equal) => "= operator",
            Self::Compare(Operator::Less) => "< operator",
            Self::Compare(Operator::LessOrEqual) => "<= operator",
            Self::Compare(Operator::Greater) => "> operator",
            Self::Compare(_) => ">= operator",
        }
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Parser<'a> {
    fn condition(&mut self) -> Result<Condition, String> {
        let key = match self.next()? {
            (_, Token::Word(word)) if !matches!(word, "AND" | "CONTAINS" | "EXISTS") => word,
            (offset, Token::End) => return Err(format!("offset {offset}: EOF")),
            (offset, token) => {
                return Err(format!("offset {offset}: got {}, wanted tag", token.name()));
            }
        };
        let (offset, token) = self.next()?;
        let operator = match token {
            Token::Compare(operator) => operator,
            Token::Word("CONTAINS") => Operator::Contains,
            Token::Word("EXISTS") => Operator::Exists,
            Token::End => return Err(format!("offset {offset}: EOF")),
            token => {
                return Err(format!(
                    "offset {offset}: got {}, wanted <= operator, >= operator, < operator, > operator, = operator, \
                     CONTAINS operator or EXISTS operator",
                    token.name()
                ));
            }
        };
        let (mut operand, mut kind) = ("", Kind::Text);
        if operator != Operator::Exists {
            (operand, kind) = match self.next()? {
                (_, Token::Number(digits)) if operator != Operator::Contains => {
                    (digits, Kind::Number)
                }
                (_, Token::Word("TIME" | "DATE")) if operator != Operator::Contains => {
                    (self.moment()?, Kind::Moment)
                }
                (_, Token::Text(text))
                    if matches!(operator, Operator::Equal | Operator::Contains) =>
                {
                    (text, Kind::Text)
                }
                (offset, Token::End) => return Err(format!("offset {offset}: EOF")),
                (offset, token) => {
                    let wanted = match operator {
                        Operator::Contains => "string",
                        Operator::Equal => "number, time, date or string",
                        _ => "number, time or date",
                    };
                    return Err(format!(
                        "offset {offset}: got {}, wanted {wanted}",
                        token.name()
                    ));
                }
            };
        }
        Ok(Condition {
            key: key.to_owned(),
            operator,
            operand: operand.to_owned(),
            kind,
        })
    }

    /// The time or date after its word.
    fn moment(&mut self) -> Result<&'a str, String> {
        let rest = self.text[self.at..].trim_start();
        let start = self.text.len() - rest.len();
        let text = rest.split_whitespace().next().unwrap_or_default();
        if moment(text).is_none() {
            return Err(format!("offset {start}: invalid time {text:?}"));
        }
        self.at = start + text.len();
        Ok(text)
    }

    /// The next token and where it starts.
    fn next(&mut self) -> Result<(usize, Token<'a>), String> {
        let rest = self.text[self.at..].trim_start();
        let start = self.text.len() - rest.len();
        let Some(first) = rest.chars().next() else {
            self.at = start;
            return Ok((start, Token::End));
        };
        let (length, token) = match first {
            '=' => (1, Token::Compare(Operator::Equal)),
            '<' if rest.starts_with("<=") => (2, Token::Compare(Operator::LessOrEqual)),
            '<' => (1, Token::Compare(Operator::Less)),
            '>' if rest.starts_with(">=") => (2, Token::Compare(Operator::GreaterOrEqual)),
            '>' => (1, Token::Compare(Operator::Greater)),
            '\'' => {
                let Some(end) = rest[1..].find('\'') else {
                    return Err(format!("offset {start}: unterminated string"));
                };
                (end + 2, Token::Text(&rest[1..=end]))
            }
            '0'..='9' => {
                let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.');
                let end = end.unwrap_or(rest.len());
                (end, Token::Number(&rest[..end]))
            }
            c if c.is_alphanumeric() || "._-/".contains(c) => {
                let end = rest.find(|c: char| !c.is_alphanumeric() && !"._-/".contains(c));
                let end = end.unwrap_or(rest.len());
                (end, Token::Word(&rest[..end]))
            }
            other => return Err(format!("offset {start}: invalid character '{other}'")),
        };
        self.at = start + length;
        Ok((start, token))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_conditions() {
        let query =
            Query::parse("tm.event='Tx' AND tx.height >= 5 AND a.b CONTAINS 'x y'").unwrap();
        let keys: Vec<_> = query
            .conditions()
            .map(|c| (c.key.as_str(), c.operator))
            .collect();
        use Operator::{Contains, Equal, GreaterOrEqual};
        assert_eq!(
            keys,
            [
                ("tm.event", Equal),
                ("tx.height", GreaterOrEqual),
                ("a.b", Contains)
            ]
        );
        let equal = |key: &str| {
            let mut conditions = query.conditions();
            let found = conditions.find(|c| c.key == key && c.operator == Equal);
            found.map(|condition| condition.operand.as_str())
        };
        assert_eq!(equal("tm.event"), Some("Tx"));
        assert_eq!(equal("tx.height"), None);
    }

    #[test]
    fn errors_are_the_references() {
        let all = "<= operator, >= operator, < operator, > operator, = operator, CONTAINS operator or EXISTS operator";
        for (text, error) in [
            ("", "offset 0: EOF".to_owned()),
            ("nonsense =", "offset 10: EOF".to_owned()),
            ("bad query =", format!("offset 4: got tag, wanted {all}")),
            ("not a query", format!("offset 4: got tag, wanted {all}")),
        ] {
            assert_eq!(Query::parse(text), Err(error));
        }
        assert!(Query::parse("a='").is_err());
        assert!(Query::parse("a='b' c").is_err());
        assert!(Query::parse(&"a".repeat(600)).is_err());
        assert!(Query::parse("é = ü").is_err());
    }

    #[test]
    fn matches_any_value_of_a_key() {
        let mut events = Events::default();
        events.add("transfer.amount".into(), "100upokt".into());
        events.add("transfer.amount".into(), "7upokt".into());
        events.add("lock.until".into(), "2013-05-03T14:45:00Z".into());
        let meets = |text: &str| Query::parse(text).unwrap().matches(&events);
        assert!(meets("transfer.amount > 50"));
        assert!(meets("transfer.amount = 7"));
        assert!(meets("transfer.amount='7upokt'"));
        assert!(meets("transfer.amount EXISTS"));
        assert!(meets("transfer.amount CONTAINS '00u'"));
        assert!(meets(
            "lock.until >= TIME 2013-05-03T14:45:00Z AND transfer.amount EXISTS"
        ));
        assert!(meets("lock.until > DATE 2013-05-03"));
        assert!(!meets("lock.until < TIME 2013-05-03T14:00:00+02:00"));
        assert!(!meets("transfer.amount = DATE 2013-05-03"));
        assert!(Query::parse("lock.until > TIME soon").is_err());
        assert!(!meets("transfer.amount < 7"));
        assert!(!meets("transfer.sender EXISTS"));
        assert!(!meets("transfer.amount > 50 AND tm.event='Tx'"));
        assert!(
            Query::parse("tm.event='Tx'")
                .unwrap()
                .matches(&events.named("Tx"))
        );
    }
}
