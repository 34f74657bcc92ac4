//! Requests as clients make them, and what became of each.

use std::time::Instant;

use bytes::Bytes;
use http::Request;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http_body_util::Full;
use serde_json::{Value, json};

use super::web::{self, Answer};

/// The front door as a client sees it.
#[derive(Clone, Debug)]
pub(crate) struct Gateway {
    /// Base URL with `/v1`.
    pub(crate) url: String,
    /// API key.
    pub(crate) key: String,
}

/// What became of one request.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// `x-request-id`, when a head came.
    pub(crate) request_id: Option<String>,
    /// Whether the client has the whole answer: a stream with its `[DONE]`.
    pub(crate) whole: bool,
    /// What the model said.
    pub(crate) text: String,
    /// What went wrong.
    pub(crate) trouble: Option<String>,
    pub(crate) started: Instant,
    pub(crate) ended: Instant,
}

/// A chat request's body: one user message, greedy.
pub(crate) fn body(model: &str, prompt: &str, stream: bool) -> Value {
    json!({
        "model": model,
        "messages": [{"role": "user", "content": prompt}],
        "temperature": 0,
        "max_tokens": 24,
        "stream": stream,
    })
}

impl Gateway {
    /// A request for `path` below the base URL, with the API key.
    pub(crate) fn post(&self, path: &str, body: impl Into<Bytes>) -> Request<Full<Bytes>> {
        let mut request = web::post(&format!("{}{path}", self.url), body);
        let headers = request.headers_mut();
        headers.insert(CONTENT_TYPE, "application/json".parse().expect("header"));
        headers.insert(
            AUTHORIZATION,
            format!("Bearer {}", self.key).parse().expect("header"),
        );
        request
    }

    /// One question.
    pub(crate) fn chat(&self, model: &str, prompt: &str, stream: bool) -> Outcome {
        self.ask(self.post("/chat/completions", body(model, prompt, stream).to_string()))
    }

    /// Sends a chat request and judges what came back.
    pub(crate) fn ask(&self, request: Request<Full<Bytes>>) -> Outcome {
        let started = Instant::now();
        let sent = web::try_send(request);
        let ended = Instant::now();
        let (request_id, read) = match &sent {
            Err(error) => (None, Err(error.clone())),
            Ok(answer) => (
                answer.header("x-request-id").map(str::to_owned),
                read(answer),
            ),
        };
        let (text, trouble) = match read {
            Ok(text) => (text, None),
            Err(trouble) => (String::new(), Some(trouble)),
        };
        Outcome {
            request_id,
            whole: trouble.is_none(),
            text,
            trouble,
            started,
            ended,
        }
    }

    /// One question that must be answered.
    pub(crate) fn answer(&self, model: &str, prompt: &str, stream: bool) -> Outcome {
        let outcome = self.chat(model, prompt, stream);
        assert!(
            outcome.whole,
            "{model}, stream {stream}: {:?}",
            outcome.trouble
        );
        outcome
    }
}

/// The text of a whole answer.
fn read(answer: &Answer) -> Result<String, String> {
    if let Some(cut) = &answer.cut {
        return Err(cut.clone());
    }
    if answer.status != 200 {
        return Err(format!("{}: {}", answer.status, answer.text()));
    }
    if !answer
        .header("content-type")
        .is_some_and(|kind| kind.starts_with("text/event-stream"))
    {
        let json: Value =
            serde_json::from_slice(&answer.body).map_err(|error| error.to_string())?;
        let content = &json["choices"][0]["message"]["content"];
        return content
            .as_str()
            .map(str::to_owned)
            .ok_or_else(|| format!("no content in {json}"));
    }
    let body = answer.text();
    let events = body.lines().filter_map(|line| line.strip_prefix("data: "));
    let (mut text, mut done) = (String::new(), false);
    for event in events {
        if event == "[DONE]" {
            done = true;
            continue;
        }
        let json: Value = serde_json::from_str(event).map_err(|error| error.to_string())?;
        if let Some(error) = json.get("error") {
            return Err(error.to_string());
        }
        text.push_str(
            json["choices"][0]["delta"]["content"]
                .as_str()
                .unwrap_or_default(),
        );
    }
    if done {
        Ok(text)
    } else {
        Err(format!("no [DONE] after {} bytes", body.len()))
    }
}
