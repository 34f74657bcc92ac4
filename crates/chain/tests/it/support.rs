//! A small network: accounts with keys, transactions signed by them, blocks one second apart.

use chain::genesis::{Document, GenesisBuilder};
use chain::{Application, Options};
use prost::{Message, Name};
use proto::cosmos::bank::v1beta1::MsgSend;
use proto::cosmos::base::v1beta1::Coin;
use proto::cosmos::tx::signing::v1beta1::SignMode;
use proto::cosmos::tx::v1beta1::{AuthInfo, Fee, SignDoc, SignerInfo, TxBody, TxRaw};
use tendermint_proto::google::protobuf::Timestamp;
use tendermint_proto::v0_38::abci::{
    RequestCheckTx, RequestFinalizeBlock, ResponseCheckTx, ResponseFinalizeBlock,
};

use crate::signatures;
pub(crate) use crate::signatures::{address, key};

pub(crate) const CHAIN_ID: &str = "relaymill-it";
pub(crate) const START: i64 = 1_700_000_000;

/// alice, bob and carol with a million upokt each; alice's key is known from the start.
pub(crate) fn document() -> Document {
    builder().build().unwrap()
}

pub(crate) fn builder() -> GenesisBuilder {
    let mut builder = GenesisBuilder::new(CHAIN_ID, "2023-11-14T22:13:20Z");
    builder.account(address("alice"), Some(key("alice").public()), 1_000_000);
    builder.account(address("bob"), None, 1_000_000);
    builder.account(address("carol"), None, 1_000_000);
    builder
}

pub(crate) fn start(directory: &std::path::Path, document: &Document) -> Application {
    let mut application = Application::open(directory, Options::default()).unwrap();
    application
        .init_chain(&document.init_chain(Vec::new()).unwrap())
        .unwrap();
    application
}

/// Block `height` of the test's clock.
pub(crate) fn block(height: i64, txs: &[Vec<u8>]) -> RequestFinalizeBlock {
    RequestFinalizeBlock {
        txs: txs.iter().cloned().map(Into::into).collect(),
        hash: crypto::hash::sha256(&height.to_be_bytes()).to_vec().into(),
        height,
        time: Some(Timestamp {
            seconds: START + height,
            nanos: 0,
        }),
        proposer_address: vec![9; 20].into(),
        ..Default::default()
    }
}

pub(crate) fn execute(
    application: &mut Application,
    height: i64,
    txs: &[Vec<u8>],
) -> ResponseFinalizeBlock {
    let response = application.finalize_block(&block(height, txs)).unwrap();
    application.commit().unwrap();
    response
}

pub(crate) fn check(application: &Application, tx: &[u8]) -> ResponseCheckTx {
    application.check_tx(&RequestCheckTx {
        tx: tx.to_vec().into(),
        r#type: 0,
    })
}

/// A transaction under construction; fields may be bent before it is signed.
#[derive(Clone)]
pub(crate) struct Draft {
    pub(crate) body: TxBody,
    pub(crate) fee: Fee,
    /// Who signs: name, account number, sequence.
    pub(crate) signers: Vec<(String, u64, u64)>,
    pub(crate) chain_id: String,
    /// What is signed: the transaction's bytes, or the text of what they say.
    pub(crate) mode: SignMode,
}

impl Draft {
    pub(crate) fn new<M: Message + Name>(
        signer: &str,
        number: u64,
        sequence: u64,
        message: &M,
    ) -> Self {
        let amount = vec![coin(10)];
        Self {
            body: TxBody {
                messages: vec![proto::any::pack(message)],
                ..Default::default()
            },
            fee: Fee {
                amount,
                gas_limit: 300_000,
                ..Default::default()
            },
            signers: vec![(signer.to_owned(), number, sequence)],
            chain_id: CHAIN_ID.to_owned(),
            mode: SignMode::Direct,
        }
    }

    pub(crate) fn message<M: Message + Name>(mut self, message: &M) -> Self {
        self.body.messages.push(proto::any::pack(message));
        self
    }

    pub(crate) fn signer(mut self, name: &str, number: u64, sequence: u64) -> Self {
        self.signers.push((name.to_owned(), number, sequence));
        self
    }

    pub(crate) fn sign(&self) -> Vec<u8> {
        let infos = self.signers.iter().map(|(name, _, sequence)| SignerInfo {
            public_key: Some(signatures::public_key(name)),
            mode_info: Some(signatures::mode_info(name, self.mode)),
            sequence: *sequence,
        });
        let auth_info = AuthInfo {
            signer_infos: infos.collect(),
            fee: Some(self.fee.clone()),
            ..Default::default()
        };
        let body_bytes: Vec<u8> = self.body.encode_to_vec();
        let auth_info_bytes: Vec<u8> = auth_info.encode_to_vec();
        let signatures = self.signers.iter().map(|(name, number, sequence)| {
            let document = if self.mode == SignMode::LegacyAminoJson {
                self.text(*number, *sequence)
            } else {
                let document = SignDoc {
                    body_bytes: body_bytes.clone().into(),
                    auth_info_bytes: auth_info_bytes.clone().into(),
                    chain_id: self.chain_id.clone(),
                    account_number: *number,
                };
                document.encode_to_vec()
            };
            signatures::sign(name, &document).into()
        });
        let raw = TxRaw {
            signatures: signatures.collect(),
            body_bytes: body_bytes.clone().into(),
            auth_info_bytes: auth_info_bytes.clone().into(),
        };
        raw.encode_to_vec()
    }

    /// What is signed as amino JSON; nothing where a message has no such form.
    fn text(&self, number: u64, sequence: u64) -> Vec<u8> {
        proto::amino::sign_doc(&self.body, &self.fee, &self.chain_id, number, sequence)
            .map_or(Vec::new(), String::into_bytes)
    }
}

pub(crate) fn coin(amount: u128) -> Coin {
    chain::bank::upokt(amount)
}

pub(crate) fn send(from: &str, to: &str, amount: u128) -> MsgSend {
    MsgSend {
        from_address: address(from).to_bech32(),
        to_address: address(to).to_bech32(),
        amount: vec![coin(amount)],
    }
}

/// A signed transfer.
pub(crate) fn transfer(from: &str, number: u64, sequence: u64, to: &str, amount: u128) -> Vec<u8> {
    Draft::new(from, number, sequence, &send(from, to, amount)).sign()
}

pub(crate) fn balance(application: &Application, name: &str) -> u128 {
    let address = address(name);
    application
        .reader()
        .at(None, |ctx| {
            chain::bank::balance(ctx, &address, chain::bank::UPOKT)
        })
        .unwrap()
}
