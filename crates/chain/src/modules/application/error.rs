//! Registered errors of `application`.

use crate::modules::shared::error::registered_errors;

registered_errors! {
    /// Registered errors of `application` (chain specification 1.2).
    Error of "application" {
        /// A params update that the governance account did not sign.
        InvalidSigner = 1100 => "expected gov account as only signer for proposal message",
        /// A stake that is no amount of upokt, too low, or not above the present one.
        InvalidStake = 1101 => "invalid application stake",
        /// Not an address.
        InvalidAddress = 1102 => "invalid application address",
        /// Signed by somebody else.
        Unauthorized = 1103 => "unauthorized application signer",
        /// Not staked.
        NotFound = 1104 => "application not found",
        /// Not exactly one valid service.
        InvalidServiceConfigs = 1106 => "invalid service configs",
        /// The gateway is not staked.
        GatewayNotFound = 1107 => "gateway not found",
        /// Not a gateway address.
        InvalidGatewayAddress = 1108 => "invalid gateway address",
        /// Delegated to this gateway before.
        AlreadyDelegated = 1109 => "application already delegated to gateway",
        /// No more gateways allowed.
        MaxDelegatedGateways = 1110 => "maximum number of delegated gateways reached",
        /// Not delegated to this gateway.
        NotDelegated = 1111 => "application not delegated to gateway",
        /// Unbonding.
        IsUnstaking = 1112 => "application is in unbonding period",
        /// The destination of a transfer exists, or is the source.
        DuplicateAddress = 1113 => "duplicate application address",
        /// Being transferred.
        HasPendingTransfer = 1114 => "application is in transfer period",
        /// A param that does not exist or a value that does not fit.
        ParamInvalid = 1115 => "the provided param is invalid",
        /// An event could not be made.
        EmitEvent = 1116 => "unable to emit onchain event",
        /// A query filter that is no address.
        QueryInvalidGatewayAddress = 1117 =>
            "invalid gateway address querying for apps with delegatee gateway address",
        /// A spend limit that is no amount of upokt or too low.
        InvalidSpendLimit = 1118 => "invalid per-session spend limit",
    }
}
