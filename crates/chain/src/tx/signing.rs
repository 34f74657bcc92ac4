//! What a signer signs (chain specification 6.2, 0.2), and whether it did.
//!
//! `SIGN_MODE_DIRECT` covers the transaction's bytes, `SIGN_MODE_LEGACY_AMINO_JSON` a text made from what they say. A
//! multisig account names for each of its keys whether it signed, and each signature's mode.

use bytes::Bytes;
use crypto::keys::PublicKey;
use prost::{Message, Name};
use proto::cosmos::crypto::multisig::v1beta1::{CompactBitArray, MultiSignature};
use proto::cosmos::tx::signing::v1beta1::SignMode;
use proto::cosmos::tx::v1beta1::mode_info::{Multi, Single, Sum};
use proto::cosmos::tx::v1beta1::{ModeInfo, SignDoc, SignerInfo};

use crate::auth::{MultisigKey, SignerKey};
use crate::error::TxError;
use crate::tx::Transaction;

/// What a signature depends on besides the transaction.
#[derive(Clone, Copy)]
pub(super) struct Signer<'a> {
    pub(super) chain_id: &'a str,
    pub(super) account_number: u64,
    pub(super) sequence: u64,
}

/// Whether a signature was made by `key`; the error says why not, in words.
pub(super) fn verify(
    tx: &Transaction,
    info: &SignerInfo,
    key: &SignerKey,
    signature: &[u8],
    signer: Signer,
) -> Result<(), String> {
    let sum = info.mode_info.as_ref().and_then(|info| info.sum.as_ref());
    match (key, sum) {
        (SignerKey::Single(key), Some(Sum::Single(Single { mode }))) => {
            verify_one(tx, key, *mode, signature, signer).map_err(|reason| {
                reason.unwrap_or_else(|| "unable to verify single signer signature".to_owned())
            })
        }
        (SignerKey::Multi(key), Some(Sum::Multi(multi))) => {
            verify_multi(tx, key, multi, signature, signer)
        }
        (SignerKey::Single(_), Some(Sum::Multi(_))) => {
            Err("several signatures for an account with one key".to_owned())
        }
        (SignerKey::Multi(_), Some(Sum::Single(_))) => {
            Err("one signature for an account with several keys".to_owned())
        }
        (_, None) => Err("mode_info is missing".to_owned()),
    }
}

/// One signature; an error without words is a signature that does not fit.
fn verify_one(
    tx: &Transaction,
    key: &PublicKey,
    mode: i32,
    signature: &[u8],
    signer: Signer,
) -> Result<(), Option<String>> {
    let bytes = sign_bytes(tx, mode, signer).map_err(Some)?;
    key.verify(&bytes, signature).map_err(|_| None)
}

/// Enough of the keys signed, each in its own mode.
fn verify_multi(
    tx: &Transaction,
    key: &MultisigKey,
    multi: &Multi,
    signature: &[u8],
    signer: Signer,
) -> Result<(), String> {
    let size = key.keys.len();
    let bits = multi.bitarray.clone().unwrap_or_default();
    let signed = bits_set(&bits, size)
        .ok_or_else(|| format!("bit array size is incorrect, expecting: {size}"))?;
    let signatures = MultiSignature::decode(signature)
        .map_err(|error| format!("a multisig signature cannot be read: {error}"))?
        .signatures;
    if signatures.len() < key.threshold || signatures.len() > size {
        return Err(format!("signature size is incorrect {}", signatures.len()));
    }
    let count = signed.iter().filter(|signed| **signed).count();
    if count < key.threshold {
        let threshold = key.threshold;
        return Err(format!(
            "not enough signatures set, have {count}, expected {threshold}"
        ));
    }
    if signatures.len() < count || multi.mode_infos.len() < count {
        return Err(format!(
            "{count} keys are said to have signed, with {} signatures and {} modes",
            signatures.len(),
            multi.mode_infos.len()
        ));
    }
    let signers = key.keys.iter().zip(&signed).filter(|(_, signed)| **signed);
    let each = signers.zip(signatures.iter().zip(&multi.mode_infos));
    for (index, ((key, _), (signature, mode))) in each.enumerate() {
        let ModeInfo {
            sum: Some(Sum::Single(Single { mode })),
        } = mode
        else {
            return Err(format!("improper signature data type for index {index}"));
        };
        verify_one(tx, key, *mode, signature, signer).map_err(|reason| {
            reason.unwrap_or_else(|| format!("unable to verify signature at index {index}"))
        })?;
    }
    Ok(())
}

