//! Registered errors of `proof`.

use crate::modules::shared::error::registered_errors;

registered_errors! {
    /// Registered errors of `proof` (chain specification 1.7).
    Error of "proof" {
        /// A params update that the governance account did not sign.
        InvalidSigner = 1100 => "expected gov account as only signer for proposal message",
        /// Not an address.
        InvalidAddress = 1101 => "invalid address",
        /// The operator is not among the suppliers of the session.
        SupplierNotInSession = 1102 => "supplier not found",
        /// A root that is not 48 bytes, or counts or weighs nothing.
        InvalidRoot = 1104 => "invalid root hash",
        /// No claim of this operator for this session.
        ClaimNotFound = 1106 => "claim not found",
        /// No proof of this operator for this session.
        ProofNotFound = 1107 => "proof not found",
        /// A proof that is empty or does not decode.
        InvalidProof = 1108 => "invalid proof",
        /// The relay request in a proof is not acceptable.
        InvalidRelayRequest = 1110 => "invalid relay request",
        /// A session header that is missing or malformed.
        InvalidSessionHeader = 1115 => "invalid session header",
        /// Not the id of the session.
        InvalidSessionId = 1116 => "invalid session ID",
        /// End heights differ.
        InvalidSessionEndHeight = 1117 => "invalid session end height",
        /// Start heights differ.
        InvalidSessionStartHeight = 1118 => "invalid session start height",
        /// No param of this name can be set.
        ParamNameInvalid = 1119 => "the provided param name is invalid",
        /// The value of a param, or its type, does not fit.
        ParamInvalid = 1120 => "the provided param is invalid",
        /// Outside of the claim window.
        ClaimOutsideWindow = 1121 => "claim attempted outside of the session's claim window",
        /// Outside of the proof window.
        ProofOutsideWindow = 1122 => "proof attempted outside of the session's proof window",
        /// Services differ.
        ServiceNotFound = 1125 => "service not found",
        /// The sum of a root is not what its relays weigh.
        ComputeUnitsMismatch = 1126 =>
            "mismatch: claim compute units != number of relays * service compute units per relay",
        /// The operator cannot pay the fee.
        NotEnoughFunds = 1127 => "not enough funds to submit proof",
        /// The fee could not be moved.
        FailedToDeductFee = 1128 => "failed to deduct proof submission fee",
        /// The claim needs no proof.
        ProofNotRequired = 1129 => "proof not required",
        /// The amount of a claim cannot be computed.
        InvalidClaimedAmount = 1131 => "invalid claimed amount",
    }
}
