//! REST: the gRPC methods under the paths of the reference's grpc-gateway, answered as proto-JSON.
//!
//! One generic way for every method: [`route`] makes a gRPC call of a request over the table [`routes::ROUTES`] and the
//! descriptors, [`services::call`] answers it, [`render`] writes what came back. Both ends are pure, so recorded answers are
//! compared without a node; [`handle`] puts them together, [`serve`] reads from a socket.

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use chain::QueryAnswer;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue, LOCATION};
use http::{HeaderMap, Method, Request, Response, StatusCode, Uri};
use http_body_util::Full;
use net::RequestBody;
use prost::Message as _;
use prost_reflect::{DynamicMessage, MethodDescriptor};

use crate::status::{self, HEIGHT, INTERNAL, INVALID_ARGUMENT, Status, UNIMPLEMENTED};
use crate::view::View;
use crate::{services, uri};

pub mod routes;
mod values;

use routes::{Route, Verb};
pub(crate) use values::base64_bytes;

/// The height as the gateway passes gRPC's metadata on.
const METADATA_HEIGHT: HeaderName = HeaderName::from_static("grpc-metadata-x-cosmos-block-height");

/// The method whose answers carry no height: it reads no state.
const WITHOUT_HEIGHT: &str = "/cosmos.tx.v1beta1.Service/BroadcastTx";

/// A gRPC call that a REST request means.
#[derive(Clone, Debug)]
pub struct Call {
    /// The method.
    pub method: MethodDescriptor,
    /// gRPC path.
    pub path: &'static str,
    /// Encoded request.
    pub request: Bytes,
}

/// Answers one request that was read from a socket.
///
/// # Errors
/// Never; the type is what [`net::serve()`] asks for.
pub async fn serve(
    view: Arc<View>,
    request: Request<RequestBody>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let response = match body.read_to_bytes().await {
        Ok(body) => handle(&view, &head.method, &head.uri, &head.headers, &body).await,
        Err(error) => refuse(&Status::early(INVALID_ARGUMENT, error.to_string())),
    };
    Ok(response.map(Full::new))
}

/// Answers one request.
pub async fn handle(
    view: &Arc<View>,
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    body: &[u8],
) -> Response<Bytes> {
    if method == Method::GET && uri.path() == "/" {
        return index();
    }
    if let Some(location) = cleaned(uri) {
        return moved(location);
    }
    let call = match route(method, uri, body) {
        Ok(call) => call,
        Err(status) => return refuse(&status),
    };
    let asked = match status::asked_height(&with_metadata(headers)) {
        Ok(asked) => asked,
        Err(status) => return refuse(&status),
    };
    let answer = services::call(view, call.path, call.request.clone(), asked).await;
    let answer = answer.map_err(|error| {
        let answered = asked.unwrap_or_else(|| view.height());
        Status::of(error, call.path, answered)
    });
    render(&call, answer)
}

/// Where a path leads that has empty or dotted segments: the reference's router sends clients there.
fn cleaned(uri: &Uri) -> Option<String> {
    let path = uri.path();
    let mut kept: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => drop(kept.pop()),
            other => kept.push(other),
        }
    }
    let mut clean = format!("/{}", kept.join("/"));
    if path.ends_with('/') && clean != "/" {
        clean.push('/');
    }
    if clean == path {
        return None;
    }
    if let Some(query) = uri.query() {
        clean.push('?');
        clean.push_str(query);
    }
    Some(clean)
}

fn moved(location: String) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::MOVED_PERMANENTLY;
    // Made of a path that was read from a request, so it is a header's text.
    if let Ok(location) = HeaderValue::from_str(&location) {
        response.headers_mut().insert(LOCATION, location);
    }
    response
}

/// The gateway's own prefix of metadata is accepted for the height, too.
fn with_metadata(headers: &HeaderMap) -> HeaderMap {
    let height = headers.get(HEIGHT).or_else(|| headers.get(METADATA_HEIGHT));
    height
        .map(|height| (HEIGHT, height.clone()))
        .into_iter()
        .collect()
}

/// The gRPC call that a request means.
///
/// # Errors
/// Unimplemented for a path or a method that no route has, InvalidArgument for a value that does not fit.
pub fn route(method: &Method, uri: &Uri, body: &[u8]) -> Result<Call, Status> {
    let wrong = |text: String| Status::early(INVALID_ARGUMENT, text);
    let path = uri::unescaped(uri.path()).map_err(wrong)?;
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    let fitting = |route: &'static Route| Some((route, routes::fit(route.template, &segments)?));
    let verb = match method.as_str() {
        "GET" => Some(Verb::Get),
        "POST" => Some(Verb::Post),
        _ => None,
    };
    let mut all = routes::ROUTES.iter().filter_map(fitting).peekable();
    let known = all.peek().is_some();
    let Some((route, variables)) = all.find(|(route, _)| Some(route.verb) == verb) else {
        let text = if known {
            "Method Not Allowed"
        } else {
            "Not Implemented"
        };
        return Err(Status::early(UNIMPLEMENTED, text));
    };
    let Some(method) = descriptor(route.method) else {
        return Err(Status::early(UNIMPLEMENTED, "Not Implemented"));
    };
    let mut request = match route.verb {
        Verb::Get => DynamicMessage::new(method.input()),
        Verb::Post => from_json(&method, body)?,
    };
    for (name, text) in &variables {
        let field = method.input().get_field_by_name(name);
        let field = field.ok_or_else(|| Status::early(INTERNAL, format!("no field {name}")))?;
        let value = values::scalar(&field, text)
            .map_err(|error| wrong(format!("type mismatch, parameter: {name}, error: {error}")))?;
        request.set_field(&field, value);
    }
    // A query that can say nothing is not read.
    let has_more = method.input().fields().len() > variables.len();
    if route.verb == Verb::Get && has_more {
        for (key, given) in grouped(uri.query().unwrap_or_default()).map_err(wrong)? {
            // What the path says cannot be said again.
            if !variables.iter().any(|(name, _)| *name == key) {
                values::fill(&mut request, &key, &given).map_err(wrong)?;
            }
        }
    }
    Ok(Call {
        method,
        path: route.method,
        request: request.encode_to_vec().into(),
    })
}

