//! How validators and their delegators share the proposer's part (chain §3.5).

use std::cmp::Reverse;
use std::collections::BTreeMap;

use num_bigint::BigUint;
use num_integer::Integer as _;
use num_traits::{ToPrimitive as _, Zero as _};

use crate::amount::Upokt;
use crate::big;
use crate::error::ProtocolError;

/// What one is, in the decimals of the staking module: 18 places.
pub const ATTO: u128 = 1_000_000_000_000_000_000;

/// A bonded validator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Validator {
    /// Address of its account.
    pub account: String,
    /// Bonded tokens.
    pub tokens: u128,
    /// All shares in it, times [`ATTO`].
    pub delegator_shares: u128,
    /// Part of a reward that it keeps before its delegators, times [`ATTO`].
    pub commission_rate: u128,
    /// Its delegations, its own included.
    pub delegations: Vec<Delegation>,
}

/// A part of a validator's stake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delegation {
    /// Address of the delegator.
    pub delegator: String,
    /// Shares, times [`ATTO`].
    pub shares: u128,
}

/// What one validator and its delegators get.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValidatorReward {
    /// Address of its account.
    pub account: String,
    /// Its part of the pool; the sum of the next three.
    pub pool_share: Upokt,
    /// Commission.
    pub commission: Upokt,
    /// What its own delegation earns, and everything if it has no delegation at all.
    pub self_delegation: Upokt,
    /// What the others earn together.
    pub delegators: Upokt,
    /// Number of other delegators.
    pub num_delegators: u64,
    /// Tokens behind all delegations.
    pub delegated_tokens: u128,
}

/// Where a pool goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Distribution {
    /// One entry for each validator with a share, by account address.
    pub rewards: Vec<ValidatorReward>,
    /// The sum for each recipient; nobody gets nothing.
    pub transfers: BTreeMap<String, Upokt>,
}

impl Distribution {
    fn pay(&mut self, recipient: &str, amount: Upokt) -> Result<(), ProtocolError> {
        if !amount.is_zero() {
            let total = self.transfers.entry(recipient.to_owned()).or_default();
            *total = total.plus(amount)?;
        }
        Ok(())
    }
}

/// Distributes `pool` over validators by bonded tokens, and each part over commission and delegations. Without bonded
/// tokens nothing is distributed.
///
/// # Errors
/// [`ProtocolError::AmountOverflow`].
pub fn distribute(pool: Upokt, validators: &[Validator]) -> Result<Distribution, ProtocolError> {
    let mut validators: Vec<&Validator> = validators.iter().collect();
    validators.sort_by(|a, b| a.account.cmp(&b.account));
    let weights = validators
        .iter()
        .map(|v| (v.account.as_str(), v.tokens))
        .collect::<Vec<_>>();
    let mut distribution = Distribution::default();
    for (validator, share) in validators.iter().zip(largest_remainder(pool, &weights)?) {
        if !share.is_zero() {
            reward(&mut distribution, validator, share)?;
        }
    }
    Ok(distribution)
}

fn reward(
    distribution: &mut Distribution,
    validator: &Validator,
    pool_share: Upokt,
) -> Result<(), ProtocolError> {
    let own = validator.account.as_str();
    let over = big::product(&pool_share.0.into(), &validator.commission_rate.into());
    let commission = Upokt::from_big(&big::floor(&over, &ATTO.into()))?.min(pool_share);
    let rest = pool_share.minus(commission)?;
    let mut stakes = BTreeMap::<&str, u128>::new();
    for delegation in &validator.delegations {
        // After a slash, few shares may stand for no token; who holds them is nobody here.
        let tokens = tokens_of(delegation, validator)?;
        if tokens > 0 {
            let stake = stakes.entry(&delegation.delegator).or_default();
            *stake = stake.saturating_add(tokens);
        }
    }
    let stakes: Vec<(&str, u128)> = stakes.into_iter().collect();
    let shares = largest_remainder(rest, &stakes)?;
    let (mut self_delegation, mut delegators, mut num_delegators) =
        (Upokt::ZERO, Upokt::ZERO, 0u64);
    if shares.iter().all(|share| share.is_zero()) {
        self_delegation = rest;
    }
    for ((delegator, _), share) in stakes.iter().zip(&shares) {
        if *delegator == own {
            self_delegation = self_delegation.plus(*share)?;
        } else {
            delegators = delegators.plus(*share)?;
            num_delegators = num_delegators.saturating_add(1);
            distribution.pay(delegator, *share)?;
        }
    }
    distribution.pay(own, commission.plus(self_delegation)?)?;
    let delegated_tokens = stakes
        .iter()
        .fold(0u128, |sum, (_, tokens)| sum.saturating_add(*tokens));
    distribution.rewards.push(ValidatorReward {
        account: own.to_owned(),
        pool_share,
        commission,
        self_delegation,
        delegators,
        num_delegators,
        delegated_tokens,
    });
    Ok(())
}

/// Tokens behind a delegation, as the staking module counts: `shares * tokens / delegator_shares` rounded to 18 places,
/// half to even, then truncated.
fn tokens_of(delegation: &Delegation, validator: &Validator) -> Result<u128, ProtocolError> {
    let one = BigUint::from(ATTO);
    let over = big::product(&delegation.shares.into(), &validator.tokens.into());
    let over = big::product(&over, &big::product(&one, &one));
    let quotient = big::floor(&over, &validator.delegator_shares.into());
    let (places, dropped) = quotient.div_rem(&one);
    let half = BigUint::from(ATTO / 2);
    let up = dropped > half || (dropped == half && places.is_odd());
    let places = if up {
        big::sum(&places, &BigUint::from(1u8))
    } else {
        places
    };
    big::floor(&places, &one)
        .to_u128()
        .ok_or(ProtocolError::AmountOverflow)
}

/// Splits `total` by weight with the largest-remainder method: everybody gets `floor(total * weight / sum)`, and the
/// units left over go one each to the largest fractions, ties by name. The result is in the order of `weights` and adds
/// up to `total`, or is all nothing if no weight is above 0.
///
/// # Errors
/// [`ProtocolError::AmountOverflow`].
pub fn largest_remainder(
    total: Upokt,
    weights: &[(&str, u128)],
) -> Result<Vec<Upokt>, ProtocolError> {
    let sum = weights
        .iter()
        .fold(BigUint::zero(), |sum, (_, w)| big::sum(&sum, &(*w).into()));
    if sum.is_zero() {
        return Ok(vec![Upokt::ZERO; weights.len()]);
    }
    let mut shares = Vec::with_capacity(weights.len());
    let mut fractions = Vec::with_capacity(weights.len());
    for (index, (name, weight)) in weights.iter().enumerate() {
        let (base, fraction) = big::product(&total.0.into(), &(*weight).into()).div_rem(&sum);
        shares.push(Upokt::from_big(&base)?);
        fractions.push((Reverse(fraction), *name, index));
    }
    fractions.sort();
    let left = total.minus(Upokt::sum(shares.iter().copied())?)?;
    // Fewer units are left over than there are weights.
    let left = usize::try_from(left.0).unwrap_or(usize::MAX);
    for (_, _, index) in fractions.into_iter().take(left) {
        if let Some(share) = shares.get_mut(index) {
            *share = share.plus(Upokt(1))?;
        }
    }
    Ok(shares)
}
