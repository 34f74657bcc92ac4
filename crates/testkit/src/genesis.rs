//! The genesis of a test's network: everyone staked, every public key known, short windows, every claim proven.

use anyhow::{Context as _, Result};
use chain::genesis::GenesisBuilder;
use crypto::keys::{Address, SecretKey};
use proto::cosmos::base::v1beta1::Coin;
use proto::pocket::{application, gateway, shared};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::network::Keys;
use crate::plan::Plan;

/// What an actor has on top of its stake.
const BALANCE_UPOKT: u128 = 1_000_000_000;

/// Stake of suppliers and of the gateway.
const STAKE_UPOKT: u128 = 1_000_000_000;

/// The document as JSON; `addrs` are those that the suppliers stake, by index.
pub(crate) fn build(plan: &Plan, chain_id: &str, keys: &Keys, addrs: &[String]) -> Result<String> {
    let now = OffsetDateTime::now_utc()
        .format(&Rfc3339)
        .context("the clock")?;
    let mut genesis = GenesisBuilder::new(chain_id, now);
    let gateway = account(&mut genesis, &keys.gateway);
    genesis.gateway.gateway_list.push(gateway::Gateway {
        address: gateway.to_bech32(),
        stake: Some(upokt(STAKE_UPOKT)),
        ..Default::default()
    });
    let dao = account(&mut genesis, &keys.dao);
    genesis.tokenomics.params.dao_reward_address = dao.to_bech32();
    for service in &plan.services {
        let application = &keys.applications[&service.id];
        let application = account(&mut genesis, application).to_bech32();
        genesis.service.service_list.push(shared::Service {
            id: service.id.clone(),
            name: service.id.clone(),
            compute_units_per_relay: service.compute_units,
            owner_address: dao.to_bech32(),
            metadata: None,
        });
        let record = application::Application {
            address: application,
            stake: Some(upokt(service.application_stake_upokt)),
            service_configs: vec![shared::ApplicationServiceConfig {
                service_id: service.id.clone(),
            }],
            delegatee_gateway_addresses: vec![gateway.to_bech32()],
            ..Default::default()
        };
        genesis.application.application_list.push(record);
    }
    for ((supplier, key), addr) in plan.suppliers.iter().zip(&keys.operators).zip(addrs) {
        let operator = account(&mut genesis, key).to_bech32();
        let record = staked(&operator, &supplier.services, addr);
        genesis.supplier.supplier_list.push(record);
    }
    parameters(&mut genesis);
    Ok(genesis.build()?.to_json()?)
}

fn account(genesis: &mut GenesisBuilder, key: &SecretKey) -> Address {
    let key = key.public();
    genesis.account(key.address(), Some(key), BALANCE_UPOKT);
    key.address()
}

fn staked(operator: &str, services: &[String], addr: &str) -> shared::Supplier {
    let config = |id: &String| shared::SupplierServiceConfig {
        service_id: id.clone(),
        endpoints: vec![shared::SupplierEndpoint {
            url: format!("http://{addr}"),
            rpc_type: shared::RpcType::Rest.into(),
            configs: Vec::new(),
        }],
        rev_share: vec![shared::ServiceRevenueShare {
            address: operator.to_owned(),
            rev_share_percentage: 100,
        }],
    };
    let update = |config: &shared::SupplierServiceConfig| shared::ServiceConfigUpdate {
        operator_address: operator.to_owned(),
        service: Some(config.clone()),
        activation_height: 1,
        deactivation_height: 0,
    };
    let services: Vec<_> = services.iter().map(config).collect();
    shared::Supplier {
        owner_address: operator.to_owned(),
        operator_address: operator.to_owned(),
        stake: Some(upokt(STAKE_UPOKT)),
        service_config_history: services.iter().map(update).collect(),
        services,
        unstake_session_end_height: 0,
    }
}

fn parameters(genesis: &mut GenesisBuilder) {
    let shared = &mut genesis.shared.params;
    shared.num_blocks_per_session = 10;
    shared.grace_period_end_offset_blocks = 1;
    shared.claim_window_open_offset_blocks = 1;
    shared.claim_window_close_offset_blocks = 8;
    shared.proof_window_open_offset_blocks = 1;
    shared.proof_window_close_offset_blocks = 8;
    shared.supplier_unbonding_period_sessions = 4;
    shared.application_unbonding_period_sessions = 4;
    shared.gateway_unbonding_period_sessions = 4;
    shared.compute_units_to_tokens_multiplier = 1_000_000;
    shared.compute_unit_cost_granularity = 1_000_000;
    // Poor applications stay, however little is left.
    genesis.application.params.min_stake = Some(upokt(1));
    genesis.session.params.num_suppliers_per_session = 3;
    genesis.proof.params.proof_request_probability = 1.0;
    genesis.proof.params.proof_missing_penalty = Some(upokt(1_000_000));
    genesis.tokenomics.params.global_inflation_per_claim = 0.0;
}

fn upokt(amount: u128) -> Coin {
    Coin {
        denom: "upokt".to_owned(),
        amount: amount.to_string(),
    }
}
