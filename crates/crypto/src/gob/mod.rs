//! The bytes of a proof on chain: a Go `encoding/gob` stream of its compact form (relay-protocol.md
//! §5.5).
//!
//! [`encode_proof`] writes exactly what the reference writes in a process that used gob for nothing
//! else. [`decode_proof`] reads what any Go process may write: definitions in any order, any type
//! ids, fields matched by name, unknown fields skipped. It never panics and its memory and time are
//! bounded by the length of the stream.
//!
//! Gob in short. A stream is messages, each with its length in front. A message begins with a
//! signed type id: negative for a definition, positive for a value. Unsigned numbers below 128 take
//! one byte; others the negated number of bytes, then big-endian bytes. Signed ones put the sign
//! into the lowest bit. A struct is pairs of (field number less the one before, value), ended by
//! zero; zero values are left out. Byte strings and lists begin with their length.

mod decode;
mod encode;
mod reader;
#[cfg(test)]
mod tests;
mod types;

pub use self::decode::decode_proof;
pub use self::encode::encode_proof;

/// Built-in type ids.
mod builtin {
    pub(super) const BOOL: i64 = 1;
    pub(super) const INT: i64 = 2;
    pub(super) const UINT: i64 = 3;
    pub(super) const FLOAT: i64 = 4;
    pub(super) const BYTES: i64 = 5;
    pub(super) const STRING: i64 = 6;
    pub(super) const COMPLEX: i64 = 7;
    pub(super) const INTERFACE: i64 = 8;
    /// Ids below are Go's own.
    pub(super) const FIRST_USER: i64 = 64;
}

/// Names of the fields of the outer struct, in Go's order.
const OUTER_FIELDS: [&str; 6] = [
    "Path",
    "FlippedBits",
    "Depth",
    "ClosestPath",
    "ClosestValueHash",
    "ClosestProof",
];

/// Names of the fields of the inner struct, in Go's order.
const INNER_FIELDS: [&str; 5] = [
    "SideNodes",
    "NonMembershipLeafData",
    "BitMask",
    "NumSideNodes",
    "SiblingData",
];
