//! The chain under test: drafts become transactions, transactions become blocks.

use std::collections::BTreeMap;

use chain::modules::{application, gateway, proof, service, supplier};
use chain::{Application, ChainError, Options, Reader, Rules, auth, consensus};
use prost_types::Any;
use proto::cosmos::tx::signing::v1beta1::SignMode;
use proto::cosmos::tx::v1beta1::{Fee, TxBody};
use proto::pocket::application::Application as App;
use serde_json::Value;
use tendermint_proto::google::protobuf::Timestamp;
use tendermint_proto::v0_38::abci::{
    RequestCheckTx, RequestFinalizeBlock, RequestProcessProposal, ResponseFinalizeBlock,
};

use super::actors::{document, names, text};
use super::authorised::{self, Granted};
use super::checks::Checks;
use super::kinds::Drafted;
use super::panics;
use super::relays::{self, Claims, Ledger, Signers};
use super::tally::Tally;
use super::validators::{Consensus, Stakes};
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
    pub(super) claims: Claims,
    pub(super) stakes: Stakes,
    pub(super) grants: Vec<Granted>,
    /// Granter and grantee.
    pub(super) allowances: Vec<(String, String)>,
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
    tally: Tally,
    recorded: Option<Vec<Block>>,
}

/// A block and what came of it.
type Block = (RequestFinalizeBlock, ResponseFinalizeBlock);

/// One thread a chain, as several of them run beside each other, and few old states, which nobody asks for.
pub(crate) fn options() -> Options {
    Options {
        threads: 1,
        keep_recent: 50,
        ..Options::default()
    }
}

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

    /// The blocks so far; from now on none is kept.
    pub(crate) fn take_recorded(&mut self) -> Vec<Block> {
        self.recorded.take().unwrap_or_default()
    }

    /// Account number and next sequence.
    pub(crate) fn account(&self, name: &str) -> (u64, u64) {
        self.view.accounts.get(name).copied().unwrap_or_default()
    }

    fn with(seed: u64, rules: Rules, recorded: Option<Vec<Block>>) -> Self {
        panics::watch();
        let mut application = Application::in_memory(options()).unwrap();
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
            tally: Tally::default(),
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
            mode: SignMode::Direct,
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
        let height = self.height - 1;
        format!("height {height}, {}", self.tally.summary())
    }

    /// Names of messages of which none was accepted.
    pub(super) fn never_accepted(&self) -> Vec<String> {
        self.tally.never_accepted()
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
            mode: if self.rng.percent(5) {
                SignMode::LegacyAminoJson
            } else {
                SignMode::Direct
            },
        };
        for name in signers {
            let (number, sequence) = self.view.accounts.get(&name).copied().unwrap_or_default();
            let wrong = u64::from(self.rng.percent(1));
            draft = draft.signer(&name, number, sequence + wrong);
        }
        self.paid_by(&mut draft);
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

    /// Sometimes somebody else pays the fee: who said so, or another signer.
    fn paid_by(&mut self, draft: &mut Draft) {
        let Some((first, ..)) = draft.signers.first().cloned() else {
            return;
        };
        if let Some(granter) = self.granter_for(&first) {
            draft.fee.granter = granter;
        }
        if let Some((second, ..)) = draft.signers.get(1)
            && self.rng.percent(20)
        {
            draft.fee.payer = text(second);
        }
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
        self.tally.block(request, &response);
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
                claims: relays::claims(proof::export_genesis(ctx)?.claim_list),
                stakes: Stakes::read(ctx)?,
                grants: authorised::grants(ctx)?,
                allowances: authorised::allowances(ctx)?,
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
        let forgets = self.rules == Rules::reference() && self.tally.saw("slashed");
        if forgets || !claims.claim_list.is_empty() {
            return;
        }
        let mut document = document(Rules::reference());
        document.app_state = exported;
        let params = self.reader.at(None, consensus::params).unwrap();
        document.consensus.params = consensus::Form::from_proto(&params);
        document.initial_height = serde_json::from_value(self.height.into()).unwrap();
        let mut other = Application::in_memory(options()).unwrap();
        other
            .init_chain(&document.init_chain(Vec::new()).unwrap())
            .unwrap();
        let request = self.request(Vec::new());
        other.finalize_block(&request).unwrap();
        other.commit().unwrap();
        self.execute(&request);
        let (mut theirs, mut ours) = (
            other.reader().export(None).unwrap(),
            self.reader.export(None).unwrap(),
        );
        for state in [&mut theirs, &mut ours] {
            state.values_mut().for_each(without_unbonding_ids);
        }
        for (section, value) in &ours {
            assert_eq!(
                theirs.get(section),
                Some(value),
                "section {section} after import"
            );
        }
        assert_eq!(theirs.len(), ours.len());
        self.tally.count("exports");
    }
}

/// Takes away the ids of unbondings: a genesis of the reference does not hold how many there were, so that those after
/// it are counted from 1 again.
fn without_unbonding_ids(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.remove("unbonding_id");
            fields.remove("unbonding_ids");
            fields.values_mut().for_each(without_unbonding_ids);
        }
        Value::Array(items) => items.iter_mut().for_each(without_unbonding_ids),
        _ => {}
    }
}
