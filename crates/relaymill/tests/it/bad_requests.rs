//! What the gateway refuses itself: OpenAI's form, the right status, and no relay.

use bytes::Bytes;
use http::header::{AUTHORIZATION, HOST};
use http::{HeaderValue, Method};
use serde_json::{Value, json};

use crate::support::load::body;
use crate::support::network::{Network, journal};
use crate::support::web::{self, Answer};

/// In every prompt here; must not reach a supplier.
const MARK: &str = "refused9c07";

fn chat(network: &Network, body: &Value) -> Answer {
    web::send(
        network
            .gateway()
            .post("/chat/completions", body.to_string()),
    )
}

/// The error that came back, after checking its form; its request is not in the journal.
fn error(network: &Network, what: &str, answer: &Answer, status: u16) -> Value {
    assert_eq!(answer.status, status, "{what}: {}", answer.text());
    let json = answer.json();
    let error = json["error"].clone();
    for (name, needed) in [
        ("message", true),
        ("type", true),
        ("param", false),
        ("code", false),
    ] {
        let value = error
            .get(name)
            .unwrap_or_else(|| panic!("{what}: no `{name}` in {json}"));
        assert!(
            value.is_string() || (!needed && value.is_null()),
            "{what}: `{name}` in {json}"
        );
    }
    assert!(
        error["message"].as_str().unwrap().len() > 10,
        "{what}: {json}"
    );
    if let Some(id) = answer.header("x-request-id") {
        let found = journal(&network.data())
            .into_iter()
            .any(|entry| entry.request_id == id);
        assert!(!found, "{what}: {id} is in the journal");
    }
    error
}

/// No supplier has anything of these tests.
fn assert_nothing_mined(network: &Network) {
    for (path, log) in crate::support::evidence::session_logs(&network.data()) {
        for relay in &log.relays {
            let found = relay
                .windows(MARK.len())
                .any(|window| window == MARK.as_bytes());
            assert!(!found, "a refused request is in {}", path.display());
        }
    }
}

#[test]
fn what_the_gateway_can_judge_costs_nothing() {
    let network = Network::shared();
    let good = body("millstone", MARK, false);
    let with = |name: &str, value: Value| {
        let mut body = good.clone();
        body[name] = value;
        body
    };
    let message = |role: &str| json!([{"role": role, "content": MARK}]);

    let answer = chat(network, &with("model", json!("no-such-model")));
    let unknown = error(network, "unknown model", &answer, 404);
    assert_eq!(unknown["code"], "model_not_found");
    assert!(
        unknown["message"]
            .as_str()
            .unwrap()
            .contains("no-such-model")
    );

    for (what, param, body) in [
        ("model of another type", "model", with("model", json!(7))),
        ("no messages", "messages", with("messages", json!([]))),
        (
            "messages of another type",
            "messages",
            with("messages", json!(MARK)),
        ),
        (
            "unknown role",
            "messages[0].role",
            with("messages", message("wizard")),
        ),
        (
            "temperature too high",
            "temperature",
            with("temperature", json!(2.5)),
        ),
        (
            "temperature no number",
            "temperature",
            with("temperature", json!("hot")),
        ),
        (
            "negative tokens",
            "max_tokens",
            with("max_tokens", json!(-1)),
        ),
        ("top_p out of range", "top_p", with("top_p", json!(1.5))),
        ("stream no boolean", "stream", with("stream", json!("yes"))),
    ] {
        let answer = chat(network, &body);
        let error = error(network, what, &answer, 400);
        assert_eq!(error["param"], param, "{what}: {error}");
    }
    let mut without = good.clone();
    without.as_object_mut().unwrap().remove("messages");
    let missing = error(network, "messages missing", &chat(network, &without), 400);
    assert_eq!(missing["param"], "messages");

    for (what, text) in [
        (
            "cut JSON",
            format!("{{\"model\":\"millstone\",\"x\":\"{MARK}"),
        ),
        ("no object", format!("[\"{MARK}\"]")),
        ("no JSON", MARK.to_owned()),
        ("empty", String::new()),
    ] {
        let answer = web::send(network.gateway().post("/chat/completions", text));
        error(network, what, &answer, 400);
    }
    let broken = Bytes::from([b"{\"model\":\"\xff\xfe", MARK.as_bytes()].concat());
    error(
        network,
        "no UTF-8",
        &web::send(network.gateway().post("/chat/completions", broken)),
        400,
    );
    let deep = "[".repeat(200_000);
    error(
        network,
        "deep JSON",
        &web::send(network.gateway().post("/chat/completions", deep)),
        400,
    );
    assert_nothing_mined(network);
}

