//! Coins in messages and records: text on the wire, numbers in code.

use num_bigint::{BigInt, Sign};
use proto::cosmos::base::v1beta1::Coin;

use crate::error::ChainError;

/// The denomination of stakes, fees and rewards.
pub(crate) const DENOM: &str = "upokt";

/// A coin as a message gives it, not yet known to make sense.
pub(crate) struct Given<'a> {
    /// Denomination as written.
    pub(crate) denom: &'a str,
    /// Amount, or nothing when the text is not a whole number.
    pub(crate) amount: Option<BigInt>,
    text: String,
}

impl<'a> Given<'a> {
    /// Looks at a coin of a message.
    pub(crate) fn of(coin: &'a Coin) -> Self {
        // Not what else a number library reads: underscores, a plus sign.
        let digits = coin.amount.strip_prefix('-').unwrap_or(&coin.amount);
        let amount = is_digits(digits)
            .then(|| BigInt::parse_bytes(coin.amount.as_bytes(), 10))
            .flatten();
        Self {
            denom: &coin.denom,
            amount,
            text: text(coin),
        }
    }

    /// Whether amount and denomination can be read back from the coin's own text: digits and a legal denomination.
    pub(crate) fn is_well_formed(&self) -> bool {
        let digits = self
            .amount
            .as_ref()
            .is_some_and(|amount| amount.sign() != Sign::Minus);
        let mut letters = self.denom.bytes();
        let legal = letters
            .next()
            .is_some_and(|byte| byte.is_ascii_alphabetic())
            && (3..=128).contains(&self.denom.len())
            && letters.all(|byte| byte.is_ascii_alphanumeric() || b"/:._-".contains(&byte));
        digits && legal
    }

    /// Whether the amount is above zero.
    pub(crate) fn is_positive(&self) -> bool {
        self.amount
            .as_ref()
            .is_some_and(|amount| amount.sign() == Sign::Plus)
    }

    /// The coin as the SDK prints it, amount then denomination.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }
}

/// The coin as the SDK prints it, amount then denomination.
pub(crate) fn text(coin: &Coin) -> String {
    format!("{}{}", coin.amount, coin.denom)
}

/// An amount of [`DENOM`].
pub(crate) fn upokt(amount: u128) -> Coin {
    Coin {
        denom: DENOM.to_owned(),
        amount: amount.to_string(),
    }
}

/// The amount of a coin that this chain itself has stored. An absent coin is zero. Params and spend limits are stored as
/// somebody wrote them; where they exceed 128 bits the largest number stands for them, because no balance reaches either.
///
/// # Errors
/// [`ChainError::Corrupt`] when the stored text is not a number.
pub(crate) fn stored(coin: Option<&Coin>) -> Result<u128, ChainError> {
    let Some(Coin { amount, .. }) = coin else {
        return Ok(0);
    };
    match amount.parse() {
        Ok(amount) => Ok(amount),
        Err(_) if is_digits(amount) => Ok(u128::MAX),
        Err(error) => Err(ChainError::corrupt("a stored coin", error)),
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The amount of a coin of a checked message. The largest number stands for all amounts that no account can have, so
/// that paying it fails for lack of funds.
pub(crate) fn payable(coin: &Coin) -> u128 {
    coin.amount.parse().unwrap_or(u128::MAX)
}

/// Checks a coin param of a genesis or of an update: present, in [`DENOM`].
///
/// # Errors
/// `missing` when absent, otherwise what `wrong` says of the denomination.
pub(crate) fn require_denom<'a>(
    coin: Option<&'a Coin>,
    missing: &str,
    wrong: impl FnOnce(&str) -> String,
) -> Result<Given<'a>, String> {
    let given = Given::of(coin.ok_or_else(|| missing.to_owned())?);
    if given.denom == DENOM {
        Ok(given)
    } else {
        Err(wrong(given.denom))
    }
}

/// Checks the stake of a record in a genesis: an amount of [`DENOM`], which a settlement may have left at zero.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn require_stake(coin: Option<&Coin>) -> Result<u128, String> {
    let coin = coin.ok_or("is missing")?;
    if coin.denom != DENOM {
        return Err(format!(
            "denomination is {:?}, expected {DENOM:?}",
            coin.denom
        ));
    }
    coin.amount
        .parse()
        .map_err(|error| format!("amount {:?}: {error}", coin.amount))
}
