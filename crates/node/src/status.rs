//! How a call over gRPC or REST fails: a gRPC status, and the height that the state was read at, if it was.
//!
//! A height that cannot be read is refused before any handler runs; such an answer carries no height, and its text has
//! the form of the SDK's registered errors (chain specification 10).

use chain::{GrpcCode, QueryError, sdk};
use http::{HeaderMap, HeaderName};

/// Metadata key of the height, both ways.
pub const HEIGHT: HeaderName = HeaderName::from_static("x-cosmos-block-height");

/// gRPC's status of an error without one.
pub(crate) const UNKNOWN: i32 = 2;
/// gRPC's status of a request that makes no sense.
pub(crate) const INVALID_ARGUMENT: i32 = 3;
/// gRPC's status of a thing that is not there.
pub(crate) const NOT_FOUND: i32 = 5;
/// gRPC's status of a message that is too long.
pub(crate) const RESOURCE_EXHAUSTED: i32 = 8;
/// gRPC's own status of a method or an encoding that is not there.
pub(crate) const UNIMPLEMENTED: i32 = 12;
/// gRPC's status of a stream that broke.
pub(crate) const INTERNAL: i32 = 13;

/// How grpc-go begins the refusal of bytes that are not the request.
const UNREADABLE: &str = "grpc: error unmarshalling request";

/// A status that is not OK.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// gRPC's number.
    pub code: i32,
    /// Text.
    pub message: String,
    /// Height that is told along; none when the call did not get as far as a state.
    pub height: Option<i64>,
}

impl Status {
    /// A failure before any state was read.
    pub(crate) fn early(code: i32, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            height: None,
        }
    }

    /// What a method's failure is on the wire. `answered` is the height of an answer to this call.
    pub(crate) fn of(error: QueryError, path: &str, answered: i64) -> Self {
        match of_height(&error) {
            Some(text) => refused_height(error.code, text),
            None if error.grpc == GrpcCode::Unimplemented => unknown_method(path),
            // A request that cannot be read gets as far as no state.
            None if error.message.starts_with(UNREADABLE) => Self::early(INTERNAL, error.message),
            None => Self {
                code: error.grpc as i32,
                message: error.message,
                height: Some(answered),
            },
        }
    }
}

/// A method that nobody has, in grpc-go's words.
fn unknown_method(path: &str) -> Status {
    let mut parts = path.trim_start_matches('/').splitn(2, '/');
    let service = parts.next().unwrap_or_default();
    let known = proto::descriptor_pool().get_service_by_name(service);
    let message = match (known, parts.next()) {
        (Some(_), Some(method)) => format!("unknown method {method} for service {service}"),
        _ => format!("unknown service {service}"),
    };
    Status::early(UNIMPLEMENTED, message)
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
                .filter(|(_, end)| end.starts_with("invalid ") || *end == "not found");
            end.map_or(error.message.as_str(), |(text, _)| text)
        })
}

/// A refused height is answered without one, in the form of the SDK's registered errors.
fn refused_height(code: u32, text: &str) -> Status {
    let kind = match code {
        sdk::INVALID_HEIGHT => "invalid height",
        sdk::NOT_FOUND => "not found",
        _ => "invalid request",
    };
    Status::early(
        UNKNOWN,
        format!("codespace sdk code {code}: {kind}: {text}"),
    )
}

/// The height in the metadata; `None` for the latest.
///
/// # Errors
/// The reference's refusal of text that is no height.
pub(crate) fn asked_height(headers: &HeaderMap) -> Result<Option<i64>, Status> {
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
    Ok(Some(height).filter(|height| *height > 0))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn heights_are_read_as_the_reference_does() {
        let with = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(HEIGHT, HeaderValue::from_str(value).unwrap());
            asked_height(&headers)
        };
        assert_eq!(asked_height(&HeaderMap::new()), Ok(None));
        assert_eq!(with("7"), Ok(Some(7)));
        assert_eq!(with("0"), Ok(None));
        assert_eq!(
            with("-1").unwrap_err().message,
            "codespace sdk code 18: invalid request: cannot query with height < 0; please provide a valid height"
        );
        let future = QueryError::from(chain::error::HeightError::Future);
        assert_eq!(
            Status::of(future, "/a.B/C", 7),
            Status::early(
                UNKNOWN,
                "codespace sdk code 26: invalid height: cannot query with height in the future; please provide a \
                 valid height"
            )
        );
        let text = with("x").unwrap_err().message;
        assert!(text.ends_with("parsing \"x\": invalid syntax"), "{text}");
    }

    #[test]
    fn what_is_not_there_is_named() {
        let unknown = |path: &str| {
            let error = QueryError::status(GrpcCode::Unimplemented, "unknown query path");
            Status::of(error, path, 7).message
        };
        assert_eq!(
            unknown("/pocket.nosuch.Query/Params"),
            "unknown service pocket.nosuch.Query"
        );
        let text = "unknown method Nothing for service pocket.shared.Query";
        assert_eq!(unknown("/pocket.shared.Query/Nothing"), text);
    }
}
