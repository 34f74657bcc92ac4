//! Validators of the first block: as documents of consensus name them, and as the state has them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use tendermint_proto::v0_38::abci::ValidatorUpdate;
use tendermint_proto::v0_38::crypto::{PublicKey, public_key::Sum};

use crate::consensus::text;
use crate::error::GenesisError;

/// A validator in the section `consensus` of a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GenesisValidator {
    /// Address of the key, upper-case hex; it follows from the key.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub address: String,
    /// Consensus key.
    pub pub_key: GenesisKey,
    /// Voting power.
    #[serde(with = "text")]
    pub power: i64,
    /// What it calls itself.
    #[serde(default)]
    pub name: String,
}

/// A consensus key as CometBFT writes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GenesisKey {
    /// `tendermint/PubKeyEd25519` or `tendermint/PubKeySecp256k1`.
    pub r#type: String,
    /// Base64.
    pub value: String,
}

/// CometBFT's name of an ed25519 key.
const ED25519: &str = "tendermint/PubKeyEd25519";
/// CometBFT's name of a secp256k1 key.
const SECP256K1: &str = "tendermint/PubKeySecp256k1";

impl GenesisValidator {
    /// With an ed25519 key.
    pub fn ed25519(key: &[u8; 32], power: i64, name: impl Into<String>) -> Self {
        let [address @ .., _, _, _, _, _, _, _, _, _, _, _, _] = crypto::hash::sha256(key);
        Self {
            address: hex::encode_upper::<[u8; 20]>(address),
            pub_key: GenesisKey {
                r#type: ED25519.to_owned(),
                value: STANDARD.encode(key),
            },
            power,
            name: name.into(),
        }
    }

    /// As consensus hands it over.
    ///
    /// # Errors
    /// When the key is none or the power is not above 0.
    pub fn update(&self) -> Result<ValidatorUpdate, GenesisError> {
        let bytes = STANDARD
            .decode(&self.pub_key.value)
            .map_err(|error| GenesisError::new("pub_key.value", error))?;
        let sum = match (self.pub_key.r#type.as_str(), bytes.len()) {
            (ED25519, 32) => Sum::Ed25519(bytes),
            (SECP256K1, 33) => Sum::Secp256k1(bytes),
            (kind, length) => {
                let reason = format!("`{kind}` with {length} bytes is no consensus key");
                return Err(GenesisError::new("pub_key", reason));
            }
        };
        if self.power <= 0 {
            return Err(GenesisError::new("power", "must be above 0"));
        }
        Ok(ValidatorUpdate {
            pub_key: Some(PublicKey { sum: Some(sum) }),
            power: self.power,
        })
    }
}

/// What consensus is answered: the validators of the state, which must be those that consensus named, if it named any.
/// Where the state has none, consensus keeps its own.
///
/// # Errors
/// When both name validators, and not the same ones.
pub(crate) fn agree_on_validators(
    mut of_state: Vec<ValidatorUpdate>,
    given: &[ValidatorUpdate],
) -> Result<Vec<ValidatorUpdate>, GenesisError> {
    if of_state.is_empty() || given.is_empty() {
        return Ok(of_state);
    }
    let mut given = given.to_vec();
    let wrong = |reason: String| Err(GenesisError::new("consensus.validators", reason));
    if given.len() != of_state.len() {
        return wrong(format!(
            "{} are named, but the staking module bonds {}; leave them out or name the same",
            given.len(),
            of_state.len()
        ));
    }
    for list in [&mut of_state, &mut given] {
        list.sort_by_cached_key(key_order);
    }
    for (own, named) in of_state.iter().zip(&given) {
        if own != named {
            return wrong(format!(
                "names key {} with power {}, the staking module bonds key {} with power {}",
                hex::encode_upper(key_order(named).1),
                named.power,
                hex::encode_upper(key_order(own).1),
                own.power
            ));
        }
    }
    Ok(of_state)
}

/// Keys by type, then bytes.
fn key_order(update: &ValidatorUpdate) -> (u8, Vec<u8>) {
    match update.pub_key.as_ref().and_then(|key| key.sum.as_ref()) {
        None => (0, Vec::new()),
        Some(Sum::Ed25519(key)) => (1, key.clone()),
        Some(Sum::Secp256k1(key)) => (2, key.clone()),
    }
}
