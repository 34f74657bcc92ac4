//! Recorded exchanges with REST.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use http::Method;
use serde_json::Value;

use super::answers::{Moment, PageKeys, of_later_state};
use super::calls;
use super::diff::Found;
use super::recording::Rest;
use super::report::{Difference, Part, Report};
use super::web::bodies;
use crate::rest::base64_bytes;
use crate::uri;
use crate::view::View;

/// Headers that are compared; what else a gateway says is its own.
const HEADERS: [&str; 3] = [
    "content-type",
    "x-cosmos-block-height",
    "grpc-metadata-x-cosmos-block-height",
];

/// When an exchange is made: where the recorded answer says that the node was, if it was not asked for a height.
pub(super) fn moment(row: &Rest, first: i64, last: i64) -> Moment {
    match told(row) {
        Some(told) if row.request_height.is_none() && (first..=last).contains(&told) => {
            Moment::After(told)
        }
        _ => Moment::End,
    }
}

/// The height that a recorded answer told.
fn told(row: &Rest) -> Option<i64> {
    let mut headers = row.headers.iter().flatten();
    let told = headers.find(|(key, _)| key.eq_ignore_ascii_case(HEADERS[2]));
    told.and_then(|(_, value)| value.as_str()?.parse().ok())
}

/// A path with our page keys in the place of recorded ones.
fn translated(keys: &PageKeys, path: &str, moment: Moment) -> String {
    let Some((route, query)) = path.split_once('?') else {
        return path.to_owned();
    };
    let pairs = query.split('&').map(|pair| {
        let ours = || {
            let (name, value) = uri::pairs(pair).next()?.ok()?;
            if name != "pagination.key" {
                return None;
            }
            let ours = keys.ours(route, moment, &base64_bytes(&value).ok()?)?;
            Some(format!("{name}={}", URL_SAFE.encode(ours)))
        };
        ours().unwrap_or_else(|| pair.to_owned())
    });
    format!("{route}?{}", pairs.collect::<Vec<_>>().join("&"))
}

/// Makes an exchange and compares the answers.
pub(super) async fn compare(
    report: &mut Report,
    view: &Arc<View>,
    keys: &mut PageKeys,
    row: &Rest,
    moment: Moment,
) {
    let latest = view.height();
    let beyond = row.request_height.is_some_and(|height| height > latest);
    if beyond && row.status.is_none_or(|status| status == 200) {
        return report.leave_out("calls at heights that were not recorded");
    }
    let verb = row.method.as_deref().unwrap_or("GET");
    let method = Method::from_bytes(verb.as_bytes()).unwrap_or(Method::GET);
    let body = row.request_body.as_deref().unwrap_or_default();
    let path = translated(keys, &row.path, moment);
    let answer = calls::rest(view, &method, &path, row.request_height, body).await;
    report.compared(Part::Rest, 1);
    let mut found = Vec::new();
    let mut differs = |field: &str, expected: String, got: String| {
        if expected != got {
            found.push(Found {
                field: field.to_owned(),
                expected,
                got,
            });
        }
    };
    let other_status = row.status.is_some_and(|status| status != answer.status);
    if let (Some(status), true) = (row.status, other_status) {
        // Answers of different kinds have nothing else in common.
        let body = row.body.as_deref().unwrap_or_default();
        let got = format!("{} {}", answer.status, answer.body);
        differs("status", format!("{status} {body}"), got);
        return note(report, row, verb, found);
    }
    if let Some(headers) = &row.headers {
        for name in HEADERS {
            let recorded = headers
                .iter()
                .find(|(key, _)| key.eq_ignore_ascii_case(name));
            let expected = recorded.map_or("", |(_, value)| value.as_str().unwrap_or_default());
            // A node that went on after its last recorded block tells a later height.
            let expected = match expected.parse::<i64>() {
                Ok(height) if height > latest => latest.to_string(),
                _ => expected.to_owned(),
            };
            let got = answer
                .headers
                .get(name)
                .and_then(|value| value.to_str().ok());
            differs(name, expected, got.unwrap_or_default().to_owned());
        }
    }
    if let Some(expected) = row.body.as_deref().filter(|_| row.truncated != Some(true)) {
        let json = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_default();
        let (route, _) = row.path.split_once('?').unwrap_or((&row.path, ""));
        keys.learn(route, moment, &json(expected), &json(&answer.body));
        let is_state =
            !row.path.starts_with("/cosmos/base/") && !row.path.starts_with("/cosmos/tx/");
        let mut differing = bodies(expected, &answer.body, latest, is_state, false);
        if is_state && told(row).is_some_and(|told| told > latest) {
            differing = of_later_state(differing, &json(expected), &json(&answer.body));
        }
        found.extend(differing);
    }
    note(report, row, verb, found);
}

fn note(report: &mut Report, row: &Rest, verb: &str, found: Vec<Found>) {
    let (path, _) = row.path.split_once('?').unwrap_or((&row.path, ""));
    for found in found {
        let difference = Difference {
            part: Part::Rest,
            height: row.request_height,
            place: format!("rest.jsonl:{}: {verb} {}", row.line, row.path),
            field: found.field,
            expected: found.expected,
            got: found.got,
        };
        report.differs(&format!("{verb} {path}"), difference);
    }
}
