//! `consensus_state` and `dump_consensus_state` of a validator that is alone: it stands before the next height, with no
//! proposal and no vote, and has just committed the last one.

use serde_json::Value;
use tendermint_proto::v0_38::types::{Commit, CommitSig};

use super::methods::Answer;
use super::{RpcError, json};
use crate::block::{Validator, vote};
use crate::blocks::OwnView as View;
use crate::time;

/// Bytes of a hash in the text of a vote.
const FINGERPRINT: usize = 6;

/// Where the node is between two blocks.
struct Round {
    /// The height that is made next.
    height: i64,
    /// Time of the last block.
    time: String,
    /// Votes for it.
    last_commit: Commit,
    validator: Validator,
}

impl Round {
    fn read(view: &View) -> Result<Self, RpcError> {
        let latest = view.latest();
        let header = latest
            .as_ref()
            .map(|latest| latest.header())
            .unwrap_or_default();
        let commit = view
            .store
            .commit(header.height)
            .map_err(RpcError::internal)?;
        Ok(Self {
            height: header.height.saturating_add(1),
            time: time::text(header.time.unwrap_or(vote::ABSENT)),
            last_commit: commit.map(|(commit, _)| commit).unwrap_or_default(),
            validator: view.validator.clone(),
        })
    }

    /// The votes of the round: none yet.
    fn votes(&self) -> Value {
        let none = format!("BA{{1:_}} 0/{} = 0.00", self.validator.power);
        json!([{
            "round": 0,
            "prevotes": ["nil-Vote"],
            "prevotes_bit_array": none,
            "precommits": ["nil-Vote"],
            "precommits_bit_array": none,
        }])
    }

    fn set(&self) -> Value {
        let validator = json::validator(&self.validator);
        json!({ "validators": [validator], "proposer": validator })
    }

    /// The votes for the last block.
    fn last_commit(&self) -> Value {
        let Some(signature) = self.last_commit.signatures.first() else {
            return Value::Null;
        };
        let power = self.validator.power;
        json!({
            "votes": [self.vote(signature)],
            "votes_bit_array": format!("BA{{1:x}} {power}/{power} = 1.00"),
            "peer_maj_23s": {},
        })
    }

    fn vote(&self, signature: &CommitSig) -> String {
        let fingerprint = |bytes: &[u8]| json::hex(bytes.get(..FINGERPRINT).unwrap_or(bytes));
        let id = self.last_commit.block_id.clone().unwrap_or_default();
        format!(
            "Vote{{0:{} {}/{:02}/SIGNED_MSG_TYPE_PRECOMMIT(Precommit) {} {} 000000000000 @ {}}}",
            fingerprint(&signature.validator_address),
            self.last_commit.height,
            self.last_commit.round,
            fingerprint(&id.hash),
            fingerprint(&signature.signature),
            time::text(signature.timestamp.unwrap_or(vote::ABSENT)),
        )
    }
}

/// In short.
pub(super) fn state(view: &View) -> Answer {
    let round = Round::read(view)?;
    Ok(json!({
        "round_state": {
            "height/round/step": format!("{}/0/1", round.height),
            "start_time": round.time,
            "proposal_block_hash": "",
            "locked_block_hash": "",
            "valid_block_hash": "",
            "height_vote_set": round.votes(),
            "proposer": { "address": json::hex(&round.validator.address()), "index": 0 },
        }
    }))
}

/// In full.
pub(super) fn dump(view: &View) -> Answer {
    let round = Round::read(view)?;
    Ok(json!({
        "round_state": {
            "height": round.height.to_string(),
            "round": 0,
            "step": 1,
            "start_time": round.time,
            "commit_time": round.time,
            "validators": round.set(),
            "proposal": null,
            "proposal_block": null,
            "proposal_block_parts": null,
            "locked_round": -1,
            "locked_block": null,
            "locked_block_parts": null,
            "valid_round": -1,
            "valid_block": null,
            "valid_block_parts": null,
            "votes": round.votes(),
            "commit_round": -1,
            "last_commit": round.last_commit(),
            "last_validators": round.set(),
            "triggered_timeout_precommit": false,
        },
        "peers": [],
    }))
}
