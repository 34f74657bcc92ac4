//! Whether a proof shows that its claim is real work (relay-protocol §6.3, §5.6, §9, chain §1.7).
//!
//! Two stages, as on chain: [`check_form`] when the proof arrives (everything that needs neither keys nor the block
//! that seeds the challenge), [`verify`] at the end of that block (signatures, path, trie). What the reference does not
//! establish is added one rule at a time ([`Strictness`]); every honest proof passes all of them.
//!
//! Texts are the reference's where it has one: they reach clients in transaction logs and events.

use crypto::gob;
use crypto::keys::PublicKey;
use crypto::ring::{self, Cache};
use crypto::trie::{self, CompactProof, EMPTY, ProvenLeaf, Root};
use prost::Message as _;
use proto::pocket::service::{Relay, RelayRequest, RelayResponse};
use proto::pocket::session::SessionHeader;

use crate::claim::proof_path;
use crate::error::ProtocolError;
use crate::relay::{self, PAYLOAD_HASH_FIELD};
use crate::{difficulty, validate, wire};

/// Which of the rules that the reference lacks are applied; the numbers are those of relay-protocol §9. H6 is a
/// supplier's own choice, H8 concerns the draw ([`crate::claim::pending_form`]) and the session check of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Strictness {
    /// H1: the leaf is the one the challenge draws.
    pub leaf_bound_to_challenge: bool,
    /// H2: the leaf's path is the double hash of its relay.
    pub path_bound_to_content: bool,
    /// H3: the leaf counts one and weighs what a relay of the service weighs.
    pub leaf_weight: bool,
    /// H4: no sum or count on the way wraps.
    pub no_wrapping: bool,
    /// H5: the relay is in canonical encoding.
    pub canonical_relay: bool,
    /// H7: payload hash of 32 bytes, no response payload, a ring signature of exactly 69 + 65 n bytes with canonical
    /// scalars.
    pub exact_relay: bool,
}

impl Strictness {
    /// As the reference verifies.
    pub const REFERENCE: Strictness = Strictness {
        leaf_bound_to_challenge: false,
        path_bound_to_content: false,
        leaf_weight: false,
        no_wrapping: false,
        canonical_relay: false,
        exact_relay: false,
    };

    /// Everything of relay-protocol §9.
    pub const FULL: Strictness = Strictness {
        leaf_bound_to_challenge: true,
        path_bound_to_content: true,
        leaf_weight: true,
        no_wrapping: true,
        canonical_relay: true,
        exact_relay: true,
    };
}

/// Why a proof is refused.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ProofFailure {
    /// No bytes at all.
    #[error("proof cannot be empty: invalid proof")]
    Empty,
    /// The bytes are not a proof in gob.
    #[error("failed to unmarshal sparse compact merkle closest proof: {0}: invalid proof")]
    Gob(crypto::Error),
    /// Lengths and numbers of the proof do not fit together.
    #[error("failed to decompact sparse merkle closest proof: {0}: invalid proof")]
    Form(crypto::Error),
    /// The leaf is not a relay.
    #[error("failed to unmarshal relay: {0}: invalid relay")]
    Relay(String),
    /// Request or response are not well formed.
    #[error(transparent)]
    Basic(#[from] ProtocolError),
    /// The relay was made for another supplier.
    #[error("supplier type mismatch: supplier operator address does not match the claim or proof")]
    Supplier,
    /// Request or response belong to another session.
    #[error("session headers {mismatch}: {expected}, got: {actual}: invalid relay")]
    Header {
        /// Which of the five fields, in the reference's words.
        mismatch: &'static str,
        /// The chain's value.
        expected: String,
        /// The relay's value.
        actual: String,
    },
    /// The relay hash is not below the target.
    #[error(
        "the relay hash {relay_hash} is not below the target {target}: invalid relay difficulty"
    )]
    Difficulty {
        /// Hash of the relay.
        relay_hash: String,
        /// Target at the session's start.
        target: String,
    },
    /// The ring signature cannot be read.
    #[error("error deserializing ring signature: {0}: invalid relay request signature")]
    RingForm(crypto::Error),
    /// A key in the ring may not sign for the application.
    #[error(
        "ring signature in the relay request does not match the expected one for the app {0}: \
         invalid relay request signature"
    )]
    RingMember(String),
    /// The ring signature does not verify over the request.
    #[error("invalid relay request signature or bytes: invalid relay request signature")]
    RingSignature,
    /// The proof answers another challenge.
    #[error(
        "the path of the proof provided ({actual}) does not match one expected by the onchain \
         protocol ({expected}): invalid proof"
    )]
    Path {
        /// The challenge, in hex.
        expected: String,
        /// The proof's path, in hex.
        actual: String,
    },
    /// The proof does not lead to the claim's root.
    #[error("invalid closest merkle proof: invalid proof")]
    Root(crypto::Error),
    /// H1.
    #[error("the leaf is not the one that the challenge draws: {0}: invalid proof")]
    UnboundLeaf(&'static str),
    /// H2.
    #[error("the path of the leaf is not the hash of the hash of its relay: invalid proof")]
    UnboundPath,
    /// H3.
    #[error(
        "the leaf counts {count} and weighs {weight} compute units, a relay counts 1 and weighs \
         {expected}: invalid proof"
    )]
    LeafWeight {
        /// Count in the leaf.
        count: u64,
        /// Weight in the leaf.
        weight: u64,
        /// Compute units of a relay at the session's start.
        expected: u64,
    },
    /// H4.
    #[error("sums or counts of the proof exceed 64 bits: invalid proof")]
    Wraps,
    /// H5.
    #[error("the relay is not in canonical encoding: invalid relay")]
    NotCanonical,
    /// H7.
    #[error("{0}: invalid relay")]
    NotExact(&'static str),
}

