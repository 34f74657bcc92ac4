//! Deliberate differences from the reference that touch state: one named flag each.
//!
//! The flags are part of the chain's state. Genesis sets them under `app_state.relaymill.rules`; a flag that is absent
//! is off, which is what the reference does, so that a recording of the reference replays. Our own networks start with
//! [`Rules::mended`]. A difference that cannot be seen in any state (a panic, a halt, an order that was random) has no
//! flag: it is simply not copied.

use serde::{Deserialize, Serialize};

/// Which of the reference's defects are mended on this chain (chain specification 8.1, relay protocol 9).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rules {
    /// H1: flipped bits of a closest proof are ascending, below its depth, and their side nodes are empty.
    pub bind_leaf_to_challenge: bool,
    /// H2: the proven path is the hash of the relay hash.
    pub bind_path_to_relay: bool,
    /// H3: the proven leaf counts one relay and weighs the service's compute units per relay.
    pub bind_leaf_weight: bool,
    /// H4, Q14: sums and products of claims are checked, never wrapped.
    pub checked_claim_sums: bool,
    /// H5: relay bytes in a proof are their own canonical encoding.
    pub canonical_relay_bytes: bool,
    /// H7: headers of request and response are equal, the payload hash has 32 bytes, the payload is absent, and the
    /// ring signature has exactly its canonical length.
    pub strict_relay_form: bool,
    /// H8: all header fields of a claim equal those of the session on chain.
    pub claim_header_is_session_header: bool,
    /// H8, Q1: whether a proof is required is drawn once, from the claim as it was created.
    pub requirement_drawn_once: bool,
    /// Relay protocol 2: the ring of a proof is built with the params at the session's end.
    pub ring_params_at_session_end: bool,
    /// Q2: a balance equal to the proof submission fee suffices.
    pub proof_fee_may_empty_balance: bool,
    /// Q3: a supplier slashed below the minimum stake really unbonds: index and configuration history are written.
    pub slashed_supplier_unbonds: bool,
    /// Unstaking a supplier closes what is open and leaves alone what was closed earlier.
    pub closed_configs_stay_closed: bool,
    /// Q4: a discarded claim changes nothing, the application's record included.
    pub discarded_claim_changes_nothing: bool,
    /// Q6: the shares of a supplier's configuration are those of the session, not those at settlement.
    pub rev_share_at_session: bool,
    /// Q9: a change of params builds on the pending change, if there is one.
    pub params_update_on_pending: bool,
    /// Chain 2: session ends in messages and block phases come from the params of the height, not from the live ones,
    /// which are behind in the first block of a new session length.
    pub grid_of_the_height: bool,
    /// Chain 10: the first change of the session size records the old one from height 1 on, not from the current
    /// height, so that sessions already running keep their suppliers.
    pub session_size_from_first_height: bool,
    /// Feegrant: a revoked or used-up allowance leaves the queue of expirations, so that a later one between the same
    /// accounts is not removed at the time of the earlier one.
    pub revoked_allowance_leaves_queue: bool,
}

impl Rules {
    /// The reference's behaviour, defects included.
    pub const fn reference() -> Self {
        Self {
            bind_leaf_to_challenge: false,
            bind_path_to_relay: false,
            bind_leaf_weight: false,
            checked_claim_sums: false,
            canonical_relay_bytes: false,
            strict_relay_form: false,
            claim_header_is_session_header: false,
            requirement_drawn_once: false,
            ring_params_at_session_end: false,
            proof_fee_may_empty_balance: false,
            slashed_supplier_unbonds: false,
            closed_configs_stay_closed: false,
            discarded_claim_changes_nothing: false,
            rev_share_at_session: false,
            params_update_on_pending: false,
            grid_of_the_height: false,
            session_size_from_first_height: false,
            revoked_allowance_leaves_queue: false,
        }
    }

    /// Every defect mended: what our own networks start with.
    pub const fn mended() -> Self {
        Self {
            bind_leaf_to_challenge: true,
            bind_path_to_relay: true,
            bind_leaf_weight: true,
            checked_claim_sums: true,
            canonical_relay_bytes: true,
            strict_relay_form: true,
            claim_header_is_session_header: true,
            requirement_drawn_once: true,
            ring_params_at_session_end: true,
            proof_fee_may_empty_balance: true,
            slashed_supplier_unbonds: true,
            closed_configs_stay_closed: true,
            discarded_claim_changes_nothing: true,
            rev_share_at_session: true,
            params_update_on_pending: true,
            grid_of_the_height: true,
            session_size_from_first_height: true,
            revoked_allowance_leaves_queue: true,
        }
    }
}
