//! A chain with round params and funded people, for the tests of each module.

use crypto::keys::Address;
use prost::{Message, Name};
use proto::cosmos::base::v1beta1::Coin;
use proto::pocket::shared::{
    Params, RpcType, Service, ServiceRevenueShare, SupplierEndpoint, SupplierServiceConfig,
};

use crate::error::{ChainError, TxError};
use crate::modules::{application, gateway, service, session, shared, supplier};
use crate::rules::Rules;
use crate::testing::TestChain;
use crate::{bank, router};

/// Ten blocks a session, grace 1, windows of 9 blocks after it, unbonding of 2 sessions.
pub(crate) const PARAMS: Params = Params {
    num_blocks_per_session: 10,
    grace_period_end_offset_blocks: 1,
    claim_window_open_offset_blocks: 1,
    claim_window_close_offset_blocks: 4,
    proof_window_open_offset_blocks: 0,
    proof_window_close_offset_blocks: 4,
    supplier_unbonding_period_sessions: 2,
    application_unbonding_period_sessions: 2,
    compute_units_to_tokens_multiplier: 42_000_000,
    gateway_unbonding_period_sessions: 2,
    compute_unit_cost_granularity: 1_000_000,
    session_grid_anchor_height: 1,
    session_number_at_anchor: 1,
};

/// The services that exist.
pub(crate) const SERVICES: [&str; 3] = ["svc1", "svc2", "svc3"];

/// What everybody owns at first.
pub(crate) const FUNDS: u128 = 1_000_000;

/// A person by name; everybody the fixture knows has [`FUNDS`].
pub(crate) fn person(name: &str) -> Address {
    Address::module(name)
}

/// The address of a person as text.
pub(crate) fn address(name: &str) -> String {
    person(name).to_bech32()
}

/// An amount of upokt.
pub(crate) fn upokt(amount: u128) -> Option<Coin> {
    Some(bank::upokt(amount))
}

/// What a supplier offers for a service, all revenue to itself.
pub(crate) fn offer(service_id: &str, operator: &str) -> SupplierServiceConfig {
    SupplierServiceConfig {
        service_id: service_id.to_owned(),
        endpoints: vec![SupplierEndpoint {
            url: "http://supplier.example".to_owned(),
            rpc_type: RpcType::JsonRpc.into(),
            configs: Vec::new(),
        }],
        rev_share: vec![ServiceRevenueShare {
            address: address(operator),
            rev_share_percentage: 100,
        }],
    }
}

/// A chain at height 1 with params, services and funded people, minimum stakes 1,000 and a staking fee of 1.
pub(crate) fn chain(rules: Rules, people: &[&str]) -> TestChain {
    let mut chain = TestChain::new(rules);
    let stake = upokt(1_000);
    chain
        .run(|ctx| {
            shared::init_genesis(
                ctx,
                proto::pocket::shared::GenesisState {
                    params: PARAMS,
                    params_history: Vec::new(),
                },
            )?;
            application::init_genesis(
                ctx,
                proto::pocket::application::GenesisState {
                    params: proto::pocket::application::Params {
                        max_delegated_gateways: 2,
                        min_stake: stake.clone(),
                    },
                    application_list: Vec::new(),
                },
            )?;
            gateway::init_genesis(
                ctx,
                proto::pocket::gateway::GenesisState {
                    params: proto::pocket::gateway::Params {
                        min_stake: stake.clone(),
                    },
                    gateway_list: Vec::new(),
                },
            )?;
            supplier::init_genesis(
                ctx,
                proto::pocket::supplier::GenesisState {
                    params: proto::pocket::supplier::Params {
                        min_stake: stake.clone(),
                        staking_fee: upokt(1),
                    },
                    supplier_list: Vec::new(),
                },
            )?;
            session::init_genesis(
                ctx,
                proto::pocket::session::GenesisState {
                    params: proto::pocket::session::Params {
                        num_suppliers_per_session: 3,
                    },
                    params_history: Vec::new(),
                },
            )?;
            service::init_genesis(
                ctx,
                proto::pocket::service::GenesisState {
                    params: proto::pocket::service::Params {
                        add_service_fee: upokt(500),
                        target_num_relays: 100,
                    },
                    service_list: SERVICES
                        .iter()
                        .map(|id| Service {
                            id: (*id).to_owned(),
                            compute_units_per_relay: 7,
                            owner_address: address("source"),
                            ..Default::default()
                        })
                        .collect(),
                    ..Default::default()
                },
            )
        })
        .unwrap();
    for name in people {
        chain.fund(&person(name), FUNDS).unwrap();
    }
    chain
}

/// Executes a message; its events' types.
pub(crate) fn send<M: Message + Name>(
    chain: &mut TestChain,
    message: &M,
) -> Result<Vec<String>, TxError> {
    chain.run(|ctx| {
        router::execute(ctx, &M::full_name(), &message.encode_to_vec()).unwrap()?;
        let pocket = |kind: &String| kind.starts_with("pocket.");
        Ok(ctx
            .take_events()
            .into_iter()
            .map(|event| event.r#type)
            .filter(pocket)
            .collect())
    })
}

/// Runs the phases of these modules from the present height to `height`, both ends included; the events' types by height.
pub(crate) fn run_to(chain: &mut TestChain, height: i64) -> Vec<(i64, String)> {
    let mut out = Vec::new();
    while chain.block.height < height {
        out.extend(end_block(chain));
        chain.go_to(chain.block.height + 1);
        let begun = chain
            .run(|ctx| supplier::begin_block(ctx).map(|()| ctx.take_events()))
            .unwrap();
        out.extend(
            begun
                .into_iter()
                .map(|event| (chain.block.height, event.r#type)),
        );
    }
    out
}

/// Runs the end of the present block; the pocket events' types with the height.
pub(crate) fn end_block(chain: &mut TestChain) -> Vec<(i64, String)> {
    let ended = chain
        .run(|ctx| {
            session::end_block(ctx)?;
            gateway::end_block(ctx)?;
            application::end_block(ctx)?;
            supplier::end_block(ctx)?;
            shared::end_block(ctx)?;
            Ok::<_, ChainError>(ctx.take_events())
        })
        .unwrap();
    let pocket = ended
        .into_iter()
        .map(|event| event.r#type)
        .filter(|kind| kind.starts_with("pocket."));
    pocket.map(|kind| (chain.block.height, kind)).collect()
}

/// The upokt of a person.
pub(crate) fn balance(chain: &TestChain, name: &str) -> u128 {
    chain.read(|ctx| bank::balance(ctx, &person(name), "upokt").unwrap())
}
