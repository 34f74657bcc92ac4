//! What a signer signs (chain specification 6.2).

use crypto::keys::PublicKey;
use prost::Message;
use proto::cosmos::tx::signing::v1beta1::SignMode;
use proto::cosmos::tx::v1beta1::mode_info::{Single, Sum};
use proto::cosmos::tx::v1beta1::{ModeInfo, SignDoc, SignerInfo};

use crate::tx::Transaction;

/// Whether a signature was made by `key`; the error says why not, in words.
pub(super) fn verify(
    tx: &Transaction,
    info: &SignerInfo,
    key: &PublicKey,
    signature: &[u8],
    chain_id: &str,
    account_number: u64,
) -> Result<(), String> {
    let mode = match &info.mode_info {
        Some(ModeInfo {
            sum: Some(Sum::Single(Single { mode })),
        }) => SignMode::try_from(*mode),
        _ => return Err("only single signatures are supported".to_owned()),
    };
    if mode != Ok(SignMode::Direct) {
        return Err("only SIGN_MODE_DIRECT is supported".to_owned());
    }
    let document = SignDoc {
        body_bytes: tx.raw.body_bytes.clone(),
        auth_info_bytes: tx.raw.auth_info_bytes.clone(),
        chain_id: chain_id.to_owned(),
        account_number,
    };
    key.verify(&document.encode_to_vec(), signature)
        .map_err(|_| "unable to verify single signer signature".to_owned())
}
