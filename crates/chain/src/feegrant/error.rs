//! Registered errors of `feegrant`.

use crate::modules::shared::error::registered_errors;

registered_errors! {
    /// Registered errors of `feegrant`.
    Error of "feegrant" {
        /// The fee is above what is left.
        FeeLimitExceeded = 2 => "fee limit exceeded",
        /// The allowance's time is over.
        FeeLimitExpired = 3 => "fee allowance expired",
        /// A period or an expiration that makes no sense.
        InvalidDuration = 4 => "invalid duration",
        /// Nothing is allowed.
        NoAllowance = 5 => "no allowance",
        /// A list of allowed messages without any.
        NoMessages = 6 => "allowed messages are empty",
        /// A message that is not on the list.
        MessageNotAllowed = 7 => "message not allowed",
    }
}
