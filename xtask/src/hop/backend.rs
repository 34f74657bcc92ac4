//! A backend that answers at once: what is left of a relay's time and CPU is the hop.

use std::convert::Infallible;
use std::net::SocketAddr;

use anyhow::Result;
use bytes::Bytes;
use futures_util::stream;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Request, Response};
use http_body::Frame;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};

/// A whole answer, about 600 bytes, as a small model would send it.
const WHOLE: &str = r#"{"id":"chatcmpl-0123456789abcdef","object":"chat.completion","created":1750000000,"model":"millstone","system_fingerprint":"fixed","choices":[{"index":0,"message":{"role":"assistant","content":"A relay is one request and its answer, signed by both sides. The gateway signs the request for the application, the supplier signs the answer, and the hash of the pair becomes a leaf of the tree that the supplier's claim commits to.","refusal":null},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":14,"completion_tokens":51,"total_tokens":65}}"#;

/// Events of a stream between the first and `[DONE]`; a short answer of a small model.
pub(crate) const EVENTS: usize = 32;

type Body = UnsyncBoxBody<Bytes, Infallible>;

/// Starts it on a free port; it ends with `tasks`.
pub(crate) async fn serve(tasks: &net::Tasks) -> Result<SocketAddr> {
    let listener = net::listen("127.0.0.1:0", net::ListenLimits::default()).await?;
    let server = net::serve(
        listener,
        tower::service_fn(answer),
        net::ServeLimits::default(),
        tasks,
    );
    Ok(server.local_addr())
}

async fn answer(request: Request<net::RequestBody>) -> Result<Response<Body>, net::BoxError> {
    let asked = request.into_body().read_to_bytes().await?;
    let (kind, body) = if contains(&asked, b"\"stream\":true") {
        ("text/event-stream", events())
    } else {
        ("application/json", Full::from(WHOLE).boxed_unsync())
    };
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    Ok(response)
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

/// A stream whose events leave one by one, as a model's do.
fn events() -> Body {
    let frames = stream::unfold(0, |number| async move {
        // Gives the server a turn to send what it has.
        tokio::task::yield_now().await;
        let event = match number {
            0..EVENTS => Bytes::from_static(
                b"data: {\"id\":\"chatcmpl-0123456789abcdef\",\"object\":\"chat.completion.chunk\",\"created\":1750000000,\"model\":\"millstone\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\" relay\"},\"finish_reason\":null}]}\n\n",
            ),
            EVENTS => Bytes::from_static(b"data: [DONE]\n\n"),
            _ => return None,
        };
        Some((Ok(Frame::data(event)), number + 1))
    });
    StreamBody::new(frames).boxed_unsync()
}
