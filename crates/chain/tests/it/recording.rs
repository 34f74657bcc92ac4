//! What a recorded reference chain holds, in the form that tests here compare.

use std::io::{BufRead, BufReader};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chain::genesis::Document;
use flate2::read::GzDecoder;
use serde_json::Value;
use tendermint_proto::google::protobuf::Timestamp;
use tendermint_proto::v0_38::abci::{
    CommitInfo, Event, RequestFinalizeBlock, Validator, ValidatorUpdate, VoteInfo,
};
use tendermint_proto::v0_38::crypto::public_key::Sum;

pub(crate) fn path(name: &str) -> String {
    format!(
        "{}/../../tests/vectors/golden/chain-a/{name}",
        env!("CARGO_MANIFEST_DIR")
    )
}

pub(crate) fn rows(name: &str) -> impl Iterator<Item = Value> {
    let file = std::fs::File::open(path(name)).unwrap();
    BufReader::new(GzDecoder::new(file))
        .lines()
        .map(|line| serde_json::from_str(&line.unwrap()).unwrap())
}

/// The recorded genesis.
pub(crate) fn document() -> Document {
    Document::parse(&std::fs::read_to_string(path("genesis.json")).unwrap()).unwrap()
}

/// Kind and pairs of an event.
pub(crate) type Flat = (String, Vec<(String, String)>);

/// What a recording and this machine can both say about events.
pub(crate) fn flat(events: &[Event]) -> Vec<Flat> {
    let pairs = |event: &Event| {
        event
            .attributes
            .iter()
            .map(|pair| (pair.key.clone(), pair.value.clone()))
            .collect()
    };
    events
        .iter()
        .map(|event| (event.r#type.clone(), pairs(event)))
        .collect()
}

pub(crate) fn recorded_events(events: &Value) -> Vec<Flat> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let pairs = |event: &Value| {
        let attributes = event["attributes"].as_array().unwrap();
        attributes
            .iter()
            .map(|pair| (text(&pair["key"]), text(&pair["value"])))
            .collect()
    };
    let events = events.as_array().map_or(&[][..], Vec::as_slice);
    events
        .iter()
        .map(|event| (text(&event["type"]), pairs(event)))
        .collect()
}

/// Base64 of the key, and the power.
pub(crate) fn updates(updates: &[ValidatorUpdate]) -> Vec<(String, i64)> {
    let key = |update: &ValidatorUpdate| match update.pub_key.as_ref().unwrap().sum.as_ref() {
        Some(Sum::Ed25519(key) | Sum::Secp256k1(key)) => STANDARD.encode(key),
        None => String::new(),
    };
    updates
        .iter()
        .map(|update| (key(update), update.power))
        .collect()
}

pub(crate) fn recorded_updates(updates: &Value) -> Vec<(String, i64)> {
    let updates = updates.as_array().map_or(&[][..], Vec::as_slice);
    updates
        .iter()
        .map(|update| {
            let key = &update["pub_key"]["Sum"]["value"]["ed25519"];
            let power = update["power"].as_str().unwrap_or("0").parse().unwrap();
            (key.as_str().unwrap().to_owned(), power)
        })
        .collect()
}

/// The block of a row; `before` is the row of the block before, whose validators voted.
pub(crate) fn request(row: &Value, before: Option<&Value>) -> RequestFinalizeBlock {
    let block = &row["block"]["block"];
    let header = &block["header"];
    let (seconds, nanos) = proto::time::parse_rfc3339(header["time"].as_str().unwrap()).unwrap();
    let txs = block["data"]["txs"].as_array().unwrap();
    let bytes = |value: &Value| hex::decode(value.as_str().unwrap()).unwrap();
    let signatures = block["last_commit"]["signatures"].as_array();
    let signatures = signatures.map_or(&[][..], Vec::as_slice);
    let validators = before.map(|row| row["validators"]["validators"].as_array().unwrap());
    let validators = validators.map_or(&[][..], Vec::as_slice);
    let votes = validators.iter().zip(signatures).map(|(validator, vote)| {
        let power = validator["voting_power"].as_str().unwrap();
        VoteInfo {
            validator: Some(Validator {
                address: bytes(&validator["address"]).into(),
                power: power.parse().unwrap(),
            }),
            block_id_flag: i32::try_from(vote["block_id_flag"].as_i64().unwrap()).unwrap(),
        }
    });
    RequestFinalizeBlock {
        txs: txs
            .iter()
            .map(|tx| STANDARD.decode(tx.as_str().unwrap()).unwrap().into())
            .collect(),
        decided_last_commit: Some(CommitInfo {
            round: 0,
            votes: votes.collect(),
        }),
        hash: bytes(&row["block"]["block_id"]["hash"]).into(),
        height: row["height"].as_i64().unwrap(),
        time: Some(Timestamp { seconds, nanos }),
        next_validators_hash: bytes(&header["next_validators_hash"]).into(),
        proposer_address: bytes(&header["proposer_address"]).into(),
        ..Default::default()
    }
}
