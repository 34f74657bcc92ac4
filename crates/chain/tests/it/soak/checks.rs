//! What must hold after every block, computed from events and from the plain contents of the state.

use std::collections::{BTreeMap, BTreeSet};

use chain::auth::Account;
use chain::context::Context;
use chain::modules::{application, gateway, proof, supplier};
use chain::{auth, bank, distribution, staking};
use crypto::keys::Address;
use proto::cosmos::base::v1beta1::Coin;
use proto::cosmos::staking::v1beta1::BondStatus;
use tendermint_proto::v0_38::abci::{Event, ResponseFinalizeBlock};

use super::actors::{PEOPLE, VESTING, bound_at, name};
use super::panics;
use crate::support::{START, address};

/// Who claimed, and the end of the session: claims of one supplier for one application and service.
type ClaimKey = (String, String, String, String);

/// What the events of all blocks so far add up to.
#[derive(Default)]
pub(super) struct Checks {
    /// Supply at genesis by denomination, once seen.
    genesis: Option<BTreeMap<String, u128>>,
    minted: BTreeMap<String, u128>,
    burned: BTreeMap<String, u128>,
    /// Claims that were made and have no outcome yet.
    open: BTreeSet<ClaimKey>,
    done: BTreeSet<ClaimKey>,
}

fn attribute<'a>(event: &'a Event, key: &str) -> &'a str {
    let pair = event.attributes.iter().find(|pair| pair.key == key);
    pair.map_or("", |pair| pair.value.trim_matches('"'))
}

/// `5mact,10upokt` by denomination.
fn coins(text: &str) -> Vec<(String, u128)> {
    let parts = text.split(',').filter(|part| !part.is_empty());
    parts
        .map(|part| {
            let digits = part.bytes().take_while(u8::is_ascii_digit).count();
            (part[digits..].to_owned(), part[..digits].parse().unwrap())
        })
        .collect()
}

fn claim(event: &Event) -> ClaimKey {
    let of = |key| attribute(event, key).to_owned();
    (
        of("application_address"),
        of("service_id"),
        of("supplier_operator_address"),
        of("session_end_block_height"),
    )
}

impl Checks {
    /// Adds the events of a block.
    pub(super) fn block(&mut self, response: &ResponseFinalizeBlock) {
        for result in &response.tx_results {
            for event in &result.events {
                self.event(event);
            }
        }
        for event in &response.events {
            self.event(event);
        }
        assert_eq!(panics::seen(), 0, "something panicked");
    }

    fn event(&mut self, event: &Event) {
        let kind = event.r#type.as_str();
        match kind {
            "coinbase" | "burn" => {
                let sums = if kind == "burn" {
                    &mut self.burned
                } else {
                    &mut self.minted
                };
                for (denom, amount) in coins(attribute(event, "amount")) {
                    *sums.entry(denom).or_default() += amount;
                }
            }
            "pocket.proof.EventClaimCreated" => {
                let key = claim(event);
                assert!(
                    !self.done.contains(&key),
                    "claimed after its settlement: {key:?}"
                );
                self.open.insert(key);
            }
            "pocket.tokenomics.EventClaimSettled"
            | "pocket.tokenomics.EventClaimExpired"
            | "pocket.tokenomics.EventClaimDiscarded" => {
                let key = claim(event);
                assert!(self.done.insert(key.clone()), "settled twice: {key:?}");
            }
            _ => {}
        }
    }

    /// Checks the state after the block.
    pub(super) fn state(&mut self, ctx: &Context) {
        self.supply(ctx);
        stakes(ctx);
        pools(ctx);
        account_numbers(ctx);
        bound_coins(ctx);
        self.claims(ctx);
    }

    fn supply(&mut self, ctx: &Context) {
        let supply: BTreeMap<String, u128> = bank::total_supply(ctx)
            .unwrap()
            .iter()
            .map(|(denom, amount)| (denom.to_owned(), amount))
            .collect();
        let genesis = self.genesis.get_or_insert_with(|| supply.clone());
        let denoms: BTreeSet<&String> = genesis.keys().chain(supply.keys()).collect();
        let of =
            |sums: &BTreeMap<String, u128>, denom| sums.get(denom).copied().unwrap_or_default();
        for denom in denoms {
            let expected = of(genesis, denom) + of(&self.minted, denom) - of(&self.burned, denom);
            assert_eq!(of(&supply, denom), expected, "supply of {denom}");
        }
        let mut held = BTreeMap::<String, u128>::new();
        for balance in bank::genesis::export(ctx).unwrap().balances {
            for coin in balance.coins {
                *held.entry(coin.denom).or_default() += coin.amount.parse::<u128>().unwrap();
            }
        }
        assert_eq!(held, supply, "balances");
    }

