//! The checks before the messages, in the SDK's order (chain specification 6.3).
//!
//! Each step may read and change state; what they change stays even when a message fails later, nothing of it stays
//! when one of them fails.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crypto::keys::Address;
use prost_types::Any;
use proto::cosmos::auth::v1beta1::Params;
use proto::cosmos::tx::v1beta1::SignerInfo;

use crate::auth::{self, Account, SignerKey};
use crate::context::{Context, Mode};
use crate::error::TxError;
use crate::limits::{GAS_LIMIT_MAX, SIMULATED_SIGNATURE_BYTES, UNORDERED_GAS, UNORDERED_TTL_NANOS};
use crate::modules::shared::address;
use crate::sdk;
use crate::tx::{GasPrice, Transaction, fees, signing};

/// Runs all checks.
pub(super) fn check(ctx: &mut Context, tx: &Transaction, minimum: GasPrice) -> Result<(), TxError> {
    if tx.auth_info.fee.is_none() {
        return Err(TxError::panic("missing fee"));
    }
    check_extensions(tx)?;
    if ctx.mode != Mode::Recheck {
        check_basic(tx)?;
    }
    check_timeouts(ctx, tx)?;
    let params = auth::params(ctx)?;
    check_memo(tx, &params)?;
    charge_size(ctx, tx, &params)?;
    fees::check_minimum(ctx, tx, minimum)?;
    fees::deduct(ctx, tx)?;
    set_public_keys(ctx, tx)?;
    check_signature_count(tx, &params)?;
    charge_signatures(ctx, tx, &params)?;
    verify_signatures(ctx, tx)?;
    increment_sequences(ctx, tx)
}

fn check_extensions(tx: &Transaction) -> Result<(), TxError> {
    if tx.body.extension_options.is_empty() {
        return Ok(());
    }
    Err(TxError::sdk(
        sdk::UNKNOWN_EXTENSION_OPTIONS,
        "unknown extension options: unknown extension options",
    ))
}

fn check_basic(tx: &Transaction) -> Result<(), TxError> {
    let fee = tx.fee();
    if fee.gas_limit > GAS_LIMIT_MAX {
        let text = format!(
            "invalid gas supplied; {} > {GAS_LIMIT_MAX}: invalid request",
            fee.gas_limit
        );
        return Err(TxError::sdk(sdk::INVALID_REQUEST, text));
    }
    let is_wrong = |text: &str| text.is_empty() || text.starts_with('-');
    if fee.amount.iter().any(|coin| is_wrong(&coin.amount)) {
        let text = "invalid fee provided: an amount is unset or negative: insufficient fee";
        return Err(TxError::sdk(sdk::INSUFFICIENT_FEE, text));
    }
    if !fee.payer.is_empty()
        && let Err(reason) = address::parse(&fee.payer)
    {
        let text = format!("Invalid fee payer address ({reason}): invalid address");
        return Err(TxError::sdk(sdk::INVALID_ADDRESS, text));
    }
    let signatures = tx.raw.signatures.len();
    if signatures == 0 {
        return Err(TxError::sdk(sdk::NO_SIGNATURES, "no signatures supplied"));
    }
    if let Some(error) = &tx.unreadable_signer {
        return Err(error.clone());
    }
    if signatures != tx.signers.len() {
        let text = format!(
            "wrong number of signers; expected {}, got {signatures}: unauthorized",
            tx.signers.len()
        );
        return Err(TxError::sdk(sdk::UNAUTHORIZED, text));
    }
    Ok(())
}

fn check_timeouts(ctx: &Context, tx: &Transaction) -> Result<(), TxError> {
    let timeout = tx.body.timeout_height;
    let height = u64::try_from(ctx.block.height).unwrap_or(0);
    if timeout != 0 && height > timeout {
        let text = format!("block height: {height}, timeout height: {timeout}: tx timeout height");
        return Err(TxError::sdk(sdk::TX_TIMEOUT_HEIGHT, text));
    }
    let now = ctx.block.time;
    if let (Some(timeout), Some(time)) = (tx.timeout_nanos(), &tx.body.timeout_timestamp)
        && now.unix_nanos() > timeout
    {
        let text = format!(
            "block time: {}, timeout timestamp: {}: tx timeout",
            proto::time::rfc3339(now.seconds, now.nanos.into()),
            proto::time::rfc3339(time.seconds, time.nanos.into()),
        );
        return Err(TxError::sdk(sdk::TX_TIMEOUT, text));
    }
    Ok(())
}

fn check_memo(tx: &Transaction, params: &Params) -> Result<(), TxError> {
    // The SDK counts bytes and calls them characters.
    let length = u64::try_from(tx.body.memo.len()).unwrap_or(u64::MAX);
    let limit = params.max_memo_characters;
    if length > limit {
        let text = format!(
            "maximum number of characters is {limit} but received {length} characters: memo too large"
        );
        return Err(TxError::sdk(sdk::MEMO_TOO_LARGE, text));
    }
    Ok(())
}

