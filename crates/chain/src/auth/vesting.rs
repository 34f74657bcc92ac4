//! Vesting accounts: coins that were given at the start and are freed over time. What is still bound cannot be sent, but
//! staked (Cosmos SDK v0.53, `x/auth/vesting`).
//!
//! Of coins that are staked, those still bound count first as `delegated_vesting`; they come back last. Such accounts
//! come with a genesis document or by a message of [`crate::vesting`].

use std::cmp::Ordering;

use proto::cosmos::base::v1beta1::Coin;
use proto::cosmos::vesting::v1beta1::BaseVestingAccount;

use crate::auth::Account;
use crate::bank::Coins;
use crate::context::BlockTime;
use crate::decimal::Dec;
use crate::error::ChainError;

/// Coins of an account that it cannot send at a moment.
///
/// # Errors
/// [`ChainError::Corrupt`] for amounts that are none.
pub fn locked(account: &Account, now: BlockTime) -> Result<Coins, ChainError> {
    let Some(base) = base(account) else {
        return Ok(Coins::new());
    };
    let mut locked = Coins::new();
    let delegated = coins(&base.delegated_vesting)?;
    for (denom, amount) in bound(account, base, now)?.iter() {
        let left = amount.saturating_sub(delegated.amount(denom));
        locked.add(denom, left).ok_or_else(wrong)?;
    }
    Ok(locked)
}

/// Notes that an account stakes coins; whether that changed it.
///
/// # Errors
/// As [`locked`].
pub(crate) fn track_delegation(
    account: &mut Account,
    now: BlockTime,
    amount: &Coins,
) -> Result<bool, ChainError> {
    let Some(own) = base(account) else {
        return Ok(false);
    };
    let bound = bound(account, own, now)?;
    let (mut vesting, mut free) = (coins(&own.delegated_vesting)?, coins(&own.delegated_free)?);
    for (denom, amount) in amount.iter() {
        let of_bound = bound
            .amount(denom)
            .saturating_sub(vesting.amount(denom))
            .min(amount);
        vesting.add(denom, of_bound).ok_or_else(wrong)?;
        free.add(denom, amount.saturating_sub(of_bound))
            .ok_or_else(wrong)?;
    }
    put(account, &vesting, &free);
    Ok(true)
}

/// Notes that an account gets staked coins back; whether that changed it.
///
/// # Errors
/// As [`locked`].
pub(crate) fn track_undelegation(
    account: &mut Account,
    amount: &Coins,
) -> Result<bool, ChainError> {
    let Some(own) = base(account) else {
        return Ok(false);
    };
    let (vesting, free) = (coins(&own.delegated_vesting)?, coins(&own.delegated_free)?);
    let (mut vesting_left, mut free_left) = (Coins::new(), Coins::new());
    for (denom, held) in free.iter() {
        let back = held.min(amount.amount(denom));
        free_left
            .add(denom, held.saturating_sub(back))
            .ok_or_else(wrong)?;
    }
    for (denom, held) in vesting.iter() {
        let of_free = free.amount(denom).min(amount.amount(denom));
        let back = held.min(amount.amount(denom).saturating_sub(of_free));
        vesting_left
            .add(denom, held.saturating_sub(back))
            .ok_or_else(wrong)?;
    }
    put(account, &vesting_left, &free_left);
    Ok(true)
}

