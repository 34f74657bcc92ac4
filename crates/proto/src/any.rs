//! `google.protobuf.Any` as the Cosmos SDK uses it: type URLs are `/` and the full name.

use prost::{Message, Name};
use prost_types::Any;

use crate::ProtoError;

/// The type URL of a message, with the SDK's leading slash.
pub fn type_url<M: Name>() -> String {
    format!("/{}", M::full_name())
}

/// Wraps a message.
pub fn pack<M: Message + Name>(message: &M) -> Any {
    Any {
        type_url: type_url::<M>(),
        value: message.encode_to_vec(),
    }
}

/// Unwraps a message of a known type.
///
/// # Errors
/// [`ProtoError::WrongAny`] for another type, [`ProtoError::Decode`] for bytes that are no encoding of it.
pub fn unpack<M: Message + Name + Default>(any: &Any) -> Result<M, ProtoError> {
    if any.type_url != type_url::<M>() {
        return Err(ProtoError::WrongAny {
            expected: type_url::<M>(),
            found: any.type_url.clone(),
        });
    }
    M::decode(any.value.as_slice()).map_err(|source| ProtoError::Decode {
        type_name: M::full_name(),
        source,
    })
}

/// Whether a type URL is a slash and a name, the only form that the SDK resolves.
pub fn is_canonical(type_url: &str) -> bool {
    type_url
        .strip_prefix('/')
        .is_some_and(|name| !name.is_empty() && !name.contains('/'))
}

/// The full message name in a type URL: what follows the last slash.
pub fn type_name(type_url: &str) -> &str {
    type_url.rsplit('/').next().unwrap_or(type_url)
}