fn charge_size(ctx: &mut Context, tx: &Transaction, params: &Params) -> Result<(), TxError> {
    let mut bytes = u64::try_from(tx.size).unwrap_or(u64::MAX);
    if ctx.mode == Mode::Simulate {
        // Who simulates before signing pays for the signatures to come.
        let missing = tx
            .raw
            .signatures
            .iter()
            .filter(|signature| signature.is_empty())
            .count();
        let missing = u64::try_from(missing).unwrap_or(u64::MAX);
        bytes = bytes.saturating_add(missing.saturating_mul(SIMULATED_SIGNATURE_BYTES));
    }
    ctx.charge(bytes.saturating_mul(params.tx_size_cost_per_byte), "txSize")
}

/// Stores public keys seen for the first time. Events: `tx` with account and sequence (not of unordered transactions),
/// `tx` with the signature.
fn set_public_keys(ctx: &mut Context, tx: &Transaction) -> Result<(), TxError> {
    for (position, (signer, info)) in tx.signer_infos().enumerate() {
        // Left out, the key must be on the account already; that is looked at when the signature is verified.
        let Some(any) = &info.public_key else {
            continue;
        };
        let key = SignerKey::from_any(any).map_err(|reason| {
            TxError::sdk(sdk::INVALID_PUB_KEY, format!("{reason}: invalid pubkey"))
        })?;
        // A simulation may be asked with any key, as it may be with any signature.
        if ctx.mode != Mode::Simulate && key.address() != *signer {
            let text = format!(
                "pubKey does not match signer address {signer} with signer index: {position}: invalid pubkey"
            );
            return Err(TxError::sdk(sdk::INVALID_PUB_KEY, text));
        }
        let mut account = existing_account(ctx, signer)?;
        if let Some(base) = account.base_mut().filter(|base| base.pub_key.is_none()) {
            base.pub_key = Some(any.clone());
            auth::save_account(ctx, signer, &account);
        }
    }
    if tx.auth_info.signer_infos.len() > tx.signers.len() {
        return Err(TxError::panic("more signer infos than signers"));
    }
    let signatures = || tx.signer_infos().zip(&tx.raw.signatures);
    if ctx.mode != Mode::Simulate {
        for ((_, info), signature) in signatures() {
            signing::check_form(info, signature)?;
        }
    }
    for ((signer, info), signature) in signatures() {
        if ctx.mode != Mode::Simulate {
            signing::check_given(info, signature)?;
        }
        if !tx.body.unordered {
            ctx.emit_raw("tx", &[("acc_seq", &format!("{signer}/{}", info.sequence))]);
        }
        for signature in signing::parts(info, signature) {
            ctx.emit_raw("tx", &[("signature", &STANDARD.encode(signature))]);
        }
    }
    Ok(())
}

fn check_signature_count(tx: &Transaction, params: &Params) -> Result<(), TxError> {
    let keys = tx.auth_info.signer_infos.iter().map(|info| {
        let key = info.public_key.as_ref().map(SignerKey::from_any);
        key.map_or(0, |key| key.map_or(1, |key| key.count()))
    });
    let count = keys.fold(0, usize::saturating_add);
    let count = u64::try_from(count).unwrap_or(u64::MAX);
    let limit = params.tx_sig_limit;
    if count > limit {
        let text =
            format!("signatures: {count}, limit: {limit}: maximum number of signatures exceeded");
        return Err(TxError::sdk(sdk::TOO_MANY_SIGNATURES, text));
    }
    Ok(())
}

/// Charges for each signature; here it shows who has no key to check one with.
fn charge_signatures(ctx: &mut Context, tx: &Transaction, params: &Params) -> Result<(), TxError> {
    for ((signer, info), signature) in tx.signer_infos().zip(&tx.raw.signatures) {
        if ctx.mode != Mode::Simulate {
            let account = ctx.unpriced(|ctx| existing_account(ctx, signer))?;
            if SignerKey::is_multisig(stored_any(&account)?) {
                signing::check_keys(info, &stored_key(&account)?, signature)?;
            }
        }
        let signatures = signing::count(info);
        let gas = signatures.saturating_mul(params.sig_verify_cost_secp256k1);
        ctx.charge(gas, "ante verify: secp256k1")?;
    }
    Ok(())
}

