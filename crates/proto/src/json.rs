//! Proto-JSON as gogoproto's jsonpb writes it: original field names, defaults emitted, 64-bit integers quoted
//! (chain specification 0.2). Decimals show their point.
//!
//! Writing goes over the descriptors in declaration order, which is what the reference prints and what clients parse.
//! Reading is strict: an unknown key is an error that names its path.

use prost::{Message, Name};
use prost_reflect::{
    Cardinality, DynamicMessage, FieldDescriptor, Kind, MapKey, MessageDescriptor, ReflectMessage,
    Value,
};

use crate::{ProtoError, descriptor_pool};

pub(crate) mod options;
mod read;
mod write;

/// The JSON of a message of this crate.
///
/// # Errors
/// Only for types outside this crate's descriptors.
pub fn to_json<M: Message + Name>(message: &M) -> Result<String, ProtoError> {
    bytes_to_json(&M::full_name(), &message.encode_to_vec())
}

/// The JSON of an encoded message.
///
/// # Errors
/// For unknown types and bytes that are not an encoding of the type.
pub fn bytes_to_json(full_name: &str, bytes: &[u8]) -> Result<String, ProtoError> {
    let mut out = String::new();
    write::message(&mut out, &decode_dynamic(full_name, bytes)?);
    Ok(out)
}

/// Reads a message from JSON; every key must be a field of it.
///
/// # Errors
/// [`ProtoError::UnknownField`] and [`ProtoError::Json`] with the path of the culprit.
pub fn from_json<M: Message + Name + Default>(json: &serde_json::Value) -> Result<M, ProtoError> {
    let bytes = json_to_bytes(&M::full_name(), json)?;
    M::decode(bytes.as_slice()).map_err(|source| ProtoError::Decode {
        type_name: M::full_name(),
        source,
    })
}

/// Reads JSON into the encoding of the named type.
///
/// # Errors
/// As [`from_json`].
pub fn json_to_bytes(full_name: &str, json: &serde_json::Value) -> Result<Vec<u8>, ProtoError> {
    Ok(read::message(&descriptor(full_name)?, json, "")?.encode_to_vec())
}

/// Decodes bytes by descriptor.
///
/// # Errors
/// For unknown types and bytes that are not an encoding of the type.
pub fn decode_dynamic(full_name: &str, bytes: &[u8]) -> Result<DynamicMessage, ProtoError> {
    DynamicMessage::decode(descriptor(full_name)?, bytes).map_err(|source| ProtoError::Decode {
        type_name: full_name.to_owned(),
        source,
    })
}

/// Appends a string as Go's encoder writes it, quotes included.
pub fn write_string(out: &mut String, text: &str) {
    write::string(out, text);
}

/// Top-level fields in declaration order: name and JSON.
pub(crate) fn fields(message: &DynamicMessage) -> Vec<(String, String)> {
    let mut out = Vec::new();
    for field in declared(&message.descriptor()) {
        if let Some(json) = write::field(message, &field) {
            out.push((field.name().to_owned(), json));
        }
    }
    out
}

fn descriptor(full_name: &str) -> Result<MessageDescriptor, ProtoError> {
    descriptor_pool()
        .get_message_by_name(full_name)
        .ok_or_else(|| ProtoError::UnknownType(full_name.to_owned()))
}

/// Fields in the order of the `.proto` file, which is not always that of their numbers.
fn declared(descriptor: &MessageDescriptor) -> Vec<FieldDescriptor> {
    let written = &descriptor.descriptor_proto().field;
    let number = |raw: i32| u32::try_from(raw).ok();
    written
        .iter()
        .filter_map(|field| descriptor.get_field(number(field.number())?))
        .collect()
}

/// Whether the reference encodes and prints this message field even when it is unset.
fn always_present(field: &FieldDescriptor) -> bool {
    options::form(field).always
}

#[cfg(test)]
mod tests;
