use proptest::prelude::*;
use proto::cosmos::bank::v1beta1::{Input, MsgMultiSend, MsgSend};
use proto::cosmos::base::v1beta1::Coin;

use super::*;

fn address(byte: u8) -> String {
    Address([byte; 20]).to_bech32()
}

fn encode(messages: Vec<Any>, payer: &str) -> Vec<u8> {
    let body = TxBody {
        messages,
        ..Default::default()
    };
    let fee = Fee {
        payer: payer.to_owned(),
        ..Default::default()
    };
    let auth_info = AuthInfo {
        fee: Some(fee),
        ..Default::default()
    };
    let raw = TxRaw {
        body_bytes: body.encode_to_vec().into(),
        auth_info_bytes: auth_info.encode_to_vec().into(),
        signatures: vec![vec![1; 64].into()],
    };
    raw.encode_to_vec()
}

fn send(from: u8) -> Any {
    let message = MsgSend {
        from_address: address(from),
        ..Default::default()
    };
    proto::any::pack(&message)
}

#[test]
fn signers_come_in_order_of_first_appearance_and_the_payer_last() {
    let multi = MsgMultiSend {
        inputs: vec![Input {
            address: address(3),
            coins: Vec::new(),
        }],
        outputs: Vec::new(),
    };
    let messages = vec![send(2), send(1), send(2), proto::any::pack(&multi)];
    let tx = Transaction::decode(&encode(messages.clone(), &address(9))).unwrap();
    assert_eq!(tx.signers, [2, 1, 3, 9].map(|byte| Address([byte; 20])));
    assert_eq!(tx.fee_payer(), Some(Address([9; 20])));
    let tx = Transaction::decode(&encode(messages.clone(), "")).unwrap();
    assert_eq!(tx.fee_payer(), Some(Address([2; 20])));
    let tx = Transaction::decode(&encode(messages, "pokt1no")).unwrap();
    assert!(tx.signers.is_empty());
    assert_eq!(tx.unreadable_signer.unwrap().codespace, "undefined");
}

#[test]
fn all_messages_are_read_before_a_signer_is_missed() {
    let nobody = proto::any::pack(&MsgSend::default());
    let mut no_url = send(1);
    no_url.type_url.remove(0);
    let tx = Transaction::decode(&encode(vec![nobody.clone(), send(1)], "")).unwrap();
    assert!(tx.unreadable_signer.is_some());
    let error = Transaction::decode(&encode(vec![nobody, no_url], "")).unwrap_err();
    assert_eq!(
        (error.codespace.as_ref(), error.code),
        ("sdk", sdk::TX_PARSE)
    );
}

#[test]
fn bytes_have_one_form() {
    let good = encode(vec![send(1)], "");
    assert!(Transaction::decode(&good).is_ok());
    // The first field once more at the end, a length in too many bytes, a field that TxRaw does not have.
    let twice = [good.as_slice(), &[0x0a, 0]].concat();
    let long = [&[0x0a, good[1] | 0x80, 0], &good[2..]].concat();
    let unknown = [good.as_slice(), &[0x22, 0]].concat();
    let empty_and_again = [&[0x0a, 0], good.as_slice()].concat();
    let tx = Transaction::decode(&empty_and_again).unwrap();
    assert_eq!(tx.raw, Transaction::decode(&good).unwrap().raw);
    for bytes in [twice, long, unknown] {
        let error = Transaction::decode(&bytes).unwrap_err();
        assert_eq!(
            (error.codespace.as_ref(), error.code),
            ("sdk", sdk::TX_PARSE),
            "{error}"
        );
    }
}

#[test]
fn non_critical_fields_pass_in_the_body_only() {
    let with = |body: &[u8], auth_info: &[u8]| {
        let raw = TxRaw {
            body_bytes: body.to_vec().into(),
            auth_info_bytes: auth_info.to_vec().into(),
            signatures: Vec::new(),
        };
        Transaction::decode(&raw.encode_to_vec())
    };
    // Field 1030, length-delimited, empty.
    let non_critical = [0xb2, 0x40, 0x00];
    assert!(with(&non_critical, &[]).is_ok());
    assert_eq!(with(&[], &non_critical).unwrap_err().code, sdk::TX_PARSE);
    // Field 7.
    assert_eq!(with(&[0x3a, 0x00], &[]).unwrap_err().code, sdk::TX_PARSE);
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_refused_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(tx) = Transaction::decode(&bytes) {
            prop_assert_eq!(TxRaw::decode(bytes.as_slice()).unwrap(), tx.raw);
        }
    }

    #[test]
    fn a_damaged_transaction_is_refused_or_read_whole(position in 0_usize..400, byte: u8) {
        let mut bytes = encode(vec![send(1), send(2)], "");
        let position = position % bytes.len();
        bytes[position] = byte;
        if let Ok(tx) = Transaction::decode(&bytes) {
            prop_assert_eq!(TxRaw::decode(bytes.as_slice()).unwrap(), tx.raw);
        }
    }
}

#[test]
fn a_type_url_is_a_slash_and_a_name() {
    for url in [
        "cosmos.bank.v1beta1.MsgSend",
        "type.googleapis.com/cosmos.bank.v1beta1.MsgSend",
        "//cosmos.bank.v1beta1.MsgSend",
        "/",
    ] {
        let odd = Any {
            type_url: url.to_owned(),
            ..send(1)
        };
        let error = Transaction::decode(&encode(vec![odd], "")).unwrap_err();
        assert_eq!((error.codespace.as_ref(), error.code), ("sdk", 2), "{url}");
    }
}

#[test]
fn text_that_should_be_a_number_makes_a_transaction_unreadable() {
    let with = |amount: &str, fee: &str| {
        let coin = |amount: &str| Coin {
            denom: "upokt".to_owned(),
            amount: amount.to_owned(),
        };
        let message = MsgSend {
            from_address: address(1),
            to_address: address(2),
            amount: vec![coin(amount)],
        };
        let body = TxBody {
            messages: vec![proto::any::pack(&message)],
            ..Default::default()
        };
        let auth_info = AuthInfo {
            fee: Some(Fee {
                amount: vec![coin(fee)],
                ..Default::default()
            }),
            ..Default::default()
        };
        let raw = TxRaw {
            body_bytes: body.encode_to_vec().into(),
            auth_info_bytes: auth_info.encode_to_vec().into(),
            signatures: Vec::new(),
        };
        Transaction::decode(&raw.encode_to_vec())
    };
    for (amount, fee) in [("1.5", "0"), ("abc", "0"), ("1", "1e3"), ("1", "08")] {
        assert_eq!(with(amount, fee).unwrap_err().code, sdk::TX_PARSE);
    }
    // Others are read as Go reads them, and signed as they were written.
    let tx = with("0x10", "-5").unwrap();
    assert_eq!(tx.fee().amount[0].amount, "-5");
    let message = MsgSend::decode(tx.body.messages[0].value.as_slice()).unwrap();
    assert_eq!(message.amount[0].amount, "16");
    assert!(tx.raw.body_bytes.windows(4).any(|part| part == b"0x10"));
}
