//! The transactions of `poktroll-vectors.json` pass the checks before the messages; what is bent does not.

use crypto::keys::{Address, SecretKey};
use prost::Message as _;
use prost_types::Any;
use proto::cosmos::auth::v1beta1::BaseAccount;
use proto::cosmos::bank::v1beta1::MsgSend;
use proto::cosmos::crypto::multisig::LegacyAminoPubKey;
use proto::cosmos::feegrant::v1beta1::BasicAllowance;
use proto::cosmos::tx::v1beta1::{AuthInfo, Fee, TxBody, TxRaw};
use serde_json::Value;

use super::*;
use crate::auth::{self, Account};
use crate::bank::{self, upokt};
use crate::context::{BlockTime, Context, Mode};
use crate::error::TxError;
use crate::feegrant::{self, Allowance};
use crate::limits::GAS_LIMIT_MAX;
use crate::rules::Rules;
use crate::testing::{TestChain, refused};
use crate::tx::{GasPrice, ante};

fn rows() -> Vec<Value> {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/vectors/poktroll-vectors.json"
    );
    let text = std::fs::read_to_string(path).unwrap();
    let all: Value = serde_json::from_str(&text).unwrap();
    all["tx"]["txs"].as_array().unwrap().clone()
}

fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().unwrap()).unwrap()
}

fn number(value: &Value) -> u64 {
    value.as_str().unwrap().parse().unwrap()
}

/// Puts an account of a number and a sequence into the state, with the fee.
fn place(ctx: &mut Context, address: Address, number: u64, sequence: u64) -> Result<(), TxError> {
    bank::mint(ctx, "tokenomics", &[upokt(1_000_000)])?;
    bank::module_to_account(ctx, "tokenomics", &address, &[upokt(1_000_000)])?;
    let base = BaseAccount {
        address: address.to_bech32(),
        pub_key: None,
        account_number: number,
        sequence,
    };
    auth::save_account(ctx, &address, &Account::Base(base));
    Ok(())
}

/// A chain on which the row's transaction may be sent.
fn chain(row: &Value, tx: &Transaction) -> TestChain {
    let mut chain = TestChain::new(Rules::mended());
    chain.block.chain_id = row["chain_id"].as_str().unwrap().to_owned();
    if let Some(time) = &tx.body.timeout_timestamp {
        chain.block.time = BlockTime {
            seconds: time.seconds - 10,
            nanos: time.nanos,
        };
    }
    let sequence = number(&row["sequence"]);
    chain
        .run(|ctx| {
            for signer in &tx.signers {
                place(ctx, *signer, number(&row["account_number"]), sequence)?;
            }
            let granter = tx.fee().granter;
            if !granter.is_empty() {
                let granter = Address::from_bech32(&granter).unwrap();
                place(ctx, granter, 900, 0)?;
                let own = Allowance::Basic(BasicAllowance::default());
                feegrant::grant_allowance(ctx, &granter, &tx.signers[0], &own)?;
            }
            Ok::<(), TxError>(())
        })
        .unwrap();
    chain
}

/// The checks without a gas limit: the vectors have symbolic ones.
fn check(chain: &TestChain, wire: &[u8]) -> Result<(), TxError> {
    let tx = Transaction::decode(wire)?;
    let block = chain.block.clone();
    let mut ctx = Context::new(chain.view(), block, chain.rules, Mode::Check);
    ante::check(&mut ctx, &tx, GasPrice::ZERO)
}

/// The signatures of a transaction by themselves.
fn verify_all(row: &Value, tx: &Transaction) -> Result<(), String> {
    let signer = Signer {
        chain_id: row["chain_id"].as_str().unwrap(),
        account_number: number(&row["account_number"]),
        sequence: number(&row["sequence"]),
    };
    for ((_, info), signature) in tx.signer_infos().zip(&tx.raw.signatures) {
        let key = SignerKey::from_any(info.public_key.as_ref().unwrap())?;
        verify(tx, info, &key, signature, signer)?;
    }
    Ok(())
}

