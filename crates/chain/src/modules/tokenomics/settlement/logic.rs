//! The three token logic modules: what a settled amount burns, mints and moves (chain specification 3.3, 3.4).
//!
//! Lists are in the reference's order of queueing, which events show.

use proto::pocket::proof::Claim;
use proto::pocket::shared::Supplier;
use proto::pocket::tokenomics::{
    EventApplicationReimbursementRequest, EventSupplierRevShareFallbackDistribution,
    SettlementOpReason as Reason,
};
use protocol::settlement::{burn_equals_mint, global_mint, shareholders};
use protocol::{ProtocolError, Upokt, decimal};

use super::claim::ClaimError;
use super::operations::{BURN, INFLATION, MINT, Operations};
use super::round::{Round, header};
use crate::context::Context;
use crate::modules::shared::{coin, go_text};
use crate::modules::{application, supplier, tokenomics};

const TOKENOMICS: &str = tokenomics::MODULE;
const APPLICATION: &str = application::MODULE;
const SUPPLIER: &str = supplier::MODULE;

impl Round {
    /// Runs all three modules for a positive amount.
    ///
    /// # Errors
    /// [`ClaimError::Refused`], naming the module.
    pub(super) fn run_logic(
        &mut self,
        ctx: &mut Context<'_>,
        claim: &Claim,
        settled: Upokt,
        queue: &mut Operations,
    ) -> Result<(), ClaimError> {
        self.burn_equals_mint(ctx, claim, settled, queue)
            .map_err(within("TLMRelayBurnEqualsMint"))?;
        let inflation = self
            .global_mint(ctx, claim, settled, queue)
            .map_err(within("TLMGlobalMint"))?;
        match inflation {
            Some(amount) => self
                .reimbursement_request(ctx, claim, amount, queue)
                .map_err(within("TLMGlobalMintReimbursementRequest")),
            None => Ok(()),
        }
    }

    /// The application burns what is settled; a part of that is minted and shared.
    fn burn_equals_mint(
        &mut self,
        ctx: &mut Context<'_>,
        claim: &Claim,
        settled: Upokt,
        queue: &mut Operations,
    ) -> Result<(), ClaimError> {
        let header = header(claim);
        queue.burn(APPLICATION, BURN, settled);
        let address = &header.application_address;
        // The reference shows the coin that it has not got.
        self.take_stake(ctx, address, settled, |_| {
            format!(
                "application {address:?} stake cannot be reduced to a negative amount <nil>: application stake cannot be \
                 reduced to a -ve amount"
            )
        })?;
        let terms = &self.terms;
        let mint =
            burn_equals_mint(settled, &terms.mint_ratio, &terms.of_burn).map_err(|error| {
                match error {
                    ProtocolError::ZeroMint(_) => ClaimError::refused(format!(
                        "mint amount truncated to zero for settlement {} with mint_ratio {}",
                        settled.0,
                        decimal::go_text(terms.params.mint_ratio)
                    )),
                    other => other.into(),
                }
            })?;
        queue.mint(TOKENOMICS, MINT, mint.minted);
        let shares = mint.shares;
        let reason = Reason::TlmRelayBurnEqualsMintSupplierShareholderRewardDistribution;
        queue.transfer(TOKENOMICS, SUPPLIER, reason, shares.supplier);
        self.pay_shareholders(ctx, claim, shares.supplier, reason, queue)?;
        self.pools.of_burn = self.pools.of_burn.plus(shares.proposer)?;
        let owner = self.service(ctx, &header.service_id)?;
        let owner = owner.owner_address.clone();
        let dao = &self.terms.params.dao_reward_address;
        for (recipient, reason, amount) in [
            (
                &owner,
                Reason::TlmRelayBurnEqualsMintSourceOwnerRewardDistribution,
                shares.source_owner,
            ),
            (
                dao,
                Reason::TlmRelayBurnEqualsMintDaoRewardDistribution,
                shares.dao,
            ),
            (
                &header.application_address,
                Reason::TlmRelayBurnEqualsMintApplicationRewardDistribution,
                shares.application,
            ),
        ] {
            queue.pay(TOKENOMICS, recipient, reason, amount);
        }
        Ok(())
    }

    /// Inflation: a part on top of what is settled is minted and shared. Gives the amount; `None` without inflation.
    fn global_mint(
        &mut self,
        ctx: &mut Context<'_>,
        claim: &Claim,
        settled: Upokt,
        queue: &mut Operations,
    ) -> Result<Option<Upokt>, ClaimError> {
        let header = header(claim);
        let terms = &self.terms;
        let Some(mint) = global_mint(settled, &terms.inflation, &terms.of_mint)? else {
            return Ok(None);
        };
        queue.mint(TOKENOMICS, INFLATION, mint.minted);
        let shares = mint.shares;
        // The reference's reason here is that of the module transfer below (quirk Q17); explorers know it.
        let reason = Reason::TlmGlobalMintReimbursementRequestEscrowModuleTransfer;
        queue.transfer(TOKENOMICS, SUPPLIER, reason, shares.supplier);
        let reason = Reason::TlmGlobalMintSupplierShareholderRewardDistribution;
        self.pay_shareholders(ctx, claim, shares.supplier, reason, queue)?;
        self.pools.of_mint = self.pools.of_mint.plus(shares.proposer)?;
        let owner = self.service(ctx, &header.service_id)?;
        let owner = owner.owner_address.clone();
        let dao = &self.terms.params.dao_reward_address;
        for (recipient, reason, amount) in [
            (
                &header.application_address,
                Reason::TlmGlobalMintApplicationRewardDistribution,
                shares.application,
            ),
            (
                &owner,
                Reason::TlmGlobalMintSourceOwnerRewardDistribution,
                shares.source_owner,
            ),
            (dao, Reason::TlmGlobalMintDaoRewardDistribution, shares.dao),
        ] {
            queue.pay(TOKENOMICS, recipient, reason, amount);
        }
        Ok(Some(mint.minted))
    }

