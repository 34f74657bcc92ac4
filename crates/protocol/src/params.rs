//! Validation of the shared parameters (chain §1.1).
//!
//! The reference computes with wrapping 64-bit numbers. Here every product and sum is checked and every value that
//! does not fit a positive `i64` is refused, so that no parameter set can exist for which the grid, the windows or the
//! prices would be wrong. The grid anchor (fields 12 and 13) is derived by the chain and not judged here.

use proto::pocket::shared::Params;

use crate::error::ProtocolError;

/// Checks parameters before they take effect.
///
/// # Errors
/// [`ProtocolError::SharedParams`] naming the parameter and its value.
pub fn validate_shared(params: &Params) -> Result<(), ProtocolError> {
    let refused = |text: String| Err(ProtocolError::SharedParams(text));
    for (name, value) in [
        ("NumBlocksPerSession", params.num_blocks_per_session),
        (
            "SupplierUnbondingPeriodSessions",
            params.supplier_unbonding_period_sessions,
        ),
        (
            "ApplicationUnbondingPeriodSessions",
            params.application_unbonding_period_sessions,
        ),
        (
            "GatewayUnbondingPeriodSessions",
            params.gateway_unbonding_period_sessions,
        ),
        (
            "ComputeUnitsToTokensMultiplier",
            params.compute_units_to_tokens_multiplier,
        ),
        (
            "ComputeUnitCostGranularity",
            params.compute_unit_cost_granularity,
        ),
    ] {
        if value == 0 || i64::try_from(value).is_err() {
            return refused(format!("invalid {name}: ({value})"));
        }
    }
    let blocks = params.num_blocks_per_session;
    let (grace, open) = (
        params.grace_period_end_offset_blocks,
        params.claim_window_open_offset_blocks,
    );
    if grace >= blocks {
        return refused(format!(
            "GracePeriodEndOffsetBlocks ({grace}) must be less than NumBlocksPerSession ({blocks})"
        ));
    }
    if open < grace {
        return refused(format!(
            "ClaimWindowOpenOffsetBlocks ({open}) must be at least GracePeriodEndOffsetBlocks ({grace})"
        ));
    }
    let Some(cumulative) = cumulative_offsets(params) else {
        return refused(
            "the claim and proof window offsets add up to more than 2^63 - 2 blocks".to_owned(),
        );
    };
    for (name, sessions) in [
        (
            "SupplierUnbondingPeriodSessions",
            params.supplier_unbonding_period_sessions,
        ),
        (
            "ApplicationUnbondingPeriodSessions",
            params.application_unbonding_period_sessions,
        ),
        (
            "GatewayUnbondingPeriodSessions",
            params.gateway_unbonding_period_sessions,
        ),
    ] {
        let Some(unbonding) = sessions
            .checked_mul(blocks)
            .filter(|product| i64::try_from(*product).is_ok())
        else {
            return refused(format!(
                "{name} ({sessions} sessions of {blocks} blocks) is more than 2^63 - 1 blocks"
            ));
        };
        // The reference asks this of suppliers and applications only.
        if unbonding < cumulative && name != "GatewayUnbondingPeriodSessions" {
            return refused(format!(
                "{name} ({sessions} session) ({unbonding} blocks) must be greater than the \
                 cumulative ProofWindowCloseOffsetBlocks ({cumulative})"
            ));
        }
    }
    if cumulative == 0 {
        return refused("the claim and proof windows together have no block".to_owned());
    }
    Ok(())
}

/// Blocks from the end of a session to the block before its settlement, called S in the specification; `None` if that
/// is more than 2^63 - 2.
pub(crate) fn cumulative_offsets(params: &Params) -> Option<u64> {
    params
        .claim_window_open_offset_blocks
        .checked_add(params.claim_window_close_offset_blocks)?
        .checked_add(params.proof_window_open_offset_blocks)?
        .checked_add(params.proof_window_close_offset_blocks)
        .filter(|sum| i64::try_from(*sum).is_ok_and(|sum| sum < i64::MAX))
}

/// ceil(S / N): sessions of an application that can be unsettled at the same time, at least 0 (chain §1.1).
pub fn pending_sessions(params: &Params) -> u64 {
    let cumulative = cumulative_offsets(params).unwrap_or(i64::MAX.unsigned_abs());
    let blocks = params.num_blocks_per_session.max(1);
    cumulative.div_ceil(blocks)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn defaults() -> Params {
        Params {
            num_blocks_per_session: 10,
            grace_period_end_offset_blocks: 1,
            claim_window_open_offset_blocks: 1,
            claim_window_close_offset_blocks: 4,
            proof_window_open_offset_blocks: 0,
            proof_window_close_offset_blocks: 4,
            supplier_unbonding_period_sessions: 1,
            application_unbonding_period_sessions: 1,
            compute_units_to_tokens_multiplier: 42_000_000,
            gateway_unbonding_period_sessions: 1,
            compute_unit_cost_granularity: 1_000_000,
            session_grid_anchor_height: 1,
            session_number_at_anchor: 1,
        }
    }

    #[test]
    fn every_value_that_would_wrap_is_refused() {
        assert_eq!(validate_shared(&defaults()), Ok(()));
        type Field = fn(&mut Params) -> &mut u64;
        let fields: [Field; 11] = [
            |p| &mut p.num_blocks_per_session,
            |p| &mut p.grace_period_end_offset_blocks,
            |p| &mut p.claim_window_open_offset_blocks,
            |p| &mut p.claim_window_close_offset_blocks,
            |p| &mut p.proof_window_open_offset_blocks,
            |p| &mut p.proof_window_close_offset_blocks,
            |p| &mut p.supplier_unbonding_period_sessions,
            |p| &mut p.application_unbonding_period_sessions,
            |p| &mut p.compute_units_to_tokens_multiplier,
            |p| &mut p.gateway_unbonding_period_sessions,
            |p| &mut p.compute_unit_cost_granularity,
        ];
        for (index, field) in fields.iter().enumerate() {
            for value in [u64::MAX, 1 << 63] {
                let mut params = defaults();
                *field(&mut params) = value;
                assert!(validate_shared(&params).is_err(), "field {index} = {value}");
            }
        }
    }

    #[test]
    fn sessions_in_flight_are_counted_up() {
        assert_eq!(pending_sessions(&defaults()), 1);
        let main = Params {
            num_blocks_per_session: 20,
            claim_window_open_offset_blocks: 11,
            claim_window_close_offset_blocks: 10,
            proof_window_open_offset_blocks: 1,
            proof_window_close_offset_blocks: 10,
            ..defaults()
        };
        assert_eq!(pending_sessions(&main), 2);
    }
}