/// What the chain knows when a proof arrives.
#[derive(Clone, Copy, Debug)]
pub struct Submission<'a> {
    /// The session's header **on chain**.
    pub session_header: &'a SessionHeader,
    /// The claim's owner.
    pub supplier_operator_address: &'a str,
    /// Target hash of the service's difficulty at the session's start.
    pub target_hash: &'a [u8],
    /// The proof as submitted, a gob stream.
    pub proof: &'a [u8],
}

/// A proof that is well formed, with the relay in its leaf.
#[derive(Clone, Debug)]
pub struct WellFormed {
    /// The proof.
    pub proof: CompactProof,
    /// The relay's request.
    pub request: RelayRequest,
    /// The relay's response.
    pub response: RelayResponse,
    /// Whether the response had a payload hash field at all, see [`relay::signable_response_as_sent`].
    payload_hash_present: bool,
}

impl WellFormed {
    /// The relay as it stands in the leaf.
    pub fn relay_bytes(&self) -> &[u8] {
        relay_bytes(&self.proof)
    }
}

/// What the chain knows at the end of the block that a proof arrived in.
#[derive(Clone, Copy)]
pub struct Evidence<'a> {
    /// The application of the claim.
    pub application_address: &'a str,
    /// Keys that may sign for it, see [`crate::ring::expected_members`].
    pub ring: &'a [PublicKey],
    /// Tables of rings seen before; used only with [`Strictness::exact_relay`], whose verdicts it shares.
    pub ring_tables: Option<&'a Cache>,
    /// Key of the supplier operator.
    pub operator_key: &'a PublicKey,
    /// The session's id as in the header.
    pub session_id: &'a str,
    /// Hash of the block before the proof window, see [`crate::session::Windows::seed`].
    pub seed_block_hash: &'a [u8],
    /// The claim's root, 48 bytes.
    pub root: &'a [u8],
    /// Compute units of a relay of the service at the session's start.
    pub compute_units_per_relay: u64,
}

