//! The module `proof`.

use proto::pocket::proof::GenesisState;

use crate::context::Context;
use crate::error::{ChainError, GenesisError, QueryError, TxError};

/// Loads the module's section of a genesis document.
///
/// # Errors
/// Names the field that is wrong.
pub fn init_genesis(_ctx: &mut Context, _state: GenesisState) -> Result<(), GenesisError> {
    Ok(())
}

/// The module's section of an exported document.
///
/// # Errors
/// When the store fails.
pub fn export_genesis(_ctx: &Context) -> Result<GenesisState, ChainError> {
    Ok(GenesisState::default())
}

/// Executes a message of this module; the answer is the encoded response. `None` for other types.
pub fn execute(
    _ctx: &mut Context,
    _type_name: &str,
    _value: &[u8],
) -> Option<Result<Vec<u8>, TxError>> {
    None
}

/// Checks a message without state. `None` for other types.
pub fn check(_type_name: &str, _value: &[u8]) -> Option<Result<(), TxError>> {
    None
}

/// The addresses that must sign a message, as written in it. `None` for other types.
pub fn signers(_type_name: &str, _value: &[u8]) -> Option<Result<Vec<String>, TxError>> {
    None
}

/// Answers a method of the module's query service. `None` for methods it does not have.
pub fn query(_ctx: &Context, _method: &str, _data: &[u8]) -> Option<Result<Vec<u8>, QueryError>> {
    None
}

/// Runs before the transactions of a block.
///
/// # Errors
/// When the store fails; the node stops.
pub fn begin_block(_ctx: &mut Context) -> Result<(), ChainError> {
    Ok(())
}

/// Runs after the transactions of a block.
///
/// # Errors
/// When the store fails; the node stops.
pub fn end_block(_ctx: &mut Context) -> Result<(), ChainError> {
    Ok(())
}
