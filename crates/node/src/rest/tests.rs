//! Every recorded REST exchange: the gRPC call that it means, and the response to that call's recorded answer.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::PathBuf;

use serde_json::Value;

use super::*;

fn vectors(name: &str) -> PathBuf {
    let folder = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/vectors/golden/chain-a"
    );
    PathBuf::from(folder).join(name)
}

/// Recorded gRPC answers by method, request and height; no height is the end of the run.
type Answers = BTreeMap<(String, String, Option<i64>), Value>;

fn answers() -> Answers {
    let file = std::fs::File::open(vectors("queries.jsonl.gz")).unwrap();
    let mut text = String::new();
    flate2::read::GzDecoder::new(file)
        .read_to_string(&mut text)
        .unwrap();
    let rows = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    rows.map(|row| {
        let text = |key: &str| row[key].as_str().unwrap_or_default().to_owned();
        (
            (text("method"), text("request_hex"), row["height"].as_i64()),
            row,
        )
    })
    .collect()
}

/// Rows that are not compared here, with the reason.
const SKIPPED: &[(&str, &str)] = &[
    (
        "/pokt-network/poktroll/migration/params",
        "a module that we do not run",
    ),
    (
        "/",
        "a page of scripts from elsewhere; ours lists the routes",
    ),
    (
        "/cosmos/base/tendermint/v1beta1/blocks/latest",
        "asked over gRPC some blocks earlier",
    ),
    (
        "/cosmos/base/tendermint/v1beta1/validatorsets/latest",
        "asked over gRPC some blocks earlier",
    ),
    (
        "/cosmos/base/node/v1beta1/status",
        "asked over gRPC some blocks earlier",
    ),
];

struct Row {
    method: Method,
    uri: Uri,
    body: Vec<u8>,
    height: Option<i64>,
    status: u16,
    answer: String,
    headers: BTreeMap<String, String>,
}

fn rows() -> Vec<Row> {
    let text = std::fs::read_to_string(vectors("rest.jsonl")).unwrap();
    let read = |line: &str| {
        let row: Value = serde_json::from_str(line).unwrap();
        let headers = row["headers"].as_object().unwrap().iter();
        Row {
            method: row["method"].as_str().unwrap().parse().unwrap(),
            uri: row["path"].as_str().unwrap().parse().unwrap(),
            body: row["request_body"].as_str().unwrap_or_default().into(),
            height: row["request_height"].as_i64(),
            status: row["status"].as_u64().unwrap().try_into().unwrap(),
            answer: row["body"].as_str().unwrap().to_owned(),
            headers: headers
                .map(|(name, value)| (name.to_lowercase(), value.as_str().unwrap().to_owned()))
                .collect(),
        }
    };
    text.lines().map(read).collect()
}

/// What a response and a recorded row differ in.
fn differences(row: &Row, response: &Response<Bytes>) -> Vec<String> {
    let mut found = Vec::new();
    if response.status().as_u16() != row.status {
        found.push(format!("status {} / {}", row.status, response.status()));
    }
    for name in [HEIGHT, METADATA_HEIGHT, CONTENT_TYPE] {
        let theirs = row.headers.get(name.as_str()).map(String::as_str);
        let ours = response
            .headers()
            .get(&name)
            .map(|value| value.to_str().unwrap());
        if theirs != ours {
            found.push(format!("{name}: {theirs:?} / {ours:?}"));
        }
    }
    let ours = std::str::from_utf8(response.body()).unwrap();
    if ours != row.answer {
        let at = ours
            .bytes()
            .zip(row.answer.bytes())
            .take_while(|(a, b)| a == b)
            .count();
        let from = at.saturating_sub(40);
        let cut = |text: &str| {
            text.get(from..)
                .unwrap_or(text)
                .chars()
                .take(120)
                .collect::<String>()
        };
        found.push(format!(
            "body at {at}:\n      {}\n      {}",
            cut(&row.answer),
            cut(ours)
        ));
    }
    found
}

