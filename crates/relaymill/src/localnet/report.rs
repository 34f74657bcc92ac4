//! What a local network prints while it runs: relays, claims, proofs, and who was paid.

use std::collections::BTreeMap;
use std::sync::Arc;

use client::Chain;
use client::events::{Place, PocketEvent};
use proto::pocket::tokenomics::{EventClaimSettled, SettlementOpReason};
use supplier::Notice;

/// Prints one line a happening.
pub(super) struct Reporter;

/// The coins of one session, in upokt.
#[derive(Debug, Default, PartialEq, Eq)]
struct Paid {
    application: String,
    service: String,
    claims: u32,
    relays: u64,
    burned: u128,
    suppliers: BTreeMap<String, u128>,
    sources: BTreeMap<String, u128>,
    dao: u128,
    others: u128,
}

impl Reporter {
    /// Follows the chain's settlements.
    pub(super) fn start(chain: Arc<Chain>, tasks: &net::Tasks) -> Self {
        let mut blocks = chain.blocks();
        let scope = tasks.clone();
        tasks.spawn(async move {
            while let Some(Some(block)) = scope.until_cancelled(blocks.next()).await {
                match chain
                    .events(block.height)
                    .await
                    .and_then(|events| events.pocket())
                {
                    Ok(events) => {
                        if let Some(line) = validators(block.height, &events) {
                            println!("{line}");
                        }
                        for (session, paid) in sessions(events.iter().map(|(_, event)| event)) {
                            println!("{}", line(block.height, &session, &paid));
                        }
                    }
                    Err(error) => {
                        tracing::warn!(height = block.height, %error, "no events of a block")
                    }
                }
            }
        });
        Self
    }

    /// For the gateway: a line a relay.
    pub(super) fn relays(&self) -> gateway::journal::OnRelay {
        Arc::new(|entry| {
            println!(
                "relay    {} {} by {} in {} ms",
                entry.request_id,
                entry.model,
                short(&entry.supplier),
                entry.duration_ms
            );
        })
    }

    /// For a supplier: a line a claim and proof.
    pub(super) fn supplier(&self, number: usize) -> supplier::Observer {
        Arc::new(move |notice| match notice {
            Notice::Claimed {
                session_id,
                service_id,
                relays,
            } => {
                println!(
                    "claim    supplier-{number} claims {relays} relays of {service_id}, session {}",
                    short(session_id)
                );
            }
            Notice::Proven { session_id } => {
                println!(
                    "proof    supplier-{number} proved session {}",
                    short(session_id)
                );
            }
            Notice::ProofNotNeeded { session_id } => {
                println!("proof    none asked for, session {}", short(session_id));
            }
            Notice::Lost { session_id, why } => {
                println!(
                    "LOST     supplier-{number}, session {}: {why}",
                    short(session_id)
                );
            }
            Notice::Settled { .. } => {}
        })
    }
}

/// Settled claims of a block, by session.
fn sessions<'a>(events: impl Iterator<Item = &'a PocketEvent>) -> BTreeMap<String, Paid> {
    let mut sessions: BTreeMap<String, Paid> = BTreeMap::new();
    for event in events {
        if let PocketEvent::ClaimSettled(event) = event {
            add(sessions.entry(event.session_id.clone()).or_default(), event);
        }
    }
    sessions
}

fn add(paid: &mut Paid, event: &EventClaimSettled) {
    paid.application.clone_from(&event.application_address);
    paid.service.clone_from(&event.service_id);
    paid.claims += 1;
    paid.relays = paid.relays.saturating_add(event.num_relays);
    paid.burned = paid.burned.saturating_add(upokt(&event.settled_upokt));
    for detail in &event.reward_distribution_detailed {
        let amount = upokt(&detail.amount);
        let recipient = detail.recipient_address.clone();
        use SettlementOpReason as Reason;
        match detail.op_reason() {
            Reason::TlmRelayBurnEqualsMintSupplierShareholderRewardDistribution
            | Reason::TlmGlobalMintSupplierShareholderRewardDistribution => {
                *paid.suppliers.entry(recipient).or_default() += amount;
            }
            Reason::TlmRelayBurnEqualsMintSourceOwnerRewardDistribution
            | Reason::TlmGlobalMintSourceOwnerRewardDistribution => {
                *paid.sources.entry(recipient).or_default() += amount;
            }
            Reason::TlmRelayBurnEqualsMintDaoRewardDistribution
            | Reason::TlmGlobalMintDaoRewardDistribution
            | Reason::TlmGlobalMintReimbursementRequestEscrowDaoTransfer => paid.dao += amount,
            _ => paid.others += amount,
        }
    }
}

/// The validators' part of a block's settlements, which the claims' events do not have.
fn validators(height: i64, events: &[(Place, PocketEvent)]) -> Option<String> {
    let mut paid: BTreeMap<&str, u128> = BTreeMap::new();
    for (_, event) in events {
        if let PocketEvent::ValidatorRewardDistribution(event) = event {
            let amount: u128 = event.pool_share_upokt.parse().unwrap_or(0);
            *paid.entry(&event.validator_account_address).or_default() += amount;
        }
    }
    let each = paid
        .iter()
        .map(|(who, amount)| format!("{} {amount}", short(who)));
    let each: Vec<String> = each.collect();
    (!each.is_empty()).then(|| {
        format!(
            "settled  height {height}: paid to validators {}",
            each.join(", ")
        )
    })
}

fn line(height: i64, session: &str, paid: &Paid) -> String {
    let list = |people: &BTreeMap<String, u128>| {
        let each: Vec<_> = people
            .iter()
            .map(|(who, amount)| format!("{} {amount}", short(who)))
            .collect();
        each.join(", ")
    };
    let mut text = format!(
        "settled  height {height}, session {} of {}: {} relays in {} claims; burned from {} {} upokt; paid to supplier {}; Source {}; DAO {}",
        short(session),
        paid.service,
        paid.relays,
        paid.claims,
        short(&paid.application),
        paid.burned,
        list(&paid.suppliers),
        list(&paid.sources),
        paid.dao
    );
    if paid.others > 0 {
        text.push_str(&format!("; others {}", paid.others));
    }
    text
}

fn upokt(coin: &str) -> u128 {
    coin.strip_suffix("upokt")
        .and_then(|amount| amount.parse().ok())
        .unwrap_or(0)
}

/// Enough of an address or id to tell it from others.
fn short(text: &str) -> String {
    match (text.get(..8), text.get(text.len().saturating_sub(4)..)) {
        (Some(start), Some(end)) if text.len() > 16 => format!("{start}…{end}"),
        _ => text.to_owned(),
    }
}
