//! A small state with everything that a claim touches, built from the modules' own genesis.

use std::collections::BTreeMap;
use std::fs;
use std::sync::OnceLock;

use crypto::keys::{Address, PublicKey};
use prost::Message as _;
use proto::cosmos::auth::v1beta1::BaseAccount;
use proto::pocket::application::Application;
use proto::pocket::proof::Claim;
use proto::pocket::session::SessionHeader;
use proto::pocket::shared::{
    ApplicationServiceConfig, Params as SharedParams, RpcType, Service, ServiceConfigUpdate,
    ServiceRevenueShare, Supplier, SupplierEndpoint, SupplierServiceConfig,
};
use serde_json::Value;

use crate::auth::{self, Account};
use crate::bank;
use crate::context::Context;
use crate::error::{ChainError, TxError};
use crate::modules::proof::state;
use crate::modules::shared::{address, coin};
use crate::modules::{application, proof, service, session, shared, supplier, tokenomics};
use crate::router;
use crate::rules::Rules;
use crate::testing::TestChain;

/// A vector file, read once.
pub(crate) fn poktroll() -> &'static Value {
    static FILE: OnceLock<Value> = OnceLock::new();
    FILE.get_or_init(|| read("poktroll-vectors.json"))
}

/// The other vector file, read once.
pub(crate) fn relay_protocol() -> &'static Value {
    static FILE: OnceLock<Value> = OnceLock::new();
    FILE.get_or_init(|| read("relay-protocol-vectors.json"))
}

