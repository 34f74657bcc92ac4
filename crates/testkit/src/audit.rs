//! Checkers that watch a network from outside: what was answered is what is claimed and paid, and money is conserved.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result, ensure};
use client::events::PocketEvent;
use gateway::journal::Entry;
use proto::cosmos::bank::v1beta1::{QuerySupplyOfRequest, QuerySupplyOfResponse};
use proto::pocket::application::{QueryGetApplicationRequest, QueryGetApplicationResponse};
use proto::pocket::tokenomics::EventClaimSettled;
use supplier::Notice;

use crate::logs::Logged;
use crate::{Network, patiently};

const DENOM: &str = "upokt";

/// What was paid for a test's requests.
#[derive(Clone, Debug, Default)]
pub struct Settled {
    /// Relays of these requests, each found in exactly one claim.
    pub relays: usize,
    /// The settlements they are in, one a session and supplier.
    pub claims: Vec<EventClaimSettled>,
    /// The claimed logs.
    pub logs: Vec<Logged>,
}

impl Network {
    /// Waits until these requests are paid, and checks that each is in exactly one settled claim, and that each of these
    /// claims holds what its log holds.
    ///
    /// # Errors
    /// Naming what is missing, doubled or different.
    pub async fn settled(&self, request_ids: &[String]) -> Result<Settled> {
        let journal = self.journal()?.into_iter();
        let mut journal: BTreeMap<_, _> = journal
            .map(|entry| (entry.request_id.clone(), entry))
            .collect();
        let entries = request_ids.iter().map(|id| {
            let entry = journal.remove(id);
            entry.with_context(|| format!("request {id} is not in the journal"))
        });
        let entries = entries.collect::<Result<Vec<_>>>()?;
        self.settled_entries(&entries).await
    }

    /// The same for entries of the journal.
    ///
    /// # Errors
    /// As [`Network::settled`].
    pub async fn settled_entries(&self, entries: &[Entry]) -> Result<Settled> {
        let mut wanted: BTreeMap<(usize, String), Vec<&Entry>> = BTreeMap::new();
        for entry in entries {
            let key = (self.index_of(&entry.supplier)?, entry.session_id.clone());
            wanted.entry(key).or_default().push(entry);
        }
        let mut settled = Settled::default();
        for ((supplier, session), entries) in &wanted {
            let (_, fate) = self
                .notice(
                    &format!("settlement of session {session}"),
                    |index, notice| {
                        index == *supplier
                            && matches!(notice,
                        Notice::Settled { session_id, .. } | Notice::Lost { session_id, .. }
                            if session_id == session)
                    },
                )
                .await?;
            ensure!(
                matches!(fate, Notice::Settled { .. }),
                "session {session}: {fate:?}"
            );
            let archive = self.claimed(*supplier)?;
            let log = archive
                .iter()
                .find(|log| log.opened.session_id == *session)
                .with_context(|| format!("no log of session {session} was claimed"))?;
            let hashes: BTreeSet<&str> = log.relays.iter().map(|one| one.hash.as_str()).collect();
            ensure!(
                hashes.len() == log.relays.len(),
                "session {session} holds a relay twice"
            );
            for entry in entries {
                ensure!(
                    hashes.contains(entry.relay_hash.as_str()),
                    "request {} was answered, and its relay {} is not in the claim",
                    entry.request_id,
                    entry.relay_hash
                );
            }
            let claim = self.settlement(*supplier, log).await?;
            ensure!(
                usize::try_from(claim.num_relays)? == log.relays.len(),
                "session {session}: {} relays were settled and {} are in the log",
                claim.num_relays,
                log.relays.len()
            );
            settled.relays += entries.len();
            settled.claims.push(claim);
            settled.logs.push(log.clone());
        }
        let answered: BTreeSet<&str> = entries
            .iter()
            .map(|entry| entry.relay_hash.as_str())
            .collect();
        ensure!(
            answered.len() == entries.len(),
            "two requests have the same relay"
        );
        Ok(settled)
    }

