//! Parameters of type `double` as exact rationals.
//!
//! All reward arithmetic is exact (chain §0.3). A `double` stands for its shortest decimal string that reads back as
//! the same double: 0.1 is 1/10, not the binary fraction next to it. NaN, infinities, negative numbers and -0 have no
//! meaning in any parameter and are refused before they can reach arithmetic.

use num_bigint::BigUint;
use num_traits::{One as _, Zero as _};

use crate::amount::Upokt;
use crate::big;
use crate::error::ProtocolError;

/// An exact non-negative rational in lowest terms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ratio {
    numerator: BigUint,
    denominator: BigUint,
}

impl Ratio {
    /// `numerator / denominator` in lowest terms.
    ///
    /// # Errors
    /// [`ProtocolError::ZeroDivisor`] for a denominator of 0.
    pub fn new(
        numerator: impl Into<BigUint>,
        denominator: impl Into<BigUint>,
    ) -> Result<Ratio, ProtocolError> {
        let (numerator, denominator) = (numerator.into(), denominator.into());
        if denominator.is_zero() {
            return Err(ProtocolError::ZeroDivisor);
        }
        let (numerator, denominator) = big::reduce(&numerator, &denominator);
        Ok(Ratio {
            numerator,
            denominator,
        })
    }

    /// The decimal value of a `double` parameter.
    ///
    /// # Errors
    /// [`ProtocolError::NotADecimal`] for NaN, an infinity, a negative number or -0.
    pub fn from_double(value: f64) -> Result<Ratio, ProtocolError> {
        if !value.is_finite() || value.is_sign_negative() {
            return Err(ProtocolError::NotADecimal(value));
        }
        // Scientific notation holds exactly the shortest digits: `d[.ddd]e[-]x`.
        let text = format!("{value:e}");
        let not_decimal = || ProtocolError::NotADecimal(value);
        let (mantissa, exponent) = text.split_once('e').ok_or_else(not_decimal)?;
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let exponent: i32 = exponent.parse().map_err(|_| not_decimal())?;
        let digits = format!("{whole}{fraction}");
        let number = BigUint::parse_bytes(digits.as_bytes(), 10).ok_or_else(not_decimal)?;
        let places = i32::try_from(fraction.len()).map_err(|_| not_decimal())?;
        let shift = exponent.saturating_sub(places);
        let power = BigUint::from(10u8).pow(shift.unsigned_abs());
        if shift >= 0 {
            Ratio::new(big::product(&number, &power), BigUint::one())
        } else {
            Ratio::new(number, power)
        }
    }

    /// Nothing.
    pub fn zero() -> Ratio {
        Ratio {
            numerator: BigUint::zero(),
            denominator: BigUint::one(),
        }
    }

    /// One.
    pub fn one() -> Ratio {
        Ratio {
            numerator: BigUint::one(),
            denominator: BigUint::one(),
        }
    }

    /// Whether the value is 0.
    pub fn is_zero(&self) -> bool {
        self.numerator.is_zero()
    }

    /// The part above the line, in lowest terms.
    pub fn numerator(&self) -> &BigUint {
        &self.numerator
    }

    /// The part below the line, in lowest terms; never 0.
    pub fn denominator(&self) -> &BigUint {
        &self.denominator
    }

    /// The sum.
    pub fn plus(&self, other: &Ratio) -> Ratio {
        let numerator = big::sum(
            &big::product(&self.numerator, &other.denominator),
            &big::product(&other.numerator, &self.denominator),
        );
        let denominator = big::product(&self.denominator, &other.denominator);
        let (numerator, denominator) = big::reduce(&numerator, &denominator);
        Ratio {
            numerator,
            denominator,
        }
    }

    /// `floor(amount * self)`.
    ///
    /// # Errors
    /// [`ProtocolError::AmountOverflow`].
    pub fn floor_of(&self, amount: Upokt) -> Result<Upokt, ProtocolError> {
        let over = big::product(&amount.0.into(), &self.numerator);
        Upokt::from_big(&big::floor(&over, &self.denominator))
    }

    /// `ceil(amount * self)`.
    ///
    /// # Errors
    /// [`ProtocolError::AmountOverflow`].
    pub fn ceil_of(&self, amount: Upokt) -> Result<Upokt, ProtocolError> {
        let over = big::product(&amount.0.into(), &self.numerator);
        Upokt::from_big(&big::ceil(&over, &self.denominator))
    }

