//! The chain under test: drafts become transactions, transactions become blocks.

use std::collections::BTreeMap;

use chain::modules::{application, gateway, proof, service, supplier};
use chain::{Application, ChainError, Options, Reader, Rules, auth};
use prost_types::Any;
use proto::cosmos::tx::v1beta1::{Fee, TxBody};
use proto::pocket::application::Application as App;
use tendermint_proto::google::protobuf::Timestamp;
use tendermint_proto::v0_38::abci::{
    RequestCheckTx, RequestFinalizeBlock, RequestProcessProposal, ResponseFinalizeBlock,
};

use super::actors::{document, names, text};
use super::checks::Checks;
use super::messages::Drafted;
use super::panics;
use super::relays::{Ledger, Signers};
use super::validators::{self, Consensus};
use crate::rng::Rng;
use crate::support::{CHAIN_ID, Draft, START, address, coin};

/// What drafts are made with: the state after the last block.
#[derive(Default)]
pub(super) struct View {
    pub(super) applications: Vec<App>,
    pub(super) gateways: Vec<String>,
    /// Operator and owner.
    pub(super) suppliers: Vec<(String, String)>,
    pub(super) services: Vec<String>,
    /// Operator addresses.
    pub(super) validators: Vec<String>,
    /// Account number and next sequence by name.
    accounts: BTreeMap<String, (u64, u64)>,
}

/// The chain, and what is known about it from outside.
pub(crate) struct World {
    pub(super) seed: u64,
    pub(super) rng: Rng,
    rules: Rules,
    pub(crate) application: Application,
    pub(crate) reader: Reader,
    /// Names by address.
    pub(super) people: BTreeMap<String, String>,
    /// Height of the block to come.
    pub(crate) height: i64,
    pub(super) view: View,
    pub(super) ledger: Ledger,
    pub(super) signers: Signers,
    pub(super) consensus: Consensus,
    checks: Checks,
    counts: BTreeMap<&'static str, u64>,
    recorded: Option<Vec<Block>>,
}

/// A block and what came of it.
type Block = (RequestFinalizeBlock, ResponseFinalizeBlock);

/// A block as it is proposed.
pub(crate) fn proposal(request: &RequestFinalizeBlock) -> RequestProcessProposal {
    RequestProcessProposal {
        txs: request.txs.clone(),
        hash: request.hash.clone(),
        height: request.height,
        time: request.time,
        proposer_address: request.proposer_address.clone(),
        ..Default::default()
    }
}

/// Hash of a block.
pub(super) fn block_hash(seed: u64, height: i64) -> Vec<u8> {
    let bytes = [seed.to_be_bytes(), height.to_be_bytes()].concat();
    crypto::hash::sha256(&bytes).to_vec()
}

impl World {
    /// A chain after its first block.
    pub(crate) fn new(seed: u64, rules: Rules) -> Self {
        Self::with(seed, rules, None)
    }

    /// The same, which keeps its blocks.
    pub(crate) fn recording(seed: u64, rules: Rules) -> Self {
        Self::with(seed, rules, Some(Vec::new()))
    }

    /// The blocks so far.
    pub(crate) fn recorded(&self) -> &[Block] {
        self.recorded.as_deref().unwrap_or_default()
    }

    /// Account number and next sequence.
    pub(crate) fn account(&self, name: &str) -> (u64, u64) {
        self.view.accounts.get(name).copied().unwrap_or_default()
    }

    fn with(seed: u64, rules: Rules, recorded: Option<Vec<Block>>) -> Self {
        panics::watch();
        let mut application = Application::in_memory(Options::default()).unwrap();
        let genesis = document(rules).init_chain(Vec::new()).unwrap();
        application.init_chain(&genesis).unwrap();
        let reader = application.reader();
        let people = names().into_iter().map(|name| (text(&name), name));
        let mut world = Self {
            seed,
            rng: Rng::new(seed),
            rules,
            application,
            reader,
            people: people.collect(),
            height: 1,
            view: View::default(),
            ledger: Ledger::default(),
            signers: Signers::default(),
            consensus: Consensus::default(),
            checks: Checks::default(),
            counts: BTreeMap::new(),
            recorded,
        };
        world.block(Vec::new());
        world.found();
        world
    }

    /// Blocks in which some people stake for what they say, so that there is something to claim for from the start.
    fn found(&mut self) {
        for messages in self.foundation() {
            let txs = messages
                .into_iter()
                .map(|(message, signer)| self.signed(vec![message], vec![signer]))
                .collect();
            self.block(txs);
        }
    }

