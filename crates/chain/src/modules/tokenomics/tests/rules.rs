//! The rules of settlement, each both ways; and refusals of the bank.

use proto::pocket::session::SessionHeader;
use protocol::settlement::{ATTO, Validator};

use crate::bank;
use crate::error::ChainError;
use crate::modules::proof::tests::world::*;
use crate::modules::shared::coin;
use crate::modules::tokenomics::{BondedValidator, end_block, settlement};
use crate::modules::{application, supplier};
use crate::rules::Rules;
use crate::testing::TestChain;

/// An attribute of an event without its quotes.
pub(super) fn value_of<'a>((_, attributes): &'a Seen, key: &str) -> &'a str {
    let (_, value) = attributes.iter().find(|(name, _)| name == key).unwrap();
    value.trim_matches('"')
}

const SERVICE: &str = "llm";

fn with(change: impl FnOnce(&mut Rules)) -> Rules {
    let mut rules = Rules::reference();
    change(&mut rules);
    rules
}

fn header() -> SessionHeader {
    SessionHeader {
        application_address: person("app"),
        service_id: SERVICE.to_owned(),
        session_id: "5e".repeat(32),
        session_start_block_height: 101,
        session_end_block_height: 120,
    }
}

/// One application of 1000 POKT and one supplier; nothing must be proven.
fn world() -> World {
    let mut world = World::new();
    world.proof = proof_params(0.0, u128::MAX, 500, 1);
    world.service(SERVICE, 1_000, &person("source"));
    world.application(&person("app"), SERVICE, 1_000_000_000);
    let shares = [(person("holder"), 100)];
    world.supplier(
        &person("operator"),
        &person("owner"),
        SERVICE,
        &shares,
        1_000,
    );
    world
}

/// Ends block 153, at which the sessions that ended at 120 settle.
fn settle(chain: &mut TestChain) -> Vec<Seen> {
    chain.go_to(153);
    chain
        .run(|ctx| {
            end_block(ctx)?;
            Ok::<_, ChainError>(typed_events(ctx))
        })
        .unwrap()
}

fn count(events: &[Seen], kind: &str) -> usize {
    events
        .iter()
        .filter(|(name, _)| name.ends_with(kind))
        .count()
}

fn app_stake(chain: &TestChain) -> u128 {
    let app = chain
        .read(|ctx| application::get(ctx, &person("app")))
        .unwrap()
        .unwrap();
    coin::stored(app.stake.as_ref()).unwrap()
}

fn balance(chain: &TestChain, who: &str) -> u128 {
    chain
        .read(|ctx| bank::balance(ctx, &parse(&person(who)), bank::UPOKT))
        .unwrap()
}

#[test]
fn a_discarded_claim_leaves_the_applications_record_alone() {
    // The supplier stopped offering the service before settlement.
    let run = |rules| {
        let mut world = world();
        world.suppliers[0].service_config_history[0].deactivation_height = 141;
        let mut chain = world.start(rules);
        put_claim(
            &mut chain,
            &claim_of(&header(), &person("operator"), 40, 1_000, 1),
        );
        let events = settle(&mut chain);
        assert_eq!(count(&events, "EventClaimDiscarded"), 1);
        assert_eq!(count(&events, "EventSettlementBatch"), 0);
        assert_eq!(balance(&chain, "application"), 1_000_000_000);
        app_stake(&chain)
    };
    // 40,000 compute units at 0.14599.
    assert_eq!(run(Rules::reference()), 1_000_000_000 - 5_839);
    let mended = with(|rules| rules.discarded_claim_changes_nothing = true);
    assert_eq!(run(mended), 1_000_000_000);
}