#[test]
fn transactions_of_both_modes_are_accepted() {
    let mut seen = [0, 0];
    for row in rows() {
        if row["tx_raw"].is_null() {
            continue;
        }
        let name = format!("{} {}", row["name"], row["mode"]);
        let wire = bytes(&row["tx_raw"]);
        let tx = Transaction::decode(&wire).unwrap_or_else(|error| panic!("{name}: {error}"));
        let chain = chain(&row, &tx);
        let amino = row["mode"] == "SIGN_MODE_LEGACY_AMINO_JSON";
        seen[usize::from(amino)] += 1;
        if amino {
            for signer in row["signers"].as_array().unwrap() {
                let text = proto::amino::sign_doc(
                    &tx.body,
                    &tx.fee(),
                    row["chain_id"].as_str().unwrap(),
                    number(&row["account_number"]),
                    number(&row["sequence"]),
                )
                .unwrap();
                assert_eq!(text, signer["sign_doc_json"].as_str().unwrap(), "{name}");
            }
        }
        if tx.fee().gas_limit > GAS_LIMIT_MAX {
            // More gas than the SDK takes: only the signatures count.
            refused(check(&chain, &wire), "sdk", 18).unwrap();
            verify_all(&row, &tx).unwrap_or_else(|error| panic!("{name}: {error}"));
            continue;
        }
        check(&chain, &wire).unwrap_or_else(|error| panic!("{name}: {error}"));
        let mut raw = tx.raw.clone();
        let mut signature = raw.signatures[0].to_vec();
        signature[40] ^= 1;
        raw.signatures[0] = signature.into();
        let log = refused(check(&chain, &raw.encode_to_vec()), "sdk", 4).unwrap();
        assert!(log.contains("signature verification failed"), "{log}");
    }
    assert_eq!(seen, [15, 12]);
}

/// The row's transaction with another sign mode of its signers.
fn with_mode(wire: &[u8], mode: SignMode) -> Vec<u8> {
    let mut raw = TxRaw::decode(wire).unwrap();
    let mut auth_info = AuthInfo::decode(raw.auth_info_bytes).unwrap();
    for info in &mut auth_info.signer_infos {
        info.mode_info = Some(ModeInfo {
            sum: Some(Sum::Single(Single { mode: mode.into() })),
        });
    }
    raw.auth_info_bytes = auth_info.encode_to_vec().into();
    raw.encode_to_vec()
}

#[test]
fn what_has_no_form_in_amino_json_and_other_modes_are_refused_in_words() {
    let rows = rows();
    let without = |row: &&Value| row["tx_raw"].is_null();
    let mut formless = 0;
    for row in rows.iter().filter(without) {
        let twin = rows
            .iter()
            .find(|twin| twin["name"] == row["name"] && twin["mode"] == "SIGN_MODE_DIRECT");
        let wire = bytes(&twin.unwrap()["tx_raw"]);
        let wire = with_mode(&wire, SignMode::LegacyAminoJson);
        let tx = Transaction::decode(&wire).unwrap();
        let log = refused(check(&chain(row, &tx), &wire), "sdk", 4).unwrap();
        assert!(
            log.contains("has no form in amino JSON"),
            "{}: {log}",
            row["name"]
        );
        formless += 1;
    }
    assert_eq!(formless, 3);
    let row = &rows[0];
    let wire = bytes(&row["tx_raw"]);
    let tx = Transaction::decode(&wire).unwrap();
    let chain = chain(row, &tx);
    for mode in [
        SignMode::Textual,
        SignMode::DirectAux,
        SignMode::Unspecified,
    ] {
        let log = refused(check(&chain, &with_mode(&wire, mode)), "sdk", 4).unwrap();
        let text = format!("{} is not supported; sign with", mode.as_str_name());
        assert!(log.contains(&text), "{log}");
    }
}

#[test]
fn amino_json_covers_all_or_refuses() {
    let rows = rows();
    let row = rows
        .iter()
        .find(|row| row["mode"] == "SIGN_MODE_LEGACY_AMINO_JSON" && row["name"] == "bank send")
        .unwrap();
    let wire = bytes(&row["tx_raw"]);
    let tx = Transaction::decode(&wire).unwrap();
    let chain = chain(row, &tx);
    // A field that direct signing would cover and the text does not: number 1500 of the body.
    let mut raw = tx.raw.clone();
    let mut body = raw.body_bytes.to_vec();
    prost::encoding::string::encode(1_500, &"hidden".to_owned(), &mut body);
    raw.body_bytes = body.into();
    let log = refused(check(&chain, &raw.encode_to_vec()), "sdk", 4).unwrap();
    assert!(log.contains("unknown field 1500"), "{log}");
    let mut raw = tx.raw.clone();
    let mut body = TxBody::decode(raw.body_bytes).unwrap();
    body.non_critical_extension_options.push(Any::default());
    raw.body_bytes = body.encode_to_vec().into();
    let log = refused(check(&chain, &raw.encode_to_vec()), "sdk", 4).unwrap();
    assert!(
        log.contains("does not support protobuf extension options"),
        "{log}"
    );
}

