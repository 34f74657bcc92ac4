use super::*;

fn parse(body: &str) -> Result<CompletionHead<'_>, ApiError> {
    CompletionHead::parse(body.as_bytes())
}

#[test]
fn each_form_of_prompt_is_told_apart() {
    let prompt = |json: &str| {
        let body = format!("{{\"model\":\"m\",\"prompt\":{json}}}");
        match parse(&body) {
            Ok(head) => Ok(match head.prompt {
                Prompt::Text(text) => Prompt::Text(Cow::Owned(text.into_owned())),
                Prompt::Tokens(tokens) => Prompt::Tokens(tokens),
                Prompt::Many(count) => Prompt::Many(count),
            }),
            Err(error) => Err(error.object.code.unwrap().into_owned()),
        }
    };
    assert_eq!(prompt("\"a\""), Ok(Prompt::Text("a".into())));
    assert_eq!(prompt("[\"a\"]"), Ok(Prompt::Text("a".into())));
    assert_eq!(prompt("[\"a\",\"b\"]"), Ok(Prompt::Many(2)));
    assert_eq!(prompt("[1,2]"), Ok(Prompt::Tokens(vec![1, 2])));
    assert_eq!(prompt("[[1],[2]]"), Ok(Prompt::Many(2)));
    assert_eq!(prompt("[]"), Err("invalid_value".into()));
    assert_eq!(prompt("null"), Err("missing_required_parameter".into()));
    assert_eq!(prompt("[1,-2]"), Err("invalid_type".into()));
}

#[test]
fn ranges_are_checked() {
    let error = parse(r#"{"model":"m","prompt":"p","logprobs":6}"#).unwrap_err();
    assert_eq!(error.object.param.as_deref(), Some("logprobs"));
    let head = r#"{"model":"m","prompt":"p","logprobs":0,"echo":true,"suffix":"s","n":3}"#;
    let head = parse(head).unwrap();
    assert_eq!(
        (head.logprobs, head.echo, head.has_suffix, head.n),
        (Some(0), true, true, 3)
    );
}
