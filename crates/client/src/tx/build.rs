//! Building and signing: `TxBody`, `AuthInfo` and `SignDoc` in SIGN_MODE_DIRECT (chain
//! specification 6.1, 6.2).

use std::time::SystemTime;

use crypto::keys::SecretKey;
use prost::{Message, Name};
use prost_types::{Any, Timestamp};
use proto::cosmos::base::v1beta1::Coin;
use proto::cosmos::crypto::secp256k1::PubKey;
use proto::cosmos::tx::signing::v1beta1::SignMode;
use proto::cosmos::tx::v1beta1::mode_info::{Single, Sum};
use proto::cosmos::tx::v1beta1::{AuthInfo, Fee, ModeInfo, SignDoc, SignerInfo, TxBody, TxRaw};

use super::TxHash;
use crate::{Error, Result};

/// How a transaction is protected against being included twice (chain specification 6.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ordering {
    /// By the sequence of its signer's account; transactions of an account follow each other.
    Sequence,
    /// By its time limit, unique to the nanosecond; transactions of an account are independent.
    Unordered {
        /// Above the block's time, by at most ten minutes.
        timeout: SystemTime,
    },
}

/// Who signs, with what.
#[derive(Clone, Copy, Debug)]
pub struct Signer<'a> {
    /// The key.
    pub key: &'a SecretKey,
    /// Number of its account.
    pub account_number: u64,
    /// Sequence of its account; not used by unordered transactions.
    pub sequence: u64,
}

/// An encoded, signed transaction.
#[derive(Clone, PartialEq, Eq)]
pub struct SignedTx {
    /// The encoded `TxRaw`.
    pub bytes: Vec<u8>,
    /// Its name.
    pub hash: TxHash,
}

impl std::fmt::Debug for SignedTx {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SignedTx({}, {} bytes)", self.hash, self.bytes.len())
    }
}

/// A transaction in the making.
#[derive(Clone, Debug)]
pub struct TxBuilder {
    messages: Vec<Any>,
    memo: String,
    timeout_height: u64,
    timeout: Option<SystemTime>,
    ordering: Ordering,
    fee: Fee,
}

impl Default for TxBuilder {
    fn default() -> Self {
        Self::new()
    }
}

impl TxBuilder {
    /// A transaction without messages, ordered, without fee.
    pub fn new() -> Self {
        Self {
            messages: Vec::new(),
            memo: String::new(),
            timeout_height: 0,
            timeout: None,
            ordering: Ordering::Sequence,
            fee: Fee::default(),
        }
    }

    /// Adds a message.
    #[must_use]
    pub fn message<M: Message + Name>(self, message: &M) -> Self {
        self.any(proto::any::pack(message))
    }

    /// Adds a packed message.
    #[must_use]
    pub fn any(mut self, message: Any) -> Self {
        self.messages.push(message);
        self
    }

    /// Adds packed messages.
    #[must_use]
    pub fn anys(mut self, messages: impl IntoIterator<Item = Any>) -> Self {
        self.messages.extend(messages);
        self
    }

    /// Sets the memo: at most 256 characters.
    #[must_use]
    pub fn memo(mut self, memo: impl Into<String>) -> Self {
        self.memo = memo.into();
        self
    }

    /// Sets the last height that may include it; 0 for none.
    #[must_use]
    pub fn timeout_height(mut self, height: u64) -> Self {
        self.timeout_height = height;
        self
    }

    /// Sets a time limit on an ordered transaction.
    #[must_use]
    pub fn timeout(mut self, time: SystemTime) -> Self {
        self.timeout = Some(time);
        self
    }

    /// Sets how it is protected against being included twice.
    #[must_use]
    pub fn ordering(mut self, ordering: Ordering) -> Self {
        self.ordering = ordering;
        self
    }

    /// Sets the gas limit.
    #[must_use]
    pub fn gas_limit(mut self, gas: u64) -> Self {
        self.fee.gas_limit = gas;
        self
    }

    /// Sets the fee in upokt; 0 for none.
    #[must_use]
    pub fn fee_upokt(mut self, amount: u128) -> Self {
        let coin = Coin {
            denom: "upokt".to_owned(),
            amount: amount.to_string(),
        };
        self.fee.amount = if amount == 0 { Vec::new() } else { vec![coin] };
        self
    }

    /// Lets another account pay the fee by its grant.
    #[must_use]
    pub fn fee_granter(mut self, address: impl Into<String>) -> Self {
        self.fee.granter = address.into();
        self
    }

    /// Signs for one account.
    ///
    /// # Errors
    /// [`Error::Build`] without messages or with a time that cannot be written.
    pub fn sign(&self, signer: Signer<'_>, chain_id: &str) -> Result<SignedTx> {
        self.sign_all(&[signer], chain_id)
    }

    /// Signs for several accounts, in the order in which the messages name them first.
    ///
    /// # Errors
    /// As [`TxBuilder::sign`].
    pub fn sign_all(&self, signers: &[Signer<'_>], chain_id: &str) -> Result<SignedTx> {
        let wrong = |reason: &str| Error::Build {
            reason: reason.to_owned(),
        };
        if self.messages.is_empty() {
            return Err(wrong("it has no message"));
        }
        if signers.is_empty() {
            return Err(wrong("nobody signs it"));
        }
        let unordered = matches!(self.ordering, Ordering::Unordered { .. });
        let timeout = match self.ordering {
            Ordering::Sequence => self.timeout,
            Ordering::Unordered { timeout } => Some(timeout),
        };
        let body = TxBody {
            messages: self.messages.clone(),
            memo: self.memo.clone(),
            timeout_height: self.timeout_height,
            unordered,
            timeout_timestamp: timeout.map(Timestamp::from),
            ..Default::default()
        };
        let info = |signer: &Signer<'_>| {
            let key = PubKey {
                key: signer.key.public().as_bytes().to_vec().into(),
            };
            SignerInfo {
                public_key: Some(proto::any::pack(&key)),
                mode_info: Some(ModeInfo {
                    sum: Some(Sum::Single(Single {
                        mode: SignMode::Direct.into(),
                    })),
                }),
                // The chain refuses an unordered transaction that names a sequence.
                sequence: if unordered { 0 } else { signer.sequence },
            }
        };
        let auth_info = AuthInfo {
            signer_infos: signers.iter().map(info).collect(),
            fee: Some(self.fee.clone()),
            ..Default::default()
        };
        let (body, auth_info) = (body.encode_to_vec(), auth_info.encode_to_vec());
        let signature = |signer: &Signer<'_>| {
            let document = SignDoc {
                body_bytes: body.clone().into(),
                auth_info_bytes: auth_info.clone().into(),
                chain_id: chain_id.to_owned(),
                account_number: signer.account_number,
            };
            signer.key.sign(&document.encode_to_vec()).to_vec().into()
        };
        let signatures = signers.iter().map(signature).collect();
        let raw = TxRaw {
            body_bytes: body.into(),
            auth_info_bytes: auth_info.into(),
            signatures,
        };
        let bytes = raw.encode_to_vec();
        Ok(SignedTx {
            hash: TxHash::of(&bytes),
            bytes,
        })
    }
}

#[cfg(test)]
mod tests;
