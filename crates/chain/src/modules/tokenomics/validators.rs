//! Who shares the proposers' part of what is minted (chain specification 3.5).

use protocol::settlement::{Delegation, Validator};

use crate::context::Context;
use crate::error::ChainError;
use crate::staking;

/// A bonded validator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BondedValidator {
    /// Address as operator, `poktvaloper…`; events show it.
    pub operator_address: String,
    /// Account, stake and delegations.
    pub validator: Validator,
}

/// The bonded validators with tokens, by operator, each with its delegations by delegator. On a chain without any the
/// proposers' part of a settlement stays in the account of `tokenomics`.
///
/// # Errors
/// When the store fails.
pub fn validators(ctx: &Context<'_>) -> Result<Vec<BondedValidator>, ChainError> {
    let mut out = Vec::new();
    for (operator, _) in staking::last_powers(ctx)? {
        let validator = staking::validator(ctx, &operator)?
            .ok_or_else(|| ChainError::invariant("a bonded validator without a record"))?;
        if !validator.is_bonded() || validator.tokens == 0 {
            continue;
        }
        let mut delegations = Vec::new();
        for delegation in staking::delegations_to(ctx, &operator)? {
            delegations.push(Delegation {
                delegator: delegation.delegator.to_bech32(),
                shares: delegation.shares.places()?,
            });
        }
        out.push(BondedValidator {
            operator_address: validator.operator_text(),
            validator: Validator {
                account: operator.to_bech32(),
                tokens: validator.tokens,
                delegator_shares: validator.shares.places()?,
                commission_rate: validator.commission.rate.places()?,
                delegations,
            },
        });
    }
    Ok(out)
}
