//! From answers to coins: every relay that was answered is in a settled claim, and every coin is where the rules put it.
//!
//! Every request of these runs carries secrets where clients carry theirs ([`secrets`](crate::secrets)), so that what is
//! proven on the chain is proven of such requests.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use num_bigint::BigUint;
use proto::cosmos::bank::v1beta1::{
    QueryBalanceRequest, QueryBalanceResponse, QuerySupplyOfRequest, QuerySupplyOfResponse,
};
use proto::pocket::application::{QueryGetApplicationRequest, QueryGetApplicationResponse};
use proto::pocket::supplier::{QueryGetSupplierRequest, QueryGetSupplierResponse};

use crate::ledger::Ledger;
use crate::secrets;
use crate::support::amount;
use crate::support::chain::Block;
use crate::support::evidence::{self, Watch};
use crate::support::load::{Outcome, body};
use crate::support::network::{Journaled, Network, genesis, journal};

/// Blocks from a session's last one to its settlement, with the parameters of a local network.
pub(crate) const SETTLED_AFTER: i64 = 19;

/// Clients that ask at the same time.
const CLIENTS: usize = 4;

/// A run whose every session is settled.
pub(crate) struct Run {
    pub(crate) network: Network,
    pub(crate) outcomes: Vec<Outcome>,
    pub(crate) journal: Vec<Journaled>,
    /// All blocks up to the last settlement.
    pub(crate) blocks: Vec<Block>,
    pub(crate) watch: Watch,
}

