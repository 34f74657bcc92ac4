//! A second opinion about every coin.
//!
//! Reads a genesis document and the results of blocks, nothing else, and says what every account, every stake and the
//! supply must be. Written from the rules of settlement (chain.md, section 3) with its own arithmetic; it shares no code
//! with `chain` or `protocol`, so that one mistake cannot hide another.
//!
//! What it takes from the blocks: fees that transactions paid, proofs that were submitted, and of each settled claim who,
//! which session and how many compute units. Every amount is computed here; amounts that events name are compared.

mod decimal;
mod settlement;
mod tests;
mod validators;

use std::collections::BTreeMap;

use num_bigint::BigUint;
use serde_json::Value;

use crate::support::chain::{Block, Event, upokt};
pub(crate) use decimal::Decimal;
use validators::Validator;

/// Accounts of modules: the first 20 bytes of SHA-256 of the name, as the chain's specification lists them.
const APPLICATION: &str = "pokt1rl3gjgzexmplmds3tq3r3yk84zlwdl6djzgsvm";
const SUPPLIER: &str = "pokt1j40dzzmn6cn9kxku7a5tjnud6hv37vesr5ccaa";
const PROOF: &str = "pokt1c8x6ycmzs29kjfn9zgzjh97txu578vzj4ahzhh";
const TOKENOMICS: &str = "pokt14cvnmzrt9cz4qdf5lhs0xn3u0a3gymla9cc6ft";
const FEE_COLLECTOR: &str = "pokt17xpfvakm2amg962yls6f84z3kell8c5ldlu5h9";
const BONDED: &str = "pokt1fl48vsnmsdzcv85q5d2q4z5ajdha8yu3gakm90";
const NOT_BONDED: &str = "pokt1tygms3xhhs3yv487phx3dw4a95jn7t7lua22nm";
const DISTRIBUTION: &str = "pokt1jv65s3grqf6v6jl3dp4t6c9t9rk99cd86emg48";

/// How an amount is shared out.
#[derive(Clone, Debug)]
struct Split {
    supplier: Decimal,
    proposer: Decimal,
    source: Decimal,
    application: Decimal,
}

/// Parameters that settlement uses.
#[derive(Clone, Debug)]
struct Params {
    /// Compute units to coins, and the granularity that divides it.
    multiplier: BigUint,
    granularity: BigUint,
    /// Sessions of an application that may be unpaid at once.
    pending_sessions: u64,
    proof_submission_fee: u64,
    mint_equals_burn: Split,
    global_mint: Split,
    inflation: Decimal,
    mint_ratio: Decimal,
    dao: String,
}

/// What a service costs and who gets its share.
#[derive(Clone, Debug)]
struct Service {
    compute_units_per_relay: u64,
    source: String,
}

/// One supplier: who shares what it earns, by service, in percent.
#[derive(Clone, Debug)]
struct Supplier {
    stake: BigUint,
    shares: BTreeMap<String, Vec<(String, u64)>>,
}

/// Every coin there is.
#[derive(Clone, Debug)]
pub(crate) struct Ledger {
    params: Params,
    services: BTreeMap<String, Service>,
    suppliers: BTreeMap<String, Supplier>,
    validators: Vec<Validator>,
    applications: BTreeMap<String, BigUint>,
    balances: BTreeMap<String, BigUint>,
    supply: BigUint,
    minted: BigUint,
    burned: BigUint,
    /// What each validator was given in the block that is followed: account, then the parts of the two mints.
    rewards: BTreeMap<String, [BigUint; 2]>,
}

impl Ledger {
    /// The state that a genesis document describes.
    pub(crate) fn from_genesis(document: &Value) -> Self {
        let state = &document["app_state"];
        let mut balances = BTreeMap::new();
        for entry in list(&state["bank"]["balances"]) {
            let coins = list(&entry["coins"])
                .iter()
                .filter(|coin| coin["denom"] == "upokt");
            let amount: BigUint = coins.map(|coin| big(&coin["amount"])).sum();
            balances.insert(text(&entry["address"]), amount);
        }
        let supply = balances.values().sum();
        let services = list(&state["service"]["service_list"])
            .iter()
            .map(|service| {
                let read = Service {
                    compute_units_per_relay: number(&service["compute_units_per_relay"]),
                    source: text(&service["owner_address"]),
                };
                (text(&service["id"]), read)
            });
        let suppliers = list(&state["supplier"]["supplierList"])
            .iter()
            .map(|supplier| {
                let configs = list(&supplier["services"]).iter();
                let read = Supplier {
                    stake: big(&supplier["stake"]["amount"]),
                    shares: configs.map(shares).collect(),
                };
                (text(&supplier["operator_address"]), read)
            });
        let applications =
            list(&state["application"]["application_list"])
                .iter()
                .map(|application| {
                    (
                        text(&application["address"]),
                        big(&application["stake"]["amount"]),
                    )
                });
        let mut ledger = Self {
            params: Params::read(state),
            services: services.collect(),
            suppliers: suppliers.collect(),
            validators: Validator::read_all(state),
            applications: applications.collect(),
            balances,
            supply,
            minted: BigUint::default(),
            burned: BigUint::default(),
            rewards: BTreeMap::new(),
        };
        ledger.bond_validators();
        ledger
    }

