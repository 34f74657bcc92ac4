//! The gRPC server: one generic unary handler over HTTP/2, and the streams of [`reflection`].
//!
//! Every path is a method; its bytes go to [`services::call`] with the height asked for, and come back with the height
//! answered for. No service needs code here.

use std::convert::Infallible;
use std::error::Error;
use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};
use chain::QueryAnswer;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{HeaderMap, HeaderName, Request, Response, StatusCode};
use http_body::{Body as HttpBody, Frame};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use net::LimitedBody;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use prost::Message;

use crate::reflection::{self, Reflection};
use crate::status::{self, HEIGHT, INTERNAL, RESOURCE_EXHAUSTED, Status, UNIMPLEMENTED};
use crate::view::View;
use crate::{limits, services};

const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
const GRPC_MESSAGE: HeaderName = HeaderName::from_static("grpc-message");

/// Bytes before a message: whether it is compressed, and its length.
const PREFIX: usize = 5;

/// A response body with trailers.
pub type Body = UnsyncBoxBody<Bytes, Infallible>;

/// Answers one call.
pub async fn handle<B>(view: Arc<View>, request: Request<LimitedBody<B>>) -> Response<Body>
where
    B: HttpBody<Data = Bytes> + Unpin + Send + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let grpc = request
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|kind| kind.as_bytes().strip_prefix(b"application/grpc"))
        .is_some_and(|rest| matches!(rest.first(), None | Some(b'+' | b';')));
    if !grpc {
        let mut response = Response::new(Full::new(Bytes::new()).boxed_unsync());
        *response.status_mut() = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        return response;
    }
    if reflection::METHODS.contains(&request.uri().path()) {
        return reflect(request.into_body());
    }
    match answer(&view, request).await {
        Ok(answer) => respond(Some(framed(&answer.value)), Some(answer.height), 0, ""),
        Err(status) => respond(None, status.height, status.code, &status.message),
    }
}

async fn answer<B>(
    view: &Arc<View>,
    request: Request<LimitedBody<B>>,
) -> Result<QueryAnswer, Status>
where
    B: HttpBody<Data = Bytes> + Unpin,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let asked = status::asked_height(request.headers())?;
    let path = request.uri().path().to_owned();
    let body = request
        .into_body()
        .read_to_bytes()
        .await
        .map_err(|error| Status::early(RESOURCE_EXHAUSTED, error.to_string()))?;
    let message = unframed(body)?;
    services::call(view, &path, message, asked)
        .await
        .map_err(|error| Status::of(error, &path, asked.unwrap_or_else(|| view.height())))
}

/// Answers a stream of questions as they come.
fn reflect<B>(questions: LimitedBody<B>) -> Response<Body>
where
    B: HttpBody<Data = Bytes> + Unpin + Send + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let stream = futures_util::stream::unfold(Some(Stream::new(questions)), |stream| async {
        let mut stream = stream?;
        let frame = match stream.next().await {
            Ok(Some(answer)) => return Some((Ok(Frame::data(answer)), Some(stream))),
            Ok(None) => trailers(0, ""),
            Err(status) => trailers(status.code, &status.message),
        };
        Some((Ok(Frame::trailers(frame)), None))
    });
    let mut response = Response::new(StreamBody::new(stream).boxed_unsync());
    let kind = HeaderValue::from_static("application/grpc");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

/// A stream of questions.
struct Stream<B> {
    body: LimitedBody<B>,
    /// Bytes that are no whole message yet.
    read: BytesMut,
    reflection: Reflection,
}

impl<B> Stream<B>
where
    B: HttpBody<Data = Bytes> + Unpin,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    fn new(body: LimitedBody<B>) -> Self {
        Self {
            body: body.with_limit(limits::REFLECTION_BYTES),
            read: BytesMut::new(),
            reflection: Reflection::default(),
        }
    }

    /// The answer to the next question; `None` when there is none.
    async fn next(&mut self) -> Result<Option<Bytes>, Status> {
        loop {
            if let Some(message) = first_message(&mut self.read)? {
                let request = reflection::Request::decode(message)
                    .map_err(|error| Status::early(INTERNAL, error.to_string()))?;
                let answer = self.reflection.answer(request);
                return Ok(Some(framed(&answer.encode_to_vec())));
            }
            match self.body.frame().await {
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        self.read.extend_from_slice(&data);
                    }
                }
                Some(Err(error)) => {
                    return Err(Status::early(RESOURCE_EXHAUSTED, error.to_string()));
                }
                None => return Ok(None),
            }
        }
    }
}

