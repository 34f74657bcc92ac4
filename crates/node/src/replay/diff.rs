//! Two JSON forms compared, with the path of every difference.

use serde_json::{Map, Value};

use super::free::{self, Freedom};

/// A difference between two forms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// Path from the root, dots and `[place]`.
    pub(super) field: String,
    /// What was recorded.
    pub(super) expected: String,
    /// What is answered.
    pub(super) got: String,
}

/// What a side says that has nothing under a key.
pub(super) const NOTHING: &str = "(nothing)";

/// How much of the forms is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Depth {
    /// All values.
    Values,
    /// Which fields are there: for answers about a block that was not recorded.
    Fields,
}

/// Compares two forms.
pub(super) fn compare(expected: &Value, got: &Value, depth: Depth) -> Vec<Found> {
    let mut comparison = Comparison {
        depth,
        found: Vec::new(),
    };
    comparison.values("", expected, got);
    comparison.found
}

/// Compares two lists of events.
pub(super) fn compare_events(path: &str, expected: &[Value], got: &[Value]) -> Vec<Found> {
    let mut comparison = Comparison {
        depth: Depth::Values,
        found: Vec::new(),
    };
    comparison.events(path, expected, got);
    comparison.found
}

struct Comparison {
    depth: Depth,
    found: Vec<Found>,
}

impl Comparison {
    fn differs(&mut self, path: &str, expected: String, got: String) {
        self.found.push(Found {
            field: path.trim_start_matches('.').to_owned(),
            expected,
            got,
        });
    }

    fn values(&mut self, path: &str, expected: &Value, got: &Value) {
        match (expected, got) {
            (Value::Object(expected), Value::Object(got)) => self.objects(path, expected, got),
            (Value::Array(expected), Value::Array(got)) => self.lists(path, expected, got),
            (expected, got) if self.same(expected, got) => {}
            (expected, got) => self.differs(path, text(expected), text(got)),
        }
    }

    /// Whether two values that are not both objects or both lists are the same.
    fn same(&self, expected: &Value, got: &Value) -> bool {
        match self.depth {
            Depth::Values => expected == got,
            // A thing may be there at one moment and not at another.
            Depth::Fields => {
                let kind = std::mem::discriminant::<Value>;
                expected.is_null() || got.is_null() || kind(expected) == kind(got)
            }
        }
    }

    fn objects(&mut self, path: &str, expected: &Map<String, Value>, got: &Map<String, Value>) {
        if let Some(key) = attribute_key(expected).filter(|key| attribute_key(got) == Some(key)) {
            return self.attributes(path, key, expected, got);
        }
        for (key, wanted) in expected {
            let path = format!("{path}.{key}");
            let freedom = free::at(&path, key);
            match (freedom, got.get(key)) {
                (Freedom::Ignored, _) => {}
                (_, None) => self.differs(&path, text(wanted), NOTHING.to_owned()),
                (Freedom::None, Some(given)) => self.values(&path, wanted, given),
                (Freedom::Text, Some(given)) => self.texts(&path, wanted, given),
                (Freedom::Opaque, Some(given)) => {
                    if is_empty(wanted) != is_empty(given) {
                        self.differs(&path, text(wanted), text(given));
                    }
                }
            }
        }
        for (key, given) in got {
            let path = format!("{path}.{key}");
            if !expected.contains_key(key) && free::at(&path, key) != Freedom::Ignored {
                self.differs(&path, NOTHING.to_owned(), text(given));
            }
        }
    }

    fn texts(&mut self, path: &str, expected: &Value, got: &Value) {
        match (expected, got) {
            (Value::String(wanted), Value::String(given)) => {
                if self.depth == Depth::Values && !free::same_text(wanted, given) {
                    self.differs(path, text(expected), text(got));
                }
            }
            _ => self.values(path, expected, got),
        }
    }

    /// An attribute of an event: `{key, value, index}`.
    fn attributes(
        &mut self,
        path: &str,
        key: &str,
        expected: &Map<String, Value>,
        got: &Map<String, Value>,
    ) {
        if expected.get("index") != got.get("index") {
            let path = format!("{path}.{key}.index");
            self.differs(
                &path,
                text_of(expected.get("index")),
                text_of(got.get("index")),
            );
        }
        let (wanted, given) = (expected.get("value"), got.get("value"));
        if !same_attribute(key, wanted, given) {
            self.differs(&format!("{path}.{key}"), text_of(wanted), text_of(given));
        }
    }