    /// Follows a block.
    pub(crate) fn follow(&mut self, block: &Block) {
        self.distribute_fees(block.height);
        for transaction in &block.transactions {
            for (url, _) in transaction.messages() {
                let known = [
                    "/pocket.proof.MsgCreateClaim",
                    "/pocket.proof.MsgSubmitProof",
                ];
                assert!(
                    known.contains(&url.as_str()),
                    "block {}: {url} in a run of relays",
                    block.height
                );
            }
            for event in &transaction.events {
                self.follow_transaction(event, transaction.code == 0);
            }
        }
        let settled = block
            .events
            .iter()
            .filter(|event| event.kind.ends_with(".EventClaimSettled"));
        self.settle(block.height, &settled.collect::<Vec<_>>());
        self.check_validators(block);
    }

    fn follow_transaction(&mut self, event: &Event, succeeded: bool) {
        match event.kind.as_str() {
            "tx" if event.has("fee") => {
                let fee = BigUint::from(upokt(event.raw("fee")));
                self.transfer(event.raw("fee_payer"), FEE_COLLECTOR, &fee);
            }
            "pocket.proof.EventProofSubmitted" | "pocket.proof.EventProofUpdated" if succeeded => {
                let fee = BigUint::from(self.params.proof_submission_fee);
                self.transfer(&event.text("supplier_operator_address"), PROOF, &fee);
            }
            _ => {}
        }
    }

    fn transfer(&mut self, from: &str, to: &str, amount: &BigUint) {
        self.take(from, amount);
        *self.balances.entry(to.to_owned()).or_default() += amount;
    }

    fn take(&mut self, from: &str, amount: &BigUint) {
        let balance = self.balances.entry(from.to_owned()).or_default();
        assert!(
            *balance >= *amount,
            "{from} has {balance} and pays {amount}"
        );
        *balance -= amount;
    }

    fn mint(&mut self, amount: &BigUint) {
        *self.balances.entry(TOKENOMICS.to_owned()).or_default() += amount;
        self.minted += amount;
        self.supply += amount;
    }

    fn burn(&mut self, from: &str, amount: &BigUint) {
        self.take(from, amount);
        self.burned += amount;
        self.supply -= amount;
    }

    /// Every account that ever had a coin.
    pub(crate) fn balances(&self) -> &BTreeMap<String, BigUint> {
        &self.balances
    }

    /// Stakes of applications.
    pub(crate) fn applications(&self) -> &BTreeMap<String, BigUint> {
        &self.applications
    }

    /// Stakes of suppliers.
    pub(crate) fn supplier_stakes(&self) -> impl Iterator<Item = (&String, &BigUint)> {
        self.suppliers
            .iter()
            .map(|(operator, supplier)| (operator, &supplier.stake))
    }

    /// All coins.
    pub(crate) fn supply(&self) -> &BigUint {
        &self.supply
    }

    /// Coins made since genesis.
    pub(crate) fn minted(&self) -> &BigUint {
        &self.minted
    }

    /// Coins destroyed since genesis.
    pub(crate) fn burned(&self) -> &BigUint {
        &self.burned
    }

    /// The account that holds every application's stake.
    pub(crate) fn application_pool(&self) -> &BigUint {
        &self.balances[APPLICATION]
    }

    /// The account that holds every supplier's stake.
    pub(crate) fn supplier_pool(&self) -> &BigUint {
        &self.balances[SUPPLIER]
    }
}

impl Params {
    fn read(state: &Value) -> Self {
        let (shared, tokenomics) = (&state["shared"]["params"], &state["tokenomics"]["params"]);
        let offsets = [
            "claim_window_open_offset_blocks",
            "claim_window_close_offset_blocks",
            "proof_window_open_offset_blocks",
            "proof_window_close_offset_blocks",
        ];
        let blocks: u64 = offsets.iter().map(|name| number(&shared[*name])).sum();
        Self {
            multiplier: big(&shared["compute_units_to_tokens_multiplier"]),
            granularity: big(&shared["compute_unit_cost_granularity"]),
            pending_sessions: blocks.div_ceil(number(&shared["num_blocks_per_session"])),
            proof_submission_fee: number(
                &state["proof"]["params"]["proof_submission_fee"]["amount"],
            ),
            mint_equals_burn: Split::read(&tokenomics["mint_equals_burn_claim_distribution"]),
            global_mint: Split::read(&tokenomics["mint_allocation_percentages"]),
            inflation: Decimal::read(&tokenomics["global_inflation_per_claim"]),
            mint_ratio: Decimal::read(&tokenomics["mint_ratio"]),
            dao: text(&tokenomics["dao_reward_address"]),
        }
    }
}

impl Split {
    fn read(value: &Value) -> Self {
        let share = |name: &str| Decimal::read(&value[name]);
        Self {
            supplier: share("supplier"),
            proposer: share("proposer"),
            source: share("source_owner"),
            application: share("application"),
        }
    }
}

fn shares(config: &Value) -> (String, Vec<(String, u64)>) {
    let shares = list(&config["rev_share"]).iter();
    let shares = shares.map(|share| {
        (
            text(&share["address"]),
            number(&share["rev_share_percentage"]),
        )
    });
    (text(&config["service_id"]), shares.collect())
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("{value} is no text"))
        .to_owned()
}

fn number(value: &Value) -> u64 {
    let text = text(value);
    text.parse()
        .unwrap_or_else(|_| panic!("{value} is no quoted integer"))
}

fn big(value: &Value) -> BigUint {
    let text = text(value);
    text.parse()
        .unwrap_or_else(|_| panic!("{value} is no quoted integer"))
}