/// Coins that are not freed yet, staked ones included.
fn bound(
    account: &Account,
    base: &BaseVestingAccount,
    now: BlockTime,
) -> Result<Coins, ChainError> {
    let original = coins(&base.original_vesting)?;
    let freed = match account {
        Account::Base(_) | Account::Module(_) => return Ok(Coins::new()),
        Account::PermanentLocked(_) => return Ok(original),
        Account::ContinuousVesting(own) if now.seconds <= own.start_time => return Ok(original),
        Account::PeriodicVesting(own) if now.seconds <= own.start_time => return Ok(original),
        _ if now.seconds >= base.end_time => return Ok(Coins::new()),
        Account::DelayedVesting(_) => return Ok(original),
        Account::ContinuousVesting(own) => {
            let part = |from: i64, to: i64| Dec::from_int(to.saturating_sub(from));
            let share =
                part(own.start_time, now.seconds).quo(&part(own.start_time, base.end_time))?;
            let mut freed = Coins::new();
            for (denom, amount) in original.iter() {
                let amount = rounded(&Dec::from_int(amount).mul(&share)?)?;
                freed.add(denom, amount).ok_or_else(wrong)?;
            }
            freed
        }
        Account::PeriodicVesting(own) => {
            let mut freed = Coins::new();
            let mut start = own.start_time;
            for period in &own.vesting_periods {
                if now.seconds.saturating_sub(start) < period.length {
                    break;
                }
                for (denom, amount) in coins(&period.amount)?.iter() {
                    freed.add(denom, amount).ok_or_else(wrong)?;
                }
                start = start.saturating_add(period.length);
            }
            freed
        }
    };
    let mut left = Coins::new();
    for (denom, amount) in original.iter() {
        let rest = amount.saturating_sub(freed.amount(denom));
        left.add(denom, rest).ok_or_else(wrong)?;
    }
    Ok(left)
}

fn base(account: &Account) -> Option<&BaseVestingAccount> {
    match account {
        Account::Base(_) | Account::Module(_) => None,
        Account::ContinuousVesting(own) => own.base_vesting_account.as_ref(),
        Account::DelayedVesting(own) => own.base_vesting_account.as_ref(),
        Account::PeriodicVesting(own) => own.base_vesting_account.as_ref(),
        Account::PermanentLocked(own) => own.base_vesting_account.as_ref(),
    }
}

fn put(account: &mut Account, vesting: &Coins, free: &Coins) {
    let own = match account {
        Account::Base(_) | Account::Module(_) => return,
        Account::ContinuousVesting(own) => &mut own.base_vesting_account,
        Account::DelayedVesting(own) => &mut own.base_vesting_account,
        Account::PeriodicVesting(own) => &mut own.base_vesting_account,
        Account::PermanentLocked(own) => &mut own.base_vesting_account,
    };
    if let Some(own) = own {
        own.delegated_vesting = vesting.to_proto();
        own.delegated_free = free.to_proto();
    }
}

/// Half to even, as the reference rounds what is freed.
fn rounded(value: &Dec) -> Result<u128, ChainError> {
    let whole = value.truncate()?;
    let rest = value.minus(&Dec::from_int(whole))?;
    let up = match rest.cmp(&Dec::from_places(500_000_000_000_000_000)) {
        Ordering::Less => 0,
        Ordering::Equal => whole & 1,
        Ordering::Greater => 1,
    };
    whole.checked_add(up).ok_or_else(wrong)
}

fn coins(coins: &[Coin]) -> Result<Coins, ChainError> {
    Coins::sum(coins).map_err(|_| wrong())
}

fn wrong() -> ChainError {
    ChainError::corrupt("vesting account", "an amount is none")
}

#[cfg(test)]
mod tests {
    use crypto::keys::Address;
    use proto::cosmos::auth::v1beta1::BaseAccount;
    use proto::cosmos::vesting::v1beta1::{
        ContinuousVestingAccount, DelayedVestingAccount, Period, PeriodicVestingAccount,
        PermanentLockedAccount,
    };

    use super::*;
    use crate::auth;
    use crate::bank::{self, upokt};
    use crate::error::TxError;
    use crate::rules::Rules;
    use crate::testing::{TestChain, refused};

    const ALICE: Address = Address([1; 20]);
    const BOB: Address = Address([2; 20]);
    const START: i64 = 1_700_000_000;

    fn vesting(amount: u128, lasts: i64) -> Option<BaseVestingAccount> {
        Some(BaseVestingAccount {
            base_account: Some(BaseAccount {
                address: ALICE.to_bech32(),
                ..Default::default()
            }),
            original_vesting: vec![upokt(amount)],
            end_time: START + lasts,
            ..Default::default()
        })
    }

    fn continuous(amount: u128, lasts: i64) -> Account {
        Account::ContinuousVesting(ContinuousVestingAccount {
            base_vesting_account: vesting(amount, lasts),
            start_time: START,
        })
    }

    fn locked_at(account: &Account, after: i64) -> u128 {
        let now = BlockTime {
            seconds: START + after,
            nanos: 0,
        };
        locked(account, now).unwrap().amount("upokt")
    }

