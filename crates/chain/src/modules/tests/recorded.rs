//! The recording replayed through all pocket modules, from genesis to its last block: messages, phases, claims, proofs,
//! settlement, their events, and all queries at every recorded height are computed and compared.
//!
//! What is taken from the recording is what other modules would do: grants of authority, and what validators and their
//! delegators are paid, because nobody is bonded here.

use std::collections::BTreeMap;

use prost::Message;
use prost_types::Any;
use proto::cosmos::authz::v1beta1::MsgExec;

use super::recording::{self, Block, Event, Query, Tx};
use crate::context::Context;
use crate::error::{ChainError, TxError};
use crate::modules::shared::{address, coin};
use crate::modules::{application, gateway, proof, service, session, shared, supplier, tokenomics};
use crate::rules::Rules;
use crate::testing::TestChain;
use crate::{auth, bank, router};

const MODULES: [&str; 8] = [
    "application",
    "gateway",
    "supplier",
    "service",
    "session",
    "shared",
    "proof",
    "tokenomics",
];

/// Loads the sections of the modules.
fn load(chain: &mut TestChain, state: &serde_json::Value) {
    let read = |name: &str| &state[name];
    // Of the SDK's modules that are not loaded here, one has an account from the start and must not own a supplier.
    chain
        .run(|ctx| auth::ensure_module_account(ctx, "gov").map(drop))
        .unwrap();
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
    let section = proto::json::from_json(read("proof")).unwrap();
    chain.run(|ctx| proof::init_genesis(ctx, section)).unwrap();
    let section = proto::json::from_json(read("tokenomics")).unwrap();
    chain
        .run(|ctx| tokenomics::init_genesis(ctx, section))
        .unwrap();
}

/// Writes the sections of the modules, each with its name.
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
            (
                "proof",
                json(proto::json::to_json(&proof::export_genesis(ctx).unwrap())),
            ),
            (
                "tokenomics",
                json(proto::json::to_json(
                    &tokenomics::export_genesis(ctx).unwrap(),
                )),
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

/// Whether a query belongs to the modules.
fn is_ours(query: &Query) -> bool {
    MODULES.iter().any(|module| {
        query
            .method
            .starts_with(&format!("/pocket.{module}.Query/"))
    }) && !query.method.ends_with("/Nope")
}

/// Whether an event belongs to the modules and is not about payments to validators and delegators.
fn is_compared(event: &Event) -> bool {
    let ours = MODULES
        .iter()
        .any(|module| event.kind.starts_with(&format!("pocket.{module}.")));
    ours && !event.kind.ends_with("EventValidatorRewardDistribution") && !is_reward(event)
}

/// Whether an event sums up payments to validators or delegators.
fn is_reward(event: &Event) -> bool {
    event.kind.ends_with("EventSettlementBatch")
        && ["VALIDATOR_REWARD", "DELEGATOR_REWARD"]
            .iter()
            .any(|reason| event.text("op_reason").contains(reason))
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

/// The replay: our state.
struct Replay {
    chain: TestChain,
}

impl Replay {
    fn new() -> Self {
        let mut chain = TestChain::new(Rules::reference());
        let genesis = recording::genesis();
        let bank_section = proto::json::from_json(&genesis["bank"]).unwrap();
        chain
            .run(|ctx| bank::genesis::init(ctx, bank_section))
            .unwrap();
        load(&mut chain, &genesis);
        Self { chain }
    }

    fn block(&mut self, block: &Block) {
        self.chain.go_to(block.height);
        self.chain.block.hash.clone_from(&block.hash);
        let begun = self.phase(router::BEGIN_BLOCK);
        assert_eq!(begun, compared(&block.begin), "BeginBlock {}", block.height);
        for tx in &block.txs {
            self.tx(block.height, tx);
        }
        let ended = self.phase(router::END_BLOCK);
        for event in block.end.iter().filter(|event| is_reward(event)) {
            self.pay(event);
        }
        let wanted = compared(&block.end);
        for (ours, theirs) in ended.iter().zip(&wanted) {
            assert_eq!(ours, theirs, "EndBlock {}", block.height);
        }
        assert_eq!(ended.len(), wanted.len(), "EndBlock {}", block.height);
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
        compared(&events)
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
                // authorization the message, and a broken gob stream what Go's decoder says.
                let printed = [
                    "is not allowed to unstake supplier",
                    "; message authority:",
                    "closest proof: gob:",
                ];
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
        for info in &tx.auth_info.signer_infos {
            self.learn_key(info.public_key.as_ref().unwrap());
        }
        let key = auth::SignerKey::from_any(&key.unwrap()).unwrap();
        if !fee.amount.is_empty() {
            self.chain
                .run(|ctx| {
                    bank::account_to_module(ctx, &key.address(), "fee_collector", &fee.amount)
                })
                .unwrap();
        }
    }

    /// What the ante handler remembers of a signer.
    fn learn_key(&mut self, any: &Any) {
        let address = auth::SignerKey::from_any(any).unwrap().address();
        self.chain
            .run(|ctx| {
                auth::ensure_account(ctx, &address)?;
                let mut account = auth::account(ctx, &address)?.unwrap();
                account.base_mut().unwrap().pub_key = Some(any.clone());
                auth::save_account(ctx, &address, &account);
                Ok::<_, ChainError>(())
            })
            .unwrap();
    }

    /// A payment to a validator or a delegator, out of what settlement left for them.
    fn pay(&mut self, event: &Event) {
        let amount = coin::upokt(event.upokt("total_amount"));
        let to = address::parse(&event.text("recipient")).unwrap();
        self.chain
            .run(|ctx| bank::module_to_account(ctx, "tokenomics", &to, &[amount]))
            .unwrap();
    }
}

/// The compared events of a phase, without the places in files that the reference names. Verdicts about proofs come in any order in the reference; here they are sorted, as
/// ours are.
fn compared(events: &[Event]) -> Vec<Event> {
    let mut out: Vec<Event> = events
        .iter()
        .filter(|event| is_compared(event))
        .cloned()
        .collect();
    for (_, value) in out.iter_mut().flat_map(|event| &mut event.attributes) {
        *value = value.replace(" [<path>]", "");
    }
    let verdicts = out.iter().take_while(|event| is_verdict(event)).count();
    out[..verdicts].sort_by_key(|event| format!("{event:?}"));
    out
}

fn is_verdict(event: &Event) -> bool {
    event.kind.ends_with("EventProofValidityChecked")
}

/// Whether a message is executed by the modules under test or the bank.
fn is_replayed(message: &Any) -> bool {
    let name = message.type_url.trim_start_matches('/');
    MODULES
        .iter()
        .any(|module| name.starts_with(&format!("pocket.{module}.")))
}

/// Executes what is ours, the bank's, and what is wrapped in an authorization.
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
    // The staking modules have no genesis here; nobody is bonded.
    if !is_replayed(message) && !name.starts_with("cosmos.bank.") {
        return Ok(());
    }
    match router::execute(ctx, name, &message.value) {
        Some(result) => result.map(|_| ()),
        None => Ok(()),
    }
}

#[test]
fn the_recording_replays_with_equal_events_and_answers() {
    let queries: Vec<Query> = recording::queries().into_iter().filter(is_ours).collect();
    let mut replay = Replay::new();
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
    assert!(compared > 14_000, "{compared}");
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
