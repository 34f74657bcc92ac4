//! Rewards and punishments against models that do the obvious thing: every delegation's worth and earnings as numbers that
//! are updated one by one, and a list of the last votes.

use std::collections::VecDeque;

use crypto::keys::Address;
use proptest::prelude::*;
use proto::cosmos::distribution::v1beta1 as distribution_types;
use proto::cosmos::slashing::v1beta1 as slashing_types;
use proto::cosmos::staking::v1beta1 as types;

use crate::bank;
use crate::context::{LastCommit, Vote};
use crate::decimal::Dec;
use crate::error::{GenesisError, TxError};
use crate::rules::Rules;
use crate::testing::TestChain;
use crate::{distribution, slashing, staking};

const FIRST_STAKE: u128 = 10_000_000;
const WINDOW: i64 = 10;
const MIN_SIGNED: i64 = 6;

fn delegator(number: usize) -> Address {
    let number = u8::try_from(number).unwrap();
    Address([number + 1; 20])
}

/// A validator of delegator 0, without commission, on a chain without tax.
fn start() -> (TestChain, Address) {
    let mut chain = TestChain::new(Rules::reference());
    let operator = delegator(0);
    let operator_address = operator.to_bech32_with(crypto::keys::VALOPER_PREFIX);
    let key = proto::cosmos::crypto::ed25519::PubKey {
        key: vec![7; 32].into(),
    };
    let zero = Dec::zero().to_wire();
    let shares = Dec::from_int(FIRST_STAKE).to_wire();
    let validator = types::Validator {
        operator_address: operator_address.clone(),
        consensus_pubkey: Some(proto::any::pack(&key)),
        status: types::BondStatus::Unbonded.into(),
        tokens: FIRST_STAKE.to_string(),
        delegator_shares: shares.clone(),
        commission: types::Commission {
            commission_rates: types::CommissionRates {
                rate: zero.clone(),
                max_rate: zero.clone(),
                max_change_rate: zero.clone(),
            },
            ..Default::default()
        },
        min_self_delegation: "1".to_owned(),
        ..Default::default()
    };
    let own = types::Delegation {
        delegator_address: operator.to_bech32(),
        validator_address: operator_address,
        shares,
    };
    for number in 0..4 {
        chain.fund(&delegator(number), 1_000_000_000_000).unwrap();
    }
    let consensus = chain
        .run(|ctx| {
            let coins = [bank::upokt(FIRST_STAKE)];
            bank::account_to_module(ctx, &operator, staking::NOT_BONDED, &coins).unwrap();
            let section = distribution_types::GenesisState {
                params: distribution_types::Params {
                    community_tax: zero,
                    ..distribution::default_params()
                },
                ..Default::default()
            };
            distribution::genesis::init(ctx, &section)?;
            let section = types::GenesisState {
                params: types::Params {
                    max_entries: 1_000,
                    ..staking::default_params()
                },
                validators: vec![validator],
                delegations: vec![own],
                ..Default::default()
            };
            staking::genesis::init(ctx, &section)?;
            let section = slashing_types::GenesisState {
                params: slashing_types::Params {
                    signed_blocks_window: WINDOW,
                    min_signed_per_window: Dec::from_places(600_000_000_000_000_000)
                        .to_wire()
                        .into_bytes()
                        .into(),
                    ..slashing::default_params()
                },
                ..Default::default()
            };
            slashing::genesis::init(ctx, &section)?;
            let validator = staking::validator(ctx, &operator)?.unwrap();
            Ok::<_, GenesisError>(validator.consensus_address()?)
        })
        .unwrap();
    (chain, consensus)
}

#[derive(Clone, Debug)]
enum Step {
    Reward(u128),
    Delegate(usize, u128),
    /// Of what is there, in thousandths.
    Undelegate(usize, u128),
    Withdraw(usize),
    /// Thousandths.
    Slash(i64),
}

fn step() -> impl Strategy<Value = Step> {
    let who = || 0_usize..4;
    prop_oneof![
        4 => (1_u128..50_000_000).prop_map(Step::Reward),
        2 => (who(), 1_u128..30_000_000).prop_map(|(who, amount)| Step::Delegate(who, amount)),
        2 => (1_usize..4, 1_u128..=1_000).prop_map(|(who, part)| Step::Undelegate(who, part)),
        1 => who().prop_map(Step::Withdraw),
        1 => (0_i64..400).prop_map(Step::Slash),
    ]
}

/// What each delegation is worth, has earned and was paid.
#[derive(Debug, Default)]
struct Model {
    worth: [f64; 4],
    earned: [f64; 4],
    paid: [f64; 4],
}

impl Model {
    fn total(&self) -> f64 {
        self.worth.iter().sum()
    }