impl Run {
    /// The run with the parameters that `localnet` has.
    pub(crate) fn usual() -> &'static Run {
        static RUN: LazyLock<Run> = LazyLock::new(|| Run::with(&[]));
        &RUN
    }

    /// Asks over both services, streamed and plain by turns, and waits until all of it is paid.
    fn with(params: &[&str]) -> Self {
        let network = Network::start(params);
        let watch = Watch::over(&network.data());
        let relays = amount("RELAYMILL_RELAYS", 200);
        let (gateway, models) = (network.gateway(), network.ready.models.clone());
        assert_eq!(models, ["millstone", "grist"]);
        let ask = |number: usize| {
            let prompt = format!("{} add {number} 25", secrets::IN_PROMPT);
            let body = body(&models[number % 2], &prompt, (number / 2).is_multiple_of(2));
            let request = gateway.post("/chat/completions", body.to_string());
            gateway.ask(secrets::carried_by(request))
        };
        let mut outcomes = Vec::new();
        std::thread::scope(|scope| {
            let ask = &ask;
            let clients = (0..CLIENTS).map(|client| {
                scope.spawn(move || (client..relays).step_by(CLIENTS).map(ask).collect())
            });
            for client in clients.collect::<Vec<_>>() {
                outcomes.extend::<Vec<Outcome>>(client.join().expect("no panic"));
            }
        });
        for outcome in &outcomes {
            assert!(outcome.whole, "not answered: {:?}", outcome.trouble);
        }
        let journal = journal(&network.data());
        let last = journal
            .iter()
            .map(|entry| entry.session_end_height)
            .max()
            .expect("a relay");
        let chain = network.chain();
        chain.wait_until(last + SETTLED_AFTER);
        let blocks = chain.blocks(last + SETTLED_AFTER);
        Self {
            network,
            outcomes,
            journal,
            blocks,
            watch,
        }
    }

    fn last_height(&self) -> i64 {
        self.blocks.last().expect("a block").height
    }

    /// Answered relays, settled relays and leaves are the same; every claim was proven.
    fn check_relays(&self) {
        assert_eq!(
            self.journal.len(),
            self.outcomes.len(),
            "relays in the journal"
        );
        let mut answered: BTreeMap<_, u64> = BTreeMap::new();
        for entry in &self.journal {
            let key = (entry.session_id.clone(), entry.supplier.clone());
            *answered.entry(key).or_default() += 1;
        }
        assert_eq!(evidence::losses(&self.blocks), [""; 0]);
        let settled = evidence::settled_relays(&self.blocks);
        assert_eq!(settled, answered, "relays by session and supplier");
        let services = self.journal.iter().map(|entry| entry.service_id.as_str());
        let services: std::collections::BTreeSet<&str> = services.collect();
        assert_eq!(services.len(), 2, "both services were used");
        assert!(self.journal.iter().any(|entry| entry.stream), "streams");
        assert!(
            self.journal.iter().any(|entry| !entry.stream),
            "plain answers"
        );

        let events = self.blocks.iter().flat_map(|block| &block.events);
        let checked = events.filter(|event| event.kind == "pocket.proof.EventProofValidityChecked");
        let mut proven = 0;
        for event in checked {
            assert_eq!(event.text("failure_reason"), "", "{event:?}");
            assert_eq!(
                event.number("claim_proof_status_int"),
                1,
                "validated: {event:?}"
            );
            proven += 1;
        }
        assert_eq!(
            proven,
            settled.len(),
            "a valid proof for every settled claim"
        );

        let roots = evidence::claimed_roots(&self.blocks);
        let logs = self.watch.logs();
        assert_eq!(roots.len(), logs.len(), "a claim for every session log");
        for root in logs.iter().map(evidence::SessionLog::root) {
            assert!(
                roots.values().any(|claimed| *claimed == root),
                "root {}",
                hex::encode(root)
            );
        }
    }

    /// Every balance, every stake and the supply equal the second opinion.
    fn check_coins(&self) -> Ledger {
        let mut ledger = Ledger::from_genesis(&genesis(&self.network.data()));
        let before = ledger.clone();
        self.blocks.iter().for_each(|block| ledger.follow(block));
        let (chain, height) = (self.network.chain(), self.last_height());
        for (address, expected) in ledger.balances() {
            let request = QueryBalanceRequest {
                address: address.clone(),
                denom: "upokt".to_owned(),
            };
            let path = "/cosmos.bank.v1beta1.Query/Balance";
            let answer: QueryBalanceResponse = chain.query(path, &request, height).unwrap();
            let amount = answer
                .balance
                .map_or_else(|| "0".to_owned(), |coin| coin.amount);
            assert_eq!(amount, expected.to_string(), "balance of {address}");
        }
        for (address, expected) in ledger.applications() {
            let request = QueryGetApplicationRequest {
                address: address.clone(),
            };
            let path = "/pocket.application.Query/Application";
            let answer: QueryGetApplicationResponse = chain.query(path, &request, height).unwrap();
            let stake = answer.application.stake.expect("a stake").amount;
            assert_eq!(
                stake,
                expected.to_string(),
                "stake of application {address}"
            );
        }
        for (operator, expected) in ledger.supplier_stakes() {
            let request = QueryGetSupplierRequest {
                operator_address: operator.clone(),
                ..QueryGetSupplierRequest::default()
            };
            let path = "/pocket.supplier.Query/Supplier";
            let answer: QueryGetSupplierResponse = chain.query(path, &request, height).unwrap();
            let stake = answer.supplier.stake.expect("a stake").amount;
            assert_eq!(stake, expected.to_string(), "stake of supplier {operator}");
        }
        let request = QuerySupplyOfRequest {
            denom: "upokt".to_owned(),
        };
        let path = "/cosmos.bank.v1beta1.Query/SupplyOf";
        let answer: QuerySupplyOfResponse = chain.query(path, &request, height).unwrap();
        assert_eq!(answer.amount.amount, ledger.supply().to_string(), "supply");
        // No coin outside the accounts that were compared, and the pools cover the stakes.
        assert_eq!(
            ledger.balances().values().sum::<BigUint>(),
            *ledger.supply()
        );
        assert_eq!(
            ledger.applications().values().sum::<BigUint>(),
            *ledger.application_pool()
        );
        let stakes: BigUint = ledger.supplier_stakes().map(|(_, stake)| stake).sum();
        assert_eq!(stakes, *ledger.supplier_pool());
        assert_eq!(
            before.supply() + ledger.minted(),
            ledger.supply() + ledger.burned()
        );
        ledger
    }
}

#[test]
fn every_answer_is_paid_and_every_coin_accounted_for() {
    let run = Run::usual();
    run.check_relays();
    let ledger = run.check_coins();
    assert!(*ledger.burned() > BigUint::default());
    assert_eq!(
        ledger.minted(),
        ledger.burned(),
        "without inflation all that is burned is minted"
    );
}

#[test]
fn every_coin_is_accounted_for_with_inflation_and_deflation() {
    let run = Run::with(&[
        "tokenomics.global_inflation_per_claim=0.1",
        "tokenomics.mint_ratio=0.975",
    ]);
    run.check_relays();
    let ledger = run.check_coins();
    assert!(
        ledger.minted() > ledger.burned(),
        "a tenth more, less a fortieth"
    );
}
