//! A network of any size, written into the state between two blocks.

use std::path::Path;

use chain::auth;
use chain::context::{BlockInfo, BlockTime, Context, Mode};
use chain::genesis::GenesisBuilder;
use chain::modules::{application, service, session, supplier};
use chain::store::{Disk, Store};
use chain::{Application, Options, Rules, bank};
use crypto::keys::{Address, SecretKey};
use proto::pocket::application::Application as App;
use proto::pocket::session::SessionHeader;
use proto::pocket::shared::{
    ApplicationServiceConfig, RpcType, Service, ServiceRevenueShare, Supplier, SupplierEndpoint,
    SupplierServiceConfig,
};
use protocol::height::Height;
use protocol::session::{session_id, session_preimage};
use tendermint_proto::google::protobuf::Timestamp;
use tendermint_proto::v0_38::abci::{RequestFinalizeBlock, ResponseFinalizeBlock};

pub(crate) const CHAIN_ID: &str = "relaymill-bench";
const START: i64 = 1_700_000_000;

/// Compute units of a relay.
pub(crate) const WEIGHT: u64 = 1_000;

/// The only session in question: blocks 1 to 10, claims 12 to 16, proofs 16 to 20, settlement 20.
pub(crate) const SESSION_END: i64 = 10;
/// Block whose hash is the challenge of its proofs.
pub(crate) const SEED_BLOCK: i64 = 15;
/// Block that settles it.
pub(crate) const SETTLEMENT: i64 = 20;

pub(crate) fn key(name: &str) -> SecretKey {
    SecretKey::from_bytes(&crypto::hash::sha256(name.as_bytes())).unwrap()
}

/// Addresses without keys are enough where nobody signs.
pub(crate) fn address(name: &str) -> Address {
    Address::module(name)
}

/// Hash of a block.
pub(crate) fn hash(height: i64) -> Vec<u8> {
    crypto::hash::sha256(&height.to_be_bytes()).to_vec()
}

/// The header of the session of an application, as on chain.
pub(crate) fn header(app: &str, service_id: &str) -> SessionHeader {
    let preimage = session_preimage(&hash(1), service_id, app, Height(1));
    SessionHeader {
        application_address: app.to_owned(),
        service_id: service_id.to_owned(),
        session_id: session_id(&preimage).to_string(),
        session_start_block_height: 1,
        session_end_block_height: SESSION_END,
    }
}

/// A chain with default params after block 1.
pub(crate) fn start(directory: &Path, change: impl FnOnce(&mut GenesisBuilder)) {
    let mut builder = GenesisBuilder::new(CHAIN_ID, "2023-11-14T22:13:20Z");
    builder.account(address("anybody"), None, 1_000_000);
    change(&mut builder);
    let document = builder.build().unwrap();
    let mut application = Application::open(directory, Options::default()).unwrap();
    let genesis = document.init_chain(Vec::new()).unwrap();
    application.init_chain(&genesis).unwrap();
    execute(&mut application, 1, Vec::new());
    application.commit().unwrap();
}

/// Writes the next block by hand.
pub(crate) fn write(directory: &Path, f: impl FnOnce(&mut Context)) {
    let disk = Disk::open(directory, 0).unwrap();
    let last = disk.last().unwrap().unwrap().block;
    let height = last.height + 1;
    let block = BlockInfo {
        chain_id: CHAIN_ID.to_owned(),
        height,
        time: BlockTime {
            seconds: START + height,
            nanos: 0,
        },
        hash: hash(height),
        proposer: Vec::new(),
    };
    let view = disk.snapshot(last.height).unwrap();
    let mut ctx = Context::new(&view, block.clone(), Rules::mended(), Mode::Genesis);
    f(&mut ctx);
    session::end_block(&mut ctx).unwrap();
    let batch = disk.apply(height, ctx.into_changes()).unwrap();
    disk.commit(&batch, &block).unwrap();
}

/// Executes a block; the caller commits.
pub(crate) fn execute(
    application: &mut Application,
    height: i64,
    txs: Vec<Vec<u8>>,
) -> ResponseFinalizeBlock {
    let request = RequestFinalizeBlock {
        txs: txs.into_iter().map(Into::into).collect(),
        hash: hash(height).into(),
        height,
        time: Some(Timestamp {
            seconds: START + height,
            nanos: 0,
        }),
        proposer_address: vec![9; 20].into(),
        ..Default::default()
    };
    application.finalize_block(&request).unwrap()
}

/// Executes and commits empty blocks from the next one to `height`.
pub(crate) fn run_to(application: &mut Application, height: i64) {
    let (last, _) = application.last().unwrap().unwrap();
    for height in last + 1..=height {
        execute(application, height, Vec::new());
        application.commit().unwrap();
    }
}

pub(crate) fn put_services(ctx: &mut Context, services: &[String]) {
    let params = service::params(ctx).unwrap();
    let service_list = services.iter().map(|id| Service {
        id: id.clone(),
        compute_units_per_relay: WEIGHT,
        owner_address: address("source").to_bech32(),
        ..Default::default()
    });
    let genesis = proto::pocket::service::GenesisState {
        params,
        service_list: service_list.collect(),
        ..Default::default()
    };
    service::init_genesis(ctx, genesis).unwrap();
}

