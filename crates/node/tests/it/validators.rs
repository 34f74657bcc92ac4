//! Blocks of a chain whose genesis has validators.

use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use chain::genesis::GenesisBuilder;
use node::block::{Validator, vote};
use node::solo::Role;
use node::{NodeError, StartError};
use proto::cosmos::staking::v1beta1::MsgDelegate;
use serde_json::Value;

use crate::support::{CHAIN_ID, Running, address, at, key, open, signed};

const OTHER: [u8; 32] = [9; 32];

/// Makes the folder's key and a genesis in which alice signs blocks with it and bob, of power 100, never does.
fn write_genesis(folder: &Path, own: Option<u128>) -> Validator {
    let data = folder.join("data");
    std::fs::create_dir(&data).unwrap();
    let secret = node::key::load_or_create(&data.join("validator.key")).unwrap();
    let own_key = secret.verifying_key().to_bytes();
    let mut builder = GenesisBuilder::new(CHAIN_ID, "2023-11-14T22:13:20Z");
    for name in ["alice", "bob"] {
        builder.account(address(name), Some(key(name).public()), 50_000_000);
    }
    if let Some(tokens) = own {
        builder.validator("alice", address("alice"), own_key, tokens);
    }
    builder.validator("bob", address("bob"), OTHER, 100_000_000);
    let text = builder.build().unwrap().to_json().unwrap();
    std::fs::write(folder.join("genesis.json"), text).unwrap();
    Validator {
        key: own_key,
        power: 0,
    }
}

fn delegate(sequence: u64, amount: u128) -> Bytes {
    let message = MsgDelegate {
        delegator_address: address("alice").to_bech32(),
        validator_address: address("alice").to_bech32_with("poktvaloper"),
        amount: chain::bank::upokt(amount),
    };
    signed("alice", 0, sequence, proto::any::pack(&message)).into()
}

fn powers(set: &[Validator]) -> Vec<i64> {
    set.iter().map(|validator| validator.power).collect()
}

#[test]
fn changes_of_validators_count_two_blocks_later() {
    let folder = tempfile::tempdir().unwrap();
    let own = write_genesis(folder.path(), Some(300_000_000));
    let (mut solo, store, _) = open(folder.path());
    solo.produce(at(1)).unwrap();
    assert_eq!(solo.check(delegate(0, 5_000_000)).unwrap().code, 0);
    let second = solo.produce(at(2)).unwrap();
    assert_eq!(second.results.tx_results[0].code, 0);
    assert_eq!(second.results.validator_updates.len(), 1);
    drop(solo);
    let (mut solo, ..) = {
        drop(store);
        open(folder.path())
    };
    for second in 3..=130 {
        solo.produce(at(second)).unwrap();
    }
    drop(solo);
    let (_, store, _) = open(folder.path());
    let set = |height| store.validators(height).unwrap().unwrap();
    assert_eq!(powers(&set(1).validators()), [300, 100]);
    assert_eq!(powers(&set(3).validators()), [300, 100]);
    assert_eq!(powers(&set(4).validators()), [305, 100]);
    // Bob has missed too many blocks.
    let last = set(130);
    assert_eq!(powers(&last.validators()), [305]);
    for height in 1..130 {
        let header = store.block(height).unwrap().unwrap().header.unwrap();
        let set = set(height);
        assert_eq!(header.validators_hash, set.hash(), "{height}");
        let next = store.block(height + 1).unwrap().unwrap().header.unwrap();
        assert_eq!(
            header.next_validators_hash, next.validators_hash,
            "{height}"
        );
        let (commit, _) = store.commit(height).unwrap().unwrap();
        assert_eq!(commit.signatures.len(), set.members().len());
        let power = vote::committed_power(&commit, CHAIN_ID, &set.validators());
        let mut members = set.validators().into_iter();
        let member = members.find(|member| member.key == own.key).unwrap();
        assert_eq!(power, Some(member.power), "{height}");
    }
}

#[test]
fn a_key_without_two_thirds_makes_no_blocks() {
    for own in [None, Some(200_000_000)] {
        let folder = tempfile::tempdir().unwrap();
        write_genesis(folder.path(), own);
        let genesis = folder.path().join("genesis.json");
        let data = folder.path().join("data");
        let error =
            node::solo::open_folder(&data, &genesis, chain::Options::default(), Role::Alone)
                .err()
                .unwrap();
        let outvoted = matches!(error, StartError::Node(NodeError::Outvoted { .. }));
        assert!(outvoted, "{error}");
    }
    let folder = tempfile::tempdir().unwrap();
    write_genesis(folder.path(), Some(201_000_000));
    open(folder.path());
}

#[tokio::test]
async fn clients_see_the_set() {
    let folder = tempfile::tempdir().unwrap();
    write_genesis(folder.path(), Some(300_000_000));
    let node = Running::start(folder, Duration::from_millis(50)).await;
    let read = async |path: &str| {
        let (status, body) = node.get(path).await;
        assert_eq!(status, 200, "{body}");
        serde_json::from_str::<Value>(&body).unwrap()["result"].clone()
    };
    let mut status = read("/status").await;
    while status["sync_info"]["latest_block_height"].as_str().unwrap() < "3" {
        tokio::time::sleep(Duration::from_millis(20)).await;
        status = read("/status").await;
    }
    assert_eq!(status["validator_info"]["voting_power"], "300");
    let set = read("/validators?height=2").await;
    assert_eq!(set["total"], "2");
    assert_eq!(set["validators"][1]["voting_power"], "100");
    let state = read("/dump_consensus_state").await;
    let votes = &state["round_state"]["last_commit"];
    assert_eq!(votes["votes_bit_array"], "BA{2:x_} 300/400 = 0.75");
    assert_eq!(votes["votes"][1], "nil-Vote");
    node.stop().await;
}
