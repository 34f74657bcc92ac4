use std::collections::BTreeMap;

use super::*;
use crate::testing;

fn recorded() -> Vec<BlockEvents> {
    let files = ["chain-a/blocks.jsonl.gz", "peers/blocks.jsonl.gz"];
    let rows = files.into_iter().flat_map(testing::golden);
    rows.map(|row| serde_json::from_value(row["block_results"].clone()).unwrap())
        .map(BlockEvents::of)
        .collect()
}

/// The JSON of a typed event is its attributes again, so nothing was lost in between.
fn again(event: &Event, typed: &PocketEvent) {
    macro_rules! attributes {
        ($($variant:ident)*) => {
            match typed { $(PocketEvent::$variant(message) => proto::events::typed(&**message).unwrap(),)* }
        };
    }
    let typed = attributes!(
        ClaimCreated ClaimUpdated ProofSubmitted ProofValidityChecked ClaimSettled ClaimExpired ClaimDiscarded
        ApplicationOverserviced ApplicationReimbursementRequest SupplierSlashed SettlementBatch
        ValidatorRewardDistribution RelayMiningDifficultyUpdated SupplierServiceConfigActivated
        SupplierUnbondingBegin ApplicationUnbondingBegin
    );
    // The recording was scrubbed of absolute paths; the mark it left is not escaped as its
    // surroundings are.
    let scrubbed = |value: &str| value.replace("<path>", "\\u003cpath\\u003e");
    let recorded = event.attributes.iter();
    let recorded = recorded.map(|attribute| (attribute.key.clone(), scrubbed(&attribute.value)));
    let recorded: Vec<_> = recorded
        .filter(|(key, _)| !matches!(key.as_str(), "mode" | "msg_index"))
        .collect();
    assert_eq!(typed.attributes, recorded, "{}", event.kind);
}

#[test]
fn every_recorded_settlement_event_is_read_whole() {
    let mut counts = BTreeMap::<String, usize>::new();
    for block in recorded() {
        for (_, event) in &block.events {
            if let Some(typed) = PocketEvent::parse(event).unwrap() {
                again(event, &typed);
                *counts.entry(event.kind.clone()).or_default() += 1;
            }
        }
    }
    assert!(
        counts["pocket.tokenomics.EventClaimSettled"] >= 157,
        "{counts:?}"
    );
    assert!(
        counts["pocket.tokenomics.EventClaimExpired"] >= 43,
        "{counts:?}"
    );
    assert!(
        counts["pocket.tokenomics.EventSupplierSlashed"] >= 43,
        "{counts:?}"
    );
    assert!(
        counts["pocket.proof.EventClaimCreated"] >= 205,
        "{counts:?}"
    );
}

#[test]
fn a_newer_chains_field_is_left_out_and_a_wrong_one_is_an_error() {
    let event = |key: &str, value: &str| Event {
        kind: "pocket.tokenomics.EventSupplierSlashed".to_owned(),
        attributes: vec![crate::rpc::types::Attribute {
            key: key.to_owned(),
            value: value.to_owned(),
        }],
    };
    assert!(
        PocketEvent::parse(&event("reason", "\"new\""))
            .unwrap()
            .is_some()
    );
    let error = PocketEvent::parse(&event("session_end_block_height", "\"soon\"")).unwrap_err();
    assert!(matches!(error, Error::Malformed { .. }), "{error}");
    assert!(PocketEvent::parse(&event("service_id", "no json")).is_err());
}

#[test]
fn places_are_those_of_the_block() {
    let block = recorded()
        .into_iter()
        .find(|block| block.height == 22)
        .unwrap();
    let settled = block.pocket().unwrap();
    assert!(settled.iter().all(|(place, _)| *place == Place::EndBlock));
    let claims = recorded()
        .into_iter()
        .flat_map(|block| block.pocket().unwrap());
    let mut claims = claims.filter(|(_, event)| matches!(event, PocketEvent::ClaimCreated(_)));
    assert!(claims.all(|(place, _)| matches!(
        place,
        Place::Tx {
            message: Some(_),
            ..
        }
    )));
}
