//! The recording replayed through the six modules of actors, from genesis to its last block.
//!
//! Settlement is not replayed here: its effects on applications, suppliers and difficulties are taken from its recorded
//! events, so that everything else (messages, phases, events, all queries of these modules at every recorded height) is
//! computed and compared.

use std::collections::{BTreeMap, BTreeSet};

use prost::Message;
use prost_types::Any;
use proto::cosmos::authz::v1beta1::MsgExec;
use proto::pocket::service::RelayMiningDifficulty;
use proto::pocket::session::QueryGetSessionResponse;

use super::recording::{self, Block, Event, Query, Tx};
use crate::context::Context;
use crate::error::{ChainError, TxError};
use crate::modules::shared::{address, coin, grid};
use crate::modules::{application, gateway, service, session, shared, supplier};
use crate::rules::Rules;
use crate::testing::TestChain;
use crate::{bank, router};

const MODULES: [&str; 6] = [
    "application",
    "gateway",
    "supplier",
    "service",
    "session",
    "shared",
];

/// Loads the sections of the six modules.
fn load(chain: &mut TestChain, state: &serde_json::Value) {
    let read = |name: &str| &state[name];
    let section = proto::json::from_json(read("service")).unwrap();
    chain
        .run(|ctx| service::init_genesis(ctx, section))
        .unwrap();
    let section = proto::json::from_json(read("gateway")).unwrap();
    chain
        .run(|ctx| gateway::init_genesis(ctx, section))
        .unwrap();
    let section = proto::json::from_json(read("application")).unwrap();
    chain
        .run(|ctx| application::init_genesis(ctx, section))
        .unwrap();
    let section = proto::json::from_json(read("supplier")).unwrap();
    chain
        .run(|ctx| supplier::init_genesis(ctx, section))
        .unwrap();
    let section = proto::json::from_json(read("session")).unwrap();
    chain
        .run(|ctx| session::init_genesis(ctx, section))
        .unwrap();
    let section = proto::json::from_json(read("shared")).unwrap();
    chain.run(|ctx| shared::init_genesis(ctx, section)).unwrap();
}

/// Writes the sections of the six modules, each with its name.
fn exported(chain: &TestChain) -> BTreeMap<&'static str, serde_json::Value> {
    let json =
        |text: Result<String, proto::ProtoError>| serde_json::from_str(&text.unwrap()).unwrap();
    chain.read(|ctx| {
        BTreeMap::from([
            (
                "service",
                json(proto::json::to_json(&service::export_genesis(ctx).unwrap())),
            ),
            (
                "gateway",
                json(proto::json::to_json(&gateway::export_genesis(ctx).unwrap())),
            ),
            (
                "application",
                json(proto::json::to_json(
                    &application::export_genesis(ctx).unwrap(),
                )),
            ),
            (
                "supplier",
                json(proto::json::to_json(
                    &supplier::export_genesis(ctx).unwrap(),
                )),
            ),
            (
                "session",
                json(proto::json::to_json(&session::export_genesis(ctx).unwrap())),
            ),
            (
                "shared",
                json(proto::json::to_json(&shared::export_genesis(ctx).unwrap())),
            ),
        ])
    })
}

/// Compares the answer to a recorded query; text of the difference, if any.
fn differs(chain: &TestChain, query: &Query) -> Option<String> {
    let request = hex::decode(&query.request_hex).unwrap();
    let answer = chain.read(|ctx| router::query(ctx, &query.method, &request));
    let subject = format!(
        "{} at {:?}: {}",
        query.method, query.height, query.request_hex
    );
    match answer {
        Ok(bytes) if query.grpc_code == 0 => {
            let got = hex::encode(&bytes);
            (got != query.response_hex)
                .then(|| format!("{subject}\n   got {got}\nwanted {}", query.response_hex))
        }
        Ok(_) => Some(format!(
            "{subject}: answered, wanted {}",
            query.grpc_message
        )),
        Err(error) => {
            let same = error.grpc as i32 == query.grpc_code && error.message == query.grpc_message;
            (!same).then(|| {
                format!(
                    "{subject}: got {:?} {}, wanted {} {}",
                    error.grpc, error.message, query.grpc_code, query.grpc_message
                )
            })
        }
    }
}

