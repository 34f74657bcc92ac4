//! `poktroll-vectors.json`: stateless checks of messages and params, changes of the grid, suppliers of a session.

use std::collections::BTreeMap;
use std::fs;

use prost::Message;
use proto::cosmos::base::v1beta1::Coin;
use proto::pocket::application::Application;
use proto::pocket::session::{QueryGetSessionRequest, QueryGetSessionResponse};
use proto::pocket::shared::msg_update_param::AsType;
use proto::pocket::shared::{
    ApplicationServiceConfig, MsgUpdateParam, Params, RpcType, ServiceConfigUpdate,
    ServiceRevenueShare, Supplier, SupplierEndpoint, SupplierServiceConfig,
};
use serde_json::Value;

use crate::error::TxError;
use crate::modules::{application, service, session, shared, supplier};
use crate::rules::Rules;
use crate::testing::TestChain;
use crate::{modules, router};

const MODULES: [&str; 6] = [
    "application",
    "gateway",
    "supplier",
    "service",
    "session",
    "shared",
];

/// The whole file.
pub(super) fn file() -> Value {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/vectors/poktroll-vectors.json"
    );
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// The groups of the file that these tests need.
pub(super) fn group(name: &str) -> Value {
    file()[name].take()
}

fn number(value: &Value) -> i64 {
    value
        .as_i64()
        .or_else(|| value.as_str()?.parse().ok())
        .unwrap()
}

/// What a check said, in the form of the vectors.
fn outcome(result: Result<(), TxError>) -> Option<(String, u64, String)> {
    result.err().map(|error| {
        (
            error.codespace.into_owned(),
            u64::from(error.code),
            error.log,
        )
    })
}

/// What the vectors say. A plain Go error has no code there; ABCI gives it `undefined` 1.
fn expected(result: &Value) -> Option<(String, u64, String)> {
    (!result.is_null()).then(|| {
        let codespace = result["codespace"]
            .as_str()
            .unwrap_or("undefined")
            .to_owned();
        let code = result["code"].as_u64().unwrap_or(1);
        (
            codespace,
            code,
            result["text"].as_str().unwrap_or_default().to_owned(),
        )
    })
}

#[test]
fn stateless_checks_of_messages_equal_the_vectors() {
    let messages = group("validate_basic");
    let mut seen = BTreeMap::<String, usize>::new();
    for row in messages["messages"].as_array().unwrap() {
        let name = row["type"].as_str().unwrap();
        let module = name.split('.').nth(1).unwrap();
        // Rows without bytes are Go values that have none (nil in a list) or are too large for the file.
        let (true, Some(bytes)) = (MODULES.contains(&module), row["proto_hex"].as_str()) else {
            continue;
        };
        let bytes = hex::decode(bytes).unwrap();
        let got = router::check(name, &bytes).unwrap_or_else(|| panic!("{name} is not checked"));
        assert_eq!(
            outcome(got),
            expected(&row["result"]),
            "{name} {}",
            row["case"]
        );
        *seen.entry(module.to_owned()).or_default() += 1;
    }
    assert_eq!(seen.len(), MODULES.len());
    assert!(seen.values().sum::<usize>() > 250, "{seen:?}");
}

#[test]
fn a_card_one_byte_too_large_is_refused() {
    let address = "pokt1uaz8l3amysagqwrk8lf03a6y2tlca7nf38yu45".to_owned();
    let mut message = proto::pocket::service::MsgAddService {
        owner_address: address.clone(),
        service: proto::pocket::shared::Service {
            id: "svc1".to_owned(),
            compute_units_per_relay: 1,
            owner_address: address,
            metadata: Some(proto::pocket::shared::Metadata {
                card: vec![0; 262_145].into(),
            }),
            ..Default::default()
        },
    };
    let check = |message: &proto::pocket::service::MsgAddService| {
        outcome(router::check("pocket.service.MsgAddService", &message.encode_to_vec()).unwrap())
    };
    let (codespace, code, text) = check(&message).unwrap();
    assert_eq!((codespace.as_str(), code), ("shared", 1111));
    assert!(text.starts_with("metadata card exceeds maximum size: got 262145 bytes, max 262144"));
    message
        .service
        .metadata
        .as_mut()
        .unwrap()
        .card
        .truncate(262_144);
    assert_eq!(check(&message), None);
}