#[test]
fn recorded_exchanges_are_routed_and_rendered_to_the_byte() {
    let answers = answers();
    let (mut compared, mut unanswered, mut wrong) = (0, Vec::new(), Vec::new());
    for row in rows() {
        let path = row.uri.path();
        if SKIPPED.iter().any(|(skipped, _)| *skipped == path) {
            continue;
        }
        let response = match route(&row.method, &row.uri, &row.body) {
            Err(status) => refuse(&status),
            Ok(call) => {
                let key = |height| (call.path.to_owned(), hex::encode(&call.request), height);
                let Some(answer) = answers.get(&key(row.height)) else {
                    unanswered.push(row.uri.path().to_owned());
                    continue;
                };
                let text = |key: &str| answer[key].as_str().unwrap_or_default();
                let code = i32::try_from(answer["grpc_code"].as_i64().unwrap()).unwrap();
                // Rows without a height were recorded some blocks apart.
                let told = row.headers.get(METADATA_HEIGHT.as_str());
                let height = told.map(|told| told.parse().unwrap());
                let result = if code == 0 {
                    Ok(QueryAnswer {
                        value: hex::decode(text("response_hex")).unwrap(),
                        height: height.unwrap_or(0),
                    })
                } else {
                    let message = text("grpc_message").to_owned();
                    Err(Status {
                        code,
                        message,
                        height,
                    })
                };
                render(&call, result)
            }
        };
        compared += 1;
        let found = differences(&row, &response);
        wrong.extend(
            found
                .iter()
                .map(|found| format!("{} {}\n    {found}", row.method, row.uri)),
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(
        compared >= 60,
        "{compared} compared, without an answer: {unanswered:#?}"
    );
}

#[test]
fn every_route_is_a_method_with_these_fields() {
    let mut missing = Vec::new();
    for route in routes::ROUTES {
        let Some(method) = descriptor(route.method) else {
            missing.push(route.method);
            continue;
        };
        for part in route
            .template
            .split('/')
            .filter_map(|part| part.strip_prefix('{'))
        {
            let name = part.trim_end_matches('}').trim_end_matches("=**");
            let field = method.input().get_field_by_name(name);
            assert!(field.is_some(), "{}: {name}", route.template);
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn what_no_route_has_is_told_apart() {
    let status = |method: Method, path: &str| {
        let status = route(&method, &path.parse().unwrap(), b"").unwrap_err();
        (status.code, status.message)
    };
    let not_there = (UNIMPLEMENTED, "Not Implemented".to_owned());
    assert_eq!(status(Method::GET, "/cosmos/nosuch"), not_there);
    let not_allowed = (UNIMPLEMENTED, "Method Not Allowed".to_owned());
    assert_eq!(
        status(Method::DELETE, "/cosmos/bank/v1beta1/params"),
        not_allowed
    );
    let escape = (INVALID_ARGUMENT, "invalid URL escape \"%zz\"".to_owned());
    assert_eq!(
        status(Method::GET, "/cosmos/bank/v1beta1/supply?a=%zz"),
        escape
    );
}

#[test]
fn an_empty_value_is_a_value_and_a_query_that_can_say_nothing_is_not_read() {
    let path = |path: &str| {
        let call = route(&Method::GET, &path.parse().unwrap(), b"").unwrap();
        (call.path, call.request)
    };
    let (method, request) = path("/pokt-network/poktroll/service/relay_mining_difficulty/");
    assert_eq!(method, "/pocket.service.Query/RelayMiningDifficulty");
    assert!(request.is_empty());
    let (method, _) = path("/cosmos/bank/v1beta1/denoms_metadata");
    assert_eq!(method, "/cosmos.bank.v1beta1.Query/DenomsMetadata");
    let (method, _) = path("/cosmos/bank/v1beta1/params?a=%zz");
    assert_eq!(method, "/cosmos.bank.v1beta1.Query/Params");
}

#[test]
fn a_path_with_empty_or_dotted_segments_leads_to_a_clean_one() {
    let to = |path: &str| cleaned(&path.parse().unwrap());
    assert_eq!(to("/a/b/"), None);
    assert_eq!(to("/"), None);
    assert_eq!(to("/a//b?c=//d"), Some("/a/b?c=//d".to_owned()));
    assert_eq!(to("/a/./b/../c/"), Some("/a/c/".to_owned()));
    assert_eq!(to("//"), Some("/".to_owned()));
    let response = moved("/a/b".to_owned());
    assert_eq!(response.status(), StatusCode::MOVED_PERMANENTLY);
    assert_eq!(response.headers()[LOCATION], "/a/b");
    assert!(!response.headers().contains_key(CONTENT_TYPE));
}
