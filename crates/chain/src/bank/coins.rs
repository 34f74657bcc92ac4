//! Amounts of several denominations: parsing, validity and text, as the SDK's `Coins`.

use std::collections::BTreeMap;
use std::fmt;

use proto::cosmos::base::v1beta1::Coin;

use crate::error::TxError;
use crate::limits::DENOM_LENGTH;
use crate::sdk;

/// The denomination of stakes, fees and rewards.
pub const UPOKT: &str = "upokt";

/// Positive amounts by denomination, in the order of the denominations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coins(BTreeMap<String, u128>);

impl Coins {
    /// Nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds up coins as the machine makes them: any order, repeats added, zeros dropped.
    ///
    /// # Errors
    /// sdk 10 for an amount that is not a number, a bad denomination or a sum beyond 128 bits.
    pub fn sum(coins: &[Coin]) -> Result<Self, TxError> {
        let mut total = Self::new();
        for coin in coins {
            if !valid_denom(&coin.denom) {
                return Err(invalid(coins));
            }
            let amount = amount(coin).ok_or_else(|| invalid(coins))?;
            total
                .add(&coin.denom, amount)
                .ok_or_else(|| invalid(coins))?;
        }
        Ok(total)
    }

    /// As [`Self::strict`], and there must be some.
    ///
    /// # Errors
    /// sdk 10 otherwise.
    pub fn positive(coins: &[Coin]) -> Result<Self, TxError> {
        let coins = Self::strict(coins)?;
        if coins.is_empty() {
            return Err(TxError::sdk(sdk::INVALID_COINS, ": invalid coins"));
        }
        Ok(coins)
    }

    /// Takes coins as a sender wrote them: sorted, no denomination twice, all positive.
    ///
    /// # Errors
    /// sdk 10 otherwise.
    pub fn strict(coins: &[Coin]) -> Result<Self, TxError> {
        let ascending = coins.windows(2).all(|pair| match pair {
            [low, high] => low.denom < high.denom,
            _ => true,
        });
        let total = Self::sum(coins)?;
        if !ascending || total.0.len() != coins.len() {
            return Err(invalid(coins));
        }
        Ok(total)
    }

    /// Adds an amount; `None` beyond 128 bits.
    #[must_use = "an overflow must not pass unseen"]
    pub fn add(&mut self, denom: &str, amount: u128) -> Option<()> {
        if amount > 0 {
            let entry = self.0.entry(denom.to_owned()).or_default();
            *entry = entry.checked_add(amount)?;
        }
        Some(())
    }

    /// The amount of one denomination.
    pub fn amount(&self, denom: &str) -> u128 {
        self.0.get(denom).copied().unwrap_or_default()
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Denomination and amount, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, u128)> {
        self.0
            .iter()
            .map(|(denom, amount)| (denom.as_str(), *amount))
    }

    /// As protobuf, in order.
    pub fn to_proto(&self) -> Vec<Coin> {
        self.iter()
            .map(|(denom, amount)| coin(amount, denom))
            .collect()
    }
}

/// `5mact,100upokt`; nothing is the empty text.
impl fmt::Display for Coins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, (denom, amount)) in self.iter().enumerate() {
            let comma = if position == 0 { "" } else { "," };
            write!(f, "{comma}{amount}{denom}")?;
        }
        Ok(())
    }
}

/// One coin.
pub fn coin(amount: u128, denom: &str) -> Coin {
    Coin {
        denom: denom.to_owned(),
        amount: amount.to_string(),
    }
}

/// An amount of upokt.
pub fn upokt(amount: u128) -> Coin {
    coin(amount, UPOKT)
}

/// The amount of a coin; `None` when it is not a non-negative decimal number of at most 128 bits.
pub fn amount(coin: &Coin) -> Option<u128> {
    let digits = !coin.amount.is_empty() && coin.amount.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| coin.amount.parse().ok()).flatten()
}

/// Whether the text can be a denomination.
pub fn valid_denom(denom: &str) -> bool {
    let mut bytes = denom.bytes();
    DENOM_LENGTH.contains(&denom.len())
        && bytes
            .next()
            .is_some_and(|first| first.is_ascii_alphabetic())
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || b"/:._-".contains(&byte))
}

fn invalid(coins: &[Coin]) -> TxError {
    let text: Vec<String> = coins
        .iter()
        .map(|coin| format!("{}{}", coin.amount, coin.denom))
        .collect();
    TxError::sdk(
        sdk::INVALID_COINS,
        format!("{}: invalid coins", text.join(",")),
    )
}
