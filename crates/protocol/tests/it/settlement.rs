//! Caps, splits and distributions, to the coin.

use std::collections::BTreeMap;

use proptest::prelude::*;
use protocol::claim::{ClaimedWork, Pricing, estimated_relays};
use protocol::decimal::Ratio;
use protocol::settlement::{
    ATTO, Delegation, Percentages, SessionBudget, Validator, burn_equals_mint, distribute,
    global_mint, largest_remainder, shareholders, split, with_surcharge,
};
use protocol::{ProtocolError, Upokt};
use serde_json::Value;

use crate::vectors::{list, number, poktroll, text};

fn ratio(value: f64) -> Ratio {
    Ratio::from_double(value).unwrap()
}

fn percentages(supplier: f64, proposer: f64, source: f64, application: f64) -> Percentages {
    Percentages {
        supplier: ratio(supplier),
        proposer: ratio(proposer),
        source_owner: ratio(source),
        application: ratio(application),
    }
}

/// The worked example of chain §3.9.
#[test]
fn the_worked_example() {
    let mut target = [0xff; 32];
    target[0] = 0x3f;
    let pricing = Pricing::new(&target, 145_990, 1_000_000).unwrap();
    let inflation = ratio(1e-6);
    let work = [900, 300_000].map(|relays| ClaimedWork {
        relays,
        compute_units: relays * 2_500,
    });
    let claimed = work.map(|work| pricing.claimed(&work).unwrap());
    assert_eq!(
        work.map(|w| pricing.estimated_compute_units(&w).unwrap()),
        [9_000_000, 3_000_000_000]
    );
    assert_eq!(
        work.map(|w| estimated_relays(&w, pricing.estimated_compute_units(&w).unwrap())),
        [3_600, 1_200_000]
    );
    assert_eq!(claimed, [Upokt(1_313_910), Upokt(437_970_000)]);
    let surcharged = claimed.map(|claimed| with_surcharge(claimed, &inflation).unwrap());
    assert_eq!(surcharged, [Upokt(1_313_912), Upokt(437_970_438)]);

    let mut budget = SessionBudget::new(Upokt(1_000_000_000), None, 2, 2);
    assert_eq!(budget.floor, Upokt(250_000_000));
    for surcharged in surcharged {
        budget.count(surcharged).unwrap();
    }
    let capped = claimed.map(|claimed| budget.cap(claimed, &inflation, 1).unwrap());
    assert_eq!(
        capped.map(|c| c.settled),
        [Upokt(1_313_910), Upokt(249_999_750)]
    );
    assert_eq!(capped[1].expected_burn, Upokt(437_970_438));
    assert_eq!(capped[1].effective_burn, Upokt(250_000_000));
    assert_eq!(capped[0].expected_burn, capped[0].effective_burn);

    let of_burn = percentages(0.79, 0.14, 0.025, 0.0);
    let of_mint = percentages(0.8, 0.0, 0.1, 0.0);
    let mut proposer_pool = Upokt::ZERO;
    let mut stake = Upokt(1_000_000_000);
    let expected = [
        (
            1_281_062,
            1_012_038,
            [809_631, 202_407],
            179_348,
            32_026,
            57_650,
            2,
            [1, 0, 1],
            [1, 0],
        ),
        (
            243_749_756,
            192_562_307,
            [154_049_846, 38_512_461],
            34_124_965,
            6_093_743,
            10_968_741,
            250,
            [200, 25, 25],
            [160, 40],
        ),
    ];
    let stakes_after = [998_686_088, 748_686_088];
    for ((capped, expected), after) in capped.iter().zip(expected).zip(stakes_after) {
        let (
            minted,
            supplier,
            holders,
            proposer,
            source,
            dao,
            global,
            global_shares,
            global_holders,
        ) = expected;
        let burned = burn_equals_mint(capped.settled, &ratio(0.975), &of_burn).unwrap();
        assert_eq!(burned.minted, Upokt(minted));
        let shares = burned.shares;
        assert_eq!(shares.supplier, Upokt(supplier));
        assert_eq!(shares.proposer, Upokt(proposer));
        assert_eq!(shares.source_owner, Upokt(source));
        assert_eq!(shares.application, Upokt::ZERO);
        assert_eq!(shares.dao, Upokt(dao));
        let split = |amount| shareholders(amount, [("zz-first", 80), ("aa-second", 20)]).unwrap();
        let paid = split(shares.supplier);
        assert_eq!([paid["zz-first"], paid["aa-second"]], holders.map(Upokt));

        let minted = global_mint(capped.settled, &inflation, &of_mint)
            .unwrap()
            .unwrap();
        assert_eq!(minted.minted, Upokt(global));
        let shares = minted.shares;
        assert_eq!(
            [shares.supplier, shares.source_owner, shares.dao],
            global_shares.map(Upokt)
        );
        let paid = split(shares.supplier);
        assert_eq!(
            [paid["zz-first"], paid["aa-second"]],
            global_holders.map(Upokt)
        );

        proposer_pool = proposer_pool.plus(burned.shares.proposer).unwrap();
        stake = stake
            .minus(capped.settled)
            .unwrap()
            .minus(minted.minted)
            .unwrap();
        if after == stakes_after[0] {
            assert_eq!(stake, Upokt(after));
        }
    }
    // Each row of the example's last line counts from the stake before the settlement.
    assert_eq!(stake, Upokt(998_686_088 - (1_000_000_000 - 750_000_000)));
    assert_eq!(proposer_pool, Upokt(34_304_313));
    let weights = [
        ("a", 50_000_000_000_000),
        ("b", 30_000_000_000_000),
        ("c", 380_000_000_001),
    ];
    let shares = largest_remainder(proposer_pool, &weights).unwrap();
    assert_eq!(
        shares,
        [Upokt(21_338_836), Upokt(12_803_302), Upokt(162_175)]
    );
}

