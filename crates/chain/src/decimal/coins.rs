//! Decimal amounts of several denominations, as the SDK's `DecCoins`.

use std::collections::BTreeMap;
use std::fmt;

use proto::cosmos::base::v1beta1::DecCoin;

use crate::bank::Coins;
use crate::decimal::Dec;
use crate::error::ChainError;

/// Non-zero amounts by denomination, in the order of the denominations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DecCoins(BTreeMap<String, Dec>);

impl DecCoins {
    /// Nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads what [`DecCoins::to_proto`] made.
    ///
    /// # Errors
    /// [`ChainError::Corrupt`] for what is no amount.
    pub fn from_proto(coins: &[DecCoin]) -> Result<Self, ChainError> {
        let mut out = Self::new();
        for coin in coins {
            out.add(&coin.denom, &Dec::from_wire(&coin.amount)?)?;
        }
        Ok(out)
    }

    /// As protobuf, in order.
    pub fn to_proto(&self) -> Vec<DecCoin> {
        let coin = |(denom, amount): (&String, &Dec)| DecCoin {
            denom: denom.clone(),
            amount: amount.to_wire(),
        };
        self.0.iter().map(coin).collect()
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The amount of one denomination.
    pub fn amount(&self, denom: &str) -> Dec {
        self.0.get(denom).cloned().unwrap_or_default()
    }

    /// Whether an amount is below 0.
    pub fn any_negative(&self) -> bool {
        self.0.values().any(Dec::is_negative)
    }

    /// Adds an amount; what becomes 0 is dropped.
    ///
    /// # Errors
    /// Beyond the range.
    pub fn add(&mut self, denom: &str, amount: &Dec) -> Result<(), ChainError> {
        let sum = self.amount(denom).plus(amount)?;
        if sum.is_zero() {
            self.0.remove(denom);
        } else {
            self.0.insert(denom.to_owned(), sum);
        }
        Ok(())
    }

    /// The sum.
    ///
    /// # Errors
    /// Beyond the range.
    pub fn plus(&self, other: &Self) -> Result<Self, ChainError> {
        let mut out = self.clone();
        for (denom, amount) in &other.0 {
            out.add(denom, amount)?;
        }
        Ok(out)
    }

    /// The difference, in which amounts may be below 0.
    ///
    /// # Errors
    /// Beyond the range.
    pub fn minus_signed(&self, other: &Self) -> Result<Self, ChainError> {
        let mut out = self.clone();
        for (denom, amount) in &other.0 {
            out.add(denom, &amount.negated())?;
        }
        Ok(out)
    }

    /// The difference.
    ///
    /// # Errors
    /// When it falls below 0, where the reference panics.
    pub fn minus(&self, other: &Self) -> Result<Self, ChainError> {
        let out = self.minus_signed(other)?;
        if out.any_negative() {
            return Err(ChainError::invariant("negative coin amount"));
        }
        Ok(out)
    }

    /// Every amount through `f`.
    ///
    /// # Errors
    /// Those of `f`.
    pub fn map(&self, f: impl Fn(&Dec) -> Result<Dec, ChainError>) -> Result<Self, ChainError> {
        let mut out = Self::new();
        for (denom, amount) in &self.0 {
            out.add(denom, &f(amount)?)?;
        }
        Ok(out)
    }

    /// The smaller amount of every denomination that both have.
    #[must_use]
    pub fn intersect(&self, other: &Self) -> Self {
        let smaller = |(denom, amount): (&String, &Dec)| {
            let least = amount.min(other.0.get(denom)?);
            Some((denom.clone(), least.clone()))
        };
        Self(self.0.iter().filter_map(smaller).collect())
    }

    /// Whole coins, and what is left behind the point.
    ///
    /// # Errors
    /// When an amount is below 0 or beyond 128 bits.
    pub fn truncate(&self) -> Result<(Coins, Self), ChainError> {
        let (mut coins, mut rest) = (Coins::new(), Self::new());
        for (denom, amount) in &self.0 {
            let whole = amount.truncate()?;
            coins
                .add(denom, whole)
                .ok_or_else(|| ChainError::invariant("an amount exceeds 128 bits"))?;
            rest.add(denom, &amount.minus(&Dec::from_int(whole))?)?;
        }
        Ok((coins, rest))
    }
}

impl From<&Coins> for DecCoins {
    fn from(coins: &Coins) -> Self {
        let decimal = |(denom, amount): (&str, u128)| (denom.to_owned(), Dec::from_int(amount));
        Self(coins.iter().map(decimal).collect())
    }
}

/// `1.500000000000000000upokt`, comma-separated; nothing is the empty text.
impl fmt::Display for DecCoins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, (denom, amount)) in self.0.iter().enumerate() {
            let comma = if position == 0 { "" } else { "," };
            write!(f, "{comma}{amount}{denom}")?;
        }
        Ok(())
    }
}