    /// A signed transaction without tricks.
    fn signed(&mut self, messages: Vec<Any>, signers: Vec<String>) -> Vec<u8> {
        let mut draft = Draft {
            body: TxBody {
                messages,
                ..Default::default()
            },
            fee: Fee {
                amount: vec![coin(10)],
                gas_limit: 3_000_000,
                ..Default::default()
            },
            signers: Vec::new(),
            chain_id: CHAIN_ID.to_owned(),
        };
        for name in signers {
            let (number, sequence) = self.account(&name);
            draft = draft.signer(&name, number, sequence);
            self.view.accounts.entry(name).or_default().1 += 1;
        }
        draft.sign()
    }

    /// Runs so many operations, and then until everything begun is settled.
    pub(crate) fn run(&mut self, operations: u64) {
        if operations == 0 {
            return;
        }
        let mut left = operations;
        while left > 0 {
            let wanted = match self.rng.below(4) {
                0 => 0,
                1 => self.rng.below(16),
                _ => self.rng.below(6),
            };
            let wanted = wanted.min(left);
            left -= wanted;
            let txs = (0..wanted).map(|_| self.transaction()).collect();
            self.block(txs);
            if self.rng.percent(1) {
                self.check_export();
            }
        }
        for _ in 0..30 {
            self.block(Vec::new());
        }
        self.check_export();
    }

    pub(super) fn summary(&self) -> String {
        let counts = self
            .counts
            .iter()
            .map(|(what, count)| format!("{count} {what}"));
        let counts: Vec<String> = counts.collect();
        format!("height {}, {}", self.height - 1, counts.join(", "))
    }

    fn count(&mut self, what: &'static str, number: u64) {
        *self.counts.entry(what).or_default() += number;
    }

    /// A signed transaction; account numbers, sequences, fees and gas limits are mostly right.
    fn transaction(&mut self) -> Vec<u8> {
        let (messages, signers): Drafted = self.draft();
        let mut draft = Draft {
            body: TxBody {
                messages,
                ..Default::default()
            },
            fee: Fee {
                amount: match self.rng.below(30) {
                    0 => Vec::new(),
                    1 => vec![coin(u128::MAX)],
                    _ => vec![coin(u128::from(self.rng.below(50)))],
                },
                gas_limit: match self.rng.below(30) {
                    0 => self.rng.below(150_000),
                    _ => 3_000_000,
                },
                ..Default::default()
            },
            signers: Vec::new(),
            chain_id: CHAIN_ID.to_owned(),
        };
        for name in signers {
            let (number, sequence) = self.view.accounts.get(&name).copied().unwrap_or_default();
            let wrong = u64::from(self.rng.percent(1));
            draft = draft.signer(&name, number, sequence + wrong);
        }
        self.unordered(&mut draft);
        let tx = draft.sign();
        let answer = self.application.check_tx(&RequestCheckTx {
            tx: tx.clone().into(),
            r#type: 0,
        });
        if answer.code == 0 && !draft.body.unordered {
            for (name, ..) in &draft.signers {
                self.view.accounts.entry(name.clone()).or_default().1 += 1;
            }
        }
        if self.rng.percent(10) {
            // Whatever it says, it must not panic; what it would do must not stay.
            let _ = self.reader.simulate(&tx);
        }
        tx
    }

    /// Sometimes a transaction without sequence and with a time limit instead.
    fn unordered(&mut self, draft: &mut Draft) {
        if !self.rng.percent(10) {
            return;
        }
        draft.body.unordered = true;
        draft.body.timeout_timestamp = Some(prost_types::Timestamp {
            seconds: START + self.height + i64::try_from(self.rng.below(20)).unwrap() - 3,
            nanos: i32::try_from(self.rng.below(1_000_000_000)).unwrap(),
        });
        for (_, _, sequence) in &mut draft.signers {
            *sequence = 0;
        }
    }

    /// Proposes and executes the next block.
    pub(super) fn block(&mut self, txs: Vec<Vec<u8>>) {
        let request = self.request(txs);
        self.application
            .process_proposal(&proposal(&request))
            .unwrap();
        self.execute(&request);
    }

