//! What a block did: transactions, events, updates, validators.

use serde_json::{Value, json};
use tendermint_proto::v0_38::abci::ResponseFinalizeBlock;

use super::diff::{self, Depth, Found, list};
use super::recording::Block;
use super::report::{Difference, Part, Report};
use crate::block::validators::ValidatorSet;
use crate::rpc::json as rpc_json;

/// The code of a transaction that made the reference panic: ours must refuse it, in its own way.
pub(super) const PANIC: u64 = 111_222;

/// Compares what a block did with what was recorded.
pub(super) fn compare(
    report: &mut Report,
    block: &Block,
    results: &ResponseFinalizeBlock,
    set: &ValidatorSet,
) {
    let height = block.height;
    compare_set(report, block, set);
    let expected = &block.results;
    if !expected.is_object() {
        report.leave_out("blocks without block_results");
        return;
    }
    let got = rpc_json::block_results(height, results);
    // Go writes an empty list as null; where there are transactions, null means that nothing is said of them.
    let untold = expected["txs_results"].is_null() && !block.txs().is_empty();
    if untold {
        report.leave_out("blocks without results of their transactions");
    } else if expected.get("txs_results").is_some() {
        let (expected, got) = (list(&expected["txs_results"]), list(&got["txs_results"]));
        if expected.len() != got.len() {
            let found = vec![Found {
                field: "txs_results.length".to_owned(),
                expected: expected.len().to_string(),
                got: got.len().to_string(),
            }];
            note(report, Part::Transaction, height, "block_results", found);
        }
        for (place, (expected, got)) in expected.iter().zip(got).enumerate() {
            compare_tx(report, block, place, expected, got);
        }
    }
    if expected.get("finalize_block_events").is_some() {
        let expected = list(&expected["finalize_block_events"]);
        report.compared(Part::Event, expected.len());
        let got = list(&got["finalize_block_events"]);
        let found = diff::compare_events("finalize_block_events", expected, got);
        note(report, Part::Event, height, "block_results", found);
    }
    for update in ["validator_updates", "consensus_param_updates"] {
        if expected.get(update).is_some() {
            report.compared(Part::Block, 1);
            // Nothing is null here and an empty list there.
            let of = |results: &Value| match &results[update] {
                Value::Null => json!([]),
                other => other.clone(),
            };
            let (expected, got) = (json!({ update: of(expected) }), json!({ update: of(&got) }));
            let found = diff::compare(&expected, &got, Depth::Values);
            note(report, Part::Block, height, "block_results", found);
        }
    }
}

fn compare_tx(report: &mut Report, block: &Block, place: usize, expected: &Value, got: &Value) {
    report.compared(Part::Transaction, 1);
    let hash = block.txs().get(place);
    let hash = hash.map_or_else(String::new, |tx| {
        hex::encode_upper(crypto::hash::sha256(tx))
    });
    let subject = format!("transaction {place} ({hash})");
    if expected["code"] == PANIC && got["code"] != 0 {
        report.leave_out("transactions that made the reference panic, beyond their refusal");
        return;
    }
    let without_events = |result: &Value| {
        let mut result = result.clone();
        if let Some(fields) = result.as_object_mut() {
            fields.remove("events");
        }
        result
    };
    let mut got_fields = without_events(got);
    let expected_fields = without_events(expected);
    keep_recorded(&expected_fields, &mut got_fields);
    let found = diff::compare(&expected_fields, &got_fields, Depth::Values);
    note(report, Part::Transaction, block.height, &subject, found);
    if expected.get("events").is_some() {
        let events = list(&expected["events"]);
        report.compared(Part::Event, events.len());
        let found = diff::compare_events("events", events, list(&got["events"]));
        note(report, Part::Event, block.height, &subject, found);
    }
}

/// Takes out of ours what a recorded row does not speak of.
fn keep_recorded(expected: &Value, got: &mut Value) {
    if let (Some(expected), Some(got)) = (expected.as_object(), got.as_object_mut()) {
        got.retain(|key, _| expected.contains_key(key));
    }
}

/// The validators of a block, told by its header and, where recorded, by the RPC.
fn compare_set(report: &mut Report, block: &Block, set: &ValidatorSet) {
    report.compared(Part::Block, 1);
    let expected = hex::encode_upper(block.header().validators_hash);
    let got = hex::encode_upper(set.hash());
    if expected != got {
        let found = vec![Found {
            field: "validators_hash".to_owned(),
            expected,
            got,
        }];
        note(report, Part::Block, block.height, "header", found);
    }
    let expected = &block.validators;
    if expected.is_null() {
        return;
    }
    report.compared(Part::Block, 1);
    // The RPC tells a page.
    let shown = list(&expected["validators"]).len();
    let members = set
        .members()
        .iter()
        .take(shown.max(1))
        .map(rpc_json::member);
    let members: Vec<Value> = members.collect();
    let mut got = json!({
        "block_height": block.height.to_string(),
        "count": members.len().to_string(),
        "total": set.members().len().to_string(),
        "validators": members,
    });
    keep_recorded(expected, &mut got);
    let found = diff::compare(expected, &got, Depth::Values);
    note(report, Part::Block, block.height, "validators", found);
}

fn note(report: &mut Report, part: Part, height: i64, place: &str, found: Vec<Found>) {
    for Found {
        field,
        expected,
        got,
    } in found
    {
        let difference = Difference {
            part,
            height: Some(height),
            place: place.to_owned(),
            field,
            expected,
            got,
        };
        report.differs("", difference);
    }
}
