//! Recorded gRPC calls, asked of our node.

use std::collections::BTreeMap;
use std::sync::Arc;

use prost::Message;
use prost_reflect::{DynamicMessage, MethodDescriptor, Value as Reflected};
use serde_json::Value;

use super::calls::{self, GrpcAnswer};
use super::diff::{self, Depth, Found};
use super::free;
use super::recording::Query;
use super::report::{Difference, Part, Report};
use super::web::STORE_QUERIES;
use crate::view::View;

/// When a recorded call is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Moment {
    /// When the block of this height has been committed.
    After(i64),
    /// When all blocks have been.
    End,
    /// Not at all: it was answered at a height that was not recorded.
    Never,
}

/// When a call is made, and which height its metadata asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) moment: Moment,
    pub(super) header: Option<String>,
}

/// A recorded height header is quoted in the note: `header x-cosmos-block-height='abc'`.
fn noted_header(query: &Query) -> Option<String> {
    let note = query.note.as_deref()?;
    let quoted = note.strip_prefix("header x-cosmos-block-height='")?;
    quoted.strip_suffix('\'').map(str::to_owned)
}

/// The height that a recorded answer told.
fn told(query: &Query) -> Option<i64> {
    let headers = query.response_headers.as_deref().unwrap_or_default();
    let (_, value) = headers.iter().find(|(key, _)| key == HEIGHT)?;
    value.parse().ok()
}

const HEIGHT: &str = "x-cosmos-block-height";

/// Plans a call; `first` and `last` are the recorded blocks.
///
/// A row's height is the one asked for; where the answer tells another, the height was only the recorder's guess of
/// where the node was, and the call is made when ours is where the answer says.
pub(super) fn plan(query: &Query, first: i64, last: i64) -> Plan {
    let plan = |moment, header: Option<String>| Plan { moment, header };
    let recorded = |height: i64| (first..=last).contains(&height);
    if let Some(header) = noted_header(query) {
        return plan(Moment::End, Some(header));
    }
    let asked = query.height;
    let header = asked.map(|height| height.to_string());
    match (asked, told(query)) {
        (Some(asked), Some(told)) if asked == told => match recorded(told) {
            true => plan(Moment::After(told), header),
            false => plan(Moment::Never, header),
        },
        (None, Some(told)) if told > last => plan(Moment::End, None),
        (_, Some(told)) if recorded(told) => plan(Moment::After(told), None),
        (Some(asked), None) if recorded(asked) => plan(Moment::After(asked), header),
        // A height that the recorded node refused, too.
        (Some(_), None) if query.grpc_code != 0 => plan(Moment::End, header),
        (Some(_), _) => plan(Moment::Never, header),
        (None, _) => plan(Moment::End, None),
    }
}

/// Page keys are ours: a request with a recorded key is asked with the key that we gave in its place.
#[derive(Debug, Default)]
pub(super) struct PageKeys {
    ours: BTreeMap<(String, Moment, Vec<u8>), Vec<u8>>,
}

impl PageKeys {
    /// The request of a method as it is asked of us.
    pub(super) fn translated(&self, path: &str, moment: Moment, request: &[u8]) -> Vec<u8> {
        let original = || request.to_vec();
        let Some(method) = descriptor(path).filter(|_| !self.ours.is_empty()) else {
            return original();
        };
        let Ok(mut request) = DynamicMessage::decode(method.input(), request) else {
            return original();
        };
        let Some(Reflected::Message(page)) = request.get_field_by_name_mut("pagination") else {
            return original();
        };
        let key = page.get_field_by_name("key").map(|key| key.into_owned());
        let Some(Reflected::Bytes(key)) = key else {
            return original();
        };
        match self.ours(path, moment, &key) {
            Some(ours) if ours != key => {
                page.set_field_by_name("key", Reflected::Bytes(ours.to_vec().into()));
                request.encode_to_vec()
            }
            _ => original(),
        }
    }

