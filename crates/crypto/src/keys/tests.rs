use bech32::{Bech32, Hrp};
use proptest::prelude::*;

use super::*;
use crate::test_vectors::{array, bytes, relay_protocol, text};

fn items(group: &str) -> &'static Vec<serde_json::Value> {
    let items = relay_protocol()[group]["items"].as_array().unwrap();
    assert!(!items.is_empty());
    items
}

#[test]
fn keys_and_addresses_equal_the_vectors() {
    for item in items("keys") {
        let secret = SecretKey::from_bytes(&array(&item["priv"])).unwrap();
        let public = secret.public();
        assert_eq!(
            public.as_bytes().to_vec(),
            bytes(&item["pub33"]),
            "{}",
            item["name"]
        );
        assert_eq!(PublicKey::from_bytes(public.as_bytes()).unwrap(), public);
        let address = public.address();
        assert_eq!(address.0.to_vec(), bytes(&item["address20"]));
        assert_eq!(address.to_string(), text(&item["bech32"]));
        assert_eq!(text(&item["bech32"]).parse::<Address>().unwrap(), address);
    }
}

#[test]
fn supplier_signatures_equal_the_vectors() {
    for item in items("supplier_ecdsa") {
        let secret = SecretKey::from_bytes(&array(&item["priv"])).unwrap();
        let signable = bytes(&item["signable32"]);
        assert_eq!(sha256(&signable).to_vec(), bytes(&item["ecdsa_digest"]));
        let signature = secret.sign(&signable);
        assert_eq!(signature.to_vec(), bytes(&item["signature64"]));
        secret.public().verify(&signable, &signature).unwrap();
    }
}

#[test]
fn module_accounts_have_the_addresses_of_the_chain() {
    for (name, address) in [
        ("gov", "pokt10d07y265gmmuvt4z0w9aw880jnsr700j8yv32t"),
        ("application", "pokt1rl3gjgzexmplmds3tq3r3yk84zlwdl6djzgsvm"),
        (
            "fee_collector",
            "pokt17xpfvakm2amg962yls6f84z3kell8c5ldlu5h9",
        ),
        (
            "bonded_tokens_pool",
            "pokt1fl48vsnmsdzcv85q5d2q4z5ajdha8yu3gakm90",
        ),
    ] {
        assert_eq!(Address::module(name).to_string(), address);
    }
}

#[test]
fn the_mnemonic_of_the_cosmos_documentation_derives_alike() {
    // Address 0 of the all-"abandon" mnemonic in every Cosmos wallet:
    // cosmos19rl4cm2hmr8afy4kldpxz3fka4jguq0auqdal4.
    let words = format!("{}about", "abandon ".repeat(11));
    let first = SecretKey::from_mnemonic(&words, 0)
        .unwrap()
        .public()
        .address();
    let known =
        Address::from_bech32_with("cosmos", "cosmos19rl4cm2hmr8afy4kldpxz3fka4jguq0auqdal4")
            .unwrap();
    assert_eq!(first, known);
    let second = SecretKey::from_mnemonic(&words, 1)
        .unwrap()
        .public()
        .address();
    assert_ne!(first, second);

    let drawn = generate_mnemonic().unwrap();
    assert_eq!(drawn.split(' ').count(), 24);
    SecretKey::from_mnemonic(&drawn, 0).unwrap();
}

#[test]
fn paths_are_read_as_wallets_write_them() {
    let words = format!("{}about", "abandon ".repeat(11));
    let path: HdPath = "m/44'/118'/0'/0/1".parse().unwrap();
    assert_eq!(path, HdPath::cosmos(0, 1));
    assert_eq!("m/44h/118H/0'/0/1".parse::<HdPath>().unwrap(), path);
    assert_eq!(path.to_string(), "m/44'/118'/0'/0/1");
    let at = |path: &HdPath| {
        let key = SecretKey::from_mnemonic_at(&words, path).unwrap();
        key.public()
    };
    assert_eq!(
        at(&path),
        SecretKey::from_mnemonic(&words, 1).unwrap().public()
    );
    assert_ne!(
        at(&HdPath::cosmos(1, 0)),
        at(&HdPath::cosmos(0, 1)),
        "account and index are two things"
    );
    for wrong in [
        "",
        "m",
        "m/",
        "44'/118'",
        "m/2147483648",
        "m/-1",
        "m/+1",
        "m/1''",
        "m/1//2",
    ] {
        let error = wrong.parse::<HdPath>().unwrap_err().to_string();
        assert!(error.contains("m/44'/118'"), "{error}");
    }
}

#[test]
fn wrong_words_and_indices_are_refused() {
    let words = format!("{}about", "abandon ".repeat(11));
    assert_eq!(
        SecretKey::from_mnemonic("abandon", 0).unwrap_err(),
        Error::Mnemonic
    );
    assert_eq!(
        SecretKey::from_mnemonic(&words.replace("about", "abandon"), 0).unwrap_err(),
        Error::Mnemonic
    );
    assert_eq!(
        SecretKey::from_mnemonic(&words, 1 << 31).unwrap_err(),
        Error::Derivation {
            path: HdPath::cosmos(0, 1 << 31)
        }
    );
}

