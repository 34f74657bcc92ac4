//! Bytes to a transaction (chain specification 6.1).
//!
//! Refused here: a `TxRaw` whose fields do not ascend, unknown fields anywhere in it (non-critical ones of the body
//! excepted), messages of unknown types, texts that should be numbers.

use crypto::keys::{ADDRESS_PREFIX, Address};
use prost::encoding::{WireType, decode_key, decode_varint, encoded_len_varint};
use prost::{Message, Name};
use prost_types::Any;
use proto::ProtoError;
use proto::cosmos::tx::v1beta1::{AuthInfo, Fee, SignerInfo, TxBody, TxRaw};

use crate::error::TxError;
use crate::limits::TX_BYTES_MAX;
use crate::modules::shared::address;
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
    /// Why they cannot be told; there are none then. The checks refuse such a transaction, after those of the messages.
    pub(super) unreadable_signer: Option<TxError>,
    /// Size in bytes.
    pub size: usize,
    /// What is known ahead about each signature, by signer.
    pub(super) verdicts: Vec<Option<Verdict>>,
}

impl Transaction {
    /// Reads a transaction.
    ///
    /// # Errors
    /// sdk 2.
    pub fn decode(bytes: &[u8]) -> Result<Self, TxError> {
        if bytes.len() > TX_BYTES_MAX {
            let text = format!(
                "{} bytes, at most {TX_BYTES_MAX}: tx too large",
                bytes.len()
            );
            return Err(TxError::sdk(sdk::TX_TOO_LARGE, text));
        }
        known_fields::<TxRaw>(bytes, false)?;
        check_order(bytes)?;
        let raw = TxRaw::decode(bytes).map_err(parse_error)?;
        known_fields::<TxBody>(&raw.body_bytes, true)?;
        let body: TxBody = with_numbers(&raw.body_bytes)?;
        known_fields::<AuthInfo>(&raw.auth_info_bytes, false)?;
        let auth_info: AuthInfo = with_numbers(&raw.auth_info_bytes)?;
        let (signers, unreadable_signer) = match signers(&body.messages, auth_info.fee.as_ref())? {
            Ok(signers) => (signers, None),
            Err(error) => (Vec::new(), Some(error)),
        };
        Ok(Self {
            raw,
            body,
            auth_info,
            signers,
            unreadable_signer,
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

    /// `timeout_timestamp` in nanoseconds since 1970, if it is set. The first second of 1970 stands for none.
    pub fn timeout_nanos(&self) -> Option<i128> {
        let time = self.body.timeout_timestamp.as_ref();
        time.filter(|time| time.seconds != 0).map(|time| {
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

/// Decodes bytes whose fields are known, with all numbers in their one form.
fn with_numbers<M: Message + Name + Default>(bytes: &[u8]) -> Result<M, TxError> {
    let canonical = proto::numbers::canonical(&M::full_name(), bytes).map_err(parse_error)?;
    M::decode(&*canonical).map_err(parse_error)
}

/// Codespace and code of what cannot be read.
const PARSE: (&str, u32) = (sdk::CODESPACE, sdk::TX_PARSE);

/// Fields of a `TxRaw` ascend, and their lengths take as few bytes as can be (ADR 27). A field may come twice: the last
/// one counts.
fn check_order(mut bytes: &[u8]) -> Result<(), TxError> {
    let mut before = 0;
    while !bytes.is_empty() {
        let (field, wire_type) = decode_key(&mut bytes).map_err(parse_error)?;
        if wire_type != WireType::LengthDelimited || field < before {
            let text = format!("field {field} of TxRaw out of order or of another type");
            return Err(parse_error(text));
        }
        before = field;
        let left = bytes.len();
        let length = decode_varint(&mut bytes).map_err(parse_error)?;
        if left.checked_sub(bytes.len()) != Some(encoded_len_varint(length)) {
            let text = format!("the length of field {field} of TxRaw is written too long");
            return Err(parse_error(text));
        }
        let value = usize::try_from(length).ok();
        bytes = value
            .and_then(|length| bytes.get(length..))
            .ok_or_else(|| parse_error("unexpected end of TxRaw"))?;
    }
    Ok(())
}

fn parse_error(reason: impl std::fmt::Display) -> TxError {
    TxError::sdk(
        sdk::TX_PARSE,
        format!("{reason}: tx parse error: tx parse error"),
    )
}

/// Signers of all messages, then the fee payer; or the first of them that is no address, which is told once all messages
/// were read.
///
/// # Errors
/// sdk 2 for a message that cannot be read.
fn signers(messages: &[Any], fee: Option<&Fee>) -> Result<Result<Vec<Address>, TxError>, TxError> {
    let mut found = Vec::new();
    for message in messages {
        if !proto::any::is_canonical(&message.type_url) {
            let url = &message.type_url;
            return Err(parse_error(format!("unable to resolve type URL {url}")));
        }
        let name = proto::any::type_name(&message.type_url);
        match router::signers(name, &message.value) {
            Some(Ok(texts)) => found.extend(texts.into_iter().map(Ok)),
            Some(Err(error)) if (error.codespace.as_ref(), error.code) == PARSE => {
                return Err(error);
            }
            Some(Err(error)) => found.push(Err(error)),
            // A message that nobody handles is refused later, with its own code.
            None => {}
        }
    }
    let payer = fee.map(|fee| &fee.payer).filter(|payer| !payer.is_empty());
    found.extend(payer.cloned().map(Ok));
    let mut signers = Vec::new();
    for text in found {
        match text.and_then(|text| address::of_signer(ADDRESS_PREFIX, &text)) {
            Ok(address) if signers.contains(&address) => {}
            Ok(address) => signers.push(address),
            Err(error) => return Ok(Err(error)),
        }
    }
    Ok(Ok(signers))
}

#[cfg(test)]
mod tests;
