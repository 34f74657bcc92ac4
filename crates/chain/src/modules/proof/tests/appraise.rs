//! Vectors of pure functions, asked of the state: amounts by its params and difficulties, draws by its block hashes, rings
//! by its applications and accounts.

use crypto::keys::PublicKey;
use prost::Message as _;
use proto::pocket::application::{Application, UndelegatingGatewayList};
use proto::pocket::proof::Claim;
use proto::pocket::service::RelayMiningDifficulty;
use proto::pocket::session::SessionHeader;
use protocol::Upokt;
use protocol::session::{Grid, Windows};
use serde_json::Value;

use super::world::*;
use crate::modules::proof::Appraiser;
use crate::modules::proof::end_block::ring;
use crate::modules::{service, shared};
use crate::rules::Rules;

const SERVICE: &str = "svc-amt";

#[test]
fn amounts_follow_from_params_and_difficulty_at_the_start_of_the_session() {
    let mut seen = 0;
    for case in list(&poktroll()["claim"]["amounts"]) {
        let (root, target) = (bytes(&case["root_hash"]), bytes(&case["target_hash"]));
        let (tokens, granularity): (u64, u64) =
            (number(&case["cuttm"]), number(&case["granularity"]));
        let legal = |value: u64| (1..=i64::MAX.unsigned_abs()).contains(&value);
        let whole = |name: &str| {
            case[name]
                .as_str()
                .and_then(|text| text.parse::<u64>().ok())
        };
        let whole = (
            whole("num_estimated_compute_units"),
            whole("num_estimated_relays"),
            case["claimed_upokt"].as_str(),
        );
        // What no chain can hold, and what `protocol` shows to be refused.
        let (true, (Some(units), Some(relays), Some(claimed))) = (
            root.len() == 48
                && case["claim_service_id"] == case["difficulty_service_id"]
                && legal(tokens)
                && legal(granularity)
                && target.len() == 32,
            whole,
        ) else {
            continue;
        };
        let mut world = World::new();
        world.shared.compute_units_to_tokens_multiplier = tokens;
        world.shared.compute_unit_cost_granularity = granularity;
        world.service(SERVICE, 1_000, &person("source"));
        let mut chain = world.start(Rules::reference());
        let difficulty = RelayMiningDifficulty {
            service_id: SERVICE.to_owned(),
            block_height: 1,
            num_relays_ema: 1,
            target_hash: target.into(),
        };
        chain
            .run(|ctx| service::set_difficulty(ctx, difficulty.clone(), difficulty))
            .unwrap();
        let claim = Claim {
            session_header: Some(SessionHeader {
                service_id: SERVICE.to_owned(),
                session_start_block_height: 101,
                session_end_block_height: 120,
                ..Default::default()
            }),
            root_hash: root.into(),
            ..Default::default()
        };
        let worth = chain.read(|ctx| Appraiser::new(ctx).unwrap().worth(ctx, &claim));
        let Ok(worth) = worth else {
            // Amounts beyond 64 bits, which the reference wraps.
            continue;
        };
        assert_eq!(worth.claimed.to_string(), claimed, "{case}");
        assert_eq!(worth.estimated_compute_units, units, "{case}");
        assert_eq!(worth.estimated_relays, relays, "{case}");
        seen += 1;
    }
    assert!(seen > 70, "{seen}");
}

#[test]
fn requirements_are_drawn_with_the_hash_of_the_block_before_the_proof_window() {
    for case in list(&poktroll()["claim"]["proof_requirement_sample"]) {
        let claim = Claim::decode(bytes(&case["claim_bytes"]).as_slice()).unwrap();
        let bits = u64::from_str_radix(text(&case["sample_value_bits"]), 16).unwrap();
        let sample = f64::from_bits(bits);
        let end = claim
            .session_header
            .as_ref()
            .map_or(0, |header| header.session_end_block_height);
        let draw = |probability: f64| {
            let mut world = World::new();
            world.proof = proof_params(probability, u128::MAX, 1, 1);
            let params = world.shared;
            let mut chain = world.start(Rules::reference());
            let grid = Grid::new(&params).unwrap();
            let seed = Windows::of_height(&params, &grid, end.into()).seed();
            block_hash(&mut chain, seed.0, &bytes(&case["seed_block_hash"]));
            let requirement = chain.read(|ctx| {
                let mut appraiser = Appraiser::new(ctx).unwrap();
                appraiser.requirement(ctx, &claim, Upokt(1)).unwrap()
            });
            requirement.is_required()
        };
        assert!(draw(sample), "{case}");
        assert!(!draw(sample.next_down()), "{case}");
    }
}

fn texts(value: &Value) -> Vec<String> {
    let list = value.as_array().into_iter().flatten();
    list.map(|value| text(value).to_owned()).collect()
}

#[test]
fn rings_are_those_of_the_reference() {
    let mut seen = 0;
    for case in list(&poktroll()["ring"]["rings"]) {
        let name = text(&case["name"]);
        let app = text(&case["app"]);
        let mut world = World::new();
        world.shared.num_blocks_per_session = number(&case["num_blocks_per_session"]);
        // Any session has room for the windows.
        world.shared.grace_period_end_offset_blocks = 1;
        world.shared.claim_window_open_offset_blocks = 1;
        if name.contains("anchor 121") {
            world.shared.session_grid_anchor_height = 121;
        }
        world.service("llm", 1_000, &person("source"));
        let record: &mut Application = world.application(app, "llm", 1_000_000);
        record.delegatee_gateway_addresses = texts(&case["delegatee_gateway_addresses"]);
        let pending = case["pending_undelegations"]
            .as_object()
            .into_iter()
            .flatten();
        record.pending_undelegations = pending
            .map(|(height, gateways)| {
                let gateway_addresses = texts(gateways);
                let list = UndelegatingGatewayList { gateway_addresses };
                (height.parse().unwrap(), list)
            })
            .collect();
        let mut chain = world.start(Rules::reference());
        for account in list(&case["accounts"]) {
            let key = PublicKey::from_bytes(&bytes(&account["pubkey"])).unwrap();
            let key = (account["pubkey_on_chain"] == true).then_some(key);
            public_key(&mut chain, key.as_ref(), text(&account["address"]));
        }
        chain.go_to(200);
        let header = SessionHeader {
            application_address: app.to_owned(),
            service_id: "llm".to_owned(),
            session_end_block_height: number(&case["height"]),
            ..Default::default()
        };
        let found = chain.read(|ctx| {
            assert!(shared::params(ctx).is_ok());
            ring(ctx, &header).unwrap()
        });
        match case["ring"].get("error") {
            Some(error) => {
                let reason = found.unwrap_err();
                assert!(
                    reason.contains(text(error).rsplit(": ").next().unwrap()),
                    "{name}"
                );
            }
            None => {
                let hex = |key: &PublicKey| hex::encode(key.as_bytes());
                let mut ours: Vec<String> = found.unwrap().iter().map(hex).collect();
                let mut theirs = texts(&case["ring"]["ordered_pubkeys"]);
                ours.sort();
                theirs.sort();
                assert_eq!(ours, theirs, "{name}");
            }
        }
        seen += 1;
    }
    assert_eq!(seen, 26);
}