/// Takes the first whole message out of what was read.
fn first_message(read: &mut BytesMut) -> Result<Option<Bytes>, Status> {
    let Some([compressed, length @ ..]) = read.first_chunk::<PREFIX>() else {
        return Ok(None);
    };
    if *compressed != 0 {
        return Err(compression());
    }
    let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
    let end = PREFIX.saturating_add(length);
    if read.len() < end {
        return Ok(None);
    }
    Ok(Some(read.split_to(end).freeze().slice(PREFIX..)))
}

fn compression() -> Status {
    Status::early(UNIMPLEMENTED, "compressed messages are not supported")
}

/// The one message of a unary request.
fn unframed(body: Bytes) -> Result<Bytes, Status> {
    let broken = || Status::early(INTERNAL, "expected one length-prefixed message");
    let (compressed, length) = match body.first_chunk::<PREFIX>() {
        Some([compressed, length @ ..]) => (*compressed, u32::from_be_bytes(*length)),
        None => return Err(broken()),
    };
    if compressed != 0 {
        return Err(compression());
    }
    if usize::try_from(length).ok() != body.len().checked_sub(PREFIX) {
        return Err(broken());
    }
    Ok(body.slice(PREFIX..))
}

fn framed(message: &[u8]) -> Bytes {
    let mut frame = BytesMut::with_capacity(PREFIX + message.len());
    frame.put_u8(0);
    // A longer message would not fit into memory limits of any client.
    frame.put_u32(u32::try_from(message.len()).unwrap_or(u32::MAX));
    frame.put_slice(message);
    frame.freeze()
}

fn respond(message: Option<Bytes>, height: Option<i64>, code: i32, text: &str) -> Response<Body> {
    let trailers = trailers(code, text);
    let body = Full::new(message.unwrap_or_default())
        .with_trailers(async move { Some(Ok(trailers)) })
        .boxed_unsync();
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    if let Some(height) = height {
        headers.insert(HEIGHT, HeaderValue::from(height));
    }
    response
}

fn trailers(code: i32, text: &str) -> HeaderMap {
    let mut trailers = HeaderMap::new();
    trailers.insert(GRPC_STATUS, HeaderValue::from(code));
    if !text.is_empty()
        && let Ok(value) = HeaderValue::from_str(&status_text(text))
    {
        trailers.insert(GRPC_MESSAGE, value);
    }
    trailers
}

/// gRPC's encoding of a status text: printable ASCII but the percent sign as it is.
fn status_text(text: &str) -> String {
    const ESCAPED: AsciiSet = CONTROLS.add(b'%');
    utf8_percent_encode(text, &ESCAPED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_framed_and_nothing_else_is_taken() {
        let frame = framed(b"abc");
        assert_eq!(frame.as_ref(), b"\0\0\0\0\x03abc");
        assert_eq!(unframed(frame.clone()).ok().unwrap().as_ref(), b"abc");
        for bad in [
            &b""[..],
            b"\0\0\0\0",
            b"\0\0\0\0\x04abc",
            b"\0\0\0\0\x02abc",
        ] {
            assert_eq!(
                unframed(Bytes::from_static(bad)).err().unwrap().code,
                INTERNAL
            );
        }
        let compressed = unframed(Bytes::from_static(b"\x01\0\0\0\x01x"));
        assert_eq!(compressed.err().unwrap().code, UNIMPLEMENTED);
    }

    #[test]
    fn status_texts_are_percent_encoded() {
        assert_eq!(status_text("a 100% \"ok\"\né"), "a 100%25 \"ok\"%0A%C3%A9");
    }
}