    /// `floor(amount / self)`.
    ///
    /// # Errors
    /// [`ProtocolError::ZeroDivisor`] if this is 0, [`ProtocolError::AmountOverflow`].
    pub fn floor_quotient(&self, amount: Upokt) -> Result<Upokt, ProtocolError> {
        if self.is_zero() {
            return Err(ProtocolError::ZeroDivisor);
        }
        let over = big::product(&amount.0.into(), &self.denominator);
        Upokt::from_big(&big::floor(&over, &self.numerator))
    }
}

impl PartialOrd for Ratio {
    fn partial_cmp(&self, other: &Ratio) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ratio {
    fn cmp(&self, other: &Ratio) -> std::cmp::Ordering {
        let left = big::product(&self.numerator, &other.denominator);
        left.cmp(&big::product(&other.numerator, &self.denominator))
    }
}

/// The shortest decimal string that reads back as `value`, never in scientific notation (the form of `mint_ratio` in
/// settlement events, chain §3.8).
pub fn shortest_text(value: f64) -> String {
    value.to_string()
}

/// A double as Go's `%v` prints it: its shortest digits, with an exponent of two digits at least below 1e-4 and from 1e21
/// on.
pub fn go_text(value: f64) -> String {
    let magnitude = value.abs();
    if !value.is_finite() || magnitude == 0.0 || (1e-4..1e21).contains(&magnitude) {
        return shortest_text(value);
    }
    let text = format!("{value:e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    match exponent.strip_prefix('-') {
        Some(exponent) => format!("{digits}e-{exponent:0>2}"),
        None => format!("{digits}e+{exponent:0>2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ratio(numerator: u64, denominator: u64) -> Ratio {
        Ratio::new(numerator, denominator).unwrap()
    }

    #[test]
    fn go_shows_small_and_large_doubles_with_an_exponent() {
        for (value, text) in [
            (0.0, "0"),
            (0.975, "0.975"),
            (0.0001, "0.0001"),
            (0.00009, "9e-05"),
            (1e-9, "1e-09"),
            (1.5e-300, "1.5e-300"),
            (1e20, "100000000000000000000"),
            (1e21, "1e+21"),
        ] {
            assert_eq!(go_text(value), text);
        }
    }

    #[test]
    fn a_double_is_its_shortest_decimal() {
        for (value, expected) in [
            (0.0, ratio(0, 1)),
            (0.1, ratio(1, 10)),
            (0.975, ratio(39, 40)),
            (1e-6, ratio(1, 1_000_000)),
            (
                0.1 + 0.2,
                ratio(30_000_000_000_000_004, 100_000_000_000_000_000),
            ),
            (1.0, ratio(1, 1)),
            (1.5e3, ratio(1500, 1)),
            (1e19, ratio(10_000_000_000_000_000_000, 1)),
        ] {
            assert_eq!(Ratio::from_double(value).unwrap(), expected, "{value}");
        }
        assert_eq!(
            Ratio::from_double(f64::MAX).unwrap().denominator(),
            &BigUint::one()
        );
        assert!(
            !Ratio::from_double(f64::MIN_POSITIVE / 4.0)
                .unwrap()
                .is_zero()
        );
    }

    #[test]
    fn what_is_no_decimal_is_refused() {
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0, -0.1] {
            assert!(Ratio::from_double(value).is_err(), "{value}");
        }
    }

    #[test]
    fn floor_and_ceil_differ_only_off_the_grid() {
        let tenth = ratio(1, 10);
        assert_eq!(tenth.floor_of(Upokt(99)).unwrap(), Upokt(9));
        assert_eq!(tenth.ceil_of(Upokt(99)).unwrap(), Upokt(10));
        assert_eq!(tenth.ceil_of(Upokt(90)).unwrap(), Upokt(9));
        assert_eq!(tenth.floor_quotient(Upokt(7)).unwrap(), Upokt(70));
        assert!(Ratio::zero().floor_quotient(Upokt(7)).is_err());
        assert!(ratio(2, 1).floor_of(Upokt(u128::MAX)).is_err());
    }

    #[test]
    fn text_has_no_exponent() {
        assert_eq!(shortest_text(0.975), "0.975");
        assert_eq!(shortest_text(1e-7), "0.0000001");
        assert_eq!(shortest_text(1.0), "1");
    }
}
