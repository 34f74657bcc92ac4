//! Group `tx` of `poktroll-vectors.json`: sign bytes, signatures and hashes of transactions, and the registered errors.
//!
//! That the chain takes them, those signed in amino JSON included, is tested in `tx::signing`.

use std::collections::BTreeMap;

use crypto::hash::sha256;
use crypto::keys::{PublicKey, SecretKey};
use prost::Message as _;
use proto::cosmos::tx::v1beta1::{SignDoc, TxRaw};
use serde_json::Value;

use super::vectors::group;
use crate::modules;

fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().unwrap()).unwrap()
}

#[test]
fn transactions_have_the_references_bytes_hashes_and_signatures() {
    let mut direct = 0;
    for row in group("tx")["txs"].as_array().unwrap() {
        let name = &row["name"];
        if row["tx_raw"].is_null() {
            // Not signable in amino JSON at all, which the row says.
            assert!(!row["problem"].is_null(), "{name}");
            continue;
        }
        let wire = bytes(&row["tx_raw"]);
        let raw = TxRaw::decode(wire.as_slice()).unwrap();
        assert_eq!(raw.encode_to_vec(), wire, "{name}");
        assert_eq!(
            hex::encode_upper(sha256(&wire)),
            row["tx_hash"].as_str().unwrap(),
            "{name}"
        );
        proto::unknown::check("cosmos.tx.v1beta1.TxBody", &raw.body_bytes, true).unwrap();
        proto::unknown::check("cosmos.tx.v1beta1.AuthInfo", &raw.auth_info_bytes, false).unwrap();
        if row["mode"] != "SIGN_MODE_DIRECT" {
            continue;
        }
        direct += 1;
        for (place, signer) in row["signers"].as_array().unwrap().iter().enumerate() {
            let given = bytes(&signer["sign_bytes_hex"]);
            let document = SignDoc::decode(given.as_slice()).unwrap();
            let ours = SignDoc {
                body_bytes: raw.body_bytes.clone(),
                auth_info_bytes: raw.auth_info_bytes.clone(),
                chain_id: row["chain_id"].as_str().unwrap().to_owned(),
                account_number: document.account_number,
            };
            assert_eq!(ours.encode_to_vec(), given, "{name}");
            let key = SecretKey::from_bytes(&bytes(&signer["priv"]).try_into().unwrap()).unwrap();
            let signature = bytes(&signer["signature"]);
            assert_eq!(key.sign(&given).as_slice(), signature, "{name}");
            assert_eq!(raw.signatures[place].to_vec(), signature, "{name}");
            let public = PublicKey::from_bytes(&bytes(&signer["pub"])).unwrap();
            assert_eq!(
                public.verify(&given, &signature).is_ok(),
                signer["verifies"] == true
            );
        }
    }
    assert_eq!(direct, 15);
}

#[test]
fn registered_errors_are_those_of_the_reference() {
    let mut table = BTreeMap::new();
    for row in group("tx")["error_table"].as_array().unwrap() {
        let key = (
            row["codespace"].as_str().unwrap().to_owned(),
            row["code"].as_u64().unwrap(),
        );
        table.insert(key, row["text"].as_str().unwrap().to_owned());
    }
    macro_rules! same {
        ($($module:ident),+) => {$(
            let codespace = modules::$module::error::Error::CODESPACE;
            for error in modules::$module::error::Error::ALL {
                let found = table.get(&(codespace.to_owned(), u64::from(error.code())));
                assert_eq!(found.map(String::as_str), Some(error.text()), "{codespace} {error:?}");
            }
        )+};
    }
    same!(
        shared,
        application,
        gateway,
        supplier,
        service,
        session,
        proof,
        tokenomics
    );
}
