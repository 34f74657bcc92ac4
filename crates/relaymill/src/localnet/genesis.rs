//! The genesis of a local network: every actor staked, every public key known, prices small.

use anyhow::{Context as _, Result};
use chain::genesis::GenesisBuilder;
use crypto::keys::Address;
use proto::cosmos::base::v1beta1::Coin;
use proto::pocket::{application, gateway, shared};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::plan::{Plan, ServicePlan};
use crate::cli::Genesis;

/// What an actor starts with, in upokt, on top of its stake.
const BALANCE_UPOKT: u128 = 1_000_000_000;

/// An application's stake. A relay of the larger model costs 400 upokt; a supplier may serve a 9th of the stake in a
/// session (three suppliers a session, three unsettled sessions), so 10,000 relays fit 277 times over, and a demo does
/// not run dry.
const APPLICATION_STAKE_UPOKT: u128 = 10_000_000_000;

/// A supplier's stake.
const SUPPLIER_STAKE_UPOKT: u128 = 1_000_000_000;

/// The gateway's stake.
const GATEWAY_STAKE_UPOKT: u128 = 1_000_000;

/// What the node's validator has bonded: it alone decides about blocks, so the amount only must be above the least power.
const VALIDATOR_STAKE_UPOKT: u128 = 1_000_000_000;

/// Names of keys that are nobody's role: the treasury, which may change the params too, and one to send transactions with.
const OTHERS: [&str; 2] = ["dao", "faucet"];

/// The document as JSON.
pub(super) fn build(plan: &Plan, overrides: &[String]) -> Result<String> {
    let now = OffsetDateTime::now_utc()
        .format(&Rfc3339)
        .context("the clock")?;
    let mut genesis = GenesisBuilder::new(plan.state.chain_id.clone(), now);
    let gateway_address = account(plan, &mut genesis, "gateway")?;
    genesis.gateway.gateway_list.push(gateway::Gateway {
        address: gateway_address.to_bech32(),
        stake: Some(upokt(GATEWAY_STAKE_UPOKT)),
        ..Default::default()
    });
    for name in OTHERS {
        let address = account(plan, &mut genesis, name)?;
        if name == "dao" {
            genesis.tokenomics.params.dao_reward_address = address.to_bech32();
            genesis.authority(address);
        }
    }
    for service in plan.services() {
        add_service(plan, &mut genesis, &service, &gateway_address)?;
    }
    let operator = account(plan, &mut genesis, "validator")?;
    let consensus = plan.validator_key()?;
    genesis.validator("localnet", operator, consensus, VALIDATOR_STAKE_UPOKT);
    parameters(&mut genesis);
    let document = genesis.build()?.to_json()?;
    with_overrides(document, overrides)
}

fn account(plan: &Plan, genesis: &mut GenesisBuilder, name: &str) -> Result<Address> {
    let key = plan.key(name)?.public();
    genesis.account(key.address(), Some(key), BALANCE_UPOKT);
    Ok(key.address())
}

fn add_service(
    plan: &Plan,
    genesis: &mut GenesisBuilder,
    service: &ServicePlan,
    gateway: &Address,
) -> Result<()> {
    let source = account(plan, genesis, &service.source)?;
    genesis.service.service_list.push(shared::Service {
        id: service.id.clone(),
        name: service.id.clone(),
        compute_units_per_relay: service.compute_units,
        owner_address: source.to_bech32(),
        metadata: None,
    });
    let application = account(plan, genesis, &service.application)?;
    genesis
        .application
        .application_list
        .push(application::Application {
            address: application.to_bech32(),
            stake: Some(upokt(APPLICATION_STAKE_UPOKT)),
            service_configs: vec![shared::ApplicationServiceConfig {
                service_id: service.id.clone(),
            }],
            delegatee_gateway_addresses: vec![gateway.to_bech32()],
            ..Default::default()
        });
    for number in &service.suppliers {
        let operator = account(plan, genesis, &format!("supplier-{number}"))?.to_bech32();
        let config = shared::SupplierServiceConfig {
            service_id: service.id.clone(),
            endpoints: vec![shared::SupplierEndpoint {
                url: format!("http://{}", plan.supplier_addr(*number)),
                rpc_type: shared::RpcType::Rest.into(),
                configs: Vec::new(),
            }],
            rev_share: vec![shared::ServiceRevenueShare {
                address: operator.clone(),
                rev_share_percentage: 100,
            }],
        };
        genesis.supplier.supplier_list.push(shared::Supplier {
            owner_address: operator.clone(),
            operator_address: operator.clone(),
            stake: Some(upokt(SUPPLIER_STAKE_UPOKT)),
            services: vec![config.clone()],
            unstake_session_end_height: 0,
            service_config_history: vec![shared::ServiceConfigUpdate {
                operator_address: operator,
                service: Some(config),
                activation_height: 1,
                deactivation_height: 0,
            }],
        });
    }
    Ok(())
}

/// Sessions of ten blocks with wide windows, one upokt a compute unit, every claim proven, no inflation.
pub(crate) fn parameters(genesis: &mut GenesisBuilder) {
    let shared = &mut genesis.shared.params;
    shared.num_blocks_per_session = 10;
    shared.grace_period_end_offset_blocks = 1;
    shared.claim_window_open_offset_blocks = 1;
    shared.claim_window_close_offset_blocks = 8;
    shared.proof_window_open_offset_blocks = 1;
    shared.proof_window_close_offset_blocks = 8;
    shared.supplier_unbonding_period_sessions = 2;
    shared.application_unbonding_period_sessions = 2;
    shared.gateway_unbonding_period_sessions = 2;
    shared.compute_units_to_tokens_multiplier = 1_000_000;
    shared.compute_unit_cost_granularity = 1_000_000;
    genesis.session.params.num_suppliers_per_session = 3;
    genesis.proof.params.proof_request_probability = 1.0;
    genesis.proof.params.proof_missing_penalty = Some(upokt(1_000_000));
    genesis.tokenomics.params.global_inflation_per_claim = 0.0;
}

/// Applies `module.name=value` to the parameters of the document.
pub(crate) fn with_overrides(document: String, overrides: &[String]) -> Result<String> {
    if overrides.is_empty() {
        return Ok(document);
    }
    let mut genesis = Genesis::parse(&document)?;
    for text in overrides {
        genesis.set_param(text).context("--param")?;
    }
    genesis.text()
}

fn upokt(amount: u128) -> Coin {
    Coin {
        denom: "upokt".to_owned(),
        amount: amount.to_string(),
    }
}