    fn lists(&mut self, path: &str, expected: &[Value], got: &[Value]) {
        if expected.iter().chain(got).any(is_event) {
            return self.events(path, expected, got);
        }
        if self.depth == Depth::Fields {
            if let (Some(expected), Some(got)) = (expected.first(), got.first()) {
                self.values(&format!("{path}[]"), expected, got);
            }
            return;
        }
        if expected.len() != got.len() {
            let path = format!("{path}.length");
            self.differs(&path, expected.len().to_string(), got.len().to_string());
        }
        for (place, (expected, got)) in expected.iter().zip(got).enumerate() {
            self.values(&format!("{path}[{place}]"), expected, got);
        }
    }

    /// Lists of events: what both have at beginning and end is left out, so that one event too much is one difference.
    fn events(&mut self, path: &str, expected: &[Value], got: &[Value]) {
        if self.depth == Depth::Fields {
            return;
        }
        let (expected, got) = (sorted(expected), sorted(got));
        let same = |(expected, got): &(&&Value, &&Value)| same_event(expected, got);
        let head = expected.iter().zip(&got).take_while(same).count();
        let rest = (expected.len().min(got.len())) - head;
        let tail = expected.iter().rev().zip(got.iter().rev()).take(rest);
        let tail = tail.take_while(same).count();
        let expected = &expected[head..expected.len() - tail];
        let got = &got[head..got.len() - tail];
        for place in 0..expected.len().max(got.len()) {
            let path = format!("{path}[{}]", head + place);
            match (expected.get(place), got.get(place)) {
                (Some(expected), Some(got)) if expected["type"] == got["type"] => {
                    let path = format!("{path}.{}", expected["type"].as_str().unwrap_or("event"));
                    self.event(&path, expected, got);
                }
                (expected, got) => {
                    let text = |event: Option<&&Value>| {
                        event.map_or_else(|| NOTHING.to_owned(), |event| event_text(event))
                    };
                    self.differs(&path, text(expected), text(got));
                }
            }
        }
    }

    /// Two events of one type.
    fn event(&mut self, path: &str, expected: &Value, got: &Value) {
        let (wanted, given) = (list(&expected["attributes"]), list(&got["attributes"]));
        let keys = |list: &[Value]| -> Vec<Value> {
            list.iter()
                .map(|attribute| attribute["key"].clone())
                .collect()
        };
        if keys(wanted) != keys(given) {
            return self.differs(path, event_text(expected), event_text(got));
        }
        for (wanted, given) in wanted.iter().zip(given) {
            self.values(path, wanted, given);
        }
    }
}

fn same_event(expected: &Value, got: &Value) -> bool {
    let (wanted, given) = (list(&expected["attributes"]), list(&got["attributes"]));
    let same = |(wanted, given): (&Value, &Value)| {
        let key = wanted["key"].as_str().unwrap_or_default();
        wanted["key"] == given["key"]
            && wanted.get("index") == given.get("index")
            && same_attribute(key, wanted.get("value"), given.get("value"))
    };
    expected["type"] == got["type"]
        && wanted.len() == given.len()
        && wanted.iter().zip(given).all(same)
}

/// Values of an attribute: texts by what counts in them, JSON by its content, since maps have no order.
fn same_attribute(key: &str, expected: Option<&Value>, got: Option<&Value>) -> bool {
    if expected == got {
        return true;
    }
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    let (Some(expected), Some(got)) = (text(expected), text(got)) else {
        return false;
    };
    if free::is_text_attribute(key) {
        return free::same_text(&expected, &got);
    }
    let json = |text: &str| {
        let parsed = serde_json::from_str::<Value>(text).ok();
        parsed.filter(|value| value.is_object() || value.is_array())
    };
    json(&expected)
        .zip(json(&got))
        .is_some_and(|(expected, got)| expected == got)
}

/// Events with those sorted that may come in any order among themselves.
fn sorted(events: &[Value]) -> Vec<&Value> {
    let free = |event: &&Value| event["type"] == free::UNORDERED_EVENT;
    let mut unordered: Vec<&Value> = events.iter().filter(free).collect();
    unordered.sort_by_cached_key(ToString::to_string);
    let mut unordered = unordered.into_iter();
    events
        .iter()
        .map(|event| match free(&event) {
            true => unordered.next().unwrap_or(event),
            false => event,
        })
        .collect()
}

/// The key of an attribute, if this is one.
fn attribute_key(object: &Map<String, Value>) -> Option<&str> {
    let known = |key: &String| matches!(key.as_str(), "key" | "value" | "index");
    let key = object.get("key")?.as_str()?;
    (object.contains_key("value") && object.keys().all(known)).then_some(key)
}