/// Whether a query belongs to the six modules.
fn is_ours(query: &Query) -> bool {
    MODULES.iter().any(|module| {
        query
            .method
            .starts_with(&format!("/pocket.{module}.Query/"))
    }) && !query.method.ends_with("/Nope")
}

/// Whether an event belongs to the six modules or the bank, and not to settlement.
fn is_compared(event: &Event) -> bool {
    [
        "pocket.application.",
        "pocket.gateway.",
        "pocket.supplier.",
        "pocket.shared.",
    ]
    .iter()
    .any(|prefix| event.kind.starts_with(prefix))
}

fn taken(ctx: &mut Context) -> Vec<Event> {
    let of = |event: tendermint_proto::v0_38::abci::Event| Event {
        kind: event.r#type,
        attributes: event
            .attributes
            .into_iter()
            .map(|pair| (pair.key, pair.value))
            .collect(),
    };
    ctx.take_events().into_iter().map(of).collect()
}

/// The replay: our state, and what settlement must be told.
struct Replay {
    chain: TestChain,
    /// Stakes of applications in recorded sessions, by height.
    stakes: BTreeMap<i64, BTreeMap<String, u128>>,
}

impl Replay {
    fn new(queries: &[Query]) -> Self {
        let mut chain = TestChain::new(Rules::reference());
        let genesis = recording::genesis();
        let bank_section = proto::json::from_json(&genesis["bank"]).unwrap();
        chain
            .run(|ctx| bank::genesis::init(ctx, bank_section))
            .unwrap();
        load(&mut chain, &genesis);
        let mut stakes = BTreeMap::<i64, BTreeMap<String, u128>>::new();
        for query in queries
            .iter()
            .filter(|query| query.method.ends_with("/GetSession"))
        {
            let bytes = hex::decode(&query.response_hex).unwrap();
            let session = QueryGetSessionResponse::decode(bytes.as_slice())
                .unwrap()
                .session;
            if let (Some(height), Some(app)) = (query.height, session.and_then(|s| s.application)) {
                let stake = coin::stored(app.stake.as_ref()).unwrap();
                stakes.entry(height).or_default().insert(app.address, stake);
            }
        }
        Self { chain, stakes }
    }

    fn block(&mut self, block: &Block) {
        self.chain.go_to(block.height);
        self.chain.block.hash.clone_from(&block.hash);
        let begun = self.phase(router::BEGIN_BLOCK);
        assert_eq!(begun, compared(&block.begin), "BeginBlock {}", block.height);
        for tx in &block.txs {
            self.tx(block.height, tx);
        }
        self.chain.run(service::end_block).unwrap();
        self.chain.run(session::end_block).unwrap();
        let mut ended = self.settle(block);
        for phase in [
            gateway::end_block,
            application::end_block,
            supplier::end_block,
            shared::end_block,
        ] {
            ended.extend(self.run_phase(phase));
        }
        let wanted: Vec<Event> = compared(&block.end)
            .into_iter()
            .filter(|event| !is_settlement_event(event))
            .collect();
        assert_eq!(ended, wanted, "EndBlock {}", block.height);
    }

    fn phase(&mut self, steps: &[router::Step]) -> Vec<Event> {
        let ours = steps.iter().filter(|(name, _)| MODULES.contains(name));
        ours.flat_map(|(_, step)| self.run_phase(*step)).collect()
    }

    fn run_phase(&mut self, step: fn(&mut Context) -> Result<(), ChainError>) -> Vec<Event> {
        let events = self
            .chain
            .run(|ctx| step(ctx).map(|()| taken(ctx)))
            .unwrap();
        events.into_iter().filter(is_compared).collect()
    }

