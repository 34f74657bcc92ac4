//! Fractions as parameters write them: exact, never a binary float.

use num_bigint::BigUint;
use serde_json::Value;

/// A non-negative decimal number as numerator and power of ten.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Decimal {
    numerator: BigUint,
    denominator: BigUint,
}

impl Decimal {
    /// Reads a JSON number by its shortest decimal form.
    pub(crate) fn read(value: &Value) -> Self {
        let Value::Number(number) = value else {
            panic!("{value} is no number")
        };
        Self::parse(&number.to_string())
    }

    /// Reads `0.975`, `1` or `1e-6`.
    pub(crate) fn parse(text: &str) -> Self {
        let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits: BigUint = format!("{whole}{fraction}").parse().expect("digits");
        let exponent: i32 = exponent.parse().expect("an exponent");
        let places = i32::try_from(fraction.len()).expect("a short number") - exponent;
        let power = |places: i32| BigUint::from(10_u8).pow(places.max(0).unsigned_abs());
        Self {
            numerator: digits * power(-places),
            denominator: power(places),
        }
    }

    /// Whether it is nothing.
    pub(crate) fn is_zero(&self) -> bool {
        self.numerator == BigUint::default()
    }

    /// That part of `amount`, rounded down.
    pub(crate) fn floor_of(&self, amount: &BigUint) -> BigUint {
        amount * &self.numerator / &self.denominator
    }

    /// That part of `amount`, rounded up.
    pub(crate) fn ceil_of(&self, amount: &BigUint) -> BigUint {
        (amount * &self.numerator).div_ceil_by(&self.denominator)
    }

    /// `amount / (1 + self)`, rounded down.
    pub(crate) fn without(&self, amount: &BigUint) -> BigUint {
        amount * &self.denominator / (&self.denominator + &self.numerator)
    }
}

trait DivCeil {
    fn div_ceil_by(&self, divisor: &BigUint) -> BigUint;
}

impl DivCeil for BigUint {
    fn div_ceil_by(&self, divisor: &BigUint) -> BigUint {
        (self + divisor - 1_u8) / divisor
    }
}
