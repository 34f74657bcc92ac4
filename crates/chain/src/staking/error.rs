//! Errors of the module, codespace `staking`.

use std::fmt;

use crate::error::TxError;

/// A registered error: its code and text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Registered(u32, &'static str);

impl Registered {
    /// Without more words.
    pub(crate) fn plain(self) -> TxError {
        TxError::registered(super::MODULE, self.0, self.1)
    }

    /// With words before its text.
    pub(crate) fn with(self, words: impl fmt::Display) -> TxError {
        TxError::registered(super::MODULE, self.0, format!("{words}: {}", self.1))
    }
}

/// No such validator.
pub const NO_VALIDATOR: Registered = Registered(3, "validator does not exist");
/// The operator has a validator already.
pub const OPERATOR_EXISTS: Registered = Registered(
    4,
    "validator already exist for this operator address; must use new validator operator address",
);
/// The consensus key is a validator's already.
pub const PUB_KEY_EXISTS: Registered = Registered(
    5,
    "validator already exist for this pubkey; must use new validator pubkey",
);
/// The consensus params do not allow keys of this type.
pub const PUB_KEY_TYPE: Registered = Registered(6, "validator pubkey type is not supported");
/// The validator is jailed.
pub const JAILED: Registered = Registered(7, "validator for this address is currently jailed");
/// The validator cannot be removed.
pub const BAD_REMOVE: Registered = Registered(8, "failed to remove validator");
/// A rate is below 0.
pub const COMMISSION_NEGATIVE: Registered = Registered(9, "commission must be positive");
/// A rate is above 1.
pub const COMMISSION_HUGE: Registered = Registered(10, "commission cannot be more than 100%");
/// The rate is above the validator's maximum.
pub const COMMISSION_ABOVE_MAX: Registered =
    Registered(11, "commission cannot be more than the max rate");
/// The rate changed less than a day ago.
pub const COMMISSION_UPDATE_TIME: Registered =
    Registered(12, "commission cannot be changed more than once in 24h");
/// The largest change is below 0.
pub const CHANGE_RATE_NEGATIVE: Registered =
    Registered(13, "commission change rate must be positive");
/// The largest change is above the maximum.
pub const CHANGE_RATE_ABOVE_MAX: Registered = Registered(
    14,
    "commission change rate cannot be more than the max rate",
);
/// The rate changes by more than the validator allowed itself.
pub const COMMISSION_CHANGE: Registered =
    Registered(15, "commission cannot be changed more than max change rate");
/// The own delegation is below the promised minimum.
pub const SELF_DELEGATION: Registered = Registered(
    16,
    "validator's self delegation must be greater than their minimum self delegation",
);
/// The promised minimum may only grow.
pub const MIN_SELF_DELEGATION_DECREASED: Registered =
    Registered(17, "minimum self delegation cannot be decrease");
/// No such delegation.
pub const NO_DELEGATION: Registered =
    Registered(19, "no delegation for (address, validator) tuple");
/// The delegator has nothing with this validator.
pub const NO_DELEGATOR: Registered = Registered(21, "delegator does not contain delegation");
/// The validator has no tokens that shares could be measured in.
pub const INSUFFICIENT_SHARES: Registered = Registered(22, "insufficient delegation shares");
/// More shares than delegated.
pub const NOT_ENOUGH_SHARES: Registered = Registered(24, "not enough delegation shares");
/// Nothing is unbonding.
pub const NO_UNBONDING: Registered = Registered(26, "no unbonding delegation found");
/// Too many unbondings at once.
pub const MAX_UNBONDING: Registered = Registered(
    27,
    "too many unbonding delegation entries for (delegator, validator) tuple",
);
/// Nothing is being redelegated.
pub const NO_REDELEGATION: Registered = Registered(28, "no redelegation found");
/// Source and destination are one.
pub const SELF_REDELEGATION: Registered = Registered(29, "cannot redelegate to the same validator");
/// The amount is less than one token.
pub const TINY_REDELEGATION: Registered = Registered(
    30,
    "too few tokens to redelegate (truncates to zero tokens)",
);
/// No destination.
pub const BAD_REDELEGATION_DST: Registered =
    Registered(31, "redelegation destination validator not found");
/// What was redelegated must stay for a while.
pub const TRANSITIVE_REDELEGATION: Registered = Registered(
    32,
    "redelegation to this validator already in progress; first redelegation to this validator must complete before \
     next redelegation",
);
/// Too many redelegations at once.
pub const MAX_REDELEGATION: Registered = Registered(
    33,
    "too many redelegation entries for (delegator, src-validator, dst-validator) tuple",
);
/// All tokens were slashed, so that shares are worth nothing.
pub const BAD_EXCHANGE_RATE: Registered = Registered(
    34,
    "cannot delegate to validators with invalid (zero) ex-rate",
);
/// No consensus key.
pub const EMPTY_PUB_KEY: Registered = Registered(39, "empty validator public key");
/// The rate is below the chain's minimum.
pub const COMMISSION_BELOW_MIN: Registered =
    Registered(40, "commission cannot be less than min rate");
/// No source.
pub const BAD_REDELEGATION_SRC: Registered =
    Registered(44, "redelegation source validator not found");