/// Checks a proof as it arrives: encoding, relay, supplier, session and difficulty.
///
/// # Errors
/// The [`ProofFailure`] of the first thing that does not hold, in the reference's order.
pub fn check_form(
    submission: &Submission<'_>,
    strictness: Strictness,
) -> Result<WellFormed, ProofFailure> {
    if submission.proof.is_empty() {
        return Err(ProofFailure::Empty);
    }
    let proof = gob::decode_proof(submission.proof).map_err(ProofFailure::Gob)?;
    let relay = Relay::decode(relay_bytes(&proof))
        .map_err(|error| ProofFailure::Relay(error.to_string()))?;
    if strictness.canonical_relay && relay.encode_to_vec() != relay_bytes(&proof) {
        return Err(ProofFailure::NotCanonical);
    }
    let payload_hash_present = payload_hash_present(relay_bytes(&proof));
    let (request, response) = (relay.req.unwrap_or_default(), relay.res.unwrap_or_default());
    validate::relay_request(&request)?;
    if request.meta.supplier_operator_address != submission.supplier_operator_address {
        return Err(ProofFailure::Supplier);
    }
    validate::relay_response(&response)?;
    for header in [&request.meta.session_header, &response.meta.session_header] {
        same_header(submission.session_header, header.as_ref())?;
    }
    if strictness.exact_relay {
        check_exact(&response)?;
    }
    let target = difficulty::target(submission.target_hash)?;
    let relay_hash = relay::relay_hash(relay_bytes(&proof));
    if !difficulty::applicable(&relay_hash, &target) {
        return Err(ProofFailure::Difficulty {
            relay_hash: hex::encode(relay_hash),
            target: hex::encode(target),
        });
    }
    Ok(WellFormed {
        proof,
        request,
        response,
        payload_hash_present,
    })
}

/// Judges a well-formed proof: ring signature, supplier signature, challenge, trie.
///
/// # Errors
/// The [`ProofFailure`] of the first thing that does not hold, in the reference's order.
pub fn verify(
    proof: &WellFormed,
    evidence: &Evidence<'_>,
    strictness: Strictness,
) -> Result<(), ProofFailure> {
    check_ring(&proof.request, evidence, strictness)?;
    check_operator(proof, evidence.operator_key)?;
    let challenge = proof_path(evidence.seed_block_hash, evidence.session_id);
    if proof.proof.path != challenge {
        return Err(ProofFailure::Path {
            expected: hex::encode(challenge),
            actual: hex::encode(&proof.proof.path),
        });
    }
    let root = evidence.root.try_into().map(Root);
    let root = root.map_err(|_| ProtocolError::RootLength(evidence.root.len()))?;
    let leaf = trie::verify_closest(&root, &proof.proof).map_err(ProofFailure::Root)?;
    check_trie(
        &proof.proof,
        &leaf,
        evidence.compute_units_per_relay,
        strictness,
    )
}

/// The value of the leaf: all but the last 16 bytes of the misnamed hash.
fn relay_bytes(proof: &CompactProof) -> &[u8] {
    let value = proof.closest_value_hash.as_slice();
    value
        .get(..value.len().saturating_sub(16))
        .unwrap_or_default()
}

/// Whether field 4 of the response was on the wire, in any occurrence of the response.
fn payload_hash_present(relay: &[u8]) -> bool {
    wire::fields(relay)
        .filter(|(number, _)| *number == 2)
        .filter_map(|(_, field)| wire::delimited_contents(field))
        .any(|response| wire::has_field(response, PAYLOAD_HASH_FIELD))
}

fn same_header(
    expected: &SessionHeader,
    actual: Option<&SessionHeader>,
) -> Result<(), ProofFailure> {
    let default = SessionHeader::default();
    let actual = actual.unwrap_or(&default);
    let text = |text: &str| format!("{text:?}");
    let fields = [
        (
            "application addresses mismatch; expect",
            text(&expected.application_address),
            text(&actual.application_address),
        ),
        (
            "service IDs mismatch; expected",
            text(&expected.service_id),
            text(&actual.service_id),
        ),
        (
            "session start heights mismatch; expected",
            expected.session_start_block_height.to_string(),
            actual.session_start_block_height.to_string(),
        ),
        (
            "session end heights mismatch; expected",
            expected.session_end_block_height.to_string(),
            actual.session_end_block_height.to_string(),
        ),
        (
            "session IDs mismatch; expected",
            text(&expected.session_id),
            text(&actual.session_id),
        ),
    ];
    for (mismatch, expected, actual) in fields {
        if expected != actual {
            return Err(ProofFailure::Header {
                mismatch,
                expected,
                actual,
            });
        }
    }
    Ok(())
}

