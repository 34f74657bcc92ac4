//! Genesis: a document in the reference's JSON form, loaded strictly, exported again, and built for our own networks.
//!
//! Every key must be known. Sections of modules that do not run here may only say what means nothing (`idle`); they are
//! kept as they are and exported. After loading, sums are checked: supply against balances, module accounts against
//! stakes. Start with [`Document`].

mod builder;
mod gentx;
mod idle;
mod load;
#[cfg(test)]
mod tests;
mod validators;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tendermint_proto::google::protobuf::Timestamp;
use tendermint_proto::v0_38::abci::{RequestInitChain, ValidatorUpdate};

pub use builder::{GenesisBuilder, code_defaults};
pub(crate) use load::{export_state, load_state, read_rules, section};
pub use validators::GenesisValidator;
pub(crate) use validators::agree_on_validators;

use crate::consensus;
use crate::error::GenesisError;

/// A whole genesis document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// Who wrote it. Informative.
    #[serde(default)]
    pub app_name: String,
    /// With which version. Informative.
    #[serde(default)]
    pub app_version: String,
    /// Time of block 1, RFC 3339.
    pub genesis_time: String,
    /// Chain id.
    pub chain_id: String,
    /// Height of the first block.
    pub initial_height: Height,
    /// Hash of the state before the first block; only `null` is accepted.
    #[serde(default)]
    pub app_hash: Option<String>,
    /// State of all modules, by name.
    pub app_state: Map<String, Value>,
    /// Consensus params, and validators of chains without a staking module.
    #[serde(default)]
    pub consensus: Consensus,
}

/// The section `consensus` of a document.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Consensus {
    /// Params.
    #[serde(default)]
    pub params: consensus::Form,
    /// Validators of the first block. Where the state has validators these may be left out, or are the same.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub validators: Vec<GenesisValidator>,
}

/// A height of at least 1, read from a number or from text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "HeightForm")]
pub struct Height(i64);

#[derive(Deserialize)]
#[serde(untagged)]
enum HeightForm {
    Number(i64),
    Text(String),
}

impl TryFrom<HeightForm> for Height {
    type Error = String;

    fn try_from(form: HeightForm) -> Result<Self, String> {
        let height = match form {
            HeightForm::Number(height) => height,
            HeightForm::Text(text) => text
                .parse()
                .map_err(|_| format!("`{text}` is not a height"))?,
        };
        if height < 1 {
            return Err(format!("{height} must be at least 1"));
        }
        Ok(Self(height))
    }
}

impl Height {
    /// Block 1.
    pub const FIRST: Self = Self(1);

    /// The number.
    pub fn value(self) -> i64 {
        self.0
    }
}

/// A document in CometBFT's own form, which it reads itself.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CometDocument {
    genesis_time: String,
    chain_id: String,
    initial_height: Height,
    #[serde(default)]
    consensus_params: consensus::Form,
    #[serde(default)]
    validators: Option<Vec<GenesisValidator>>,
    #[serde(default)]
    app_hash: Option<String>,
    app_state: Map<String, Value>,
}

impl From<CometDocument> for Document {
    fn from(document: CometDocument) -> Self {
        Self {
            app_name: String::new(),
            app_version: String::new(),
            genesis_time: document.genesis_time,
            chain_id: document.chain_id,
            initial_height: document.initial_height,
            app_hash: document.app_hash,
            app_state: document.app_state,
            consensus: Consensus {
                params: document.consensus_params,
                validators: document.validators.unwrap_or_default(),
            },
        }
    }
}

impl Document {
    /// Reads a document, in the reference's form or in CometBFT's; the state inside is looked at when it is loaded.
    ///
    /// # Errors
    /// Names the key, and line and column of broken JSON.
    pub fn parse(json: &str) -> Result<Self, GenesisError> {
        let wrong = |error: serde_json::Error| GenesisError::new("document", error);
        let document: Self = match serde_json::from_str(json) {
            Ok(document) => document,
            Err(error) => match serde_json::from_str::<CometDocument>(json) {
                Ok(document) => document.into(),
                // What is wrong with CometBFT's form is told only of a document that has it.
                Err(other) if json.contains("\"consensus_params\"") => return Err(wrong(other)),
                Err(_) => return Err(wrong(error)),
            },
        };
        if document.chain_id.is_empty() || document.chain_id.len() > 50 {
            return Err(GenesisError::new(
                "chain_id",
                "must have 1 to 50 characters",
            ));
        }
        document.time()?;
        if document
            .app_hash
            .as_deref()
            .is_some_and(|hash| !hash.is_empty())
        {
            return Err(GenesisError::new("app_hash", "must be null"));
        }
        Ok(document)
    }

    /// The document as text.
    ///
    /// # Errors
    /// Only when memory runs out while writing.
    pub fn to_json(&self) -> Result<String, GenesisError> {
        serde_json::to_string_pretty(self).map_err(|error| GenesisError::new("document", error))
    }

    /// Time of the first block.
    ///
    /// # Errors
    /// When it is not RFC 3339.
    pub fn time(&self) -> Result<Timestamp, GenesisError> {
        let (seconds, nanos) = proto::time::parse_rfc3339(&self.genesis_time)
            .ok_or_else(|| GenesisError::new("genesis_time", "is not an RFC 3339 time"))?;
        Ok(Timestamp { seconds, nanos })
    }

    /// The validators that the document itself names for the first block, as consensus hands them over.
    ///
    /// # Errors
    /// Names the key that is none.
    pub fn validators(&self) -> Result<Vec<ValidatorUpdate>, GenesisError> {
        let named = self.consensus.validators.iter().enumerate();
        let update = |(position, validator): (usize, &GenesisValidator)| {
            validator
                .update()
                .map_err(|error| error.within(&format!("consensus.validators[{position}]")))
        };
        named.map(update).collect()
    }

    /// What a driver hands to the application.
    ///
    /// # Errors
    /// As [`Document::time`].
    pub fn init_chain(
        &self,
        validators: Vec<ValidatorUpdate>,
    ) -> Result<RequestInitChain, GenesisError> {
        let state = serde_json::to_vec(&self.app_state)
            .map_err(|error| GenesisError::new("app_state", error))?;
        Ok(RequestInitChain {
            time: Some(self.time()?),
            chain_id: self.chain_id.clone(),
            consensus_params: Some(self.consensus.params.to_proto()),
            validators,
            app_state_bytes: state.into(),
            initial_height: self.initial_height.value(),
        })
    }
}