    /// The key that we gave where this one was recorded.
    pub(super) fn ours(&self, path: &str, moment: Moment, theirs: &[u8]) -> Option<&[u8]> {
        let entry = (path.to_owned(), moment, theirs.to_vec());
        self.ours.get(&entry).map(Vec::as_slice)
    }

    /// Remembers the keys of the next page in both encoded answers to a method.
    pub(super) fn learn_from(&mut self, path: &str, moment: Moment, theirs: &[u8], ours: &[u8]) {
        let Some(method) = descriptor(path) else {
            return;
        };
        if let (Some(theirs), Some(ours)) = (json(&method, theirs), json(&method, ours)) {
            self.learn(path, moment, &theirs, &ours);
        }
    }

    /// Remembers the keys of the next page in both answers to a method or a route.
    pub(super) fn learn(&mut self, path: &str, moment: Moment, theirs: &Value, ours: &Value) {
        use base64::Engine as _;
        let key = |answer: &Value| {
            let text = answer["pagination"]["next_key"].as_str()?;
            base64::engine::general_purpose::STANDARD.decode(text).ok()
        };
        if let (Some(theirs), Some(ours)) = (key(theirs), key(ours)) {
            let entry = (path.to_owned(), moment, theirs);
            self.ours.insert(entry, ours);
        }
    }
}

/// An answer of a method, named by its path, as JSON.
pub(super) fn json_of(path: &str, bytes: &[u8]) -> Option<Value> {
    json(&descriptor(path)?, bytes)
}

/// An answer of a method as JSON.
fn json(method: &MethodDescriptor, bytes: &[u8]) -> Option<Value> {
    let text = proto::json::bytes_to_json(method.output().full_name(), bytes).ok()?;
    serde_json::from_str(&text).ok()
}

/// The descriptor of a method by its path.
fn descriptor(path: &str) -> Option<MethodDescriptor> {
    let (service, method) = path.trim_start_matches('/').split_once('/')?;
    let service = proto::descriptor_pool().get_service_by_name(service)?;
    service.methods().find(|found| found.name() == method)
}

/// Why a call is not made, if there is a reason.
pub(super) fn reason_to_skip(query: &Query) -> Option<&'static str> {
    if query.method.starts_with("/grpc.reflection.") {
        return Some("reflection: how a server describes its types is its own");
    }
    let asks_store = query.request.windows(7).any(|part| part == b"/store/");
    (asks_store && query.method.ends_with("/ABCIQuery")).then_some(STORE_QUERIES)
}

/// Whether a call tries a transaction out, on top of what waits in the mempool.
pub(super) fn is_simulation(query: &Query) -> bool {
    query.method.ends_with("/Simulate")
}

/// Whether what waits in the mempool decides the answer.
pub(super) fn meets_mempool(query: &Query) -> bool {
    ["/Simulate", "/BroadcastTx"]
        .iter()
        .any(|method| query.method.ends_with(method))
}

/// Makes a call; how the answers differ.
pub(super) async fn ask(
    view: &Arc<View>,
    keys: &mut PageKeys,
    query: &Query,
    plan: &Plan,
) -> Vec<Found> {
    let method = descriptor(&query.method);
    let request = keys.translated(&query.method, plan.moment, &query.request);
    let answer = calls::grpc(view, &query.method, &request, plan.header.as_deref()).await;
    let mut found = status(query, &answer);
    let latest = view.height();
    found.extend(heights(query, &answer, latest));
    if query.grpc_code == 0 && answer.code == 0 {
        let method = method.as_ref();
        found.extend(messages(query, plan.moment, &answer, method, keys, latest));
    }
    found
}

/// Notes how the answers differ.
pub(super) fn note(report: &mut Report, query: &Query, found: Vec<Found>) {
    report.compared(Part::Query, 1);
    for found in found {
        let request = hex::encode(&query.request);
        let difference = Difference {
            part: Part::Query,
            height: query.height,
            place: format!("queries.jsonl:{}: {} {request}", query.line, query.method),
            field: found.field,
            expected: found.expected,
            got: found.got,
        };
        report.differs(&query.method, difference);
    }
}

