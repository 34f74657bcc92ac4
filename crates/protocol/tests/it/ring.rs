//! `ring`: the expected members of 26 applications.

use std::collections::BTreeMap;

use crypto::keys::PublicKey;
use proto::pocket::application::{Application, UndelegatingGatewayList};
use proto::pocket::shared::Params;
use protocol::Height;
use protocol::ring::{expected_members, placeholder_key, reference_session_end};
use serde_json::Value;

use crate::vectors::{bytes, list, number, poktroll, text};

fn texts(value: &Value) -> Vec<String> {
    value
        .as_array()
        .into_iter()
        .flatten()
        .map(|value| text(value).to_owned())
        .collect()
}

fn application_of(case: &Value) -> Application {
    let pending = case["pending_undelegations"]
        .as_object()
        .into_iter()
        .flatten();
    Application {
        address: text(&case["app"]).to_owned(),
        delegatee_gateway_addresses: texts(&case["delegatee_gateway_addresses"]),
        pending_undelegations: pending
            .map(|(height, gateways)| {
                let gateway_addresses = texts(gateways);
                (
                    height.parse().unwrap(),
                    UndelegatingGatewayList { gateway_addresses },
                )
            })
            .collect(),
        ..Application::default()
    }
}

#[test]
fn rings_of_the_reference() {
    for case in list(&poktroll()["ring"]["rings"]) {
        let name = text(&case["name"]);
        let live = Params {
            num_blocks_per_session: number(&case["num_blocks_per_session"]),
            session_grid_anchor_height: if name.contains("anchor 121") { 121 } else { 1 },
            session_number_at_anchor: 1,
            ..Params::default()
        };
        let end = reference_session_end(&live, Height(number(&case["height"]))).unwrap();
        assert_eq!(end.0, number::<i64>(&case["target_session_end"]), "{name}");

        let ring = expected_members(&application_of(case), end);
        let mut gateways = ring.gateways.clone();
        gateways.sort();
        assert_eq!(
            gateways,
            texts(&case["ring_gateway_addresses_sorted"]),
            "{name}"
        );

        let known: BTreeMap<&str, PublicKey> = list(&case["accounts"])
            .iter()
            .filter(|account| account["pubkey_on_chain"] == true)
            .map(|a| {
                (
                    text(&a["address"]),
                    PublicKey::from_bytes(&bytes(&a["pubkey"])).unwrap(),
                )
            })
            .collect();
        let keys = ring.resolve(|address| known.get(address).copied());
        if case["ring"].get("error").is_some() {
            let missing = keys.unwrap_err();
            assert!(!known.contains_key(missing.address.as_str()));
            continue;
        }
        let hex = |key: &PublicKey| hex::encode(key.as_bytes());
        let mut ours: Vec<String> = keys.unwrap().iter().map(hex).collect();
        let mut theirs = texts(&case["ring"]["ordered_pubkeys"]);
        ours.sort();
        theirs.sort();
        assert_eq!(ours, theirs, "{name}");
        assert_eq!(
            ours.contains(&hex(&placeholder_key())),
            ring.has_placeholder(),
            "{name}"
        );
    }
}

/// `ring.placeholder_pubkey`, `ring.placeholder_ring_address`.
#[test]
fn the_placeholder() {
    let key = placeholder_key();
    assert_eq!(
        hex::encode(key.as_bytes()),
        text(&poktroll()["ring"]["placeholder_pubkey"])
    );
    let address = hex::encode_upper(key.address().as_bytes());
    assert_eq!(
        address,
        text(&poktroll()["ring"]["placeholder_ring_address"])
    );
}

/// Ours asks for the ring at the session's own end, whatever the live parameters have become since.
#[test]
fn a_later_change_of_session_length_does_not_change_the_ring() {
    let case = list(&poktroll()["ring"]["rings"])
        .iter()
        .find(|case| text(&case["name"]).contains("N 20->60, anchor 121), session end 100"))
        .unwrap();
    let ring = expected_members(&application_of(case), Height(100));
    assert!(
        !ring.has_placeholder(),
        "the gateway pending at 100 still signs for that session"
    );
}