    /// The claims in the state are those without outcome. A claim of the reference may carry any session end, so that it
    /// is counted under the one it was last made with.
    fn claims(&mut self, ctx: &Context) {
        let done = &self.done;
        self.open.retain(|key| !done.contains(key));
        for claim in proof::export_genesis(ctx).unwrap().claim_list {
            let header = claim.session_header.unwrap();
            let key = (
                header.application_address,
                header.service_id,
                claim.supplier_operator_address,
                header.session_end_block_height.to_string(),
            );
            assert!(
                !self.done.contains(&key),
                "settled, but still there: {key:?}"
            );
        }
    }
}

fn sum<'a>(stakes: impl Iterator<Item = &'a Option<Coin>>) -> u128 {
    stakes
        .flatten()
        .map(|coin| coin.amount.parse::<u128>().unwrap())
        .sum()
}

/// Module accounts hold what is staked.
fn stakes(ctx: &Context) {
    let held = |module: &str| bank::balance(ctx, &Address::module(module), "upokt").unwrap();
    let apps = application::all(ctx).unwrap();
    let gateways = gateway::all(ctx).unwrap();
    let suppliers = supplier::export_genesis(ctx).unwrap().supplier_list;
    let staked = [
        ("application", sum(apps.iter().map(|app| &app.stake))),
        (
            "gateway",
            sum(gateways.iter().map(|gateway| &gateway.stake)),
        ),
        (
            "supplier",
            sum(suppliers.iter().map(|supplier| &supplier.stake)),
        ),
    ];
    for (module, staked) in staked {
        assert!(
            held(module) >= staked,
            "{module}: {} held, {staked} staked",
            held(module)
        );
    }
}

/// The pools hold what validators have and what is unbonding; distribution holds what it owes.
fn pools(ctx: &Context) {
    let held = |module: &str| bank::balance(ctx, &Address::module(module), "upokt").unwrap();
    let number = |text: &str| text.parse::<u128>().unwrap();
    let staking = staking::genesis::export(ctx).unwrap();
    let (mut bonded, mut not_bonded) = (0, 0);
    for validator in &staking.validators {
        let pool = if validator.status == i32::from(BondStatus::Bonded) {
            &mut bonded
        } else {
            &mut not_bonded
        };
        *pool += number(&validator.tokens);
    }
    for unbonding in &staking.unbonding_delegations {
        not_bonded += unbonding
            .entries
            .iter()
            .map(|entry| number(&entry.balance))
            .sum::<u128>();
    }
    assert_eq!(held("bonded_tokens_pool"), bonded, "bonded");
    assert_eq!(held("not_bonded_tokens_pool"), not_bonded, "not bonded");

    let distribution = distribution::genesis::export(ctx).unwrap();
    let places = 10_u128.pow(18);
    let owed = distribution.outstanding_rewards.iter();
    let owed = owed.flat_map(|record| &record.outstanding_rewards);
    let owed = owed.chain(&distribution.fee_pool.community_pool);
    let owed: u128 = owed
        .filter(|coin| coin.denom == "upokt")
        .map(|coin| number(&coin.amount))
        .sum();
    let held = held("distribution");
    assert!(
        held * places >= owed,
        "distribution: {held} held, {owed} / 10^18 owed"
    );
}

/// Every account has a number of its own.
fn account_numbers(ctx: &Context) {
    let mut seen = BTreeSet::new();
    for any in auth::genesis::export(ctx).unwrap().accounts {
        let account = auth::Account::from_any(&any).unwrap();
        let base = account.base().unwrap();
        assert!(
            seen.insert(base.account_number),
            "{} twice",
            base.account_number
        );
    }
}

/// Nobody has given away coins that are still bound, other than by staking them.
fn bound_coins(ctx: &Context) {
    let seconds = START + ctx.block.height;
    for kind in 0..VESTING {
        let owner = address(&name(PEOPLE - VESTING + kind));
        let own = match auth::account(ctx, &owner).unwrap().unwrap() {
            Account::ContinuousVesting(own) => own.base_vesting_account,
            Account::DelayedVesting(own) => own.base_vesting_account,
            Account::PeriodicVesting(own) => own.base_vesting_account,
            Account::PermanentLocked(own) => own.base_vesting_account,
            other => panic!("{other:?} is no longer a vesting account"),
        };
        let staked = sum([own.unwrap().delegated_vesting.into_iter().next()].iter());
        let held = bank::balance(ctx, &owner, "upokt").unwrap();
        let bound = bound_at(kind, seconds);
        assert!(
            held + staked >= bound,
            "{kind}: {held} + {staked} of {bound} bound"
        );
    }
}
