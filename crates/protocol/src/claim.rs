//! What a claim says and is worth, and whether it must be proven (relay-protocol §4.4, §6.4, §6.5).
//!
//! A claim is the 48-byte root of the session's trie: digest, sum of compute units, number of leaves. Amounts follow
//! from it exactly, with one floor at the end. Where the reference wraps or panics, everything here is an error.

use crypto::go_rand::{self, GoRand};
use num_bigint::BigUint;
use num_traits::ToPrimitive as _;
use prost::Message as _;
use proto::pocket::proof::{Claim, ClaimProofStatus};

use crate::amount::Upokt;
use crate::big;
use crate::decimal::Ratio;
use crate::difficulty;
use crate::error::ProtocolError;
use crypto::hash::{sha256, sha256_parts};

/// Bytes of a claim root.
pub const ROOT_BYTES: usize = 48;

/// What a claim root says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClaimedWork {
    /// Sum of the leaf weights.
    pub compute_units: u64,
    /// Number of leaves, called relays in events.
    pub relays: u64,
}

impl ClaimedWork {
    /// Reads sum and count from the last 16 bytes of a root.
    ///
    /// # Errors
    /// [`ProtocolError::RootLength`].
    pub fn from_root(root: &[u8]) -> Result<ClaimedWork, ProtocolError> {
        let root: &[u8; ROOT_BYTES] = root
            .try_into()
            .map_err(|_| ProtocolError::RootLength(root.len()))?;
        let (_, totals) = root.split_at(32);
        let (sum, count) = totals.split_at(8);
        let number = |bytes: &[u8]| bytes.iter().fold(0u64, |n, byte| n << 8 | u64::from(*byte));
        Ok(ClaimedWork {
            compute_units: number(sum),
            relays: number(count),
        })
    }

    /// Whether the sum is what this many relays of a service weigh. The product is checked: the reference's wraps, so
    /// that a root of 2^61 + 1 relays could claim the weight of one.
    pub fn weighs(&self, compute_units_per_relay: u64) -> bool {
        self.relays.checked_mul(compute_units_per_relay) == Some(self.compute_units)
    }

    /// [`ClaimedWork::weighs`] by the reference's letter, with a product modulo 2^64.
    pub fn weighs_wrapping(&self, compute_units_per_relay: u64) -> bool {
        self.relays.wrapping_mul(compute_units_per_relay) == self.compute_units
    }
}

/// `estimated_compute_units div (compute_units div relays)`, 0 where a divisor is 0: relays that were probably served.
pub fn estimated_relays(work: &ClaimedWork, estimated_compute_units: u64) -> u64 {
    let each = work.compute_units.checked_div(work.relays).unwrap_or(0);
    estimated_compute_units.checked_div(each).unwrap_or(0)
}

/// What turns compute units into upokt. All three are values at the session's **start**.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pricing {
    multiplier: Ratio,
    upokt_per_compute_unit: Ratio,
}

impl Pricing {
    /// From the target hash of the service's difficulty and the shared parameters
    /// `compute_units_to_tokens_multiplier` and `compute_unit_cost_granularity`.
    ///
    /// # Errors
    /// [`ProtocolError::ParameterRange`] for a parameter that is 0 (granularity only) or above 2^63 - 1, which the
    /// reference reads as negative; [`ProtocolError::ZeroDivisor`] for a target of 0.
    pub fn new(
        target_hash: &[u8],
        compute_units_to_tokens_multiplier: u64,
        compute_unit_cost_granularity: u64,
    ) -> Result<Pricing, ProtocolError> {
        let (name, value) = (
            "compute_units_to_tokens_multiplier",
            compute_units_to_tokens_multiplier,
        );
        i64::try_from(value).map_err(|_| ProtocolError::ParameterRange { name, value })?;
        let (name, value) = (
            "compute_unit_cost_granularity",
            compute_unit_cost_granularity,
        );
        if value == 0 || i64::try_from(value).is_err() {
            return Err(ProtocolError::ParameterRange { name, value });
        }
        Ok(Pricing {
            multiplier: difficulty::multiplier(target_hash)?,
            upokt_per_compute_unit: Ratio::new(
                compute_units_to_tokens_multiplier,
                compute_unit_cost_granularity,
            )?,
        })
    }

