//! The ring signature of a relay request: bLSAG on secp256k1 (relay-protocol.md §2).
//!
//! A gateway signs each request with its own key hidden among the keys that may sign for an
//! application. A supplier verifies thousands a second from few rings, so the points of a ring that
//! is seen often get tables ([`Cache`]); the cold way ([`verify`]) needs nothing but the signature.
//! Both accept the same signatures.
//!
//! The signature does not say who may sign. The acceptance rule (§2.5) is: every member is
//! expected, and the signature verifies; [`Cache::verify`] does both.
//!
//! Invariants
//! - challenges follow the reference's left-aligned reduction ([`hash_to_scalar`]); ours are signed
//!   with nonces drawn again until no challenge is short, so they verify under the other reading
//!   too;
//! - the nonce and the private scalar meet constant-time code only, up to and including the points
//!   they make;
//! - nothing of an unverified signature is kept.
//!
//! Start with [`Signer::sign`] and [`verify`].

mod cache;
mod codec;
mod comb;
mod hash;
mod sign;
#[cfg(test)]
mod tests;

use k256::elliptic_curve::BatchNormalize as _;
use k256::elliptic_curve::ops::{LinearCombination as _, MulVartime as _};
use k256::{AffinePoint, ProjectivePoint, Scalar};

pub use self::cache::Cache;
pub use self::codec::{RingSignature, Strictness, parse};
pub use self::hash::{hash_to_curve, hash_to_scalar};
pub use self::sign::{Signer, SigningKey};
use crate::error::Error;
use crate::hash::sha256_parts;
use crate::keys::{PublicKey, compress};
use crate::limits::MAX_RING_MEMBERS;

/// The public key that stands for the gateways of an application without any. Its private key is
/// known to everybody, so a ring that holds it proves nothing (relay-protocol.md §2.5, H6).
pub const PLACEHOLDER_KEY: [u8; 33] = [
    0x02, 0x10, 0x66, 0xf2, 0x93, 0x70, 0x93, 0x56, 0xa3, 0x3e, 0x9c, 0x13, 0x01, 0x78, 0x67, 0x58,
    0x6b, 0xaf, 0x52, 0x51, 0x3e, 0x84, 0x5b, 0xc4, 0x33, 0x52, 0x33, 0xa1, 0x5e, 0xd1, 0xe0, 0x0b,
    0xaf,
];

/// Keys in the order of a signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ring(Vec<PublicKey>);

impl Ring {
    /// A ring of these keys; a key may occur more than once.
    ///
    /// # Errors
    /// [`Error::RingSize`] when there are none or too many.
    pub fn new(members: &[PublicKey]) -> Result<Self, Error> {
        check_size(members.len(), 1)?;
        Ok(Self(members.to_vec()))
    }

    /// The keys.
    pub fn members(&self) -> &[PublicKey] {
        &self.0
    }

    /// Whether the key is a member.
    pub fn contains(&self, key: &PublicKey) -> bool {
        self.0.contains(key)
    }
}

/// A ring signature that verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedRing {
    /// Its members, in its order. Whether they may sign is another question.
    pub members: Vec<PublicKey>,
    /// Compressed key image: the same for all signatures of one key.
    pub key_image: [u8; 33],
    /// See [`replay_key`].
    pub replay_key: [u8; 32],
}

/// Verifies a signature of exactly 69 + 65 n bytes with canonical scalars over a 32-byte message,
/// without tables.
///
/// # Errors
/// The errors of [`parse`], and [`Error::RingMismatch`].
pub fn verify(message: &[u8; 32], signature: &[u8]) -> Result<VerifiedRing, Error> {
    let signature = parse(signature, Strictness::Strict)?;
    signature.verify(message)?;
    Ok(signature.verified(message))
}

/// What identifies a signature whatever the order it is written in: SHA-256 of the message and the
/// sorted pairs of response and member. A ring can be turned (another member first, with its
/// challenge) without knowing a key; the pairs stay.
///
/// # Errors
/// The errors of [`parse`]. The signature is not verified.
pub fn replay_key(message: &[u8; 32], signature: &[u8]) -> Result<[u8; 32], Error> {
    let raw = codec::Raw::read(signature)?;
    raw.check_canonical()?;
    Ok(replay_key_of(
        message,
        raw.pairs.iter().map(|pair| *pair.bytes).collect(),
    ))
}

fn replay_key_of(message: &[u8; 32], mut pairs: Vec<[u8; 65]>) -> [u8; 32] {
    pairs.sort_unstable();
    sha256_parts(&[&message[..], pairs.as_flattened()])
}

impl RingSignature {
    /// Verifies without tables.
    ///
    /// # Errors
    /// [`Error::RingMismatch`].
    pub fn verify(&self, message: &[u8; 32]) -> Result<(), Error> {
        let last = self.challenges(message)?.pop().ok_or(Error::RingMismatch)?;
        if last.scalar == self.challenge {
            Ok(())
        } else {
            Err(Error::RingMismatch)
        }
    }

    /// The challenges after each member; the last one closes the ring when it is the first again.
    fn challenges(&self, message: &[u8; 32]) -> Result<Vec<hash::Challenge>, Error> {
        let image = ProjectivePoint::from(*self.key_image.point());
        let mut challenge = self.challenge;
        let pairs = self.members.iter().zip(&self.responses);
        pairs
            .map(|(member, response)| {
                let hashed = ProjectivePoint::from(hash::to_curve(member)?);
                let points = [
                    comb::generator().multiply(response)
                        + ProjectivePoint::from(*member.point()).mul_vartime(&challenge),
                    ProjectivePoint::lincomb_vartime(&[(hashed, *response), (image, challenge)]),
                ];
                let points = ProjectivePoint::batch_normalize_vartime(&points);
                let next = next_challenge(message, &points)?;
                challenge = next.scalar;
                Ok(next)
            })
            .collect()
    }

    /// The replay key, see [`replay_key`].
    pub fn replay_key(&self, message: &[u8; 32]) -> [u8; 32] {
        let pairs = self.members.iter().zip(&self.responses);
        replay_key_of(
            message,
            pairs
                .map(|(member, response)| codec::pair(response, member))
                .collect(),
        )
    }

    fn verified(self, message: &[u8; 32]) -> VerifiedRing {
        VerifiedRing {
            replay_key: self.replay_key(message),
            key_image: *self.key_image.as_bytes(),
            members: self.members,
        }
    }
}

/// The challenge that follows from the two points of a step.
fn next_challenge(
    message: &[u8; 32],
    [left, right]: &[AffinePoint; 2],
) -> Result<hash::Challenge, Error> {
    hash::challenge(message, &compress(left), &compress(right))
}

fn check_size(members: usize, minimum: usize) -> Result<(), Error> {
    if (minimum..=MAX_RING_MEMBERS).contains(&members) {
        return Ok(());
    }
    Err(Error::RingSize { members, minimum })
}

/// The scalar of bytes, if they are canonical.
fn canonical_scalar(bytes: &[u8; 32]) -> Option<Scalar> {
    use k256::elliptic_curve::ff::PrimeField as _;
    Scalar::from_repr((*bytes).into()).into()
}
