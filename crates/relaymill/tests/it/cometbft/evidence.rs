//! Two votes of one validator for the same round, as they would be seen by an honest peer.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signer as _, SigningKey};
use prost::Message as _;
use serde_json::{Value, json};
use tendermint_proto::google::protobuf::Timestamp;
use tendermint_proto::v0_38::types::{
    CanonicalBlockId, CanonicalPartSetHeader, CanonicalVote, SignedMsgType,
};

use crate::support::chain::Chain;

/// Evidence in the JSON of CometBFT's `broadcast_evidence`, against the validator with this key and address, which was in
/// the set of block `height`.
pub(super) fn duplicate_vote(
    chain_id: &str,
    node: &Chain,
    height: i64,
    address: &str,
    key: &SigningKey,
) -> Value {
    let at = json!({ "height": height.to_string(), "per_page": "100" });
    let set = node.call("validators", &at)["validators"].take();
    let set = set.as_array().expect("validators");
    let power = |validator: &Value| -> i64 {
        let power = validator["voting_power"].as_str().expect("a power");
        power.parse().expect("a power")
    };
    let index = set
        .iter()
        .position(|validator| validator["address"] == address);
    let index = index.unwrap_or_else(|| panic!("{address} is in the set of block {height}"));
    let total: i64 = set.iter().map(power).sum();
    let time = node.header(height)["block"]["header"]["time"].take();
    let time = time.as_str().expect("a time");
    let vote = |hash: [u8; 32]| vote(chain_id, height, address, index, key, time, hash);
    // CometBFT wants them ordered by the block that they are for.
    json!({
        "type": "tendermint/DuplicateVoteEvidence",
        "value": {
            "vote_a": vote([1; 32]),
            "vote_b": vote([2; 32]),
            "TotalVotingPower": total.to_string(),
            "ValidatorPower": power(&set[index]).to_string(),
            "Timestamp": time,
        },
    })
}

fn vote(
    chain_id: &str,
    height: i64,
    address: &str,
    index: usize,
    key: &SigningKey,
    time: &str,
    hash: [u8; 32],
) -> Value {
    let (seconds, nanos) = proto::time::parse_rfc3339(time).expect("a time");
    let signed = CanonicalVote {
        r#type: SignedMsgType::Precommit.into(),
        height,
        round: 0,
        block_id: Some(CanonicalBlockId {
            hash: hash.to_vec(),
            part_set_header: Some(CanonicalPartSetHeader {
                total: 1,
                hash: hash.to_vec(),
            }),
        }),
        timestamp: Some(Timestamp { seconds, nanos }),
        chain_id: chain_id.to_owned(),
    };
    let signature = key.sign(&signed.encode_length_delimited_to_vec());
    let hash = hex::encode_upper(hash);
    json!({
        "type": 2,
        "height": height.to_string(),
        "round": 0,
        "block_id": { "hash": hash, "parts": { "total": 1, "hash": hash } },
        "timestamp": time,
        "validator_address": address,
        "validator_index": index,
        "signature": STANDARD.encode(signature.to_bytes()),
        "extension": null,
        "extension_signature": null,
    })
}