#[test]
fn keys_are_asked_for() {
    let network = Network::shared();
    let good = body("millstone", MARK, true).to_string();
    let keyed = |value: Option<&str>| {
        let mut request = network.gateway().post("/chat/completions", good.clone());
        request.headers_mut().remove(AUTHORIZATION);
        if let Some(value) = value {
            request
                .headers_mut()
                .insert(AUTHORIZATION, HeaderValue::from_str(value).unwrap());
        }
        web::send(request)
    };
    let key = &network.ready.api_key;
    for (what, value) in [
        ("no key", None),
        ("empty key", Some("Bearer ".to_owned())),
        ("wrong key", Some(format!("Bearer {key}0"))),
        ("cut key", Some(format!("Bearer {}", &key[..key.len() - 1]))),
        ("other scheme", Some(format!("Basic {key}"))),
    ] {
        let refused = error(network, what, &keyed(value.as_deref()), 401);
        assert_eq!(refused["type"], "invalid_request_error", "{what}");
        assert!(
            !refused.to_string().contains(&key[4..]),
            "{what}: the key is told back"
        );
    }
    let list = web::send(web::get(&format!("{}/models", network.ready.gateway_url)));
    error(network, "models without key", &list, 401);
    assert_nothing_mined(network);
}

#[test]
fn a_body_that_no_proof_could_carry_is_too_large() {
    let network = Network::shared();
    let prompt = format!("{MARK} {}", "x".repeat(4 << 20));
    let sent = web::try_send(network.gateway().post(
        "/chat/completions",
        body("millstone", &prompt, false).to_string(),
    ));
    let answer = sent.expect("an answer although the body was not read to its end");
    let refused = error(network, "oversize", &answer, 413);
    assert!(
        refused["message"].as_str().unwrap().contains("byte"),
        "the limit is named: {refused}"
    );
    assert_nothing_mined(network);
}

#[test]
fn paths_methods_and_hosts_that_are_not_served() {
    let network = Network::shared();
    let url = &network.ready.gateway_url;
    let send = |method: Method, path: &str| {
        let mut request = network.gateway().post(path, "{}");
        *request.method_mut() = method;
        web::send(request)
    };
    error(
        network,
        "unknown path",
        &send(Method::POST, "/no/such/path"),
        404,
    );
    error(
        network,
        "path with dots",
        &send(Method::POST, "/../v1/chat/completions/.."),
        404,
    );
    error(
        network,
        "unknown model in the path",
        &send(Method::GET, "/models/no-such-model"),
        404,
    );
    error(
        network,
        "method",
        &send(Method::DELETE, "/chat/completions"),
        405,
    );
    let mut rebound = web::get(&format!("{url}/models"));
    rebound
        .headers_mut()
        .insert(HOST, HeaderValue::from_static("attacker.example"));
    let answer = web::send(rebound);
    assert!(
        answer.status.is_client_error(),
        "another Host is refused: {}",
        answer.status
    );
    assert_ne!(answer.status, 401, "and before anything else is looked at");
}

#[test]
fn two_equal_questions_are_two_relays() {
    let network = Network::shared();
    let gateway = network.gateway();
    for stream in [false, true] {
        let ask = || gateway.answer("grist", "the same question", stream);
        let (first, second) = (ask(), ask());
        assert_eq!(first.text, second.text);
        let journal = journal(&network.data());
        let hash = |id: &Option<String>| {
            let found = journal
                .iter()
                .find(|entry| Some(&entry.request_id) == id.as_ref());
            found.expect("journaled").relay_hash.clone()
        };
        assert_ne!(hash(&first.request_id), hash(&second.request_id));
    }
}