    /// Executes and commits a block, and checks everything.
    pub(crate) fn execute(&mut self, request: &RequestFinalizeBlock) -> ResponseFinalizeBlock {
        let response = self.application.finalize_block(request).unwrap();
        self.application.commit().unwrap();
        self.height += 1;
        self.consensus.apply(&response.validator_updates);
        self.tally(&response);
        let (checks, reader) = (&mut self.checks, &self.reader);
        checks.block(&response);
        reader
            .at(None, |ctx| {
                checks.state(ctx);
                Ok::<_, ChainError>(())
            })
            .unwrap();
        self.look();
        if let Some(recorded) = &mut self.recorded {
            recorded.push((request.clone(), response.clone()));
        }
        response
    }

    pub(crate) fn request(&mut self, txs: Vec<Vec<u8>>) -> RequestFinalizeBlock {
        RequestFinalizeBlock {
            txs: txs.into_iter().map(Into::into).collect(),
            hash: block_hash(self.seed, self.height).into(),
            height: self.height,
            time: Some(Timestamp {
                seconds: START + self.height,
                nanos: 0,
            }),
            proposer_address: self.proposer().into(),
            decided_last_commit: Some(self.votes()),
            misbehavior: self.misbehaviour(),
            ..Default::default()
        }
    }

    fn tally(&mut self, response: &ResponseFinalizeBlock) {
        for result in &response.tx_results {
            let what = if result.code == 0 {
                "accepted"
            } else {
                "refused"
            };
            self.count(what, 1);
        }
        for event in &response.events {
            let what = match event.r#type.rsplit('.').next().unwrap_or_default() {
                "EventClaimSettled" => "settled",
                "EventClaimExpired" => "expired",
                "EventClaimDiscarded" => "discarded",
                "EventSupplierSlashed" => "slashed",
                "EventTransferEnd" => "transferred",
                "EventApplicationUnbondingEnd"
                | "EventSupplierUnbondingEnd"
                | "EventGatewayUnbondingEnd" => "unbonded",
                "EventProofValidityChecked" => "proofs checked",
                _ => continue,
            };
            self.count(what, 1);
        }
    }

    /// Reads what the next drafts are made with.
    fn look(&mut self) {
        let people = &self.people;
        let view = self.reader.at(None, |ctx| {
            let mut accounts = BTreeMap::new();
            for name in people.values() {
                let account = auth::account(ctx, &address(name))?;
                if let Some(base) = account.as_ref().and_then(auth::Account::base) {
                    accounts.insert(name.clone(), (base.account_number, base.sequence));
                }
            }
            let suppliers = supplier::export_genesis(ctx)?.supplier_list.into_iter();
            let suppliers = suppliers.map(|record| (record.operator_address, record.owner_address));
            Ok::<_, ChainError>(View {
                applications: application::all(ctx)?,
                gateways: gateway::all(ctx)?
                    .into_iter()
                    .map(|record| record.address)
                    .collect(),
                suppliers: suppliers.collect(),
                validators: validators::operators(ctx)?,
                services: service::all(ctx)?
                    .into_iter()
                    .map(|record| record.id)
                    .collect(),
                accounts,
            })
        });
        self.view = view.unwrap();
    }

    /// The exported state, loaded into another chain, goes on as this one does: after one more empty block both export
    /// the same. Blocks that settle are left out, because a genesis does not hold the hashes of old blocks.
    fn check_export(&mut self) {
        let exported = self.reader.export(None).unwrap();
        let claims = self.reader.at(None, proof::export_genesis).unwrap();
        // A supplier that the reference has slashed below the minimum unbonds only once it was exported.
        let forgets = self.rules == Rules::reference() && self.counts.contains_key("slashed");
        if forgets || !claims.claim_list.is_empty() {
            return;
        }
        let mut document = document(Rules::reference());
        document.app_state = exported;
        document.initial_height = serde_json::from_value(self.height.into()).unwrap();
        let mut other = Application::in_memory(Options::default()).unwrap();
        other
            .init_chain(&document.init_chain(Vec::new()).unwrap())
            .unwrap();
        let request = self.request(Vec::new());
        other.finalize_block(&request).unwrap();
        other.commit().unwrap();
        self.execute(&request);
        let (theirs, ours) = (
            other.reader().export(None).unwrap(),
            self.reader.export(None).unwrap(),
        );
        for (section, value) in &ours {
            assert_eq!(
                theirs.get(section),
                Some(value),
                "section {section} after import"
            );
        }
        assert_eq!(theirs.len(), ours.len());
        self.count("exports", 1);
    }
}
