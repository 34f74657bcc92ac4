//! Params: the unbonding time, how many validators there are, in what they stake.

use proto::cosmos::staking::v1beta1::Params;

use super::keys;
use crate::bank::{UPOKT, valid_denom};
use crate::context::Context;
use crate::decimal::Dec;
use crate::error::{ChainError, TxError};

/// Params; those of the SDK with our denomination while there are none.
///
/// # Errors
/// When the store fails.
pub fn params(ctx: &Context) -> Result<Params, ChainError> {
    Ok(ctx.load(keys::PARAMS)?.unwrap_or_else(default_params))
}

/// The SDK's defaults, staked in upokt: three weeks, 100 validators.
pub fn default_params() -> Params {
    Params {
        unbonding_time: prost_types::Duration {
            seconds: 3 * 7 * 24 * 3_600,
            nanos: 0,
        },
        max_validators: 100,
        max_entries: 7,
        historical_entries: 10_000,
        bond_denom: UPOKT.to_owned(),
        min_commission_rate: Dec::zero().to_wire(),
    }
}

/// Stores params.
pub(super) fn save(ctx: &mut Context, params: &Params) {
    ctx.save(keys::PARAMS.to_vec(), params);
}

/// The least rate of commission.
pub(super) fn min_commission_rate(ctx: &Context) -> Result<Dec, ChainError> {
    Dec::from_wire(&params(ctx)?.min_commission_rate)
}

/// How long unbonding takes, in nanoseconds.
pub(super) fn unbonding_nanos(params: &Params) -> i128 {
    duration_nanos(&params.unbonding_time)
}

/// A duration in nanoseconds.
pub(crate) fn duration_nanos(duration: &prost_types::Duration) -> i128 {
    i128::from(duration.seconds)
        .saturating_mul(1_000_000_000)
        .saturating_add(i128::from(duration.nanos))
}

/// Refuses params that the reference refuses; the first part that is wrong, in its words.
///
/// # Errors
/// `undefined` 1.
pub(super) fn validate(params: &Params) -> Result<(), TxError> {
    let refuse = |text: String| Err(TxError::undefined(text));
    let nanos = unbonding_nanos(params);
    if nanos <= 0 {
        return refuse(format!("unbonding time must be positive: {nanos}"));
    }
    if params.max_validators == 0 {
        return refuse("max validators must be positive: 0".to_owned());
    }
    if params.max_entries == 0 {
        return refuse("max entries must be positive: 0".to_owned());
    }
    if params.bond_denom.trim().is_empty() {
        return refuse("bond denom cannot be blank".to_owned());
    }
    if !valid_denom(&params.bond_denom) {
        return refuse(format!("invalid denom: {}", params.bond_denom));
    }
    fraction("minimum commission rate", &params.min_commission_rate, true)
}

/// Refuses what is no part of a whole: `{name} cannot be negative`, and so on.
///
/// # Errors
/// `undefined` 1.
pub(crate) fn fraction(name: &str, wire: &str, of_hundred: bool) -> Result<(), TxError> {
    let refuse = |text: String| Err(TxError::undefined(text));
    let value = match Dec::read_wire(wire) {
        Some(Some(value)) => value,
        Some(None) => return refuse(format!("{name} cannot be nil: <nil>")),
        None => return refuse(format!("{name} is no number: {wire}")),
    };
    if value.is_negative() {
        return refuse(format!("{name} cannot be negative: {value}"));
    }
    if value > Dec::one() {
        return if of_hundred {
            refuse(format!("{name} cannot be greater than 100%: {value}"))
        } else {
            refuse(format!("{name} too large: {value}"))
        };
    }
    Ok(())
}
