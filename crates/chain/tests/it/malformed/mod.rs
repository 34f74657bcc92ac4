//! Malformed transactions: mutated valid ones of all kinds, as bytes and inside good signatures, through every verb.
//!
//! Nothing may panic. What the checks refuse may not change the state at all: a second chain that never sees it must have
//! the same app hash. What its message refuses may cost fee and sequence alone: no section of the pocket modules may
//! differ. `cargo xtask soak --malformed` runs more of it.

mod mutate;

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use chain::{Application, ChainError, Rules};
use prost_types::Any;
use proto::cosmos::tx::signing::v1beta1::SignMode;
use proto::cosmos::tx::v1beta1::{Fee, TxBody};
use tendermint_proto::v0_38::abci::{
    ExecTxResult, RequestCheckTx, RequestFinalizeBlock, RequestPrepareProposal, RequestQuery,
};

use self::mutate::mutate;
use crate::rng::Rng;
use crate::soak::{World, document, options, panics, proposal, setting};
use crate::support::{CHAIN_ID, Draft, coin};

/// Two chains with the same history; the second sees only what the checks let pass.
struct Pair {
    world: World,
    twin: Application,
    rng: Rng,
    /// Valid messages with their signers.
    corpus: Vec<(Vec<Any>, Vec<String>)>,
    inputs: u64,
    passed: u64,
    accepted: u64,
    /// Blocks after which the pocket modules held what they held before.
    compared: u64,
}

impl Pair {
    /// Chains in whose first blocks `operations` happen.
    fn new(seed: u64, operations: u64) -> Self {
        let mut world = World::recording(seed, Rules::mended());
        world.run(operations);
        let mut twin = Application::in_memory(options()).unwrap();
        let genesis = document(Rules::mended()).init_chain(Vec::new()).unwrap();
        twin.init_chain(&genesis).unwrap();
        for (request, response) in world.take_recorded() {
            assert_eq!(twin.finalize_block(&request).unwrap(), response);
            twin.commit().unwrap();
        }
        // Messages of every kind, made where many actors are.
        let mut busy = World::new(seed + 1, Rules::mended());
        busy.run(150);
        let corpus = (0..300).map(|_| busy.draft()).collect();
        Self {
            world,
            twin,
            rng: Rng::new(seed),
            corpus,
            inputs: 0,
            passed: 0,
            accepted: 0,
            compared: 0,
        }
    }

    /// One malformed transaction.
    fn input(&mut self) -> Vec<u8> {
        let (messages, signers) = self.rng.pick(&self.corpus).clone();
        let mut draft = Draft {
            body: TxBody {
                messages,
                ..Default::default()
            },
            fee: Fee {
                amount: vec![coin(u128::from(self.rng.below(20)))],
                gas_limit: 3_000_000,
                ..Default::default()
            },
            signers: Vec::new(),
            chain_id: CHAIN_ID.to_owned(),
            mode: SignMode::Direct,
        };
        for name in signers {
            let (number, sequence) = self.world.account(&name);
            draft = draft.signer(&name, number, sequence);
        }
        if self.rng.percent(50) {
            // Signed by whom it names, whatever it has become.
            let index = self.rng.index(draft.body.messages.len());
            let message = &mut draft.body.messages[index];
            if self.rng.percent(10) {
                let url = mutate(&mut self.rng, message.type_url.as_bytes());
                message.type_url = String::from_utf8_lossy(&url).into_owned();
            } else {
                message.value = mutate(&mut self.rng, &message.value);
            }
            return draft.sign();
        }
        mutate(&mut self.rng, &draft.sign())
    }

