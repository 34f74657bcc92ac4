//! Decimals of 18 places with the reference's roundings, and coins in them.
//!
//! Every operation rounds exactly as the SDK's `LegacyDec` does, as what is left over decides who gets the last unit:
//! [`Dec::mul`] and [`Dec::quo`] round half to even, the others say what they do. A result beyond 2^256 is an error,
//! which costs a transaction what a panic costs it in the reference. The rewards of delegators are kept in
//! [`DecCoins`].

use std::cmp::Ordering;
use std::fmt;

use num_bigint::BigInt;
use num_integer::Integer as _;
use num_traits::{Signed as _, ToPrimitive as _, Zero as _};

use crate::error::ChainError;

mod coins;
#[cfg(test)]
mod tests;

pub use coins::DecCoins;

/// One, in units of the last place.
const ONE: u64 = 1_000_000_000_000_000_000;

/// A decimal of 18 places, of any sign.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Dec(BigInt);

impl Dec {
    /// 0.
    pub fn zero() -> Self {
        Self(BigInt::zero())
    }

    /// 1.
    pub fn one() -> Self {
        Self(BigInt::from(ONE))
    }

    /// A number of units of the last place.
    pub fn from_places(units: i64) -> Self {
        Self(BigInt::from(units))
    }

    /// A whole number.
    pub fn from_int(value: impl Into<BigInt>) -> Self {
        Self(times(&value.into(), &BigInt::from(ONE)))
    }

    /// Reads the form of the wire: the number times 10^18 as text. Empty text is 0, as the reference fills it in.
    ///
    /// # Errors
    /// [`ChainError::Corrupt`] for anything else.
    pub fn from_wire(text: &str) -> Result<Self, ChainError> {
        Self::read_wire(text)
            .map(Option::unwrap_or_default)
            .ok_or_else(|| ChainError::corrupt("decimal", format!("`{text}` is no number")))
    }

    /// Reads the form of the wire in a message: `Some(None)` when unset, `None` when it is no number.
    pub fn read_wire(text: &str) -> Option<Option<Self>> {
        if text.is_empty() {
            return Some(None);
        }
        let digits = text.strip_prefix('-').unwrap_or(text);
        // Nothing beyond the range has more digits, so that parsing stays cheap.
        let plausible = !digits.is_empty()
            && digits.len() <= 96
            && digits.bytes().all(|byte| byte.is_ascii_digit());
        let value = plausible.then(|| text.parse().ok()).flatten()?;
        Self(value).in_range().ok().map(Some)
    }

    /// The form of the wire.
    pub fn to_wire(&self) -> String {
        self.0.to_string()
    }

    /// Reads text with a point, as in JSON.
    pub fn from_text(text: &str) -> Option<Self> {
        Self::read_wire(&proto::decimal::from_text(text)?)?
    }

    /// Whether it is 0.
    pub fn is_zero(&self) -> bool {
        self.0.is_zero()
    }

    /// Whether it is below 0.
    pub fn is_negative(&self) -> bool {
        self.0.is_negative()
    }

    /// Whether it is above 0.
    pub fn is_positive(&self) -> bool {
        self.0.is_positive()
    }

    /// With the other sign.
    #[must_use]
    pub fn negated(&self) -> Self {
        Self(BigInt::zero().checked_sub(&self.0).unwrap_or_default())
    }

    /// The sum.
    ///
    /// # Errors
    /// Beyond the range.
    pub fn plus(&self, other: &Self) -> Result<Self, ChainError> {
        Self(self.0.checked_add(&other.0).unwrap_or_default()).in_range()
    }

    /// The difference.
    ///
    /// # Errors
    /// Beyond the range.
    pub fn minus(&self, other: &Self) -> Result<Self, ChainError> {
        Self(self.0.checked_sub(&other.0).unwrap_or_default()).in_range()
    }

    /// The product, rounded half to even.
    ///
    /// # Errors
    /// Beyond the range.
    pub fn mul(&self, other: &Self) -> Result<Self, ChainError> {
        Self(half_even(&times(&self.0, &other.0))).in_range()
    }

    /// The product, rounded towards zero.
    ///
    /// # Errors
    /// Beyond the range.
    pub fn mul_truncate(&self, other: &Self) -> Result<Self, ChainError> {
        Self(truncated(&times(&self.0, &other.0), &BigInt::from(ONE))).in_range()
    }

    /// The product with a whole number, exact.
    ///
    /// # Errors
    /// Beyond the range.
    pub fn mul_int(&self, factor: impl Into<BigInt>) -> Result<Self, ChainError> {
        Self(times(&self.0, &factor.into())).in_range()
    }

