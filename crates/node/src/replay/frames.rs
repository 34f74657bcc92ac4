//! Recorded WebSocket connections: every answer and every event, as our node would have sent it.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::answers::later;
use super::diff::{self, Depth, Found};
use super::free;
use super::recording::Frame;
use super::report::{Difference, Part, Report};
use crate::blocks::OwnView;
use crate::rpc::websocket::{self, Subscriptions};

/// One connection of ours beside a recorded one.
#[derive(Default)]
struct Connection {
    subscriptions: Subscriptions,
    /// Every subscription that there ever was: an event may cross the request that ends it.
    ever: Subscriptions,
    /// Our answers that were not matched yet.
    answers: Vec<Value>,
}

/// Compares all connections.
pub(super) async fn compare(report: &mut Report, view: &Arc<OwnView>, frames: &[Frame]) {
    let mut connections = BTreeMap::<&str, Connection>::new();
    for frame in frames {
        let connection = connections.entry(&frame.conn).or_default();
        if frame.dir == "c2s" {
            let answer = websocket::answer(view, &mut connection.subscriptions, &frame.frame).await;
            connection.answers.extend(answer);
            let known = connection.subscriptions.iter();
            let known = known.map(|(text, one)| (text.clone(), one.clone()));
            connection.ever.extend(known);
            continue;
        }
        let Ok(theirs) = serde_json::from_str::<Value>(&frame.frame) else {
            report.leave_out("WebSocket frames that are no JSON");
            continue;
        };
        if is_event(&theirs) && event(&theirs).is_none() {
            report.leave_out("events of consensus: they are the recorded node's own");
            continue;
        }
        let ours = match event(&theirs) {
            Some(event) if event.height > view.height() => {
                report.leave_out("events of blocks that were not recorded");
                continue;
            }
            Some(event) => told(view, connection, &event),
            None => {
                let place = connection
                    .answers
                    .iter()
                    .position(|one| one["id"] == theirs["id"]);
                place.map(|place| connection.answers.remove(place))
            }
        };
        report.compared(Part::WebSocket, 1);
        let latest = view.height();
        let ours = ours.unwrap_or(Value::Null);
        let mut all = later(&settled(&theirs), &settled(&ours), latest, true);
        // An answer about the node as it stood when it was asked.
        if event(&theirs).is_none() && all.iter().any(|found| found.field.ends_with("height")) {
            all = diff::compare(&theirs, &ours, Depth::Fields);
        }
        for found in all {
            note(report, frame, &theirs, found);
        }
    }
}

/// A frame whose map of events has the freedoms that the events themselves have: order, and prose.
fn settled(frame: &Value) -> Value {
    let mut frame = frame.clone();
    let events = frame.pointer_mut("/result/events");
    for (key, values) in events.and_then(Value::as_object_mut).into_iter().flatten() {
        let Some(values) = values.as_array_mut() else {
            continue;
        };
        let (event, attribute) = key.rsplit_once('.').unwrap_or(("", key));
        if free::is_text_attribute(attribute) {
            for value in values.iter_mut() {
                *value = free::substrings(value.as_str().unwrap_or_default()).into();
            }
        }
        if event == free::UNORDERED_EVENT {
            values.sort_by_key(Value::to_string);
        }
    }
    frame
}

fn note(report: &mut Report, frame: &Frame, theirs: &Value, found: Found) {
    let kind = theirs["result"]["data"]["type"]
        .as_str()
        .unwrap_or("answer");
    let difference = Difference {
        part: Part::WebSocket,
        height: frame.height,
        place: format!("websocket.jsonl:{}: {} {kind}", frame.line, frame.conn),
        field: found.field,
        expected: found.expected,
        got: found.got,
    };
    report.differs(&format!("websocket {kind}"), difference);
}

/// An event as a subscriber is told it.
struct Event {
    height: i64,
    query: String,
    kind: String,
    index: Option<u64>,
}

fn event(frame: &Value) -> Option<Event> {
    let result = &frame["result"];
    let kind = result["data"]["type"].as_str()?.to_owned();
    let value = &result["data"]["value"];
    let height = [
        &value["TxResult"]["height"],
        &value["header"]["height"],
        &value["block"]["header"]["height"],
        // Only of this kind; rounds and votes have heights, too.
        match kind.as_str() {
            "tendermint/event/NewBlockEvents" => &value["height"],
            _ => &Value::Null,
        },
    ];
    let height = height.iter().find_map(|height| height.as_str())?;
    let index = value
        .get("TxResult")
        .map(|tx| tx["index"].as_u64().unwrap_or(0));
    Some(Event {
        height: height.parse().ok()?,
        query: result["query"].as_str()?.to_owned(),
        kind,
        index,
    })
}

/// Whether a frame is an event at all.
fn is_event(frame: &Value) -> bool {
    frame["result"]["data"]["type"].is_string()
}

/// What we would have told.
fn told(view: &OwnView, connection: &Connection, wanted: &Event) -> Option<Value> {
    let committed = view.store.committed(wanted.height).ok()??;
    let frames = websocket::frames(&connection.ever, &committed).into_iter();
    let same = |frame: &Value| {
        event(frame).is_some_and(|ours| {
            ours.query == wanted.query && ours.kind == wanted.kind && ours.index == wanted.index
        })
    };
    frames.into_iter().find(same)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_map_of_events_has_the_freedoms_of_events() {
        let key = |name: &str| format!("{}.{name}", free::UNORDERED_EVENT);
        let frame = |values: Value, text: &str, other: Value| {
            json!({ "result": { "events": {
                key("service_id"): values, key("failure_reason"): [text], "transfer.amount": other,
            }}})
        };
        let theirs = settled(&frame(json!(["a", "b"]), "one", json!(["1", "2"])));
        let ours = settled(&frame(json!(["b", "a"]), "two", json!(["1", "2"])));
        assert_eq!(theirs, ours);
        let other = settled(&frame(json!(["b", "a"]), "two", json!(["2", "1"])));
        assert_ne!(theirs, other);
    }
}