#[test]
fn checks_of_params_equal_the_vectors_or_are_stricter_where_the_reference_wraps() {
    // Values that do not fit a height: the reference computes on with wrapped numbers.
    let stricter = [
        "ClaimWindowOpenOffsetBlocks",
        "ClaimWindowCloseOffsetBlocks",
        "ProofWindowOpenOffsetBlocks",
        "ProofWindowCloseOffsetBlocks",
        "ComputeUnitsToTokensMultiplier",
        "ComputeUnitCostGranularity",
        "GatewayUnbondingPeriodSessions",
        "NumBlocksPerSession",
        "SupplierUnbondingPeriodSessions",
        "ApplicationUnbondingPeriodSessions",
    ]
    .map(|name| format!(".{name} = max"));
    let mut seen = 0;
    for row in group("validate_basic")["params"].as_array().unwrap() {
        let bytes = hex::decode(row["proto_hex"].as_str().unwrap()).unwrap();
        let (codespace, code, got) = match row["type"].as_str().unwrap() {
            "pocket.shared.Params" => {
                let params = Params::decode(bytes.as_slice()).unwrap();
                ("shared", 1103, shared::validate_params(&params))
            }
            "pocket.service.Params" => {
                let params = proto::pocket::service::Params::decode(bytes.as_slice()).unwrap();
                ("service", 1115, service::validate_params(&params))
            }
            "pocket.session.Params" => {
                let params = proto::pocket::session::Params::decode(bytes.as_slice()).unwrap();
                ("session", 1110, session::validate_params(&params))
            }
            _ => continue,
        };
        seen += 1;
        let case = row["case"].as_str().unwrap();
        if codespace == "shared" && stricter.iter().any(|stricter| stricter == case) {
            assert!(got.is_err(), "{case}");
            continue;
        }
        let got = got.err().map(|text| (codespace.to_owned(), code, text));
        assert_eq!(got, expected(&row["result"]), "{codespace} {case}");
    }
    assert_eq!(seen, 41);
}

#[test]
fn the_grid_moves_as_in_the_vectors() {
    let group = group("session");
    let vector = &group["grid_after_param_changes"];
    let columns: Vec<&str> = vector["columns"]
        .as_array()
        .unwrap()
        .iter()
        .map(|name| name.as_str().unwrap())
        .collect();
    let mut chain = TestChain::new(Rules::reference());
    let params = Params {
        num_blocks_per_session: 10,
        grace_period_end_offset_blocks: 1,
        claim_window_open_offset_blocks: 1,
        claim_window_close_offset_blocks: 4,
        proof_window_open_offset_blocks: 0,
        proof_window_close_offset_blocks: 4,
        supplier_unbonding_period_sessions: 50,
        application_unbonding_period_sessions: 50,
        compute_units_to_tokens_multiplier: 42_000_000,
        gateway_unbonding_period_sessions: 50,
        compute_unit_cost_granularity: 1_000_000,
        session_grid_anchor_height: 1,
        session_number_at_anchor: 1,
    };
    let genesis = proto::pocket::shared::GenesisState {
        params,
        params_history: Vec::new(),
    };
    chain.run(|ctx| shared::init_genesis(ctx, genesis)).unwrap();
    for row in vector["rows"].as_array().unwrap() {
        let row: BTreeMap<&str, i64> = columns
            .iter()
            .copied()
            .zip(row.as_array().unwrap().iter().map(number))
            .collect();
        chain.go_to(row["height"]);
        for update in vector["updates"].as_array().unwrap() {
            if number(&update["height"]) == row["height"] {
                let message = MsgUpdateParam {
                    authority: shared::authority::gov().to_bech32(),
                    name: update["update"].as_str().unwrap().to_owned(),
                    as_type: Some(AsType::AsUint64(number(&update["value"]).unsigned_abs())),
                };
                let bytes = message.encode_to_vec();
                chain
                    .run(|ctx| {
                        router::execute(ctx, "pocket.shared.MsgUpdateParam", &bytes).unwrap()
                    })
                    .unwrap();
            }
        }
        chain.run(shared::end_block).unwrap();
        chain.read(|ctx| {
            let height = row["height"];
            let at = shared::params_at(ctx, height).unwrap();
            let live = shared::params(ctx).unwrap();
            let got = BTreeMap::from([
                ("height", height),
                ("anchor", at.session_grid_anchor_height.cast_signed()),
                ("anchor_number", at.session_number_at_anchor.cast_signed()),
                ("n_at_height", at.num_blocks_per_session.cast_signed()),
                ("start", shared::grid::start(&at, height)),
                ("end", shared::grid::end(&at, height)),
                ("number", shared::grid::number(&at, height)),
                ("live_anchor", live.session_grid_anchor_height.cast_signed()),
                (
                    "live_anchor_number",
                    live.session_number_at_anchor.cast_signed(),
                ),
                (
                    "live_claim_close",
                    live.claim_window_close_offset_blocks.cast_signed(),
                ),
                (
                    "live_cuttm",
                    live.compute_units_to_tokens_multiplier.cast_signed(),
                ),
                (
                    "live_n_after_endblock",
                    live.num_blocks_per_session.cast_signed(),
                ),
            ]);
            assert_eq!(got, row);
        });
    }
    let history = chain.read(|ctx| shared::params_history(ctx).unwrap());
    let expected: Vec<proto::pocket::shared::ParamsUpdate> = vector["final_history"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| proto::json::from_json(entry).unwrap())
        .collect();
    assert_eq!(history, expected);
}

