//! What a grant allows: any message of a type, transfers up to a limit, or staking up to a limit.

use std::collections::BTreeMap;

use prost_types::Any;
use proto::cosmos::authz::v1beta1::GenericAuthorization;
use proto::cosmos::bank::v1beta1::{MsgSend, SendAuthorization};
use proto::cosmos::base::v1beta1::Coin;
use proto::cosmos::staking::v1beta1::stake_authorization::ValidatorsOneOf;
use proto::cosmos::staking::v1beta1::{
    AuthorizationType, MsgBeginRedelegate, MsgCancelUnbondingDelegation, MsgDelegate,
    MsgUndelegate, StakeAuthorization,
};

use super::error::Error;
use crate::bank::{self, Coins, coin};
use crate::context::Context;
use crate::error::TxError;
use crate::limits::AUTHZ_LIST_GAS;
use crate::message::{decode, unset_number};
use crate::sdk;

/// An authorization of a type this chain knows.
#[derive(Clone, Debug, PartialEq)]
pub enum Authorization {
    /// Any message of one type.
    Generic(GenericAuthorization),
    /// Transfers, up to an amount, to all or to listed accounts.
    Send(SendAuthorization),
    /// One kind of staking message, up to an amount or without limit, with allowed or denied validators.
    Stake(StakeAuthorization),
}

/// What becomes of the grant when its authorization accepts a message.
#[derive(Clone, Debug, PartialEq)]
pub enum Acceptance {
    /// It stays as it is.
    Keep,
    /// It is used up.
    Delete,
    /// Less is left of it.
    Update(Authorization),
}

impl Authorization {
    /// Reads an authorization.
    ///
    /// # Errors
    /// sdk 2 for another type or broken bytes, as the reference cannot read such a transaction.
    pub fn from_any(any: &Any) -> Result<Self, TxError> {
        let url = any.type_url.as_str();
        if url == proto::any::type_url::<GenericAuthorization>() {
            decode(&any.value).map(Self::Generic)
        } else if url == proto::any::type_url::<SendAuthorization>() {
            decode(&any.value).map(Self::Send)
        } else if url == proto::any::type_url::<StakeAuthorization>() {
            decode(&any.value).map(Self::Stake)
        } else {
            let text = format!("`{}` is no authorization: tx parse error", any.type_url);
            Err(TxError::sdk(sdk::TX_PARSE, text))
        }
    }

    /// As stored.
    pub fn to_any(&self) -> Any {
        match self {
            Self::Generic(own) => proto::any::pack(own),
            Self::Send(own) => proto::any::pack(own),
            Self::Stake(own) => proto::any::pack(own),
        }
    }

    /// Type URL of the messages it is about; empty for a stake authorization of no known kind.
    pub fn type_url(&self) -> String {
        match self {
            Self::Generic(own) => own.msg.clone(),
            Self::Send(_) => proto::any::type_url::<MsgSend>(),
            Self::Stake(own) => match own.authorization_type() {
                AuthorizationType::Unspecified => String::new(),
                AuthorizationType::Delegate => proto::any::type_url::<MsgDelegate>(),
                AuthorizationType::Undelegate => proto::any::type_url::<MsgUndelegate>(),
                AuthorizationType::Redelegate => proto::any::type_url::<MsgBeginRedelegate>(),
                AuthorizationType::CancelUnbondingDelegation => {
                    proto::any::type_url::<MsgCancelUnbondingDelegation>()
                }
            },
        }
    }

    /// Checks the authorization by itself.
    ///
    /// # Errors
    /// In the reference's words and codes.
    pub fn check(&self) -> Result<(), TxError> {
        match self {
            Self::Generic(own) if own.msg.is_empty() => {
                Err(TxError::undefined("msg type cannot be empty"))
            }
            Self::Generic(_) => Ok(()),
            Self::Send(own) => check_send(own),
            Self::Stake(own) => check_stake(own),
        }
    }

