//! CometBFT's RPC: JSON-RPC over HTTP POST, the same methods as GET routes, and events over a WebSocket.
//!
//! Shapes are those recorded from a reference node. `methods` and
//! `search` answer, `params` reads arguments, `json` writes values,
//! `websocket` keeps subscriptions; here is the HTTP around them.

use std::convert::Infallible;
use std::error::Error;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use http_body::Body as HttpBody;
use http_body_util::Full;
use net::LimitedBody;
use serde_json::{Map, Value, json};

use crate::blocks::OwnView as View;
use crate::limits;

mod consensus;
pub(crate) mod json;
mod methods;
mod params;
pub(crate) mod search;
pub(crate) mod websocket;

use params::Params;

/// A JSON-RPC error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RpcError {
    code: i32,
    message: &'static str,
    data: Option<String>,
}

impl RpcError {
    pub(crate) fn internal(data: impl std::fmt::Display) -> Self {
        Self {
            code: -32603,
            message: "Internal error",
            data: Some(data.to_string()),
        }
    }

    fn params(data: String) -> Self {
        Self {
            code: -32602,
            message: "Invalid params",
            data: Some(data),
        }
    }

    /// The same over a WebSocket, where arguments that cannot be read are an internal error.
    fn on_websocket(self) -> Self {
        match self.code {
            -32602 => Self {
                code: -32603,
                message: "Internal error",
                ..self
            },
            _ => self,
        }
    }

    fn no_method() -> Self {
        Self {
            code: -32601,
            message: "Method not found",
            data: None,
        }
    }

    fn parse(data: impl std::fmt::Display) -> Self {
        let data = Some(format!("error unmarshaling request: {data}"));
        Self {
            code: -32700,
            message: "Parse error. Invalid JSON",
            data,
        }
    }

    fn request(data: &str) -> Self {
        Self {
            code: -32600,
            message: "Invalid Request",
            data: Some(data.to_owned()),
        }
    }
}

/// A response object; the id is left out when the request's could not be read.
pub(crate) fn envelope(id: Option<&Value>, result: Result<Value, RpcError>) -> Value {
    let mut response = Map::new();
    response.insert("jsonrpc".into(), "2.0".into());
    if let Some(id) = id {
        response.insert("id".into(), id.clone());
    }
    match result {
        Ok(result) => response.insert("result".into(), result),
        Err(error) => {
            let mut body = Map::new();
            body.insert("code".into(), error.code.into());
            body.insert("message".into(), error.message.into());
            if let Some(data) = error.data {
                body.insert("data".into(), data.into());
            }
            response.insert("error".into(), body.into())
        }
    };
    response.into()
}

/// One JSON-RPC request.
pub(crate) struct Call {
    /// None for a notification, which gets no answer.
    pub(crate) id: Option<Value>,
    pub(crate) method: String,
    pub(crate) params: Option<Value>,
}

impl Call {
    /// Reads a request object; `null` is one without any field.
    pub(crate) fn read(value: Value) -> Result<Self, RpcError> {
        let mut request = match value {
            Value::Object(request) => request,
            Value::Null => Map::new(),
            _ => {
                let text = "json: cannot unmarshal into a request object";
                return Err(RpcError::parse(text));
            }
        };
        let id = match request.remove("id") {
            None | Some(Value::Null) => None,
            Some(Value::String(id)) => Some(Value::String(id)),
            // Go reads any number as an integer.
            Some(Value::Number(id)) => {
                let whole = id.as_f64().map_or(0.0, f64::trunc);
                Some(id.as_i64().map_or_else(|| json!(whole as i64), Value::from))
            }
            Some(_) => return Err(RpcError::parse("JSON-RPC ID should be a string or number")),
        };
        let mut text = |key: &str| match request.remove(key) {
            Some(Value::String(text)) => Ok(text),
            None | Some(Value::Null) => Ok(String::new()),
            Some(_) => {
                let text = format!("json: cannot unmarshal into field {key} of type string");
                Err(RpcError::parse(text))
            }
        };
        text("jsonrpc")?;
        let method = text("method")?;
        Ok(Self {
            id,
            method,
            params: request.remove("params"),
        })
    }
}

/// What Go's reader says about broken JSON.
pub(crate) fn broken_json(text: &str, error: &serde_json::Error) -> String {
    let rest = text.trim_start();
    match rest.chars().next() {
        _ if error.is_eof() => "unexpected end of JSON input".to_owned(),
        Some(first) if !"{[\"-0123456789tfn".contains(first) => {
            format!("invalid character '{first}' looking for beginning of value")
        }
        _ => error.to_string(),
    }
}

/// A response body.
pub type Body = Full<Bytes>;

/// Answers one HTTP request.
///
/// # Errors
/// Never; the type is what [`net::serve()`] asks for.
pub async fn handle<B>(
    view: Arc<View>,
    request: Request<LimitedBody<B>>,
) -> Result<Response<Body>, Infallible>
where
    B: HttpBody<Data = Bytes> + Unpin,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let path = request.uri().path().to_owned();
    Ok(match (request.method(), path.as_str()) {
        (&Method::GET, "/websocket") => websocket::upgrade(view, request),
        (&Method::POST, "/" | "") => post(&view, request).await,
        (&Method::GET | &Method::HEAD, "/" | "") => text(StatusCode::OK, "text/html", index(&view)),
        (_, "/" | "") => not_found(),
        // A route answers whatever the verb.
        (_, path) => {
            let method = path.trim_start_matches('/').to_owned();
            let params = Params::from_query(request.uri().query().unwrap_or_default());
            route(&view, &method, &params).await
        }
    })
}

