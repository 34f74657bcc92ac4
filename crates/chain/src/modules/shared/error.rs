//! Registered errors: a number that clients keep, and the short text that the reference ends its messages with.
//!
//! A message server of the reference answers either with a registered error (codespace and code survive in the result)
//! or with a gRPC status (codespace `undefined`, code 1, only the text survives); [`registered_errors!`] gives each
//! module's enum both forms (chain specification 6.7).

/// Declares the registered errors of one module.
macro_rules! registered_errors {
    (
        $(#[$outer:meta])*
        $name:ident of $codespace:literal {
            $( $(#[$inner:meta])* $variant:ident = $code:literal => $text:literal, )+
        }
    ) => {
        $(#[$outer])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name {
            $( $(#[$inner])* $variant, )+
        }

        impl $name {
            /// Registry these codes belong to.
            pub const CODESPACE: &'static str = $codespace;

            /// Every one of them, in order of their codes.
            pub const ALL: &'static [Self] = &[ $( Self::$variant, )+ ];

            /// Number within the codespace.
            pub const fn code(self) -> u32 {
                match self { $( Self::$variant => $code, )+ }
            }

            /// The registered short text.
            pub const fn text(self) -> &'static str {
                match self { $( Self::$variant => $text, )+ }
            }

            /// What happened, followed by the short text, as Go's wrapped errors print.
            pub fn describe(self, detail: impl std::fmt::Display) -> String {
                format!("{detail}: {}", self.text())
            }

            /// The error as it is, without what happened.
            pub fn bare(self) -> $crate::error::TxError {
                $crate::error::TxError::registered(Self::CODESPACE, self.code(), self.text())
            }

            /// The error with its registered codespace and code.
            pub fn because(self, detail: impl std::fmt::Display) -> $crate::error::TxError {
                $crate::error::TxError::registered(Self::CODESPACE, self.code(), self.describe(detail))
            }

            /// The error inside a gRPC status, which loses codespace and code on the way to the sender.
            pub fn status(
                self,
                grpc: $crate::error::GrpcCode,
                detail: impl std::fmt::Display,
            ) -> $crate::error::TxError {
                $crate::error::TxError::status(grpc, self.describe(detail))
            }
        }
    };
}
pub(crate) use registered_errors;

registered_errors! {
    /// Registered errors of `shared`, which also judges the types other modules share.
    Error of "shared" {
        /// A params update that the governance account did not sign.
        InvalidSigner = 1100 => "expected gov account as only signer for proposal message",
        /// Not a bech32 address of this chain.
        InvalidAddress = 1101 => "invalid address",
        /// No param of this name can be set.
        ParamNameInvalid = 1102 => "the provided param name is invalid",
        /// The value of a param, or its type, does not fit.
        ParamInvalid = 1103 => "the provided param is invalid",
        /// An event could not be made.
        EmitEvent = 1104 => "failed to emit event",
        /// Somebody other than owner or operator changes a supplier, or the operator changes the owner.
        UnauthorizedSupplierUpdate = 1105 => "unauthorized supplier update",
        /// Shares do not name distinct addresses with percentages that make 100.
        InvalidRevShare = 1106 => "invalid revenue share configuration",
        /// A service with a bad field.
        InvalidService = 1107 => "invalid service",
        /// A service id that is empty, too long or has other characters.
        InvalidServiceId = 1108 => "invalid service ID",
        /// A service name that is too long or has other characters.
        InvalidServiceName = 1109 => "invalid service name",
        /// Compute units per relay out of bounds.
        InvalidComputeUnitsPerRelay = 1110 => "invalid compute units per relay",
        /// A card that is empty or too large.
        InvalidServiceMetadata = 1111 => "invalid service metadata",
    }
}
