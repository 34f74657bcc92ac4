//! Movements of coins that a claim asks for. They are queued here and executed in sums, after all claims.

use proto::pocket::tokenomics::SettlementOpReason as Reason;
use protocol::Upokt;

/// Why the application burns.
pub(super) const BURN: Reason = Reason::TlmRelayBurnEqualsMintApplicationStakeBurn;
/// Why a claim mints.
pub(super) const MINT: Reason = Reason::TlmRelayBurnEqualsMintTokenomicsClaimDistributionMint;
/// Why inflation mints.
pub(super) const INFLATION: Reason = Reason::TlmGlobalMintInflation;

/// Queued movements of one claim, or of the validators together; each list in the order of queueing. Nothing is queued
/// for an amount of nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Operations {
    pub(super) mints: Vec<Supply>,
    pub(super) module_transfers: Vec<ModuleTransfer>,
    pub(super) payments: Vec<Payment>,
    pub(super) burns: Vec<Supply>,
}

/// Coins that a module mints or burns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Supply {
    pub(super) module: &'static str,
    pub(super) reason: Reason,
    pub(super) amount: Upokt,
}

/// Coins from one module's account to another's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ModuleTransfer {
    pub(super) sender: &'static str,
    pub(super) recipient: &'static str,
    pub(super) reason: Reason,
    pub(super) amount: Upokt,
}

/// Coins from a module's account to somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Payment {
    pub(super) sender: &'static str,
    pub(super) recipient: String,
    pub(super) reason: Reason,
    pub(super) amount: Upokt,
}

impl Operations {
    pub(super) fn mint(&mut self, module: &'static str, reason: Reason, amount: Upokt) {
        if !amount.is_zero() {
            self.mints.push(Supply {
                module,
                reason,
                amount,
            });
        }
    }

    pub(super) fn burn(&mut self, module: &'static str, reason: Reason, amount: Upokt) {
        if !amount.is_zero() {
            self.burns.push(Supply {
                module,
                reason,
                amount,
            });
        }
    }

    pub(super) fn transfer(
        &mut self,
        sender: &'static str,
        recipient: &'static str,
        reason: Reason,
        amount: Upokt,
    ) {
        if !amount.is_zero() {
            self.module_transfers.push(ModuleTransfer {
                sender,
                recipient,
                reason,
                amount,
            });
        }
    }

    pub(super) fn pay(
        &mut self,
        sender: &'static str,
        recipient: &str,
        reason: Reason,
        amount: Upokt,
    ) {
        if !amount.is_zero() {
            let recipient = recipient.to_owned();
            self.payments.push(Payment {
                sender,
                recipient,
                reason,
                amount,
            });
        }
    }
}