/// A claim that fails after its burn was shared out, in the inflation, has already filled the proposers' pool.
#[test]
fn a_discarded_claim_leaves_the_proposers_pool_alone() {
    let run = |rules| {
        let mut world = world();
        world.tokenomics.mint_ratio = 1.0;
        world.tokenomics.global_inflation_per_claim = 0.1;
        let burned = &mut world.tokenomics.mint_equals_burn_claim_distribution;
        (burned.supplier, burned.proposer, burned.dao) = (0.0, 0.5, 0.475);
        let shares = [(person("holder"), 100)];
        let (second, owner) = (person("operator 2"), person("owner"));
        world.supplier(&second, &owner, SERVICE, &shares, 1_000);
        // The first supplier's shareholders get nothing but of the inflation, and nobody knows who they are.
        world.suppliers[0].service_config_history[0].deactivation_height = 141;
        let mut chain = world.start(rules);
        // Of rewards that could not be paid before.
        chain
            .run(|ctx| bank::mint(ctx, "tokenomics", &[coin::upokt(10_000)]))
            .unwrap();
        for operator in ["operator", "operator 2"] {
            put_claim(
                &mut chain,
                &claim_of(&header(), &person(operator), 40, 1_000, 0),
            );
        }
        chain.go_to(153);
        let validator = BondedValidator {
            operator_address: "poktvaloper".to_owned(),
            validator: Validator {
                account: person("validator"),
                tokens: 1,
                delegator_shares: ATTO,
                commission_rate: 0,
                delegations: Vec::new(),
            },
        };
        let events = chain.run(|ctx| {
            settlement::settle(ctx, |_| Ok(vec![validator]))?;
            Ok::<_, ChainError>(typed_events(ctx))
        });
        assert_eq!(count(&events.unwrap(), "EventClaimDiscarded"), 1);
        balance(&chain, "validator")
    };
    // Half of the 5,839 that each claims.
    assert_eq!(run(Rules::reference()), 2 * 2_919);
    let mended = with(|rules| rules.discarded_claim_changes_nothing = true);
    assert_eq!(run(mended), 2_919);
}

#[test]
fn shares_are_those_of_the_session() {
    let run = |rules| {
        let mut world = world();
        world.suppliers[0].service_config_history[0].deactivation_height = 141;
        let mut chain = world.start(rules);
        put_claim(
            &mut chain,
            &claim_of(&header(), &person("operator"), 40, 1_000, 1),
        );
        let events = settle(&mut chain);
        (
            count(&events, "EventClaimSettled"),
            balance(&chain, "holder") > 0,
        )
    };
    assert_eq!(run(Rules::reference()), (0, false));
    assert_eq!(
        run(with(|rules| rules.rev_share_at_session = true)),
        (1, true)
    );
}

#[test]
fn an_invalid_proof_is_never_paid_for() {
    let run = |rules| {
        let mut chain = world().start(rules);
        put_claim(
            &mut chain,
            &claim_of(&header(), &person("operator"), 40, 1_000, 2),
        );
        let events = settle(&mut chain);
        (
            count(&events, "EventClaimSettled"),
            count(&events, "EventSupplierSlashed"),
        )
    };
    assert_eq!(run(Rules::reference()), (1, 0));
    assert_eq!(
        run(with(|rules| rules.requirement_drawn_once = true)),
        (0, 1)
    );
}

#[test]
fn a_slashed_supplier_unbonds() {
    let run = |rules| {
        let mut world = world();
        world.proof = proof_params(0.0, 0, 500, 1);
        world.supplier_min_stake = 1_000;
        let mut chain = world.start(rules);
        put_claim(
            &mut chain,
            &claim_of(&header(), &person("operator"), 40, 1_000, 0),
        );
        let events = settle(&mut chain);
        assert_eq!(count(&events, "EventClaimExpired"), 1);
        assert_eq!(count(&events, "EventSupplierUnbondingBegin"), 1);
        let slashed = events
            .iter()
            .find(|(kind, _)| kind.ends_with("EventSupplierSlashed"));
        assert_eq!(
            value_of(slashed.unwrap(), "supplier_stake_after_slash"),
            "500upokt"
        );
        assert_eq!(balance(&chain, "supplier"), 500);
        let offers = chain.read(|ctx| supplier::candidates_at(ctx, SERVICE, 1_000));
        offers.unwrap().operators.len()
    };
    assert_eq!(run(Rules::reference()), 1);
    assert_eq!(run(with(|rules| rules.slashed_supplier_unbonds = true)), 0);
}

#[test]
fn a_wrapping_sum_is_paid_by_the_references_letter_alone() {
    // A root of 2^61 + 125 relays that weighs as much as 125 relays of 1000.
    let run = |rules| {
        let mut chain = world().start(rules);
        let relays = (1 << 61) + 125;
        put_claim(
            &mut chain,
            &claim_of(&header(), &person("operator"), relays, 1_000, 0),
        );
        count(&settle(&mut chain), "EventClaimSettled")
    };
    assert_eq!(run(Rules::reference()), 1);
    assert_eq!(run(with(|rules| rules.checked_claim_sums = true)), 0);
}