    fn tx(&mut self, height: i64, tx: &Tx) {
        if !tx.paid {
            return;
        }
        self.pay_fee(tx);
        let result = self.chain.run(|ctx| {
            let mut events = Vec::new();
            for (index, message) in tx.body.messages.iter().enumerate() {
                execute(ctx, message).map_err(|error| {
                    error.wrap(format_args!(
                        "failed to execute message; message index: {index}"
                    ))
                })?;
                let quiet = message.type_url.ends_with("MsgExec");
                events.extend(taken(ctx).into_iter().filter(|_| !quiet));
            }
            Ok::<_, TxError>(events)
        });
        let subject = format!("height {height}: {:?}", tx.body.messages);
        match result {
            Ok(events) if tx.code == 0 => {
                if tx.body.messages.iter().all(is_replayed) {
                    assert_eq!(events, tx.events, "{subject}");
                }
            }
            Ok(_) => assert!(
                !tx.body.messages.iter().all(is_replayed),
                "{subject}: {}",
                tx.log
            ),
            Err(error) => {
                assert_eq!(
                    error.codespace, tx.codespace,
                    "{subject}: {error} / {}",
                    tx.log
                );
                assert_eq!(error.code, tx.code, "{subject}: {error} / {}", tx.log);
                // A refused unstake prints the whole supplier in Go's format, a refused update inside an
                // authorization the message.
                let printed = ["is not allowed to unstake supplier", "; message authority:"];
                let ours = tx.body.messages.iter().all(is_replayed);
                if ours && !printed.iter().any(|text| tx.log.contains(text)) {
                    assert_eq!(error.log, tx.log, "{subject}");
                }
            }
        }
    }

    /// What the ante handler takes from the first signer, found by its key.
    fn pay_fee(&mut self, tx: &Tx) {
        let fee = tx.auth_info.fee.clone().unwrap();
        let key = tx
            .auth_info
            .signer_infos
            .first()
            .and_then(|info| info.public_key.clone());
        let key = crate::auth::decode_public_key(&key.unwrap()).unwrap();
        if !fee.amount.is_empty() {
            self.chain
                .run(|ctx| {
                    bank::account_to_module(ctx, &key.address(), "fee_collector", &fee.amount)
                })
                .unwrap();
        }
    }

    /// What the recorded settlement of a block did to the records of these modules.
    fn settle(&mut self, block: &Block) -> Vec<Event> {
        let height = block.height;
        let mut claimed = BTreeMap::<String, Vec<String>>::new();
        let mut discarded = BTreeSet::new();
        let mut out = Vec::new();
        for event in &block.end {
            match event.kind.rsplit('.').next().unwrap() {
                "EventClaimSettled" | "EventClaimExpired" | "EventClaimDiscarded" => {
                    let services = claimed
                        .entry(event.text("supplier_operator_address"))
                        .or_default();
                    let service = event.text("service_id");
                    if !services.contains(&service) {
                        services.push(service);
                    }
                    if event.kind.ends_with("Settled") {
                        self.burn(
                            &event.text("application_address"),
                            event.upokt("settled_upokt"),
                        );
                    } else if event.kind.ends_with("Discarded") {
                        discarded.insert(event.text("application_address"));
                    }
                }
                "EventApplicationReimbursementRequest" => {
                    self.burn(&event.text("application_addr"), event.upokt("amount"));
                }
                "EventApplicationUnbondingBegin" => self.stop_application(event),
                "EventSettlementBatch" => self.pay(event),
                "EventSupplierSlashed" => {
                    let operator = event.text("supplier_operator_address");
                    let penalty = event.upokt("proof_missing_penalty");
                    let services = claimed.get(&operator).cloned().unwrap_or_default();
                    let (slash, events) = self
                        .chain
                        .run(|ctx| {
                            let slash = supplier::slash(ctx, &operator, penalty, &services)?;
                            Ok::<_, ChainError>((slash.unwrap(), taken(ctx)))
                        })
                        .unwrap();
                    let left = event.upokt("supplier_stake_after_slash");
                    assert_eq!(slash.stake_after_upokt, left, "height {height}");
                    out.extend(events.into_iter().filter(is_compared));
                }
                "EventRelayMiningDifficultyUpdated" => self.difficulty(event),
                _ => {}
            }
        }
        // A discarded claim cuts the stake in the reference without saying by how much (Q4).
        for address in discarded {
            let stake = self.stakes[&height].get(&address).copied();
            let stake = stake.unwrap_or_else(|| panic!("stake of {address} at {height}"));
            self.set_stake(&address, |_| stake);
        }
        out
    }