    /// The quotient, rounded half to even (at 36 places first, as the reference does).
    ///
    /// # Errors
    /// Beyond the range, and for a divisor of 0.
    pub fn quo(&self, divisor: &Self) -> Result<Self, ChainError> {
        let divisor = divisor.divisor()?;
        let one = BigInt::from(ONE);
        let scaled = times(&self.0, &times(&one, &one));
        Self(half_even(&truncated(&scaled, divisor))).in_range()
    }

    /// The quotient, rounded towards zero.
    ///
    /// # Errors
    /// Beyond the range, and for a divisor of 0.
    pub fn quo_truncate(&self, divisor: &Self) -> Result<Self, ChainError> {
        let divisor = divisor.divisor()?;
        Self(truncated(&times(&self.0, &BigInt::from(ONE)), divisor)).in_range()
    }

    /// The quotient of two non-negative decimals, rounded up.
    ///
    /// # Errors
    /// Beyond the range, and for a divisor of 0.
    pub fn quo_round_up(&self, divisor: &Self) -> Result<Self, ChainError> {
        let divisor = divisor.divisor()?;
        Self(times(&self.0, &BigInt::from(ONE)).div_ceil(divisor)).in_range()
    }

    /// The quotient by a whole number, rounded towards zero.
    ///
    /// # Errors
    /// For a divisor of 0.
    pub fn quo_int(&self, divisor: impl Into<BigInt>) -> Result<Self, ChainError> {
        let divisor = Self(divisor.into());
        Ok(Self(truncated(&self.0, divisor.divisor()?)))
    }

    /// The whole part of a non-negative decimal.
    ///
    /// # Errors
    /// Below 0 or beyond 128 bits.
    pub fn truncate(&self) -> Result<u128, ChainError> {
        truncated(&self.0, &BigInt::from(ONE))
            .to_u128()
            .ok_or_else(|| overflow(&self.0))
    }

    /// The number of units of the last place of a non-negative decimal.
    ///
    /// # Errors
    /// Below 0 or beyond 128 bits.
    pub fn places(&self) -> Result<u128, ChainError> {
        self.0.to_u128().ok_or_else(|| overflow(&self.0))
    }

    /// The nearest whole number, half to even, of a non-negative decimal.
    ///
    /// # Errors
    /// Below 0 or beyond 64 bits.
    pub fn round(&self) -> Result<i64, ChainError> {
        half_even(&self.0).to_i64().ok_or_else(|| overflow(&self.0))
    }

    /// The non-zero divisor.
    fn divisor(&self) -> Result<&BigInt, ChainError> {
        if self.0.is_zero() {
            return Err(ChainError::invariant("division by zero"));
        }
        Ok(&self.0)
    }

    /// What the reference asserts after every operation: at most 256 bits before the point.
    fn in_range(self) -> Result<Self, ChainError> {
        // 10^18 has 60 bits; below 315 bits nothing has to be compared.
        if self.0.bits() > 314 {
            let limit = times(&BigInt::from(ONE), &BigInt::from(2_u8).pow(256));
            if self.0.abs().cmp(&limit) != Ordering::Less {
                return Err(overflow(&self.0));
            }
        }
        Ok(self)
    }
}

/// With all 18 places: `0.050000000000000000`.
impl fmt::Display for Dec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&proto::decimal::to_text(&self.0.to_string()).unwrap_or_default())
    }
}

fn overflow(value: &BigInt) -> ChainError {
    let bits = value.bits();
    ChainError::invariant(format!("Int overflow: a number of {bits} bits"))
}

// A big integer has no overflow; `None` does not happen.
fn times(a: &BigInt, b: &BigInt) -> BigInt {
    a.checked_mul(b).unwrap_or_default()
}

/// The quotient towards zero; 0 for a divisor of 0, which the callers exclude.
fn truncated(value: &BigInt, divisor: &BigInt) -> BigInt {
    value.checked_div(divisor).unwrap_or_default()
}

/// Drops 18 places, rounding half to even.
fn half_even(value: &BigInt) -> BigInt {
    let one = BigInt::from(ONE);
    let (quotient, remainder) = value.abs().div_rem(&one);
    let twice = times(&remainder, &BigInt::from(2_u8));
    let up = match twice.cmp(&one) {
        Ordering::Less => false,
        Ordering::Equal => quotient.is_odd(),
        Ordering::Greater => true,
    };
    let rounded = quotient
        .checked_add(&BigInt::from(u8::from(up)))
        .unwrap_or_default();
    if value.is_negative() {
        BigInt::zero().checked_sub(&rounded).unwrap_or_default()
    } else {
        rounded
    }
}