async fn route(view: &Arc<View>, method: &str, params: &Params) -> Response<Body> {
    if websocket::NAMES.contains(&method) {
        let answer = envelope(Some(&json!(-1)), Err(RpcError::no_method()));
        return respond(StatusCode::NOT_FOUND, json::to_text(&answer));
    }
    let Some(result) = methods::call(view, method, params).await else {
        return not_found();
    };
    let status = if result.is_ok() {
        StatusCode::OK
    } else {
        StatusCode::INTERNAL_SERVER_ERROR
    };
    respond(status, json::to_text(&envelope(Some(&json!(-1)), result)))
}

async fn post<B>(view: &Arc<View>, request: Request<LimitedBody<B>>) -> Response<Body>
where
    B: HttpBody<Data = Bytes> + Unpin,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let failed = |error: RpcError| {
        respond(
            StatusCode::INTERNAL_SERVER_ERROR,
            json::to_text(&envelope(None, Err(error))),
        )
    };
    let body = match request.into_body().read_to_bytes().await {
        Ok(body) => body,
        Err(error) => return failed(RpcError::request(&error.to_string())),
    };
    if body.is_empty() {
        return text(StatusCode::OK, "text/html", index(view));
    }
    let parsed: Value = match serde_json::from_slice(&body) {
        Ok(parsed) => parsed,
        Err(error) => {
            let text = String::from_utf8_lossy(&body);
            return failed(RpcError::parse(broken_json(&text, &error)));
        }
    };
    // A body is read as a whole: one thing that is no request spoils a batch.
    let requests = match parsed {
        Value::Array(requests) => requests,
        request => vec![request],
    };
    if requests.len() > limits::BATCH {
        let text = format!(
            "{} requests in a batch, at most {}",
            requests.len(),
            limits::BATCH
        );
        return failed(RpcError::request(&text));
    }
    let calls: Vec<Call> = match requests.into_iter().map(Call::read).collect() {
        Ok(calls) => calls,
        Err(error) => return failed(error),
    };
    let mut answers = Vec::with_capacity(calls.len());
    for call in calls {
        // A notification gets no answer.
        let Some(id) = call.id else { continue };
        let result = run(view, &call.method, call.params).await;
        answers.push(envelope(Some(&id), result));
    }
    // A single answer is no list, that to a batch of one included.
    let text = match answers.as_slice() {
        [] => String::new(),
        [answer] => json::to_text(answer),
        _ => json::to_text(&Value::Array(answers)),
    };
    respond(StatusCode::OK, text)
}

/// Runs a method with JSON params.
pub(crate) async fn run(
    view: &Arc<View>,
    method: &str,
    params: Option<Value>,
) -> Result<Value, RpcError> {
    if !methods::NAMES.iter().any(|(name, _)| *name == method) {
        return Err(RpcError::no_method());
    }
    let params = Params::from_json(params).map_err(RpcError::params)?;
    methods::call(view, method, &params)
        .await
        .unwrap_or(Err(RpcError::no_method()))
}

fn respond(status: StatusCode, body: String) -> Response<Body> {
    text(status, "application/json", body)
}

fn not_found() -> Response<Body> {
    let kind = "text/plain; charset=utf-8";
    text(
        StatusCode::NOT_FOUND,
        kind,
        "404 page not found\n".to_owned(),
    )
}

fn text(status: StatusCode, kind: &'static str, body: String) -> Response<Body> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

/// The page that lists all routes.
fn index(view: &View) -> String {
    let host = view
        .rpc_addr()
        .map_or_else(String::new, |addr| addr.to_string());
    let mut page = String::from("<html><body><br>Available endpoints:<br>");
    for (name, arguments) in methods::NAMES {
        let query: Vec<String> = arguments.iter().map(|name| format!("{name}=_")).collect();
        let url = format!("//{host}/{name}?{}", query.join("&"));
        page.push_str(&format!("<a href=\"{url}\">{url}</a></br>"));
    }
    page + "</body></html>"
}

/// The entries of page `number` (from 1) of `total` entries.
///
/// # Errors
/// The reference's text for a page that is not there.
pub(crate) fn page(number: i64, size: usize, total: usize) -> Result<Range<usize>, String> {
    let pages = total.div_ceil(size.max(1)).max(1);
    match usize::try_from(number)
        .ok()
        .filter(|number| (1..=pages).contains(number))
    {
        Some(number) => {
            let start = (number - 1) * size;
            Ok(start..total.min(start + size))
        }
        None => Err(format!(
            "page should be within [1, {pages}] range, given {number}"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_counted_from_one() {
        assert_eq!(page(1, 2, 3), Ok(0..2));
        assert_eq!(page(2, 2, 3), Ok(2..3));
        assert_eq!(page(1, 2, 0), Ok(0..0));
        let text = "page should be within [1, 2] range, given 77".to_owned();
        assert_eq!(page(77, 2, 4), Err(text));
        assert!(page(0, 2, 4).is_err() && page(i64::MIN, 2, 4).is_err());
    }
}