    /// Whether a message may be executed, and what is left afterwards. `value` is the encoded message of type
    /// [`Self::type_url`].
    ///
    /// # Errors
    /// In the reference's words and codes; out of gas.
    pub fn accept(&self, ctx: &mut Context, value: &[u8]) -> Result<Acceptance, TxError> {
        match self {
            Self::Generic(_) => Ok(Acceptance::Keep),
            Self::Send(own) => accept_send(ctx, own, &decode(value)?),
            Self::Stake(own) => accept_stake(ctx, own, value),
        }
    }
}

fn check_send(own: &SendAuthorization) -> Result<(), TxError> {
    let refuse = |text: &str| TxError::sdk(sdk::INVALID_COINS, format!("{text}: invalid coins"));
    if own.spend_limit.is_empty() {
        return Err(refuse("spend limit cannot be nil"));
    }
    // Order does not matter here; a list out of order cannot be used.
    if !own
        .spend_limit
        .iter()
        .all(|coin| bank::amount(coin).is_some_and(|amount| amount > 0))
    {
        return Err(refuse("spend limit must be positive"));
    }
    let mut seen = std::collections::BTreeSet::new();
    if own.allow_list.iter().all(|address| seen.insert(address)) {
        Ok(())
    } else {
        Err(TxError::registered("bank", 8, "duplicate entry"))
    }
}

fn accept_send(
    ctx: &mut Context,
    own: &SendAuthorization,
    message: &MsgSend,
) -> Result<Acceptance, TxError> {
    let mut left = sums(&own.spend_limit)?;
    let exceeded = || {
        let text = "requested amount is more than spend limit: insufficient funds";
        TxError::sdk(sdk::INSUFFICIENT_FUNDS, text)
    };
    for (denom, amount) in given(&message.amount)?.iter() {
        let rest = left.get_mut(denom).ok_or_else(exceeded)?;
        *rest = rest.checked_sub(amount).ok_or_else(exceeded)?;
    }
    left.retain(|_, rest| *rest > 0);
    let listed = find(
        ctx,
        &own.allow_list,
        &message.to_address,
        "send authorization",
    )?;
    if !own.allow_list.is_empty() && !listed {
        let text = format!(
            "cannot send to {} address: unauthorized",
            message.to_address
        );
        return Err(TxError::sdk(sdk::UNAUTHORIZED, text));
    }
    if left.is_empty() {
        return Ok(Acceptance::Delete);
    }
    let left = left.into_iter().map(|(denom, rest)| coin(rest, denom));
    Ok(Acceptance::Update(Authorization::Send(SendAuthorization {
        spend_limit: left.collect(),
        allow_list: own.allow_list.clone(),
    })))
}

/// A limit by denomination.
///
/// # Errors
/// The code of a panic for coins out of order.
fn sums(limit: &[Coin]) -> Result<BTreeMap<&str, u128>, TxError> {
    if !limit.is_sorted_by(|one, next| one.denom <= next.denom) {
        return Err(TxError::panic("coins must be sorted"));
    }
    let mut sums = BTreeMap::<&str, u128>::new();
    for coin in limit {
        let sum = sums.entry(&coin.denom).or_default();
        *sum = bank::amount(coin)
            .and_then(|amount| sum.checked_add(amount))
            .ok_or_else(|| TxError::panic(format_args!("an amount of `{}`", coin.amount)))?;
    }
    Ok(sums)
}

/// The coins of a message in order and without zeros; the bank looks at how they were written afterwards.
///
/// # Errors
/// The code of a panic for a denomination that is none or comes twice, and for amounts below nothing.
fn given(coins: &[Coin]) -> Result<Coins, TxError> {
    let some = coins.iter().filter(|coin| bank::amount(coin) != Some(0));
    let mut some: Vec<Coin> = some.cloned().collect();
    some.sort_by(|one, next| one.denom.cmp(&next.denom));
    Coins::strict(&some).map_err(TxError::panic)
}

