//! Hashes to scalars and points, with the reference's peculiarities (relay-protocol.md §2.1).

use k256::elliptic_curve::ops::Reduce as _;
use k256::elliptic_curve::point::DecompressPoint as _;
use k256::{AffinePoint, Scalar, U256, WideBytes};
use sha3::{Digest as _, Sha3_512};

use super::canonical_scalar;
use crate::error::Error;
use crate::hash::sha3_256;
use crate::keys::PublicKey;

/// Prime of the field.
const FIELD: U256 =
    U256::from_be_hex("fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f");

/// Attempts to find a point, as many as the reference makes.
const MAX_ATTEMPTS: usize = 128;

/// A challenge and whether the two readings of the reference differ about it.
pub(super) struct Challenge {
    pub(super) scalar: Scalar,
    /// The reduced hash is below 2^248, so its bytes were shifted.
    pub(super) short: bool,
}

/// The reference's hash to a scalar, in big-endian bytes: SHA3-512 reduced modulo the order, its
/// bytes without leading zeros written from the left, zeros after them. Differs from the plain
/// reduction once in 256 times.
///
/// # Errors
/// [`Error::HashDeadEnd`] when the shifted number is not below the order (probability 2^-136).
pub fn hash_to_scalar(data: &[u8]) -> Result<[u8; 32], Error> {
    let challenge = left_aligned(Sha3_512::digest(data).into())?;
    Ok(challenge.scalar.to_bytes().into())
}

/// The challenge after a step.
pub(super) fn challenge(
    message: &[u8; 32],
    left: &[u8; 33],
    right: &[u8; 33],
) -> Result<Challenge, Error> {
    let mut hasher = Sha3_512::new();
    hasher.update(message);
    hasher.update(left);
    hasher.update(right);
    left_aligned(hasher.finalize().into())
}

fn left_aligned(hash: [u8; 64]) -> Result<Challenge, Error> {
    let reduced = Scalar::reduce(&WideBytes::from(hash));
    let mut bytes: [u8; 32] = reduced.to_bytes().into();
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    if zeros == 0 {
        return Ok(Challenge {
            scalar: reduced,
            short: false,
        });
    }
    bytes.rotate_left(zeros);
    let scalar = canonical_scalar(&bytes).ok_or(Error::HashDeadEnd { what: "scalar" })?;
    Ok(Challenge {
        scalar,
        short: true,
    })
}

/// The point that a key hashes to: the first abscissa in the chain of SHA3-256 over its encoding,
/// with even ordinate.
///
/// # Errors
/// [`Error::HashDeadEnd`] when 128 attempts find none (probability 2^-128).
pub fn hash_to_curve(key: &PublicKey) -> Result<PublicKey, Error> {
    to_curve(key).map(PublicKey::from_affine)
}

pub(super) fn to_curve(key: &PublicKey) -> Result<AffinePoint, Error> {
    let mut hash = sha3_256(key.as_bytes());
    for _ in 0..MAX_ATTEMPTS {
        if let Some(point) = AffinePoint::decompress(&reduce(hash).into(), 0.into()).into() {
            return Ok(point);
        }
        hash = sha3_256(&hash);
    }
    Err(Error::HashDeadEnd { what: "point" })
}

/// A number modulo the field's prime. Twice the prime is above 2^256, so one subtraction does.
pub(super) fn reduce(bytes: [u8; 32]) -> [u8; 32] {
    let number = U256::from_be_slice(&bytes);
    if number < FIELD {
        return bytes;
    }
    number.wrapping_sub(&FIELD).to_be_bytes().into()
}
