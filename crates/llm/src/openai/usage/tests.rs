use super::*;

#[test]
fn usage_is_found_among_other_fields() {
    let body = br#"{"id":"x","choices":[{"message":{"content":"\"usage\":{}"}}],
        "usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7,"prompt_tokens_details":{"a":1}}}"#;
    assert_eq!(Usage::of_answer(body), Some(Usage::new(3, 4)));
}

#[test]
fn what_is_no_usage_is_none() {
    for body in [
        &b""[..],
        b"{}",
        b"[1]",
        b"{\"usage\":null}",
        b"{\"usage\":[1,2,3]}",
        b"{\"usage\":{\"prompt_tokens\":-1}}",
        b"{\"usage\":{\"prompt_tokens\":1}",
        b"{\"x\":{\"usage\":{\"prompt_tokens\":1}}}",
    ] {
        assert_eq!(
            Usage::of_answer(body),
            None,
            "{}",
            String::from_utf8_lossy(body)
        );
    }
}

#[test]
fn a_sum_never_overflows() {
    assert_eq!(Usage::new(u64::MAX, 1).total_tokens, u64::MAX);
}
