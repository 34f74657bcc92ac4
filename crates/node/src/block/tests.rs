//! Every recorded block, recomputed.

use std::io::Read;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signer, SigningKey};
use serde_json::Value;
use tendermint_proto::v0_38::types::BlockParams;

use super::*;

/// A compressed recording.
fn text(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/vectors/golden")
        .join(name);
    let mut text = String::new();
    let file = std::fs::File::open(path).unwrap();
    flate2::read::GzDecoder::new(file)
        .read_to_string(&mut text)
        .unwrap();
    text
}

fn rows(name: &str) -> Vec<Value> {
    text(name)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn number(value: &Value) -> i64 {
    value.as_str().unwrap().parse().unwrap()
}

fn bytes(value: &Value) -> Vec<u8> {
    value
        .as_str()
        .map_or_else(Vec::new, |text| STANDARD.decode(text).unwrap())
}

fn validators(list: &Value, power: &str) -> Vec<Validator> {
    let validators = list.as_array().unwrap().iter().map(|entry| Validator {
        key: bytes(&entry["pub_key"]["value"]).try_into().unwrap(),
        power: number(&entry[power]),
    });
    validators.collect()
}

fn results(row: &Value) -> Vec<ExecTxResult> {
    let list = row["block_results"]["txs_results"].as_array();
    let results = list.into_iter().flatten().map(|entry| ExecTxResult {
        code: u32::try_from(entry["code"].as_u64().unwrap()).unwrap(),
        data: bytes(&entry["data"]).into(),
        gas_wanted: number(&entry["gas_wanted"]),
        gas_used: number(&entry["gas_used"]),
        // Not part of the hash.
        log: "x".into(),
        ..ExecTxResult::default()
    });
    results.collect()
}

fn parsed_block(row: &Value) -> Block {
    let block = &row["block"]["block"];
    let txs = block["data"]["txs"]
        .as_array()
        .unwrap()
        .iter()
        .map(bytes)
        .collect();
    assert!(block["evidence"]["evidence"].as_array().unwrap().is_empty());
    let commit = |value: &Value| -> Commit {
        let mut commit: Commit = serde_json::from_value(value.clone()).unwrap();
        for vote in &mut commit.signatures {
            vote.timestamp.get_or_insert(vote::ABSENT);
        }
        commit
    };
    Block {
        header: Some(serde_json::from_value(block["header"].clone()).unwrap()),
        data: Some(Data { txs }),
        evidence: Some(EvidenceList::default()),
        last_commit: Some(commit(&block["last_commit"])),
    }
}

/// Checks a recording; `all` is the validator set where rows do not tell it.
fn check_recording(name: &str, all: Option<&[Validator]>) -> usize {
    let rows = rows(name);
    let set_at = |row: &Value| {
        all.map_or_else(
            || validators(&row["validators"]["validators"], "voting_power"),
            <[Validator]>::to_vec,
        )
    };
    let mut previous: Option<&Value> = None;
    for row in &rows {
        let height = &row["height"];
        let block = parsed_block(row);
        let header = block.header.clone().unwrap();
        let recorded: BlockId = serde_json::from_value(row["block"]["block_id"].clone()).unwrap();
        assert_eq!(block_id(&block).unwrap(), recorded, "block id of {height}");

        let txs = &block.data.as_ref().unwrap().txs;
        assert_eq!(
            data_hash(txs).as_slice(),
            header.data_hash,
            "data of {height}"
        );
        let evidence = evidence_hash(block.evidence.as_ref().unwrap());
        assert_eq!(
            evidence.as_slice(),
            header.evidence_hash,
            "evidence of {height}"
        );
        let last_commit = block.last_commit.as_ref().unwrap();
        assert_eq!(
            commit_hash(last_commit).as_slice(),
            header.last_commit_hash,
            "{height}"
        );
        let set = set_at(row);
        assert_eq!(
            validators_hash(&set).as_slice(),
            header.validators_hash,
            "{height}"
        );
        let limits = &row["block_results"]["consensus_param_updates"]["block"];
        let params = ConsensusParams {
            block: Some(BlockParams {
                max_bytes: number(&limits["max_bytes"]),
                max_gas: number(&limits["max_gas"]),
            }),
            ..ConsensusParams::default()
        };
        assert_eq!(
            consensus_hash(&params).as_slice(),
            header.consensus_hash,
            "{height}"
        );
        if let Some(previous) = previous {
            let hash = results_hash(&results(previous));
            assert_eq!(
                hash.as_slice(),
                header.last_results_hash,
                "results before {height}"
            );
            assert_eq!(
                header.app_hash,
                bytes(&previous["block_results"]["app_hash"])
            );
            let power = vote::committed_power(last_commit, &header.chain_id, &set_at(previous));
            assert!(power.unwrap() > 0, "commit in {height}");
        } else if header.height == 1 {
            assert_eq!(*last_commit, no_commit());
            assert_eq!(header.last_block_id, Some(no_block_id()));
            assert_eq!(results_hash(&[]).as_slice(), header.last_results_hash);
        }

        previous = Some(row);
        let commit = &row["commit"]["signed_header"]["commit"];
        if commit.is_null() {
            assert!(all.is_some());
            continue;
        }
        let mut commit: Commit = serde_json::from_value(commit.clone()).unwrap();
        assert_eq!(commit.block_id, Some(recorded));
        let total: i64 = set.iter().map(|validator| validator.power).sum();
        let power = vote::committed_power(&commit, &header.chain_id, &set).unwrap();
        assert!(power * 3 > total * 2, "commit of {height}");
        commit.round += 1;
        assert_eq!(vote::committed_power(&commit, &header.chain_id, &set), None);
    }
    rows.len()
}

#[test]
fn recorded_blocks_of_the_chain() {
    assert_eq!(check_recording("chain-a/blocks.jsonl.gz", None), 333);
}

#[test]
fn recorded_blocks_of_the_peers() {
    let state: Value = serde_json::from_str(&text("peers/state-70.json.gz")).unwrap();
    let set = validators(&state["consensus"]["validators"], "power");
    assert_eq!(check_recording("peers/blocks.jsonl.gz", Some(&set)), 43);
}

#[test]
fn our_own_commit_is_valid_and_binds_every_field() {
    let key = SigningKey::from_bytes(&[7; 32]);
    let validator = Validator {
        key: key.verifying_key().to_bytes(),
        power: 5,
    };
    let id = BlockId {
        hash: vec![1; 32],
        ..no_block_id()
    };
    let time = Timestamp {
        seconds: 1_700_000_000,
        nanos: 5,
    };
    let other = Validator {
        key: [9; 32],
        power: 1,
    };
    let commit = vote::commit("c", 9, id, time, &key, &[validator.clone(), other]);
    let flags: Vec<i32> = commit
        .signatures
        .iter()
        .map(|vote| vote.block_id_flag)
        .collect();
    assert_eq!(flags, [2, 1]);
    let set = [validator];
    assert_eq!(vote::committed_power(&commit, "c", &set), Some(5));
    assert_eq!(vote::committed_power(&commit, "d", &set), None);
    assert_eq!(vote::committed_power(&commit, "c", &[]), None);
    let mut other = commit.clone();
    other.height = 10;
    assert_eq!(vote::committed_power(&other, "c", &set), None);
    let mut other = commit.clone();
    other.signatures[0].timestamp = Some(Timestamp {
        seconds: 1_700_000_000,
        nanos: 6,
    });
    assert_eq!(vote::committed_power(&other, "c", &set), None);
}

#[test]
fn signatures_follow_zip_215() {
    let key = SigningKey::from_bytes(&[7; 32]);
    let public = key.verifying_key().to_bytes();
    let good = key.sign(b"m").to_bytes();
    assert!(vote::verify(&public, b"m", &good));
    assert!(!vote::verify(&public, b"n", &good));
    assert!(!vote::verify(&public, b"m", &good[..63]));
    // The scalar plus the group's order is the same number, and is refused.
    let order = hex::decode("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
    let (mut bent, mut carry) = (good, 0_u16);
    for (byte, add) in bent[32..].iter_mut().zip(order.unwrap()) {
        carry += u16::from(*byte) + u16::from(add);
        *byte = carry.to_le_bytes()[0];
        carry >>= 8;
    }
    assert!(!vote::verify(&public, b"m", &bent));
    // A key and nonce of small order, and zero: RFC 8032's strict readers refuse it, ZIP-215 accepts any message.
    let mut small = [0; 64];
    small[0] = 1;
    let mut one = [0; 32];
    one[0] = 1;
    assert!(vote::verify(&one, b"anything", &small));
    // The identity written as y = p + 1, not canonical, is accepted too.
    let mut wide = [0xff; 32];
    wide[0] = 0xee;
    wide[31] = 0x7f;
    assert!(vote::verify(&wide, b"anything", &small));
}