fn status(query: &Query, answer: &GrpcAnswer) -> Vec<Found> {
    let mut found = Vec::new();
    if query.grpc_code != answer.code {
        let text = |code: i32, message: &str| format!("{code} {message}").trim_end().to_owned();
        found.push(Found {
            field: "grpc_code".to_owned(),
            expected: text(
                query.grpc_code,
                query.grpc_message.as_deref().unwrap_or_default(),
            ),
            got: text(answer.code, &answer.message),
        });
    } else if let Some(message) = &query.grpc_message
        && !free::same_text(message, &answer.message)
    {
        found.push(Found {
            field: "grpc_message".to_owned(),
            expected: message.clone(),
            got: answer.message.clone(),
        });
    }
    found
}

/// The metadata that tells the height. A recorded node that went on after its last recorded block tells a later one.
fn heights(query: &Query, answer: &GrpcAnswer, latest: i64) -> Option<Found> {
    let headers = query.response_headers.as_deref()?;
    let expected = headers.iter().filter(|(key, _)| key == HEIGHT);
    let expected: Vec<String> = expected
        .map(|(_, value)| match value.parse::<i64>() {
            Ok(height) if height > latest => latest.to_string(),
            _ => value.clone(),
        })
        .collect();
    (expected != answer.heights).then(|| Found {
        field: HEIGHT.to_owned(),
        expected: format!("{expected:?}"),
        got: format!("{:?}", answer.heights),
    })
}

fn messages(
    query: &Query,
    moment: Moment,
    answer: &GrpcAnswer,
    method: Option<&MethodDescriptor>,
    keys: &mut PageKeys,
    latest: i64,
) -> Vec<Found> {
    let bytes = || Found {
        field: "response".to_owned(),
        expected: hex::encode(&query.response),
        got: hex::encode(&answer.response),
    };
    let Some(method) = method else {
        let same = query.response == answer.response;
        return if same { Vec::new() } else { vec![bytes()] };
    };
    let name = method.output().full_name().to_owned();
    let both = json(method, &query.response).zip(json(method, &answer.response));
    let Some((theirs, ours)) = both else {
        let same = query.response == answer.response;
        return if same { Vec::new() } else { vec![bytes()] };
    };
    keys.learn(&query.method, moment, &theirs, &ours);
    if query.response == answer.response {
        return Vec::new();
    }
    let is_state = query.method.contains(".Query/");
    let mut found = later(&theirs, &ours, latest, is_state);
    if is_state && told(query).is_some_and(|told| told > latest) {
        found = of_later_state(found, &theirs, &ours);
    }
    if let Err(error) = proto::unknown::check(&name, &query.response, false) {
        found.push(Found {
            field: "response".to_owned(),
            expected: format!("{error}: a field that our types lack"),
            got: diff::NOTHING.to_owned(),
        });
    }
    found
}

/// Where answers about state tell the latest height.
const LATEST: [&str; 3] = [
    "result.last_height",
    "result.response.height",
    "result.response.last_block_height",
];

/// Compares two answers, the recorded one perhaps given when the node was beyond its last recorded block.
///
/// Such an answer names the later height where ours names our last; and what is about the later block itself can be
/// compared by its fields only, unless it is an answer about state.
pub(super) fn later(expected: &Value, got: &Value, latest: i64, is_state: bool) -> Vec<Found> {
    let found = diff::compare(expected, got, Depth::Values);
    let beyond = |text: &str| text.parse::<i64>().is_ok_and(|height| height > latest);
    let is_height = |found: &Found| {
        let ours = [latest, latest.saturating_add(1)].map(|height| height.to_string());
        // State is full of heights that mean something else.
        let names_latest = match is_state {
            true => LATEST.contains(&found.field.as_str()),
            false => found.field.ends_with("height"),
        };
        names_latest && beyond(&found.expected) && ours.contains(&found.got)
    };
    let named = found.iter().any(is_height);
    if named && !is_state {
        return diff::compare(expected, got, Depth::Fields);
    }
    found
        .into_iter()
        .filter(|found| !is_height(found))
        .collect()
}