/// `tokenomics.supplier_shareholder_split`.
#[test]
fn shareholder_splits_of_the_reference() {
    let mut compared = 0;
    for case in list(&poktroll()["tokenomics"]["supplier_shareholder_split"]) {
        let list = case["rev_share"].as_array().into_iter().flatten();
        let list: Vec<&Value> = list.collect();
        if list.iter().any(|entry| entry.is_null()) {
            // A missing entry exists only in Go.
            continue;
        }
        let revenue_share = list
            .iter()
            .map(|entry| (text(&entry["address"]), number(&entry["pct"])));
        let percentages = list.iter().map(|entry| number::<u128>(&entry["pct"]));
        if case["error"].is_null() && percentages.sum::<u128>() != 100 {
            // The reference's sum of 64 bits wrapped to 100.
            let ours = shareholders(Upokt(number(&case["amount"])), revenue_share);
            assert!(
                matches!(ours, Err(ProtocolError::RevenueShare(_))),
                "{case}"
            );
            continue;
        }
        match shareholders(Upokt(number(&case["amount"])), revenue_share) {
            Ok(shares) => {
                let expected: BTreeMap<&str, Upokt> = case["result"]
                    .as_object()
                    .unwrap()
                    .iter()
                    .map(|(address, amount)| (address.as_str(), Upokt(number(amount))))
                    .collect();
                assert_eq!(shares, expected, "{case}");
            }
            Err(error) => {
                assert_eq!(
                    Some(error.to_string().as_str()),
                    case["error"].as_str(),
                    "{case}"
                );
            }
        }
        compared += 1;
    }
    assert!(compared >= 36, "{compared}");
}

/// A decimal of 18 places.
fn atto(text: &str) -> u128 {
    let (whole, places) = text.split_once('.').unwrap_or((text, ""));
    let places = format!("{places:0<18}");
    whole.parse::<u128>().unwrap() * ATTO + places.parse::<u128>().unwrap()
}

/// After a slash a few shares stand for no token: their holder is no delegator of the event.
#[test]
fn shares_without_a_token_have_no_holder() {
    let delegation = |name: &str, shares| Delegation {
        delegator: name.to_owned(),
        shares,
    };
    let mut validator = Validator {
        account: "val".to_owned(),
        tokens: 10,
        delegator_shares: 1_000 * ATTO,
        commission_rate: ATTO / 10,
        delegations: vec![delegation("val", 990 * ATTO), delegation("del", 10 * ATTO)],
    };
    let of = |validator: &Validator| {
        let divided = distribute(Upokt(100), std::slice::from_ref(validator)).unwrap();
        let reward = divided.rewards[0].clone();
        (
            reward.num_delegators,
            reward.delegated_tokens,
            divided.transfers,
        )
    };
    let all = BTreeMap::from([("val".to_owned(), Upokt(100))]);
    assert_eq!(of(&validator), (0, 9, all.clone()));
    validator.delegations.remove(0);
    assert_eq!(of(&validator), (0, 0, all));
}

