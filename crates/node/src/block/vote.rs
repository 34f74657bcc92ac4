//! Precommits: what a validator signs, and how a signature is checked.
//!
//! Signatures are checked by the rules of ZIP-215, as CometBFT does: points may be encoded non-canonically, scalars may
//! not, and the equation is taken times the cofactor, so that one signature and a batch agree.

use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::IsIdentity;
use ed25519_dalek::{Signer, SigningKey};
use prost::Message;
use sha2::{Digest, Sha512};
use tendermint_proto::google::protobuf::Timestamp;
use tendermint_proto::v0_38::types::{
    BlockId, BlockIdFlag, CanonicalBlockId, CanonicalPartSetHeader, CanonicalVote, Commit,
    CommitSig, SignedMsgType,
};

use crate::block::Validator;

/// The time in a vote that was not received: Go's zero time.
pub const ABSENT: Timestamp = Timestamp {
    seconds: -62_135_596_800,
    nanos: 0,
};

/// The bytes of a precommit that are signed: a length and the canonical vote.
pub fn sign_bytes(
    chain_id: &str,
    height: i64,
    round: i32,
    block_id: Option<&BlockId>,
    time: Timestamp,
) -> Vec<u8> {
    let block_id = block_id.filter(|id| !id.hash.is_empty()).map(|id| {
        let parts = id.part_set_header.clone().unwrap_or_default();
        let parts = CanonicalPartSetHeader {
            total: parts.total,
            hash: parts.hash,
        };
        CanonicalBlockId {
            hash: id.hash.clone(),
            part_set_header: Some(parts),
        }
    });
    let vote = CanonicalVote {
        r#type: SignedMsgType::Precommit.into(),
        height,
        round: i64::from(round),
        block_id,
        timestamp: Some(time),
        chain_id: chain_id.to_owned(),
    };
    vote.encode_length_delimited_to_vec()
}

/// The commit of one validator, the others of the set absent.
pub fn commit(
    chain_id: &str,
    height: i64,
    block_id: BlockId,
    time: Timestamp,
    key: &SigningKey,
    set: &[Validator],
) -> Commit {
    let signature = key.sign(&sign_bytes(chain_id, height, 0, Some(&block_id), time));
    let own = key.verifying_key().to_bytes();
    let votes = set.iter().map(|validator| {
        if validator.key != own {
            return CommitSig {
                block_id_flag: BlockIdFlag::Absent.into(),
                validator_address: Vec::new(),
                timestamp: Some(ABSENT),
                signature: Vec::new(),
            };
        }
        CommitSig {
            block_id_flag: BlockIdFlag::Commit.into(),
            validator_address: validator.address().to_vec(),
            timestamp: Some(time),
            signature: signature.to_vec(),
        }
    });
    Commit {
        height,
        round: 0,
        block_id: Some(block_id),
        signatures: votes.collect(),
    }
}

/// Voting power of the valid votes of a commit for its block. `None` when a vote is by a stranger, or its signature is
/// wrong.
pub fn committed_power(commit: &Commit, chain_id: &str, validators: &[Validator]) -> Option<i64> {
    let mut power = 0_i64;
    for vote in &commit.signatures {
        let flag = BlockIdFlag::try_from(vote.block_id_flag).unwrap_or(BlockIdFlag::Unknown);
        let block_id = match flag {
            BlockIdFlag::Absent => continue,
            BlockIdFlag::Commit => commit.block_id.as_ref(),
            BlockIdFlag::Nil => None,
            BlockIdFlag::Unknown => return None,
        };
        let validator = validators
            .iter()
            .find(|validator| validator.address() == vote.validator_address.as_slice())?;
        let time = vote.timestamp?;
        let message = sign_bytes(chain_id, commit.height, commit.round, block_id, time);
        if !verify(&validator.key, &message, &vote.signature) {
            return None;
        }
        if flag == BlockIdFlag::Commit {
            power = power.checked_add(validator.power)?;
        }
    }
    Some(power)
}

/// Checks an Ed25519 signature by ZIP-215.
pub fn verify(key: &[u8; 32], message: &[u8], signature: &[u8]) -> bool {
    let Some((nonce, scalar)) = signature.split_first_chunk::<32>() else {
        return false;
    };
    let Ok(scalar) = <[u8; 32]>::try_from(scalar) else {
        return false;
    };
    let Some(s) = Option::<Scalar>::from(Scalar::from_canonical_bytes(scalar)) else {
        return false;
    };
    let points = CompressedEdwardsY(*key)
        .decompress()
        .zip(CompressedEdwardsY(*nonce).decompress());
    let Some((public, r)) = points else {
        return false;
    };
    let challenge = Sha512::new_with_prefix(nonce)
        .chain_update(key)
        .chain_update(message)
        .finalize();
    let k = Scalar::from_bytes_mod_order_wide(&challenge.into());
    let expected = EdwardsPoint::vartime_double_scalar_mul_basepoint(&k, &-public, &s);
    (r - expected).mul_by_cofactor().is_identity()
}
