//! How a settled amount is divided (chain §3.3, §3.4).

use std::collections::BTreeMap;

use num_bigint::BigUint;
use proto::pocket::tokenomics::{MintAllocationPercentages, MintEqualsBurnClaimDistribution};

use crate::amount::Upokt;
use crate::big;
use crate::decimal::Ratio;
use crate::error::ProtocolError;

/// The shares of a minted amount that are computed; the DAO gets what is left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Percentages {
    /// Suppliers' shareholders.
    pub supplier: Ratio,
    /// Validators and their delegators.
    pub proposer: Ratio,
    /// The owner of the service, called Source.
    pub source_owner: Ratio,
    /// The application.
    pub application: Ratio,
}

impl Percentages {
    fn new(
        supplier: f64,
        proposer: f64,
        source_owner: f64,
        application: f64,
    ) -> Result<Percentages, ProtocolError> {
        Ok(Percentages {
            supplier: Ratio::from_double(supplier)?,
            proposer: Ratio::from_double(proposer)?,
            source_owner: Ratio::from_double(source_owner)?,
            application: Ratio::from_double(application)?,
        })
    }

    /// Of the parameter `mint_equals_burn_claim_distribution`.
    ///
    /// # Errors
    /// [`ProtocolError::NotADecimal`].
    pub fn of_burn(params: &MintEqualsBurnClaimDistribution) -> Result<Percentages, ProtocolError> {
        let p = params;
        Percentages::new(p.supplier, p.proposer, p.source_owner, p.application)
    }

    /// Of the parameter `mint_allocation_percentages`.
    ///
    /// # Errors
    /// [`ProtocolError::NotADecimal`].
    pub fn of_mint(params: &MintAllocationPercentages) -> Result<Percentages, ProtocolError> {
        let p = params;
        Percentages::new(p.supplier, p.proposer, p.source_owner, p.application)
    }
}

/// The five shares of a minted amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shares {
    /// To the shareholders of the supplier.
    pub supplier: Upokt,
    /// To the pool of validators.
    pub proposer: Upokt,
    /// To the owner of the service.
    pub source_owner: Upokt,
    /// To the application.
    pub application: Upokt,
    /// The rest, to the DAO.
    pub dao: Upokt,
}

/// Splits `whole`: four floors, and the rest for the DAO.
///
/// # Errors
/// [`ProtocolError::ShareSum`] if the percentages exceed one.
pub fn split(whole: Upokt, percentages: &Percentages) -> Result<Shares, ProtocolError> {
    let supplier = percentages.supplier.floor_of(whole)?;
    let proposer = percentages.proposer.floor_of(whole)?;
    let source_owner = percentages.source_owner.floor_of(whole)?;
    let application = percentages.application.floor_of(whole)?;
    let taken = Upokt::sum([supplier, proposer, source_owner, application])?;
    let dao = whole.minus(taken).map_err(|_| ProtocolError::ShareSum)?;
    Ok(Shares {
        supplier,
        proposer,
        source_owner,
        application,
        dao,
    })
}

/// The first token logic module: the application burns what was settled, and a part of that is minted and split.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BurnEqualsMint {
    /// Minted, and split completely.
    pub minted: Upokt,
    /// Where it goes.
    pub shares: Shares,
}

/// Mints `floor(settled * mint_ratio)` and splits it.
///
/// # Errors
/// [`ProtocolError::ZeroMint`] if that is nothing, [`ProtocolError::ShareSum`].
pub fn burn_equals_mint(
    settled: Upokt,
    mint_ratio: &Ratio,
    percentages: &Percentages,
) -> Result<BurnEqualsMint, ProtocolError> {
    let minted = mint_ratio.floor_of(settled)?;
    if minted.is_zero() {
        return Err(ProtocolError::ZeroMint("the mint for a settled claim"));
    }
    Ok(BurnEqualsMint {
        minted,
        shares: split(minted, percentages)?,
    })
}

/// The second token logic module, and the amount of the third.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GlobalMint {
    /// Minted, and split completely. The application pays the same amount to the DAO as a reimbursement request.
    pub minted: Upokt,
    /// Where it goes.
    pub shares: Shares,
}

/// Mints `ceil(settled * inflation)` and splits it; `None` without inflation.
///
/// # Errors
/// [`ProtocolError::ZeroMint`] if nothing was settled, [`ProtocolError::ShareSum`].
pub fn global_mint(
    settled: Upokt,
    inflation: &Ratio,
    percentages: &Percentages,
) -> Result<Option<GlobalMint>, ProtocolError> {
    if inflation.is_zero() {
        return Ok(None);
    }
    let minted = inflation.ceil_of(settled)?;
    if minted.is_zero() {
        return Err(ProtocolError::ZeroMint("the global mint"));
    }
    Ok(Some(GlobalMint {
        minted,
        shares: split(minted, percentages)?,
    }))
}

/// Splits a supplier's share among its shareholders: `floor(amount * percentage / 100)` each, what is left over to the
/// first one listed. Shares of nothing are included; a caller skips them.
///
/// # Errors
/// [`ProtocolError::RevenueShare`] for a list that is empty, names an address twice or does not add up to 100, with
/// the reference's text; then the whole amount belongs to the supplier's owner (chain §3.4).
pub fn shareholders<'a>(
    amount: Upokt,
    revenue_share: impl IntoIterator<Item = (&'a str, u64)>,
) -> Result<BTreeMap<&'a str, Upokt>, ProtocolError> {
    let list: Vec<(&str, u64)> = revenue_share.into_iter().collect();
    let refused = |text: String| Err(ProtocolError::RevenueShare(text));
    let Some((first, _)) = list.first() else {
        return refused("empty revshare list".to_owned());
    };
    let mut shares = BTreeMap::new();
    let mut sum = 0u64;
    for (address, percentage) in &list {
        sum = sum.saturating_add(*percentage);
        let over = big::product(&BigUint::from(amount.0), &BigUint::from(*percentage));
        let share = big::floor(&over, &BigUint::from(100u8));
        if shares.insert(*address, share).is_some() {
            return refused(format!(
                "duplicate revshare recipient address: \"{address}\""
            ));
        }
    }
    if sum != 100 {
        return refused(format!("revshare percentage sum {sum} != required 100"));
    }
    let mut shares = shares
        .into_iter()
        .map(|(address, share)| Ok((address, Upokt::from_big(&share)?)))
        .collect::<Result<BTreeMap<_, _>, ProtocolError>>()?;
    let rest = amount.minus(Upokt::sum(shares.values().copied())?)?;
    if let Some(share) = shares.get_mut(first) {
        *share = share.plus(rest)?;
    }
    Ok(shares)
}
