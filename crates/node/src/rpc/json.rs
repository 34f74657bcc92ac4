//! CometBFT's JSON: 64-bit integers as text, hashes in upper-case hex, bytes in base64, absent lists as `null` where Go
//! has a nil slice.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use protocol::merkle;
use serde_json::{Map, Value, json};
use tendermint_proto::google::protobuf::Timestamp;
use tendermint_proto::v0_38::abci::{
    Event, ExecTxResult, ResponseCheckTx, ResponseFinalizeBlock, ResponseQuery, ValidatorUpdate,
};
use tendermint_proto::v0_38::crypto::public_key;
use tendermint_proto::v0_38::types::evidence::Sum;
use tendermint_proto::v0_38::types::{
    Block, BlockId, BlockMeta, Commit, ConsensusParams, Evidence, Header, PartSetHeader, Vote,
};

use crate::block::validators::{self, Member};
use crate::block::{self, Validator};
use crate::query::Events;
use crate::store::{Committed, Included};
use crate::time;

/// Bytes as base64.
pub(crate) fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// A hash or an address.
pub(crate) fn hex(bytes: &[u8]) -> String {
    hex::encode_upper(bytes)
}

fn time_text(time: Option<Timestamp>) -> String {
    time::text(time.unwrap_or(block::vote::ABSENT))
}

fn or_null(bytes: &[u8]) -> Value {
    if bytes.is_empty() {
        Value::Null
    } else {
        base64(bytes).into()
    }
}

pub(crate) fn block_id(id: &BlockId) -> Value {
    let PartSetHeader { total, hash } = id.part_set_header.clone().unwrap_or_default();
    json!({ "hash": hex(&id.hash), "parts": { "total": total, "hash": hex(&hash) } })
}

pub(crate) fn header(header: &Header) -> Value {
    let version = header.version.unwrap_or_default();
    let mut version_json = Map::new();
    version_json.insert("block".into(), version.block.to_string().into());
    if version.app != 0 {
        version_json.insert("app".into(), version.app.to_string().into());
    }
    json!({
        "version": version_json,
        "chain_id": header.chain_id,
        "height": header.height.to_string(),
        "time": time_text(header.time),
        "last_block_id": block_id(&header.last_block_id.clone().unwrap_or_default()),
        "last_commit_hash": hex(&header.last_commit_hash),
        "data_hash": hex(&header.data_hash),
        "validators_hash": hex(&header.validators_hash),
        "next_validators_hash": hex(&header.next_validators_hash),
        "consensus_hash": hex(&header.consensus_hash),
        "app_hash": hex(&header.app_hash),
        "last_results_hash": hex(&header.last_results_hash),
        "evidence_hash": hex(&header.evidence_hash),
        "proposer_address": hex(&header.proposer_address),
    })
}

pub(crate) fn commit(commit: &Commit) -> Value {
    let signatures = commit.signatures.iter().map(|vote| {
        json!({
            "block_id_flag": vote.block_id_flag,
            "validator_address": hex(&vote.validator_address),
            "timestamp": time_text(vote.timestamp),
            "signature": or_null(&vote.signature),
        })
    });
    json!({
        "height": commit.height.to_string(),
        "round": commit.round,
        "block_id": block_id(&commit.block_id.clone().unwrap_or_default()),
        "signatures": signatures.collect::<Vec<_>>(),
    })
}

pub(crate) fn block(block: &Block) -> Value {
    let txs = block
        .data
        .as_ref()
        .map_or(&[] as &[Vec<u8>], |data| &data.txs);
    json!({
        "header": header(&block.header.clone().unwrap_or_default()),
        "data": { "txs": txs.iter().map(|tx| base64(tx)).collect::<Vec<_>>() },
        "evidence": { "evidence": evidence(block) },
        "last_commit": commit(&block.last_commit.clone().unwrap_or_else(block::no_commit)),
    })
}

