//! Transactions as documents: generated here, signed there, broadcast elsewhere. Their form is the SDK's: the proto-JSON
//! of `cosmos.tx.v1beta1.Tx`.

use std::time::SystemTime;

use anyhow::{Context as _, Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use client::tx::{Class, Included, Outcome, SendOptions, TxHash};
use crypto::keys::PublicKey;
use prost::Message as _;
use prost_types::{Any, Timestamp};
use proto::cosmos::crypto::secp256k1::PubKey;
use proto::cosmos::tx::signing::v1beta1::SignMode;
use proto::cosmos::tx::v1beta1::mode_info::{Single, Sum};
use proto::cosmos::tx::v1beta1::{AuthInfo, Fee, ModeInfo, SignDoc, SignerInfo, Tx, TxBody, TxRaw};
use serde_json::Value;

use super::message::{read_json, read_text};
use super::signer::Signer;
use super::{TxArgs, amount, send};

#[derive(Args, Debug)]
pub(crate) struct SignArgs {
    /// The transaction; `-` is standard input.
    file: String,
    /// Asks no node: chain, account number and sequence are given.
    #[arg(long, requires_all = ["account_number", "sequence"])]
    offline: bool,
    /// Number of the account, instead of the chain's word.
    #[arg(long)]
    account_number: Option<u64>,
    /// Sequence of the account, instead of the chain's word.
    #[arg(long)]
    sequence: Option<u64>,
}

/// A transaction that nobody signed yet.
pub(super) struct Unsigned {
    body: TxBody,
    fee: Fee,
}

impl Unsigned {
    /// Of messages and options; unordered ones end their time from `now` on, the time of the latest block.
    pub(super) fn new(
        messages: Vec<Any>,
        options: &SendOptions,
        gas_limit: u64,
        now: SystemTime,
    ) -> Self {
        let fee = options.fee_upokt;
        let fee = fee.unwrap_or_else(|| options.gas_price.fee(gas_limit));
        let timeout = options
            .unordered
            .then(|| Timestamp::from(now + options.ttl));
        Self {
            body: TxBody {
                messages,
                memo: options.memo.clone(),
                timeout_height: options.timeout_height,
                unordered: options.unordered,
                timeout_timestamp: timeout,
                ..Default::default()
            },
            fee: Fee {
                amount: if fee == 0 {
                    Vec::new()
                } else {
                    vec![amount::upokt(fee)]
                },
                gas_limit,
                granter: options.fee_granter.clone(),
                ..Default::default()
            },
        }
    }

    /// Its two encoded halves, with who signs.
    pub(super) fn signed_by(&self, public: &PublicKey, sequence: u64) -> (Vec<u8>, Vec<u8>) {
        let key = PubKey {
            key: public.as_bytes().to_vec().into(),
        };
        let mode = Single {
            mode: SignMode::Direct.into(),
        };
        let info = SignerInfo {
            public_key: Some(proto::any::pack(&key)),
            mode_info: Some(ModeInfo {
                sum: Some(Sum::Single(mode)),
            }),
            // The chain refuses an unordered transaction that names a sequence.
            sequence: if self.body.unordered { 0 } else { sequence },
        };
        let auth_info = AuthInfo {
            signer_infos: vec![info],
            fee: Some(self.fee.clone()),
            ..Default::default()
        };
        (self.body.encode_to_vec(), auth_info.encode_to_vec())
    }

    /// As a document.
    pub(super) fn json(&self) -> Result<Value> {
        tx_json(&Tx {
            body: Some(self.body.clone()),
            auth_info: Some(AuthInfo {
                fee: Some(self.fee.clone()),
                ..Default::default()
            }),
            signatures: Vec::new(),
        })
    }

    fn read(file: &str) -> Result<Self> {
        let tx: Tx = proto::json::from_json(&read_json(file)?).with_context(|| file.to_owned())?;
        let body = tx
            .body
            .with_context(|| format!("{file}: `body` is missing"))?;
        if body.messages.is_empty() {
            bail!("{file}: it has no messages");
        }
        let fee = tx.auth_info.and_then(|info| info.fee);
        Ok(Self {
            body,
            fee: fee.with_context(|| format!("{file}: `auth_info.fee` is missing"))?,
        })
    }
}

fn tx_json(tx: &Tx) -> Result<Value> {
    Ok(serde_json::from_str(&proto::json::to_json(tx)?)?)
}

/// The messages of a document.
pub(super) fn messages(file: &str) -> Result<Vec<Any>> {
    Ok(Unsigned::read(file)?.body.messages)
}

/// A message as JSON with its `@type`.
pub(super) fn message(any: &Any) -> Result<Value> {
    let name = <Any as prost::Name>::full_name();
    Ok(serde_json::from_str(&proto::json::bytes_to_json(
        &name,
        &any.encode_to_vec(),
    )?)?)
}

/// `tx sign`.
pub(super) async fn sign(args: &TxArgs, what: &SignArgs, tasks: &net::Tasks) -> Result<()> {
    let unsigned = Unsigned::read(&what.file)?;
    let (chain_id, number, sequence, signer) = if what.offline {
        let chain_id = args
            .node
            .chain_id
            .clone()
            .context("--offline needs --chain-id")?;
        let signer = Signer::find(args, &chain_id)?;
        let (number, sequence) = (what.account_number, what.sequence);
        (chain_id, number.unwrap_or(0), sequence.unwrap_or(0), signer)
    } else {
        let chain = args.node.connect(tasks).await?;
        let signer = Signer::find(args, chain.chain_id())?;
        let account = chain.account(&signer.account()).await?;
        let account = account.with_context(|| {
            format!(
                "{} is not on chain: it never received coins",
                signer.address
            )
        })?;
        let (number, sequence) = (what.account_number, what.sequence);
        (
            chain.chain_id().to_owned(),
            number.unwrap_or(account.number),
            sequence.unwrap_or(account.sequence),
            signer,
        )
    };
    let key = signer.key(args)?;
    let (body, auth_info) = unsigned.signed_by(&key.public(), sequence);
    let document = SignDoc {
        body_bytes: body.clone().into(),
        auth_info_bytes: auth_info.clone().into(),
        chain_id,
        account_number: number,
    };
    let signature = key.sign(&document.encode_to_vec());
    let signed = TxRaw {
        body_bytes: body.into(),
        auth_info_bytes: auth_info.into(),
        signatures: vec![signature.to_vec().into()],
    };
    println!("{}", decoded(&signed.encode_to_vec())?);
    Ok(())
}

/// The JSON of an encoded transaction.
pub(in crate::cli) fn decoded(bytes: &[u8]) -> Result<Value> {
    let json = proto::json::bytes_to_json("cosmos.tx.v1beta1.Tx", bytes)?;
    Ok(serde_json::from_str(&json)?)
}

/// `tx decode`.
pub(super) fn decode(args: &TxArgs, text: &str) -> Result<()> {
    let text = if text == "-" {
        read_text("-")?
    } else {
        text.to_owned()
    };
    args.node.print(&decoded(&bytes(&text)?)?)
}

/// Bytes in hex digits or base64.
fn bytes(text: &str) -> Result<Vec<u8>> {
    let text = text.trim();
    hex::decode(text.strip_prefix("0x").unwrap_or(text))
        .ok()
        .or_else(|| STANDARD.decode(text).ok())
        .context("expected the bytes of a transaction in base64 or hex digits")
}

/// `tx broadcast`.
pub(super) async fn broadcast(args: &TxArgs, file: &str, tasks: &net::Tasks) -> Result<()> {
    let text = read_text(file)?;
    let signed = if text.trim_start().starts_with('{') {
        let json: Value =
            serde_json::from_str(&text).with_context(|| format!("{file} is no JSON"))?;
        let tx: Tx = proto::json::from_json(&json).with_context(|| file.to_owned())?;
        tx.encode_to_vec()
    } else {
        bytes(&text).with_context(|| file.to_owned())?
    };
    let tx = Tx::decode(signed.as_slice()).with_context(|| format!("{file} is no transaction"))?;
    if tx.signatures.is_empty() {
        bail!("{file} is not signed: `relaymill tx sign` does that");
    }
    let chain = args.node.connect(tasks).await?;
    let mut height = chain.height();
    let deadline = match tx.body.map_or(0, |body| body.timeout_height) {
        0 => args.options.deadline(&chain),
        height => i64::try_from(height).unwrap_or(i64::MAX),
    };
    let hash = TxHash::of(&signed);
    if let Err(rejection) = chain.broadcast(&signed).await? {
        // It is there already: what became of it?
        if rejection.class() != Class::AlreadyKnown {
            return send::report(args, Outcome::Rejected(rejection));
        }
    }
    let found = async {
        loop {
            if let Some(answer) = chain.rpc().tx(&hash).await? {
                return anyhow::Ok(Some(answer));
            }
            if height > deadline {
                return Ok(None);
            }
            height = chain.wait_above(height).await?.height;
        }
    };
    let fate = format!("`relaymill query tx {hash}` shows it if it is");
    let outcome = match send::while_blocks_come(args, &chain, found, &fate).await?? {
        Some(answer) => {
            let result = answer.tx_result;
            Outcome::Included(Included {
                hash,
                height: answer.height,
                code: result.code,
                codespace: result.codespace,
                log: result.log,
                gas_wanted: result.gas_wanted,
                gas_used: result.gas_used,
                events: result.events,
            })
        }
        None => Outcome::TimedOut {
            hash: Some(hash),
            deadline,
            last: None,
        },
    };
    send::report(args, outcome)
}

#[cfg(test)]
mod tests {
    use super::super::message::pack;
    use super::*;

    #[test]
    fn a_document_is_read_back_as_it_was_written() {
        let send = proto::cosmos::bank::v1beta1::MsgSend {
            from_address: "pokt1a".to_owned(),
            to_address: "pokt1b".to_owned(),
            amount: vec![amount::upokt(7)],
        };
        let any = proto::any::pack(&send);
        assert_eq!(pack(&message(&any).unwrap()).unwrap(), any);
        let options = SendOptions {
            memo: "hello".to_owned(),
            fee_upokt: Some(9),
            ..SendOptions::default()
        };
        let unsigned = Unsigned::new(vec![any], &options, 100, SystemTime::UNIX_EPOCH);
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tx.json");
        std::fs::write(&file, unsigned.json().unwrap().to_string()).unwrap();
        let read = Unsigned::read(file.to_str().unwrap()).unwrap();
        assert_eq!(read.body, unsigned.body);
        assert_eq!(read.fee, unsigned.fee);
        let key = crypto::keys::SecretKey::random().unwrap().public();
        let (body, auth_info) = read.signed_by(&key, 3);
        let raw = TxRaw {
            body_bytes: body.into(),
            auth_info_bytes: auth_info.into(),
            signatures: vec![vec![1; 64].into()],
        };
        let raw = raw.encode_to_vec();
        let again: Tx = proto::json::from_json(&decoded(&raw).unwrap()).unwrap();
        assert_eq!(
            again.encode_to_vec(),
            raw,
            "signed bytes survive their document"
        );
    }

    #[test]
    fn bytes_are_read_in_both_forms() {
        assert_eq!(bytes("0aff\n").unwrap(), [10, 255]);
        assert_eq!(bytes(" Cv8= ").unwrap(), [10, 255]);
        assert!(bytes("not bytes").is_err());
    }
}