    /// The application pays the inflation, to the DAO, which may reimburse it later.
    fn reimbursement_request(
        &mut self,
        ctx: &mut Context<'_>,
        claim: &Claim,
        amount: Upokt,
        queue: &mut Operations,
    ) -> Result<(), ClaimError> {
        let header = header(claim);
        self.take_stake(ctx, &header.application_address, amount, |short| {
            format!("negative coin amount: -{}{}", short.0, coin::DENOM)
        })?;
        let reason = Reason::TlmGlobalMintReimbursementRequestEscrowModuleTransfer;
        queue.transfer(APPLICATION, TOKENOMICS, reason, amount);
        let reason = Reason::TlmGlobalMintReimbursementRequestEscrowDaoTransfer;
        queue.pay(
            TOKENOMICS,
            &self.terms.params.dao_reward_address,
            reason,
            amount,
        );
        let owner = self.supplier(ctx, &claim.supplier_operator_address)?;
        let owner = owner.owner_address.clone();
        Ok(ctx.emit(&EventApplicationReimbursementRequest {
            application_addr: header.application_address.clone(),
            supplier_operator_addr: claim.supplier_operator_address.clone(),
            supplier_owner_addr: owner,
            service_id: header.service_id.clone(),
            session_id: header.session_id.clone(),
            amount: amount.to_string(),
        })?)
    }

    /// Splits the supplier's share by the configuration that counts at settlement, or, where the rule
    /// `rev_share_at_session` mends that, the one that counted in the session (quirk Q6).
    fn pay_shareholders(
        &mut self,
        ctx: &mut Context<'_>,
        claim: &Claim,
        amount: Upokt,
        reason: Reason,
        queue: &mut Operations,
    ) -> Result<(), ClaimError> {
        if amount.is_zero() {
            return Ok(());
        }
        let header = header(claim);
        let (operator, service_id) = (&claim.supplier_operator_address, &header.service_id);
        let height = if ctx.rules.rev_share_at_session {
            header.session_start_block_height
        } else {
            ctx.block.height
        };
        let supplier = self.supplier(ctx, operator)?.clone();
        let Some(config) = self.offer(ctx, operator, service_id, height)? else {
            let mut services = String::new();
            for claimed in self.claimed_services(operator).to_vec() {
                if let Some(other) = self.offer(ctx, operator, &claimed, height)? {
                    services.push_str(&format!("services:<{}> ", go_text::config(&other)));
                }
            }
            return Err(ClaimError::refused(format!(
                "queueing operation: distributing rewards to supplier with operator address {operator} shareholders: \
                 SHOULD NEVER HAPPEN: service {service_id:?} not found for supplier {}: constraint violation",
                shown(&supplier, &services)
            )));
        };
        let list = || {
            let shares = config.rev_share.iter();
            shares.map(|share| (share.address.as_str(), share.rev_share_percentage))
        };
        match shareholders(amount, list()) {
            Ok(shares) => {
                for (recipient, share) in shares {
                    queue.pay(SUPPLIER, recipient, reason, share);
                }
                Ok(())
            }
            Err(ProtocolError::RevenueShare(why)) => {
                queue.pay(SUPPLIER, &supplier.owner_address, reason, amount);
                Ok(ctx.emit(&EventSupplierRevShareFallbackDistribution {
                    supplier_operator_address: operator.clone(),
                    supplier_owner_address: supplier.owner_address,
                    service_id: service_id.clone(),
                    session_end_block_height: header.session_end_block_height,
                    amount: amount.to_string(),
                    op_reason: reason.into(),
                    observed_sum_percentage: list().fold(0, |sum: u64, (_, percentage)| {
                        sum.saturating_add(percentage)
                    }),
                    reason: why,
                })?)
            }
            Err(other) => Err(other.into()),
        }
    }
}

/// Names the module that refused a claim.
fn within(module: &'static str) -> impl Fn(ClaimError) -> ClaimError {
    move |error| match error {
        ClaimError::Refused {
            reason,
            is_internal,
        } => {
            let mark = if is_internal {
                ": internal token logic module error"
            } else {
                ""
            };
            let reason =
                format!("TLM {module:?}: {reason}{mark}: failed to process token logic module");
            ClaimError::Refused {
                reason,
                is_internal,
            }
        }
        chain => chain,
    }
}

/// A supplier with the services of its claims in the compact text form of the reference.
fn shown(supplier: &Supplier, services: &str) -> String {
    let stake = supplier.stake.clone().unwrap_or_default();
    let unstake = match supplier.unstake_session_end_height {
        0 => String::new(),
        height => format!("unstake_session_end_height:{height} "),
    };
    format!(
        "owner_address:{:?} operator_address:{:?} stake:<denom:{:?} amount:{:?} > {services}{unstake}",
        supplier.owner_address, supplier.operator_address, stake.denom, stake.amount
    )
}