    fn set_stake(&mut self, address: &str, change: impl FnOnce(u128) -> u128) {
        self.chain
            .run(|ctx| {
                let mut app = application::get(ctx, address)?.unwrap();
                app.stake = Some(coin::upokt(change(coin::stored(app.stake.as_ref())?)));
                application::save(ctx, &app)
            })
            .unwrap();
    }

    fn burn(&mut self, address: &str, amount: u128) {
        self.set_stake(address, |stake| stake.checked_sub(amount).unwrap());
        self.chain
            .run(|ctx| bank::burn(ctx, "application", &[coin::upokt(amount)]))
            .unwrap();
    }

    fn stop_application(&mut self, event: &Event) {
        let (_, json) = event
            .attributes
            .iter()
            .find(|(key, _)| key == "application")
            .unwrap();
        let json: serde_json::Value = serde_json::from_str(json).unwrap();
        let shown: proto::pocket::application::Application = proto::json::from_json(&json).unwrap();
        self.chain
            .run(|ctx| {
                let mut app = application::get(ctx, &shown.address)?.unwrap();
                app.unstake_session_end_height =
                    grid::unsigned(grid::end(&shared::params(ctx)?, ctx.block.height));
                application::save(ctx, &app)?;
                assert_eq!(
                    Application {
                        stake: shown.stake.clone(),
                        ..app
                    },
                    shown,
                    "height {}",
                    ctx.block.height
                );
                Ok::<_, ChainError>(())
            })
            .unwrap();
    }

    fn pay(&mut self, event: &Event) {
        if event.text("op_type") != "mod_to_acct" {
            return;
        }
        let amount = coin::upokt(event.upokt("total_amount"));
        let to = address::parse(&event.text("recipient")).unwrap();
        self.chain
            .run(|ctx| {
                bank::mint(ctx, "tokenomics", std::slice::from_ref(&amount))?;
                bank::module_to_account(ctx, "tokenomics", &to, &[amount])
            })
            .unwrap();
    }

    fn difficulty(&mut self, event: &Event) {
        let service_id = event.text("service_id");
        let read = |prefix: &str, block_height| RelayMiningDifficulty {
            service_id: service_id.clone(),
            block_height,
            num_relays_ema: event
                .text(&format!("{prefix}_num_relays_ema"))
                .parse()
                .unwrap(),
            target_hash: hex::decode(event.text(&format!("{prefix}_target_hash_hex_encoded")))
                .unwrap()
                .into(),
        };
        self.chain
            .run(|ctx| {
                let next = grid::next_start(&shared::params(ctx)?, ctx.block.height);
                service::set_difficulty(ctx, read("prev", 0), read("new", next))
            })
            .unwrap();
    }
}

type Application = proto::pocket::application::Application;

/// Events of these modules that settlement emits itself.
fn is_settlement_event(event: &Event) -> bool {
    event.kind.ends_with("EventApplicationUnbondingBegin")
}

fn compared(events: &[Event]) -> Vec<Event> {
    events
        .iter()
        .filter(|event| is_compared(event))
        .cloned()
        .collect()
}

