//! A recorded block: what went into it, and what came out of it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::Value;
use tendermint_proto::v0_38::abci::{self, Misbehavior, MisbehaviorType};
use tendermint_proto::v0_38::types::{
    self as comet, BlockId, Commit, Data, EvidenceList, Header, evidence::Sum,
};

use crate::block::{self, vote};

/// A block and its results, as the RPC of the recorded node told them.
#[derive(Clone, Debug)]
pub(crate) struct Block {
    /// Height.
    pub(crate) height: i64,
    /// Its id. Sessions and proofs are drawn from this hash.
    pub(crate) id: BlockId,
    /// The block.
    pub(crate) block: comet::Block,
    /// Misbehaviour that its evidence shows.
    pub(crate) misbehavior: Vec<Misbehavior>,
    /// `block_results`, as recorded; `null` when they were not.
    pub(crate) results: Value,
    /// The commit for this block, when recorded.
    pub(crate) commit: Option<Commit>,
    /// `validators` of this height, as recorded; `null` when they were not.
    pub(crate) validators: Value,
}

impl Block {
    /// Reads a row.
    ///
    /// # Errors
    /// Which part cannot be read, and why.
    pub(super) fn read(mut row: Value) -> Result<Self, String> {
        let (inner, id) = (
            row["block"]["block"].take(),
            row["block"]["block_id"].take(),
        );
        let header: Header = part(&inner["header"], "block.block.header")?;
        let id: BlockId = part(&id, "block.block_id")?;
        let txs = match &inner["data"]["txs"] {
            Value::Null => Vec::new(),
            Value::Array(txs) => txs.iter().map(tx).collect::<Result<_, _>>()?,
            _ => return Err("block.block.data.txs: is not a list".to_owned()),
        };
        let evidence = evidence(&inner["evidence"]["evidence"])?;
        let last_commit = match &inner["last_commit"] {
            Value::Null => block::no_commit(),
            value => commit(value, "block.block.last_commit")?,
        };
        let height = header.height;
        let told = row["height"].as_i64();
        if told.is_some_and(|told| told != height) {
            return Err(format!("height: {} of a block {height}", row["height"]));
        }
        let commit = match &row["commit"]["signed_header"]["commit"] {
            Value::Null => None,
            value => Some(commit(value, "commit.signed_header.commit")?),
        };
        let misbehavior = evidence.iter().flat_map(shown).collect();
        Ok(Self {
            height,
            id,
            block: comet::Block {
                header: Some(header),
                data: Some(Data { txs }),
                evidence: Some(EvidenceList { evidence }),
                last_commit: Some(last_commit),
            },
            misbehavior,
            results: row["block_results"].take(),
            commit,
            validators: row["validators"].take(),
        })
    }

    /// Its header.
    pub(crate) fn header(&self) -> Header {
        self.block.header.clone().unwrap_or_default()
    }

    /// Its transactions.
    pub(crate) fn txs(&self) -> &[Vec<u8>] {
        self.block.data.as_ref().map_or(&[], |data| &data.txs)
    }

    /// Its transactions as the state machine takes them.
    pub(crate) fn tx_bytes(&self) -> Vec<Bytes> {
        let txs = self.txs().iter();
        txs.map(|tx| Bytes::copy_from_slice(tx)).collect()
    }
}

fn part<T: serde::de::DeserializeOwned>(value: &Value, path: &str) -> Result<T, String> {
    if value.is_null() {
        return Err(format!("{path}: is missing"));
    }
    serde_json::from_value(value.clone()).map_err(|error| format!("{path}: {error}"))
}

fn tx(value: &Value) -> Result<Vec<u8>, String> {
    let text = value.as_str().unwrap_or_default();
    STANDARD
        .decode(text)
        .map_err(|error| format!("block.block.data.txs: {error}"))
}

/// A commit; a vote that was not received has the zero time, which CometBFT encodes.
fn commit(value: &Value, path: &str) -> Result<Commit, String> {
    let mut commit: Commit = part(value, path)?;
    for vote in &mut commit.signatures {
        vote.timestamp.get_or_insert(vote::ABSENT);
    }
    Ok(commit)
}

fn evidence(list: &Value) -> Result<Vec<comet::Evidence>, String> {
    let entries = list.as_array().map_or(&[][..], Vec::as_slice);
    let read = |entry: &Value| {
        let sum: Sum = part(entry, "block.block.evidence.evidence")?;
        Ok(comet::Evidence { sum: Some(sum) })
    };
    entries.iter().map(read).collect()
}

/// What CometBFT tells the application of evidence.
fn shown(evidence: &comet::Evidence) -> Vec<Misbehavior> {
    let misbehavior = |kind: MisbehaviorType, address: &[u8], power: i64| Misbehavior {
        r#type: kind.into(),
        validator: Some(abci::Validator {
            address: address.to_vec().into(),
            power,
        }),
        ..Misbehavior::default()
    };
    match &evidence.sum {
        Some(Sum::DuplicateVoteEvidence(double)) => {
            let vote = double.vote_a.clone().unwrap_or_default();
            vec![Misbehavior {
                height: vote.height,
                time: double.timestamp,
                total_voting_power: double.total_voting_power,
                ..misbehavior(
                    MisbehaviorType::DuplicateVote,
                    &vote.validator_address,
                    double.validator_power,
                )
            }]
        }
        Some(Sum::LightClientAttackEvidence(attack)) => attack
            .byzantine_validators
            .iter()
            .map(|validator| Misbehavior {
                height: attack.common_height,
                time: attack.timestamp,
                total_voting_power: attack.total_voting_power,
                ..misbehavior(
                    MisbehaviorType::LightClientAttack,
                    &validator.address,
                    validator.voting_power,
                )
            })
            .collect(),
        None => Vec::new(),
    }
}