/// A state with one application, the candidates of a vector, and the hash of the session's first block.
fn chain_of(vector: &Value, params: Params) -> TestChain {
    let mut chain = TestChain::new(Rules::reference());
    let service_id = vector["service_id"].as_str().unwrap();
    let app = vector["app"].as_str().unwrap();
    let size = number(&vector["num_suppliers_per_session"]).unsigned_abs();
    let height = number(&vector["query_height"]);
    let stake = |amount: &str| {
        Some(Coin {
            denom: "upokt".to_owned(),
            amount: amount.to_owned(),
        })
    };
    let application = Application {
        address: app.to_owned(),
        stake: stake("1000000000"),
        service_configs: vec![ApplicationServiceConfig {
            service_id: service_id.to_owned(),
        }],
        ..Default::default()
    };
    let suppliers = candidates(vector)
        .into_iter()
        .map(|(operator, from, until)| Supplier {
            owner_address: operator.clone(),
            operator_address: operator.clone(),
            stake: stake("1000000"),
            service_config_history: vec![ServiceConfigUpdate {
                operator_address: operator.clone(),
                service: Some(SupplierServiceConfig {
                    service_id: service_id.to_owned(),
                    endpoints: vec![SupplierEndpoint {
                        url: "http://x.example".to_owned(),
                        rpc_type: RpcType::JsonRpc.into(),
                        configs: Vec::new(),
                    }],
                    rev_share: vec![ServiceRevenueShare {
                        address: operator,
                        rev_share_percentage: 100,
                    }],
                }),
                activation_height: from,
                deactivation_height: until,
            }],
            ..Default::default()
        });
    let supplier_genesis = proto::pocket::supplier::GenesisState {
        params: proto::pocket::supplier::Params {
            min_stake: stake("1"),
            staking_fee: stake("1"),
        },
        supplier_list: suppliers.collect(),
    };
    let application_genesis = proto::pocket::application::GenesisState {
        params: proto::pocket::application::Params {
            max_delegated_gateways: 1,
            min_stake: stake("1"),
        },
        application_list: vec![application],
    };
    let session_genesis = proto::pocket::session::GenesisState {
        params: proto::pocket::session::Params {
            num_suppliers_per_session: size,
        },
        params_history: Vec::new(),
    };
    let shared_genesis = proto::pocket::shared::GenesisState {
        params,
        params_history: Vec::new(),
    };
    chain
        .run(|ctx| shared::init_genesis(ctx, shared_genesis))
        .unwrap();
    chain
        .run(|ctx| session::init_genesis(ctx, session_genesis))
        .unwrap();
    chain
        .run(|ctx| application::init_genesis(ctx, application_genesis))
        .unwrap();
    chain
        .run(|ctx| supplier::init_genesis(ctx, supplier_genesis))
        .unwrap();
    chain.go_to(shared::grid::start(&params, height));
    chain.block.hash = hex::decode(vector["block_hash_at_start"].as_str().unwrap()).unwrap();
    chain.run(session::end_block).unwrap();
    chain.go_to(height);
    chain
}

