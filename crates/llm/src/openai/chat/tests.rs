use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn refusal(body: &str) -> (u16, String, String) {
    let error = ChatHead::parse(body.as_bytes()).map(|_| ()).unwrap_err();
    let code = error.object.code.clone().unwrap_or_default();
    (
        error.status.as_u16(),
        error.object.param.unwrap_or_default(),
        code.into(),
    )
}

/// A valid request with some fields replaced.
fn with(fields: Value) -> String {
    let mut body = json!({"model": "m", "messages": [{"role": "user", "content": "hi"}]});
    for (name, value) in fields.as_object().unwrap() {
        body[name] = value.clone();
    }
    body.to_string()
}

#[test]
fn a_plain_request_is_read_with_defaults() {
    let body = with(json!({}));
    let head = ChatHead::parse(body.as_bytes()).unwrap();
    assert!(
        matches!(head.model, Cow::Borrowed("m")),
        "strings borrow from the body"
    );
    assert_eq!(head.messages[0].role, Role::User);
    assert_eq!(head.messages[0].text(0).unwrap(), "hi");
    assert!(!head.stream && !head.include_usage && !head.logprobs && !head.has_tools);
    assert_eq!((head.n, head.max_tokens, head.top_logprobs), (1, None, 0));
    assert_eq!(head.sampling, Sampling::default());
}

#[test]
fn every_known_field_arrives() {
    let body = with(json!({
        "stream": true, "stream_options": {"include_usage": true}, "max_tokens": 7,
        "max_completion_tokens": 9, "n": 2, "temperature": 0.5, "top_p": 0.9, "top_k": 40,
        "presence_penalty": -1, "frequency_penalty": 1.5, "seed": -3, "stop": ["a", "", "b\n"],
        "logit_bias": {"5": -100, "2": 1.5}, "logprobs": true, "top_logprobs": 3, "user": "u",
        "tools": [{"type": "function"}], "response_format": {"type": "text"},
        "unknown": {"deep": [1, 2, {"x": null}]},
    }));
    let head = ChatHead::parse(body.as_bytes()).unwrap();
    assert!(head.stream && head.include_usage && head.logprobs && head.has_tools);
    assert_eq!(head.max_tokens, Some(9), "the newer name wins");
    assert_eq!((head.n, head.top_logprobs), (2, 3));
    assert_eq!(head.sampling.temperature, Some(0.5));
    assert_eq!(head.sampling.seed, Some(-3));
    assert_eq!(head.sampling.stop, ["a", "b\n"]);
    assert_eq!(head.sampling.logit_bias, [(2, 1.5), (5, -100.0)]);
    assert_eq!(head.response_format.as_deref(), Some("text"));
    assert_eq!(head.user.as_deref(), Some("u"));
}

#[test]
fn null_is_absent() {
    let body = with(json!({"stream": null, "temperature": null, "n": null, "stop": null}));
    assert!(ChatHead::parse(body.as_bytes()).is_ok());
}

#[test]
fn each_bad_field_is_named() {
    for (fields, param, code) in [
        (
            json!({"model": null}),
            "model",
            "missing_required_parameter",
        ),
        (json!({"model": 4}), "model", "invalid_type"),
        (json!({"model": ""}), "model", "invalid_value"),
        (
            json!({"messages": null}),
            "messages",
            "missing_required_parameter",
        ),
        (json!({"messages": []}), "messages", "invalid_value"),
        (json!({"messages": "hi"}), "messages", "invalid_type"),
        (json!({"messages": ["hi"]}), "messages[0]", "invalid_type"),
        (
            json!({"messages": [["user", "hi"]]}),
            "messages[0]",
            "invalid_type",
        ),
        (json!({"stream": "yes"}), "stream", "invalid_type"),
        (
            json!({"stream_options": {}}),
            "stream_options",
            "invalid_value",
        ),
        (
            json!({"stream": true, "stream_options": [true]}),
            "stream_options",
            "invalid_type",
        ),
        (
            json!({"stream": true, "stream_options": {"include_usage": 1}}),
            "stream_options.include_usage",
            "invalid_type",
        ),
        (json!({"max_tokens": 0}), "max_tokens", "invalid_value"),
        (json!({"max_tokens": -1}), "max_tokens", "invalid_value"),
        (json!({"max_tokens": 1.5}), "max_tokens", "invalid_type"),
        (
            json!({"max_completion_tokens": 0}),
            "max_completion_tokens",
            "invalid_value",
        ),
        (json!({"n": 0}), "n", "invalid_value"),
        (json!({"n": 129}), "n", "invalid_value"),
        (json!({"temperature": 2.1}), "temperature", "invalid_value"),
        (json!({"temperature": "hot"}), "temperature", "invalid_type"),
        (json!({"top_p": -0.1}), "top_p", "invalid_value"),
        (
            json!({"presence_penalty": 3}),
            "presence_penalty",
            "invalid_value",
        ),
        (
            json!({"frequency_penalty": -3}),
            "frequency_penalty",
            "invalid_value",
        ),
        (json!({"seed": "x"}), "seed", "invalid_type"),
        (
            json!({"stop": ["a", "b", "c", "d", "e"]}),
            "stop",
            "invalid_value",
        ),
        (json!({"stop": 5}), "stop", "invalid_type"),
        (
            json!({"logit_bias": {"3": 101}}),
            "logit_bias.3",
            "invalid_value",
        ),
        (
            json!({"logit_bias": {"x": 1}}),
            "logit_bias",
            "invalid_type",
        ),
        (
            json!({"logprobs": true, "top_logprobs": 21}),
            "top_logprobs",
            "invalid_value",
        ),
        (json!({"top_logprobs": 2}), "top_logprobs", "invalid_value"),
        (json!({"tools": {}}), "tools", "invalid_type"),
        (
            json!({"response_format": {}}),
            "response_format.type",
            "missing_required_parameter",
        ),
    ] {
        let got = refusal(&with(fields.clone()));
        assert_eq!(got, (400, param.into(), code.into()), "{fields}");
    }
}

