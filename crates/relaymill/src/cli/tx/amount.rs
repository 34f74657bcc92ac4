//! Amounts as people write them.

use std::str::FromStr;

use anyhow::{Context as _, Result, bail};
use proto::cosmos::base::v1beta1::Coin;

/// upokt of one POKT.
const UPOKT_DECIMALS: usize = 6;

/// An amount of upokt on the command line: `1000`, `1000upokt` or `1.5pokt`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Upokt(pub(crate) u128);

impl Upokt {
    /// As a coin.
    pub(crate) fn coin(&self) -> Coin {
        upokt(self.0)
    }
}

impl FromStr for Upokt {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let coin = coin(text)?;
        if coin.denom != "upokt" {
            bail!("`{text}`: expected an amount of upokt, e.g. 1000upokt");
        }
        Ok(Self(coin.amount.parse()?))
    }
}

/// A coin of upokt.
pub(crate) fn upokt(amount: u128) -> Coin {
    Coin {
        denom: "upokt".to_owned(),
        amount: amount.to_string(),
    }
}

/// One coin: `1000upokt`, `1.5pokt`, `7mact`; a bare number is upokt.
pub(crate) fn coin(text: &str) -> Result<Coin> {
    let wrong = || format!("`{text}`: expected an amount and a denomination, e.g. 1000upokt");
    let trimmed = text.trim();
    let end = trimmed
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(trimmed.len());
    let (number, denom) = trimmed.split_at(end);
    let denom = if denom.is_empty() { "upokt" } else { denom };
    if denom.eq_ignore_ascii_case("pokt") {
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if whole.is_empty() || fraction.len() > UPOKT_DECIMALS {
            bail!("{}: a POKT has {UPOKT_DECIMALS} decimals", wrong());
        }
        let digits = format!("{whole}{fraction:0<UPOKT_DECIMALS$}");
        return Ok(upokt(digits.parse().with_context(wrong)?));
    }
    let letters = |c: char| c.is_ascii_alphanumeric() || "/:._-".contains(c);
    if !(3..=128).contains(&denom.len()) || !denom.chars().all(letters) {
        bail!("{}", wrong());
    }
    let amount: u128 = number.parse().with_context(wrong)?;
    Ok(Coin {
        denom: denom.to_owned(),
        amount: amount.to_string(),
    })
}

/// Several coins, sorted as the chain wants them: `5mact,1000upokt`.
pub(crate) fn coins(text: &str) -> Result<Vec<Coin>> {
    let all: Result<Vec<Coin>> = text.split(',').map(coin).collect();
    let mut all = all?;
    all.sort_by(|one, other| one.denom.cmp(&other.denom));
    if all.windows(2).any(|pair| pair[0].denom == pair[1].denom) {
        bail!("`{text}` names a denomination twice");
    }
    Ok(all)
}

/// A share such as `0.05`, as the SDK writes it on the wire: the number times 10^18.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Share(u128);

impl Share {
    /// What stands on the wire.
    pub(crate) fn wire(&self) -> String {
        self.0.to_string()
    }
}

impl FromStr for Share {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = || format!("`{text}`: expected a number from 0 to 1, e.g. 0.05");
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || fraction.len() > 18 || !digits(whole) || !digits(fraction) {
            bail!("{}", wrong());
        }
        let scaled: u128 = format!("{whole}{fraction:0<18}")
            .parse()
            .with_context(wrong)?;
        if scaled > 1_000_000_000_000_000_000 {
            bail!("{}", wrong());
        }
        Ok(Self(scaled))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_as_people_write_them() {
        for (text, denom, amount) in [
            ("1000", "upokt", "1000"),
            ("1000upokt", "upokt", "1000"),
            ("1.5pokt", "upokt", "1500000"),
            ("2POKT", "upokt", "2000000"),
            ("0.000001pokt", "upokt", "1"),
            ("7mact", "mact", "7"),
        ] {
            let coin = coin(text).unwrap();
            assert_eq!((coin.denom.as_str(), coin.amount.as_str()), (denom, amount));
        }
        for text in [
            "",
            "upokt",
            "1.5upokt",
            "-1upokt",
            "1 upokt",
            "0.0000001pokt",
            ".5pokt",
            "1u",
        ] {
            assert!(coin(text).is_err(), "{text}");
        }
        assert_eq!("3".parse::<Upokt>().unwrap().coin(), upokt(3));
        assert!("3mact".parse::<Upokt>().is_err());
        let sorted = coins("5upokt,1mact").unwrap();
        assert_eq!(sorted[0].denom, "mact");
        assert!(coins("1upokt,2upokt").is_err());
    }

    #[test]
    fn shares_are_scaled_for_the_wire() {
        assert_eq!("0.05".parse::<Share>().unwrap().wire(), "50000000000000000");
        assert_eq!("1".parse::<Share>().unwrap().wire(), "1000000000000000000");
        assert_eq!("0".parse::<Share>().unwrap().wire(), "0");
        for text in ["", "1.1", "-1", "5%", ".5", "0.0000000000000000001"] {
            assert!(text.parse::<Share>().is_err(), "{text}");
        }
    }
}
