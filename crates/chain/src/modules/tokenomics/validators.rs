//! Who shares the proposers' part of what is minted (chain specification 3.5).

use protocol::settlement::Validator;

use crate::context::Context;
use crate::error::ChainError;

/// A bonded validator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BondedValidator {
    /// Address as operator, `poktvaloper…`; events show it.
    pub operator_address: String,
    /// Account, stake and delegations.
    pub validator: Validator,
}

/// The bonded validators. This chain has no staking module, so there are none, and the proposers' part of a settlement
/// stays in the account of `tokenomics`, as in the reference when nobody is bonded. A staking module answers here.
///
/// # Errors
/// When the store fails.
pub fn validators(_ctx: &Context<'_>) -> Result<Vec<BondedValidator>, ChainError> {
    Ok(Vec::new())
}
