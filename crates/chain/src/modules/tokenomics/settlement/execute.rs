//! The queued operations of all claims, summed up and executed (chain specification 3.6).
//!
//! An operation that the bank refuses (a recipient that may not receive, a module's account that does not hold the
//! coins) leaves the coins where they are, is logged, and has no event; the reference stops the chain (quirk Q16).

use std::collections::BTreeMap;

use proto::pocket::tokenomics::{EventSettlementBatch, SettlementOpReason as Reason};
use protocol::Upokt;

use super::operations::Operations;
use crate::bank;
use crate::context::Context;
use crate::error::{ChainError, TxError};
use crate::modules::shared::address;

/// What happens to a sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Mint,
    ModuleTransfer,
    Payment,
    Burn,
}

impl Kind {
    /// As events name it.
    fn text(self) -> &'static str {
        match self {
            Self::Mint => "mint",
            Self::ModuleTransfer => "mod_to_mod",
            Self::Payment => "mod_to_acct",
            Self::Burn => "burn",
        }
    }
}

/// A sum over claims.
struct Batch<'a> {
    sender: &'a str,
    recipient: &'a str,
    reason: Reason,
    total: Upokt,
    claims: u32,
    /// The last result that contributed, so that each counts once.
    last: usize,
}

/// Batches of each kind in the order of the text `sender|recipient|reason`, the kinds in order of execution.
type Batches<'a> = BTreeMap<(Kind, String), Batch<'a>>;

/// Executes all operations.
///
/// # Errors
/// When the store fails.
pub(super) fn run(
    ctx: &mut Context<'_>,
    results: &[Operations],
    session_end: Option<i64>,
) -> Result<(), ChainError> {
    for ((kind, _), batch) in sums(results) {
        let moved = ctx.atomic(|ctx| apply(ctx, kind, &batch));
        match moved {
            Ok(()) => {}
            Err(error) if error.code == crate::sdk::PANIC => return Err(error.into()),
            Err(error) => {
                tracing::error!(
                    operation = kind.text(), sender = batch.sender, recipient = batch.recipient,
                    amount = %batch.total, %error, "a settlement operation was refused"
                );
                continue;
            }
        }
        ctx.emit(&EventSettlementBatch {
            session_end_block_height: session_end.unwrap_or_default(),
            sender_module: batch.sender.to_owned(),
            recipient: batch.recipient.to_owned(),
            op_reason: batch.reason.into(),
            total_amount: batch.total.to_string(),
            num_claims: batch.claims,
            op_type: kind.text().to_owned(),
        })?;
    }
    Ok(())
}

fn sums(results: &[Operations]) -> Batches<'_> {
    let mut batches = Batches::new();
    for (index, result) in results.iter().enumerate() {
        let mut add = |kind, sender, recipient, reason, amount| {
            add(&mut batches, index, kind, sender, recipient, reason, amount);
        };
        for mint in &result.mints {
            add(Kind::Mint, mint.module, "", mint.reason, mint.amount);
        }
        for transfer in &result.module_transfers {
            let amount = transfer.amount;
            add(
                Kind::ModuleTransfer,
                transfer.sender,
                transfer.recipient,
                transfer.reason,
                amount,
            );
        }
        for payment in &result.payments {
            let recipient = payment.recipient.as_str();
            add(
                Kind::Payment,
                payment.sender,
                recipient,
                payment.reason,
                payment.amount,
            );
        }
        for burn in &result.burns {
            add(Kind::Burn, burn.module, "", burn.reason, burn.amount);
        }
    }
    batches
}

fn add<'a>(
    batches: &mut Batches<'a>,
    index: usize,
    kind: Kind,
    sender: &'a str,
    recipient: &'a str,
    reason: Reason,
    amount: Upokt,
) {
    let number = i32::from(reason);
    let key = if recipient.is_empty() {
        format!("{sender}|{number}")
    } else {
        format!("{sender}|{recipient}|{number}")
    };
    let fresh = || Batch {
        sender,
        recipient,
        reason,
        total: Upokt::ZERO,
        claims: 0,
        last: index,
    };
    let batch = batches.entry((kind, key)).or_insert_with(fresh);
    if batch.claims == 0 || batch.last != index {
        batch.claims = batch.claims.saturating_add(1);
        batch.last = index;
    }
    // No sum of amounts that were cut from stakes reaches 2^128; one that did would be refused by the bank.
    batch.total = Upokt(batch.total.0.saturating_add(amount.0));
}

fn apply(ctx: &mut Context<'_>, kind: Kind, batch: &Batch<'_>) -> Result<(), TxError> {
    let coins = [batch.total.to_coin()];
    match kind {
        Kind::Mint => bank::mint(ctx, batch.sender, &coins),
        Kind::ModuleTransfer => bank::module_to_module(ctx, batch.sender, batch.recipient, &coins),
        Kind::Payment => {
            let recipient = address::parse(batch.recipient).map_err(TxError::undefined)?;
            bank::module_to_account(ctx, batch.sender, &recipient, &coins)
        }
        Kind::Burn => bank::burn(ctx, batch.sender, &coins),
    }
}