fn verify_signatures(ctx: &mut Context, tx: &Transaction) -> Result<(), TxError> {
    let infos = tx.auth_info.signer_infos.len();
    if infos != tx.signers.len() {
        let text = format!(
            "invalid number of signer; expected: {}, got {infos}: unauthorized",
            tx.signers.len()
        );
        return Err(TxError::sdk(sdk::UNAUTHORIZED, text));
    }
    if tx.body.unordered {
        check_unordered(ctx, tx)?;
    }
    let signatures = tx.signer_infos().zip(&tx.raw.signatures);
    for (index, ((signer, info), signature)) in signatures.enumerate() {
        let account = existing_account(ctx, signer)?;
        verify_one(ctx, tx, index, info, signature, &account)?;
    }
    Ok(())
}

fn verify_one(
    ctx: &Context,
    tx: &Transaction,
    index: usize,
    info: &SignerInfo,
    signature: &[u8],
    account: &Account,
) -> Result<(), TxError> {
    if tx.body.unordered && info.sequence > 0 {
        let text = "sequence is not allowed for unordered transactions";
        return Err(TxError::invalid_request(text));
    }
    let (number, expected) = account
        .base()
        .map_or((0, 0), |base| (base.account_number, base.sequence));
    // Before the first block nobody knows a number yet.
    let number = if ctx.mode == Mode::Genesis { 0 } else { number };
    if !tx.body.unordered && info.sequence != expected {
        let text = format!(
            "account sequence mismatch, expected {expected}, got {}: incorrect account sequence",
            info.sequence
        );
        return Err(TxError::sdk(sdk::WRONG_SEQUENCE, text));
    }
    if matches!(ctx.mode, Mode::Simulate | Mode::Recheck) {
        return Ok(());
    }
    let key = stored_key(account)?;
    signing::check_infos(tx)?;
    let chain_id = &ctx.block.chain_id;
    let signer = signing::Signer {
        chain_id,
        account_number: number,
        sequence: info.sequence,
    };
    let verdict = match tx.verdict(index, &key, number) {
        Some(verdict) => verdict.clone(),
        None => signing::verify(tx, info, &key, signature, signer),
    };
    verdict.map_err(|reason| {
        let text = format!(
            "signature verification failed; please verify account number ({number}) and chain-id \
             ({chain_id}): ({reason}): unauthorized"
        );
        TxError::sdk(sdk::UNAUTHORIZED, text)
    })
}

/// The key on an account, checked when it was put there.
fn stored_any(account: &Account) -> Result<&Any, TxError> {
    let any = account.base().and_then(|base| base.pub_key.as_ref());
    any.ok_or_else(no_key)
}

fn stored_key(account: &Account) -> Result<SignerKey, TxError> {
    SignerKey::from_any(stored_any(account)?).map_err(|_| no_key())
}

fn no_key() -> TxError {
    let text = "unrecognized public key type: <nil>: invalid pubkey";
    TxError::sdk(sdk::INVALID_PUB_KEY, text)
}

/// The rules of unordered transactions: a bounded timeout, no sequence, and one use of (signer, timeout).
fn check_unordered(ctx: &mut Context, tx: &Transaction) -> Result<(), TxError> {
    let refuse = |text: &str| TxError::invalid_request(text);
    let Some(timeout) = tx.timeout_nanos() else {
        return Err(refuse(
            "unordered transaction must have timeout_timestamp set",
        ));
    };
    let now = ctx.block.time.unix_nanos();
    if timeout < now {
        return Err(refuse(
            "unordered transaction has a timeout_timestamp that has already passed",
        ));
    }
    if timeout > now.saturating_add(UNORDERED_TTL_NANOS) {
        return Err(refuse("unordered tx ttl exceeds 10m0s"));
    }
    let nanos = u64::try_from(timeout)
        .map_err(|_| refuse("timeout_timestamp lies beyond what can be counted"))?;
    for signer in &tx.signers {
        ctx.charge(UNORDERED_GAS, "unordered tx")?;
        if ctx.mode != Mode::Simulate {
            auth::unordered::use_nonce(ctx, signer, nanos)?;
        }
    }
    Ok(())
}

fn increment_sequences(ctx: &mut Context, tx: &Transaction) -> Result<(), TxError> {
    if tx.body.unordered {
        return Ok(());
    }
    for signer in &tx.signers {
        let mut account = existing_account(ctx, signer)?;
        if let Some(base) = account.base_mut() {
            base.sequence = base.sequence.checked_add(1).ok_or_else(|| {
                TxError::sdk(
                    sdk::WRONG_SEQUENCE,
                    "sequence used up: incorrect account sequence",
                )
            })?;
        }
        auth::save_account(ctx, signer, &account);
    }
    Ok(())
}

fn existing_account(ctx: &Context, address: &Address) -> Result<Account, TxError> {
    auth::account(ctx, address)?.ok_or_else(|| {
        let text = format!("account {address} does not exist: unknown address");
        TxError::sdk(sdk::UNKNOWN_ADDRESS, text)
    })
}
