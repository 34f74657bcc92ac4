//! Who signs and how, by name: somebody with one key, or `2 of a, b, c` where some of several must.

use std::cell::RefCell;
use std::collections::BTreeMap;

use chain::auth::{SignerKey, encode_public_key};
use crypto::keys::{Address, SecretKey};
use prost::Message;
use prost_types::Any;
use proto::cosmos::crypto::multisig::LegacyAminoPubKey;
use proto::cosmos::crypto::multisig::v1beta1::{CompactBitArray, MultiSignature};
use proto::cosmos::tx::signing::v1beta1::SignMode;
use proto::cosmos::tx::v1beta1::ModeInfo;
use proto::cosmos::tx::v1beta1::mode_info::{Multi, Single, Sum};

/// What belongs to a name. Keys are remembered, as thousands of blocks are made with them.
#[derive(Clone)]
struct Identity {
    secret: SecretKey,
    public: Any,
    address: Address,
}

fn identity(name: &str) -> Identity {
    thread_local! {
        static KNOWN: RefCell<BTreeMap<String, Identity>> = const { RefCell::new(BTreeMap::new()) };
    }
    KNOWN.with_borrow_mut(|known| {
        if let Some(identity) = known.get(name) {
            return identity.clone();
        }
        let secret = SecretKey::from_bytes(&crypto::hash::sha256(name.as_bytes())).unwrap();
        let public = secret.public();
        let identity = Identity {
            secret,
            public: encode_public_key(&public),
            address: public.address(),
        };
        known.insert(name.to_owned(), identity.clone());
        identity
    })
}

/// A key made from a name.
pub(crate) fn key(name: &str) -> SecretKey {
    identity(name).secret
}

/// How many must sign, and who may; nothing for somebody with one key.
fn members(name: &str) -> Option<(usize, Vec<&str>)> {
    let (threshold, names) = name.split_once(" of ")?;
    Some((threshold.parse().ok()?, names.split(", ").collect()))
}

pub(crate) fn public_key(name: &str) -> Any {
    let Some((threshold, names)) = members(name) else {
        return identity(name).public;
    };
    let keys = names.iter().map(|name| public_key(name));
    proto::any::pack(&LegacyAminoPubKey {
        threshold: u32::try_from(threshold).unwrap(),
        public_keys: keys.collect(),
    })
}

pub(crate) fn address(name: &str) -> Address {
    match members(name) {
        None => identity(name).address,
        Some(_) => SignerKey::from_any(&public_key(name)).unwrap().address(),
    }
}

/// What a transaction says about its signature: of several, the first ones sign.
pub(crate) fn mode_info(name: &str, mode: SignMode) -> ModeInfo {
    let one = ModeInfo {
        sum: Some(Sum::Single(Single { mode: mode.into() })),
    };
    let Some((threshold, names)) = members(name) else {
        return one;
    };
    assert!(names.len() < 8, "one byte of bits");
    let bits = (0..threshold).fold(0, |bits, index| bits | 0x80 >> index);
    let multi = Multi {
        bitarray: Some(CompactBitArray {
            extra_bits_stored: u32::try_from(names.len()).unwrap(),
            elems: vec![bits].into(),
        }),
        mode_infos: vec![one; threshold],
    };
    ModeInfo {
        sum: Some(Sum::Multi(multi)),
    }
}

pub(crate) fn sign(name: &str, document: &[u8]) -> Vec<u8> {
    let Some((threshold, names)) = members(name) else {
        return key(name).sign(document).to_vec();
    };
    let signers = names.iter().take(threshold);
    let signatures = signers.map(|name| sign(name, document).into());
    let together = MultiSignature {
        signatures: signatures.collect(),
    };
    together.encode_to_vec()
}
