//! Keys of secp256k1 and the ECDSA signatures of the Cosmos flavour (relay-protocol.md §1.1, §1.2).
//!
//! An account is a [`SecretKey`]; the chain knows it by its [`PublicKey`] and its [`Address`]. A
//! supplier signs each response and everybody signs transactions with [`SecretKey::sign`], which
//! hashes its message once with SHA-256; when the protocol hands over a hash already (the signable
//! bytes of a response), the message is hashed a second time, as the chain does.
//!
//! Invariants
//! - signatures are 64 bytes, r then s, with s at most N/2, and deterministic (RFC 6979): equal
//!   input, equal bytes;
//! - a `SecretKey` is wiped from memory when dropped and its `Debug` shows only the address.

mod address;
mod mnemonic;
#[cfg(test)]
mod tests;

use std::fmt;

use k256::AffinePoint;
use k256::ecdsa::signature::hazmat::{PrehashSigner as _, PrehashVerifier as _};
use k256::ecdsa::{Signature, SigningKey, VerifyingKey};
use k256::elliptic_curve::point::{AffineCoordinates as _, DecompressPoint as _};
use k256::elliptic_curve::scalar::IsHigh as _;
use zeroize::Zeroizing;

pub use self::address::{
    ADDRESS_PREFIX, Address, VALCONS_PREFIX, VALOPER_PREFIX, bech32_parts, bech32_text,
};
pub use self::mnemonic::{HdPath, generate_mnemonic};
use crate::error::Error;
use crate::hash::sha256;

/// A private key: a scalar from 1 to N - 1.
#[derive(Clone)]
pub struct SecretKey(SigningKey);

impl SecretKey {
    /// Draws a key from the operating system's randomness.
    ///
    /// # Errors
    /// [`Error::Randomness`] when there is none.
    pub fn random() -> Result<Self, Error> {
        let mut bytes = Zeroizing::new([0; 32]);
        loop {
            getrandom::fill(bytes.as_mut()).map_err(|_| Error::Randomness)?;
            // Out of range once in 2^128 draws.
            if let Ok(key) = Self::from_bytes(&bytes) {
                return Ok(key);
            }
        }
    }

    /// Reads a big-endian scalar.
    ///
    /// # Errors
    /// [`Error::SecretKey`] when it is zero or not below the order of the curve.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, Error> {
        SigningKey::from_slice(bytes)
            .map(Self)
            .map_err(|_| Error::SecretKey)
    }

    /// The scalar in big-endian bytes, wiped when dropped. For key files only.
    pub fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0.to_bytes().into())
    }

    /// The public key.
    pub fn public(&self) -> PublicKey {
        PublicKey::from_affine(*self.0.verifying_key().as_affine())
    }

    /// Signs SHA-256 of `message`: r and s, 32 big-endian bytes each, s at most N/2, nonce by RFC
    /// 6979.
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.sign_prehash(&sha256(message))
    }

    /// Signs a digest that was computed elsewhere; otherwise as [`SecretKey::sign`].
    pub fn sign_prehash(&self, digest: &[u8; 32]) -> [u8; 64] {
        let signature: Signature = self
            .0
            .sign_prehash(digest)
            // The only error is a digest of less than 16 bytes; RFC 6979 draws again on its own.
            .expect("a digest of 32 bytes can be signed");
        signature.normalize_s().to_bytes().into()
    }

    /// The scalar, for ring signatures. Callers wipe their copy.
    pub(crate) fn scalar(&self) -> Zeroizing<k256::Scalar> {
        Zeroizing::new(*self.0.as_nonzero_scalar().as_ref())
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SecretKey({})", self.public().address())
    }
}

/// A public key: a point of the curve, known by its 33-byte compressed encoding.
///
/// Equality, order and hash are those of the encoding.
#[derive(Clone, Copy)]
pub struct PublicKey {
    bytes: [u8; 33],
    point: AffinePoint,
}

impl PublicKey {
    /// Reads a compressed point (02 or 03, then 32 bytes of x).
    ///
    /// # Errors
    /// [`Error::PublicKey`] when the length, the first byte or the point is wrong.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let bytes: [u8; 33] = bytes.try_into().map_err(|_| Error::PublicKey)?;
        let point = decompress(&bytes).ok_or(Error::PublicKey)?;
        Ok(Self { bytes, point })
    }

    /// The compressed encoding.
    pub fn as_bytes(&self) -> &[u8; 33] {
        &self.bytes
    }

    /// Checks an ECDSA signature over SHA-256 of `message`.
    ///
    /// # Errors
    /// [`Error::SignatureLength`] unless it has 64 bytes, [`Error::SignatureForm`] when r or s is
    /// out of range or s is above N/2, [`Error::SignatureMismatch`] when another key or message was
    /// used.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), Error> {
        self.verify_prehash(&sha256(message), signature)
    }

    /// As [`PublicKey::verify`] for a digest that was computed elsewhere.
    ///
    /// # Errors
    /// As [`PublicKey::verify`].
    pub fn verify_prehash(&self, digest: &[u8; 32], signature: &[u8]) -> Result<(), Error> {
        if signature.len() != 64 {
            return Err(Error::SignatureLength {
                actual: signature.len(),
            });
        }
        let signature = Signature::from_slice(signature).map_err(|_| Error::SignatureForm {
            reason: "r or s is zero or not below N",
        })?;
        if bool::from(signature.s().is_high()) {
            return Err(Error::SignatureForm {
                reason: "s is above N/2",
            });
        }
        VerifyingKey::from_affine(self.point)
            .and_then(|key| key.verify_prehash(digest, &signature))
            .map_err(|_| Error::SignatureMismatch)
    }

    /// The account's address: RIPEMD-160 of SHA-256 of the encoding.
    pub fn address(&self) -> Address {
        Address::of_secp256k1(&self.bytes)
    }

    /// Wraps a point that is not the identity.
    pub(crate) fn from_affine(point: AffinePoint) -> Self {
        Self {
            bytes: compress(&point),
            point,
        }
    }

    /// The point.
    pub(crate) fn point(&self) -> &AffinePoint {
        &self.point
    }
}

/// Compresses a point as the reference's backend does: 02 or 03 by the parity of y, then x. The
/// identity, which SEC1 writes as one zero byte, becomes 02 and 32 zero bytes there.
pub(crate) fn compress(point: &AffinePoint) -> [u8; 33] {
    let mut bytes = [0; 33];
    let (tag, x) = bytes.split_at_mut(1);
    tag[0] = 2 | u8::from(bool::from(point.y_is_odd()));
    x.copy_from_slice(&point.x());
    bytes
}

/// The point of a compressed encoding, if it is one.
pub(crate) fn decompress(bytes: &[u8; 33]) -> Option<AffinePoint> {
    let [tag @ (2 | 3), x @ ..] = bytes else {
        return None;
    };
    AffinePoint::decompress(&(*x).into(), (tag & 1).into()).into()
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl Eq for PublicKey {}

impl PartialOrd for PublicKey {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for PublicKey {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.bytes.cmp(&other.bytes)
    }
}

impl std::hash::Hash for PublicKey {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.bytes.hash(state);
    }
}

/// Lower-case hexadecimal digits.
impl fmt::Display for PublicKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.bytes
            .iter()
            .try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "PublicKey({self})")
    }
}
