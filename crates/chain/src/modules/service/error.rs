//! Registered errors of `service`.

use crate::modules::shared::error::registered_errors;

registered_errors! {
    /// Registered errors of `service` (chain specification 1.5).
    Error of "service" {
        /// A params update that the governance account did not sign.
        InvalidSigner = 1100 => "expected gov account as only signer for proposal message",
        /// Two entries of a genesis for one service.
        DuplicateIndex = 1101 => "duplicate index when adding a new service",
        /// Not an address.
        InvalidAddress = 1102 => "invalid address when adding a new service",
        /// No service id.
        MissingId = 1103 => "missing service ID",
        /// No service name.
        MissingName = 1104 => "missing service name",
        /// The service exists.
        AlreadyExists = 1105 => "service already exists",
        /// The owner cannot pay the fee.
        NotEnoughFunds = 1108 => "not enough funds to add service",
        /// The fee could not be moved.
        FailedToDeductFee = 1109 => "failed to deduct fee",
        /// A relay response that is malformed.
        InvalidRelayResponse = 1110 => "invalid relay response",
        /// A relay request that is malformed.
        InvalidRelayRequest = 1111 => "invalid relay request",
        /// The owner in the service is not the signer, or not the owner on chain.
        InvalidOwnerAddress = 1113 => "invalid owner address",
        /// A param that does not exist or a value that does not fit.
        ParamInvalid = 1115 => "the provided param is invalid",
        /// No difficulty for a service.
        MissingRelayMiningDifficulty = 1116 => "missing relay mining difficulty",
        /// No such service.
        NotFound = 1117 => "service not found",
        /// Somebody other than the owner.
        Unauthorized = 1118 => "unauthorized service operation",
    }
}
