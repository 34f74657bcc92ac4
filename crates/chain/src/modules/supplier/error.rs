//! Registered errors of `supplier`.

use crate::modules::shared::error::registered_errors;

registered_errors! {
    /// Registered errors of `supplier` (chain specification 1.4).
    Error of "supplier" {
        /// A params update that the governance account did not sign.
        InvalidSigner = 1100 => "expected gov account as only signer for proposal message",
        /// A stake that is no amount of upokt or too low.
        InvalidStake = 1101 => "invalid supplier stake",
        /// Not an address, or one that may not be used.
        InvalidAddress = 1102 => "invalid address",
        /// Not staked.
        NotFound = 1103 => "supplier not found",
        /// A service configuration that is malformed or not the signer's to change.
        InvalidServiceConfig = 1104 => "invalid service config",
        /// Unbonding.
        IsUnstaking = 1105 => "supplier is in unbonding period",
        /// A service that is not on chain.
        ServiceNotFound = 1106 => "service not found",
        /// A param that does not exist or a value that does not fit.
        ParamInvalid = 1107 => "the provided param is invalid",
        /// An event could not be made.
        EmitEvent = 1108 => "failed to emit event",
        /// A query filter that is no service id.
        InvalidServiceId = 1109 => "invalid service ID",
    }
}