/// How many signatures a signer says to have made.
pub(super) fn count(info: &SignerInfo) -> u64 {
    let sum = info.mode_info.as_ref().and_then(|info| info.sum.as_ref());
    let Some(Sum::Multi(multi)) = sum else {
        return 1;
    };
    let bits = multi.bitarray.iter().flat_map(|bits| &bits.elems);
    bits.map(|byte| u64::from(byte.count_ones()))
        .fold(0, u64::saturating_add)
}

/// Whether the signature of a signer can be taken apart as its mode says.
///
/// # Errors
/// undefined 1 for bytes that are no list of signatures; the code of a panic for a mode of no kind, and for more modes than
/// signatures.
pub(super) fn check_form(info: &SignerInfo, signature: &Bytes) -> Result<(), TxError> {
    match &info.mode_info {
        Some(mode) => check_mode(mode, signature),
        None => Ok(()),
    }
}

fn check_mode(mode: &ModeInfo, signature: &Bytes) -> Result<(), TxError> {
    let multi = match &mode.sum {
        None => return Err(TxError::panic("mode_info of no kind")),
        Some(Sum::Single(_)) => return Ok(()),
        Some(Sum::Multi(multi)) => multi,
    };
    let wrong = |reason: String| TxError::undefined(format!("proto: MultiSignature: {reason}"));
    proto::unknown::check(&MultiSignature::full_name(), signature, false)
        .map_err(|error| wrong(error.to_string()))?;
    let several =
        MultiSignature::decode(signature.clone()).map_err(|error| wrong(error.to_string()))?;
    if multi.mode_infos.len() > several.signatures.len() {
        return Err(TxError::panic("more modes than signatures"));
    }
    let mut each = multi.mode_infos.iter().zip(&several.signatures);
    each.try_for_each(|(mode, signature)| check_mode(mode, signature))
}

/// Whether all signatures have a mode.
///
/// # Errors
/// undefined 1.
pub(super) fn check_given(info: &SignerInfo, signature: &Bytes) -> Result<(), TxError> {
    match &info.mode_info {
        Some(mode) if has_modes(mode, signature) => Ok(()),
        _ => Err(TxError::undefined("got empty SignatureData")),
    }
}

fn has_modes(mode: &ModeInfo, signature: &Bytes) -> bool {
    let Some(Sum::Multi(multi)) = &mode.sum else {
        return true;
    };
    let several = MultiSignature::decode(signature.clone()).unwrap_or_default();
    let mut each = multi.mode_infos.iter().zip(&several.signatures);
    several.signatures.len() == multi.mode_infos.len()
        && each.all(|(mode, signature)| has_modes(mode, signature))
}

/// Whether the bits of a multisig account's signature fit its keys and signatures, as the reference looks at them when it
/// charges for them.
///
/// # Errors
/// undefined 1 for one signature of several keys; the code of a panic for bits of more than there is.
pub(super) fn check_keys(
    info: &SignerInfo,
    key: &SignerKey,
    signature: &Bytes,
) -> Result<(), TxError> {
    let SignerKey::Multi(key) = key else {
        return Ok(());
    };
    let sum = info.mode_info.as_ref().and_then(|info| info.sum.as_ref());
    let Some(Sum::Multi(multi)) = sum else {
        let text = "expected *signing.MultiSignatureData, got, *signing.SingleSignatureData";
        return Err(TxError::undefined(text));
    };
    let bits = multi.bitarray.clone().unwrap_or_default();
    let held = bits.elems.len().saturating_mul(8);
    let size = bits_held(&bits).unwrap_or(0);
    let is_beyond = |index: usize| is_set(&bits, index) && index >= key.keys.len();
    let count = (0..size.min(held)).filter(|index| is_set(&bits, *index));
    let count = count.count();
    let several = MultiSignature::decode(signature.clone()).unwrap_or_default();
    if size > held || (0..size).any(is_beyond) || count > several.signatures.len() {
        return Err(TxError::panic(
            "bits of more keys or signatures than there are",
        ));
    }
    Ok(())
}