/// Keys of a published multisig address: two of three must sign.
const MEMBERS: [&str; 3] = [
    "03f3f0bd6fc92c49e16f4fe8e60f809cea8c37e1454f6e208c97c3b40d6d06c06f",
    "03d5d1dee471003e4bf64918a2dcf4f78847eb27bdd982eb6923bfb068566a5c5b",
    "0321136bd63d8a139bcde44f58c3f430101ad0caae9dedc8fb92a89ce08f4ed92f",
];

fn multisig(threshold: u32, keys: &[PublicKey]) -> Any {
    proto::any::pack(&LegacyAminoPubKey {
        threshold,
        public_keys: keys.iter().map(auth::encode_public_key).collect(),
    })
}

#[test]
fn a_multisig_address_is_that_of_other_wallets() {
    let keys = MEMBERS.map(|key| PublicKey::from_bytes(&hex::decode(key).unwrap()).unwrap());
    let key = SignerKey::from_any(&multisig(2, &keys)).unwrap();
    assert_eq!(
        hex::encode(key.address().as_bytes()),
        "47123eb2ba0cc2e4be24e78c2f689fb6fab81961"
    );
    assert_eq!(key.count(), 3);
    for threshold in [0, 4] {
        assert!(SignerKey::from_any(&multisig(threshold, &keys)).is_err());
    }
}

struct Group {
    secrets: Vec<SecretKey>,
    key: Any,
    address: Address,
}

impl Group {
    fn new() -> Self {
        let secret = |seed: u8| SecretKey::from_bytes(&[seed; 32]).unwrap();
        let secrets: Vec<_> = (1..=3).map(secret).collect();
        let keys: Vec<_> = secrets.iter().map(SecretKey::public).collect();
        let key = multisig(2, &keys);
        let address = SignerKey::from_any(&key).unwrap().address();
        Self {
            secrets,
            key,
            address,
        }
    }

    /// A transfer signed by some members; `bits` may say otherwise.
    fn sign(&self, members: &[usize], bits: u8, mode: SignMode) -> Vec<u8> {
        let send = MsgSend {
            from_address: self.address.to_bech32(),
            to_address: Address([9; 20]).to_bech32(),
            amount: vec![upokt(1)],
        };
        let body = TxBody {
            messages: vec![proto::any::pack(&send)],
            ..Default::default()
        };
        let one = ModeInfo {
            sum: Some(Sum::Single(Single { mode: mode.into() })),
        };
        let auth_info = AuthInfo {
            signer_infos: vec![SignerInfo {
                public_key: Some(self.key.clone()),
                mode_info: Some(ModeInfo {
                    sum: Some(Sum::Multi(Multi {
                        bitarray: Some(CompactBitArray {
                            extra_bits_stored: 3,
                            elems: vec![bits].into(),
                        }),
                        mode_infos: vec![one; members.len()],
                    })),
                }),
                sequence: 4,
            }],
            fee: Some(Fee {
                amount: vec![upokt(7)],
                gas_limit: 100_000,
                ..Default::default()
            }),
            ..Default::default()
        };
        let unsigned = TxRaw {
            body_bytes: body.encode_to_vec().into(),
            auth_info_bytes: auth_info.encode_to_vec().into(),
            signatures: vec![vec![1].into()],
        };
        let tx = Transaction::decode(&unsigned.encode_to_vec()).unwrap();
        let signer = Signer {
            chain_id: "relaymill-test",
            account_number: 3,
            sequence: 4,
        };
        let document = sign_bytes(&tx, mode.into(), signer).unwrap();
        let signatures = members
            .iter()
            .map(|member| self.secrets[*member].sign(&document).to_vec().into());
        let together = MultiSignature {
            signatures: signatures.collect(),
        };
        TxRaw {
            signatures: vec![together.encode_to_vec().into()],
            ..unsigned
        }
        .encode_to_vec()
    }
}

