//! What may happen when, after a session (relay-protocol §6.1, chain §1.1).

use proto::pocket::shared::Params;

use crate::height::Height;
use crate::session::Grid;

/// The heights that follow from a session's end and the parameters that hold there. Both ends of each window are
/// inclusive; a transaction counts with the height of the block that includes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Windows {
    /// Last height of the session.
    pub session_end: Height,
    /// Last height at which a miner still serves the session.
    pub grace_end: Height,
    /// First height of the claim window. Every supplier may claim here: the reference's spreading is switched off.
    pub claim_open: Height,
    /// Last height of the claim window.
    pub claim_close: Height,
    /// First height of the proof window.
    pub proof_open: Height,
    /// Last height of the proof window.
    pub proof_close: Height,
}

impl Windows {
    /// The windows of the session that ends at `session_end`, with the parameters in effect there.
    pub fn new(params: &Params, session_end: Height) -> Windows {
        let claim_open = session_end
            .plus(params.claim_window_open_offset_blocks)
            .next();
        let claim_close = claim_open.plus(params.claim_window_close_offset_blocks);
        let proof_open = claim_close.plus(params.proof_window_open_offset_blocks);
        Windows {
            session_end,
            grace_end: session_end.plus(params.grace_period_end_offset_blocks),
            claim_open,
            claim_close,
            proof_open,
            proof_close: proof_open.plus(params.proof_window_close_offset_blocks),
        }
    }

    /// The windows of the session of `grid` that contains `height`.
    pub fn of_height(params: &Params, grid: &Grid, height: Height) -> Windows {
        Windows::new(params, grid.end(height))
    }

    /// The block whose hash draws the proof requirement and the proof path: exactly the one before the proof window.
    pub fn seed(&self) -> Height {
        self.proof_open.minus(1)
    }

    /// The block at whose end the session's claims settle: the last of the proof window, after its proofs.
    pub fn settlement(&self) -> Height {
        self.proof_close
    }

    /// Whether a claim may be included at `height`.
    pub fn claim_is_open(&self, height: Height) -> bool {
        (self.claim_open..=self.claim_close).contains(&height)
    }

    /// Whether a proof may be included at `height`.
    pub fn proof_is_open(&self, height: Height) -> bool {
        (self.proof_open..=self.proof_close).contains(&height)
    }

    /// Whether a miner no longer serves the session once `height` is committed.
    pub fn grace_is_over(&self, height: Height) -> bool {
        height > self.grace_end
    }
}
