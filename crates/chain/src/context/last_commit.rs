//! What consensus hands over about validators with each block. It is input and never stored.

use crypto::keys::Address;
use tendermint_proto::v0_38::abci::{MisbehaviorType, RequestFinalizeBlock};
use tendermint_proto::v0_38::types::BlockIdFlag;

use crate::context::BlockTime;

/// The votes for the block before, proofs of misbehaviour, and two fields of the header that only records repeat.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LastCommit {
    /// One vote for each validator of the block before, in consensus' order.
    pub votes: Vec<Vote>,
    /// What validators were found to have done.
    pub misbehaviour: Vec<Misbehaviour>,
    /// Hash of the validators of the next block.
    pub next_validators_hash: Vec<u8>,
    /// Root after the block before.
    pub app_hash: Vec<u8>,
}

/// How a validator voted for the block before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vote {
    /// Consensus address.
    pub validator: Address,
    /// Its voting power then.
    pub power: i64,
    /// Whether its vote is missing. A vote for nothing is not missing.
    pub absent: bool,
}

/// A validator that signed two blocks of one height, or attacked light clients, which is punished alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Misbehaviour {
    /// Consensus address.
    pub validator: Address,
    /// Its voting power then.
    pub power: i64,
    /// Height at which it happened.
    pub height: i64,
    /// Time of that block.
    pub time: BlockTime,
}

impl LastCommit {
    /// Reads a block's request. Validators without an address of 20 bytes and misbehaviour of unknown kind are left out;
    /// consensus gives neither.
    pub fn from_request(request: &RequestFinalizeBlock, app_hash: Vec<u8>) -> Self {
        let votes = request.decided_last_commit.iter();
        let votes = votes.flat_map(|commit| &commit.votes).filter_map(|vote| {
            let validator = vote.validator.as_ref()?;
            Some(Vote {
                validator: Address(validator.address.as_ref().try_into().ok()?),
                power: validator.power,
                absent: vote.block_id_flag == i32::from(BlockIdFlag::Absent),
            })
        });
        let misbehaviour = request.misbehavior.iter().filter_map(|found| {
            let known = found.r#type == i32::from(MisbehaviorType::DuplicateVote)
                || found.r#type == i32::from(MisbehaviorType::LightClientAttack);
            let validator = found.validator.as_ref().filter(|_| known)?;
            let time = found.time.unwrap_or_default();
            Some(Misbehaviour {
                validator: Address(validator.address.as_ref().try_into().ok()?),
                power: validator.power,
                height: found.height,
                time: BlockTime {
                    seconds: time.seconds,
                    nanos: time.nanos,
                },
            })
        });
        Self {
            votes: votes.collect(),
            misbehaviour: misbehaviour.collect(),
            next_validators_hash: request.next_validators_hash.to_vec(),
            app_hash,
        }
    }
}