/// What the reference needs of all signers to look at the signature of any.
///
/// # Errors
/// The code of a panic for a signer without key, or with several signatures and no bits.
pub(super) fn check_infos(tx: &Transaction) -> Result<(), TxError> {
    for info in &tx.auth_info.signer_infos {
        if info.public_key.is_none() {
            return Err(TxError::panic("signer info without public key"));
        }
        if info.mode_info.as_ref().is_some_and(lacks_bits) {
            return Err(TxError::panic("several signatures without bits"));
        }
    }
    Ok(())
}

fn lacks_bits(mode: &ModeInfo) -> bool {
    match &mode.sum {
        Some(Sum::Multi(multi)) => {
            multi.bitarray.is_none() || multi.mode_infos.iter().any(lacks_bits)
        }
        _ => false,
    }
}

/// The signatures of one signer as events show them: each of several keys, then all together.
pub(super) fn parts(info: &SignerInfo, signature: &Bytes) -> Vec<Bytes> {
    let sum = info.mode_info.as_ref().and_then(|info| info.sum.as_ref());
    let several = match sum {
        Some(Sum::Multi(_)) => MultiSignature::decode(signature.clone()).ok(),
        _ => None,
    };
    let mut parts = several.unwrap_or_default().signatures;
    parts.push(signature.clone());
    parts
}

/// How many bits an array holds; `None` when it says less than none.
fn bits_held(bits: &CompactBitArray) -> Option<usize> {
    let whole = bits.elems.len().checked_mul(8)?;
    match usize::try_from(bits.extra_bits_stored).ok()? {
        0 => Some(whole),
        extra => whole.checked_sub(8)?.checked_add(extra),
    }
}

/// Whether a bit is set.
fn is_set(bits: &CompactBitArray, index: usize) -> bool {
    let byte = bits.elems.get(index / 8).copied().unwrap_or_default();
    byte & (0x80 >> (index % 8)) != 0
}

/// Which of `size` bits are set; `None` when the array holds another number of them.
fn bits_set(bits: &CompactBitArray, size: usize) -> Option<Vec<bool>> {
    let held = bits_held(bits).filter(|held| *held == size)?;
    Some((0..held).map(|index| is_set(bits, index)).collect())
}

/// The bytes that are hashed and signed.
fn sign_bytes(tx: &Transaction, mode: i32, signer: Signer) -> Result<Vec<u8>, String> {
    match SignMode::try_from(mode) {
        Ok(SignMode::Direct) => {
            let document = SignDoc {
                body_bytes: tx.raw.body_bytes.clone(),
                auth_info_bytes: tx.raw.auth_info_bytes.clone(),
                chain_id: signer.chain_id.to_owned(),
                account_number: signer.account_number,
            };
            Ok(document.encode_to_vec())
        }
        Ok(SignMode::LegacyAminoJson) => amino_json(tx, signer),
        Ok(other) => Err(format!(
            "{} is not supported; sign with SIGN_MODE_DIRECT or SIGN_MODE_LEGACY_AMINO_JSON",
            other.as_str_name()
        )),
        Err(_) => Err(format!("unknown sign mode {mode}")),
    }
}

fn amino_json(tx: &Transaction, signer: Signer) -> Result<Vec<u8>, String> {
    let mode = SignMode::LegacyAminoJson.as_str_name();
    let body = &tx.body;
    if !body.extension_options.is_empty() || !body.non_critical_extension_options.is_empty() {
        return Err(format!(
            "{mode} does not support protobuf extension options: invalid request"
        ));
    }
    // What the text cannot say must not be there: unlike the direct mode it would not be signed.
    proto::unknown::check("cosmos.tx.v1beta1.TxBody", &tx.raw.body_bytes, false)
        .map_err(|error| error.to_string())?;
    proto::amino::sign_doc(
        body,
        &tx.fee(),
        signer.chain_id,
        signer.account_number,
        signer.sequence,
    )
    .map(String::into_bytes)
    .map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests;