/// Evidence of misbehaviour. No driver of ours puts any into a block, but a block that is followed or replayed may have it.
fn evidence(block: &Block) -> Vec<Value> {
    let list = block.evidence.iter().flat_map(|list| &list.evidence);
    let entry = |evidence: &Evidence| match &evidence.sum {
        Some(Sum::DuplicateVoteEvidence(double)) => json!({
            "type": "tendermint/DuplicateVoteEvidence",
            "value": {
                "vote_a": double.vote_a.as_ref().map(vote),
                "vote_b": double.vote_b.as_ref().map(vote),
                "TotalVotingPower": double.total_voting_power.to_string(),
                "ValidatorPower": double.validator_power.to_string(),
                "Timestamp": time_text(double.timestamp),
            },
        }),
        // Light clients' evidence holds whole headers and sets; nobody has asked for its JSON.
        other => json!(other),
    };
    list.map(entry).collect()
}

fn vote(vote: &Vote) -> Value {
    json!({
        "type": vote.r#type,
        "height": vote.height.to_string(),
        "round": vote.round,
        "block_id": block_id(&vote.block_id.clone().unwrap_or_default()),
        "timestamp": time_text(vote.timestamp),
        "validator_address": hex(&vote.validator_address),
        "validator_index": vote.validator_index,
        "signature": or_null(&vote.signature),
        "extension": or_null(&vote.extension),
        "extension_signature": or_null(&vote.extension_signature),
    })
}

pub(crate) fn block_with_id(id: &BlockId, inner: &Block) -> Value {
    json!({ "block_id": block_id(id), "block": block(inner) })
}

pub(crate) fn block_meta(meta: &BlockMeta) -> Value {
    json!({
        "block_id": block_id(&meta.block_id.clone().unwrap_or_default()),
        "block_size": meta.block_size.to_string(),
        "header": header(&meta.header.clone().unwrap_or_default()),
        "num_txs": meta.num_txs.to_string(),
    })
}

pub(crate) fn member(member: &Member) -> Value {
    let validator = &member.validator;
    json!({
        "address": hex(&validator.address()),
        "pub_key": public_key(validator),
        "voting_power": validator.power.to_string(),
        "proposer_priority": member.priority.to_string(),
    })
}

/// Changes of validators as the ABCI's own JSON writes them: a power of zero left out.
fn validator_updates(updates: &[ValidatorUpdate]) -> Vec<Value> {
    let update = |update: &ValidatorUpdate| {
        let mut fields = Map::new();
        let sum = update.pub_key.as_ref().and_then(|key| key.sum.as_ref());
        let sum = match sum {
            Some(public_key::Sum::Ed25519(key)) => json!({
                "type": "tendermint.crypto.PublicKey_Ed25519",
                "value": { "ed25519": base64(key) },
            }),
            Some(public_key::Sum::Secp256k1(key)) => json!({
                "type": "tendermint.crypto.PublicKey_Secp256K1",
                "value": { "secp256k1": base64(key) },
            }),
            None => Value::Null,
        };
        fields.insert("pub_key".into(), json!({ "Sum": sum }));
        if update.power != 0 {
            fields.insert("power".into(), update.power.to_string().into());
        }
        Value::Object(fields)
    };
    updates.iter().map(update).collect()
}

pub(crate) fn public_key(validator: &Validator) -> Value {
    json!({ "type": "tendermint/PubKeyEd25519", "value": base64(&validator.key) })
}

