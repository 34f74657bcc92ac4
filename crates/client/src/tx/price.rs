//! The price of gas: an exact decimal, as fees are rounded up from it.

use std::str::FromStr;

use crate::Error;

/// upokt for one unit of gas, e.g. `0.000001`. Default 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GasPrice {
    /// In units of 10^-18 upokt.
    atto: u128,
}

/// Units in one upokt.
const ONE: u128 = 1_000_000_000_000_000_000;

impl GasPrice {
    /// The fee for `gas` in upokt: rounded up, so at least 1 where the price is above 0.
    pub fn fee(&self, gas: u64) -> u128 {
        u128::from(gas).saturating_mul(self.atto).div_ceil(ONE)
    }
}

impl FromStr for GasPrice {
    type Err = Error;

    /// A decimal of at most 18 places, with or without the denomination `upokt`.
    fn from_str(text: &str) -> Result<Self, Error> {
        let wrong = |reason: &str| Error::Config {
            setting: "gas_price",
            value: text.to_owned(),
            reason: reason.to_owned(),
        };
        let number = text.strip_suffix("upokt").unwrap_or(text);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !digits(whole) || !digits(fraction) {
            return Err(wrong("expected a decimal such as 0.000001"));
        }
        if fraction.len() > 18 {
            return Err(wrong("more than 18 decimal places"));
        }
        let whole: u128 = whole.parse().map_err(|_| wrong("too large"))?;
        let fraction: u128 = format!("{fraction:0<18}")
            .parse()
            .map_err(|_| wrong("too large"))?;
        let atto = whole
            .checked_mul(ONE)
            .and_then(|whole| whole.checked_add(fraction));
        Ok(Self {
            atto: atto.ok_or_else(|| wrong("too large"))?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fees_are_rounded_up_from_the_exact_price() {
        let price = |text: &str| text.parse::<GasPrice>().unwrap();
        assert_eq!(price("0.000001").fee(100_000), 1);
        assert_eq!(price("0.00001upokt").fee(168_000), 2);
        assert_eq!(price("0.000001").fee(1_000_000), 1);
        assert_eq!(price("0.000001").fee(1_000_001), 2);
        assert_eq!(price("1").fee(7), 7);
        assert_eq!(price("0").fee(u64::MAX), 0);
        assert_eq!(GasPrice::default().fee(1), 0);
    }

    #[test]
    fn what_is_no_price_is_named() {
        for text in [
            "",
            "-1",
            "1e-9",
            ".5",
            "0.0000000000000000001",
            "1,5",
            "nan",
        ] {
            let error = text.parse::<GasPrice>().unwrap_err().to_string();
            assert!(error.starts_with(&format!("gas_price `{text}`")), "{error}");
        }
    }
}
