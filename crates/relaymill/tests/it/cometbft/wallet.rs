//! Transactions of one account, signed here.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crypto::keys::SecretKey;
use prost::{Message, Name};
use proto::cosmos::auth::v1beta1::{QueryAccountInfoRequest, QueryAccountInfoResponse};
use proto::cosmos::base::v1beta1::Coin;
use proto::cosmos::crypto::secp256k1::PubKey;
use proto::cosmos::tx::signing::v1beta1::SignMode;
use proto::cosmos::tx::v1beta1::mode_info::{Single, Sum};
use proto::cosmos::tx::v1beta1::{AuthInfo, Fee, ModeInfo, SignDoc, SignerInfo, TxBody, TxRaw};
use serde_json::json;

use crate::support::chain::Chain;
use crate::support::wait_for;

/// More than anything here needs.
const GAS: u64 = 400_000;

/// An account and its next sequence.
pub(super) struct Wallet {
    key: SecretKey,
    chain_id: String,
    number: u64,
    sequence: u64,
}

impl Wallet {
    /// Asks a node for the account of a key.
    pub(super) fn open(key: SecretKey, chain_id: &str, node: &Chain) -> Self {
        let mut wallet = Self {
            key,
            chain_id: chain_id.to_owned(),
            number: 0,
            sequence: 0,
        };
        wallet.resume(node);
        wallet
    }

    /// Takes number and sequence from a node's state.
    pub(super) fn resume(&mut self, node: &Chain) {
        let request = QueryAccountInfoRequest {
            address: self.address(),
        };
        let path = "/cosmos.auth.v1beta1.Query/AccountInfo";
        let answer: QueryAccountInfoResponse = node.query(path, &request, 0).expect("an account");
        let info = answer.info.expect("an account");
        self.number = info.account_number;
        self.sequence = info.sequence;
    }

    pub(super) fn address(&self) -> String {
        self.key.public().address().to_bech32()
    }

    /// Signs the next transaction.
    pub(super) fn sign<M: Message + Name>(&mut self, message: &M) -> Vec<u8> {
        let body = TxBody {
            messages: vec![proto::any::pack(message)],
            ..TxBody::default()
        };
        let info = SignerInfo {
            public_key: Some(proto::any::pack(&PubKey {
                key: self.key.public().as_bytes().to_vec().into(),
            })),
            mode_info: Some(ModeInfo {
                sum: Some(Sum::Single(Single {
                    mode: SignMode::Direct.into(),
                })),
            }),
            sequence: self.sequence,
        };
        let fee = Fee {
            amount: vec![upokt(1_000)],
            gas_limit: GAS,
            ..Fee::default()
        };
        let auth_info = AuthInfo {
            signer_infos: vec![info],
            fee: Some(fee),
            ..AuthInfo::default()
        };
        let document = SignDoc {
            body_bytes: body.encode_to_vec().into(),
            auth_info_bytes: auth_info.encode_to_vec().into(),
            chain_id: self.chain_id.clone(),
            account_number: self.number,
        };
        let signature = self.key.sign(&document.encode_to_vec()).to_vec();
        self.sequence += 1;
        let raw = TxRaw {
            body_bytes: document.body_bytes,
            auth_info_bytes: document.auth_info_bytes,
            signatures: vec![signature.into()],
        };
        raw.encode_to_vec()
    }

    /// Sends a message and waits until a block holds it.
    pub(super) fn send<M: Message + Name>(&mut self, message: &M, node: &Chain) {
        let bytes = self.sign(message);
        let answer = node.call(
            "broadcast_tx_sync",
            &json!({ "tx": STANDARD.encode(&bytes) }),
        );
        assert_eq!(
            answer["code"],
            0,
            "{} was refused: {answer}",
            M::full_name()
        );
        let hash = STANDARD.encode(crypto::hash::sha256(&bytes));
        let included = wait_for("the transaction's block", Duration::from_secs(60), || {
            node.try_call("tx", &json!({ "hash": hash, "prove": false }))
                .ok()
        });
        let result = &included["tx_result"];
        assert_eq!(
            result["code"],
            0,
            "{} failed: {}",
            M::full_name(),
            result["log"]
        );
    }
}

pub(super) fn upokt(amount: u64) -> Coin {
    Coin {
        denom: "upokt".to_owned(),
        amount: amount.to_string(),
    }
}