#[test]
fn each_bad_message_is_named() {
    for (message, param, code) in [
        (
            json!({"content": "x"}),
            "messages[1].role",
            "missing_required_parameter",
        ),
        (
            json!({"role": "robot", "content": "x"}),
            "messages[1].role",
            "invalid_value",
        ),
        (
            json!({"role": 1, "content": "x"}),
            "messages[1].role",
            "invalid_type",
        ),
        (
            json!({"role": "user"}),
            "messages[1].content",
            "missing_required_parameter",
        ),
        (
            json!({"role": "assistant"}),
            "messages[1].content",
            "missing_required_parameter",
        ),
        (
            json!({"role": "user", "content": 5}),
            "messages[1].content",
            "invalid_type",
        ),
        (
            json!({"role": "user", "content": {}}),
            "messages[1].content",
            "invalid_type",
        ),
    ] {
        let messages = json!([{"role": "system", "content": "s"}, message]);
        let got = refusal(&with(json!({"messages": messages})));
        assert_eq!(got, (400, param.into(), code.into()), "{message}");
    }
}

#[test]
fn an_assistant_that_called_a_tool_needs_no_content() {
    let messages = json!([
        {"role": "assistant", "content": null, "tool_calls": [{"id": "c"}]},
        {"role": "tool", "tool_call_id": "c", "content": "42"},
    ]);
    let body = with(json!({"messages": messages}));
    let head = ChatHead::parse(body.as_bytes()).unwrap();
    assert_eq!(head.messages[0].text(0).unwrap(), "");
    assert_eq!(head.messages[1].role, Role::Tool);
}

#[test]
fn bodies_that_are_no_objects_are_refused() {
    for body in [
        "",
        "  ",
        "[]",
        "null",
        "\"x\"",
        "{",
        "{\"model\":\"m\"",
        "{} x",
        "[\"m\",[]]",
    ] {
        assert_eq!(refusal(body).2, "invalid_json", "{body}");
    }
    assert!(ChatHead::parse(b"{\"model\":\"\xff\"}").is_err());
}

#[test]
fn a_field_given_twice_is_refused() {
    let body = r#"{"model":"a","model":"b","messages":[{"role":"user","content":"x"}]}"#;
    assert_eq!(refusal(body).2, "invalid_json");
}

#[test]
fn text_parts_are_joined_and_other_parts_named() {
    let parts = |content: Value| with(json!({"messages": [{"role": "user", "content": content}]}));
    let body = parts(json!([{"type": "text", "text": "a\n"}, {"type": "text", "text": "b"}]));
    assert_eq!(
        ChatHead::parse(body.as_bytes()).unwrap().messages[0]
            .text(0)
            .unwrap(),
        "a\nb"
    );
    let body = parts(json!([{"type": "image_url", "image_url": {"url": "x"}}]));
    let head = ChatHead::parse(body.as_bytes()).unwrap();
    let error = head.messages[0].text(0).unwrap_err();
    assert_eq!(error.object.param.as_deref(), Some("messages[0].content"));
    assert!(error.object.message.contains("image_url"));
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = ChatHead::parse(&body);
    }

    #[test]
    fn any_cut_of_a_request_is_refused(cut in 0_usize..80) {
        let body = with(json!({"stream": true, "temperature": 1}));
        prop_assume!(cut < body.len());
        prop_assert!(ChatHead::parse(&body.as_bytes()[..cut]).is_err());
    }

    #[test]
    fn texts_arrive_unchanged(model in "\\PC{1,20}", content in any::<String>()) {
        let messages = json!([{"role": "user", "content": content}]);
        let body = with(json!({"model": model, "messages": messages}));
        let head = ChatHead::parse(body.as_bytes()).unwrap();
        prop_assert_eq!(head.model, model);
        prop_assert_eq!(head.messages[0].text(0).unwrap(), content);
    }
}
