//! Params: the window in which validators must sign, and what it costs not to.

use proto::cosmos::slashing::v1beta1::Params;

use super::keys;
use crate::context::Context;
use crate::decimal::Dec;
use crate::error::{ChainError, TxError};
use crate::staking::params::{duration_nanos, fraction};

/// Params; the SDK's while there are none.
///
/// # Errors
/// When the store fails.
pub fn params(ctx: &Context) -> Result<Params, ChainError> {
    Ok(ctx.load(keys::PARAMS)?.unwrap_or_else(default_params))
}

/// The SDK's defaults: half of 100 blocks, ten minutes of jail, 5 % for a double signature, 1 % for downtime.
pub fn default_params() -> Params {
    let bytes = |places: i64| Dec::from_places(places).to_wire().into_bytes().into();
    Params {
        signed_blocks_window: 100,
        min_signed_per_window: bytes(500_000_000_000_000_000),
        downtime_jail_duration: prost_types::Duration {
            seconds: 600,
            nanos: 0,
        },
        slash_fraction_double_sign: bytes(50_000_000_000_000_000),
        slash_fraction_downtime: bytes(10_000_000_000_000_000),
    }
}

pub(super) fn save(ctx: &mut Context, params: &Params) {
    ctx.save(keys::PARAMS.to_vec(), params);
}

/// A decimal that is held as bytes of text.
pub(super) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// How many blocks of the window must be signed.
pub(super) fn min_signed(params: &Params) -> Result<i64, ChainError> {
    let part = Dec::from_wire(&text(&params.min_signed_per_window))?;
    part.mul_int(params.signed_blocks_window)?.round()
}

/// Refuses params that the reference refuses, in its words.
///
/// # Errors
/// `undefined` 1.
pub(super) fn validate(params: &Params) -> Result<(), TxError> {
    let window = params.signed_blocks_window;
    if window <= 0 {
        let text = format!("signed blocks window must be positive: {window}");
        return Err(TxError::undefined(text));
    }
    let part = text(&params.min_signed_per_window);
    fraction("min signed per window", &part, false)?;
    let jail = duration_nanos(&params.downtime_jail_duration);
    if jail <= 0 {
        let text = format!("downtime jail duration must be positive: {jail}ns");
        return Err(TxError::undefined(text));
    }
    let part = text(&params.slash_fraction_double_sign);
    fraction("double sign slash fraction", &part, false)?;
    let part = text(&params.slash_fraction_downtime);
    fraction("downtime slash fraction", &part, false)
}