/// What is told of a state that was not recorded: the same, which it mostly is, or something of the same form.
pub(super) fn of_later_state(found: Vec<Found>, expected: &Value, got: &Value) -> Vec<Found> {
    if found.is_empty() {
        return found;
    }
    diff::compare(expected, got, Depth::Fields)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn query(height: Option<i64>, told: Option<&str>, note: Option<&str>) -> Query {
        let refused = height == Some(1_000) || height == Some(-3);
        let headers = told.map(|told| vec![(HEIGHT.to_owned(), told.to_owned())]);
        Query {
            height,
            method: "/pocket.shared.Query/Params".to_owned(),
            request: Vec::new(),
            response: Vec::new(),
            grpc_code: i32::from(refused) * 2,
            grpc_message: None,
            response_headers: headers,
            note: note.map(str::to_owned),
            line: 1,
        }
    }

    #[test]
    fn a_call_is_made_where_its_answer_was_given() {
        let plan = |height, told, note| {
            let plan = super::plan(&query(height, told, note), 1, 100);
            (plan.moment, plan.header)
        };
        let asked = Some("35".to_owned());
        assert_eq!(
            plan(Some(35), Some("35"), None),
            (Moment::After(35), asked.clone())
        );
        assert_eq!(plan(Some(35), None, None), (Moment::After(35), asked));
        assert_eq!(plan(Some(35), Some("37"), None), (Moment::After(37), None));
        assert_eq!(plan(None, Some("120"), None), (Moment::End, None));
        assert_eq!(plan(None, Some("90"), None), (Moment::After(90), None));
        let never = (Moment::Never, Some("120".to_owned()));
        assert_eq!(plan(Some(120), Some("120"), None), never);
        assert_eq!(
            plan(Some(1_000), None, None),
            (Moment::End, Some("1000".to_owned()))
        );
        let negative = (Moment::End, Some("-3".to_owned()));
        assert_eq!(plan(Some(-3), None, None), negative);
        let note = Some("header x-cosmos-block-height='abc'");
        assert_eq!(
            plan(None, None, note),
            (Moment::End, Some("abc".to_owned()))
        );
    }

    #[test]
    fn an_answer_about_a_block_that_was_not_recorded_has_the_same_fields() {
        let theirs = json!({ "block": { "height": "120", "hash": "A" } });
        let ours = json!({ "block": { "height": "100", "hash": "B" } });
        assert!(later(&theirs, &ours, 100, false).is_empty());
        assert_eq!(later(&theirs, &ours, 100, true).len(), 2);
        let told = |height: &str| json!({ "result": { "response": { "height": height } } });
        assert!(later(&told("120"), &told("100"), 100, true).is_empty());
        // The end of a session is no latest height.
        let session = |height: &str| json!({ "session_end_block_height": height });
        assert_eq!(later(&session("104"), &session("101"), 100, true).len(), 1);
        let earlier = json!({ "block": { "height": "99", "hash": "A" } });
        assert_eq!(later(&earlier, &ours, 100, false).len(), 2);
    }

    #[test]
    fn what_is_told_of_a_state_that_was_not_recorded_has_the_same_fields() {
        let theirs = json!({ "info": { "missed_blocks_counter": "353" } });
        let of = |ours: &Value| {
            let found = diff::compare(&theirs, ours, Depth::Values);
            of_later_state(found, &theirs, ours).len()
        };
        assert_eq!(of(&theirs), 0);
        assert_eq!(
            of(&json!({ "info": { "missed_blocks_counter": "331" } })),
            0
        );
        assert_eq!(of(&json!({ "info": { "missed": "331" } })), 2);
    }
}
