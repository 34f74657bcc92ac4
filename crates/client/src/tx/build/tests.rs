use std::time::{Duration, UNIX_EPOCH};

use crypto::keys::SecretKey;
use sha2::{Digest, Sha256};

use super::*;
use crate::testing;

/// The private key of a name of the recording (its README).
fn recorded_key(name: &str) -> SecretKey {
    SecretKey::from_bytes(&Sha256::digest(format!("relaymill golden {name}")).into()).unwrap()
}

/// Every transaction of the recording that names its signers is built again from its decoded parts
/// and must come out byte for byte, signature included.
#[test]
fn recorded_transactions_come_out_byte_for_byte() {
    let (mut ordered, mut unordered, mut several) = (0, 0, 0);
    for row in testing::golden("chain-a/txs.jsonl.gz") {
        if row["check_tx"]["code"] != 0
            || row["sign_chain_id"] != "golden-1"
            || row["origin"] != "driver"
        {
            continue;
        }
        let bytes = hex::decode(row["tx_hex"].as_str().unwrap()).unwrap();
        let raw = TxRaw::decode(bytes.as_slice()).unwrap();
        let body = TxBody::decode(raw.body_bytes.clone()).unwrap();
        let auth = AuthInfo::decode(raw.auth_info_bytes.clone()).unwrap();
        let fee = auth.fee.unwrap();
        let direct = auth.signer_infos.iter().all(|info| {
            let mode = info.mode_info.as_ref().and_then(|mode| mode.sum.clone());
            matches!(mode, Some(Sum::Single(single)) if single.mode == i32::from(SignMode::Direct))
        });
        let plain_fee = fee.amount.len() < 2 && fee.payer.is_empty();
        let extended =
            !body.extension_options.is_empty() || !body.non_critical_extension_options.is_empty();
        let keyed = auth
            .signer_infos
            .iter()
            .all(|info| info.public_key.is_some());
        if !direct || !plain_fee || extended || !keyed {
            continue;
        }
        let time = body
            .timeout_timestamp
            .map(|time| SystemTime::try_from(time).unwrap());
        let builder = TxBuilder::new()
            .anys(body.messages)
            .memo(body.memo)
            .timeout_height(body.timeout_height)
            .gas_limit(fee.gas_limit)
            .fee_upokt(
                fee.amount
                    .first()
                    .map_or(0, |coin| coin.amount.parse().unwrap()),
            )
            .fee_granter(fee.granter);
        let builder = match (body.unordered, time) {
            (true, Some(timeout)) => builder.ordering(Ordering::Unordered { timeout }),
            (_, Some(time)) => builder.timeout(time),
            _ => builder,
        };
        let names = row["signers"].as_array().unwrap();
        let keys: Vec<_> = names
            .iter()
            .map(|name| recorded_key(name.as_str().unwrap()))
            .collect();
        let signers: Vec<_> = keys
            .iter()
            .enumerate()
            .map(|(index, key)| Signer {
                key,
                account_number: row["account_numbers"][index].as_u64().unwrap(),
                sequence: row["sequences"][index].as_u64().unwrap(),
            })
            .collect();
        let signed = builder.sign_all(&signers, "golden-1").unwrap();
        assert_eq!(
            hex::encode(&signed.bytes),
            hex::encode(&bytes),
            "{}",
            row["intent"]
        );
        assert_eq!(signed.hash.to_string(), row["hash"].as_str().unwrap());
        match body.unordered {
            true => unordered += 1,
            false => ordered += 1,
        }
        several += usize::from(signers.len() > 1);
    }
    assert!(
        ordered > 100 && unordered > 0 && several > 0,
        "{ordered} {unordered} {several}"
    );
}

#[test]
fn an_unordered_transaction_names_no_sequence() {
    let key = recorded_key("app1");
    let timeout = UNIX_EPOCH + Duration::new(1_800_000_000, 7);
    let signed = TxBuilder::new()
        .any(Any::default())
        .ordering(Ordering::Unordered { timeout })
        .sign(
            Signer {
                key: &key,
                account_number: 3,
                sequence: 9,
            },
            "c",
        )
        .unwrap();
    let raw = TxRaw::decode(signed.bytes.as_slice()).unwrap();
    let body = TxBody::decode(raw.body_bytes).unwrap();
    assert!(body.unordered);
    assert_eq!(
        body.timeout_timestamp,
        Some(Timestamp {
            seconds: 1_800_000_000,
            nanos: 7
        })
    );
    assert_eq!(
        AuthInfo::decode(raw.auth_info_bytes).unwrap().signer_infos[0].sequence,
        0
    );
}

#[test]
fn nothing_to_do_and_nobody_to_sign_are_errors() {
    let key = recorded_key("app1");
    let signer = Signer {
        key: &key,
        account_number: 0,
        sequence: 0,
    };
    assert!(matches!(
        TxBuilder::new().sign(signer, "c"),
        Err(Error::Build { .. })
    ));
    assert!(matches!(
        TxBuilder::new().any(Any::default()).sign_all(&[], "c"),
        Err(Error::Build { .. })
    ));
}