/// Operator, activation and deactivation of each candidate, in either form of the file.
fn candidates(vector: &Value) -> Vec<(String, i64, i64)> {
    if let Some(list) = vector["candidates"].as_array() {
        let read = |row: &Value| {
            let operator = row["operator"].as_str().unwrap().to_owned();
            (
                operator,
                number(&row["activation"]),
                number(&row["deactivation"]),
            )
        };
        return list.iter().map(read).collect();
    }
    let list = vector["candidates_operator_activation_deactivation"].as_array();
    let read = |row: &Value| {
        let mut parts = row.as_str().unwrap().split('/');
        let operator = parts.next().unwrap().to_owned();
        (
            operator,
            parts.next().unwrap().parse().unwrap(),
            parts.next().unwrap().parse().unwrap(),
        )
    };
    list.into_iter().flatten().map(read).collect()
}

#[test]
fn the_state_machine_chooses_the_suppliers_of_the_vectors() {
    let group = group("session");
    let vectors = group["supplier_selection"].as_array().unwrap();
    let base: Params = proto::json::from_json(&group["params"][0]).unwrap();
    assert_eq!(vectors.len(), 9);
    for vector in vectors {
        let length = number(&vector["num_blocks_per_session"]).unsigned_abs();
        let unbonding = 100;
        let params = Params {
            num_blocks_per_session: length,
            supplier_unbonding_period_sessions: unbonding,
            application_unbonding_period_sessions: unbonding,
            ..base
        };
        let chain = chain_of(vector, params);
        let request = QueryGetSessionRequest {
            application_address: vector["app"].as_str().unwrap().to_owned(),
            service_id: vector["service_id"].as_str().unwrap().to_owned(),
            block_height: number(&vector["query_height"]),
        };
        let answer = chain.read(|ctx| {
            router::query(
                ctx,
                "/pocket.session.Query/GetSession",
                &request.encode_to_vec(),
            )
        });
        if let Some(error) = vector["error"].as_str() {
            assert_eq!(
                answer.unwrap_err().message,
                error.rsplit("desc = ").next().unwrap()
            );
            continue;
        }
        let answer = answer.unwrap();
        let session = QueryGetSessionResponse::decode(answer.as_slice())
            .unwrap()
            .session
            .unwrap();
        let header = session.header.as_ref().unwrap();
        let expected: proto::pocket::session::SessionHeader =
            proto::json::from_json(&vector["header"]).unwrap();
        assert_eq!(*header, expected);
        assert_eq!(session.session_number, number(&vector["session_number"]));
        let chosen: Vec<&str> = session
            .suppliers
            .iter()
            .map(|supplier| supplier.operator_address.as_str())
            .collect();
        let wanted: Vec<&str> = vector["selected_in_order"]
            .as_array()
            .unwrap()
            .iter()
            .map(|operator| operator.as_str().unwrap())
            .collect();
        assert_eq!(chosen, wanted, "{header:?}");
        if !vector["session_json"].is_null() {
            let whole: proto::pocket::session::Session =
                proto::json::from_json(&vector["session_json"]).unwrap();
            assert_eq!(session, whole);
        }
    }
}

#[test]
fn session_ids_of_the_state_equal_the_vectors() {
    let group = group("session");
    let mut checked = 0;
    for vector in group["session_id"].as_array().unwrap() {
        let index = usize::try_from(number(&vector["params_index"])).unwrap();
        let params: Params = proto::json::from_json(&group["params"][index]).unwrap();
        let height = number(&vector["height"]);
        if height < 1 || modules::shared::validate_params(&params).is_err() {
            continue;
        }
        let hash = vector["block_hash"].as_str().unwrap_or_default();
        let with_hash = serde_json::json!({
            "app": vector["app"],
            "service_id": vector["service_id"],
            "block_hash_at_start": hash,
            "query_height": height,
            "num_suppliers_per_session": 1,
            "candidates": [{"activation": 1, "deactivation": 0, "operator": vector["app"]}],
        });
        let chain = chain_of(&with_hash, params);
        let session = chain.read(|ctx| {
            let app = vector["app"].as_str().unwrap();
            session::hydrate(ctx, app, vector["service_id"].as_str().unwrap(), height).unwrap()
        });
        assert_eq!(session.session_id, vector["session_id"].as_str().unwrap());
        let start = session.header.unwrap().session_start_block_height;
        assert_eq!(start, number(&vector["start"]));
        checked += 1;
    }
    assert!(checked >= 20, "{checked}");
}
