//! Accounts whose coins are bound at first, for people that nobody knows.

use crypto::keys::Address;
use prost_types::Any;
use proto::any::pack;
use proto::cosmos::vesting::v1beta1::{
    MsgCreatePeriodicVestingAccount, MsgCreatePermanentLockedAccount, MsgCreateVestingAccount,
    Period,
};

use super::actors::text;
use super::blocks::World;

impl World {
    /// Mostly somebody new.
    fn newcomer(&mut self) -> String {
        if self.rng.percent(10) {
            let known = self.anybody();
            return text(&known);
        }
        let digest = crypto::hash::sha256(&self.rng.next().to_be_bytes());
        let mut bytes = [0; 20];
        bytes.copy_from_slice(&digest[..20]);
        Address(bytes).to_bech32()
    }

    pub(super) fn create_vesting(&mut self) -> Option<(Any, String)> {
        let from = self.anybody();
        let message = MsgCreateVestingAccount {
            from_address: text(&from),
            to_address: self.newcomer(),
            amount: vec![chain::bank::upokt(self.rng.below(1_000).into())],
            end_time: i64::try_from(self.rng.below(4_000_000_000)).unwrap(),
            delayed: self.rng.percent(50),
        };
        Some((pack(&message), from))
    }

    pub(super) fn create_locked(&mut self) -> Option<(Any, String)> {
        let from = self.anybody();
        let message = MsgCreatePermanentLockedAccount {
            from_address: text(&from),
            to_address: self.newcomer(),
            amount: vec![chain::bank::upokt(self.rng.below(1_000).into())],
        };
        Some((pack(&message), from))
    }

    pub(super) fn create_periodic(&mut self) -> Option<(Any, String)> {
        let from = self.anybody();
        let periods = (0..self.rng.below(3)).map(|_| Period {
            length: i64::try_from(self.rng.below(100)).unwrap(),
            amount: vec![chain::bank::upokt(self.rng.below(1_000).into())],
        });
        let vesting_periods = periods.collect();
        let message = MsgCreatePeriodicVestingAccount {
            from_address: text(&from),
            to_address: self.newcomer(),
            start_time: i64::try_from(self.rng.below(4_000_000_000)).unwrap(),
            vesting_periods,
        };
        Some((pack(&message), from))
    }
}
