//! The worked example of chain specification 3.9, to the coin.

use crypto::keys::VALOPER_PREFIX;
use proto::cosmos::crypto::ed25519::PubKey;
use proto::cosmos::staking::v1beta1::{
    BondStatus, Commission, CommissionRates, Delegation, GenesisState, Validator,
};
use proto::pocket::service::RelayMiningDifficulty;
use proto::pocket::session::SessionHeader;

use super::rules::value_of;
use crate::bank;
use crate::error::ChainError;
use crate::modules::proof::tests::world::*;
use crate::modules::shared::coin;
use crate::modules::tokenomics::{settlement, validators};
use crate::modules::{application, service};
use crate::rules::Rules;
use crate::staking;
use crate::testing::TestChain;

/// Bonds validators, each with a stake of its own and no commission.
fn bond(chain: &mut TestChain, stakes: &[(&str, u128)]) {
    let validator = |(name, tokens): &(&str, u128)| Validator {
        operator_address: operator(name),
        consensus_pubkey: Some(proto::any::pack(&PubKey {
            key: crypto::hash::sha256(name.as_bytes()).to_vec().into(),
        })),
        status: BondStatus::Unbonded.into(),
        tokens: tokens.to_string(),
        delegator_shares: format!("{tokens}{:018}", 0),
        commission: Commission {
            commission_rates: CommissionRates {
                rate: "0".to_owned(),
                max_rate: "0".to_owned(),
                max_change_rate: "0".to_owned(),
            },
            ..Default::default()
        },
        min_self_delegation: "1".to_owned(),
        ..Default::default()
    };
    let delegation = |(name, tokens): &(&str, u128)| Delegation {
        delegator_address: person(name),
        validator_address: operator(name),
        shares: format!("{tokens}{:018}", 0),
    };
    let section = GenesisState {
        params: staking::default_params(),
        validators: stakes.iter().map(validator).collect(),
        delegations: stakes.iter().map(delegation).collect(),
        ..Default::default()
    };
    let staked = bank::upokt(stakes.iter().map(|(_, tokens)| tokens).sum());
    chain
        .run(|ctx| {
            bank::mint(ctx, "tokenomics", std::slice::from_ref(&staked))?;
            bank::module_to_module(ctx, "tokenomics", staking::NOT_BONDED, &[staked])
        })
        .unwrap();
    chain
        .run(|ctx| staking::genesis::init(ctx, &section))
        .unwrap();
    let bonded = chain.read(validators).unwrap();
    assert_eq!(bonded.len(), stakes.len());
}

fn operator(name: &str) -> String {
    parse(&person(name)).to_bech32_with(VALOPER_PREFIX)
}

#[test]
fn the_worked_example() {
    for rules in [Rules::reference(), Rules::mended()] {
        let mut world = World::new();
        // Nobody draws: all claims settle without proof.
        world.proof = proof_params(0.0, u128::MAX, 1, 1);
        world.application_min_stake = 1_000_000_000;
        world.service("llm", 2_500, &person("source"));
        world.application(&person("app"), "llm", 1_000_000_000);
        let mut operators = [person("A"), person("B")];
        operators.sort();
        let [a, b] = operators;
        for operator in [&a, &b] {
            let shares = [(person("first"), 80), (person("second"), 20)];
            world.supplier(operator, &person("owner"), "llm", &shares, 60_000_000_000);
        }
        let mut chain = world.start(rules);
        let mut target = vec![0xff; 32];
        target[0] = 0x3f;
        let difficulty = RelayMiningDifficulty {
            service_id: "llm".to_owned(),
            block_height: 1,
            num_relays_ema: 1,
            target_hash: target.into(),
        };
        chain
            .run(|ctx| service::set_difficulty(ctx, difficulty.clone(), difficulty))
            .unwrap();
        let header = SessionHeader {
            application_address: person("app"),
            service_id: "llm".to_owned(),
            session_id: "5e".repeat(32),
            session_start_block_height: 101,
            session_end_block_height: 120,
        };
        put_claim(&mut chain, &claim_of(&header, &a, 900, 2_500, 0));
        put_claim(&mut chain, &claim_of(&header, &b, 300_000, 2_500, 0));
        bond(
            &mut chain,
            &[
                ("v1", 50_000_000_000_000),
                ("v2", 30_000_000_000_000),
                ("v3", 380_000_000_001),
            ],
        );
        chain.go_to(153);
        let before = balances(&chain);
        let (relays, events) = chain
            .run(|ctx| {
                let relays = settlement::settle(ctx, validators)?;
                Ok::<_, ChainError>((relays, typed_events(ctx)))
            })
            .unwrap();
        assert_eq!(relays["llm"], 300_900);

        let settled: Vec<&Seen> = events
            .iter()
            .filter(|(kind, _)| kind.ends_with("EventClaimSettled"))
            .collect();
        let rows = [
            ("num_estimated_compute_units", "9000000", "3000000000"),
            ("num_estimated_relays", "3600", "1200000"),
            ("claimed_upokt", "1313910upokt", "437970000upokt"),
            ("settled_upokt", "1313910upokt", "249999750upokt"),
            ("minted_upokt", "1281062upokt", "243749756upokt"),
            ("deflation_loss_upokt", "32848upokt", "6249994upokt"),
        ];
        for (name, of_a, of_b) in rows {
            assert_eq!(value_of(settled[0], name), of_a, "{name}");
            assert_eq!(value_of(settled[1], name), of_b, "{name}");
        }
        let overserviced: Vec<&Seen> = events
            .iter()
            .filter(|(kind, _)| kind.ends_with("Overserviced"))
            .collect();
        assert_eq!(overserviced.len(), 1);
        assert_eq!(value_of(overserviced[0], "expected_burn"), "437970438upokt");
        assert_eq!(
            value_of(overserviced[0], "effective_burn"),
            "250000000upokt"
        );
        let stops = events
            .iter()
            .filter(|(kind, _)| kind.ends_with("ApplicationUnbondingBegin"));
        assert_eq!(stops.count(), 2);

        let app = chain
            .read(|ctx| application::get(ctx, &person("app")))
            .unwrap()
            .unwrap();
        assert_eq!(coin::stored(app.stake.as_ref()).unwrap(), 748_686_088);
        let after = balances(&chain);
        let gained = |who: &str| {
            after.get(&person(who)).copied().unwrap_or_default()
                - before.get(&person(who)).copied().unwrap_or_default()
        };
        assert_eq!(gained("first"), 809_631 + 154_049_846 + 1 + 160);
        assert_eq!(gained("second"), 202_407 + 38_512_461 + 40);
        assert_eq!(gained("source"), 32_026 + 6_093_743 + 25);
        assert_eq!(gained("the dao"), 57_650 + 10_968_741 + 1 + 25 + 252);
        // 34,304,313 by tokens; the unit left over goes to the second.
        assert_eq!(gained("v1"), 21_338_836);
        assert_eq!(gained("v2"), 12_803_302);
        assert_eq!(gained("v3"), 162_175);
        assert_eq!(gained("tokenomics"), 0);
        let burned = 251_313_660;
        let minted = 245_030_818 + 252;
        assert_eq!(before["supply"] - after["supply"], burned - minted);
        let held = chain.read(|ctx| bank::balance(ctx, &parse(&person("application")), "upokt"));
        assert_eq!(held.unwrap(), 748_686_088);
    }
}
