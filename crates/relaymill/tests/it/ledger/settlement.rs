//! The settlement of one block's claims.

use std::collections::BTreeMap;

use num_bigint::BigUint;

use super::{APPLICATION, Ledger, SUPPLIER, TOKENOMICS};
use crate::support::chain::Event;

/// A settled claim, as far as its event is evidence.
struct Claim {
    application: String,
    session: String,
    supplier: String,
    service: String,
    compute_units: BigUint,
}

impl Claim {
    fn read(event: &Event) -> Self {
        Self {
            application: event.text("application_address"),
            session: event.text("session_id"),
            supplier: event.text("supplier_operator_address"),
            service: event.text("service_id"),
            compute_units: event.number("num_claimed_compute_units").into(),
        }
    }
}

impl Ledger {
    /// Settles the claims of a block in the order of their events, and compares the amounts that those name.
    pub(super) fn settle(&mut self, height: i64, events: &[&Event]) {
        let claims: Vec<Claim> = events.iter().map(|event| Claim::read(event)).collect();
        let mut suppliers_in: BTreeMap<(&str, &str), u64> = BTreeMap::new();
        for claim in &claims {
            *suppliers_in
                .entry((&claim.application, &claim.session))
                .or_default() += 1;
        }
        let stakes = self.applications.clone();
        let mut pools = [BigUint::default(), BigUint::default()];
        for (claim, event) in claims.iter().zip(events) {
            let place = format!("block {height}, session {}", claim.session);
            let relays = event.number("num_relays");
            let price = self.services[&claim.service].compute_units_per_relay;
            assert_eq!(
                claim.compute_units,
                BigUint::from(relays * price),
                "{place}: compute units"
            );
            let claimed = &claim.compute_units * &self.params.multiplier / &self.params.granularity;
            let sharers = suppliers_in[&(claim.application.as_str(), claim.session.as_str())];
            let most = &stakes[&claim.application] / self.params.pending_sessions / sharers;
            let settled = claimed.clone().min(self.params.inflation.without(&most));
            let minted = self.params.mint_ratio.floor_of(&settled);
            for (name, expected) in [
                ("claimed_upokt", &claimed),
                ("settled_upokt", &settled),
                ("minted_upokt", &minted),
                ("overservicing_loss_upokt", &(&claimed - &settled)),
                ("deflation_loss_upokt", &(&settled - &minted)),
            ] {
                assert_eq!(
                    BigUint::from(event.coin(name)),
                    *expected,
                    "{place}: {name}"
                );
            }
            if settled > BigUint::default() {
                pools[0] += self.relay_burn_equals_mint(claim, &settled, &minted);
                pools[1] += self.global_mint(claim, &settled);
            }
        }
        self.pay_validators(&pools);
    }

    /// What the application pays is burned; most of it is made anew and shared out. Gives the proposers' part.
    fn relay_burn_equals_mint(
        &mut self,
        claim: &Claim,
        settled: &BigUint,
        minted: &BigUint,
    ) -> BigUint {
        self.pay_from_stake(&claim.application, settled);
        self.burn(APPLICATION, settled);
        self.mint(minted);
        let split = self.params.mint_equals_burn.clone();
        self.share_out(claim, minted, &split)
    }

    /// Inflation: made anew, shared out, and paid by the application to the treasury for later reimbursement.
    fn global_mint(&mut self, claim: &Claim, settled: &BigUint) -> BigUint {
        if self.params.inflation.is_zero() {
            return BigUint::default();
        }
        let amount = self.params.inflation.ceil_of(settled);
        self.mint(&amount);
        let split = self.params.global_mint.clone();
        let proposers = self.share_out(claim, &amount, &split);
        self.pay_from_stake(&claim.application, &amount);
        let dao = self.params.dao.clone();
        self.transfer(APPLICATION, &dao, &amount);
        proposers
    }

    /// Supplier, Source and application get their parts rounded down, the treasury what is left. The proposers' part
    /// stays where it was made until the block's claims are settled.
    fn share_out(&mut self, claim: &Claim, amount: &BigUint, split: &super::Split) -> BigUint {
        let supplier = split.supplier.floor_of(amount);
        let proposer = split.proposer.floor_of(amount);
        let source = split.source.floor_of(amount);
        let application = split.application.floor_of(amount);
        let rest = amount - &supplier - &proposer - &source - &application;
        let owner = self.services[&claim.service].source.clone();
        let dao = self.params.dao.clone();
        self.transfer(TOKENOMICS, SUPPLIER, &supplier);
        self.pay_shareholders(claim, &supplier);
        self.transfer(TOKENOMICS, &owner, &source);
        self.transfer(TOKENOMICS, &claim.application, &application);
        self.transfer(TOKENOMICS, &dao, &rest);
        proposer
    }

    /// Each shareholder's percentage rounded down; what rounding leaves goes to the first.
    fn pay_shareholders(&mut self, claim: &Claim, amount: &BigUint) {
        let shares = self.suppliers[&claim.supplier].shares[&claim.service].clone();
        let mut parts: Vec<(String, BigUint)> = shares
            .into_iter()
            .map(|(address, percent)| (address, amount * percent / 100_u8))
            .collect();
        let given: BigUint = parts.iter().map(|(_, part)| part).sum();
        parts[0].1 += amount - given;
        for (address, part) in parts {
            self.transfer(SUPPLIER, &address, &part);
        }
    }

    fn pay_from_stake(&mut self, application: &str, amount: &BigUint) {
        let stake = self
            .applications
            .get_mut(application)
            .expect("a staked application");
        assert!(
            *stake >= *amount,
            "{application} has {stake} staked and pays {amount}"
        );
        *stake -= amount;
    }
}
