//! Fees: the node's minimum price, and taking the fee (chain specification 6.3).

use std::str::FromStr;

use crypto::keys::{ADDRESS_PREFIX, Address};
use proto::cosmos::tx::v1beta1::Fee;

use crate::bank::{self, Coins, UPOKT};
use crate::context::{Context, Mode};
use crate::error::TxError;
use crate::limits::SIMULATED_FEE_GAS;
use crate::modules::shared::address;
use crate::tx::Transaction;
use crate::{auth, feegrant, sdk};

/// Module whose account takes the fees.
const FEE_COLLECTOR: &str = "fee_collector";

/// Digits after the point that a price may have.
const DECIMALS_MAX: usize = 18;

/// The least price of gas that a node accepts into its mempool, in upokt. Each node's own choice; blocks do not ask.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GasPrice {
    /// The price times 10^18.
    scaled: u128,
}

impl GasPrice {
    /// No minimum.
    pub const ZERO: Self = Self { scaled: 0 };

    /// The fee in upokt for a gas limit, rounded up; `None` beyond 128 bits.
    pub fn fee(self, gas_limit: u64) -> Option<u128> {
        let scale = 10_u128.pow(18);
        Some(
            self.scaled
                .checked_mul(u128::from(gas_limit))?
                .div_ceil(scale),
        )
    }
}

/// A decimal number, with or without the denomination: `0.000000001upokt`.
impl FromStr for GasPrice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not a price such as 0.000000001upokt");
        let number = text.strip_suffix(UPOKT).unwrap_or(text);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !digits(whole) || !digits(fraction) || fraction.len() > DECIMALS_MAX
        {
            return Err(wrong());
        }
        let scaled = format!("{whole}{fraction:0<DECIMALS_MAX$}")
            .parse()
            .map_err(|_| wrong())?;
        Ok(Self { scaled })
    }
}

/// Refuses a fee below the node's minimum; only the mempool's first look asks.
pub(super) fn check_minimum(
    ctx: &Context,
    tx: &Transaction,
    price: GasPrice,
) -> Result<(), TxError> {
    if ctx.mode != Mode::Check {
        return Ok(());
    }
    let fee = tx.fee();
    let Some(required) = price.fee(fee.gas_limit) else {
        return Err(TxError::sdk(
            sdk::INSUFFICIENT_FEE,
            "gas limit too high: insufficient fee",
        ));
    };
    let offered = fee
        .amount
        .iter()
        .find(|coin| coin.denom == UPOKT)
        .and_then(bank::amount);
    if offered.unwrap_or(0) < required {
        let got = offered.map_or(String::new(), |amount| format!("{amount}{UPOKT}"));
        let text =
            format!("insufficient fees; got: {got} required: {required}{UPOKT}: insufficient fee");
        return Err(TxError::sdk(sdk::INSUFFICIENT_FEE, text));
    }
    Ok(())
}

/// Takes the fee. Events: those of the transfer unless the fee is zero, then `tx` with fee and payer.
pub(super) fn deduct(ctx: &mut Context, tx: &Transaction) -> Result<(), TxError> {
    let fee = tx.fee();
    if ctx.mode != Mode::Simulate && fee.gas_limit == 0 {
        return Err(TxError::sdk(
            sdk::INVALID_GAS_LIMIT,
            "must provide positive gas: invalid gas limit",
        ));
    }
    let payer = tx
        .fee_payer()
        .ok_or_else(|| TxError::sdk(sdk::UNAUTHORIZED, "nobody pays the fee: unauthorized"))?;
    // Coins of nothing are no fee, whatever their denominations are.
    let nothing = fee.amount.iter().all(|coin| bank::amount(coin) == Some(0));
    let coins = if nothing {
        Ok(Coins::default())
    } else {
        Coins::strict(&fee.amount).map_err(|error| {
            let text = format!("invalid fee amount: {}: insufficient fee", error.log);
            TxError::sdk(sdk::INSUFFICIENT_FEE, text)
        })
    };
    let text = match &coins {
        Ok(coins) if !coins.is_empty() => coins.to_string(),
        _ => {
            let nothings = fee.amount.iter().map(|coin| format!("0{}", coin.denom));
            nothings.collect::<Vec<_>>().join(",")
        }
    };
    let payer = match granter(&fee)? {
        Some(granter) if granter != payer => {
            let urls: Vec<&str> = tx
                .body
                .messages
                .iter()
                .map(|any| any.type_url.as_str())
                .collect();
            // The allowance is looked at first; what is no fee is refused below.
            let coins = coins.as_ref().cloned().unwrap_or_default();
            feegrant::use_granted_fees(ctx, &granter, &payer, &coins, &urls).map_err(|error| {
                error.wrap(format!("{granter} does not allow to pay fees for {payer}"))
            })?;
            granter
        }
        _ => payer,
    };
    if auth::account(ctx, &payer)?.is_none() {
        let text = format!("fee payer address: {payer} does not exist: unknown address");
        return Err(TxError::sdk(sdk::UNKNOWN_ADDRESS, text));
    }
    if !coins?.is_empty() {
        bank::account_to_module(ctx, &payer, FEE_COLLECTOR, &fee.amount).map_err(|error| {
            if error.code == sdk::INSUFFICIENT_FUNDS {
                TxError::sdk(error.code, format!("{}: insufficient funds", error.log))
            } else {
                error
            }
        })?;
    } else if ctx.mode == Mode::Simulate {
        ctx.charge(SIMULATED_FEE_GAS, "simulated fee")?;
    }
    ctx.emit_raw("tx", &[("fee", &text), ("fee_payer", &payer.to_bech32())]);
    Ok(())
}

/// Whose allowance pays the fee, if that was asked for.
///
/// # Errors
/// The code of a panic for what is no account address.
fn granter(fee: &Fee) -> Result<Option<Address>, TxError> {
    if fee.granter.is_empty() {
        return Ok(None);
    }
    address::of_signer(ADDRESS_PREFIX, &fee.granter)
        .map(Some)
        .map_err(TxError::panic)
}

#[cfg(test)]
mod tests;
