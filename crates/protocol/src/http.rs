//! HTTP requests and responses as relay payloads (relay-protocol §1.3).
//!
//! The payload is opaque to the chain, but its bytes are hashed, so building is deterministic: header names in Go's
//! canonical form, entries sorted by name. A proven relay is public, prompt and headers included, so a request takes
//! along only the headers it is allowed to ([`ALLOWED_REQUEST_HEADERS`] and what the service card asks for).

use std::collections::BTreeMap;

use bytes::Bytes;
use prost::Message as _;
pub use proto::sdk::types::Header;
pub use proto::sdk::types::{
    PokthttpRequest as PoktHttpRequest, PokthttpResponse as PoktHttpResponse,
};

use crate::error::ProtocolError;
use crate::relay::decode_error;

/// Headers of a client's request that may become public, in canonical form.
pub const ALLOWED_REQUEST_HEADERS: [&str; 2] = ["Accept", "Content-Type"];

/// Headers by canonical name, as both messages carry them.
pub type Headers = BTreeMap<String, Header>;

/// Builds a request payload. Of `headers` only those pass whose canonical name is in
/// [`ALLOWED_REQUEST_HEADERS`] or `also_allowed` (canonical names). `url` is a full URL; miners use its path and query.
pub fn build_request<'a>(
    method: &str,
    url: &str,
    headers: impl IntoIterator<Item = (&'a str, &'a str)>,
    also_allowed: &[&str],
    body: Bytes,
) -> Bytes {
    let allowed =
        |name: &str| ALLOWED_REQUEST_HEADERS.contains(&name) || also_allowed.contains(&name);
    let mut header = collect_headers(headers);
    header.retain(|name, _| allowed(name));
    let request = PoktHttpRequest {
        method: method.to_owned(),
        header,
        url: url.to_owned(),
        body_bz: body,
    };
    request.encode_to_vec().into()
}

/// Reads a request payload.
///
/// # Errors
/// [`ProtocolError::Decode`].
pub fn parse_request(payload: &[u8]) -> Result<PoktHttpRequest, ProtocolError> {
    PoktHttpRequest::decode(payload).map_err(|error| decode_error("POKTHTTPRequest", &error))
}

/// Builds a response payload. All headers given are taken; which ones may leave is the supplier's decision.
pub fn build_response<'a>(
    status: u16,
    headers: impl IntoIterator<Item = (&'a str, &'a str)>,
    body: Bytes,
) -> Bytes {
    encode_response(status.into(), collect_headers(headers), body)
}

/// Reads a response payload.
///
/// # Errors
/// [`ProtocolError::Decode`].
pub fn parse_response(payload: &[u8]) -> Result<PoktHttpResponse, ProtocolError> {
    PoktHttpResponse::decode(payload).map_err(|error| decode_error("POKTHTTPResponse", &error))
}

/// The payload of a response in parts.
pub(crate) fn encode_response(status_code: u32, header: Headers, body_bz: Bytes) -> Bytes {
    PoktHttpResponse {
        status_code,
        header,
        body_bz,
    }
    .encode_to_vec()
    .into()
}

/// First value of a header, by any spelling of its name.
pub fn header_value<'a>(headers: &'a Headers, name: &str) -> Option<&'a str> {
    let values = &headers.get(&canonical_header_name(name))?.values;
    values.first().map(String::as_str)
}

/// Headers by canonical name; values of the same name keep their order.
pub fn collect_headers<'a>(headers: impl IntoIterator<Item = (&'a str, &'a str)>) -> Headers {
    let mut collected = Headers::new();
    for (name, value) in headers {
        let key = canonical_header_name(name);
        let header = collected.entry(key.clone()).or_insert_with(|| Header {
            key,
            values: Vec::new(),
        });
        header.values.push(value.to_owned());
    }
    collected
}

/// Go's canonical form: upper case at the start and after each hyphen, lower case elsewhere. A name with a character
/// that no header name may have stays as it is.
pub fn canonical_header_name(name: &str) -> String {
    if name.is_empty() || !name.bytes().all(is_token) {
        return name.to_owned();
    }
    let mut upper = true;
    name.chars()
        .map(|char| {
            let cased = if upper {
                char.to_ascii_uppercase()
            } else {
                char.to_ascii_lowercase()
            };
            upper = char == '-';
            cased
        })
        .collect()
}

/// A character of RFC 9110's `token`.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_take_gos_form() {
        for (name, expected) in [
            ("content-type", "Content-Type"),
            ("CONTENT-TYPE", "Content-Type"),
            ("x--y", "X--Y"),
            ("wWW-authenticate", "Www-Authenticate"),
            ("a b", "a b"),
            ("é", "é"),
            ("", ""),
        ] {
            assert_eq!(canonical_header_name(name), expected);
        }
    }

    #[test]
    fn a_request_takes_no_secret_along() {
        let headers = [
            ("authorization", "Bearer canary"),
            ("accept", "text/event-stream"),
            ("cookie", "canary"),
            ("CONTENT-type", "application/json"),
            ("x-wanted", "1"),
            ("x-api-key", "canary"),
        ];
        let url = "http://m/v1/chat/completions";
        let payload = build_request(
            "POST",
            url,
            headers,
            &["X-Wanted"],
            Bytes::from_static(b"{}"),
        );
        let request = parse_request(&payload).unwrap();
        let names: Vec<&str> = request.header.keys().map(String::as_str).collect();
        assert_eq!(names, ["Accept", "Content-Type", "X-Wanted"]);
        assert!(!payload.windows(6).any(|window| window == b"canary"));
        assert_eq!(
            header_value(&request.header, "content-type"),
            Some("application/json")
        );
    }

    #[test]
    fn a_response_is_the_same_bytes_in_any_header_order() {
        let one = build_response(
            200,
            [("b", "1"), ("a", "2"), ("B", "3")],
            Bytes::from_static(b"x"),
        );
        let two = build_response(
            200,
            [("A", "2"), ("b", "1"), ("b", "3")],
            Bytes::from_static(b"x"),
        );
        assert_eq!(one, two);
        let parsed = parse_response(&one).unwrap();
        assert_eq!(parsed.status_code, 200);
        assert_eq!(parsed.header.get("B").unwrap().values, ["1", "3"]);
    }
}