#[test]
fn some_of_several_keys_sign_for_an_account() {
    let group = Group::new();
    let mut chain = TestChain::new(Rules::mended());
    chain.run(|ctx| place(ctx, group.address, 3, 4)).unwrap();
    let both = [SignMode::LegacyAminoJson, SignMode::Direct];
    for mode in both {
        check(&chain, &group.sign(&[0, 2], 0b1010_0000, mode)).unwrap();
        check(&chain, &group.sign(&[0, 1, 2], 0b1110_0000, mode)).unwrap();
    }
    let mode = SignMode::LegacyAminoJson;
    let rows = [
        (
            group.sign(&[0], 0b1000_0000, mode),
            "signature size is incorrect 1",
        ),
        (
            group.sign(&[0, 1], 0b1000_0000, mode),
            "not enough signatures set, have 1",
        ),
        (
            group.sign(&[0, 1], 0b1010_0000, mode),
            "unable to verify signature at index 1",
        ),
    ];
    for (wire, expected) in rows {
        let log = refused(check(&chain, &wire), "sdk", 4).unwrap();
        assert!(log.contains(expected), "{log}");
    }
    // One signature, as of an account with one key.
    let wire = with_mode(&group.sign(&[0, 2], 0b1010_0000, mode), SignMode::Direct);
    let log = refused(check(&chain, &wire), "undefined", 1).unwrap();
    assert!(
        log.contains("expected *signing.MultiSignatureData"),
        "{log}"
    );
    // A signature beyond those that the bits tell of is not looked at.
    check(&chain, &group.sign(&[0, 2, 1], 0b1010_0000, mode)).unwrap();
}

#[test]
fn what_makes_the_reference_panic_over_several_signatures_has_the_code_of_a_panic() {
    let group = Group::new();
    let mut chain = TestChain::new(Rules::mended());
    chain.run(|ctx| place(ctx, group.address, 3, 4)).unwrap();
    let mode = SignMode::LegacyAminoJson;
    // Of more signatures and of more keys than there are.
    for (members, bits) in [(&[0, 1][..], 0b1110_0000), (&[0, 1, 2, 2], 0b1111_0000)] {
        let wire = match bits {
            0b1110_0000 => group.sign(members, bits, mode),
            _ => bend(&group.sign(members, bits, mode), |multi| {
                multi.bitarray.as_mut().unwrap().extra_bits_stored = 4;
            }),
        };
        refused(check(&chain, &wire), "undefined", 111_222).unwrap();
    }
    let wire = group.sign(&[0, 2], 0b1010_0000, mode);
    type Bend = fn(&mut Multi);
    let bends: [(Bend, u32); 4] = [
        (
            |multi| multi.mode_infos.push(multi.mode_infos[0].clone()),
            111_222,
        ),
        (|multi| multi.mode_infos[0].sum = None, 111_222),
        (|multi| multi.bitarray = None, 111_222),
        (|multi| drop(multi.mode_infos.pop()), 1),
    ];
    for (change, code) in bends {
        refused(check(&chain, &bend(&wire, change)), "undefined", code).unwrap();
    }
}

/// The same transaction with other words about its one signer's signatures.
fn bend(wire: &[u8], change: impl FnOnce(&mut Multi)) -> Vec<u8> {
    let mut raw = TxRaw::decode(wire).unwrap();
    let mut auth_info = AuthInfo::decode(raw.auth_info_bytes.clone()).unwrap();
    let mode = auth_info.signer_infos[0].mode_info.as_mut().unwrap();
    let Some(Sum::Multi(multi)) = &mut mode.sum else {
        panic!("one signature");
    };
    change(multi);
    raw.auth_info_bytes = auth_info.encode_to_vec().into();
    raw.encode_to_vec()
}

#[test]
fn bit_arrays_say_how_many_bits_they_hold() {
    let bits = |extra_bits_stored, elems: &[u8]| CompactBitArray {
        extra_bits_stored,
        elems: elems.to_vec().into(),
    };
    assert_eq!(
        bits_set(&bits(3, &[0b1010_0000]), 3),
        Some(vec![true, false, true])
    );
    assert!(bits_set(&bits(0, &[1]), 8).unwrap()[7]);
    assert!(bits_set(&bits(1, &[0, 0x80]), 9).unwrap()[8]);
    assert_eq!(bits_set(&bits(8, &[0]), 8), Some(vec![false; 8]));
    for (array, size) in [(bits(3, &[0]), 4), (bits(1, &[]), 1), (bits(0, &[0, 0]), 8)] {
        assert_eq!(bits_set(&array, size), None);
    }
}