    /// A block of malformed transactions, after each of them was checked, tried out, and taken for a query.
    fn block(&mut self, size: usize) {
        let txs: Vec<Vec<u8>> = (0..size).map(|_| self.input()).collect();
        self.inputs += size as u64;
        for tx in &txs {
            self.look_at(tx);
        }
        let before = self.sections();
        let request = self.world.request(txs);
        let proposed = RequestPrepareProposal {
            txs: request.txs.clone(),
            max_tx_bytes: 1 << 20,
            height: request.height,
            time: request.time,
            ..Default::default()
        };
        self.world.application.prepare_proposal(&proposed).unwrap();
        self.world
            .application
            .process_proposal(&proposal(&request))
            .unwrap();
        let response = self.world.execute(&request);
        let passed: Vec<_> = request
            .txs
            .iter()
            .zip(&response.tx_results)
            .filter(|(_, result)| paid(result))
            .map(|(tx, _)| tx.clone())
            .collect();
        self.passed += passed.len() as u64;
        let accepted = response.tx_results.iter().filter(|result| result.code == 0);
        let accepted = accepted.count() as u64;
        self.accepted += accepted;
        let of_twin = self
            .twin
            .finalize_block(&RequestFinalizeBlock {
                txs: passed,
                ..request
            })
            .unwrap();
        self.twin.commit().unwrap();
        assert_eq!(
            of_twin.app_hash, response.app_hash,
            "a refused transaction left something"
        );
        if accepted == 0
            && let (Some(before), Some(after)) = (before, self.sections())
        {
            let moving = before.moving.clone();
            let (before, after) = (before.at_rest(&moving), after.at_rest(&moving));
            assert_eq!(before, after, "a failed message left something");
            self.compared += 1;
        }
        assert_eq!(panics::seen(), 0, "something panicked");
    }

    fn look_at(&mut self, tx: &[u8]) {
        let again = self.rng.percent(30);
        self.world.application.check_tx(&RequestCheckTx {
            tx: tx.to_vec().into(),
            r#type: i32::from(again),
        });
        if self.rng.percent(25) {
            let _ = self.world.reader.simulate(tx);
        }
        if self.rng.percent(25) {
            let path = *self.rng.pick(&PATHS);
            let height = [0, 1, -1, i64::MAX, i64::MIN, 3];
            let data = mutate(&mut self.rng, &tx[..tx.len().min(60)]);
            self.world.reader.abci_query(&RequestQuery {
                data: data.into(),
                path: path.to_owned(),
                height: *self.rng.pick(&height),
                prove: false,
            });
        }
    }

    /// What the pocket modules hold, by address or id, and who of them changes with time alone. Nothing while there are
    /// claims, whose settlement changes others.
    fn sections(&self) -> Option<Sections> {
        use chain::modules::{application, gateway, proof, service, supplier};
        let (apps, gateways, suppliers, services, proofs) = self
            .world
            .reader
            .at(None, |ctx| {
                Ok::<_, ChainError>((
                    application::all(ctx)?,
                    gateway::all(ctx)?,
                    supplier::export_genesis(ctx)?.supplier_list,
                    service::all(ctx)?,
                    proof::export_genesis(ctx)?,
                ))
            })
            .unwrap();
        if !proofs.claim_list.is_empty() {
            return None;
        }
        let mut sections = Sections::default();
        let mut stopping = BTreeSet::new();
        for gateway in gateways {
            let moves = gateway.unstake_session_end_height != 0;
            if moves {
                stopping.insert(gateway.address.clone());
            }
            sections.add("gateway", &gateway.address, &gateway, moves);
        }
        for app in apps {
            let moves = app.unstake_session_end_height != 0
                || app.pending_transfer.is_some()
                || !app.pending_undelegations.is_empty()
                || app
                    .delegatee_gateway_addresses
                    .iter()
                    .any(|gateway| stopping.contains(gateway));
            if let Some(transfer) = &app.pending_transfer {
                let destination = transfer.destination_address.clone();
                sections.moving.insert(("application", destination));
            }
            sections.add("application", &app.address, &app, moves);
        }
        for supplier in suppliers {
            let moves = supplier.unstake_session_end_height != 0
                || supplier.service_config_history.iter().any(|config| {
                    config.deactivation_height != 0
                        || config.activation_height >= self.world.height - 1
                });
            sections.add("supplier", &supplier.operator_address, &supplier, moves);
        }
        for service in services {
            sections.add("service", &service.id, &service, false);
        }
        Some(sections)
    }
}

