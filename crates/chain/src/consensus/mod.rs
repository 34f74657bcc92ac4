//! Consensus params: what CometBFT is told about blocks, evidence and keys. They come with genesis and are repeated in
//! the result of every block.

use prost::Message;
use serde::{Deserialize, Serialize};
use tendermint_proto::google::protobuf::Duration;
use tendermint_proto::v0_38::types::{
    AbciParams, BlockParams, ConsensusParams, EvidenceParams, ValidatorParams, VersionParams,
};

use crate::context::Context;
use crate::error::{ChainError, GenesisError, QueryError};
use crate::limits::BLOCK_BYTES_MAX;

mod msg_update_params;

#[cfg(test)]
mod tests;

pub use msg_update_params::{check, execute, signers};

/// State key of the params.
const PARAMS: &[u8] = b"consensus/params";

/// The params of the chain.
///
/// # Errors
/// When the store fails.
pub fn params(ctx: &Context) -> Result<ConsensusParams, ChainError> {
    match ctx.get(PARAMS)? {
        None => Ok(Form::default().to_proto()),
        Some(bytes) => ConsensusParams::decode(bytes.as_slice())
            .map_err(|error| ChainError::corrupt("consensus/params", error)),
    }
}

/// Stores params.
///
/// # Errors
/// Names the field that is out of bounds.
pub fn init(ctx: &mut Context, params: &ConsensusParams) -> Result<(), GenesisError> {
    check_bounds(params).map_err(|(field, reason)| {
        GenesisError::new(format!("consensus.params.{field}"), reason)
    })?;
    ctx.set(PARAMS.to_vec(), params.encode_to_vec());
    Ok(())
}

/// The bounds of CometBFT. The error is the field and what is wrong with it.
fn check_bounds(params: &ConsensusParams) -> Result<(), (&'static str, &'static str)> {
    let block = params.block.ok_or(("block", "missing"))?;
    if block.max_bytes == 0 || block.max_bytes < -1 {
        return Err(("block.max_bytes", "must be -1 or positive"));
    }
    if block.max_bytes > BLOCK_BYTES_MAX {
        return Err(("block.max_bytes", "must be at most 104857600"));
    }
    if block.max_gas < -1 {
        return Err(("block.max_gas", "must not be below -1"));
    }
    if let Some(evidence) = &params.evidence {
        let age = evidence.max_age_duration.unwrap_or_default();
        let block_bytes = match block.max_bytes {
            -1 => BLOCK_BYTES_MAX,
            bytes => bytes,
        };
        if evidence.max_age_num_blocks <= 0 {
            return Err(("evidence.max_age_num_blocks", "must be positive"));
        }
        if (age.seconds, age.nanos) <= (0, 0) {
            return Err(("evidence.max_age_duration", "must be positive"));
        }
        if !(0..=block_bytes).contains(&evidence.max_bytes) {
            let reason = "must not be negative, nor above block.max_bytes";
            return Err(("evidence.max_bytes", reason));
        }
    }
    let kinds = params.validator.as_ref();
    let kinds = kinds.map_or(&[][..], |validator| validator.pub_key_types.as_slice());
    if kinds.is_empty() {
        return Err(("validator.pub_key_types", "must name at least one type"));
    }
    if !kinds
        .iter()
        .all(|kind| ["ed25519", "secp256k1"].contains(&kind.as_str()))
    {
        return Err(("validator.pub_key_types", "names an unknown type"));
    }
    if params
        .abci
        .is_some_and(|abci| abci.vote_extensions_enable_height < 0)
    {
        let reason = "must not be negative";
        return Err(("abci.vote_extensions_enable_height", reason));
    }
    Ok(())
}

/// The highest sum of gas limits in a block; `None` without a limit.
///
/// # Errors
/// When the store fails.
pub fn block_gas_max(ctx: &Context) -> Result<Option<u64>, ChainError> {
    let block = params(ctx)?.block.unwrap_or_default();
    Ok(u64::try_from(block.max_gas).ok().filter(|max| *max > 0))
}

/// Answers a method of `cosmos.consensus.v1.Query`. `None` for methods it does not have.
pub fn query(ctx: &Context, method: &str, _data: &[u8]) -> Option<Result<Vec<u8>, QueryError>> {
    (method == "Params").then(|| {
        let params = Some(params(ctx)?);
        Ok(proto::cosmos::consensus::v1::QueryParamsResponse { params }.encode_to_vec())
    })
}

