//! The gRPC server: one generic unary handler over HTTP/2.
//!
//! Every path is a method; its bytes go to [`services::call`] with the height asked for, and come back with the height
//! answered for. No service needs code here.

use std::convert::Infallible;
use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};
use chain::{GrpcCode, QueryAnswer, QueryError, sdk};
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{HeaderMap, HeaderName, Request, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use net::RequestBody;

use crate::services;
use crate::view::View;

/// Metadata key of the height, both ways.
pub const HEIGHT: HeaderName = HeaderName::from_static("x-cosmos-block-height");
const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
const GRPC_MESSAGE: HeaderName = HeaderName::from_static("grpc-message");

/// gRPC's status of an error without one.
const UNKNOWN: i32 = 2;
/// gRPC's own status of a method or an encoding that is not there.
const UNIMPLEMENTED: i32 = 12;
/// gRPC's status of a message that is too long.
const RESOURCE_EXHAUSTED: i32 = 8;
/// gRPC's status of a stream that broke.
const INTERNAL: i32 = 13;

/// Bytes before a message: whether it is compressed, and its length.
const PREFIX: usize = 5;

/// A response body with trailers.
pub type Body = UnsyncBoxBody<Bytes, Infallible>;

/// A status that is not a query's answer.
struct Status {
    code: i32,
    message: String,
    height: Option<i64>,
}

/// Answers one call.
pub async fn handle(view: Arc<View>, request: Request<RequestBody>) -> Response<Body> {
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
    match answer(&view, request).await {
        Ok(answer) => respond(Some(framed(&answer.value)), Some(answer.height), 0, ""),
        Err(status) => respond(None, status.height, status.code, &status.message),
    }
}

async fn answer(view: &Arc<View>, request: Request<RequestBody>) -> Result<QueryAnswer, Status> {
    let asked = asked_height(request.headers())?;
    let path = request.uri().path().to_owned();
    let body = request
        .into_body()
        .read_to_bytes()
        .await
        .map_err(|error| Status {
            code: RESOURCE_EXHAUSTED,
            message: error.to_string(),
            height: None,
        })?;
    let message = unframed(body)?;
    services::call(view, &path, message, asked)
        .await
        .map_err(|error| match of_height(&error) {
            Some(text) => refused_height(error.code, text),
            None if error.grpc == GrpcCode::Unimplemented => unknown_method(&path),
            None => Status {
                code: error.grpc as i32,
                message: error.message,
                height: Some(
                    asked
                        .filter(|height| *height > 0)
                        .unwrap_or_else(|| view.height()),
                ),
            },
        })
}

/// A method that nobody has, in grpc-go's words.
fn unknown_method(path: &str) -> Status {
    let service = path
        .trim_start_matches('/')
        .split('/')
        .next()
        .unwrap_or_default();
    Status {
        code: UNIMPLEMENTED,
        message: format!("unknown service {service}"),
        height: None,
    }
}

/// The text of an error that refuses the height asked for, without the registered words at its end.
fn of_height(error: &QueryError) -> Option<&str> {
    let starts = [
        "cannot query with height",
        "failed to load state at height",
        "invalid height: ",
    ];
    starts
        .iter()
        .any(|start| error.message.starts_with(start))
        .then(|| {
            let end = error
                .message
                .rsplit_once(": ")
                .filter(|(_, end)| end.starts_with("invalid "));
            end.map_or(error.message.as_str(), |(text, _)| text)
        })
}

/// A refused height is answered without one, in the form of the SDK's registered errors.
fn refused_height(code: u32, text: &str) -> Status {
    let kind = if code == sdk::INVALID_HEIGHT {
        "invalid height"
    } else {
        "invalid request"
    };
    let message = format!("codespace sdk code {code}: {kind}: {text}");
    Status {
        code: UNKNOWN,
        message,
        height: None,
    }
}

/// The height in the metadata.
fn asked_height(headers: &HeaderMap) -> Result<Option<i64>, Status> {
    let Some(value) = headers.get(HEIGHT) else {
        return Ok(None);
    };
    let text = value.to_str().unwrap_or_default();
    let refused = |text: &str| refused_height(sdk::INVALID_REQUEST, text);
    let height: i64 = text.parse().map_err(|_| {
        refused(&format!(
            "Baseapp.RegisterGRPCServer: invalid height header \"x-cosmos-block-height\": strconv.ParseInt: parsing \
             \"{text}\": invalid syntax"
        ))
    })?;
    if height < 0 {
        return Err(refused(
            "cannot query with height < 0; please provide a valid height",
        ));
    }
    Ok(Some(height))
}

/// The one message of a unary request.
fn unframed(body: Bytes) -> Result<Bytes, Status> {
    let failed = |code: i32, message: &str| Status {
        code,
        message: message.to_owned(),
        height: None,
    };
    let broken = || failed(INTERNAL, "expected one length-prefixed message");
    let (compressed, length) = match body.first_chunk::<PREFIX>() {
        Some([compressed, length @ ..]) => (*compressed, u32::from_be_bytes(*length)),
        None => return Err(broken()),
    };
    if compressed != 0 {
        return Err(failed(
            UNIMPLEMENTED,
            "compressed messages are not supported",
        ));
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
    let mut trailers = HeaderMap::new();
    trailers.insert(GRPC_STATUS, HeaderValue::from(code));
    if !text.is_empty()
        && let Ok(value) = HeaderValue::from_str(&percent_encoded(text))
    {
        trailers.insert(GRPC_MESSAGE, value);
    }
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

/// gRPC's encoding of a status text: printable ASCII but the percent sign as it is.
fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if (b' '..=b'~').contains(&byte) && byte != b'%' {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
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
        assert_eq!(
            percent_encoded("a 100% \"ok\"\né"),
            "a 100%25 \"ok\"%0A%C3%A9"
        );
    }

    #[test]
    fn heights_are_read_as_the_reference_does() {
        let with = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(HEIGHT, HeaderValue::from_str(value).unwrap());
            asked_height(&headers)
        };
        assert_eq!(asked_height(&HeaderMap::new()).ok(), Some(None));
        assert_eq!(with("7").ok(), Some(Some(7)));
        assert_eq!(
            with("-1").err().unwrap().message,
            "codespace sdk code 18: invalid request: cannot query with height < 0; please provide a valid height"
        );
        let future = QueryError::from(chain::error::HeightError::Future);
        let status = refused_height(future.code, of_height(&future).unwrap());
        assert_eq!(
            status.message,
            "codespace sdk code 26: invalid height: cannot query with height in the future; please provide a valid \
             height"
        );
        assert!(
            with("x")
                .err()
                .unwrap()
                .message
                .ends_with("parsing \"x\": invalid syntax")
        );
    }
}