/// What the pocket modules hold.
#[derive(Default)]
struct Sections {
    records: Records,
    /// Whose records change with time alone.
    moving: BTreeSet<(&'static str, String)>,
}

impl Sections {
    fn add(&mut self, kind: &'static str, id: &str, record: &impl prost::Message, moves: bool) {
        let key = (kind, id.to_owned());
        if moves {
            self.moving.insert(key.clone());
        }
        self.records.insert(key, record.encode_to_vec());
    }

    /// What must be as it was when nothing was done, of two states: all that was at rest before.
    fn at_rest(mut self, moving: &BTreeSet<(&'static str, String)>) -> Records {
        self.records.retain(|key, _| !moving.contains(key));
        self.records
    }
}

/// Records by kind and id.
type Records = BTreeMap<(&'static str, String), Vec<u8>>;

/// Whether the checks let a transaction pass.
fn paid(result: &ExecTxResult) -> bool {
    result.events.iter().any(|event| event.r#type == "tx")
}

/// Methods whose requests hold all kinds of fields.
const PATHS: [&str; 14] = [
    "/pocket.session.Query/GetSession",
    "/pocket.application.Query/AllApplications",
    "/pocket.supplier.Query/AllSuppliers",
    "/pocket.supplier.Query/Supplier",
    "/pocket.gateway.Query/Gateway",
    "/pocket.service.Query/RelayMiningDifficultyAtHeight",
    "/pocket.service.Query/AllServices",
    "/pocket.proof.Query/AllClaims",
    "/pocket.proof.Query/Proof",
    "/pocket.shared.Query/ParamsAtHeight",
    "/cosmos.bank.v1beta1.Query/AllBalances",
    "/cosmos.auth.v1beta1.Query/Account",
    "/cosmos.tx.v1beta1.Service/Simulate",
    "/app/simulate",
];

/// Makes so many inputs; says how to make them again when something does not hold.
fn run(seed: u64, operations: u64, inputs: u64) {
    let outcome = catch_unwind(AssertUnwindSafe(|| inputs_of(seed, operations, inputs)));
    if let Err(panic) = outcome {
        let total = inputs * 2;
        eprintln!(
            "\nseed {seed}: run it again with\n  cargo xtask soak --malformed {total} --seed {}\n",
            self::seed()
        );
        resume_unwind(panic);
    }
}

fn inputs_of(seed: u64, operations: u64, inputs: u64) {
    panics::watch();
    let mut pair = Pair::new(seed, operations);
    while pair.inputs < inputs {
        // Only in blocks in which nothing is valid it can be seen that nothing changes; those are the small ones.
        let largest = if pair.rng.percent(70) { 40 } else { 400 };
        let size = 1 + pair.rng.index(largest);
        pair.block(size);
    }
    println!(
        "seed {seed}: {} malformed transactions in {} blocks, {} paid a fee, {} were valid after all, pocket modules \
         compared {} times",
        pair.inputs,
        pair.world.height - 1,
        pair.passed,
        pair.accepted,
        pair.compared
    );
}

/// Inputs of each of the two tests; a run of both in CI takes about a minute.
fn inputs() -> u64 {
    setting("RELAYMILL_MALFORMED_INPUTS").unwrap_or(100_000) / 2
}

fn seed() -> u64 {
    setting("RELAYMILL_SOAK_SEED").unwrap_or(1)
}

#[test]
fn malformed_transactions_change_nothing_where_nobody_is() {
    run(seed(), 0, inputs());
}

#[test]
fn malformed_transactions_change_nothing_where_much_goes_on() {
    run(seed() + 100, 150, inputs());
}
