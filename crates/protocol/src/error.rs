//! What can be wrong with the things everybody must agree on.

use crate::address::AddressError;
use crate::amount::Upokt;

/// A refusal by a rule of the protocol. Variants that a chain reports carry the reference's codespace and code, see
/// [`ProtocolError::registered`]; their texts are the reference's.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ProtocolError {
    /// A sum or product of amounts above 2^128 - 1 upokt.
    #[error("amount overflow: more than 2^128 - 1 upokt")]
    AmountOverflow,
    /// A difference below nothing.
    #[error("{need} is more than the {have} there are")]
    AmountUnderflow {
        /// What there is.
        have: Upokt,
        /// What was to be taken.
        need: Upokt,
    },
    /// A coin that is not a plain amount of upokt.
    #[error("`{amount}{denom}` is not an amount of upokt")]
    BadCoin {
        /// The amount as written.
        amount: String,
        /// The denomination as written.
        denom: String,
    },
    /// A `double` parameter that stands for no decimal number.
    #[error("{0} is not a non-negative decimal number")]
    NotADecimal(f64),
    /// A divisor that parameters must keep from being 0.
    #[error("division by zero: a parameter or target hash is 0")]
    ZeroDivisor,
    /// A count of compute units or relays above 2^64 - 1.
    #[error("more than 2^64 - 1 compute units or relays")]
    CountOverflow,
    /// A parameter outside of the range in which the arithmetic is exact.
    #[error("{name} is {value}, which must be between 1 and 2^63 - 1")]
    ParameterRange {
        /// Name of the parameter.
        name: &'static str,
        /// Its value.
        value: u64,
    },
    /// Shared parameters that the chain refuses (chain §1.1).
    #[error("{0}: the provided param is invalid")]
    SharedParams(String),
    /// A service id that is empty, too long or has other characters than `[A-Za-z0-9_-]`.
    #[error("{0}: invalid service ID")]
    ServiceId(String),
    /// The application address of a session header.
    #[error("{address:?}; ({reason}): invalid application address for session")]
    SessionApplication {
        /// The address as written.
        address: String,
        /// What is wrong with it.
        reason: AddressError,
    },
    /// An empty session id.
    #[error("{0:?}: invalid sessionId")]
    SessionId(String),
    /// Start or end height of a session header.
    #[error("{0}: invalid block height for session")]
    SessionHeight(&'static str),
    /// A relay request that is not well formed.
    #[error("{0}: invalid relay request")]
    RelayRequest(String),
    /// A relay response that is not well formed or does not belong to its request.
    #[error("{0}: invalid relay response")]
    RelayResponse(String),
    /// Bytes that are not the message they should be.
    #[error("not a {what}: {reason}")]
    Decode {
        /// Name of the message.
        what: &'static str,
        /// What the decoder said.
        reason: String,
    },
    /// A claim root that is not 48 bytes.
    #[error("expecting root hash to be 48 bytes, got {0} bytes: invalid root hash")]
    RootLength(usize),
    /// A target hash that is not 32 bytes.
    #[error("target hash has {0} bytes, 32 are wanted")]
    TargetLength(usize),
    /// A revenue share list that names nobody, somebody twice, or not 100 per cent.
    #[error("{0}")]
    RevenueShare(String),
    /// More taken out of a minted amount than there is: the percentages exceed one.
    #[error("the shares of a distribution add up to more than the whole")]
    ShareSum,
    /// A settlement in which a mint would be zero (chain §3.3).
    #[error("{0} is zero")]
    ZeroMint(&'static str),
}

impl ProtocolError {
    /// Codespace and code of the reference for what its clients can see; `None` for what is ours alone.
    pub fn registered(&self) -> Option<(&'static str, u32)> {
        match self {
            ProtocolError::SharedParams(_) => Some(("shared", 1103)),
            ProtocolError::ServiceId(_) => Some(("shared", 1108)),
            ProtocolError::SessionApplication { .. } => Some(("session", 1105)),
            ProtocolError::SessionHeight(_) => Some(("session", 1107)),
            ProtocolError::SessionId(_) => Some(("session", 1108)),
            ProtocolError::RelayResponse(_) => Some(("service", 1110)),
            ProtocolError::RelayRequest(_) => Some(("service", 1111)),
            ProtocolError::RootLength(_) => Some(("proof", 1104)),
            ProtocolError::TargetLength(_) => Some(("proof", 1130)),
            _ => None,
        }
    }
}
