//! Messages as bytes: their signers, checks and handlers, from one list a module.

use crypto::keys::{Address, VALOPER_PREFIX};
use prost::Message;

use crate::error::TxError;
use crate::modules::shared::address;
use crate::sdk;

/// Implements `check`, `signers` and `execute` of a module from one list: message type, who signs, what is checked without
/// state, and what executes the message and gives its response (`()` is the empty one).
///
/// Who signs: `signer FIELD`, the account that a field names; `operator FIELD`, the account of the validator operator that
/// a field names; `each FUNCTION`, all accounts that a function of the message gives.
macro_rules! messages {
    ( $( $type:ty: $how:ident $who:ident, check $check:path, execute $execute:path; )+ ) => {
        /// Checks a message without state; `None` for a type of another module.
        pub fn check(
            type_name: &str,
            value: &[u8],
        ) -> Option<Result<(), $crate::error::TxError>> {
            $( if type_name == <$type as prost::Name>::full_name() {
                return Some($crate::message::decode::<$type>(value)
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
                return Some($crate::message::decode::<$type>(value)
                    .and_then(|message| $crate::message::signers!(message, $how $who)));
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
                return Some($crate::message::decode::<$type>(value)
                    .and_then(|message| $execute(ctx, message))
                    .map(|response| $crate::message::answer(&response)));
            } )+
            None
        }
    };
}
pub(crate) use messages;

/// Who signs a message, in the words of [`messages!`].
macro_rules! signers {
    ($message:ident, signer $field:ident) => {
        Ok(vec![$message.$field])
    };
    ($message:ident, operator $field:ident) => {
        $crate::message::account_of_operator(&$message.$field).map(|account| vec![account])
    };
    ($message:ident, each $function:ident) => {
        Ok($function($message))
    };
}
pub(crate) use signers;

/// Decodes the message of a transaction.
///
/// # Errors
/// sdk 2 when the bytes are not the message.
pub(crate) fn decode<M: Message + Default>(value: &[u8]) -> Result<M, TxError> {
    M::decode(value)
        .map_err(|error| TxError::sdk(sdk::TX_PARSE, format!("{error}: tx parse error")))
}

/// Encodes the answer of a query, or the response of a message.
pub(crate) fn answer<M: Message>(message: &M) -> Vec<u8> {
    message.encode_to_vec()
}

/// A message that nothing is checked of before it runs.
pub(crate) fn unchecked<M>(_message: &M) -> Result<(), TxError> {
    Ok(())
}

/// The account of an operator, which signs what the operator says.
pub(crate) fn account_of_operator(text: &str) -> Result<String, TxError> {
    address::of_signer(VALOPER_PREFIX, text).map(|address| address.to_bech32())
}

/// An account address of a message.
///
/// # Errors
/// sdk 7 that names the part.
pub(crate) fn account(part: &str, text: &str) -> Result<Address, TxError> {
    Address::from_bech32(text).map_err(|error| invalid_address(part, &error))
}

/// An operator address of a message.
///
/// # Errors
/// sdk 7 that names the part.
pub(crate) fn operator(part: &str, text: &str) -> Result<Address, TxError> {
    Address::from_bech32_with(VALOPER_PREFIX, text).map_err(|error| invalid_address(part, &error))
}

fn invalid_address(part: &str, error: &crypto::Error) -> TxError {
    TxError::sdk(
        sdk::INVALID_ADDRESS,
        format!("invalid {part} address: {error}: invalid address"),
    )
}

/// What the reference makes of a number that a message leaves out: it panics, which costs the transaction.
pub(crate) fn unset_number(field: &str) -> TxError {
    TxError::panic(format_args!("{field} is not set"))
}
