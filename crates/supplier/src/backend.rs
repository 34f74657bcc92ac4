//! From the relay's inner request to the operator's own backend.
//!
//! A service serves a list of methods and paths; everything else ends here. The backend sees the relay's body and content
//! type, the operator's own credentials, and who asked; no header that a stranger could use to reach further.

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response, Uri};
use http_body_util::Full;
use protocol::http::{PoktHttpRequest, header_value};

use crate::config::Service;
use crate::error::Refusal;
use crate::limits::{ANSWER_BYTES, BACKEND_HEAD, BACKEND_IDLE};

/// What an OpenAI service serves.
const ROUTES: [(&str, &str); 4] = [
    ("POST", "/v1/chat/completions"),
    ("POST", "/v1/completions"),
    ("POST", "/v1/embeddings"),
    ("GET", "/v1/models"),
];

/// Who asks, for the backend's own records.
#[derive(Clone, Copy, Debug)]
pub struct Asker<'a> {
    /// Operator address.
    pub supplier: &'a str,
    /// Application address.
    pub application: &'a str,
}

/// Builds the backend's request.
///
/// # Errors
/// [`Refusal::UnknownPath`] for what the service does not serve.
pub fn request(
    service: &Service,
    inner: &PoktHttpRequest,
    asker: Asker<'_>,
) -> Result<Request<Full<Bytes>>, Refusal> {
    let path = path_of(&inner.url);
    let route = ROUTES
        .iter()
        .find(|(method, route)| *method == inner.method && *route == path);
    let unknown = || Refusal::UnknownPath {
        service: service.id.clone(),
        method: inner.method.chars().take(16).collect(),
        path: path.chars().take(128).collect(),
    };
    let (method, route) = route.ok_or_else(unknown)?;
    let base = service.backend.path().trim_end_matches('/');
    // A base URL that ends in /v1, as OpenAI clients write it, already holds the first segment of the route.
    let rest = if base.ends_with("/v1") {
        route.trim_start_matches("/v1")
    } else {
        route
    };
    let mut parts = service.backend.clone().into_parts();
    parts.path_and_query = format!("{base}{rest}").parse().ok();
    let uri = Uri::from_parts(parts).map_err(|_| unknown())?;
    let mut request = Request::new(Full::new(inner.body_bz.clone()));
    *request.uri_mut() = uri;
    *request.method_mut() = if *method == "GET" {
        Method::GET
    } else {
        Method::POST
    };
    let headers = request.headers_mut();
    for (name, wire) in [(CONTENT_TYPE, "content-type"), (ACCEPT, "accept")] {
        if let Some(value) = header_value(&inner.header, wire)
            && let Ok(value) = HeaderValue::from_str(value)
        {
            headers.insert(name, value);
        }
    }
    if let Some(key) = &service.backend_key
        && let Ok(mut value) = HeaderValue::from_str(&format!("Bearer {key}"))
    {
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
    for (name, value) in [
        ("pocket-supplier", asker.supplier),
        ("pocket-service", service.id.as_str()),
        ("pocket-application", asker.application),
    ] {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    }
    Ok(request)
}

/// Sends it and waits for the head of the answer.
///
/// # Errors
/// [`Refusal::Backend`].
pub async fn send(
    client: &net::Client,
    request: Request<Full<Bytes>>,
) -> Result<Response<net::ResponseBody>, Refusal> {
    let deadlines = net::Deadlines {
        head: BACKEND_HEAD,
        idle: BACKEND_IDLE,
        response_bytes: ANSWER_BYTES,
    };
    client
        .request_within(request, deadlines)
        .await
        .map_err(|error| Refusal::Backend(error.to_string()))
}

/// The path of a URL or of a path with query. Only whole matches count, so `..`, `//` and escapes match nothing.
fn path_of(url: &str) -> &str {
    let after_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
    let path = match (url.contains("://"), after_scheme.find('/')) {
        (true, Some(slash)) => after_scheme.get(slash..).unwrap_or("/"),
        (true, None) => "/",
        (false, _) => after_scheme,
    };
    path.split(['?', '#']).next().unwrap_or(path)
}

/// Whether the backend streams.
pub fn is_stream(content_type: Option<&HeaderValue>) -> bool {
    let kind = content_type
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("text/event-stream")
        || kind.eq_ignore_ascii_case("application/x-ndjson")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(backend: &str) -> Service {
        Service {
            id: "m".to_owned(),
            backend: backend.parse().unwrap(),
            slots: 1,
            backend_key: Some("k".into()),
        }
    }

    fn inner(method: &str, url: &str) -> PoktHttpRequest {
        let headers = [
            ("content-type", "application/json"),
            ("authorization", "Bearer stolen"),
            ("cookie", "c"),
        ];
        PoktHttpRequest {
            method: method.to_owned(),
            header: protocol::http::collect_headers(headers),
            url: url.to_owned(),
            body_bz: Bytes::from_static(b"{}"),
        }
    }

    const ASKER: Asker<'static> = Asker {
        supplier: "pokt1s",
        application: "pokt1a",
    };

    #[test]
    fn routes_join_the_base_url() {
        for (base, expected) in [
            ("http://h:1", "http://h:1/v1/chat/completions"),
            ("http://h:1/v1", "http://h:1/v1/chat/completions"),
            ("http://h:1/api/v1", "http://h:1/api/v1/chat/completions"),
            ("http://h:1/api", "http://h:1/api/v1/chat/completions"),
        ] {
            let inner = inner("POST", "http://m/v1/chat/completions?x=1");
            assert_eq!(
                request(&service(base), &inner, ASKER).unwrap().uri(),
                expected
            );
        }
    }

    #[test]
    fn only_listed_routes_reach_the_backend() {
        for (method, url) in [
            ("GET", "http://m/v1/chat/completions"),
            ("POST", "http://m/v1/../admin"),
            ("POST", "http://m//v1/chat/completions"),
            ("POST", "http://m/v1/chat%2fcompletions"),
            ("POST", "http://m/v1/chat/completions/"),
            ("POST", "http://m"),
            ("POST", "/api/pull"),
        ] {
            let refused = request(&service("http://h"), &inner(method, url), ASKER);
            assert!(
                matches!(refused, Err(Refusal::UnknownPath { .. })),
                "{method} {url}"
            );
        }
    }

    #[test]
    fn a_strangers_credentials_stay_behind() {
        let request = request(&service("http://h"), &inner("GET", "/v1/models"), ASKER).unwrap();
        assert_eq!(request.headers()["authorization"], "Bearer k");
        assert!(!request.headers().contains_key("cookie"));
        assert_eq!(request.headers()["pocket-application"], "pokt1a");
    }
}