/// H7, as far as it concerns the response.
fn check_exact(response: &RelayResponse) -> Result<(), ProofFailure> {
    if response.payload_hash.len() != 32 {
        return Err(ProofFailure::NotExact(
            "the response has no payload hash of 32 bytes",
        ));
    }
    if !response.payload.is_empty() {
        return Err(ProofFailure::NotExact(
            "the response of a mined relay has a payload",
        ));
    }
    Ok(())
}

fn check_ring(
    request: &RelayRequest,
    evidence: &Evidence<'_>,
    strictness: Strictness,
) -> Result<(), ProofFailure> {
    let message = relay::signable_request(request);
    let signature = request.meta.signature.as_ref();
    let form = if strictness.exact_relay {
        ring::Strictness::Strict
    } else {
        ring::Strictness::Reference
    };
    let parsed = ring::parse(signature, form).map_err(ProofFailure::RingForm)?;
    if !parsed
        .members
        .iter()
        .all(|member| evidence.ring.contains(member))
    {
        return Err(ProofFailure::RingMember(
            evidence.application_address.to_owned(),
        ));
    }
    let verified = match evidence.ring_tables {
        Some(tables) if strictness.exact_relay => {
            tables.verify(&message, signature, evidence.ring).map(drop)
        }
        _ => parsed.verify(&message),
    };
    verified.map_err(|_| ProofFailure::RingSignature)
}

fn check_operator(proof: &WellFormed, key: &PublicKey) -> Result<(), ProofFailure> {
    let signable = relay::signable_response_as_sent(&proof.response, proof.payload_hash_present);
    key.verify(&signable, &proof.response.meta.supplier_operator_signature)
        .map_err(|_| ProtocolError::RelayResponse("invalid signature".to_owned()).into())
}

/// What [`trie::verify_closest`] leaves open: H1 to H4.
fn check_trie(
    compact: &CompactProof,
    leaf: &ProvenLeaf<'_>,
    compute_units_per_relay: u64,
    strictness: Strictness,
) -> Result<(), ProofFailure> {
    let needs_nodes = strictness.leaf_bound_to_challenge || strictness.no_wrapping;
    if needs_nodes {
        let proof = compact.expand().map_err(ProofFailure::Form)?;
        if strictness.leaf_bound_to_challenge {
            check_bound(compact, &proof)?;
        }
        let fits = |own: u64, of: fn(&Root) -> u64| {
            let sides = proof.side_nodes.iter().map(|node| of(&Root(*node)));
            sides.into_iter().try_fold(own, u64::checked_add).is_some()
        };
        if strictness.no_wrapping
            && !(fits(leaf.weight, Root::sum) && fits(leaf.count, Root::count))
        {
            return Err(ProofFailure::Wraps);
        }
    }
    if strictness.path_bound_to_content
        && leaf.path != relay::leaf_path(&relay::relay_hash(leaf.value))
    {
        return Err(ProofFailure::UnboundPath);
    }
    if strictness.leaf_weight && (leaf.count != 1 || leaf.weight != compute_units_per_relay) {
        return Err(ProofFailure::LeafWeight {
            count: leaf.count,
            weight: leaf.weight,
            expected: compute_units_per_relay,
        });
    }
    Ok(())
}

/// H1: depth and flipped bits are what the trie makes them, not what the prover likes.
fn check_bound(compact: &CompactProof, proof: &trie::ClosestProof) -> Result<(), ProofFailure> {
    let unbound = |text| Err(ProofFailure::UnboundLeaf(text));
    if usize::from(proof.depth) != proof.side_nodes.len() {
        return unbound("the depth is not the number of side nodes");
    }
    if compact
        .closest_proof
        .as_ref()
        .is_some_and(|p| !p.non_membership_leaf_data.is_empty())
    {
        return unbound("it holds non-membership data");
    }
    if !proof.flipped_bits.is_sorted_by(|one, next| one < next) {
        return unbound("flipped bits do not ascend");
    }
    for flipped in &proof.flipped_bits {
        // Side nodes run from the leaf up, bits from the root down.
        match proof.side_nodes.iter().rev().nth(usize::from(*flipped)) {
            Some(node) if *node == EMPTY => {}
            Some(_) => return unbound("a bit is flipped although its half is not empty"),
            None => return unbound("a flipped bit is not above the leaf"),
        }
    }
    Ok(())
}
