//! Messages of the SDK's modules as bytes: their signers, checks and handlers, from one list.

use crypto::keys::{Address, VALOPER_PREFIX};

use crate::error::TxError;
use crate::sdk;

/// Implements `check`, `signers` and `execute` of a module: message type, who signs, what is checked without state, and
/// what executes it and gives its response.
macro_rules! handlers {
    ( $( $type:ty: signer $signer:expr, check $check:path, execute $execute:path; )+ ) => {
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

        /// The account that must sign a message; `None` for a type of another module.
        pub fn signers(
            type_name: &str,
            value: &[u8],
        ) -> Option<Result<Vec<String>, $crate::error::TxError>> {
            $( if type_name == <$type as prost::Name>::full_name() {
                let signer: fn(&$type) -> Result<String, $crate::error::TxError> = $signer;
                return Some($crate::modules::shared::message::decode::<$type>(value)
                    .and_then(|message| signer(&message))
                    .map(|signer| vec![signer]));
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
                    .and_then(|message| $execute(ctx, &message))
                    .map(|response| prost::Message::encode_to_vec(&response)));
            } )+
            None
        }
    };
}
pub(crate) use handlers;

/// A message that nothing is checked of before it runs.
pub(crate) fn unchecked<M>(_message: &M) -> Result<(), TxError> {
    Ok(())
}

/// The account of an operator, which signs what the operator says.
pub(crate) fn account_of_operator(text: &str) -> Result<String, TxError> {
    Address::from_bech32_with(VALOPER_PREFIX, text)
        .map(|address| address.to_bech32())
        .map_err(|error| TxError::sdk(sdk::TX_PARSE, format!("{error}: tx parse error")))
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
    TxError::sdk(sdk::PANIC, format!("recovered: {field} is not set: panic"))
}