#[test]
fn scalars_out_of_range_are_no_keys() {
    let order = array("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141");
    fn array(digits: &str) -> [u8; 32] {
        hex::decode(digits).unwrap().try_into().unwrap()
    }
    assert_eq!(SecretKey::from_bytes(&order).unwrap_err(), Error::SecretKey);
    assert_eq!(
        SecretKey::from_bytes(&[0; 32]).unwrap_err(),
        Error::SecretKey
    );
    let mut below = order;
    below[31] -= 1;
    SecretKey::from_bytes(&below).unwrap();
}

#[test]
fn points_off_the_curve_are_no_keys() {
    let valid = *SecretKey::from_bytes(&[7; 32]).unwrap().public().as_bytes();
    PublicKey::from_bytes(&valid).unwrap();
    for tag in (0..=255).filter(|tag| ![2, 3].contains(tag)) {
        let mut bytes = valid;
        bytes[0] = tag;
        assert_eq!(
            PublicKey::from_bytes(&bytes),
            Err(Error::PublicKey),
            "first byte {tag}"
        );
    }
    assert_eq!(PublicKey::from_bytes(&valid[..32]), Err(Error::PublicKey));
    assert_eq!(PublicKey::from_bytes(&[]), Err(Error::PublicKey));
    // x = 5 is on no point; x = P is not reduced.
    let mut five = [0; 33];
    (five[0], five[32]) = (2, 5);
    assert_eq!(PublicKey::from_bytes(&five), Err(Error::PublicKey));
    let mut prime = [0xff; 33];
    prime[0] = 2;
    prime[28..].copy_from_slice(&[0xfe, 0xff, 0xff, 0xfc, 0x2f]);
    assert_eq!(PublicKey::from_bytes(&prime), Err(Error::PublicKey));
}

#[test]
fn high_s_and_wrong_lengths_are_refused() {
    let secret = SecretKey::from_bytes(&[9; 32]).unwrap();
    let public = secret.public();
    let signature = secret.sign(b"message");
    public.verify(b"message", &signature).unwrap();
    let parsed = Signature::from_slice(&signature).unwrap();
    let (r, s) = parsed.split_scalars();
    let high: [u8; 64] = Signature::from_scalars(r, -s).unwrap().to_bytes().into();
    assert_eq!(
        public.verify(b"message", &high),
        Err(Error::SignatureForm {
            reason: "s is above N/2"
        })
    );
    for length in [0, 63, 65] {
        let mut wrong = signature.to_vec();
        wrong.resize(length, 0);
        assert_eq!(
            public.verify(b"message", &wrong),
            Err(Error::SignatureLength { actual: length })
        );
    }
    assert!(matches!(
        public.verify(b"message", &[0; 64]),
        Err(Error::SignatureForm { .. })
    ));
    assert!(matches!(
        public.verify(b"message", &[0xff; 64]),
        Err(Error::SignatureForm { .. })
    ));
    assert_eq!(
        public.verify(b"massage", &signature),
        Err(Error::SignatureMismatch)
    );
}

#[test]
fn secrets_are_not_printed() {
    let secret = SecretKey::from_bytes(&[0x5a; 32]).unwrap();
    let shown = format!("{secret:?}");
    assert!(
        !shown.contains("5a5a") && !shown.contains("90, 90"),
        "{shown}"
    );
}

#[test]
fn addresses_in_other_forms_are_refused() {
    let address = Address([3; 20]);
    let text = address.to_bech32();
    let reasons = [
        (
            address.to_bech32_with(VALOPER_PREFIX),
            "its prefix is `poktvaloper`",
        ),
        (
            bech32::encode::<bech32::Bech32m>(Hrp::parse("pokt").unwrap(), &[3; 20]).unwrap(),
            "",
        ),
        (
            bech32::encode::<Bech32>(Hrp::parse("pokt").unwrap(), &[3; 19]).unwrap(),
            "19 bytes",
        ),
        (
            bech32::encode::<Bech32>(Hrp::parse("pokt").unwrap(), &[3; 32]).unwrap(),
            "32 bytes",
        ),
        (format!("{text} "), ""),
        (text.replace("pokt1q", "Pokt1q"), ""),
        (String::new(), ""),
    ];
    for (wrong, reason) in reasons {
        let error = Address::from_bech32(&wrong).unwrap_err();
        assert!(error.to_string().contains(reason), "{error}");
    }
    assert_eq!(Address::from_bech32(&text.to_uppercase()).unwrap(), address);
    for prefix in [VALOPER_PREFIX, VALCONS_PREFIX] {
        let text = address.to_bech32_with(prefix);
        assert_eq!(Address::from_bech32_with(prefix, &text).unwrap(), address);
    }
    let json = serde_json::to_string(&address).unwrap();
    assert_eq!(json, format!("\"{text}\""));
    assert_eq!(serde_json::from_str::<Address>(&json).unwrap(), address);
    assert!(serde_json::from_str::<Address>("\"pokt1\"").is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn addresses_survive_their_text(bytes: [u8; 20]) {
        let address = Address(bytes);
        prop_assert_eq!(Address::from_bech32(&address.to_bech32()).unwrap(), address);
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,60}") {
        let _ = Address::from_bech32(&text);
    }

    #[test]
    fn a_flipped_bit_breaks_the_signature(index in 0..64usize, bit in 0..8u8) {
        let secret = SecretKey::from_bytes(&[11; 32]).unwrap();
        let mut signature = secret.sign(b"relay");
        signature[index] ^= 1 << bit;
        prop_assert!(secret.public().verify(b"relay", &signature).is_err());
    }
}
