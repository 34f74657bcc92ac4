//! What a relay costs, how much a supplier may serve before it is paid, and the wall behind which a metering scheme
//! stands (relay-protocol §7.7).
//!
//! A service names its scheme. Everything that differs between schemes is behind [`Scheme`]: what is signed, what a
//! leaf holds, what it weighs, how a leaf is drawn and what the chain checks. There is one today, [`RelayScheme`],
//! Shannon exactly; nothing outside of this trait may assume it.

use proto::pocket::service::{RelayRequest, RelayResponse};
use proto::pocket::shared::Params;

use crate::amount::Upokt;
use crate::claim::{self, ClaimedWork};
use crate::params;
use crate::proof::{self, Evidence, ProofFailure, Strictness, Submission};
use crate::relay;

/// What one supplier may serve an application in one session, before the chain has settled anything: the stake's share
/// of one supplier, divided by the sessions that can be unsettled at once and one more.
///
/// `at_session_end` are the parameters at the session's end, the live ones while that lies in the future. 0 suppliers a
/// session give no limit to spend.
pub fn session_limit(
    application_stake: Upokt,
    num_suppliers_per_session: u64,
    at_session_end: &Params,
) -> Upokt {
    let pending = params::pending_sessions(at_session_end).saturating_add(1);
    application_stake
        .div_or_zero(num_suppliers_per_session)
        .div_or_zero(pending)
}

/// The account of one application with one supplier in one session. Fails closed: what does not fit is not served.
///
/// Every relay is charged as if it counted, whatever the difficulty; the price is
/// [`crate::claim::Pricing::relay_cost`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Meter {
    limit: Upokt,
    consumed: Upokt,
}

/// A relay that does not fit into what is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a relay of {cost} does not fit: {consumed} of {limit} are used in this session")]
pub struct OverLimit {
    /// Price of the relay.
    pub cost: Upokt,
    /// What is used already.
    pub consumed: Upokt,
    /// What may be used.
    pub limit: Upokt,
}

impl Meter {
    /// An account with nothing used.
    pub fn new(limit: Upokt) -> Meter {
        Meter {
            limit,
            consumed: Upokt::ZERO,
        }
    }

    /// An account of which something is used already, as a restart finds it.
    pub fn restored(limit: Upokt, consumed: Upokt) -> Meter {
        Meter { limit, consumed }
    }

    /// What may be used.
    pub fn limit(&self) -> Upokt {
        self.limit
    }

    /// What is used.
    pub fn consumed(&self) -> Upokt {
        self.consumed
    }

    /// Whether a relay would fit; takes nothing.
    ///
    /// # Errors
    /// [`OverLimit`].
    pub fn look(&self, cost: Upokt) -> Result<(), OverLimit> {
        match self.consumed.plus(cost) {
            Ok(sum) if sum <= self.limit => Ok(()),
            _ => Err(OverLimit {
                cost,
                consumed: self.consumed,
                limit: self.limit,
            }),
        }
    }

    /// Takes the price of a relay, before it is served.
    ///
    /// # Errors
    /// [`OverLimit`]; then nothing is taken.
    pub fn reserve(&mut self, cost: Upokt) -> Result<(), OverLimit> {
        self.look(cost)?;
        self.consumed = Upokt(self.consumed.0.saturating_add(cost.0));
        Ok(())
    }

    /// Gives the price of a relay back of which no byte was sent.
    pub fn refund(&mut self, cost: Upokt) {
        self.consumed = self.consumed.minus_or_zero(cost);
    }
}

/// A leaf of a session's trie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// Where it stands.
    pub path: [u8; 32],
    /// What it holds.
    pub value: Vec<u8>,
    /// What it weighs, in compute units.
    pub weight: u64,
}

/// Everything that depends on how work is measured.
pub trait Scheme: Send + Sync {
    /// The name by which a service card chooses it.
    fn name(&self) -> &'static str;

    /// What the ring of the application signs.
    fn signed_by_gateway(&self, request: &RelayRequest) -> [u8; 32];

    /// What the supplier operator signs.
    fn signed_by_supplier(&self, response: &RelayResponse) -> [u8; 32];