#[test]
fn a_spend_limit_beyond_all_coins_limits_nothing_and_stops_nobody() {
    let mut world = world();
    world.applications[0].per_session_spend_limit = Some(proto::cosmos::base::v1beta1::Coin {
        denom: "upokt".to_owned(),
        amount: "9".repeat(60),
    });
    let mut chain = world.start(Rules::mended());
    put_claim(
        &mut chain,
        &claim_of(&header(), &person("operator"), 40, 1_000, 0),
    );
    assert_eq!(count(&settle(&mut chain), "EventClaimSettled"), 1);
}

#[test]
fn a_recipient_that_may_not_receive_stops_nobody() {
    // The accounts of some modules are blocked; a reference node would halt here.
    let mut world = world();
    world.services[0].owner_address = person("distribution");
    let mut chain = world.start(Rules::mended());
    put_claim(
        &mut chain,
        &claim_of(&header(), &person("operator"), 40_000, 1_000, 0),
    );
    let events = settle(&mut chain);
    assert_eq!(count(&events, "EventClaimSettled"), 1);
    let paid = events
        .iter()
        .filter(|(kind, _)| kind.ends_with("EventSettlementBatch"));
    assert!(
        paid.clone()
            .all(|batch| value_of(batch, "recipient") != person("distribution"))
    );
    assert!(paid.count() > 5);
    assert!(balance(&chain, "holder") > 0);
    assert_eq!(balance(&chain, "distribution"), 0);
    // What the owner cannot have stays with what nobody is bonded to receive.
    let minted = 5_839_600 * 975 / 1_000;
    let (owner, proposer, inflation) = (minted * 25 / 1_000, minted * 14 / 100, 1);
    let kept = balance(&chain, "tokenomics");
    assert!(
        (owner + proposer - 2..=owner + proposer + inflation + 2).contains(&kept),
        "{kept}"
    );
}

#[test]
fn a_block_without_due_claims_does_nothing() {
    let mut chain = world().start(Rules::mended());
    put_claim(
        &mut chain,
        &claim_of(&header(), &person("operator"), 40, 1_000, 0),
    );
    for height in [121, 152, 154] {
        chain.go_to(height);
        let events = chain.run(|ctx| {
            end_block(ctx)?;
            Ok::<_, ChainError>(typed_events(ctx))
        });
        assert_eq!(events.unwrap(), Vec::<Seen>::new(), "{height}");
    }
    assert_eq!(count(&settle(&mut chain), "EventClaimSettled"), 1);
    assert_eq!(count(&settle(&mut chain), "EventClaimSettled"), 0);
}

/// A claim that lacks somebody is discarded before anybody asks for its proof: nobody is slashed for it.
#[test]
fn an_unproven_claim_of_an_application_that_is_gone_is_discarded() {
    let run = |gone: bool, without_service: bool| {
        let mut world = world();
        world.proof = proof_params(1.0, u128::MAX, 500, 1);
        if gone {
            world.applications[0].address = person("heir");
        }
        if without_service {
            world.services[0].id = "other".to_owned();
        }
        let mut chain = world.start(Rules::reference());
        let claim = claim_of(&header(), &person("operator"), 40, 1_000, 0);
        put_claim(&mut chain, &claim);
        let events = settle(&mut chain);
        [
            "EventClaimExpired",
            "EventSupplierSlashed",
            "EventClaimDiscarded",
        ]
        .map(|kind| count(&events, kind))
    };
    assert_eq!(run(false, false), [1, 1, 0]);
    assert_eq!(run(true, false), [0, 0, 1]);
    assert_eq!(run(false, true), [0, 0, 1]);
}

/// The event of a slashed supplier shows the services of its claims, but not of those that lacked somebody.
#[test]
fn a_slashed_suppliers_event_shows_the_services_of_whole_claims() {
    let run = |second_app: &str| {
        let mut world = world();
        world.proof = proof_params(1.0, u128::MAX, 500, 1);
        world.supplier_min_stake = 1_000;
        world.service("second", 1_000, &person("source"));
        world.application(&person("app2"), "second", 1_000_000_000);
        let mut config = world.suppliers[0].service_config_history[0].clone();
        config.service.as_mut().unwrap().service_id = "second".to_owned();
        world.suppliers[0].service_config_history.push(config);
        let mut chain = world.start(Rules::reference());
        let second = SessionHeader {
            application_address: person(second_app),
            service_id: "second".to_owned(),
            session_id: "6e".repeat(32),
            ..header()
        };
        for header in [header(), second] {
            put_claim(
                &mut chain,
                &claim_of(&header, &person("operator"), 40, 1_000, 0),
            );
        }
        let events = settle(&mut chain);
        let begun = events
            .iter()
            .find(|(kind, _)| kind.ends_with("EventSupplierUnbondingBegin"));
        value_of(begun.unwrap(), "supplier")
            .matches("\"service_id\"")
            .count()
    };
    assert_eq!(run("app2"), 2);
    assert_eq!(run("nobody"), 1);
}

