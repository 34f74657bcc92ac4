//! Bytes to a transaction (chain specification 6.1).
//!
//! Refused here: bytes that are not the canonical `TxRaw`, unknown fields anywhere in it (numbers 1024 to 2047 of the
//! body excepted), messages of unknown types, messages whose signer cannot be told.

use crypto::keys::Address;
use prost::{Message, Name};
use prost_types::Any;
use proto::ProtoError;
use proto::cosmos::tx::v1beta1::{AuthInfo, Fee, SignerInfo, TxBody, TxRaw};

use crate::error::TxError;
use crate::limits::TX_BYTES_MAX;
use crate::tx::ahead::Verdict;
use crate::{router, sdk};

/// A decoded transaction.
#[derive(Clone, Debug)]
pub struct Transaction {
    /// The parts as signed.
    pub raw: TxRaw,
    /// What it does.
    pub body: TxBody,
    /// Who pays and who signs.
    pub auth_info: AuthInfo,
    /// Addresses that must sign, in the order of their first appearance; the fee payer is among them.
    pub signers: Vec<Address>,
    /// Size in bytes.
    pub size: usize,
    /// What is known ahead about each signature, by signer.
    pub(super) verdicts: Vec<Option<Verdict>>,
}

impl Transaction {
    /// Reads a transaction.
    ///
    /// # Errors
    /// sdk 2, or sdk 7 for a fee payer that is no address.
    pub fn decode(bytes: &[u8]) -> Result<Self, TxError> {
        if bytes.len() > TX_BYTES_MAX {
            let text = format!(
                "{} bytes, at most {TX_BYTES_MAX}: tx too large",
                bytes.len()
            );
            return Err(TxError::sdk(sdk::TX_TOO_LARGE, text));
        }
        known_fields::<TxRaw>(bytes, false)?;
        let raw = TxRaw::decode(bytes).map_err(parse_error)?;
        if raw.encode_to_vec() != bytes {
            return Err(parse_error(
                "bytes are not the canonical encoding of a transaction",
            ));
        }
        known_fields::<TxBody>(&raw.body_bytes, true)?;
        let body = TxBody::decode(raw.body_bytes.clone()).map_err(parse_error)?;
        known_fields::<AuthInfo>(&raw.auth_info_bytes, false)?;
        let auth_info = AuthInfo::decode(raw.auth_info_bytes.clone()).map_err(parse_error)?;
        let signers = signers(&body.messages, auth_info.fee.as_ref())?;
        Ok(Self {
            raw,
            body,
            auth_info,
            signers,
            size: bytes.len(),
            verdicts: Vec::new(),
        })
    }

    /// The fee; nothing when the transaction has none, which the ante checks refuse.
    pub fn fee(&self) -> Fee {
        self.auth_info.fee.clone().unwrap_or_default()
    }

    /// Signer infos beside their signers.
    pub fn signer_infos(&self) -> impl Iterator<Item = (&Address, &SignerInfo)> {
        self.signers.iter().zip(&self.auth_info.signer_infos)
    }

    /// Who pays the fee: the payer named in it, else the first signer.
    pub fn fee_payer(&self) -> Option<Address> {
        let named = self
            .auth_info
            .fee
            .as_ref()
            .map_or("", |fee| fee.payer.as_str());
        if named.is_empty() {
            self.signers.first().copied()
        } else {
            Address::from_bech32(named).ok()
        }
    }

    /// `timeout_timestamp` in nanoseconds since 1970, if it is set.
    pub fn timeout_nanos(&self) -> Option<i128> {
        self.body.timeout_timestamp.as_ref().map(|time| {
            i128::from(time.seconds)
                .saturating_mul(1_000_000_000)
                .saturating_add(i128::from(time.nanos))
        })
    }
}

fn known_fields<M: Name>(bytes: &[u8], non_critical: bool) -> Result<(), TxError> {
    proto::unknown::check(&M::full_name(), bytes, non_critical).map_err(|error| match error {
        ProtoError::UnknownType(url) => parse_error(format!("unable to resolve type URL {url}")),
        ProtoError::UnknownField { .. } => parse_error(format!("errUnknownField: {error}")),
        other => parse_error(other),
    })
}

fn parse_error(reason: impl std::fmt::Display) -> TxError {
    TxError::sdk(
        sdk::TX_PARSE,
        format!("{reason}: tx parse error: tx parse error"),
    )
}

/// Signers of all messages, then the fee payer.
fn signers(messages: &[Any], fee: Option<&Fee>) -> Result<Vec<Address>, TxError> {
    let mut signers = Vec::new();
    let mut add = |address: Address| {
        if !signers.contains(&address) {
            signers.push(address);
        }
    };
    for message in messages {
        if !proto::any::is_canonical(&message.type_url) {
            let url = &message.type_url;
            return Err(parse_error(format!("unable to resolve type URL {url}")));
        }
        let name = proto::any::type_name(&message.type_url);
        // A message that nobody handles is refused later, with its own code.
        let Some(found) = router::signers(name, &message.value) else {
            continue;
        };
        for text in found? {
            add(Address::from_bech32(&text).map_err(parse_error)?);
        }
    }
    if let Some(fee) = fee.filter(|fee| !fee.payer.is_empty()) {
        add(Address::from_bech32(&fee.payer).map_err(|error| {
            TxError::sdk(
                sdk::INVALID_ADDRESS,
                format!("invalid fee payer address: {error}: invalid address"),
            )
        })?);
    }
    Ok(signers)
}

#[cfg(test)]
mod tests;