    fn pay(&mut self, who: usize) {
        self.paid[who] += std::mem::take(&mut self.earned[who]);
    }
}

/// Every message pays what was earned until then; rewards go by worth; a slash takes the same part of all.
#[expect(
    clippy::cast_precision_loss,
    reason = "a model, compared with a tolerance"
)]
fn follow(steps: &[Step]) {
    let (mut chain, consensus) = start();
    let mut model = Model::default();
    model.worth[0] = FIRST_STAKE as f64;
    let mut spent = [0_i128; 4];
    spent[0] = FIRST_STAKE.try_into().unwrap();
    let validator = delegator(0);
    // An undelegation may leave a token behind; what is paid for one all along bounds what that changes.
    let (mut per_token, mut left_behind) = (0.0, 0.0);
    for step in steps {
        let next = chain.block.height + 1;
        chain.go_to(next);
        match step {
            Step::Reward(amount) => {
                reward(&mut chain, consensus, *amount);
                let total = model.total();
                per_token += *amount as f64 / total;
                for who in 0..4 {
                    model.earned[who] += *amount as f64 * model.worth[who] / total;
                }
            }
            Step::Delegate(who, amount) => {
                delegate(&mut chain, *who, *amount).unwrap();
                model.pay(*who);
                model.worth[*who] += *amount as f64;
                spent[*who] += i128::try_from(*amount).unwrap();
            }
            Step::Undelegate(who, part) => {
                let worth = chain.read(|ctx| {
                    let entry = staking::delegation(ctx, &delegator(*who), &validator);
                    let validator = staking::validator(ctx, &validator).unwrap().unwrap();
                    let shares = entry.unwrap().map(|entry| entry.shares);
                    shares.map_or(0, |shares| {
                        validator.tokens_of(&shares).unwrap().truncate().unwrap()
                    })
                });
                let amount = worth * part / 1_000;
                if amount == 0 {
                    continue;
                }
                undelegate(&mut chain, *who, amount).unwrap();
                left_behind += 1.0;
                model.pay(*who);
                model.worth[*who] -= amount as f64;
                let left = chain
                    .read(|ctx| staking::delegation(ctx, &delegator(*who), &validator).unwrap());
                if left.is_none() {
                    model.worth[*who] = 0.0;
                }
            }
            Step::Withdraw(who) => {
                let known = chain
                    .read(|ctx| staking::delegation(ctx, &delegator(*who), &validator).unwrap());
                assert_eq!(withdraw(&mut chain, *who).is_ok(), known.is_some());
                model.pay(*who);
            }
            Step::Slash(thousandths) => {
                let burned = chain
                    .run(|ctx| {
                        let height = ctx.block.height;
                        let power = staking::validator(ctx, &validator)?
                            .unwrap()
                            .potential_power()?;
                        let part = Dec::from_places(thousandths * 1_000_000_000_000_000);
                        staking::slash(ctx, &consensus, height, power, &part)
                    })
                    .unwrap();
                let kept = 1.0 - burned as f64 / model.total();
                for worth in &mut model.worth {
                    *worth *= kept;
                }
            }
        }
        conserved(&chain);
    }
    let slack = steps.len() as f64 + 2.0 + left_behind * per_token;
    for (who, spent) in spent.iter().enumerate() {
        drop(withdraw(&mut chain, who));
        model.pay(who);
        let held = chain.read(|ctx| bank::balance(ctx, &delegator(who), bank::UPOKT).unwrap());
        let got = i128::try_from(held).unwrap() - 1_000_000_000_000 + spent;
        let wanted = model.paid[who];
        let away = got as f64 - wanted;
        assert!(
            away.abs() <= slack + wanted * 1e-9,
            "{who}: {got}, not {wanted}"
        );
    }
}

fn reward(chain: &mut TestChain, consensus: Address, amount: u128) {
    chain.fund(&delegator(3), amount).unwrap();
    chain
        .run(|ctx| {
            let coins = [bank::upokt(amount)];
            bank::account_to_module(ctx, &delegator(3), "fee_collector", &coins)?;
            ctx.last_commit = votes(consensus, false);
            Ok::<_, TxError>(distribution::begin_block(ctx)?)
        })
        .unwrap();
}

fn votes(consensus: Address, absent: bool) -> LastCommit {
    LastCommit {
        votes: vec![Vote {
            validator: consensus,
            power: 10,
            absent,
        }],
        ..LastCommit::default()
    }
}

fn send<M: prost::Message + prost::Name>(
    chain: &mut TestChain,
    message: &M,
) -> Result<(), TxError> {
    let bytes = message.encode_to_vec();
    chain.run(|ctx| {
        crate::router::execute(ctx, &M::full_name(), &bytes)
            .unwrap()
            .map(drop)
    })
}

