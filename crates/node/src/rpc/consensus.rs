//! `consensus_state` and `dump_consensus_state` of a validator that commits alone: it stands before the next height, with
//! no proposal and no vote, and has just committed the last one.

use serde_json::Value;
use tendermint_proto::v0_38::types::{BlockIdFlag, Commit, CommitSig};

use super::methods::Answer;
use super::{RpcError, json};
use crate::block::validators::{Member, ValidatorSet};
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
    /// Who signs the next block.
    set: ValidatorSet,
    /// Who signed the last one.
    last_set: ValidatorSet,
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
            set: view
                .validators(header.height.saturating_add(1))
                .map_err(RpcError::internal)?,
            last_set: view.validators(header.height).map_err(RpcError::internal)?,
            validator: view.validator.clone(),
        })
    }

    /// The votes of the round: none yet.
    fn votes(&self) -> Value {
        let none = bits(&self.set, |_| false);
        let votes = vec!["nil-Vote"; self.set.members().len()];
        json!([{
            "round": 0,
            "prevotes": votes,
            "prevotes_bit_array": none,
            "precommits": votes,
            "precommits_bit_array": none,
        }])
    }

    /// The place of the own key, who always proposes.
    fn place(&self, set: &ValidatorSet) -> usize {
        let mut members = set.members().iter();
        let own = members.position(|member| member.validator.key == self.validator.key);
        own.unwrap_or(0)
    }

    fn set(&self, set: &ValidatorSet) -> Value {
        let proposer = set.members().get(self.place(set)).map(json::member);
        json!({
            "validators": set.members().iter().map(json::member).collect::<Vec<_>>(),
            "proposer": proposer,
        })
    }

    /// The votes for the last block.
    fn last_commit(&self) -> Value {
        if self.last_commit.signatures.is_empty() {
            return Value::Null;
        }
        let votes = self.last_commit.signatures.iter().enumerate();
        let votes = votes.map(|(place, signature)| self.vote(place, signature));
        let absent = i32::from(BlockIdFlag::Absent);
        let mut signatures = self.last_commit.signatures.iter();
        let mut voted = signatures.by_ref().map(|vote| vote.block_id_flag != absent);
        json!({
            "votes": votes.collect::<Vec<_>>(),
            "votes_bit_array": bits(&self.last_set, |_| voted.next().unwrap_or(false)),
            "peer_maj_23s": {},
        })
    }

    fn vote(&self, place: usize, signature: &CommitSig) -> String {
        if signature.block_id_flag == i32::from(BlockIdFlag::Absent) {
            return "nil-Vote".to_owned();
        }
        let fingerprint = |bytes: &[u8]| json::hex(bytes.get(..FINGERPRINT).unwrap_or(bytes));
        let id = self.last_commit.block_id.clone().unwrap_or_default();
        format!(
            "Vote{{{place}:{} {}/{:02}/SIGNED_MSG_TYPE_PRECOMMIT(Precommit) {} {} 000000000000 @ {}}}",
            fingerprint(&signature.validator_address),
            self.last_commit.height,
            self.last_commit.round,
            fingerprint(&id.hash),
            fingerprint(&signature.signature),
            time::text(signature.timestamp.unwrap_or(vote::ABSENT)),
        )
    }
}

/// Who of a set voted, as CometBFT shows it.
fn bits(set: &ValidatorSet, voted: impl FnMut(&Member) -> bool) -> String {
    let members = set.members();
    let voted: Vec<bool> = members.iter().map(voted).collect();
    let marks: String = voted
        .iter()
        .map(|yes| if *yes { 'x' } else { '_' })
        .collect();
    let powers = members.iter().zip(&voted).map(|(member, yes)| {
        let power = i128::from(member.validator.power);
        (power, if *yes { power } else { 0 })
    });
    let (total, yes) = powers.fold((0, 0), |sum, (power, yes)| (sum.0 + power, sum.1 + yes));
    // Hundredths, rounded.
    let share = if total == 0 {
        0
    } else {
        (yes * 200 + total) / (total * 2)
    };
    format!(
        "BA{{{}:{marks}}} {yes}/{total} = {}.{:02}",
        members.len(),
        share / 100,
        share % 100
    )
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
            "proposer": { "address": json::hex(&round.validator.address()), "index": round.place(&round.set) },
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
            "validators": round.set(&round.set),
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
            "last_validators": round.set(&round.last_set),
            "triggered_timeout_precommit": false,
        },
        "peers": [],
    }))
}
