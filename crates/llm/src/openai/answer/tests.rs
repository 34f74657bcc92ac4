use serde_json::json;

use super::*;

#[test]
fn the_head_of_an_answer_is_read() {
    let body =
        json!({"id": "a", "model": "m", "choices": [], "usage": Usage::new(1, 2)}).to_string();
    let head = AnswerHead::parse(body.as_bytes()).unwrap();
    assert_eq!(head.id.as_deref(), Some("a"));
    assert_eq!(head.model.as_deref(), Some("m"));
    assert_eq!(head.usage, Some(Usage::new(1, 2)));
    assert!(!head.is_error);
}

#[test]
fn an_error_under_status_200_is_noticed() {
    let head = AnswerHead::parse(br#"{"error":{"message":"no"}}"#).unwrap();
    assert!(head.is_error);
    assert!(!AnswerHead::parse(br#"{"error":null}"#).unwrap().is_error);
}

#[test]
fn what_is_no_answer_is_none() {
    for body in [
        &b"[]"[..],
        b"",
        b"<html>",
        b"{\"model\":1}",
        b"{\"id\":\"x\"",
    ] {
        assert_eq!(AnswerHead::parse(body), None);
    }
}

#[test]
fn a_chunk_has_the_members_clients_read() {
    let mut chunk = ChatChunk {
        id: "chatcmpl-1".into(),
        object: "chat.completion.chunk".into(),
        created: 1,
        model: "m".into(),
        choices: vec![ChunkChoice {
            index: 0,
            delta: Delta {
                role: None,
                content: Some("x".into()),
            },
            logprobs: None,
            finish_reason: None,
        }],
        usage: None,
    };
    let expected = json!({
        "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m",
        "choices": [{"index": 0, "delta": {"content": "x"}, "logprobs": null, "finish_reason": null}],
    });
    assert_eq!(serde_json::to_value(&chunk).unwrap(), expected);
    chunk.usage = Some(None);
    assert!(serde_json::to_value(&chunk).unwrap()["usage"].is_null());
    chunk.usage = Some(Some(Usage::new(1, 1)));
    assert_eq!(
        serde_json::to_value(&chunk).unwrap()["usage"]["total_tokens"],
        2
    );
}
