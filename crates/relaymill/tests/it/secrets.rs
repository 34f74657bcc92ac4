//! A proven relay is public, so nothing that a client keeps to itself may be in one.

use http::header::{COOKIE, HeaderName, REFERER, USER_AGENT};
use http::{HeaderValue, Request};

use crate::accounting::Run;
use crate::support::evidence::SessionLog;

/// In every header and in the query string; must not be seen again.
const CANARY: &str = "canary7f3a9c51";

/// In every prompt; must be seen again, or the search would prove nothing.
pub(crate) const IN_PROMPT: &str = "prompt4b2e8d06";

/// Headers that clients send, beside `Authorization`: the API key is a secret of its own.
const HEADERS: [HeaderName; 11] = [
    USER_AGENT,
    COOKIE,
    REFERER,
    HeaderName::from_static("openai-organization"),
    HeaderName::from_static("openai-project"),
    HeaderName::from_static("x-api-key"),
    HeaderName::from_static("x-forwarded-for"),
    HeaderName::from_static("x-request-id"),
    HeaderName::from_static("x-stainless-lang"),
    HeaderName::from_static("traceparent"),
    HeaderName::from_static("x-anything"),
];

/// The request with a canary in every place that must not be passed on.
pub(crate) fn carried_by<B>(mut request: Request<B>) -> Request<B> {
    let secret = |place: &str| HeaderValue::from_str(&format!("{place}-{CANARY}")).expect("header");
    for name in HEADERS {
        let value = secret(name.as_str());
        request.headers_mut().insert(name, value);
    }
    for (name, value) in [
        (
            "accept",
            format!("application/json, text/event-stream, text/x-{CANARY}"),
        ),
        ("accept-language", format!("en, x-{CANARY}")),
        (
            "content-type",
            format!("application/json; charset=utf-8; note={CANARY}"),
        ),
    ] {
        request
            .headers_mut()
            .insert(name, value.parse().expect("header"));
    }
    let uri = format!("{}?api_key={CANARY}&{CANARY}=1", request.uri());
    *request.uri_mut() = uri.parse().expect("URL");
    request
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes
        .windows(text.len())
        .any(|window| window == text.as_bytes())
}

#[test]
fn no_header_and_no_query_string_is_in_a_leaf_or_on_the_chain() {
    let run = Run::usual();
    let key = &run.network.ready.api_key;
    let logs = run.watch.logs();
    let leaves: Vec<_> = logs
        .iter()
        .flat_map(|log: &SessionLog| &log.relays)
        .collect();
    assert_eq!(leaves.len(), run.outcomes.len());
    for leaf in &leaves {
        assert!(holds(leaf, IN_PROMPT), "a leaf holds its prompt");
        assert!(
            !holds(leaf, CANARY) && !holds(leaf, key),
            "a secret in a leaf: {leaf:?}"
        );
    }
    let (mut proofs, mut prompts) = (0, 0);
    for transaction in run.blocks.iter().flat_map(|block| &block.transactions) {
        assert!(!holds(&transaction.bytes, CANARY), "a secret on the chain");
        assert!(!holds(&transaction.bytes, key), "the API key on the chain");
        for (url, bytes) in transaction.messages() {
            if url == "/pocket.proof.MsgSubmitProof" {
                proofs += 1;
                prompts += usize::from(holds(&bytes, IN_PROMPT));
            }
        }
    }
    assert!(proofs > 0);
    assert_eq!(proofs, prompts, "every proof holds a prompt of ours");
}

#[test]
fn nothing_that_is_printed_or_journaled_holds_a_secret_of_a_request() {
    let run = Run::usual();
    let data = run.network.data();
    let journal = std::fs::read(data.join("gateway/relays.jsonl")).unwrap();
    for (what, text) in [
        ("log", run.network.process().printed().into_bytes()),
        ("journal", journal),
    ] {
        assert!(!holds(&text, CANARY), "a header in the {what}");
        assert!(!holds(&text, IN_PROMPT), "a prompt in the {what}");
    }
}
