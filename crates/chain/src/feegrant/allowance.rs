//! What a granter allows: fees up to a limit, fees up to a limit each period, or either for some messages only.

use prost_types::{Any, Duration, Timestamp};
use proto::cosmos::base::v1beta1::Coin;
use proto::cosmos::feegrant::v1beta1::{AllowedMsgAllowance, BasicAllowance, PeriodicAllowance};

use super::error::Error;
use crate::bank::Coins;
use crate::context::{BlockTime, Context};
use crate::error::TxError;
use crate::limits::AUTHZ_LIST_GAS;
use crate::message::decode;
use crate::sdk;

/// An allowance of a type this chain knows.
#[derive(Clone, Debug, PartialEq)]
pub enum Allowance {
    /// Up to a limit, or without one, until it expires.
    Basic(BasicAllowance),
    /// Also up to a limit each period.
    Periodic(PeriodicAllowance),
    /// For transactions with messages of the listed types only.
    AllowedMsg(Box<Allowance>, Vec<String>),
}

impl Allowance {
    /// Reads an allowance.
    ///
    /// # Errors
    /// sdk 2 for another type, broken bytes or times that are none.
    pub fn from_any(any: &Any) -> Result<Self, TxError> {
        let url = any.type_url.as_str();
        let refuse = |text: String| TxError::sdk(sdk::TX_PARSE, format!("{text}: tx parse error"));
        if url == proto::any::type_url::<BasicAllowance>() {
            let own: BasicAllowance = decode(&any.value)?;
            if !valid(own.expiration.as_ref()) {
                return Err(refuse("expiration is no moment".to_owned()));
            }
            Ok(Self::Basic(own))
        } else if url == proto::any::type_url::<PeriodicAllowance>() {
            let own: PeriodicAllowance = decode(&any.value)?;
            if !valid(own.basic.expiration.as_ref()) || !valid(Some(&own.period_reset)) {
                return Err(refuse("expiration or period_reset is no moment".to_owned()));
            }
            Ok(Self::Periodic(own))
        } else if url == proto::any::type_url::<AllowedMsgAllowance>() {
            let own: AllowedMsgAllowance = decode(&any.value)?;
            let inner = own.allowance.as_ref();
            let inner =
                inner.ok_or_else(|| Error::NoAllowance.because("allowance should not be empty"))?;
            let inner = Box::new(Self::from_any(inner)?);
            Ok(Self::AllowedMsg(inner, own.allowed_messages))
        } else {
            Err(refuse(format!("`{}` is no fee allowance", any.type_url)))
        }
    }

    /// As stored.
    pub fn to_any(&self) -> Any {
        match self {
            Self::Basic(own) => proto::any::pack(own),
            Self::Periodic(own) => proto::any::pack(own),
            Self::AllowedMsg(inner, allowed_messages) => proto::any::pack(&AllowedMsgAllowance {
                allowance: Some(inner.to_any()),
                allowed_messages: allowed_messages.clone(),
            }),
        }
    }

    /// When it ends, if it does.
    pub fn expires(&self) -> Option<BlockTime> {
        let expiration = match self {
            Self::Basic(own) => own.expiration.as_ref(),
            Self::Periodic(own) => own.basic.expiration.as_ref(),
            Self::AllowedMsg(inner, _) => return inner.expires(),
        };
        expiration.map(BlockTime::from)
    }

    /// Checks the allowance by itself.
    ///
    /// # Errors
    /// sdk 10 for amounts, feegrant 4 and 6.
    pub fn check(&self) -> Result<(), TxError> {
        match self {
            Self::Basic(own) => check_basic(own),
            Self::Periodic(own) => check_periodic(own),
            Self::AllowedMsg(_, messages) if messages.is_empty() => {
                Err(Error::NoMessages.because("allowed messages shouldn't be empty"))
            }
            Self::AllowedMsg(inner, _) => inner.check(),
        }
    }

    /// Takes a fee; whether nothing is left then.
    ///
    /// # Errors
    /// feegrant 2, 3 and 7; out of gas.
    pub fn accept(
        &mut self,
        ctx: &mut Context,
        fee: &Coins,
        type_urls: &[&str],
    ) -> Result<bool, TxError> {
        match self {
            Self::Basic(own) => accept_basic(ctx.block.time, own, fee, "basic allowance"),
            Self::Periodic(own) => accept_periodic(ctx.block.time, own, fee),
            Self::AllowedMsg(inner, allowed) => {
                for _ in 0..allowed.len().saturating_add(type_urls.len()) {
                    ctx.charge(AUTHZ_LIST_GAS, "check msg")?;
                }
                let listed = |url: &&str| allowed.iter().any(|allowed| allowed == url);
                if !type_urls.iter().all(listed) {
                    let detail = "message does not exist in allowed messages";
                    return Err(Error::MessageNotAllowed.because(detail));
                }
                inner.accept(ctx, fee, type_urls)
            }
        }
    }
}