fn check_stake(own: &StakeAuthorization) -> Result<(), TxError> {
    if let Some(most) = &own.max_tokens
        && bank::amount(most).is_none()
    {
        let detail = format_args!("negative coin amount: {}{}", most.amount, most.denom);
        return Err(Error::NegativeMaxTokens.because(detail));
    }
    if own.authorization_type == AuthorizationType::Unspecified as i32 {
        return Err(Error::UnknownAuthorizationType.bare());
    }
    Ok(())
}

fn accept_stake(
    ctx: &mut Context,
    own: &StakeAuthorization,
    value: &[u8],
) -> Result<Acceptance, TxError> {
    let (validator, amount) = staked(own.authorization_type(), value)?;
    let (allowed, denied) = match &own.validators {
        Some(ValidatorsOneOf::AllowList(list)) => (list.address.as_slice(), &[][..]),
        Some(ValidatorsOneOf::DenyList(list)) => (&[][..], list.address.as_slice()),
        None => (&[][..], &[][..]),
    };
    let refuse = || {
        let text = format!("cannot delegate/undelegate to {validator} validator: unauthorized");
        TxError::sdk(sdk::UNAUTHORIZED, text)
    };
    let is_allowed = find(ctx, allowed, &validator, "stake authorization")?;
    if find(ctx, denied, &validator, "stake authorization")? {
        return Err(refuse());
    }
    if !allowed.is_empty() && !is_allowed {
        return Err(refuse());
    }
    let Some(most) = &own.max_tokens else {
        return Ok(Acceptance::Keep);
    };
    if most.denom != amount.denom {
        let text = format!("invalid coin denoms: {}, {}", most.denom, amount.denom);
        return Err(TxError::undefined(text));
    }
    if amount.amount.is_empty() {
        return Err(unset_number("amount"));
    }
    let Some(taken) = bank::amount(&amount) else {
        // Less than nothing is within any limit; the message itself is refused for it.
        return Ok(Acceptance::Keep);
    };
    let most_tokens = bank::amount(most).unwrap_or_default();
    let Some(left) = most_tokens.checked_sub(taken) else {
        let below = taken.saturating_sub(most_tokens);
        let text = format!("negative coin amount: -{below}{}", most.denom);
        return Err(TxError::undefined(text));
    };
    if left == 0 {
        return Ok(Acceptance::Delete);
    }
    Ok(Acceptance::Update(Authorization::Stake(
        StakeAuthorization {
            max_tokens: Some(coin(left, &most.denom)),
            ..own.clone()
        },
    )))
}

/// Validator and amount of a staking message of a kind.
fn staked(kind: AuthorizationType, value: &[u8]) -> Result<(String, Coin), TxError> {
    Ok(match kind {
        AuthorizationType::Delegate => {
            let message: MsgDelegate = decode(value)?;
            (message.validator_address, message.amount)
        }
        AuthorizationType::Undelegate => {
            let message: MsgUndelegate = decode(value)?;
            (message.validator_address, message.amount)
        }
        AuthorizationType::Redelegate => {
            let message: MsgBeginRedelegate = decode(value)?;
            (message.validator_dst_address, message.amount)
        }
        AuthorizationType::CancelUnbondingDelegation => {
            let message: MsgCancelUnbondingDelegation = decode(value)?;
            (message.validator_address, message.amount)
        }
        AuthorizationType::Unspecified => {
            let text = "unknown msg type: invalid request";
            return Err(TxError::sdk(sdk::INVALID_REQUEST, text));
        }
    })
}

/// Looks for an entry from the front, paying for each that is looked at.
fn find(ctx: &mut Context, list: &[String], wanted: &str, what: &str) -> Result<bool, TxError> {
    for entry in list {
        ctx.charge(AUTHZ_LIST_GAS, what)?;
        if entry == wanted {
            return Ok(true);
        }
    }
    Ok(false)
}
