//! `tokenomics.supplier_shareholder_split`: settlements that pay a supplier exactly the amounts of the vectors.

use std::collections::BTreeMap;

use num_bigint::BigUint;
use proto::pocket::service::RelayMiningDifficulty;
use proto::pocket::session::SessionHeader;
use proto::pocket::tokenomics::MintEqualsBurnClaimDistribution;
use serde_json::Value;

use super::settlements::set_rev_share;
use crate::error::ChainError;
use crate::modules::proof::tests::world::*;
use crate::modules::service;
use crate::modules::tokenomics::end_block;
use crate::rules::Rules;
use crate::testing::TestChain;

const SERVICE: &str = "svc-a";

/// A chain on which one relay of one compute unit is worth `amount`, all of it the supplier's.
fn chain_paying(amount: u128) -> TestChain {
    let mut world = World::new();
    world.proof = proof_params(0.0, u128::MAX, 1, 1);
    // Compute units are counted in 64 bits.
    let price = if amount >> 63 == 0 {
        1
    } else {
        1_000_000_000_000_000
    };
    world.shared.compute_units_to_tokens_multiplier = price;
    world.shared.compute_unit_cost_granularity = 1;
    world.tokenomics.global_inflation_per_claim = 0.0;
    world.tokenomics.mint_ratio = 1.0;
    world.tokenomics.mint_equals_burn_claim_distribution = MintEqualsBurnClaimDistribution {
        supplier: 1.0,
        ..Default::default()
    };
    world.service(SERVICE, 1, &person("source"));
    world.application(&person("app"), SERVICE, amount * 4);
    let whole = [(person("owner"), 100)];
    world.supplier(&person("operator"), &person("owner"), SERVICE, &whole, 1);
    let mut chain = world.start(Rules::reference());
    let base = BigUint::from_bytes_be(&[0xff; 32]);
    let target = (base * price / amount).to_bytes_be();
    let mut target_hash = vec![0; 32 - target.len()];
    target_hash.extend(target);
    let difficulty = RelayMiningDifficulty {
        service_id: SERVICE.to_owned(),
        block_height: 1,
        num_relays_ema: 1,
        target_hash: target_hash.into(),
    };
    chain
        .run(|ctx| service::set_difficulty(ctx, difficulty.clone(), difficulty))
        .unwrap();
    chain
}

/// Settles one claim; who got what, in the order of payment, and the reason of a fallback.
fn settle(chain: &mut TestChain) -> (Vec<(String, u128)>, Option<String>) {
    let header = SessionHeader {
        application_address: person("app"),
        service_id: SERVICE.to_owned(),
        session_id: "5e".repeat(32),
        session_start_block_height: 101,
        session_end_block_height: 120,
    };
    put_claim(chain, &claim_of(&header, &person("operator"), 1, 1, 0));
    chain.go_to(153);
    let events = chain
        .run(|ctx| {
            end_block(ctx)?;
            Ok::<_, ChainError>(typed_events(ctx))
        })
        .unwrap();
    let value = |kind: &str, key: &str| -> Option<Value> {
        let (_, attributes) = events.iter().find(|(name, _)| name.ends_with(kind))?;
        let (_, value) = attributes.iter().find(|(name, _)| name == key)?;
        Some(serde_json::from_str(value).unwrap())
    };
    let details = value("EventClaimSettled", "reward_distribution_detailed").unwrap();
    let paid = list(&details).iter().map(|detail| {
        let amount = text(&detail["amount"]).trim_end_matches("upokt");
        (
            text(&detail["recipient_address"]).to_owned(),
            amount.parse().unwrap(),
        )
    });
    let fallback = value("EventSupplierRevShareFallbackDistribution", "reason");
    (
        paid.collect(),
        fallback.map(|reason| text(&reason).to_owned()),
    )
}

#[test]
fn shareholders_get_what_they_get_in_the_reference() {
    let (mut split, mut fallen_back) = (0, 0);
    for case in list(&poktroll()["tokenomics"]["supplier_shareholder_split"]) {
        let shares = case["rev_share"].as_array().map_or(&[][..], Vec::as_slice);
        let amount: u128 = number(&case["amount"]);
        let percentages = shares.iter().filter(|share| !share.is_null());
        let percentages = percentages.map(|share| number::<u128>(&share["pct"]));
        let sum: u128 = percentages.sum();
        // Nothing to split; an entry that exists only in Go; a sum of 64 bits that wrapped to 100.
        let is_null = shares.iter().any(Value::is_null);
        if amount == 0 || is_null || (case["error"].is_null() && sum != 100) {
            continue;
        }
        let mut chain = chain_paying(amount);
        set_rev_share(&mut chain, &person("operator"), shares);
        let (paid, fallback) = settle(&mut chain);
        if let Some(reason) = case["error"].as_str() {
            assert_eq!(fallback.as_deref(), Some(reason), "{case}");
            assert_eq!(paid, [(person("owner"), amount)], "{case}");
            fallen_back += 1;
            continue;
        }
        // By address, and nothing for nothing.
        let expected: BTreeMap<String, u128> = case["result"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(address, amount)| (address.clone(), number(amount)))
            .filter(|(_, amount)| *amount > 0)
            .collect();
        assert_eq!(paid, expected.into_iter().collect::<Vec<_>>(), "{case}");
        split += 1;
    }
    assert_eq!((split, fallen_back), (34, 3));
}