fn operator_text() -> String {
    delegator(0).to_bech32_with(crypto::keys::VALOPER_PREFIX)
}

fn delegate(chain: &mut TestChain, who: usize, amount: u128) -> Result<(), TxError> {
    let message = types::MsgDelegate {
        delegator_address: delegator(who).to_bech32(),
        validator_address: operator_text(),
        amount: bank::upokt(amount),
    };
    send(chain, &message)
}

fn undelegate(chain: &mut TestChain, who: usize, amount: u128) -> Result<(), TxError> {
    let message = types::MsgUndelegate {
        delegator_address: delegator(who).to_bech32(),
        validator_address: operator_text(),
        amount: bank::upokt(amount),
    };
    send(chain, &message)
}

fn withdraw(chain: &mut TestChain, who: usize) -> Result<(), TxError> {
    let message = distribution_types::MsgWithdrawDelegatorReward {
        delegator_address: delegator(who).to_bech32(),
        validator_address: operator_text(),
    };
    send(chain, &message)
}

#[test]
fn the_last_validator_is_paid_for_its_votes_after_it_has_left() {
    let (mut chain, consensus) = start();
    chain.go_to(2);
    reward(&mut chain, consensus, 1_000);
    chain.run(|ctx| staking::jail(ctx, &consensus)).unwrap();
    chain.run(|ctx| staking::end_block(ctx).map(drop)).unwrap();
    let powers = chain.read(|ctx| staking::last_powers(ctx).unwrap());
    assert!(powers.is_empty());
    reward(&mut chain, consensus, 1_000);
    let owed = chain.read(|ctx| distribution::outstanding(ctx, &delegator(0)).unwrap());
    assert_eq!(owed.amount(bank::UPOKT), Dec::from_int(2_000));
    // Votes of somebody unknown are the community's.
    reward(&mut chain, Address([200; 20]), 500);
    let pool = chain.read(|ctx| distribution::community_pool(ctx).unwrap());
    assert_eq!(pool.amount(bank::UPOKT), Dec::from_int(500));
}

/// What is owed, to the last place, is what the module holds; the bonded pool holds the validator's tokens.
fn conserved(chain: &TestChain) {
    chain.read(|ctx| {
        let outstanding = distribution::outstanding(ctx, &delegator(0)).unwrap();
        let owed = outstanding
            .plus(&distribution::community_pool(ctx).unwrap())
            .unwrap();
        let module = Address::module(distribution::MODULE);
        let held = bank::balance(ctx, &module, bank::UPOKT).unwrap();
        assert_eq!(owed.amount(bank::UPOKT), Dec::from_int(held));
        let validator = staking::validator(ctx, &delegator(0)).unwrap().unwrap();
        let pool = Address::module(staking::BONDED);
        let held = bank::balance(ctx, &pool, bank::UPOKT).unwrap();
        assert_eq!(held, validator.tokens);
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn rewards_go_by_what_delegations_are_worth(steps in prop::collection::vec(step(), 1..40)) {
        follow(&steps);
    }

    #[test]
    fn misses_are_those_of_the_last_blocks(absences in prop::collection::vec(prop::bool::weighted(0.35), 1..80)) {
        let (mut chain, consensus) = start();
        let mut last = VecDeque::new();
        let first = chain.read(|ctx| slashing::signing_info(ctx, &consensus).unwrap().unwrap().start_height);
        for absent in absences {
            let next = chain.block.height + 1;
            chain.go_to(next);
            chain
                .run(|ctx| {
                    ctx.last_commit = votes(consensus, absent);
                    slashing::begin_block(ctx)
                })
                .unwrap();
            last.push_back(absent);
            if last.len() > 10 {
                last.pop_front();
            }
            let missed = last.iter().filter(|absent| **absent).count();
            let is_due = next > first + WINDOW && i64::try_from(missed).unwrap() > WINDOW - MIN_SIGNED;
            let (info, validator) = chain.read(|ctx| {
                let info = slashing::signing_info(ctx, &consensus).unwrap().unwrap();
                (info, staking::validator(ctx, &delegator(0)).unwrap().unwrap())
            });
            prop_assert_eq!(validator.jailed, is_due);
            if is_due {
                prop_assert_eq!(info.missed_blocks_counter, 0);
                // 1 % of the power that was voted with.
                prop_assert_eq!(validator.tokens, FIRST_STAKE - 100_000);
                break;
            }
            prop_assert_eq!(info.missed_blocks_counter, i64::try_from(missed).unwrap());
            prop_assert_eq!(validator.tokens, FIRST_STAKE);
        }
    }
}
