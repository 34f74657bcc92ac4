//! The HTTP interface, without a socket: requests go straight into the router.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response, header};
use http_body_util::BodyExt;
use llm::openai::{
    ChatAnswer, ChatChunk, CompletionAnswer, ErrorBody, FinishReason, Usage, events,
};
use llm::server::{LoadedModel, Options, router, router_with};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::tiny::{END, Tiny};

fn server() -> Router {
    router(vec![
        LoadedModel::new("tiny", Tiny::default().model()),
        LoadedModel::new(
            "org/other",
            Tiny {
                seed: 2,
                ..Tiny::default()
            }
            .model(),
        ),
    ])
}

/// One slot and a model that would talk for minutes.
fn endless(waiting: usize) -> (Router, Value) {
    let model = Tiny {
        context: 32_768,
        ..Tiny::default()
    }
    .model();
    let options = Options {
        slots: 1,
        waiting,
        ..Options::default()
    };
    let request = chat(json!({
        "stream": true, "temperature": 0, "logit_bias": {END.to_string(): -100, "258": -100},
    }));
    (
        router_with(vec![LoadedModel::new("tiny", model)], options),
        request,
    )
}

fn chat(fields: Value) -> Value {
    let mut body = json!({
        "model": "tiny", "seed": 1, "messages": [{"role": "user", "content": "hello"}],
    });
    for (name, value) in fields.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

async fn send(router: &Router, method: &str, path: &str, body: String) -> Response<Body> {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .body(Body::from(body))
        .unwrap();
    router.clone().oneshot(request).await.unwrap()
}

async fn post(router: &Router, path: &str, body: &Value) -> (u16, Vec<u8>) {
    whole(send(router, "POST", path, body.to_string()).await).await
}

async fn whole(response: Response<Body>) -> (u16, Vec<u8>) {
    let status = response.status().as_u16();
    (
        status,
        response
            .into_body()
            .collect()
            .await
            .unwrap()
            .to_bytes()
            .to_vec(),
    )
}

async fn plain(router: &Router, body: &Value) -> ChatAnswer {
    let (status, body) = post(router, "/v1/chat/completions", body).await;
    assert_eq!(status, 200, "{}", String::from_utf8_lossy(&body));
    serde_json::from_slice(&body).unwrap()
}

/// The chunks of a stream that ended well.
async fn streamed(router: &Router, body: &Value) -> Vec<ChatChunk> {
    let mut body = body.clone();
    body["stream"] = json!(true);
    let (status, body) = post(router, "/v1/chat/completions", &body).await;
    assert_eq!(status, 200);
    let mut all: Vec<_> = events(&body).collect();
    assert_eq!(all.pop(), Some(&b"[DONE]"[..]));
    all.into_iter()
        .map(|event| serde_json::from_slice(event).unwrap())
        .collect()
}

fn content(chunks: &[ChatChunk], index: u32) -> String {
    let choices = chunks.iter().flat_map(|chunk| &chunk.choices);
    let ours = choices.filter(|choice| choice.index == index);
    ours.filter_map(|choice| choice.delta.content.clone())
        .collect()
}

#[tokio::test]
async fn a_plain_answer_has_all_members() {
    let body = chat(json!({"max_tokens": 8, "logit_bias": {END.to_string(): -100, "258": -100}}));
    let (status, body) = post(&server(), "/v1/chat/completions", &body).await;
    let json: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!((status, &json["object"]), (200, &json!("chat.completion")));
    assert!(json["id"].as_str().unwrap().starts_with("chatcmpl-"));
    assert_eq!(json["model"], "tiny");
    assert!(json["created"].as_u64().unwrap() > 1_700_000_000);
    assert_eq!(json["choices"][0]["message"]["role"], "assistant");
    assert_eq!(json["choices"][0]["finish_reason"], "length");
    assert_eq!(json["choices"][0]["logprobs"], Value::Null);
    // user, assistant and newlines in single bytes, hello as "he" "ll" "o", three markers.
    assert_eq!(
        json["usage"],
        json!(Usage::new(3 + 4 + 1 + 3 + 1 + 9 + 1, 8))
    );
}

#[tokio::test]
async fn a_stream_says_the_same_as_the_plain_answer() {
    let server = server();
    for fields in [
        json!({"temperature": 0, "max_tokens": 60}),
        json!({"temperature": 0, "max_tokens": 60, "presence_penalty": 1.5}),
        json!({"seed": 7, "max_tokens": 60}),
        json!({"seed": 8, "temperature": 1.7, "top_p": 0.8, "top_k": 50, "n": 3, "max_tokens": 40}),
        json!({"seed": 9, "stop": ["a", "\u{fffd}", "Q"], "max_tokens": 200}),
    ] {
        let body = chat(fields);
        let (answer, chunks) = (plain(&server, &body).await, streamed(&server, &body).await);
        for choice in &answer.choices {
            assert_eq!(
                content(&chunks, choice.index),
                choice.message.content,
                "{body}"
            );
            let last = chunks.iter().flat_map(|chunk| &chunk.choices);
            let reasons: Vec<_> = last
                .filter(|last| last.index == choice.index)
                .filter_map(|last| last.finish_reason)
                .collect();
            assert_eq!(reasons, [choice.finish_reason]);
        }
        assert_eq!(
            plain(&server, &body).await.choices,
            answer.choices,
            "and says it again"
        );
    }
}

#[tokio::test]
async fn a_model_can_be_greedy_unless_asked_otherwise() {
    let mut model = LoadedModel::new("tiny", Tiny::default().model());
    model.defaults.temperature = Some(0.0);
    let server = router(vec![model]);
    let answer = async |fields| {
        plain(&server, &chat(fields))
            .await
            .choices
            .remove(0)
            .message
    };
    let greedy = answer(json!({"seed": 1, "max_tokens": 20})).await;
    assert_eq!(greedy, answer(json!({"seed": 2, "max_tokens": 20})).await);
    assert_ne!(
        greedy,
        answer(json!({"seed": 2, "max_tokens": 20, "temperature": 1})).await
    );
}

#[tokio::test]
async fn choices_of_one_request_differ() {
    let answer = plain(&server(), &chat(json!({"n": 2, "max_tokens": 20}))).await;
    assert_eq!(answer.choices.len(), 2);
    assert_ne!(answer.choices[0].message, answer.choices[1].message);
}

#[tokio::test]
async fn a_stream_opens_with_the_role_and_ends_with_the_usage() {
    let body = chat(
        json!({"max_tokens": 5, "stream_options": {"include_usage": true},
        "stream": true, "logit_bias": {END.to_string(): -100, "258": -100}}),
    );
    let chunks = streamed(&server(), &body).await;
    assert_eq!(
        chunks[0].choices[0].delta.role.as_deref(),
        Some("assistant")
    );
    assert!(chunks.iter().all(|chunk| chunk.id == chunks[0].id));
    let (last, others) = chunks.split_last().unwrap();
    assert!(last.choices.is_empty());
    assert_eq!(last.usage.flatten().unwrap().completion_tokens, 5);
    assert!(others.iter().all(|chunk| chunk.usage.flatten().is_none()));
    let end = &others.last().unwrap().choices[0];
    assert_eq!(
        (end.finish_reason, &end.delta.content),
        (Some(FinishReason::Length), &None)
    );

    let without = streamed(&server(), &chat(json!({"max_tokens": 5}))).await;
    assert!(
        without
            .iter()
            .all(|chunk| chunk.usage.is_none() && !chunk.choices.is_empty())
    );
}

#[tokio::test]
async fn log_probabilities_are_the_same_streamed() {
    let body = chat(json!({"logprobs": true, "top_logprobs": 2, "max_tokens": 30}));
    let (answer, chunks) = (
        plain(&server(), &body).await,
        streamed(&server(), &body).await,
    );
    let whole = answer.choices[0].logprobs.clone().unwrap().content;
    let parts: Vec<_> = chunks
        .into_iter()
        .flat_map(|chunk| chunk.choices)
        .filter_map(|choice| choice.logprobs)
        .flat_map(|logprobs| logprobs.content)
        .collect();
    assert!(!whole.is_empty());
    assert_eq!(parts, whole);
    assert_eq!(whole[0].top_logprobs.len(), 2);
}

#[tokio::test]
async fn completions_continue_a_prompt() {
    let body = json!({"model": "tiny", "prompt": "hello", "seed": 3, "logprobs": 2,
        "logit_bias": {END.to_string(): -100, "258": -100}});
    let (status, body_bytes) = post(&server(), "/v1/completions", &body).await;
    assert_eq!(status, 200);
    let answer: CompletionAnswer = serde_json::from_slice(&body_bytes).unwrap();
    assert_eq!(answer.usage.flatten(), Some(Usage::new(3, 16)));
    let logprobs = answer.choices[0].logprobs.clone().unwrap();
    assert_eq!((logprobs.tokens.len(), logprobs.text_offset[0]), (16, 0));
    assert_eq!(logprobs.top_logprobs.len(), logprobs.token_logprobs.len());

    let mut body = body;
    body["stream"] = json!(true);
    let (_, stream) = post(&server(), "/v1/completions", &body).await;
    let mut text = String::new();
    for event in events(&stream).filter(|event| *event != b"[DONE]") {
        let part: CompletionAnswer = serde_json::from_slice(event).unwrap();
        text.push_str(&part.choices[0].text);
    }
    assert_eq!(text, answer.choices[0].text);
    let tokens = json!({"model": "tiny", "prompt": [256, 257, 111], "seed": 3, "max_tokens": 4});
    assert_eq!(post(&server(), "/v1/completions", &tokens).await.0, 200);
}

#[tokio::test]
async fn models_are_listed() {
    let server = server();
    let (status, body) = whole(send(&server, "GET", "/v1/models", String::new()).await).await;
    let list: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(
        (
            status,
            &list["object"],
            list["data"].as_array().unwrap().len()
        ),
        (200, &json!("list"), 2)
    );
    let (status, body) =
        whole(send(&server, "GET", "/v1/models/org/other", String::new()).await).await;
    let one: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(
        (status, &one["id"], &one["object"]),
        (200, &json!("org/other"), &json!("model"))
    );
    let (status, _) = whole(send(&server, "GET", "/v1/models/none", String::new()).await).await;
    assert_eq!(status, 404);
    let (status, _) = whole(send(&server, "GET", "/health", String::new()).await).await;
    assert_eq!(status, 200);
}

#[tokio::test]
async fn refusals_have_status_and_shape() {
    let server = server();
    let long = json!([{"role": "user", "content": "x".repeat(300)}]);
    let image = json!([{"role": "user", "content": [{"type": "image_url"}]}]);
    let cases = [
        (
            "/v1/chat/completions",
            chat(json!({"model": "ghost"})),
            404,
            "model_not_found",
        ),
        ("/v1/chat/completions", json!([1]), 400, "invalid_json"),
        (
            "/v1/chat/completions",
            chat(json!({"messages": [{"role": "x"}]})),
            400,
            "invalid_value",
        ),
        (
            "/v1/chat/completions",
            chat(json!({"temperature": 9})),
            400,
            "invalid_value",
        ),
        (
            "/v1/chat/completions",
            chat(json!({"n": 9})),
            400,
            "invalid_value",
        ),
        (
            "/v1/chat/completions",
            chat(json!({"messages": long})),
            400,
            "context_length_exceeded",
        ),
        (
            "/v1/chat/completions",
            chat(json!({"messages": image})),
            400,
            "invalid_value",
        ),
        (
            "/v1/chat/completions",
            chat(json!({"tools": [{}]})),
            400,
            "unsupported_parameter",
        ),
        (
            "/v1/chat/completions",
            chat(json!({"response_format": {"type": "json_object"}})),
            400,
            "unsupported_parameter",
        ),
        (
            "/v1/completions",
            json!({"model": "tiny"}),
            400,
            "missing_required_parameter",
        ),
        (
            "/v1/completions",
            json!({"model": "tiny", "prompt": [9999]}),
            400,
            "invalid_value",
        ),
        (
            "/v1/completions",
            json!({"model": "tiny", "prompt": ""}),
            400,
            "invalid_value",
        ),
        (
            "/v1/completions",
            json!({"model": "tiny", "prompt": ["a", "b"]}),
            400,
            "invalid_value",
        ),
        ("/v1/embeddings", json!({}), 404, "unknown_url"),
        ("/v1/models", json!({}), 405, "method_not_allowed"),
    ];
    for (path, body, status, code) in cases {
        for stream in [false, true] {
            let mut body = body.clone();
            if body.is_object() {
                body["stream"] = json!(stream);
            }
            let (got, answer) = post(&server, path, &body).await;
            let error = ErrorBody::parse(&answer).unwrap().error;
            assert_eq!(
                (got, error.code.as_deref()),
                (status, Some(code)),
                "{path} {body}"
            );
        }
    }
}

#[tokio::test]
async fn a_large_body_is_refused_announced_or_not() {
    let options = Options {
        request_bytes: 500,
        ..Options::default()
    };
    let models = vec![LoadedModel::new("tiny", Tiny::default().model())];
    let server = router_with(models, options);
    let body = chat(json!({"pad": "x".repeat(600)})).to_string();
    let path = "/v1/chat/completions";
    let announced = Request::post(path)
        .header(header::CONTENT_LENGTH, 600)
        .body(Body::empty());
    let silent = Body::from_stream(futures_util::stream::iter(
        body.as_bytes()
            .chunks(100)
            .map(|part| Ok::<_, String>(part.to_vec()))
            .collect::<Vec<_>>(),
    ));
    for request in [
        announced.unwrap(),
        Request::post(path).body(silent).unwrap(),
    ] {
        let (status, body) = whole(server.clone().oneshot(request).await.unwrap()).await;
        let error = ErrorBody::parse(&body).unwrap().error;
        assert_eq!(
            (status, error.code.as_deref()),
            (413, Some("request_too_large"))
        );
        assert!(error.message.contains("500"));
    }
}

#[tokio::test]
async fn half_a_megabyte_of_anything_is_refused_as_too_long() {
    let server = server();
    for unit in [
        "a",
        " ",
        "\n",
        "'",
        "1 ",
        "he",
        "\u{1F600}",
        " \t",
        "<|im_end|>",
    ] {
        let content = unit.repeat(500_000 / unit.len());
        let body = chat(json!({"messages": [{"role": "user", "content": content}]}));
        let (status, body) = post(&server, "/v1/chat/completions", &body).await;
        let error = ErrorBody::parse(&body).unwrap().error;
        assert_eq!(
            (status, error.code.as_deref()),
            (400, Some("context_length_exceeded"))
        );
    }
}

#[tokio::test]
async fn a_full_server_says_so() {
    let (server, request) = endless(0);
    let path = "/v1/chat/completions";
    let mut first = send(&server, "POST", path, request.to_string())
        .await
        .into_body();
    assert!(
        first.frame().await.unwrap().is_ok(),
        "the first is being answered"
    );
    let second = send(&server, "POST", path, request.to_string()).await;
    assert_eq!(
        (second.status().as_u16(), &second.headers()["retry-after"]),
        (429, &"1".parse().unwrap())
    );
    let (_, body) = whole(second).await;
    assert_eq!(
        ErrorBody::parse(&body).unwrap().error.kind,
        "rate_limit_error"
    );
}

/// The next in the queue is served only because the one before left: its own answer takes minutes.
#[tokio::test]
async fn a_client_that_leaves_makes_room() {
    let path = "/v1/chat/completions";
    let (server, request) = endless(4);
    let next = || {
        let (server, mut short) = (server.clone(), request.clone());
        short["max_tokens"] = json!(3);
        short["stream"] = json!(false);
        let answer = tokio::spawn(async move { plain(&server, &short).await });
        async {
            tokio::time::timeout(Duration::from_secs(20), answer)
                .await
                .unwrap()
                .unwrap()
        }
    };

    let mut streaming = send(&server, "POST", path, request.to_string())
        .await
        .into_body();
    assert!(streaming.frame().await.unwrap().is_ok());
    let after_stream = next();
    drop(streaming);
    assert_eq!(after_stream.await.usage.completion_tokens, 3);

    let waiting = tokio::spawn({
        let (server, mut long) = (server.clone(), request.clone());
        long["stream"] = json!(false);
        async move { send(&server, "POST", path, long.to_string()).await }
    });
    let after_plain = next();
    // Both tasks have run once: one is being answered, the other is in the queue.
    tokio::task::yield_now().await;
    waiting.abort();
    assert_eq!(after_plain.await.usage.completion_tokens, 3);
}
