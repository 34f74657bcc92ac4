//! Public keys of accounts: one secp256k1 key, or several of which some must sign.

use crypto::hash::sha256;
use crypto::keys::{Address, PublicKey};
use prost::Name;
use prost_types::Any;
use proto::cosmos::crypto::multisig::LegacyAminoPubKey;
use proto::cosmos::crypto::secp256k1::PubKey;

/// First bytes of a multisig key in amino's binary form.
const MULTISIG_PREFIX: [u8; 4] = [0x22, 0xc1, 0xf7, 0xe2];

/// First bytes of a secp256k1 key in amino's binary form, its length included.
const SECP256K1_PREFIX: [u8; 5] = [0xeb, 0x5a, 0xe9, 0x87, 33];

/// The key of an account.
#[derive(Clone, Debug, PartialEq)]
pub enum SignerKey {
    /// One key.
    Single(PublicKey),
    /// Several keys.
    Multi(MultisigKey),
}

/// Keys of which `threshold` must sign.
#[derive(Clone, Debug, PartialEq)]
pub struct MultisigKey {
    /// How many must sign, at least 1 and at most all.
    pub threshold: usize,
    /// The keys, in the order in which the address was made from them.
    pub keys: Vec<PublicKey>,
}

impl SignerKey {
    /// Reads a key out of an `Any`.
    ///
    /// # Errors
    /// In words: another type, bytes that are no point, a threshold that cannot be reached, a member that is not a
    /// secp256k1 key.
    pub fn from_any(any: &Any) -> Result<Self, String> {
        if !Self::is_multisig(any) {
            return single(any).map(Self::Single);
        }
        let multi: LegacyAminoPubKey =
            proto::any::unpack(any).map_err(|error| error.to_string())?;
        let keys: Vec<PublicKey> = multi
            .public_keys
            .iter()
            .map(single)
            .collect::<Result<_, _>>()?;
        let threshold = usize::try_from(multi.threshold).unwrap_or(usize::MAX);
        if threshold == 0 || threshold > keys.len() {
            return Err(format!(
                "threshold {threshold} of a multisig key with {} members",
                keys.len()
            ));
        }
        Ok(Self::Multi(MultisigKey { threshold, keys }))
    }

    /// Whether an `Any` says that it holds several keys.
    pub fn is_multisig(any: &Any) -> bool {
        proto::any::type_name(&any.type_url) == LegacyAminoPubKey::full_name()
    }

    /// The address that belongs to it.
    pub fn address(&self) -> Address {
        match self {
            Self::Single(key) => key.address(),
            Self::Multi(key) => key.address(),
        }
    }

    /// The key, if it is one.
    pub fn single(&self) -> Option<&PublicKey> {
        match self {
            Self::Single(key) => Some(key),
            Self::Multi(_) => None,
        }
    }

    /// How many keys it holds.
    pub fn count(&self) -> usize {
        match self {
            Self::Single(_) => 1,
            Self::Multi(key) => key.keys.len(),
        }
    }
}

impl MultisigKey {
    /// The first 20 bytes of the SHA-256 of the key in amino's binary form.
    fn address(&self) -> Address {
        let mut bytes = MULTISIG_PREFIX.to_vec();
        bytes.push(0x08);
        prost::encoding::encode_varint(
            u64::try_from(self.threshold).unwrap_or(u64::MAX),
            &mut bytes,
        );
        for key in &self.keys {
            bytes.extend([0x12, 38]);
            bytes.extend(SECP256K1_PREFIX);
            bytes.extend(key.as_bytes());
        }
        let digest = sha256(&bytes);
        let mut address = [0; 20];
        for (place, byte) in address.iter_mut().zip(digest) {
            *place = byte;
        }
        Address(address)
    }
}

fn single(any: &Any) -> Result<PublicKey, String> {
    let key: PubKey = proto::any::unpack(any).map_err(|error| error.to_string())?;
    PublicKey::from_bytes(&key.key).map_err(|error| error.to_string())
}
