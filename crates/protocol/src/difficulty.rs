//! Relay-mining difficulty: which relays count, for how much, and how the target follows the load (relay-protocol
//! §4.2, §4.4, §4.5, chain §4).

use num_bigint::BigUint;

use crate::big;
use crate::decimal::Ratio;
use crate::error::ProtocolError;

/// The target under which (nearly) every relay counts: 2^256 - 1. It holds where no record exists.
pub const BASE_TARGET: [u8; 32] = [0xff; 32];

/// Whether a relay counts: its hash, as a big-endian number, is strictly below the target.
pub fn applicable(relay_hash: &[u8; 32], target: &[u8; 32]) -> bool {
    relay_hash < target
}

/// The target of a difficulty record, which must be 32 bytes.
///
/// # Errors
/// [`ProtocolError::TargetLength`].
pub fn target(target_hash: &[u8]) -> Result<[u8; 32], ProtocolError> {
    target_hash
        .try_into()
        .map_err(|_| ProtocolError::TargetLength(target_hash.len()))
}

/// How many relays one mined relay stands for: base / target, exactly.
///
/// # Errors
/// [`ProtocolError::ZeroDivisor`] for a target of 0.
pub fn multiplier(target_hash: &[u8]) -> Result<Ratio, ProtocolError> {
    Ratio::new(
        BigUint::from_bytes_be(&BASE_TARGET),
        BigUint::from_bytes_be(target_hash),
    )
}

/// The chance of a relay to count: target / base, exactly.
pub fn probability(target_hash: &[u8]) -> Result<Ratio, ProtocolError> {
    Ratio::new(
        BigUint::from_bytes_be(target_hash),
        BigUint::from_bytes_be(&BASE_TARGET),
    )
}

/// `floor(hash * ratio)`, padded with zeros on the left to the length of `hash`; longer if it does not fit.
pub fn scale(hash: &[u8], ratio: &Ratio) -> Vec<u8> {
    let over = big::product(&BigUint::from_bytes_be(hash), ratio.numerator());
    let scaled = big::floor(&over, ratio.denominator());
    let digits = scaled.to_bytes_be();
    let mut padded = vec![0; hash.len().saturating_sub(digits.len())];
    padded.extend_from_slice(&digits);
    padded
}

/// The target for a load of `relays_ema` relays a session, so that about `target_num_relays` of them count. Always
/// scaled from the base target, so that the result does not depend on history.
///
/// # Errors
/// [`ProtocolError::ParameterRange`] as [`scaled_target`].
pub fn new_target(relays_ema: u64, target_num_relays: u64) -> Result<[u8; 32], ProtocolError> {
    scaled_target(&BASE_TARGET, relays_ema, target_num_relays)
}

/// `floor(from * target_num_relays / relays_ema)`, the base target if that is more than 32 bytes, and `from` itself if
/// the two numbers are equal. A load of 0 gives the base target (the reference divides by zero).
///
/// # Errors
/// [`ProtocolError::ParameterRange`] for a target number of 0, under which no relay would ever count, or above
/// 2^63 - 1, which the reference reads as negative.
pub fn scaled_target(
    from: &[u8; 32],
    relays_ema: u64,
    target_num_relays: u64,
) -> Result<[u8; 32], ProtocolError> {
    if target_num_relays == 0 || i64::try_from(target_num_relays).is_err() {
        let (name, value) = ("target_num_relays", target_num_relays);
        return Err(ProtocolError::ParameterRange { name, value });
    }
    if relays_ema == 0 {
        return Ok(BASE_TARGET);
    }
    if relays_ema == target_num_relays {
        return Ok(*from);
    }
    let scaled = scale(from, &Ratio::new(target_num_relays, relays_ema)?);
    Ok(target(&scaled).unwrap_or(BASE_TARGET))
}

/// The double 0.1 is this number over 2^55.
const ALPHA: u128 = 3_602_879_701_896_397;
/// One minus it, exactly.
const ONE_MINUS_ALPHA: u128 = (1 << SCALE_BITS) - ALPHA;
const SCALE_BITS: u32 = 55;

/// The moving average after `current` relays: `floor(0.1 * current + 0.9 * previous)` in binary floating point with a
/// 64-bit mantissa, as the reference's big floats compute it (trap T25).
pub fn ema(previous: u64, current: u64) -> u64 {
    // Both products stay below 2^119 and the sum of their rounded values below 2^120.
    let of_current = round_to_64_bits(ALPHA.saturating_mul(u128::from(current)));
    let of_previous = round_to_64_bits(ONE_MINUS_ALPHA.saturating_mul(u128::from(previous)));
    let sum = round_to_64_bits(of_current.saturating_add(of_previous));
    u64::try_from(sum >> SCALE_BITS).unwrap_or(u64::MAX)
}

/// The nearest number with 64 significant bits, ties to even.
fn round_to_64_bits(value: u128) -> u128 {
    let excess = u128::BITS
        .saturating_sub(value.leading_zeros())
        .saturating_sub(64);
    let Some(half) = excess
        .checked_sub(1)
        .and_then(|shift| 1u128.checked_shl(shift))
    else {
        return value;
    };
    let kept = value >> excess;
    let dropped = value & (half | half.saturating_sub(1));
    let up = dropped > half || (dropped == half && kept & 1 == 1);
    kept.saturating_add(u128::from(up)) << excess
}
