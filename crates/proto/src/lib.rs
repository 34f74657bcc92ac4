//! Wire types of `pocket.*`, `cosmos.*`, `sdk.types` and our own package, and their JSON forms.
//!
//! The `.proto` files under `proto/` are ours, written from the field tables of the specifications. Encoding is what
//! the reference's gogoproto does: ascending field numbers, defaults omitted, and a message field marked
//! `(gogoproto.nullable) = false` always written. A change of any wire format changes [`DESCRIPTOR_SHA256`], which a
//! test compares, so that it is always a visible act.
//!
//! Start with the generated modules ([`pocket`], [`cosmos`], [`sdk`]), then [`json`] and [`events`].

#![cfg_attr(not(test), deny(clippy::unwrap_used))]

use std::sync::OnceLock;

use prost_reflect::DescriptorPool;

pub mod amino;
pub mod any;
pub mod decimal;
pub mod events;
pub mod json;
pub mod numbers;
pub mod time;
pub mod unknown;

/// Generated code; its documentation is the specification's field tables.
#[allow(missing_docs, clippy::all, rustdoc::all, unreachable_pub)]
mod generated {
    include!(concat!(env!("OUT_DIR"), "/mod.rs"));
}

pub use generated::{cosmos, pocket, sdk};
pub use tendermint_proto::v0_38 as tendermint;

/// SHA-256 of the encoded descriptor set, lower-case hex. It changes exactly when a wire format changes.
pub const DESCRIPTOR_SHA256: &str =
    "873ca4d6284e12be2a0e6fba76a9a9165c0c9798e2878a7ff72481d0a8629431";

/// The encoded `FileDescriptorSet` of everything in this crate, imports included.
pub static DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

/// The descriptors of every message, for JSON, reflection and checks of unknown fields.
pub fn descriptor_pool() -> &'static DescriptorPool {
    static POOL: OnceLock<DescriptorPool> = OnceLock::new();
    POOL.get_or_init(|| {
        DescriptorPool::decode(DESCRIPTOR_SET)
            .expect("the set was encoded by our own build script in this very build")
    })
}

/// Why a message cannot be turned into another form.
#[derive(Debug, thiserror::Error)]
pub enum ProtoError {
    /// No message of this name is known.
    #[error("unknown message type `{0}`")]
    UnknownType(String),
    /// The bytes are not an encoding of the type.
    #[error("{type_name}: {source}")]
    Decode {
        /// Full protobuf name.
        type_name: String,
        /// What the decoder said.
        source: prost::DecodeError,
    },
    /// A field that the type does not have, where unknown fields are refused.
    #[error("{type_name}: unknown field {field}")]
    UnknownField {
        /// Full protobuf name.
        type_name: String,
        /// Field number or JSON key, with the path to it.
        field: String,
    },
    /// JSON that does not fit the type.
    #[error("{path}: {reason}")]
    Json {
        /// Path of the value, dot-separated from the root.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A number held as text that is none.
    #[error("{field}: {reason}")]
    Number {
        /// Full name of the field.
        field: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// An `Any` holds another type than expected.
    #[error("expected an Any of `{expected}`, found `{found}`")]
    WrongAny {
        /// Expected type URL.
        expected: String,
        /// Type URL in the message.
        found: String,
    },
}
