//! Messages and queries as bytes.

use prost::Message;

use crate::error::TxError;
use crate::sdk;

/// Decodes the message of a transaction.
///
/// # Errors
/// sdk 2 when the bytes are not the message.
pub(crate) fn decode<M: Message + Default>(value: &[u8]) -> Result<M, TxError> {
    M::decode(value)
        .map_err(|error| TxError::sdk(sdk::TX_PARSE, format!("{error}: tx parse error")))
}

/// Encodes the answer of a query.
pub(crate) fn answer<M: Message>(message: &M) -> Vec<u8> {
    message.encode_to_vec()
}

/// Implements `check`, `signers` and `execute` of a module from one list: type name, message type, signer field, check,
/// execute.
macro_rules! messages {
    ( $( $type:ty: signer $signer:ident, check $check:path, execute $execute:path; )+ ) => {
        /// Checks a message without state; `None` for a type of another module.
        pub fn check(
            type_name: &str,
            value: &[u8],
        ) -> Option<Result<(), $crate::error::TxError>> {
            $( if type_name == <$type as prost::Name>::full_name() {
                return Some($crate::modules::shared::message::decode::<$type>(value)
                    .and_then(|message| $check(&message)));
            } )+
            None
        }

        /// The addresses that must sign a message; `None` for a type of another module.
        pub fn signers(
            type_name: &str,
            value: &[u8],
        ) -> Option<Result<Vec<String>, $crate::error::TxError>> {
            $( if type_name == <$type as prost::Name>::full_name() {
                return Some($crate::modules::shared::message::decode::<$type>(value)
                    .map(|message| vec![message.$signer]));
            } )+
            None
        }

        /// Executes a message and returns its encoded response, which is empty for every message of this module;
        /// `None` for a type of another module.
        pub fn execute(
            ctx: &mut $crate::context::Context<'_>,
            type_name: &str,
            value: &[u8],
        ) -> Option<Result<Vec<u8>, $crate::error::TxError>> {
            $( if type_name == <$type as prost::Name>::full_name() {
                return Some($crate::modules::shared::message::decode::<$type>(value)
                    .and_then(|message| $execute(ctx, message))
                    .map(|()| Vec::new()));
            } )+
            None
        }
    };
}
pub(crate) use messages;

/// Implements `check`, `signers` and `execute` of a module of the SDK from one list: message type, function that names the
/// signers of a message, stateless check, function that executes it and gives the encoded response.
macro_rules! sdk_messages {
    ( $( $type:ty: signers $signers:expr, check $check:expr, execute $execute:path; )+ ) => {
        /// Checks a message without state; `None` for a type of another module.
        pub fn check(
            type_name: &str,
            value: &[u8],
        ) -> Option<Result<(), $crate::error::TxError>> {
            $( if type_name == <$type as prost::Name>::full_name() {
                let check: fn(&$type) -> Result<(), $crate::error::TxError> = $check;
                return Some($crate::modules::shared::message::decode::<$type>(value)
                    .and_then(|message| check(&message)));
            } )+
            None
        }

        /// The addresses that must sign a message; `None` for a type of another module.
        pub fn signers(
            type_name: &str,
            value: &[u8],
        ) -> Option<Result<Vec<String>, $crate::error::TxError>> {
            $( if type_name == <$type as prost::Name>::full_name() {
                let signers: fn($type) -> Vec<String> = $signers;
                return Some($crate::modules::shared::message::decode::<$type>(value).map(signers));
            } )+
            None
        }

        /// Executes a message and gives its encoded response; `None` for a type of another module.
        pub fn execute(
            ctx: &mut $crate::context::Context<'_>,
            type_name: &str,
            value: &[u8],
        ) -> Option<Result<Vec<u8>, $crate::error::TxError>> {
            $( if type_name == <$type as prost::Name>::full_name() {
                return Some($crate::modules::shared::message::decode::<$type>(value)
                    .and_then(|message| $execute(ctx, &message)));
            } )+
            None
        }
    };
}
pub(crate) use sdk_messages;

pub(crate) use crate::message::unchecked;
