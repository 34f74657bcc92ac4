use proptest::prelude::*;
use serde_json::json;

use super::*;

const STREAM: &[u8] = b"data: {\"id\":1}\n\n: comment\n\ndata: {\"id\":2,\"usage\":\
{\"prompt_tokens\":5,\"completion_tokens\":6,\"total_tokens\":11}}\n\ndata: [DONE]\n\n";

#[test]
fn the_last_event_and_its_usage_are_kept() {
    let mut tail = Tail::new();
    tail.push(STREAM);
    assert!(tail.is_done());
    assert_eq!(tail.events(), 2);
    assert!(tail.last().unwrap().starts_with(b"{\"id\":2"));
    assert_eq!(tail.usage(), Some(Usage::new(5, 6)));
}

#[test]
fn done_counts_only_as_a_whole_line() {
    for (stream, done) in [
        (&b"data: [DONE]"[..], false),
        (b"data: [DONE]\n", true),
        (b"data:[DONE]\r\n\r\n", true),
        (b"data: {\"content\":\"data: [DONE]\"}\n\n", false),
        (b"data: [DONE] \n", false),
    ] {
        let mut tail = Tail::new();
        tail.push(stream);
        assert_eq!(tail.is_done(), done, "{}", String::from_utf8_lossy(stream));
    }
}

#[test]
fn a_huge_line_is_not_kept_and_is_forgotten() {
    let mut tail = Tail::new();
    tail.push(b"data: {\"id\":1}\n\nda");
    tail.push(b"ta: ");
    for _ in 0..2000 {
        tail.push(&[b'x'; 1000]);
        assert!(tail.line.capacity() <= 2 * EVENT_BYTES);
    }
    tail.push(b"\n\n");
    assert_eq!((tail.events(), tail.last()), (2, None));
    tail.push(b"data: {\"id\":3}\n\n");
    assert_eq!(tail.last(), Some(&b"{\"id\":3}"[..]));
}

#[test]
fn frames_read_back() {
    let mut stream = frame(&json!({"text": "a\nb"})).to_vec();
    stream.extend_from_slice(&error_frame(&ApiError::upstream("gone")));
    stream.extend_from_slice(DONE_FRAME);
    let all: Vec<_> = events(&stream).collect();
    assert_eq!(all[0], br#"{"text":"a\nb"}"#);
    assert!(super::super::ErrorBody::parse(all[1]).is_some());
    assert_eq!(all[2], DONE.as_bytes());
}

proptest! {
    #[test]
    fn where_the_stream_is_cut_does_not_matter(
        cuts in proptest::collection::vec(0..STREAM.len(), 0..8)
    ) {
        let mut whole = Tail::new();
        whole.push(STREAM);
        let mut cuts = cuts;
        cuts.sort_unstable();
        let mut tail = Tail::new();
        let mut from = 0;
        for cut in cuts.into_iter().chain([STREAM.len()]) {
            tail.push(&STREAM[from..cut]);
            from = cut;
        }
        prop_assert_eq!(tail.last(), whole.last());
        prop_assert_eq!((tail.is_done(), tail.events()), (whole.is_done(), whole.events()));
    }

    #[test]
    fn a_tail_agrees_with_the_list_of_events(
        lines in proptest::collection::vec("(data: ?)?[a-z{}\\r]{0,6}", 0..12)
    ) {
        let stream = lines.join("\n") + "\n";
        let mut tail = Tail::new();
        tail.push(stream.as_bytes());
        let all: Vec<_> = events(stream.as_bytes()).collect();
        prop_assert_eq!(tail.events() as usize, all.len());
        let last = all.last().copied().filter(|data| !data.is_empty());
        prop_assert_eq!(tail.last(), last);
    }
}