    /// The one settlement of a session at a supplier.
    async fn settlement(&self, supplier: usize, log: &Logged) -> Result<EventClaimSettled> {
        let operator = self.operator(supplier);
        let mut found = Vec::new();
        for height in log.opened.claim_open..=self.chain.height() {
            found.extend(
                self.settlements_at(height)
                    .await?
                    .into_iter()
                    .filter(|event| {
                        event.session_id == log.opened.session_id
                            && event.supplier_operator_address == operator
                    }),
            );
        }
        ensure!(
            found.len() == 1,
            "session {} was settled {} times",
            log.opened.session_id,
            found.len()
        );
        found.pop().context("no settlement")
    }

    async fn settlements_at(&self, height: i64) -> Result<Vec<EventClaimSettled>> {
        let events = self.chain.events(height).await?.pocket()?;
        let settled = events.into_iter().filter_map(|(_, event)| match event {
            PocketEvent::ClaimSettled(event) => Some(*event),
            _ => None,
        });
        Ok(settled.collect())
    }

    /// Checks, at the latest height, that the supply is what settlements made of it, and that each application paid
    /// exactly what was settled against it.
    ///
    /// # Errors
    /// Naming the difference.
    pub async fn conserved(&self) -> Result<()> {
        let height = self.chain.height();
        let genesis = self.supply(1).await?;
        let (mut minted, mut burned) = (0, 0);
        let mut paid: BTreeMap<String, u128> = BTreeMap::new();
        for at in 1..=height {
            for event in self.settlements_at(at).await? {
                let settled = amount(&event.settled_upokt)?;
                minted += amount(&event.minted_upokt)?;
                burned += settled;
                *paid.entry(event.application_address).or_default() += settled;
            }
        }
        let supply = self.supply(height).await?;
        ensure!(
            supply + burned == genesis + minted,
            "at height {height} the supply is {supply}; it was {genesis}, {minted} were minted and {burned} burned"
        );
        for service in &self.plan.services {
            let address = self.keys.applications[&service.id].public().address();
            let address = address.to_bech32();
            let stake = self.stake(&address, height).await?;
            let paid = paid.get(&address).copied().unwrap_or(0);
            ensure!(
                stake + paid == service.application_stake_upokt,
                "application of {}: {} staked, {paid} settled, {stake} left",
                service.id,
                service.application_stake_upokt
            );
        }
        Ok(())
    }

    async fn supply(&self, height: i64) -> Result<u128> {
        let request = QuerySupplyOfRequest {
            denom: DENOM.to_owned(),
        };
        let answer: QuerySupplyOfResponse = self
            .chain
            .query("/cosmos.bank.v1beta1.Query/SupplyOf", &request, height)
            .await?;
        let coin = answer.amount;
        Ok(coin.amount.parse()?)
    }

    async fn stake(&self, application: &str, height: i64) -> Result<u128> {
        let request = QueryGetApplicationRequest {
            address: application.to_owned(),
        };
        let answer: QueryGetApplicationResponse = self
            .chain
            .query("/pocket.application.Query/Application", &request, height)
            .await?;
        let coin = answer
            .application
            .stake
            .context("an application without stake")?;
        Ok(coin.amount.parse()?)
    }

    /// Waits until a block above `height`.
    ///
    /// # Errors
    /// When none comes.
    pub async fn above(&self, height: i64) -> Result<i64> {
        let head = patiently("a block", self.chain.wait_above(height)).await??;
        Ok(head.height)
    }
}

/// Reads `12upokt`.
///
/// # Errors
/// For anything else; nothing at all is nothing.
pub fn amount(coin: &str) -> Result<u128> {
    if coin.is_empty() {
        return Ok(0);
    }
    let digits = coin.strip_suffix(DENOM);
    let digits = digits.with_context(|| format!("`{coin}` is not in {DENOM}"))?;
    Ok(digits.parse()?)
}