    /// The leaf for a signed request and the signed response to it. `compute_units_per_relay` is the service's value at
    /// the session's start.
    fn leaf(
        &self,
        request: &RelayRequest,
        response: &RelayResponse,
        compute_units_per_relay: u64,
    ) -> Leaf;

    /// The number that a leaf's difficulty is judged by.
    fn difficulty_hash(&self, leaf: &Leaf) -> [u8; 32];

    /// The challenge that draws a leaf.
    fn challenge(&self, seed_block_hash: &[u8], session_id: &str) -> [u8; 32];

    /// Whether a claim's sum and count can be those of a tree of such leaves.
    fn claim_adds_up(&self, work: &ClaimedWork, compute_units_per_relay: u64) -> bool;

    /// Whether a proof shows that its claim is real work.
    ///
    /// # Errors
    /// [`ProofFailure`].
    fn check_proof(
        &self,
        submission: &Submission<'_>,
        evidence: &Evidence<'_>,
        strictness: Strictness,
    ) -> Result<(), ProofFailure>;
}

/// The scheme `relay`: each relay weighs the service's compute units, its leaf holds request and response without the
/// response's payload.
#[derive(Clone, Copy, Debug, Default)]
pub struct RelayScheme;

impl Scheme for RelayScheme {
    fn name(&self) -> &'static str {
        "relay"
    }

    fn signed_by_gateway(&self, request: &RelayRequest) -> [u8; 32] {
        relay::signable_request(request)
    }

    fn signed_by_supplier(&self, response: &RelayResponse) -> [u8; 32] {
        relay::signable_response(response)
    }

    fn leaf(
        &self,
        request: &RelayRequest,
        response: &RelayResponse,
        compute_units_per_relay: u64,
    ) -> Leaf {
        let mined = relay::mined_relay(request, response);
        Leaf {
            path: mined.path,
            value: mined.bytes,
            weight: compute_units_per_relay,
        }
    }

    fn difficulty_hash(&self, leaf: &Leaf) -> [u8; 32] {
        relay::relay_hash(&leaf.value)
    }

    fn challenge(&self, seed_block_hash: &[u8], session_id: &str) -> [u8; 32] {
        claim::proof_path(seed_block_hash, session_id)
    }

    fn claim_adds_up(&self, work: &ClaimedWork, compute_units_per_relay: u64) -> bool {
        work.weighs(compute_units_per_relay)
    }

    fn check_proof(
        &self,
        submission: &Submission<'_>,
        evidence: &Evidence<'_>,
        strictness: Strictness,
    ) -> Result<(), ProofFailure> {
        proof::verify(
            &proof::check_form(submission, strictness)?,
            evidence,
            strictness,
        )
    }
}

/// The scheme of this name.
pub fn scheme(name: &str) -> Option<&'static dyn Scheme> {
    (name == RelayScheme.name()).then_some(&RelayScheme as &dyn Scheme)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_leaves_room_for_every_unsettled_session() {
        let main = Params {
            num_blocks_per_session: 20,
            claim_window_open_offset_blocks: 11,
            claim_window_close_offset_blocks: 10,
            proof_window_open_offset_blocks: 1,
            proof_window_close_offset_blocks: 10,
            ..Params::default()
        };
        assert_eq!(
            session_limit(Upokt(1_000_000_000), 50, &main),
            Upokt(6_666_666)
        );
        assert_eq!(session_limit(Upokt(1_000_000_000), 0, &main), Upokt::ZERO);
    }

    #[test]
    fn what_does_not_fit_takes_nothing() {
        let mut meter = Meter::new(Upokt(10));
        meter.reserve(Upokt(6)).unwrap();
        let over = meter.reserve(Upokt(5)).unwrap_err();
        assert_eq!((over.consumed, over.limit), (Upokt(6), Upokt(10)));
        meter.reserve(Upokt(4)).unwrap();
        assert!(meter.look(Upokt(1)).is_err());
        meter.refund(Upokt(4));
        meter.refund(Upokt(100));
        assert_eq!(meter.consumed(), Upokt::ZERO);
        assert!(meter.reserve(Upokt(u128::MAX)).is_err());
    }

    #[test]
    fn schemes_are_found_by_name() {
        assert_eq!(scheme("relay").map(Scheme::name), Some("relay"));
        assert!(scheme("token").is_none());
    }
}
