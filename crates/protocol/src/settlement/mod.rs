//! The arithmetic of settlement: what a claim may burn, and where every coin goes (chain §3.2 to §3.5).
//!
//! Pure functions from amounts and parameters to amounts. Which claims settle, in which order, and how the coins move
//! is the chain's; the sums are here, so that an audit can repeat them without a chain.
//!
//! Invariants
//! - nothing is lost or made: the five shares add up to what was minted, a revenue split to what was split, a
//!   distribution to its pool;
//! - all percentages are exact decimals ([`crate::decimal`]), floors are taken once, where the specification says.

mod budget;
mod split;
mod validators;

pub use budget::{Capped, SessionBudget, with_surcharge};
pub use split::{
    BurnEqualsMint, GlobalMint, Percentages, Shares, burn_equals_mint, global_mint, shareholders,
    split,
};
pub use validators::{
    ATTO, Delegation, Distribution, Validator, ValidatorReward, distribute, largest_remainder,
};
