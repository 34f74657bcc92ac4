//! Registered errors of `gateway`.

use crate::modules::shared::error::registered_errors;

registered_errors! {
    /// Registered errors of `gateway` (chain specification 1.3).
    Error of "gateway" {
        /// A params update that the governance account did not sign.
        InvalidSigner = 1100 => "expected gov account as only signer for proposal message",
        /// Not an address.
        InvalidAddress = 1101 => "invalid gateway address",
        /// A stake that is no amount of upokt, too low, or not above the present one.
        InvalidStake = 1102 => "invalid gateway stake",
        /// Signed by somebody else.
        Unauthorized = 1103 => "unauthorized signer",
        /// Not staked.
        NotFound = 1104 => "gateway not found",
        /// A param that does not exist or a value that does not fit.
        ParamInvalid = 1105 => "the provided param is invalid",
        /// An event could not be made.
        EmitEvent = 1106 => "unable to emit onchain event",
        /// Unbonding.
        IsUnstaking = 1107 => "gateway is in unbonding period",
        /// Past its last session.
        IsInactive = 1108 => "gateway is no longer active",
    }
}
