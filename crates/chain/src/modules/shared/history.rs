//! Values by the height from which they count: a table whose keys end with a big-endian height.

use std::ops::Bound;

use prost::Message;

use super::keys;
use crate::context::Context;
use crate::error::ChainError;

/// The entry of `table` with the largest height that is not above `height`.
///
/// # Errors
/// When the store fails or an entry cannot be read.
pub(crate) fn newest_at<M: Message + Default>(
    ctx: &Context<'_>,
    table: &[u8],
    height: i64,
) -> Result<Option<M>, ChainError> {
    if height < 0 {
        return Ok(None);
    }
    let mut from = table.to_vec();
    keys::height(&mut from, height);
    let found = ctx.scan(table, Bound::Included(&from), true, 1)?;
    found
        .first()
        .map(|(key, value)| decode(key, value))
        .transpose()
}

/// The entry of `table` with the largest height of all.
///
/// # Errors
/// As [`newest_at`].
pub(crate) fn newest<M: Message + Default>(
    ctx: &Context<'_>,
    table: &[u8],
) -> Result<Option<M>, ChainError> {
    newest_at(ctx, table, i64::MAX)
}

/// Whether the table has no entry.
///
/// # Errors
/// When the store fails.
pub(crate) fn is_empty(ctx: &Context<'_>, table: &[u8]) -> Result<bool, ChainError> {
    Ok(ctx.scan(table, Bound::Unbounded, false, 1)?.is_empty())
}

/// All entries of a table in key order.
///
/// # Errors
/// As [`newest_at`].
pub(crate) fn all<M: Message + Default>(
    ctx: &Context<'_>,
    table: &[u8],
) -> Result<Vec<M>, ChainError> {
    ctx.iter(table)
        .map(|pair| pair.and_then(|(key, value)| decode(&key, &value)))
        .collect()
}

/// Decodes a stored value.
///
/// # Errors
/// [`ChainError::Corrupt`] when the bytes are not the message.
pub(crate) fn decode<M: Message + Default>(key: &[u8], value: &[u8]) -> Result<M, ChainError> {
    M::decode(value).map_err(|error| ChainError::corrupt(hex::encode(key), error))
}
