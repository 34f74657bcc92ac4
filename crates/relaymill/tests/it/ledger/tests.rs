//! The second opinion against figures published with the rules (chain.md, section 3.9).

use num_bigint::BigUint;
use serde_json::{Value, json};

use super::{Decimal, Ledger, TOKENOMICS};
use crate::support::chain::Event;

fn genesis() -> Value {
    let coin = |amount: &str| json!({"denom": "upokt", "amount": amount});
    let balance =
        |address: &str, amount: &str| json!({"address": address, "coins": [coin(amount)]});
    let supplier = |operator: &str, second: &str| {
        json!({
            "operator_address": operator,
            "stake": coin("1"),
            "services": [{"service_id": "s", "rev_share": [
                {"address": operator, "rev_share_percentage": "80"},
                {"address": second, "rev_share_percentage": "20"},
            ]}],
        })
    };
    json!({"app_state": {
        "bank": {"balances": [
            balance(super::APPLICATION, "1000000000"),
            balance(super::SUPPLIER, "2"),
        ]},
        "service": {"service_list": [
            {"id": "s", "compute_units_per_relay": "2500", "owner_address": "source"},
        ]},
        "supplier": {"supplierList": [supplier("a", "a2"), supplier("b", "b2")]},
        "application": {"application_list": [{"address": "app", "stake": coin("1000000000")}]},
        "shared": {"params": {
            "num_blocks_per_session": "20",
            "claim_window_open_offset_blocks": "11",
            "claim_window_close_offset_blocks": "10",
            "proof_window_open_offset_blocks": "1",
            "proof_window_close_offset_blocks": "10",
            "compute_units_to_tokens_multiplier": "145990",
            "compute_unit_cost_granularity": "1000000",
        }},
        "proof": {"params": {"proof_submission_fee": coin("1")}},
        "tokenomics": {"params": {
            "dao_reward_address": "dao",
            "global_inflation_per_claim": 1e-6,
            "mint_ratio": 0.975,
            "mint_equals_burn_claim_distribution":
                {"dao": 0.045, "proposer": 0.14, "supplier": 0.79, "source_owner": 0.025, "application": 0},
            "mint_allocation_percentages":
                {"dao": 0.1, "proposer": 0, "supplier": 0.8, "source_owner": 0.1, "application": 0},
        }},
    }})
}

fn settled(supplier: &str, relays: u64, amounts: [u64; 5]) -> Event {
    let coin = |amount: u64| format!("{amount}upokt");
    let [claimed, settled, minted, overserviced, deflation] = amounts.map(coin);
    let attributes = [
        ("application_address", "app".to_owned()),
        ("session_id", "session".to_owned()),
        ("supplier_operator_address", supplier.to_owned()),
        ("service_id", "s".to_owned()),
        ("num_relays", relays.to_string()),
        ("num_claimed_compute_units", (relays * 2_500).to_string()),
        ("claimed_upokt", claimed),
        ("settled_upokt", settled),
        ("minted_upokt", minted),
        ("overservicing_loss_upokt", overserviced),
        ("deflation_loss_upokt", deflation),
    ];
    let attributes =
        attributes.map(|(key, value)| json!({"key": key, "value": json!(value).to_string()}));
    Event::read(&json!({"type": "pocket.tokenomics.EventClaimSettled", "attributes": attributes}))
}

/// The published example has a difficulty that multiplies by four; at the base difficulty, which ours has, four times the
/// relays are the same work: 900 leaves count as 3,600 relays, 300,000 as 1,200,000.
#[test]
fn the_published_example_comes_out() {
    let mut ledger = Ledger::from_genesis(&genesis());
    let a = settled("a", 3_600, [1_313_910, 1_313_910, 1_281_062, 0, 32_848]);
    let b = settled(
        "b",
        1_200_000,
        [
            437_970_000,
            249_999_750,
            243_749_756,
            187_970_250,
            6_249_994,
        ],
    );
    ledger.settle(33, &[&a, &b]);
    let of = |address: &str| ledger.balances()[address].clone();
    let expected = [
        ("a", 809_631 + 1),
        ("a2", 202_407),
        ("b", 154_049_846 + 160),
        ("b2", 38_512_461 + 40),
        ("source", 32_026 + 6_093_743 + 25),
        ("dao", 57_650 + 1 + 2 + 10_968_741 + 25 + 250),
        (TOKENOMICS, 179_348 + 34_124_965),
    ];
    for (address, amount) in expected {
        assert_eq!(of(address), BigUint::from(amount as u64), "{address}");
    }
    assert_eq!(ledger.applications()["app"], BigUint::from(748_686_088_u64));
    assert_eq!(*ledger.application_pool(), BigUint::from(748_686_088_u64));
    assert_eq!(*ledger.burned(), BigUint::from(251_313_660_u64));
    assert_eq!(*ledger.minted(), BigUint::from(245_030_818_u64 + 252));
    assert_eq!(
        *ledger.supply(),
        ledger.balances().values().sum::<BigUint>()
    );
}

#[test]
fn decimals_are_exact() {
    let million = BigUint::from(1_000_000_u32);
    assert_eq!(
        Decimal::parse("0.975").floor_of(&million),
        BigUint::from(975_000_u32)
    );
    assert_eq!(
        Decimal::parse("1e-6").ceil_of(&BigUint::from(1_u8)),
        BigUint::from(1_u8)
    );
    assert_eq!(
        Decimal::parse("2.5e1").floor_of(&million),
        BigUint::from(25_000_000_u32)
    );
    assert!(Decimal::parse("0.0").is_zero());
}