    /// `floor(compute_units * multiplier)`: the work that was probably done.
    ///
    /// # Errors
    /// [`ProtocolError::CountOverflow`] above 2^64 - 1.
    pub fn estimated_compute_units(&self, work: &ClaimedWork) -> Result<u64, ProtocolError> {
        self.estimate(work)
            .to_u64()
            .ok_or(ProtocolError::CountOverflow)
    }

    /// [`Pricing::estimated_compute_units`] by the reference's letter, modulo 2^64.
    pub fn estimated_compute_units_wrapping(&self, work: &ClaimedWork) -> u64 {
        self.estimate(work)
            .iter_u64_digits()
            .next()
            .unwrap_or_default()
    }

    fn estimate(&self, work: &ClaimedWork) -> BigUint {
        let over = big::product(&work.compute_units.into(), self.multiplier.numerator());
        big::floor(&over, self.multiplier.denominator())
    }

    /// `floor(compute_units * multiplier * CUTTM / granularity)`, floored once.
    ///
    /// # Errors
    /// [`ProtocolError::AmountOverflow`].
    pub fn claimed(&self, work: &ClaimedWork) -> Result<Upokt, ProtocolError> {
        let (scale, price) = (&self.multiplier, &self.upokt_per_compute_unit);
        let over = big::product(scale.numerator(), price.numerator());
        let over = big::product(&work.compute_units.into(), &over);
        let under = big::product(scale.denominator(), price.denominator());
        Upokt::from_big(&big::floor(&over, &under))
    }

    /// Price of one relay, for metering: `floor(compute_units * CUTTM / granularity)`, without the multiplier
    /// (relay-protocol §7.7).
    ///
    /// # Errors
    /// [`ProtocolError::AmountOverflow`].
    pub fn relay_cost(&self, compute_units_per_relay: u64) -> Result<Upokt, ProtocolError> {
        self.upokt_per_compute_unit
            .floor_of(Upokt(compute_units_per_relay.into()))
    }
}

/// Whether and why a claim must be proven; the numbers are those of `ProofRequirementReason`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProofRequirement {
    /// Below the threshold and not drawn.
    NotRequired = 0,
    /// Drawn.
    Probabilistic = 1,
    /// Worth at least the threshold.
    Threshold = 2,
}

impl ProofRequirement {
    /// Whether a proof is needed for any reason.
    pub fn is_required(self) -> bool {
        self != ProofRequirement::NotRequired
    }
}

/// SHA-256 of the encoded claim, status included.
pub fn claim_hash(claim: &Claim) -> [u8; 32] {
    sha256(&claim.encode_to_vec())
}

/// The number in [0, 1) that decides the draw for a claim with this hash.
pub fn sample_value(claim_hash: &[u8; 32], seed_block_hash: &[u8]) -> f64 {
    let seed = go_rand::varint(&sha256_parts(&[claim_hash, seed_block_hash]));
    GoRand::new(seed).float64()
}

/// Decides whether `claim`, worth `claimed`, must be proven. `seed_block_hash` is that of
/// [`crate::session::Windows::seed`]; `threshold` and `probability` are the live proof parameters.
///
/// The draw is made on the claim as given. Callers that want one outcome per claim (H8) pass the pending form, see
/// [`pending_form`]; the reference draws again on the stored status.
pub fn requirement(
    claim: &Claim,
    claimed: Upokt,
    seed_block_hash: &[u8],
    threshold: Upokt,
    probability: f64,
) -> ProofRequirement {
    if claimed >= threshold {
        ProofRequirement::Threshold
    } else if sample_value(&claim_hash(claim), seed_block_hash) <= probability {
        ProofRequirement::Probabilistic
    } else {
        ProofRequirement::NotRequired
    }
}

/// The claim as it was made, before any verdict: the only form its owner can evaluate.
pub fn pending_form(claim: &Claim) -> Claim {
    Claim {
        proof_validation_status: ClaimProofStatus::PendingValidation.into(),
        ..claim.clone()
    }
}

/// The path a proof must show: SHA-256 of the seed block's hash and the session id's 64 ASCII characters.
pub fn proof_path(seed_block_hash: &[u8], session_id: &str) -> [u8; 32] {
    sha256_parts(&[seed_block_hash, session_id.as_bytes()])
}