fn read(name: &str) -> Value {
    let path = format!("{}/../../tests/vectors/{name}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// The elements of an array, of which there must be at least one.
pub(crate) fn list(value: &Value) -> &[Value] {
    let list = value
        .as_array()
        .unwrap_or_else(|| panic!("not a list: {value}"));
    assert!(!list.is_empty());
    list
}

pub(crate) fn text(value: &Value) -> &str {
    value
        .as_str()
        .unwrap_or_else(|| panic!("not a text: {value}"))
}

pub(crate) fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(text(value)).unwrap()
}

/// A number, written as one or as text.
pub(crate) fn number<T: std::str::FromStr<Err: std::fmt::Debug>>(value: &Value) -> T {
    match value {
        Value::String(text) => text.parse().unwrap(),
        other => other.to_string().parse().unwrap(),
    }
}

/// An event: type and attributes.
pub(crate) type Seen = (String, Vec<(String, String)>);

/// The events of a vector.
pub(crate) fn expected_events(events: &Value) -> Vec<Seen> {
    let read = |event: &Value| {
        let attributes = event["attributes"].as_array().unwrap().iter();
        let pair = |pair: &Value| (text(&pair[0]).to_owned(), text(&pair[1]).to_owned());
        (
            text(&event["type"]).to_owned(),
            attributes.map(pair).collect(),
        )
    };
    events.as_array().into_iter().flatten().map(read).collect()
}

/// Takes the typed events out of a context.
pub(crate) fn typed_events(ctx: &mut Context<'_>) -> Vec<Seen> {
    let typed = ctx
        .take_events()
        .into_iter()
        .filter(|event| event.r#type.starts_with("pocket."));
    typed
        .map(|event| {
            let attributes = event
                .attributes
                .into_iter()
                .map(|pair| (pair.key, pair.value));
            (event.r#type, attributes.collect())
        })
        .collect()
}

/// Params as on MainNet: sessions of 20 blocks, windows 11/10/1/10.
pub(crate) fn main_net_params() -> SharedParams {
    SharedParams {
        num_blocks_per_session: 20,
        grace_period_end_offset_blocks: 10,
        claim_window_open_offset_blocks: 11,
        claim_window_close_offset_blocks: 10,
        proof_window_open_offset_blocks: 1,
        proof_window_close_offset_blocks: 10,
        supplier_unbonding_period_sessions: 1429,
        application_unbonding_period_sessions: 3,
        compute_units_to_tokens_multiplier: 145_990,
        gateway_unbonding_period_sessions: 3,
        compute_unit_cost_granularity: 1_000_000,
        session_grid_anchor_height: 1,
        session_number_at_anchor: 1,
    }
}

/// Params of `proof`.
pub(crate) fn proof_params(
    probability: f64,
    threshold: u128,
    penalty: u128,
    fee: u128,
) -> proto::pocket::proof::Params {
    proto::pocket::proof::Params {
        proof_request_probability: probability,
        proof_requirement_threshold: Some(coin::upokt(threshold)),
        proof_missing_penalty: Some(coin::upokt(penalty)),
        proof_submission_fee: Some(coin::upokt(fee)),
    }
}

/// Params of `tokenomics` as on MainNet, for a DAO.
pub(crate) fn tokenomics_params(dao: &str) -> proto::pocket::tokenomics::Params {
    use proto::pocket::tokenomics::{MintAllocationPercentages, MintEqualsBurnClaimDistribution};
    proto::pocket::tokenomics::Params {
        dao_reward_address: dao.to_owned(),
        mint_allocation_percentages: MintAllocationPercentages {
            dao: 0.1,
            proposer: 0.0,
            supplier: 0.8,
            source_owner: 0.1,
            application: 0.0,
        },
        global_inflation_per_claim: 1e-6,
        mint_equals_burn_claim_distribution: MintEqualsBurnClaimDistribution {
            dao: 0.045,
            proposer: 0.14,
            supplier: 0.79,
            source_owner: 0.025,
            application: 0.0,
        },
        mint_ratio: 0.975,
        overservicing_bonus_multiplier: 1,
    }
}

/// An address made from a name.
pub(crate) fn person(name: &str) -> String {
    Address::module(name).to_bech32()
}

pub(crate) fn parse(address: &str) -> Address {
    address::parse(address).unwrap()
}

/// What the genesis of a world holds. Stakes are backed by coins of the modules' accounts.
pub(crate) struct World {
    pub(crate) shared: SharedParams,
    pub(crate) proof: proto::pocket::proof::Params,
    pub(crate) tokenomics: proto::pocket::tokenomics::Params,
    pub(crate) target_num_relays: u64,
    pub(crate) application_min_stake: u128,
    pub(crate) supplier_min_stake: u128,
    pub(crate) services: Vec<Service>,
    pub(crate) applications: Vec<Application>,
    pub(crate) suppliers: Vec<Supplier>,
}

impl World {
    /// Params as on MainNet, without actors.
    pub(crate) fn new() -> Self {
        Self {
            shared: main_net_params(),
            proof: proof_params(0.01, 100, 1, 1),
            tokenomics: tokenomics_params(&person("the dao")),
            target_num_relays: 100_000,
            application_min_stake: 1,
            supplier_min_stake: 1,
            services: Vec::new(),
            applications: Vec::new(),
            suppliers: Vec::new(),
        }
    }

    pub(crate) fn service(&mut self, id: &str, compute_units_per_relay: u64, owner: &str) {
        self.services.push(Service {
            id: id.to_owned(),
            name: id.to_owned(),
            compute_units_per_relay,
            owner_address: owner.to_owned(),
            metadata: None,
        });
    }

    pub(crate) fn application(
        &mut self,
        address: &str,
        service: &str,
        stake: u128,
    ) -> &mut Application {
        self.applications.push(Application {
            address: address.to_owned(),
            stake: Some(coin::upokt(stake)),
            service_configs: vec![ApplicationServiceConfig {
                service_id: service.to_owned(),
            }],
            ..Default::default()
        });
        self.applications.last_mut().unwrap()
    }

    /// A supplier of a service from height 1 on; shares are addresses and percentages.
    pub(crate) fn supplier(
        &mut self,
        operator: &str,
        owner: &str,
        service: &str,
        shares: &[(String, u64)],
        stake: u128,
    ) -> &mut Supplier {
        let shares = shares
            .iter()
            .map(|(address, percentage)| ServiceRevenueShare {
                address: address.clone(),
                rev_share_percentage: *percentage,
            });
        let endpoint = SupplierEndpoint {
            url: "http://x.example".to_owned(),
            rpc_type: RpcType::JsonRpc.into(),
            configs: Vec::new(),
        };
        self.suppliers.push(Supplier {
            owner_address: owner.to_owned(),
            operator_address: operator.to_owned(),
            stake: Some(coin::upokt(stake)),
            service_config_history: vec![ServiceConfigUpdate {
                operator_address: operator.to_owned(),
                service: Some(SupplierServiceConfig {
                    service_id: service.to_owned(),
                    endpoints: vec![endpoint],
                    rev_share: shares.collect(),
                }),
                activation_height: 1,
                deactivation_height: 0,
            }],
            ..Default::default()
        });
        self.suppliers.last_mut().unwrap()
    }

    /// The chain at height 1.
    pub(crate) fn start(self, rules: Rules) -> TestChain {
        let mut chain = TestChain::new(rules);
        let backed = |stake: &Option<proto::cosmos::base::v1beta1::Coin>| {
            coin::stored(stake.as_ref()).unwrap()
        };
        let staked = self
            .applications
            .iter()
            .map(|app| backed(&app.stake))
            .sum::<u128>();
        let supplied = self
            .suppliers
            .iter()
            .map(|supplier| backed(&supplier.stake))
            .sum::<u128>();
        chain
            .run(|ctx| {
                bank::mint(ctx, application::MODULE, &[coin::upokt(staked)])?;
                bank::mint(ctx, supplier::MODULE, &[coin::upokt(supplied)])
            })
            .unwrap();
        let min = |amount| Some(coin::upokt(amount));
        chain
            .run(|ctx| {
                shared::init_genesis(
                    ctx,
                    proto::pocket::shared::GenesisState {
                        params: self.shared,
                        params_history: vec![],
                    },
                )?;
                service::init_genesis(
                    ctx,
                    proto::pocket::service::GenesisState {
                        params: proto::pocket::service::Params {
                            add_service_fee: min(1),
                            target_num_relays: self.target_num_relays,
                        },
                        service_list: self.services,
                        ..Default::default()
                    },
                )?;
                application::init_genesis(
                    ctx,
                    proto::pocket::application::GenesisState {
                        params: proto::pocket::application::Params {
                            max_delegated_gateways: 7,
                            min_stake: min(self.application_min_stake),
                        },
                        application_list: self.applications,
                    },
                )?;
                supplier::init_genesis(
                    ctx,
                    proto::pocket::supplier::GenesisState {
                        params: proto::pocket::supplier::Params {
                            min_stake: min(self.supplier_min_stake),
                            staking_fee: min(1),
                        },
                        supplier_list: self.suppliers,
                    },
                )?;
                session::init_genesis(
                    ctx,
                    proto::pocket::session::GenesisState {
                        params: proto::pocket::session::Params {
                            num_suppliers_per_session: 50,
                        },
                        params_history: vec![],
                    },
                )?;
                proof::init_genesis(
                    ctx,
                    proto::pocket::proof::GenesisState {
                        params: self.proof,
                        ..Default::default()
                    },
                )?;
                tokenomics::init_genesis(
                    ctx,
                    proto::pocket::tokenomics::GenesisState {
                        params: self.tokenomics,
                    },
                )
            })
            .unwrap();
        chain
    }
}

/// Ends the block at a height with a hash.
pub(crate) fn block_hash(chain: &mut TestChain, height: i64, hash: &[u8]) {
    chain.go_to(height);
    chain.block.hash = hash.to_vec();
    chain.run(session::end_block).unwrap();
}

/// Gives an account a public key.
pub(crate) fn public_key(chain: &mut TestChain, key: Option<&PublicKey>, address: &str) {
    let account = BaseAccount {
        address: address.to_owned(),
        pub_key: key.map(auth::encode_public_key),
        ..Default::default()
    };
    chain
        .run(|ctx| {
            auth::save_account(ctx, &parse(address), &Account::Base(account));
            Ok::<_, ChainError>(())
        })
        .unwrap();
}

/// Executes a message and gives its typed events.
pub(crate) fn execute(
    chain: &mut TestChain,
    name: &str,
    message: &[u8],
) -> Result<Vec<Seen>, TxError> {
    chain.run(|ctx| {
        router::execute(ctx, name, message).unwrap()?;
        Ok(typed_events(ctx))
    })
}

/// Stores a claim as it is.
pub(crate) fn put_claim(chain: &mut TestChain, claim: &Claim) {
    chain.run(|ctx| state::save_claim(ctx, claim)).unwrap();
}

/// A claim of so many relays of so many compute units, in a session that is only named.
pub(crate) fn claim_of(
    header: &SessionHeader,
    operator: &str,
    relays: u64,
    units: u64,
    status: i32,
) -> Claim {
    let mut root = crypto::hash::sha256(format!("{operator}{relays}").as_bytes()).to_vec();
    root.extend_from_slice(&relays.wrapping_mul(units).to_be_bytes());
    root.extend_from_slice(&relays.to_be_bytes());
    Claim {
        supplier_operator_address: operator.to_owned(),
        session_header: Some(header.clone()),
        root_hash: root.into(),
        proof_validation_status: status,
    }
}

/// Balances of everybody and the supply.
pub(crate) fn balances(chain: &TestChain) -> BTreeMap<String, u128> {
    chain.read(|ctx| {
        let mut out = BTreeMap::new();
        for pair in ctx.iter(bank::keys::BALANCES) {
            let (key, value) = pair.unwrap();
            let (address, _) = key
                .strip_prefix(bank::keys::BALANCES)
                .unwrap()
                .split_at_checked(20)
                .unwrap();
            let address = Address(address.try_into().unwrap());
            out.insert(
                address.to_bech32(),
                u128::from_be_bytes(value.try_into().unwrap()),
            );
        }
        out.insert("supply".to_owned(), bank::supply(ctx, bank::UPOKT).unwrap());
        out
    })
}

/// Decodes a vector's message.
pub(crate) fn message<M: prost::Message + Default>(value: &Value) -> M {
    M::decode(bytes(value).as_slice()).unwrap()
}

/// The session header of the end-to-end example.
pub(crate) fn example_header() -> SessionHeader {
    let relay = proto::pocket::service::Relay::decode(
        bytes(&relay_protocol()["end_to_end"]["relay"]["relay_dehydrated"]).as_slice(),
    )
    .unwrap();
    relay.req.unwrap().meta.session_header.unwrap()
}