/// Applications, each with its service and 10^12 upokt.
pub(crate) fn put_applications(ctx: &mut Context, apps: &[(String, String)]) {
    let params = application::params(ctx).unwrap();
    let stake = 1_000_000_000_000_u128;
    let record = |(app, service_id): &(String, String)| App {
        address: app.clone(),
        stake: Some(bank::upokt(stake)),
        service_configs: vec![ApplicationServiceConfig {
            service_id: service_id.clone(),
        }],
        ..Default::default()
    };
    let genesis = proto::pocket::application::GenesisState {
        params,
        application_list: apps.iter().map(record).collect(),
    };
    application::init_genesis(ctx, genesis).unwrap();
    let coins = [bank::upokt(stake * apps.len() as u128)];
    bank::mint(ctx, application::MODULE, &coins).unwrap();
}

/// Suppliers, each with its service, serving since height 1; a fifth of the revenue goes to the owner.
pub(crate) fn put_suppliers(ctx: &mut Context, suppliers: &[(String, String)]) {
    let params = supplier::params(ctx).unwrap();
    let stake = 1_000_000_000_u128;
    let share = |address: String, rev_share_percentage| ServiceRevenueShare {
        address,
        rev_share_percentage,
    };
    let owner = address("owner").to_bech32();
    let record = |(operator, service_id): &(String, String)| Supplier {
        owner_address: owner.clone(),
        operator_address: operator.clone(),
        stake: Some(bank::upokt(stake)),
        services: vec![SupplierServiceConfig {
            service_id: service_id.clone(),
            endpoints: vec![SupplierEndpoint {
                url: "http://supplier.example:8080".to_owned(),
                rpc_type: RpcType::JsonRpc.into(),
                configs: Vec::new(),
            }],
            rev_share: vec![share(operator.clone(), 80), share(owner.clone(), 20)],
        }],
        ..Default::default()
    };
    let genesis = proto::pocket::supplier::GenesisState {
        params,
        supplier_list: suppliers.iter().map(record).collect(),
    };
    supplier::init_genesis(ctx, genesis).unwrap();
    let coins = [bank::upokt(stake * suppliers.len() as u128)];
    bank::mint(ctx, supplier::MODULE, &coins).unwrap();
}

/// Makes an account with a key and some coins; gives its number.
pub(crate) fn put_account(ctx: &mut Context, key: &SecretKey) -> u64 {
    let address = key.public().address();
    auth::ensure_account(ctx, &address).unwrap();
    let mut account = auth::account(ctx, &address).unwrap().unwrap();
    let base = account.base_mut().unwrap();
    base.pub_key = Some(auth::encode_public_key(&key.public()));
    let number = base.account_number;
    auth::save_account(ctx, &address, &account);
    let coins = [bank::upokt(1_000_000_000)];
    bank::mint(ctx, "tokenomics", &coins).unwrap();
    bank::module_to_account(ctx, "tokenomics", &address, &coins).unwrap();
    number
}

/// A network whose applications all have as many suppliers as sessions have places.
pub(crate) struct Network {
    pub(crate) services: Vec<String>,
    /// Application and service.
    pub(crate) apps: Vec<(String, String)>,
    /// Operator and service.
    pub(crate) suppliers: Vec<(String, String)>,
}

/// Suppliers of a session.
const PLACES: usize = 50;
/// Applications of a service.
const APPS: usize = 20;

impl Network {
    /// With so many pairs of application and supplier, a multiple of 1,000.
    pub(crate) fn of(pairs: usize, name: impl Fn(String) -> String) -> Self {
        let services: Vec<String> = (0..pairs / (PLACES * APPS))
            .map(|index| format!("service-{index}"))
            .collect();
        let named = |role: &'static str, of_service: usize| {
            let pairs = services.iter().flat_map(move |service| {
                (0..of_service)
                    .map(move |index| (format!("{role} {index} {service}"), service.clone()))
            });
            pairs.collect::<Vec<_>>()
        };
        let renamed = |list: Vec<(String, String)>| {
            let list = list.into_iter();
            list.map(|(actor, service)| (name(actor), service))
                .collect()
        };
        Self {
            apps: renamed(named("app", APPS)),
            suppliers: renamed(named("supplier", PLACES)),
            services,
        }
    }

    /// Every application with every supplier of its service.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        let by_service = self.suppliers.chunks(PLACES);
        self.apps
            .chunks(APPS)
            .zip(by_service)
            .flat_map(|(apps, suppliers)| {
                apps.iter().flat_map(move |(app, service)| {
                    let with = suppliers.iter();
                    with.map(move |(operator, _)| {
                        (app.as_str(), service.as_str(), operator.as_str())
                    })
                })
            })
    }

    pub(crate) fn put(&self, ctx: &mut Context) {
        put_services(ctx, &self.services);
        put_applications(ctx, &self.apps);
        put_suppliers(ctx, &self.suppliers);
    }
}