/// Whether a message is executed by the modules under test or the bank.
fn is_replayed(message: &Any) -> bool {
    let name = message.type_url.trim_start_matches('/');
    MODULES
        .iter()
        .any(|module| name.starts_with(&format!("pocket.{module}.")))
}

/// Executes what is ours, the bank's, and what is wrapped in an authorization; of proofs only the fee matters here.
fn execute(ctx: &mut Context, message: &Any) -> Result<(), TxError> {
    let name = message.type_url.trim_start_matches('/');
    if name == "cosmos.authz.v1beta1.MsgExec" {
        let exec = MsgExec::decode(message.value.as_slice()).unwrap();
        for inner in &exec.msgs {
            let name = inner.type_url.trim_start_matches('/');
            if let Some(Err(error)) = router::check(name, &inner.value) {
                return Err(error.wrap("msg 0"));
            }
            let granted = exec.grantee == "pokt15y60par7gyye23lmytdspmv33j92uejquzd7jc";
            if granted && is_replayed(inner) {
                router::execute(ctx, name, &inner.value).unwrap()?;
            }
        }
        return Ok(());
    }
    if name == "pocket.proof.MsgSubmitProof" {
        let proof = proto::pocket::proof::MsgSubmitProof::decode(message.value.as_slice()).unwrap();
        let from = address::parse(&proof.supplier_operator_address).unwrap();
        return bank::account_to_module(ctx, &from, "proof", &[coin::upokt(1_000)]);
    }
    match router::execute(ctx, name, &message.value) {
        Some(result) => result.map(|_| ()),
        None => Ok(()),
    }
}

#[test]
fn the_recording_replays_with_equal_events_and_answers() {
    let queries: Vec<Query> = recording::queries().into_iter().filter(is_ours).collect();
    let mut replay = Replay::new(&queries);
    let mut by_height = BTreeMap::<i64, Vec<&Query>>::new();
    for query in &queries {
        if let Some(height) = query.height.filter(|height| *height <= 333) {
            by_height.entry(height).or_default().push(query);
        }
    }
    let mut compared = 0;
    let mut differences = Vec::new();
    for block in recording::blocks() {
        replay.block(&block);
        for query in by_height.get(&block.height).into_iter().flatten() {
            differences.extend(differs(&replay.chain, query));
            compared += 1;
        }
        if [27, 60, 115, 185, 333].contains(&block.height) {
            let wanted = recording::export(block.height);
            for (section, got) in exported(&replay.chain) {
                assert_eq!(got, wanted[section], "{section} at {}", block.height);
            }
        }
    }
    let count = differences.len();
    differences.truncate(5);
    assert!(
        count == 0,
        "{count} of {compared} answers differ\n{}",
        differences.join("\n")
    );
    assert!(compared > 12_900, "{compared}");
}

#[test]
fn exported_states_load_and_answer_as_recorded() {
    let queries: Vec<Query> = recording::queries().into_iter().filter(is_ours).collect();
    let blocks = recording::blocks();
    for height in [27, 60, 115, 185, 333] {
        let mut chain = TestChain::new(Rules::reference());
        for block in blocks.iter().filter(|block| block.height <= height) {
            chain.go_to(block.height);
            chain.block.hash.clone_from(&block.hash);
            chain.run(session::end_block).unwrap();
        }
        let state = recording::export(height);
        load(&mut chain, &state);
        for (section, got) in exported(&chain) {
            assert_eq!(got, state[section], "{section} at {height}");
        }
        for query in queries.iter().filter(|query| query.height == Some(height)) {
            // A genesis document has no history of difficulties.
            let lost = [
                "/RelayMiningDifficultyAtHeight",
                "/RelayMiningDifficultyHistory",
            ];
            if !lost.iter().any(|method| query.method.ends_with(method)) {
                assert_eq!(differs(&chain, query), None);
            }
        }
    }
}
