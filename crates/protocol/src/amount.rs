//! Amounts of upokt.

use std::fmt;

use num_bigint::BigUint;
use num_traits::ToPrimitive as _;
use proto::cosmos::base::v1beta1::Coin;

use crate::error::ProtocolError;

/// The one denomination of stakes, fees and rewards (chain §0.1).
pub const DENOM: &str = "upokt";

/// A non-negative amount of upokt; 1 POKT is 10^6 upokt. Every operation that could leave the range is checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Upokt(pub u128);

impl Upokt {
    /// Nothing.
    pub const ZERO: Upokt = Upokt(0);

    /// Whether this is nothing.
    pub fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The sum.
    ///
    /// # Errors
    /// [`ProtocolError::AmountOverflow`] above 2^128 - 1.
    pub fn plus(self, other: Upokt) -> Result<Upokt, ProtocolError> {
        self.0
            .checked_add(other.0)
            .map(Upokt)
            .ok_or(ProtocolError::AmountOverflow)
    }

    /// The difference.
    ///
    /// # Errors
    /// [`ProtocolError::AmountUnderflow`] if `other` is larger.
    pub fn minus(self, other: Upokt) -> Result<Upokt, ProtocolError> {
        self.0
            .checked_sub(other.0)
            .map(Upokt)
            .ok_or(ProtocolError::AmountUnderflow {
                have: self,
                need: other,
            })
    }

    /// The difference, or nothing if `other` is larger.
    pub fn minus_or_zero(self, other: Upokt) -> Upokt {
        Upokt(self.0.saturating_sub(other.0))
    }

    /// Integer quotient; nothing for a divisor of 0.
    pub fn div_or_zero(self, divisor: u64) -> Upokt {
        Upokt(self.0.checked_div(u128::from(divisor)).unwrap_or(0))
    }

    /// The sum of all.
    ///
    /// # Errors
    /// [`ProtocolError::AmountOverflow`].
    pub fn sum(amounts: impl IntoIterator<Item = Upokt>) -> Result<Upokt, ProtocolError> {
        amounts.into_iter().try_fold(Upokt::ZERO, Upokt::plus)
    }

    /// Reads a coin of [`DENOM`] whose amount is a plain decimal number.
    ///
    /// # Errors
    /// [`ProtocolError::BadCoin`] for another denomination, a sign, anything but digits, or more than 2^128 - 1.
    pub fn from_coin(coin: &Coin) -> Result<Upokt, ProtocolError> {
        let bad = || ProtocolError::BadCoin {
            amount: coin.amount.clone(),
            denom: coin.denom.clone(),
        };
        if coin.denom != DENOM
            || coin.amount.is_empty()
            || !coin.amount.bytes().all(|byte| byte.is_ascii_digit())
        {
            return Err(bad());
        }
        coin.amount.parse().map(Upokt).map_err(|_| bad())
    }

    /// As a coin on the wire.
    pub fn to_coin(self) -> Coin {
        Coin {
            denom: DENOM.to_owned(),
            amount: self.0.to_string(),
        }
    }

    /// From a computed number.
    pub(crate) fn from_big(number: &BigUint) -> Result<Upokt, ProtocolError> {
        number
            .to_u128()
            .map(Upokt)
            .ok_or(ProtocolError::AmountOverflow)
    }
}

/// As events write it, e.g. `14599upokt` (chain §3.8).
impl fmt::Display for Upokt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{DENOM}", self.0)
    }
}
