//! Bytes of a ring signature: `BE32 n ‖ c_0 ‖ key image ‖ n × (s_i ‖ P_i)`, 69 + 65 n bytes
//! (relay-protocol.md §2.3).
#![deny(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used
)]

use k256::elliptic_curve::ops::Reduce as _;
use k256::{FieldBytes, Scalar};

use super::{canonical_scalar, check_size};
use crate::error::Error;
use crate::keys::PublicKey;

/// Bytes before the pairs.
const HEAD: usize = 69;
/// Bytes of a response and a member.
const PAIR: usize = 65;

/// How exactly bytes must follow the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strictness {
    /// Exactly 69 + 65 n bytes, scalars below the order: the only bytes our signer makes (H7).
    Strict,
    /// As the reference parses: bytes at the end ignored, scalars reduced.
    Reference,
}

/// A ring signature with valid points. Parsing proves nothing; see [`RingSignature::verify`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RingSignature {
    /// Keys of the ring, in order.
    pub members: Vec<PublicKey>,
    /// The signer's key image.
    pub key_image: PublicKey,
    pub(super) challenge: Scalar,
    pub(super) responses: Vec<Scalar>,
}

/// Reads a ring signature.
///
/// # Errors
/// [`Error::RingLength`], [`Error::RingSize`], [`Error::RingScalar`] (strict only) or
/// [`Error::RingPoint`].
pub fn parse(bytes: &[u8], strictness: Strictness) -> Result<RingSignature, Error> {
    let scalar = match strictness {
        Strictness::Strict => strict_scalar,
        Strictness::Reference => |bytes: &[u8; 32]| Ok(Scalar::reduce(&FieldBytes::from(*bytes))),
    };
    let raw = match strictness {
        Strictness::Strict => Raw::read(bytes)?,
        Strictness::Reference => Raw::read_prefix(bytes)?.0,
    };
    let point = |bytes| PublicKey::from_bytes(bytes).map_err(|_| Error::RingPoint);
    Ok(RingSignature {
        challenge: scalar(raw.challenge)?,
        key_image: point(raw.key_image)?,
        responses: raw
            .pairs
            .iter()
            .map(|pair| scalar(pair.response))
            .collect::<Result<_, _>>()?,
        members: raw
            .pairs
            .iter()
            .map(|pair| point(pair.member))
            .collect::<Result<_, _>>()?,
    })
}

impl RingSignature {
    /// The exact bytes of a signature.
    pub fn to_bytes(&self) -> Vec<u8> {
        write(
            &self.challenge,
            self.key_image.as_bytes(),
            &self.responses,
            &self.members,
        )
    }
}

/// Writes a signature.
pub(super) fn write(
    challenge: &Scalar,
    key_image: &[u8; 33],
    responses: &[Scalar],
    members: &[PublicKey],
) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(PAIR.saturating_mul(members.len()).saturating_add(HEAD));
    bytes.extend((members.len() as u32).to_be_bytes());
    bytes.extend(challenge.to_bytes());
    bytes.extend(key_image);
    for (response, member) in responses.iter().zip(members) {
        bytes.extend(pair(response, member));
    }
    bytes
}

/// A response and its member as they are written.
pub(super) fn pair(response: &Scalar, member: &PublicKey) -> [u8; PAIR] {
    let mut bytes = [0; PAIR];
    let (scalar, point) = bytes.split_at_mut(32);
    scalar.copy_from_slice(&response.to_bytes());
    point.copy_from_slice(member.as_bytes());
    bytes
}

/// A signature cut into its parts, none of them looked at.
pub(super) struct Raw<'a> {
    pub(super) challenge: &'a [u8; 32],
    pub(super) key_image: &'a [u8; 33],
    pub(super) pairs: Vec<RawPair<'a>>,
}

pub(super) struct RawPair<'a> {
    pub(super) bytes: &'a [u8; PAIR],
    pub(super) response: &'a [u8; 32],
    pub(super) member: &'a [u8; 33],
}

impl<'a> Raw<'a> {
    /// Cuts bytes of exactly the right length.
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, Error> {
        let (raw, rest) = Self::read_prefix(bytes)?;
        if !rest.is_empty() {
            let members = raw.pairs.len() as u32;
            return Err(Error::RingLength {
                actual: bytes.len(),
                members,
            });
        }
        Ok(raw)
    }

    /// Cuts a signature from the front of bytes; returns what follows it.
    fn read_prefix(bytes: &'a [u8]) -> Result<(Self, &'a [u8]), Error> {
        let length = |members| Error::RingLength {
            actual: bytes.len(),
            members,
        };
        let (size, rest) = bytes.split_first_chunk().ok_or(length(0))?;
        let size = u32::from_be_bytes(*size);
        let members = usize::try_from(size).unwrap_or(usize::MAX);
        check_size(members, 1)?;
        let (challenge, rest) = rest.split_first_chunk().ok_or(length(size))?;
        let (key_image, mut rest) = rest.split_first_chunk().ok_or(length(size))?;
        let mut pairs = Vec::with_capacity(members);
        for _ in 0..members {
            let (pair, next) = rest.split_first_chunk::<PAIR>().ok_or(length(size))?;
            pairs.push(RawPair::cut(pair).ok_or(length(size))?);
            rest = next;
        }
        Ok((
            Self {
                challenge,
                key_image,
                pairs,
            },
            rest,
        ))
    }

    /// Checks that all scalars are below the order.
    pub(super) fn check_canonical(&self) -> Result<(), Error> {
        strict_scalar(self.challenge)?;
        self.pairs
            .iter()
            .try_for_each(|pair| strict_scalar(pair.response).map(drop))
    }
}

impl<'a> RawPair<'a> {
    fn cut(bytes: &'a [u8; PAIR]) -> Option<Self> {
        let (response, rest) = bytes.split_first_chunk()?;
        Some(Self {
            bytes,
            response,
            member: rest.try_into().ok()?,
        })
    }
}

/// A scalar that is below the order.
pub(super) fn strict_scalar(bytes: &[u8; 32]) -> Result<Scalar, Error> {
    canonical_scalar(bytes).ok_or(Error::RingScalar)
}
