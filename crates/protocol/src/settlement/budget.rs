//! What the claims of one session may burn from their application (chain §3.2, relay-protocol §6.6).

use num_bigint::BigUint;

use crate::amount::Upokt;
use crate::big;
use crate::decimal::Ratio;
use crate::error::ProtocolError;

/// The claimed amount and what the application pays on top for inflation: `claimed + ceil(claimed * inflation)`.
///
/// # Errors
/// [`ProtocolError::AmountOverflow`].
pub fn with_surcharge(claimed: Upokt, inflation: &Ratio) -> Result<Upokt, ProtocolError> {
    claimed.plus(inflation.ceil_of(claimed)?)
}

/// The budget that all claims of one session share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionBudget {
    /// What each supplier can count on, surcharge included.
    pub floor: Upokt,
    /// Whether the application's own spend limit made the floor smaller.
    pub spend_limit_exceeded: bool,
    /// What suppliers below the floor leave over.
    pub unused: Upokt,
    /// What the others want above it.
    pub total_excess: Upokt,
}

/// What of a claim is settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capped {
    /// What is burned for it, without the surcharge. Less than claimed if the application was over-serviced.
    pub settled: Upokt,
    /// What the claim would have burned, surcharge included.
    pub expected_burn: Upokt,
    /// What it may burn at most, surcharge included; never more than expected.
    pub effective_burn: Upokt,
}

impl SessionBudget {
    /// The budget for `claims` claims collected for this session, from the application's stake before this settlement.
    /// `pending_sessions` is [`crate::params::pending_sessions`] at the session's end. A spend limit of nothing is
    /// none.
    pub fn new(
        application_stake: Upokt,
        spend_limit: Option<Upokt>,
        pending_sessions: u64,
        claims: u64,
    ) -> SessionBudget {
        let per_session = application_stake.div_or_zero(pending_sessions);
        let by_stake = per_session.div_or_zero(claims);
        let by_limit = spend_limit
            .filter(|limit| !limit.is_zero())
            .map(|limit| limit.min(per_session).div_or_zero(claims));
        let spend_limit_exceeded = by_limit.is_some_and(|by_limit| by_limit < by_stake);
        SessionBudget {
            floor: by_limit.map_or(by_stake, |by_limit| by_limit.min(by_stake)),
            spend_limit_exceeded,
            unused: Upokt::ZERO,
            total_excess: Upokt::ZERO,
        }
    }

    /// Counts a claim that will settle, with its surcharge: what it leaves over, or wants more.
    ///
    /// # Errors
    /// [`ProtocolError::AmountOverflow`].
    pub fn count(&mut self, with_surcharge: Upokt) -> Result<(), ProtocolError> {
        if with_surcharge < self.floor {
            self.unused = self.unused.plus(self.floor.minus(with_surcharge)?)?;
        } else {
            self.total_excess = self.total_excess.plus(with_surcharge.minus(self.floor)?)?;
        }
        Ok(())
    }

    /// Caps one claim. A claim up to the floor is paid in full. Above it the unused budget is shared in proportion to
    /// the excess, up to `overservicing_bonus_multiplier` times the floor; 0 and 1 mean no sharing.
    ///
    /// # Errors
    /// [`ProtocolError::AmountOverflow`].
    pub fn cap(
        &self,
        claimed: Upokt,
        inflation: &Ratio,
        overservicing_bonus_multiplier: u64,
    ) -> Result<Capped, ProtocolError> {
        let wanted = with_surcharge(claimed, inflation)?;
        let mut allowed = self.floor;
        if overservicing_bonus_multiplier > 1 && !self.total_excess.is_zero() && wanted > self.floor
        {
            let excess: BigUint = wanted.minus(self.floor)?.0.into();
            let over = big::product(&self.unused.0.into(), &excess);
            let bonus = Upokt::from_big(&big::floor(&over, &self.total_excess.0.into()))?;
            let most = big::product(&self.floor.0.into(), &overservicing_bonus_multiplier.into());
            let most = Upokt::from_big(&most).unwrap_or(Upokt(u128::MAX));
            allowed = self.floor.plus(bonus)?.min(most);
        }
        let settled = inflation
            .plus(&Ratio::one())
            .floor_quotient(allowed)?
            .min(claimed);
        Ok(Capped {
            settled,
            expected_burn: wanted,
            effective_burn: wanted.min(allowed),
        })
    }
}