/// `tokenomics.validator_distribution`: recipients, and the parts that events report.
#[test]
fn validator_distributions_of_the_reference() {
    for case in list(&poktroll()["tokenomics"]["validator_distribution"]) {
        let validators: Vec<Validator> = case["validators"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|v| Validator {
                account: text(&v["account"]).to_owned(),
                tokens: number(&v["tokens"]),
                delegator_shares: atto(text(&v["delegator_shares"])),
                commission_rate: atto(text(&v["commission_rate"])),
                delegations: v["delegations"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .map(|d| Delegation {
                        delegator: text(&d["delegator"]).to_owned(),
                        shares: atto(text(&d["shares"])),
                    })
                    .collect(),
            })
            .collect();
        let pool = Upokt(
            text(&case["amount"])
                .trim_end_matches("upokt")
                .parse()
                .unwrap(),
        );
        let distribution = distribute(pool, &validators).unwrap();

        let transfers = case["transfers"]["mod_to_acct"]
            .as_array()
            .into_iter()
            .flatten();
        let expected: BTreeMap<String, Upokt> = transfers
            .map(|transfer| {
                let amount = text(&transfer[2])
                    .trim_end_matches("upokt")
                    .parse()
                    .unwrap();
                (text(&transfer[1]).to_owned(), Upokt(amount))
            })
            .collect();
        assert_eq!(distribution.transfers, expected, "{case}");

        let attributes = |event: &Value| -> BTreeMap<String, String> {
            let pairs = list(&event["attributes"]).iter();
            pairs
                .map(|pair| {
                    (
                        text(&pair[0]).to_owned(),
                        text(&pair[1]).trim_matches('"').to_owned(),
                    )
                })
                .collect()
        };
        let events = case["events"]
            .as_array()
            .into_iter()
            .flatten()
            .map(attributes);
        let mut events: Vec<_> = events.collect();
        events.sort_by(|a, b| a["validator_account_address"].cmp(&b["validator_account_address"]));
        assert_eq!(distribution.rewards.len(), events.len(), "{case}");
        for (ours, theirs) in distribution.rewards.iter().zip(&events) {
            let their = |name: &str| theirs[name].parse::<u128>().unwrap();
            assert_eq!(ours.account, theirs["validator_account_address"]);
            assert_eq!(ours.pool_share.0, their("pool_share_upokt"), "{case}");
            assert_eq!(ours.commission.0, their("commission_upokt"), "{case}");
            assert_eq!(
                ours.self_delegation.0,
                their("self_delegation_reward_upokt"),
                "{case}"
            );
            assert_eq!(
                ours.delegators.0,
                their("delegators_reward_upokt"),
                "{case}"
            );
            assert_eq!(
                u128::from(ours.num_delegators),
                their("num_delegators"),
                "{case}"
            );
            assert_eq!(
                ours.delegated_tokens,
                their("total_delegated_stake_upokt"),
                "{case}"
            );
        }
    }
}

#[test]
fn a_spend_limit_lowers_the_floor() {
    let floor = |limit| {
        let budget = SessionBudget::new(Upokt(1_000), limit, 2, 5);
        (budget.floor.0, budget.spend_limit_exceeded)
    };
    assert_eq!(floor(None), (100, false));
    assert_eq!(floor(Some(Upokt::ZERO)), (100, false));
    assert_eq!(floor(Some(Upokt(9_999))), (100, false));
    assert_eq!(floor(Some(Upokt(250))), (50, true));
}

#[test]
fn unused_budget_is_shared_in_proportion_to_the_excess() {
    let inflation = Ratio::zero();
    let mut budget = SessionBudget::new(Upokt(1_000), None, 1, 4);
    for claim in [50, 250, 350, 450] {
        budget.count(Upokt(claim)).unwrap();
    }
    assert_eq!(
        (budget.floor.0, budget.unused.0, budget.total_excess.0),
        (250, 200, 300)
    );
    let settled = |claimed, multiplier| {
        budget
            .cap(Upokt(claimed), &inflation, multiplier)
            .unwrap()
            .settled
            .0
    };
    assert_eq!([settled(50, 3), settled(250, 3)], [50, 250]);
    assert_eq!([settled(350, 3), settled(450, 3)], [316, 383]);
    assert_eq!(
        [settled(450, 0), settled(450, 1)],
        [250, 250],
        "0 and 1 mean no sharing"
    );
    let tight = SessionBudget {
        unused: Upokt(10_000),
        ..budget
    };
    let capped = tight.cap(Upokt(9_000), &inflation, 2).unwrap();
    assert_eq!(capped.settled.0, 500, "at most the multiple of the floor");
}

#[test]
fn mints_of_nothing_are_errors() {
    let none = percentages(0.5, 0.0, 0.0, 0.0);
    let zero = |result| matches!(result, Err(ProtocolError::ZeroMint(_)));
    assert!(zero(
        burn_equals_mint(Upokt(1), &ratio(0.975), &none).map(drop)
    ));
    assert!(zero(global_mint(Upokt::ZERO, &ratio(0.1), &none).map(drop)));
    assert_eq!(global_mint(Upokt(5), &Ratio::zero(), &none), Ok(None));
    let too_much = percentages(0.9, 0.9, 0.0, 0.0);
    assert_eq!(split(Upokt(100), &too_much), Err(ProtocolError::ShareSum));
}

proptest! {
    #[test]
    fn a_distribution_adds_up_to_its_pool(
        pool in any::<u64>(),
        weights in proptest::collection::vec(0u128..1 << 70, 1..30),
    ) {
        let names: Vec<String> = (0..weights.len()).map(|i| format!("v{i}")).collect();
        let named: Vec<(&str, u128)> =
            names.iter().map(String::as_str).zip(weights.iter().copied()).collect();
        let shares = largest_remainder(Upokt(pool.into()), &named).unwrap();
        let sum = Upokt::sum(shares.iter().copied()).unwrap();
        prop_assert_eq!(sum.0, if weights.iter().any(|w| *w > 0) { pool.into() } else { 0 });
        for (share, weight) in shares.iter().zip(&weights) {
            prop_assert!(*weight > 0 || share.is_zero() || sum.is_zero());
        }
    }

    #[test]
    fn a_split_loses_and_makes_nothing(
        amount in any::<u64>(),
        cuts in proptest::collection::btree_set(1u64..100, 0..10),
    ) {
        let mut edges: Vec<u64> = cuts.into_iter().collect();
        edges.insert(0, 0);
        edges.push(100);
        let names: Vec<String> = (0..edges.len()).map(|i| format!("s{i}")).collect();
        let list = edges.windows(2).zip(&names).map(|(edge, name)| (name.as_str(), edge[1] - edge[0]));
        let shares = shareholders(Upokt(amount.into()), list).unwrap();
        prop_assert_eq!(Upokt::sum(shares.values().copied()).unwrap(), Upokt(amount.into()));

        let five = split(Upokt(amount.into()), &percentages(0.79, 0.14, 0.025, 0.0)).unwrap();
        let parts = [five.supplier, five.proposer, five.source_owner, five.application, five.dao];
        prop_assert_eq!(Upokt::sum(parts).unwrap(), Upokt(amount.into()));
    }

    /// Whatever is claimed, a session's claims together burn no more than its share of the stake, if bonuses are off.
    #[test]
    fn a_session_stays_within_its_share(
        stake in 0u64..1 << 60,
        claims in proptest::collection::vec(0u64..1 << 50, 1..20),
        pending in 1u64..5,
        multiplier in 0u64..5,
        inflation in prop::sample::select(vec![0.0, 1e-6, 0.1, 1.0]),
    ) {
        let inflation = ratio(inflation);
        let number = u64::try_from(claims.len()).unwrap();
        let mut budget = SessionBudget::new(Upokt(stake.into()), None, pending, number);
        for claim in &claims {
            budget.count(with_surcharge(Upokt((*claim).into()), &inflation).unwrap()).unwrap();
        }
        let mut burned = 0;
        for claim in &claims {
            let capped = budget.cap(Upokt((*claim).into()), &inflation, multiplier).unwrap();
            prop_assert!(capped.settled.0 <= u128::from(*claim));
            prop_assert!(capped.effective_burn <= capped.expected_burn);
            burned += with_surcharge(capped.settled, &inflation).unwrap().0;
        }
        // One unit a claim: settled is floored after the surcharge is taken out and the surcharge is ceiled.
        prop_assert!(burned <= u128::from(stake / pending) + claims.len() as u128);
    }
}