fn is_event(value: &Value) -> bool {
    value.get("type").is_some_and(Value::is_string)
        && value.get("attributes").is_some_and(Value::is_array)
}

/// An event in one line.
fn event_text(event: &Value) -> String {
    let attributes = list(&event["attributes"]).iter().map(|attribute| {
        let part = |key: &str| attribute[key].as_str().unwrap_or_default().to_owned();
        format!("{}={}", part("key"), part("value"))
    });
    let attributes: Vec<String> = attributes.collect();
    let kind = event["type"].as_str().unwrap_or("?");
    format!("{kind}{{{}}}", attributes.join(", "))
}

/// The items of a list; none of anything else.
pub(super) fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn is_empty(value: &Value) -> bool {
    value.is_null() || value.as_str().is_some_and(str::is_empty)
}

fn text_of(value: Option<&Value>) -> String {
    value.map_or_else(|| NOTHING.to_owned(), text)
}

/// A value as it is printed.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn differences(expected: &Value, got: &Value) -> Vec<(String, String, String)> {
        let found = compare(expected, got, Depth::Values).into_iter();
        found
            .map(|found| (found.field, found.expected, found.got))
            .collect()
    }

    fn event(kind: &str, value: &str) -> Value {
        json!({ "type": kind, "attributes": [{ "key": "amount", "value": value, "index": true }] })
    }

    #[test]
    fn every_difference_has_its_path() {
        let theirs = json!({ "a": { "b": [1, { "c": "x" }] }, "d": 1, "gas_used": "5" });
        let ours = json!({ "a": { "b": [1, { "c": "y" }, 3] }, "e": 2, "gas_used": "6" });
        let found = differences(&theirs, &ours);
        let text = |field: &str, expected: &str, got: &str| {
            (field.to_owned(), expected.to_owned(), got.to_owned())
        };
        let wanted = [
            text("a.b.length", "2", "3"),
            text("a.b[1].c", "x", "y"),
            text("d", "1", NOTHING),
            text("e", NOTHING, "2"),
        ];
        assert_eq!(found, wanted);
        assert!(differences(&theirs, &theirs).is_empty());
    }

    #[test]
    fn one_event_too_much_is_one_difference() {
        let theirs = json!({ "events": [event("a", "1"), event("b", "2"), event("c", "3")] });
        let ours = json!({ "events": [event("a", "1"), event("c", "3")] });
        let found = differences(&theirs, &ours);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].0, "events[1]");
        assert_eq!(found[0].1, "b{amount=2}");
        let ours = json!({ "events": [event("a", "1"), event("b", "9"), event("c", "3")] });
        let found = differences(&theirs, &ours);
        assert_eq!(
            found,
            [("events[1].b.amount".into(), "2".into(), "9".into())]
        );
    }

    #[test]
    fn what_is_free_is_free() {
        let theirs = json!({ "events": [
            event(free::UNORDERED_EVENT, "1"), event(free::UNORDERED_EVENT, "2"),
            event("x", "{\"a\":1,\"b\":2}"),
        ], "log": "one", "next_key": "AA==" });
        let ours = json!({ "events": [
            event(free::UNORDERED_EVENT, "2"), event(free::UNORDERED_EVENT, "1"),
            event("x", "{\"b\":2,\"a\":1}"),
        ], "log": "two", "next_key": "BB==" });
        assert!(differences(&theirs, &ours).is_empty());
        let ours = json!({ "events": [
            event(free::UNORDERED_EVENT, "2"), event(free::UNORDERED_EVENT, "3"),
            event("x", "{\"b\":2,\"a\":2}"),
        ], "log": "insufficient funds", "next_key": null });
        assert_eq!(differences(&theirs, &ours).len(), 5);
    }

    #[test]
    fn fields_only_ignores_values_and_lengths() {
        let theirs = json!({ "height": "5", "list": [{ "a": 1 }], "b": true });
        let ours = json!({ "height": "6", "list": [{ "a": 2 }, { "a": 3 }], "b": false });
        assert!(compare(&theirs, &ours, Depth::Fields).is_empty());
        let theirs_and_nothing = json!({ "height": "6", "list": null, "b": null });
        assert!(compare(&theirs, &theirs_and_nothing, Depth::Fields).is_empty());
        let ours = json!({ "height": "6", "list": [{ "c": 2 }] });
        let found = compare(&theirs, &ours, Depth::Fields);
        let fields: Vec<&str> = found.iter().map(|found| found.field.as_str()).collect();
        assert_eq!(fields, ["list[].a", "list[].c", "b"]);
    }
}