fn valid(time: Option<&Timestamp>) -> bool {
    time.is_none_or(|time| BlockTime::from(time).is_valid())
}

fn check_basic(own: &BasicAllowance) -> Result<(), TxError> {
    if !own.spend_limit.is_empty() {
        positive(&own.spend_limit)?;
    }
    if own.expiration.as_ref().is_some_and(|time| time.seconds < 0) {
        return Err(Error::InvalidDuration.because("expiration time cannot be negative"));
    }
    Ok(())
}

fn check_periodic(own: &PeriodicAllowance) -> Result<(), TxError> {
    check_basic(&own.basic)?;
    let each = positive(&own.period_spend_limit)?;
    Coins::strict(&own.period_can_spend)?;
    let whole = Coins::strict(&own.basic.spend_limit)?;
    if !whole.is_empty() && !each.iter().all(|(denom, _)| whole.amount(denom) > 0) {
        let text = "period spend limit has different currency than basic spend limit";
        return Err(TxError::sdk(
            sdk::INVALID_COINS,
            format!("{text}: invalid coins"),
        ));
    }
    if own.period.seconds < 0 || own.period.nanos < 0 {
        return Err(Error::InvalidDuration.because("negative clock step"));
    }
    Ok(())
}

fn positive(coins: &[Coin]) -> Result<Coins, TxError> {
    let coins = Coins::strict(coins)?;
    if coins.is_empty() {
        let text = "spend limit must be positive: invalid coins";
        return Err(TxError::sdk(sdk::INVALID_COINS, text));
    }
    Ok(coins)
}

fn accept_basic(
    now: BlockTime,
    own: &mut BasicAllowance,
    fee: &Coins,
    what: &str,
) -> Result<bool, TxError> {
    if own
        .expiration
        .as_ref()
        .is_some_and(|end| BlockTime::from(end) < now)
    {
        return Err(Error::FeeLimitExpired.because(what));
    }
    if own.spend_limit.is_empty() {
        return Ok(false);
    }
    own.spend_limit =
        less(&own.spend_limit, fee).ok_or_else(|| Error::FeeLimitExceeded.because(what))?;
    Ok(own.spend_limit.is_empty())
}

fn accept_periodic(
    now: BlockTime,
    own: &mut PeriodicAllowance,
    fee: &Coins,
) -> Result<bool, TxError> {
    let end = own.basic.expiration.as_ref();
    if end.is_some_and(|end| BlockTime::from(end) < now) {
        return Err(Error::FeeLimitExpired.because("absolute limit"));
    }
    reset_period(now, own)?;
    own.period_can_spend = less(&own.period_can_spend, fee)
        .ok_or_else(|| Error::FeeLimitExceeded.because("period limit"))?;
    accept_basic(now, &mut own.basic, fee, "absolute limit")
}

/// Starts a new period when the last one is over: one period after the last, or after now when that lies back as well.
fn reset_period(now: BlockTime, own: &mut PeriodicAllowance) -> Result<(), TxError> {
    let reset = BlockTime::from(&own.period_reset);
    if now < reset {
        return Ok(());
    }
    let whole = Coins::strict(&own.basic.spend_limit)?;
    let each = Coins::strict(&own.period_spend_limit)?;
    let exceeds = each
        .iter()
        .any(|(denom, amount)| amount > whole.amount(denom));
    own.period_can_spend = if exceeds && !whole.is_empty() {
        own.basic.spend_limit.clone()
    } else {
        own.period_spend_limit.clone()
    };
    let mut next = later(reset, &own.period);
    if now > next {
        next = later(now, &own.period);
    }
    own.period_reset = Timestamp {
        seconds: next.seconds,
        nanos: next.nanos,
    };
    Ok(())
}

/// A moment some time later; the last moment of the calendar when that lies beyond it.
fn later(from: BlockTime, by: &Duration) -> BlockTime {
    let nanos = from
        .unix_nanos()
        .saturating_add(i128::from(by.seconds).saturating_mul(1_000_000_000))
        .saturating_add(by.nanos.into());
    let moment = BlockTime {
        seconds: i64::try_from(nanos.div_euclid(1_000_000_000)).unwrap_or(i64::MAX),
        nanos: i32::try_from(nanos.rem_euclid(1_000_000_000)).unwrap_or(0),
    };
    moment.min(BlockTime::LAST)
}

/// What is left of coins; `None` when they do not suffice.
fn less(from: &[Coin], fee: &Coins) -> Option<Vec<Coin>> {
    let from = Coins::strict(from).ok()?;
    if fee
        .iter()
        .any(|(denom, amount)| amount > from.amount(denom))
    {
        return None;
    }
    let mut left = Coins::new();
    for (denom, amount) in from.iter() {
        left.add(denom, amount.checked_sub(fee.amount(denom))?)?;
    }
    Some(left.to_proto())
}