/// The descriptor of a gRPC path.
fn descriptor(path: &str) -> Option<MethodDescriptor> {
    let (service, method) = path.strip_prefix('/')?.split_once('/')?;
    let service = proto::descriptor_pool().get_service_by_name(service)?;
    service.methods().find(|found| found.name() == method)
}

/// The request in a body; an empty one is an empty request.
fn from_json(method: &MethodDescriptor, body: &[u8]) -> Result<DynamicMessage, Status> {
    let wrong = |text: String| Status::early(INVALID_ARGUMENT, text);
    if body.is_empty() {
        return Ok(DynamicMessage::new(method.input()));
    }
    let json: serde_json::Value = serde_json::from_slice(body).map_err(|error| {
        let text = String::from_utf8_lossy(body);
        wrong(crate::rpc::broken_json(&text, &error))
    })?;
    let input = method.input();
    proto::json::json_to_bytes(input.full_name(), &json)
        .and_then(|bytes| proto::json::decode_dynamic(input.full_name(), &bytes))
        .map_err(|error| wrong(error.to_string()))
}

/// The response to an answered call.
pub fn render(call: &Call, answer: Result<QueryAnswer, Status>) -> Response<Bytes> {
    let told = call.path != WITHOUT_HEIGHT;
    let answer = match answer {
        Ok(answer) => answer,
        Err(status) if told => return refuse(&status),
        Err(status) => {
            return refuse(&Status {
                height: None,
                ..status
            });
        }
    };
    match proto::json::bytes_to_json(call.method.output().full_name(), &answer.value) {
        Ok(json) => {
            let height = Some(answer.height).filter(|_| told);
            let mut response = json_response(StatusCode::OK, json, height);
            if let Some(height) = height {
                response
                    .headers_mut()
                    .insert(HEIGHT, HeaderValue::from(height));
            }
            response
        }
        Err(error) => refuse(&Status {
            code: INTERNAL,
            message: error.to_string(),
            height: Some(answer.height),
        }),
    }
}

/// The response to a call that failed.
fn refuse(status: &Status) -> Response<Bytes> {
    let mut message = String::new();
    proto::json::write_string(&mut message, &status.message);
    let body = format!(
        "{{\"code\":{},\"message\":{message},\"details\":[]}}",
        status.code
    );
    json_response(http_status(status.code), body, status.height)
}

fn json_response(status: StatusCode, body: String, height: Option<i64>) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Some(height) = height {
        headers.insert(METADATA_HEIGHT, HeaderValue::from(height));
    }
    response
}

/// The HTTP status of a gRPC status, as grpc-gateway maps them.
fn http_status(code: i32) -> StatusCode {
    match code {
        0 => StatusCode::OK,
        1 => StatusCode::REQUEST_TIMEOUT,
        3 | 9 | 11 => StatusCode::BAD_REQUEST,
        4 => StatusCode::GATEWAY_TIMEOUT,
        5 => StatusCode::NOT_FOUND,
        6 | 10 => StatusCode::CONFLICT,
        7 => StatusCode::FORBIDDEN,
        8 => StatusCode::TOO_MANY_REQUESTS,
        12 => StatusCode::NOT_IMPLEMENTED,
        14 => StatusCode::SERVICE_UNAVAILABLE,
        16 => StatusCode::UNAUTHORIZED,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// The page at the root: every route.
fn index() -> Response<Bytes> {
    let mut page = String::from("<!DOCTYPE html>\n<html><body><pre>\n");
    for route in routes::ROUTES {
        let verb = match route.verb {
            Verb::Get => "GET ",
            Verb::Post => "POST",
        };
        page.push_str(&format!("{verb} {}\n", route.template));
    }
    page.push_str("</pre></body></html>\n");
    let mut response = Response::new(Bytes::from(page));
    let kind = HeaderValue::from_static("text/html; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

/// The keys of a URI's query in order, each with all its values.
fn grouped(query: &str) -> Result<Vec<(String, Vec<String>)>, String> {
    let mut groups: Vec<(String, Vec<String>)> = Vec::new();
    for pair in uri::pairs(query) {
        let (key, value) = pair?;
        match groups.iter_mut().find(|(known, _)| *known == key) {
            Some((_, values)) => values.push(value),
            None => groups.push((key, vec![value])),
        }
    }
    Ok(groups)
}

#[cfg(test)]
mod tests;