/// The params as CometBFT's genesis files write them: 64-bit numbers as text, the age of evidence in nanoseconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Form {
    block: BlockForm,
    evidence: EvidenceForm,
    validator: ValidatorForm,
    version: VersionForm,
    abci: AbciForm,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct BlockForm {
    #[serde(with = "text")]
    max_bytes: i64,
    #[serde(with = "text")]
    max_gas: i64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EvidenceForm {
    #[serde(with = "text")]
    max_age_num_blocks: i64,
    #[serde(with = "text")]
    max_age_duration: i64,
    #[serde(with = "text")]
    max_bytes: i64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ValidatorForm {
    pub_key_types: Vec<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct VersionForm {
    #[serde(with = "text")]
    app: i64,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct AbciForm {
    #[serde(with = "text")]
    vote_extensions_enable_height: i64,
}

/// The reference's own genesis (chain specification 6.6): 21 MiB blocks without gas limit, evidence for 100,000 blocks
/// and two days.
impl Default for Form {
    fn default() -> Self {
        Self {
            block: BlockForm {
                max_bytes: 22_020_096,
                max_gas: -1,
            },
            evidence: EvidenceForm {
                max_age_num_blocks: 100_000,
                max_age_duration: 172_800_000_000_000,
                max_bytes: 1_048_576,
            },
            validator: ValidatorForm {
                pub_key_types: vec!["ed25519".to_owned()],
            },
            version: VersionForm::default(),
            abci: AbciForm::default(),
        }
    }
}

impl Form {
    /// With another limit on the bytes of a block.
    #[must_use]
    pub fn with_block_bytes_max(mut self, max_bytes: i64) -> Self {
        self.block.max_bytes = max_bytes;
        self
    }

    /// With another limit on the gas of a block.
    #[must_use]
    pub fn with_block_gas_max(mut self, max_gas: i64) -> Self {
        self.block.max_gas = max_gas;
        self
    }

    /// As CometBFT's messages carry them.
    pub fn to_proto(&self) -> ConsensusParams {
        let nanos = self.evidence.max_age_duration;
        let max_age_duration = Some(Duration {
            seconds: nanos.div_euclid(1_000_000_000),
            nanos: i32::try_from(nanos.rem_euclid(1_000_000_000)).unwrap_or(0),
        });
        ConsensusParams {
            block: Some(BlockParams {
                max_bytes: self.block.max_bytes,
                max_gas: self.block.max_gas,
            }),
            evidence: Some(EvidenceParams {
                max_age_num_blocks: self.evidence.max_age_num_blocks,
                max_age_duration,
                max_bytes: self.evidence.max_bytes,
            }),
            validator: Some(ValidatorParams {
                pub_key_types: self.validator.pub_key_types.clone(),
            }),
            version: Some(VersionParams {
                app: u64::try_from(self.version.app).unwrap_or(0),
            }),
            abci: Some(AbciParams {
                vote_extensions_enable_height: self.abci.vote_extensions_enable_height,
            }),
        }
    }

    /// From what [`Form::to_proto`] makes.
    pub fn from_proto(params: &ConsensusParams) -> Self {
        let block = params.block.unwrap_or_default();
        let evidence = params.evidence.unwrap_or_default();
        let age = evidence.max_age_duration.unwrap_or_default();
        let max_age_duration = age
            .seconds
            .saturating_mul(1_000_000_000)
            .saturating_add(i64::from(age.nanos));
        let app = params.version.unwrap_or_default().app;
        Self {
            block: BlockForm {
                max_bytes: block.max_bytes,
                max_gas: block.max_gas,
            },
            evidence: EvidenceForm {
                max_age_num_blocks: evidence.max_age_num_blocks,
                max_age_duration,
                max_bytes: evidence.max_bytes,
            },
            validator: ValidatorForm {
                pub_key_types: params.validator.clone().unwrap_or_default().pub_key_types,
            },
            version: VersionForm {
                app: i64::try_from(app).unwrap_or(i64::MAX),
            },
            abci: AbciForm {
                vote_extensions_enable_height: params
                    .abci
                    .unwrap_or_default()
                    .vote_extensions_enable_height,
            },
        }
    }
}

/// A 64-bit number as text.
pub(crate) mod text {
    use serde::{Deserialize, Deserializer, Serializer, de::Error as _};

    pub(crate) fn serialize<S: Serializer>(value: &i64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse()
            .map_err(|_| D::Error::custom(format!("`{text}` is not a 64-bit number")))
    }
}
