//! Requests handed to the node's own handlers, as a socket would hand them over.

use std::sync::Arc;
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, Method, Request, Uri};
use http_body_util::{BodyExt, Full};
use net::{LimitedBody, Side};
use percent_encoding::percent_decode_str;

use crate::blocks::OwnView;
use crate::status::HEIGHT;
use crate::view::View;
use crate::{grpc, limits, rest, rpc};

/// An answer over gRPC.
#[derive(Clone, Debug, Default)]
pub(super) struct GrpcAnswer {
    /// Status.
    pub(super) code: i32,
    /// Its text.
    pub(super) message: String,
    /// Values of `x-cosmos-block-height`, initial and trailing.
    pub(super) heights: Vec<String>,
    /// The encoded message; empty with an error.
    pub(super) response: Bytes,
}

/// An answer over HTTP.
#[derive(Clone, Debug, Default)]
pub(super) struct HttpAnswer {
    /// Status.
    pub(super) status: u16,
    /// Headers.
    pub(super) headers: HeaderMap,
    /// Body.
    pub(super) body: String,
}

/// A silent body cannot be; this one is there.
const IDLE: Duration = Duration::from_secs(60);

fn body(bytes: Bytes) -> LimitedBody<Full<Bytes>> {
    LimitedBody::new(Full::new(bytes), Side::Client, limits::REQUEST_BYTES, IDLE)
}

/// Calls a method, with a height in the metadata if there is one.
pub(super) async fn grpc(
    view: &Arc<View>,
    path: &str,
    message: &[u8],
    height: Option<&str>,
) -> GrpcAnswer {
    let mut frame = BytesMut::with_capacity(message.len() + 5);
    frame.put_u8(0);
    frame.put_u32(u32::try_from(message.len()).unwrap_or(u32::MAX));
    frame.put_slice(message);
    let mut request = Request::post(path).header("content-type", "application/grpc");
    if let Some(height) = height {
        request = request.header(HEIGHT, height);
    }
    let refused = |message: String| GrpcAnswer {
        code: -1,
        message,
        ..GrpcAnswer::default()
    };
    let request = match request.body(body(frame.freeze())) {
        Ok(request) => request,
        Err(error) => return refused(error.to_string()),
    };
    let (head, body) = grpc::handle(Arc::clone(view), request).await.into_parts();
    let collected = match body.collect().await {
        Ok(collected) => collected,
        Err(never) => match never {},
    };
    let trailers = collected.trailers().cloned().unwrap_or_default();
    let text = |name: &str| {
        let value = trailers.get(name).or_else(|| head.headers.get(name));
        let value = value.and_then(|value| value.to_str().ok());
        value.unwrap_or_default().to_owned()
    };
    let heights = [&head.headers, &trailers]
        .into_iter()
        .flat_map(|headers| headers.get_all(HEIGHT))
        .filter_map(|value| value.to_str().ok().map(str::to_owned));
    let bytes = collected.to_bytes();
    GrpcAnswer {
        code: text("grpc-status").parse().unwrap_or(-1),
        message: status_text(&text("grpc-message")),
        heights: heights.collect(),
        response: bytes
            .get(5..)
            .map_or_else(Bytes::new, |rest| bytes.slice_ref(rest)),
    }
}

/// gRPC's encoding of a status text, undone.
fn status_text(encoded: &str) -> String {
    percent_decode_str(encoded).decode_utf8_lossy().into_owned()
}

/// Asks the RPC.
pub(super) async fn rpc(
    view: Arc<OwnView>,
    method: Method,
    path: &str,
    text: String,
) -> HttpAnswer {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("content-type", "application/json")
        .body(body(Bytes::from(text)));
    let request = match request {
        Ok(request) => request,
        Err(error) => {
            return HttpAnswer {
                body: error.to_string(),
                ..HttpAnswer::default()
            };
        }
    };
    let (head, body) = match rpc::handle(view, request).await {
        Ok(response) => response.into_parts(),
        Err(never) => match never {},
    };
    let bytes = match body.collect().await {
        Ok(collected) => collected.to_bytes(),
        Err(never) => match never {},
    };
    HttpAnswer {
        status: head.status.as_u16(),
        headers: head.headers,
        body: String::from_utf8_lossy(&bytes).into_owned(),
    }
}

/// Asks REST, at a height if there is one.
pub(super) async fn rest(
    view: &Arc<View>,
    method: &Method,
    path: &str,
    height: Option<i64>,
    body: &str,
) -> HttpAnswer {
    let refused = |error: String| HttpAnswer {
        status: 0,
        body: error,
        ..HttpAnswer::default()
    };
    let uri: Uri = match path.parse() {
        Ok(uri) => uri,
        Err(error) => return refused(format!("{path}: {error}")),
    };
    let mut headers = HeaderMap::new();
    if let Some(height) = height {
        headers.insert(HEIGHT, HeaderValue::from(height));
    }
    let response = rest::handle(view, method, &uri, &headers, body.as_bytes()).await;
    let (head, body) = response.into_parts();
    HttpAnswer {
        status: head.status.as_u16(),
        headers: head.headers,
        body: String::from_utf8_lossy(&body).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_texts_come_back() {
        assert_eq!(
            status_text("a 100%25 \"ok\"%0A%C3%A9%"),
            "a 100% \"ok\"\né%"
        );
    }
}
