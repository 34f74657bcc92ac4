use std::convert::Infallible;

use futures_util::stream;
use http_body_util::{Full, StreamBody};

use super::*;

const IDLE: Duration = Duration::from_secs(30);

fn chunks(parts: &[&'static str]) -> impl Body<Data = Bytes, Error = Infallible> + Unpin + use<> {
    let frames: Vec<_> = parts
        .iter()
        .map(|part| Ok(Frame::data(Bytes::from_static(part.as_bytes()))))
        .collect();
    StreamBody::new(stream::iter(frames))
}

fn limited<B>(body: B, limit: u64) -> LimitedBody<B> {
    LimitedBody::new(body, Side::Client, limit, IDLE)
}

#[tokio::test]
async fn a_body_at_its_limit_is_whole() {
    let body = limited(chunks(&["ab", "", "cd", "e"]), 5)
        .read_to_bytes()
        .await
        .unwrap();
    assert_eq!(body, "abcde");
    let body = limited(Full::new(Bytes::from_static(b"abcde")), 5)
        .read_to_bytes()
        .await
        .unwrap();
    assert_eq!(body, "abcde");
    assert_eq!(limited(chunks(&[]), 0).read_to_bytes().await.unwrap(), "");
}

#[tokio::test]
async fn one_byte_more_is_413_whether_declared_or_not() {
    let declared = limited(Full::new(Bytes::from_static(b"abcdef")), 5)
        .read_to_bytes()
        .await;
    let found = limited(chunks(&["abc", "def"]), 5).read_to_bytes().await;
    for outcome in [declared, found] {
        let error = outcome.unwrap_err();
        assert!(
            matches!(error, NetError::BodyTooLarge { limit: 5, .. }),
            "{error}"
        );
        assert_eq!(error.status(), http::StatusCode::PAYLOAD_TOO_LARGE);
        assert!(!error.is_retryable());
    }
}

#[tokio::test(start_paused = true)]
async fn silence_is_counted_between_chunks_only() {
    // Each chunk comes just in time, the whole takes four times the limit.
    let slow = Box::pin(stream::unfold(0, |sent| async move {
        tokio::time::sleep(IDLE - Duration::from_millis(10)).await;
        (sent < 4).then(|| {
            (
                Ok::<_, Infallible>(Frame::data(Bytes::from_static(b"x"))),
                sent + 1,
            )
        })
    }));
    assert_eq!(
        limited(StreamBody::new(slow), 9)
            .read_to_bytes()
            .await
            .unwrap(),
        "xxxx"
    );

    let silent = StreamBody::new(stream::pending::<Result<Frame<Bytes>, Infallible>>());
    let start = Instant::now();
    let error = LimitedBody::new(silent, Side::Upstream, 9, IDLE)
        .read_to_bytes()
        .await
        .unwrap_err();
    assert!(
        matches!(
            error,
            NetError::BodyIdle {
                side: Side::Upstream,
                ..
            }
        ),
        "{error}"
    );
    assert_eq!(error.status(), http::StatusCode::GATEWAY_TIMEOUT);
    let waited = start.elapsed();
    assert!(
        waited >= IDLE && waited < IDLE + Duration::from_millis(50),
        "{waited:?}"
    );
}