pub(crate) fn events(events: &[Event]) -> Vec<Value> {
    let event = |event: &Event| {
        let attributes = event.attributes.iter().map(|attribute| {
            json!({
                "key": attribute.key,
                "value": attribute.value,
                "index": attribute.index,
            })
        });
        json!({ "type": event.r#type, "attributes": attributes.collect::<Vec<_>>() })
    };
    events.iter().map(event).collect()
}

/// A result with every field, as the ABCI's own JSON writes it.
pub(crate) fn tx_result(result: &ExecTxResult) -> Value {
    json!({
        "code": result.code,
        "data": or_null(&result.data),
        "log": result.log,
        "info": result.info,
        "gas_wanted": result.gas_wanted.to_string(),
        "gas_used": result.gas_used.to_string(),
        "events": events(&result.events),
        "codespace": result.codespace,
    })
}

pub(crate) fn check_tx(answer: &ResponseCheckTx) -> Value {
    // A passed check has an empty slice, a failed one a nil slice.
    let data = match answer.code {
        0 => base64(&answer.data).into(),
        _ => or_null(&answer.data),
    };
    json!({
        "code": answer.code,
        "data": data,
        "log": answer.log,
        "info": answer.info,
        "gas_wanted": answer.gas_wanted.to_string(),
        "gas_used": answer.gas_used.to_string(),
        "events": events(&answer.events),
        "codespace": answer.codespace,
    })
}

/// A result as a plain Go structure: zero fields left out.
fn sparse_result(result: &ExecTxResult) -> Value {
    let mut fields = Map::new();
    let mut put = |key: &str, value: Value, is_zero: bool| {
        if !is_zero {
            fields.insert(key.into(), value);
        }
    };
    put("code", result.code.into(), result.code == 0);
    put("data", base64(&result.data).into(), result.data.is_empty());
    put("log", result.log.as_str().into(), result.log.is_empty());
    put("info", result.info.as_str().into(), result.info.is_empty());
    put(
        "gas_wanted",
        result.gas_wanted.to_string().into(),
        result.gas_wanted == 0,
    );
    put(
        "gas_used",
        result.gas_used.to_string().into(),
        result.gas_used == 0,
    );
    // A list that is there, even when nothing is in it.
    put("events", events(&result.events).into(), false);
    put(
        "codespace",
        result.codespace.as_str().into(),
        result.codespace.is_empty(),
    );
    Value::Object(fields)
}

/// Params with every field, as CometBFT's JSON writes them.
pub(crate) fn params(params: &ConsensusParams) -> Value {
    json!(chain::consensus::Form::from_proto(params))
}

/// Params as the ABCI's JSON writes them in results: zero numbers left out.
fn sparse_params(params: &ConsensusParams) -> Value {
    let mut value = self::params(params);
    for section in value
        .as_object_mut()
        .into_iter()
        .flat_map(|all| all.values_mut())
    {
        if let Some(section) = section.as_object_mut() {
            section.retain(|_, field| field != "0");
        }
    }
    value
}

/// A list; an empty one is a nil slice of Go's.
fn list(list: Vec<Value>) -> Value {
    match list.is_empty() {
        true => Value::Null,
        false => list.into(),
    }
}

pub(crate) fn block_results(height: i64, results: &ResponseFinalizeBlock) -> Value {
    json!({
        "height": height.to_string(),
        "txs_results": list(results.tx_results.iter().map(tx_result).collect()),
        "finalize_block_events": list(events(&results.events)),
        "validator_updates": list(validator_updates(&results.validator_updates)),
        "consensus_param_updates": results.consensus_param_updates.as_ref().map(sparse_params),
        "app_hash": base64(&results.app_hash),
    })
}

/// A transaction as `tx` and `tx_search` answer it.
pub(crate) fn included(tx: &Included) -> Value {
    json!({
        "hash": hex(&tx.hash),
        "height": tx.height.to_string(),
        "index": tx.index,
        "tx_result": tx_result(&tx.result),
        "tx": base64(&tx.tx),
    })
}

/// The proof that a transaction is in its block.
pub(crate) fn proof(txs: &[Vec<u8>], tx: &Included) -> Option<Value> {
    let hashes = block::tx_hashes(txs);
    let proof = merkle::prove(&hashes, usize::try_from(tx.index).ok()?)?;
    let aunts: Vec<String> = proof.aunts.iter().map(|aunt| base64(aunt)).collect();
    Some(json!({
        "root_hash": hex(&merkle::root(&hashes)),
        "data": base64(&tx.tx),
        "proof": {
            "total": proof.total.to_string(),
            "index": proof.index.to_string(),
            "leaf_hash": base64(&proof.leaf_hash),
            "aunts": aunts,
        },
    }))
}

pub(crate) fn query(answer: &ResponseQuery) -> Value {
    json!({
        "response": {
            "code": answer.code,
            "log": answer.log,
            "info": answer.info,
            "index": answer.index.to_string(),
            "key": or_null(&answer.key),
            "value": or_null(&answer.value),
            "proofOps": null,
            "height": answer.height.to_string(),
            "codespace": answer.codespace,
        }
    })
}

/// Data of the event `NewBlockHeader`.
pub(crate) fn new_block_header(committed: &Committed) -> Value {
    let header = header(&committed.header());
    json!({ "type": "tendermint/event/NewBlockHeader", "value": { "header": header } })
}

/// Data of the event `NewBlockEvents`.
pub(crate) fn new_block_events(committed: &Committed) -> Value {
    json!({
        "type": "tendermint/event/NewBlockEvents",
        "value": {
            "height": committed.height().to_string(),
            "events": list(events(&committed.results.events)),
            "num_txs": committed.txs().len().to_string(),
        },
    })
}

/// Data of the event `ValidatorSetUpdates`.
pub(crate) fn validator_set_updates(committed: &Committed) -> Value {
    // The state machine makes no others than can be read.
    let updates = validators::from_updates(&committed.results.validator_updates);
    let changed = updates.unwrap_or_default().into_iter();
    let changed = changed.map(|validator| {
        let priority = 0;
        member(&Member {
            validator,
            priority,
        })
    });
    let changed: Vec<Value> = changed.collect();
    json!({
        "type": "tendermint/event/ValidatorSetUpdates",
        "value": { "validator_updates": changed },
    })
}

/// Data of the event `NewBlock`.
pub(crate) fn new_block(committed: &Committed) -> Value {
    let results = &committed.results;
    let txs: Vec<Value> = results.tx_results.iter().map(tx_result).collect();
    let mut finalized = json!({
                "events": events(&results.events),
                "tx_results": txs,
                "validator_updates": validator_updates(&results.validator_updates),
                "consensus_param_updates":
                    results.consensus_param_updates.as_ref().map(sparse_params),
                "app_hash": base64(&results.app_hash),
    });
    if let (true, Some(fields)) = (txs.is_empty(), finalized.as_object_mut()) {
        fields.shift_remove("tx_results");
    }
    json!({
        "type": "tendermint/event/NewBlock",
        "value": {
            "block": block(&committed.block),
            "block_id": block_id(&committed.id),
            "result_finalize_block": finalized,
        },
    })
}

/// Data of the event `Tx`.
pub(crate) fn new_tx(tx: &Included) -> Value {
    let mut result = Map::new();
    result.insert("height".into(), tx.height.to_string().into());
    if tx.index != 0 {
        result.insert("index".into(), tx.index.into());
    }
    result.insert("tx".into(), base64(&tx.tx).into());
    result.insert("result".into(), sparse_result(&tx.result));
    json!({ "type": "tendermint/event/Tx", "value": { "TxResult": result } })
}

/// The values of events by key.
pub(crate) fn event_values(events: &Events) -> Value {
    events
        .iter()
        .map(|(key, values)| (key.clone(), json!(values)))
        .collect::<Map<_, _>>()
        .into()
}

/// Text of a value as Go's encoder writes it: `<`, `>`, `&` and two line separators inside strings escaped.
pub(crate) fn to_text(value: &Value) -> String {
    let plain = value.to_string();
    if !plain.contains(['<', '>', '&', '\u{2028}', '\u{2029}']) {
        return plain;
    }
    let mut text = String::with_capacity(plain.len() + 64);
    for c in plain.chars() {
        match c {
            // These stand inside strings only, so the escape means the same.
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                text.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            other => text.push(other),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use tendermint_proto::v0_38::types::EvidenceList;

    use super::*;

    #[test]
    fn evidence_is_written_as_cometbft_writes_it() {
        let vote = |hash: &str| {
            json!({
                "type": 2,
                "height": "37",
                "round": 0,
                "block_id": { "hash": hash, "parts": { "total": 1, "hash": "BB" } },
                "timestamp": "2026-11-21T01:42:51.11791886Z",
                "validator_address": "93107A9F0AA5AA40912D4A0EDB699DD084406157",
                "validator_index": 1,
                "signature": "AQI=",
                "extension": null,
                "extension_signature": null,
            })
        };
        let theirs = json!({
            "type": "tendermint/DuplicateVoteEvidence",
            "value": {
                "vote_a": vote("AA"),
                "vote_b": vote("AB"),
                "TotalVotingPower": "1000395",
                "ValidatorPower": "341",
                "Timestamp": "2026-11-21T01:42:51Z",
            },
        });
        let sum: Sum = serde_json::from_value(theirs.clone()).unwrap();
        let evidence = vec![Evidence { sum: Some(sum) }];
        let block = Block {
            evidence: Some(EvidenceList { evidence }),
            ..Block::default()
        };
        assert_eq!(
            super::block(&block)["evidence"]["evidence"],
            json!([theirs])
        );
    }
}