/// A supplier that has nothing left is slashed by nothing, with the events of a transfer of nothing.
#[test]
fn a_penalty_beyond_the_stake_takes_what_is_there_each_time() {
    let mut world = world();
    world.proof = proof_params(1.0, u128::MAX, 700, 1);
    world.supplier_min_stake = 900;
    let mut chain = world.start(Rules::reference());
    for session in ["5e", "6e", "7e"] {
        let header = SessionHeader {
            session_id: session.repeat(32),
            ..header()
        };
        put_claim(
            &mut chain,
            &claim_of(&header, &person("operator"), 40, 1_000, 0),
        );
    }
    chain.go_to(153);
    let events = chain
        .run(|ctx| {
            end_block(ctx)?;
            Ok::<_, ChainError>(ctx.take_events())
        })
        .unwrap();
    let of = |kind: &str, key: &str| -> Vec<String> {
        let events = events.iter().filter(|event| event.r#type.ends_with(kind));
        events
            .map(|event| {
                let pair = event.attributes.iter().find(|pair| pair.key == key);
                pair.unwrap().value.trim_matches('"').to_owned()
            })
            .collect()
    };
    assert_eq!(
        of("EventSupplierSlashed", "proof_missing_penalty"),
        ["700upokt", "300upokt", "0upokt"]
    );
    assert_eq!(
        of("EventSupplierSlashed", "supplier_stake_after_slash"),
        ["300upokt", "0upokt", "0upokt"]
    );
    assert_eq!(of("EventSupplierUnbondingBegin", "reason").len(), 1);
    assert_eq!(of("burn", "amount"), ["700upokt", "300upokt", ""]);
    assert_eq!(of("transfer", "amount"), ["700upokt", "300upokt", ""]);
}

/// Shares are valid when they add up to one in hundredths of a percent. What the others leave is the DAO's, and shares
/// that leave less than nothing discard a claim.
#[test]
fn shares_that_nearly_add_up_are_valid() {
    use crate::modules::tokenomics::validate_params;
    use proto::pocket::tokenomics::MintEqualsBurnClaimDistribution;
    let settled = |shares: [f64; 5]| {
        let mut world = world();
        world.tokenomics.mint_ratio = 1.0;
        let [dao, proposer, supplier, source_owner, application] = shares;
        world.tokenomics.mint_equals_burn_claim_distribution = MintEqualsBurnClaimDistribution {
            dao,
            proposer,
            supplier,
            source_owner,
            application,
        };
        validate_params(&world.tokenomics)?;
        let mut chain = world.start(Rules::reference());
        let claim = claim_of(&header(), &person("operator"), 40_000, 1_000, 0);
        put_claim(&mut chain, &claim);
        assert_eq!(count(&settle(&mut chain), "EventClaimSettled"), 1);
        Ok::<_, String>(["holder", "the dao"].map(|who| balance(&chain, who)))
    };
    // 5,839,600 are minted; inflation is 6, of which holders get 4, the DAO 2, and the DAO 6 more for its request.
    let inflation = 2 + 6;
    let floats = settled([1.0 - 0.14 - 0.79 - 0.025, 0.14, 0.79, 0.025, 0.0]);
    assert_eq!(floats, Ok([4_613_284 + 4, 262_782 + inflation]));
    let rounded = settled([0.04497, 0.14, 0.79002, 0.02502, 0.0]);
    assert_eq!(rounded, Ok([4_613_400 + 4, 262_550 + inflation]));
    let third = 1.0 / 3.0;
    assert!(
        settled([third, third, third, 0.0, 0.0])
            .unwrap_err()
            .contains("got 0.999900")
    );
    assert!(
        settled([0.0451, 0.14, 0.79, 0.025, 0.0])
            .unwrap_err()
            .contains("got 1.000100")
    );
}
