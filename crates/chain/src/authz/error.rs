//! Registered errors of `authz`.

use crate::modules::shared::error::registered_errors;

registered_errors! {
    /// Registered errors of `authz`.
    Error of "authz" {
        /// No grant under granter, grantee and message type.
        NoAuthorizationFound = 2 => "authorization not found",
        /// An expiration that has passed.
        InvalidExpirationTime = 3 => "expiration time of authorization should be more than current time",
        /// An authorization that names no kind of message.
        UnknownAuthorizationType = 4 => "unknown authorization type",
        /// A grant with an expiration that is not in the queue.
        NoGrantKeyFound = 5 => "grant key not found",
        /// The grant's time is over.
        AuthorizationExpired = 6 => "authorization expired",
        /// A grant to oneself.
        GranteeIsGranter = 7 => "grantee and granter should be different",
        /// A message that several accounts must sign.
        NumOfSigners = 9 => "authorization can be given to msg with only one signer",
        /// A negative limit.
        NegativeMaxTokens = 12 => "max tokens should be positive",
    }
}
