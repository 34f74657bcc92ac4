//! Transactions: built, signed, offered, and watched until they are in a block.
//!
//! Acceptance by a mempool means nothing (relay protocol T21): a transaction counts when a block
//! holds it, or when what it was for is seen on the chain. Until then it is offered again, and
//! built anew when its time runs out.
//!
//! Start with [`Sender`]; [`Batcher`] packs many messages so that a bad one never sinks the others;
//! [`TxBuilder`] is for those who do it by hand.

use sha2::{Digest, Sha256};

mod batch;
mod build;
mod outcome;
mod price;
mod send;
mod wire;

pub use batch::{BatchLimits, Batcher, Item};
pub use build::{Ordering, SignedTx, Signer, TxBuilder};
pub use outcome::{Class, Included, Outcome, Rejection, Stage};
pub use price::GasPrice;
pub use send::{Condition, Ledger, SendOptions, Sender, Watch};

/// The hash that names a transaction: SHA-256 of its bytes. Shown in upper-case hexadecimal.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TxHash(pub [u8; 32]);

impl TxHash {
    /// The hash of an encoded transaction.
    pub fn of(tx: &[u8]) -> Self {
        Self(Sha256::digest(tx).into())
    }

    /// Reads the 64 hexadecimal digits of a hash, in either case.
    pub fn parse(text: &str) -> Option<Self> {
        let mut hash = [0; 32];
        hex::decode_to_slice(text, &mut hash).ok()?;
        Some(Self(hash))
    }
}

impl std::fmt::Display for TxHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&hex::encode_upper(self.0))
    }
}

impl std::fmt::Debug for TxHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TxHash({self})")
    }
}
