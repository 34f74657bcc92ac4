//! Registered errors of `tokenomics`. Those of settlement never reach a transaction; their texts are in events.

use crate::modules::shared::error::registered_errors;

registered_errors! {
    /// Registered errors of `tokenomics` (chain specification 1.8).
    Error of "tokenomics" {
        /// A params update that the governance account did not sign.
        InvalidSigner = 1100 =>
            "the provided authority address does not match the onchain governance address",
        /// The authority is not an address.
        InvalidAuthority = 1101 => "the provided authority address is not a valid bech32 address",
        /// A params update without a value.
        ParamsInvalid = 1108 => "provided params are invalid",
        /// No param of this name can be set.
        ParamNameInvalid = 1111 => "the provided param name is invalid",
        /// The value of a param, or its type, does not fit.
        ParamInvalid = 1112 => "the provided param is invalid",
    }
}