    #[test]
    fn coins_are_freed_as_the_kind_of_account_says() {
        let steady = continuous(1_000, 100);
        let at = [-5, 0, 1, 50, 99, 100].map(|after| locked_at(&steady, after));
        assert_eq!(at, [1_000, 1_000, 990, 500, 10, 0]);
        // A quarter of 2 is 0.5, which goes to the even 0; three quarters are 1.5, which go to 2.
        let small = continuous(2, 4);
        assert_eq!([1, 2, 3].map(|after| locked_at(&small, after)), [2, 1, 0]);
        let late = Account::DelayedVesting(DelayedVestingAccount {
            base_vesting_account: vesting(7, 100),
        });
        assert_eq!([0, 99, 100].map(|after| locked_at(&late, after)), [7, 7, 0]);
        let never = Account::PermanentLocked(PermanentLockedAccount {
            base_vesting_account: vesting(7, 0),
        });
        assert_eq!(locked_at(&never, 1_000), 7);
        let period = |length, amount| Period {
            length,
            amount: vec![upokt(amount)],
        };
        let parts = Account::PeriodicVesting(PeriodicVestingAccount {
            base_vesting_account: vesting(10, 30),
            start_time: START,
            vesting_periods: vec![period(10, 4), period(20, 6)],
        });
        let at = [0, 9, 10, 29, 30].map(|after| locked_at(&parts, after));
        assert_eq!(at, [10, 10, 6, 6, 0]);
    }

    #[test]
    fn bound_coins_are_staked_but_not_sent() {
        let mut chain = TestChain::new(Rules::reference());
        chain.fund(&ALICE, 1_000).unwrap();
        chain.fund(&BOB, 1).unwrap();
        chain
            .run(|ctx| {
                auth::save_account(ctx, &ALICE, &continuous(1_000, 100));
                Ok::<(), TxError>(())
            })
            .unwrap();
        chain.go_to(11);
        let send = |chain: &mut TestChain, amount| {
            chain.run(|ctx| bank::send(ctx, &ALICE, &BOB, &[upokt(amount)]))
        };
        let log = refused(send(&mut chain, 101), "sdk", 5).unwrap();
        assert_eq!(
            log,
            "spendable balance 100upokt is smaller than 101upokt: insufficient funds"
        );
        let stake = Coins::sum(&[upokt(300)]).unwrap();
        chain
            .run(|ctx| bank::delegate(ctx, &ALICE, "bonded_tokens_pool", &stake))
            .unwrap();
        // 900 are bound, 300 of them staked: of the 700 left, 600 are bound.
        refused(send(&mut chain, 101), "sdk", 5).unwrap();
        send(&mut chain, 100).unwrap();
        chain
            .run(|ctx| bank::undelegate(ctx, "bonded_tokens_pool", &ALICE, &stake))
            .unwrap();
        refused(send(&mut chain, 1), "sdk", 5).unwrap();
        chain.go_to(102);
        send(&mut chain, 900).unwrap();
        // Nothing is left, so it holds none: Bob alone does.
        let holders = chain.read(|ctx| ctx.iter(&bank::keys::holders("upokt")).count());
        assert_eq!(holders, 1);
    }

    #[test]
    fn what_was_staked_of_freed_coins_comes_back_first() {
        let mut account = continuous(100, 100);
        let amount = |amount| Coins::sum(&[upokt(amount)]).unwrap();
        let now = BlockTime {
            seconds: START + 40,
            nanos: 0,
        };
        assert!(track_delegation(&mut account, now, &amount(80)).unwrap());
        let parts = |account: &Account| {
            let own = base(account).unwrap();
            let sum = |list: &[Coin]| Coins::sum(list).unwrap().amount("upokt");
            (sum(&own.delegated_vesting), sum(&own.delegated_free))
        };
        assert_eq!(parts(&account), (60, 20));
        track_undelegation(&mut account, &amount(30)).unwrap();
        assert_eq!(parts(&account), (50, 0));
        track_undelegation(&mut account, &amount(50)).unwrap();
        assert_eq!(parts(&account), (0, 0));
    }
}
