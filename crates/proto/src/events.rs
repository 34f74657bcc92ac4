//! Typed events: a message as the ABCI event that the Cosmos SDK makes of it (chain specification 0.2).

use prost::{Message, Name};

use crate::{ProtoError, json};

/// Type and attributes of the event of `message`: one attribute a field, its value the field's JSON, sorted by key.
///
/// # Errors
/// Only for types outside this crate's descriptors.
pub fn typed<M: Message + Name>(message: &M) -> Result<TypedEvent, ProtoError> {
    attributes_of(&M::full_name(), &message.encode_to_vec())
}

/// The same from a type name and encoded bytes.
///
/// # Errors
/// For unknown types and bytes that are not an encoding of the type.
pub fn attributes_of(full_name: &str, bytes: &[u8]) -> Result<TypedEvent, ProtoError> {
    let message = json::decode_dynamic(full_name, bytes)?;
    let mut attributes = json::fields(&message);
    attributes.sort();
    Ok(TypedEvent {
        kind: full_name.to_owned(),
        attributes,
    })
}

/// An event ready to be put into an ABCI response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypedEvent {
    /// Full protobuf name without leading slash.
    pub kind: String,
    /// Key (the field's name) and value (its JSON), sorted by key.
    pub attributes: Vec<(String, String)>,
}
